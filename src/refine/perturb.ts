import type { Rng } from "../core/rng.js";
import { cartesianToFractional, type Fractional } from "../geometry/metric.js";
import { siteSymmetry } from "../geometry/site-symmetry.js";
import type { Structure } from "../geometry/structure.js";

/**
 * Every atom moved by `length` (Å) in a random direction that its site allows (for an atom on an axis: along it; on an inversion: not at
 * all). Starts of convergence tests.
 */
export function perturbStructure(s: Structure, length: number, rng: Rng): Structure {
  const atoms = s.atoms.map((a) => {
    const v = [rng.normal(), rng.normal(), rng.normal()] as const;
    const site = siteSymmetry(s.spaceGroup, s.cell, a.xyz);
    const size = Math.hypot(...v);
    const d = cartesianToFractional(s.cell, v.map((x) => (x * length) / size) as unknown as Parameters<typeof cartesianToFractional>[1]);
    const mean = [0, 0, 0];
    for (const { rotation: w } of site.stabiliser)
      for (let i = 0; i < 3; i++)
        mean[i]! += (w[(3 * i) as 0] * d[0] + w[(3 * i + 1) as 0] * d[1] + w[(3 * i + 2) as 0] * d[2]) / site.stabiliser.length;
    return { ...a, xyz: site.xyz.map((x, i) => x + mean[i]!) as unknown as Fractional };
  });
  return { ...s, atoms };
}
