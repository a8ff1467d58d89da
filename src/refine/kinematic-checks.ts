import { fail } from "../core/errors.js";
import { cellDifference, cellParameters, type UnitCell } from "../geometry/cell.js";
import { isAbsent, isCentringAbsent } from "../geometry/extinctions.js";
import { mergeReflections, reflectionList } from "../geometry/reflection-list.js";
import { type SpaceGroup, spaceGroup } from "../geometry/space-groups.js";
import { cellProblem, type Structure } from "../geometry/structure.js";
import type { KinematicData } from "./kinematic-types.js";

/**
 * Structure with the cell that its data were indexed in, when the two differ by more than `replace`; a difference above 1 % is noted.
 * @param what - the data in words, e.g. "the data"
 * @throws bad-cell beyond 6 %
 */
export function withCellOfData(s: Structure, cell: UnitCell, what: string, notes: string[], replace = 0): Structure {
  const off = cellDifference(s.cell, cell),
    numbers = (c: UnitCell): string =>
      cellParameters(c)
        .map((v) => +v.toFixed(4))
        .join(" "),
    both = `the cell of ${what} (${numbers(cell)}) and that of the structure (${numbers(s.cell)}) differ by ${(100 * off).toFixed(2)} %`;
  if (off > 0.06)
    fail(
      "bad-cell",
      { data: cellParameters(cell), structure: cellParameters(s.cell) },
      `${both}: these belong to different crystals or settings`,
    );
  if (off > 0.01) notes.push(`${both}; that of the data is used`);
  return off > replace ? { ...s, cell } : s;
}

/** @throws bad-value when every site is empty, and nothing scatters */
export function checkOccupied(s: Structure): void {
  if (!s.atoms.some((a) => a.occupancy > 0))
    fail("bad-value", { atoms: s.atoms.length, occupancy: 0 }, "all atoms have the occupancy 0, so that nothing scatters");
}

/** What speaks against the space group, for people; empty when nothing does. */
export function spaceGroupProblems(cell: UnitCell, group: SpaceGroup, data: KinematicData): readonly string[] {
  const out: string[] = [];
  const problem = cellProblem(cell, group, 0.01, 0.6);
  if (problem) out.push(problem);
  const n = data.intensity.length;
  let absent = 0,
    strong = 0,
    centring = 0,
    strongCentring = 0;
  for (let i = 0; i < n; i++) {
    if (!(data.sigma[i]! > 0)) continue;
    const h = [data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!] as const;
    if (!isAbsent(group, h)) continue;
    const over = data.intensity[i]! > 3 * data.sigma[i]!;
    absent++;
    strong += Number(over);
    if (!isCentringAbsent(group, h)) continue;
    centring++;
    strongCentring += Number(over);
  }
  // No multiple scattering reaches a reflection that the lattice does not have.
  if (strongCentring > Math.max(3, 0.1 * centring))
    out.push(
      `the lattice of ${group.hm} is wrong: ${strongCentring} of ${centring} reflections that its centring forbids are above 3 sigma`,
    );
  else if (absent - centring > 5 && strong - strongCentring > 0.5 * (absent - centring))
    out.push(
      `${strong - strongCentring} of ${absent - centring} reflections that screw axes and glide planes of ${group.hm} forbid are above 3 sigma: multiple scattering, or another space group`,
    );
  // Merging in the group against merging in its triclinic subgroup.
  const list = reflectionList(cell, { hkl: data.hkl, intensity: data.intensity, sigma: data.sigma });
  const own = mergeReflections(cell, group, list, { weights: "none" }),
    least = mergeReflections(cell, spaceGroup("P 1"), list, { weights: "none" });
  if (own.rInt > 0.4 && least.list.size > own.list.size && !(least.rInt > 0.6 * own.rInt))
    out.push(
      `equivalents under ${group.hm} disagree: R_int ${own.rInt.toFixed(3)}${Number.isNaN(least.rInt) ? "" : `, without its rotations ${least.rInt.toFixed(3)}`}; the Laue symmetry may be lower`,
    );
  return out;
}
