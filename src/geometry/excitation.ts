import { fail } from "../core/errors.js";
import type { Vec3 } from "../core/frames.js";
import type { Exposure } from "./experiment.js";
import { radians } from "./rotation.js";

/**
 * Half range ΔSg through which the excitation error of a reflection sweeps during one exposure, Å⁻¹ (exact in the angle):
 * continuous rotation ½|Sg(+φ) − Sg(−φ)| = |g·(z × axis)|·sin φ, that is the distance of g from the plane of beam and tilt axis;
 * precession |g⊥|·sin φ; a static exposure does not sweep.
 * @param gx,gy - transverse components of g, lab frame, Å⁻¹
 * @param axis - direction of the tilt axis, lab frame (only for continuous rotation)
 */
export function excitationHalfRange(gx: number, gy: number, exposure: Exposure, axis: Vec3<"lab">): number {
  if (exposure.kind === "static") return 0;
  if (exposure.kind === "precession") return Math.hypot(gx, gy) * Math.sin(radians(exposure.semiAngleDeg));
  return Math.abs(axis[0] * gy - axis[1] * gx) * Math.sin(radians(exposure.halfWidthDeg));
}

export interface SgFilter {
  /** |Sg|/ΔSg, no unit. */
  readonly rsg: Float64Array;
  /** ΔSg − |Sg|, Å⁻¹. */
  readonly dsg: Float64Array;
}

/**
 * RSg = |Sg|/ΔSg and DSg = ΔSg − |Sg|, by which reflections are chosen for dynamical refinement: usual limits are RSg below 0.4 to
 * 0.75 and DSg above 0 or 0.0015 Å⁻¹. RSg is infinite where the reflection does not sweep.
 * @param g - diffraction vectors at the frame centre, lab frame, shape [n, 3]
 * @param sg - their excitation errors, shape [n]
 * @see Klar et al., Nat. Chem. 15 (2023) 848; Palatinus et al., Acta Cryst. B71 (2015) 740
 */
export function sgFilter(g: Float64Array, sg: Float64Array, exposure: Exposure, axis: Vec3<"lab">): SgFilter {
  if (g.length !== 3 * sg.length) fail("bad-shape", { g: g.length, sg: sg.length }, "g is [n, 3] and sg [n]");
  const rsg = new Float64Array(sg.length),
    dsg = new Float64Array(sg.length);
  for (let i = 0; i < sg.length; i++) {
    const half = excitationHalfRange(g[3 * i]!, g[3 * i + 1]!, exposure, axis);
    rsg[i] = Math.abs(sg[i]!) / half;
    dsg[i] = half - Math.abs(sg[i]!);
  }
  return { rsg, dsg };
}
