import { fail } from "../core/errors.js";
import type { M40 } from "../io/jana/m40.js";
import type { M50 } from "../io/jana/m50.js";
import type { Parsed } from "../io/text.js";
import { type Adp, equivalentU } from "./adp.js";
import { unitCell } from "./cell.js";
import { parseAtomType } from "./elements.js";
import { centringVectors } from "./hall.js";
import type { Fractional } from "./metric.js";
import { siteSymmetry } from "./site-symmetry.js";
import { type SpaceGroup, spaceGroup, spaceGroupFromOps } from "./space-groups.js";
import { type Atom, type Structure, structure } from "./structure.js";
import { parseOp } from "./symop.js";

/** Space group of an m50: its operators with the centring of its lattice letter. @throws bad-file without symmetry */
export function spaceGroupFromM50(m50: M50): SpaceGroup {
  if (m50.symmetry.length === 0) {
    if (!m50.spaceGroup) fail("bad-file", {}, "the m50 file names neither operators (symmetry …) nor a space group (spgroup …)");
    return spaceGroup(m50.spaceGroup);
  }
  const vectors = centringVectors[m50.lattice ?? "P"] ?? centringVectors.P!;
  const ops = m50.symmetry.map(parseOp);
  return spaceGroupFromOps(
    vectors.flatMap((v) => ops.map((op) => ({ rotation: op.rotation, shift: op.shift.map((x, i) => x + v[i]!) as unknown as Fractional }))),
  );
}

/**
 * Structure from the two JANA files that hold it. JANA's occupancy includes the site's share (multiplicity / general multiplicity); here it
 * is chemical, 1 for a full site. Modulation waves and anharmonic terms are not read; a warning names the atoms that have them.
 * @throws bad-file when the m50 has no cell or an atom's type is not in its list
 */
export function structureFromJana(m40: M40, m50: M50): Parsed<Structure> {
  if (!m50.cell) fail("bad-file", {}, "the m50 file has no cell line");
  const cell = unitCell(...(m50.cell as [number, number, number, number, number, number]));
  const group = spaceGroupFromM50(m50);
  const warnings: string[] = [];
  const atoms = m40.atoms.map((a, i): Atom => {
    const type = m50.atomTypes[a.type - 1];
    const parsed = type && parseAtomType(type.symbol);
    if (!parsed)
      fail(
        "bad-file",
        { atom: a.name, type: a.type, types: m50.atomTypes.length },
        "the atom's type number is not in the list of the m50 file",
      );
    if (a.adp > 2 || a.more.length > 0) warnings.push(`atom ${a.name}: terms beyond the harmonic displacement are left out`);
    const xyz: Fractional = [a.x, a.y, a.z];
    const share = siteSymmetry(group, cell, xyz).multiplicity / group.ops.length;
    const su = m40.su?.atoms[i];
    const uAniso = a.adp >= 2 && a.u.length >= 6 ? (a.u.slice(0, 6) as unknown as Adp) : undefined;
    const known = (v: number | undefined): number => (v === undefined || v === 0 ? Number.NaN : v);
    return {
      label: a.name,
      element: parsed.element,
      charge: parsed.charge,
      xyz,
      occupancy: Number((a.occupancy / share).toFixed(6)),
      uIso: uAniso ? equivalentU(cell, uAniso) : (a.u[0] ?? 0),
      uAniso,
      su: su && {
        xyz: [known(su.x), known(su.y), known(su.z)],
        occupancy: known(su.occupancy / share),
        uIso: uAniso ? Number.NaN : known(su.u[0]),
        uAniso: uAniso && su.u.length >= 6 ? (su.u.slice(0, 6).map(known) as unknown as Adp) : undefined,
      },
    };
  });
  return {
    value: structure(
      cell,
      group,
      atoms,
      m50.cellSu?.map((v) => (v > 0 ? v : Number.NaN)),
    ),
    warnings,
  };
}
