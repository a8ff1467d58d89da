import { fail } from "../core/errors.js";
import type { Vec3 } from "../core/frames.js";
import type { Beam } from "./beam.js";

/**
 * Excitation errors: signed distance of each reflection from the Ewald sphere along the foil normal n.
 * s solves |k + g + s·n| = |k|, exactly; with n along the beam it is positive inside the sphere.
 * @param g - diffraction vectors, lab frame, Å⁻¹, shape [count, 3]
 * @param k - incident wave vector, lab frame, |k| = 1/λ, Å⁻¹
 * @param n - foil normal, lab frame, unit length
 * @returns s, Å⁻¹, shape [count]; NaN where the line through g misses the sphere
 * @throws bad-shape when `g.length` is not a multiple of 3
 * @see Spence & Zuo, Electron Microdiffraction (1992)
 */
export function excitationErrors(g: Float64Array, k: Vec3<"lab">, n: Vec3<"lab">): Float64Array {
  checkVectors(g);
  const s = new Float64Array(g.length / 3);
  for (let i = 0; i < s.length; i++) {
    const x = g[3 * i]!,
      y = g[3 * i + 1]!,
      z = g[3 * i + 2]!;
    const p = n[0] * (k[0] + x) + n[1] * (k[1] + y) + n[2] * (k[2] + z);
    const q = x * (2 * k[0] + x) + y * (2 * k[1] + y) + z * (2 * k[2] + z); // |k+g|² − |k|² without cancellation
    s[i] = -q / (p + Math.sign(p) * Math.sqrt(p * p - q)); // the root nearest 0, in the form that does not cancel
  }
  return s;
}

/**
 * Excitation errors as PETS2 and JANA2020 define them: Sg = (K² − |K+g|²)/2K with K = (0, 0, −1/λ), that is g_z − |g|²λ/2.
 * Positive inside the sphere. It is the first-order solution of the equation of {@link excitationErrors}; the two differ by about
 * Sg·(|g|λ)²/2 and less.
 * @param g - diffraction vectors, lab frame, Å⁻¹, shape [count, 3]
 * @returns Sg, Å⁻¹, shape [count]
 * @throws bad-shape when `g.length` is not a multiple of 3
 */
export function sgErrors(g: Float64Array, { k }: Pick<Beam, "k">): Float64Array {
  checkVectors(g);
  const s = new Float64Array(g.length / 3);
  for (let i = 0; i < s.length; i++) {
    const x = g[3 * i]!,
      y = g[3 * i + 1]!,
      z = g[3 * i + 2]!;
    s[i] = z - (x * x + y * y + z * z) / (2 * k);
  }
  return s;
}

function checkVectors(g: Float64Array): void {
  if (g.length % 3 !== 0) fail("bad-shape", { length: g.length }, "pass [count, 3] row-major: x0 y0 z0 x1 y1 z1 …");
}
