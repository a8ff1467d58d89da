import { fail } from "../core/errors.js";
import { type ShelxAtom, type ShelxFile, type ShelxInput, shelxParameter } from "../io/shelx/ins.js";
import type { Parsed } from "../io/text.js";
import { type Adp, equivalentU } from "./adp.js";
import { cellParameters, unitCell } from "./cell.js";
import { elementOfLabel, parseAtomType } from "./elements.js";
import { centringVectors, closeGroup } from "./hall.js";
import { type Fractional, identity3, type Mat3 } from "./metric.js";
import { siteSymmetry } from "./site-symmetry.js";
import { type SpaceGroup, spaceGroupFromOps } from "./space-groups.js";
import { type Atom, composition, type Structure, structure } from "./structure.js";
import { formatOp, parseOp, type SymOp } from "./symop.js";

const lattices = ["P", "P", "I", "R", "F", "A", "B", "C"] as const;
const inversion: SymOp = { rotation: identity3.map((x) => -x + 0) as unknown as Mat3, shift: [0, 0, 0] };

/** Space group of LATT and SYMM: the listed operators, the inversion at the origin for a positive LATT, the centring. @throws bad-file */
export function spaceGroupFromShelx(file: Pick<ShelxFile, "latt" | "symm">): SpaceGroup {
  const letter = lattices[Math.abs(file.latt)];
  if (!letter || file.latt === 0)
    fail("bad-file", { latt: file.latt }, "LATT is 1 P, 2 I, 3 R, 4 F, 5 A, 6 B or 7 C, negative without an inversion at the origin");
  const shifts: SymOp[] = centringVectors[letter]!.map((shift) => ({ rotation: identity3, shift }));
  return spaceGroupFromOps(closeGroup([...file.symm.map(parseOp), ...shifts, ...(file.latt > 0 ? [inversion] : [])]));
}

/**
 * Structure of a SHELX INS or RES file. Fixed (10 + x) and tied (free-variable) parameters become their values; U_iso = −n is n times
 * U_eq of the atom before; SHELX's occupation factor, which includes the site's share, becomes chemical (1 for a full site). Q peaks are
 * left out.
 * @throws bad-file when an atom names a scatterer that SFAC does not list
 */
export function structureFromShelx(file: ShelxFile): Parsed<Structure> {
  const cell = unitCell(...file.cell);
  const group = spaceGroupFromShelx(file);
  const value = (written: number): number => shelxParameter(written, file.freeVariables).value;
  const warnings: string[] = [];
  const atoms: Atom[] = [];
  let pivot = 0;
  for (const a of file.atoms) {
    const scatterer = file.scatterers[a.sfac - 1];
    if (!scatterer) fail("bad-file", { atom: a.name, sfac: a.sfac, line: a.line }, "the atom's number points beyond the SFAC list");
    const type = parseAtomType(scatterer.label.replace(/^\$/, "")) ?? parseAtomType(elementOfLabel(a.name) ?? "");
    if (!type) fail("bad-file", { atom: a.name, scatterer: scatterer.label }, "no element is recognised in the SFAC label");
    const xyz: Fractional = [value(a.x), value(a.y), value(a.z)];
    const uAniso = a.u.length >= 6 ? fromShelxU(a, value) : undefined;
    // −0.5 … −5: riding on the last atom that does not ride.
    const riding = !uAniso && a.u[0]! < -0.5 && a.u[0]! > -5;
    const uIso = uAniso ? equivalentU(cell, uAniso) : riding ? -a.u[0]! * pivot : a.u.length > 0 ? value(a.u[0]!) : 0.05;
    if (!riding) pivot = uIso;
    const share = siteSymmetry(group, cell, xyz).multiplicity / group.ops.length;
    const occupancy = value(a.occupancy) / share;
    if (occupancy > 1.001)
      warnings.push(
        `atom ${a.name}: site occupation factor ${value(a.occupancy)} is more than its special position holds (${share.toFixed(4)}); occupancy 1 is taken`,
      );
    atoms.push({
      label: a.name,
      element: type.element,
      charge: type.charge,
      xyz,
      occupancy: Math.min(1, Number(occupancy.toFixed(6))),
      uIso,
      uAniso,
      disorder: a.part !== 0 ? { assembly: "A", group: String(a.part) } : undefined,
    });
  }
  return { value: structure(cell, group, atoms, file.cellSu), warnings };
}
/** SHELX lists U11 U22 U33 U23 U13 U12. */
function fromShelxU(a: ShelxAtom, value: (x: number) => number): Adp {
  const [u11, u22, u33, u23, u13, u12] = a.u.map(value) as [number, number, number, number, number, number];
  return [u11, u22, u33, u12, u13, u23];
}

/** What a SHELX INS file holds of a structure; hand it to writeShelx. Parameters stay free (SHELX finds special positions itself). */
export function structureToShelx(s: Structure, { title = "structure", wavelength = 0.02508 } = {}): ShelxInput {
  const g = s.spaceGroup;
  const latt = lattices.lastIndexOf(g.centring as "P");
  if (latt < 1) fail("unsupported", { centring: g.centring }, "SHELX knows the lattices P I R F A B C");
  const elements = [...composition(s).keys()];
  // With the inversion implied, one operator of each pair ±W; the identity is implied as well.
  const seen = new Set<string>([identity3.join(), ...(g.originAtInversion ? [inversion.rotation.join()] : [])]);
  const symm: string[] = [];
  for (const op of g.ops.slice(0, g.primitiveOrder)) {
    if (seen.has(op.rotation.join())) continue;
    seen.add(op.rotation.join());
    if (g.originAtInversion) seen.add(op.rotation.map((x) => -x + 0).join());
    symm.push(formatOp(op).toUpperCase());
  }
  const share = (a: Atom): number => siteSymmetry(g, s.cell, a.xyz).multiplicity / g.ops.length;
  return {
    title,
    wavelength,
    cell: cellParameters(s.cell),
    cellSu: s.cellSu?.map((v) => (Number.isNaN(v) ? 0 : v)),
    formulaUnits: 1,
    latt: g.originAtInversion ? latt : -latt,
    symm,
    scatterers: elements.map((label) => ({ label, coefficients: undefined })),
    unit: [...composition(s).values()],
    freeVariables: [1],
    atoms: s.atoms.map((a) => ({
      name: a.label.slice(0, 4),
      sfac: elements.indexOf(a.element) + 1,
      x: a.xyz[0],
      y: a.xyz[1],
      z: a.xyz[2],
      occupancy: 10 + a.occupancy * share(a),
      u: a.uAniso ? [a.uAniso[0], a.uAniso[1], a.uAniso[2], a.uAniso[5], a.uAniso[4], a.uAniso[3]] : [a.uIso],
    })),
  };
}
