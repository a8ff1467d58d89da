import { determinant, type Map3 } from "../core/frames.js";
import type { Poses } from "./poses.js";

/**
 * Height in standard deviations that the highest maximum of pure noise exceeds in a fraction `often` of all searches, when views of white noise are
 * filtered with a Gaussian of `sigma` and back-projected. A normal field of unit variance in a volume V has
 * V √|Λ| (2π)⁻² (z² − 1) exp(−z²/2) maxima above a high z on average; Λ is the covariance of its gradient, here the mean over the views of PᵀP / 2σ²
 * with P the two rows that project.
 * @param voxels - of the search, `sigma` in their edges
 * @see Adler (1981) The Geometry of Random Fields, theorem 6.3.1; Worsley et al. (1992) J. Cereb. Blood Flow Metab. 12, 900
 */
export function noiseMaximum(voxels: number, poses: Poses, sigma: number, often = 0.1): number {
  const views = poses.length / 9,
    m = new Float64Array(9);
  for (let p = 0; p < poses.length; p += 9)
    for (let c = 0; c < 2; c++)
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 3; j++) m[3 * i + j]! += (poses[p + 3 * i + c]! * poses[p + 3 * j + c]!) / (2 * sigma * sigma * views);
  const det = determinant(Array.from(m) as unknown as Map3);
  const places = (voxels * Math.sqrt(Math.max(det, 0))) / (4 * Math.PI * Math.PI);
  // Above √3 the number of maxima falls with z.
  let [low, high] = [Math.sqrt(3), 40];
  for (let k = 0; k < 60; k++) {
    const z = (low + high) / 2;
    if (places * (z * z - 1) * Math.exp(-0.5 * z * z) > often) low = z;
    else high = z;
  }
  return high;
}
