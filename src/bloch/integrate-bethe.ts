import { fail } from "../core/errors.js";
import { apply, inverse, type Map3, type Vec3 } from "../core/frames.js";
import { type BeamPool, type BeamSelection, selectBeams } from "./beams.js";
import { incidence } from "./incidence.js";
import type { DepthSet } from "./integrate.js";
import type { CrystalPotential } from "./potential.js";
import { propagate } from "./propagate.js";
import type { DirectionSet } from "./rotation.js";
import { structureMatrix } from "./structure-matrix.js";
import { blochIntensities } from "./waves.js";

export interface BetheIntensities {
  /** Mean |ψ_g|², shape [n]; 0 for a beam that is strong in no direction. */
  readonly intensity: Float64Array;
  /** Strong and weak beams of a direction, on the average. */
  readonly meanStrong: number;
  readonly meanWeak: number;
}

/**
 * Mean intensities over directions with any beam selection, one matrix for each direction: what the batched kernel cannot do, above all
 * Bethe potentials, whose matrices differ from direction to direction. A wanted beam counts where it is strong.
 * @param ub - a*, b*, c* in columns at the middle of the exposure, lab frame, Å⁻¹
 * @param hkl - wanted, shape [n, 3]
 * @throws bad-value, out-of-range
 */
export function exposureIntensities(
  potential: CrystalPotential,
  pool: BeamPool,
  ub: Map3<"lab", "hkl">,
  directions: DirectionSet,
  selection: BeamSelection,
  depths: DepthSet,
  hkl: Int32Array,
  surfaceNormal = false,
): BetheIntensities {
  if (!ub.every(Number.isFinite)) fail("bad-value", { ub }, "the orientation is not finite: look for NaN angles");
  if (depths.depth.length === 0 || depths.depth.some((t) => !(t > 0)))
    fail("out-of-range", { depths: depths.depth }, "thicknesses are positive numbers, in Å");
  const n = hkl.length / 3;
  const intensity = new Float64Array(n);
  const toHkl = inverse(ub);
  const wanted = new Map<string, number>();
  for (let i = 0; i < n; i++) wanted.set(hkl.subarray(3 * i, 3 * i + 3).join(), i);
  let strongBeams = 0,
    weakBeams = 0;
  for (let d = 0; d < directions.size; d++) {
    const k = [0, 1, 2].map((x) => directions.kappa[3 * d + x]! * potential.beam.k) as unknown as Vec3<"lab">;
    const inc = incidence(potential.cell, apply(toHkl, k));
    const { strong, weak } = selectBeams(pool, inc, selection, potential);
    const m = structureMatrix(potential, strong, inc, { surfaceNormal, weak });
    const all = blochIntensities(propagate(m, depths.depth));
    strongBeams += m.size / directions.size;
    weakBeams += weak.length / 3 / directions.size;
    for (let b = 0; b < m.size; b++) {
      const i = wanted.get(strong.subarray(3 * b, 3 * b + 3).join());
      if (i === undefined) continue;
      for (let t = 0; t < depths.depth.length; t++) intensity[i]! += directions.weight[d]! * depths.weight[t]! * all[t * m.size + b]!;
    }
  }
  return { intensity, meanStrong: strongBeams, meanWeak: weakBeams };
}
