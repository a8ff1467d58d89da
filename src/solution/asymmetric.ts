import type { UnitCell } from "../geometry/cell.js";
import { type Fractional, metricTensor, quadratic } from "../geometry/metric.js";
import { siteSymmetry } from "../geometry/site-symmetry.js";
import type { SpaceGroup } from "../geometry/space-groups.js";

/** A peak of the asymmetric unit. */
export interface UniquePeak {
  /** On the group's axes; moved onto its symmetry elements. */
  readonly xyz: Fractional;
  readonly height: number;
  readonly multiplicity: number;
  /** All equivalent positions in [0, 1)³. */
  readonly positions: readonly Fractional[];
}

/**
 * The independent ones of a list of peaks, highest first. A peak nearer than `snap` to a symmetry element is moved onto it; a peak nearer than `merge` to an
 * image of a higher one is a ripple of it and left out.
 */
export function uniquePeaks(
  group: SpaceGroup,
  cell: UnitCell,
  peaks: readonly { readonly xyz: Fractional; readonly height: number }[],
  { snap = 0.3, merge = 0.5, limit = 500 } = {},
): UniquePeak[] {
  const g = metricTensor(cell);
  const kept: UniquePeak[] = [];
  const near = (p: Fractional, q: Fractional): boolean =>
    quadratic(g, [0, 1, 2].map((k) => p[k as 0] - q[k as 0] - Math.round(p[k as 0] - q[k as 0])) as unknown as Fractional) < merge * merge;
  for (const peak of peaks) {
    if (kept.length >= limit) break;
    const site = siteSymmetry(group, cell, peak.xyz, snap);
    if (kept.some((k) => k.positions.some((p) => near(p, site.xyz)))) continue;
    kept.push({ xyz: site.xyz, height: peak.height, multiplicity: site.multiplicity, positions: site.positions });
  }
  return kept;
}

/** Greatest common divisor of the multiplicities of all sites: found on the points of the 1/24 grid, which every special position meets. */
export function multiplicityDivisor(group: SpaceGroup): number {
  const n = group.ops.length;
  const sizes = new Set<number>([n]);
  const ops = group.ops.map((op) => [...op.rotation, ...op.shift]);
  const mod = (x: number): boolean => x % 24 === 0;
  for (let x = 0; x < 24; x++)
    for (let y = 0; y < 24; y++)
      for (let z = 0; z < 24; z++) {
        let fixed = 0;
        for (const o of ops)
          if (
            mod(o[0]! * x + o[1]! * y + o[2]! * z + o[9]! - x) &&
            mod(o[3]! * x + o[4]! * y + o[5]! * z + o[10]! - y) &&
            mod(o[6]! * x + o[7]! * y + o[8]! * z + o[11]! - z)
          )
            fixed++;
        sizes.add(n / fixed);
      }
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  return [...sizes].reduce(gcd);
}
