import { cellParameters, type UnitCell } from "../geometry/cell.js";
import { isAbsent, isCentringAbsent } from "../geometry/extinctions.js";
import { mergeReflections, reflectionList } from "../geometry/reflection-list.js";
import { type SpaceGroup, spaceGroup } from "../geometry/space-groups.js";
import { cellMismatch } from "../geometry/structure.js";
import type { KinematicData } from "./kinematic-types.js";

/** Largest relative difference of two cells: lengths by themselves, angles against a radian. */
export function cellDifference(a: UnitCell, b: UnitCell): number {
  const p = cellParameters(a),
    q = cellParameters(b);
  return Math.max(...[0, 1, 2].map((i) => Math.abs(q[i]! / p[i]! - 1)), ...[3, 4, 5].map((i) => (Math.abs(q[i]! - p[i]!) * Math.PI) / 180));
}

/** What speaks against the space group, for people; empty when nothing does. */
export function spaceGroupProblems(cell: UnitCell, group: SpaceGroup, data: KinematicData): readonly string[] {
  const out: string[] = [];
  const m = cellMismatch(cell, group);
  if (m.length > 0.01 || m.angleDeg > 0.6)
    out.push(
      `the cell does not obey ${group.hm}: its operations change lengths by ${(100 * m.length).toFixed(1)} %, angles by ${m.angleDeg.toFixed(1)}°`,
    );
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
