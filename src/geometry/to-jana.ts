import { fail } from "../core/errors.js";
import type { M40, M40Atom } from "../io/jana/m40.js";
import { type M50, parseM50 } from "../io/jana/m50.js";
import { cellParameters } from "./cell.js";
import { siteSymmetry } from "./site-symmetry.js";
import { type Atom, composition, type Structure } from "./structure.js";
import { formatOp } from "./symop.js";

const lattices = ["P", "A", "B", "C", "I", "R", "F"];
/** Number with at most `digits` decimals, without trailing zeros. */
const short = (v: number, digits: number): string => String(Number(v.toFixed(digits)));

/**
 * The two JANA files of a structure, m40 (parameters) and m50 (crystal, electron form factors `formtab -62`). Occupancies are JANA's, with the share of
 * the site. Read back by structureFromJana.
 * @throws unsupported for lattices that have no letter; bad-value for labels of more than eight characters (from the writer of the m40)
 */
export function structureToJana(s: Structure, { title = "structure" } = {}): { readonly m40: M40; readonly m50: M50 } {
  const g = s.spaceGroup;
  if (!lattices.includes(g.centring)) fail("unsupported", { centring: g.centring }, `JANA knows the lattices ${lattices.join(" ")}`);
  const symbol = (a: Atom): string => a.element;
  const types = [...new Set(s.atoms.map(symbol))];
  const line = (values: readonly number[], keys: string) => ({ values, keys });
  const zero = (n: number) => new Array<number>(n).fill(0);
  const isSpecial = s.atoms.map((a) => siteSymmetry(g, s.cell, a.xyz).multiplicity);
  const one = (a: Atom, i: number): M40Atom => ({
    name: a.label,
    type: types.indexOf(symbol(a)) + 1,
    adp: a.uAniso ? 2 : 1,
    occupancy: (a.occupancy * isSpecial[i]!) / g.ops.length,
    x: a.xyz[0],
    y: a.xyz[1],
    z: a.xyz[2],
    u: a.uAniso ? [...a.uAniso] : [a.uIso, 0, 0, 0, 0, 0],
    // JANA derives what symmetry fixes; the occupancy stays
    keys: a.uAniso ? "0111111111" : "0111100000",
    flags: "",
    more: [],
  });
  const known = (v: number | undefined): number => (v !== undefined && v > 0 ? v : 0);
  const uncertain = (a: Atom, i: number): M40Atom => ({
    ...one(a, i),
    type: 0,
    adp: 0,
    occupancy: known(a.su?.occupancy),
    x: known(a.su?.xyz[0]),
    y: known(a.su?.xyz[1]),
    z: known(a.su?.xyz[2]),
    u: a.uAniso ? (a.su?.uAniso ?? zero(6)).map(known) : [known(a.su?.uIso), ...zero(5)],
    keys: "",
  });
  const scales = [line([1, 0, 0, 0, 0, 0], "100000"), line(zero(3), "000"), line(zero(6), "000000"), line(zero(6), "000000")];
  const bare = [line(zero(6), ""), line(zero(3), ""), line(zero(6), ""), line(zero(6), "")];
  const m40: M40 = {
    counts: [s.atoms.length, 0, 0, 1, 0],
    head: scales,
    atoms: s.atoms.map(one),
    su: s.atoms.some((a) => a.su) ? { head: bare, atoms: s.atoms.map(uncertain) } : undefined,
    suSeparator: undefined,
    rest: [],
  };
  const content = composition(s);
  const text = [
    "Version Jana2020",
    `title ${title.replace(/\s+/g, " ").trim()}`,
    `cell ${cellParameters(s.cell)
      .map((v) => short(v, 5))
      .join(" ")}`,
    `esdcell ${Array.from({ length: 6 }, (_, i) => short(known(s.cellSu?.[i]), 5)).join(" ")}`,
    ...(g.hm && g.number > 0 ? [`spgroup ${g.hm.replace(/:.*$/, "").replace(/\s+/g, "")} ${g.number} 3`] : []),
    `lattice ${g.centring}`,
    ...g.ops.slice(0, g.primitiveOrder).map((op) => `symmetry ${formatOp(op).split(",").join(" ")}`),
    "unitsnumb 1",
    `atlist ${[...content].map(([e, n]) => e + (Number(n.toFixed(3)) === 1 ? "" : short(n, 3))).join(" ")}`,
    "formtab -62",
    ...types.map((e) => `atom ${e}`),
    "roundmethod 1 autrefkeys 1",
    "end",
    "*".repeat(79),
    "refine",
    "  cycles 20 fsquare 0 skipbad 1",
    "end refine",
    "fourier",
    "  maptype 6",
    "end fourier",
    "dist",
    "  angles 1",
    "end dist",
    "",
  ].join("\n");
  return { m40, m50: parseM50(text).value };
}
