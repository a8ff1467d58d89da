import { fail } from "../core/errors.js";

/**
 * Azimuths of a precessing beam: the mean over the cone by equal steps converges faster than any power once their number passes the
 * bandwidth 2π g t sin φ of the intensity as a function of the azimuth.
 * @param gMax - largest |g| of interest, Å⁻¹
 * @param thickness - largest thickness, Å
 * @param semiAngle - of the cone, radians
 */
export function precessionAzimuths(gMax: number, thickness: number, semiAngle: number): number {
  if (!(gMax > 0 && thickness > 0 && semiAngle >= 0))
    fail(
      "bad-value",
      { gMax, thickness, semiAngle },
      "gMax (Å⁻¹) and the thickness (Å) are positive, the semi-angle (radians) is not negative",
    );
  return Math.ceil(2 * Math.PI * gMax * thickness * Math.sin(semiAngle)) + 20;
}
