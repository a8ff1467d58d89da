import { fail } from "../core/errors.js";
import { type AberrationTerm, aberrationGradient } from "./aberrations.js";

/** Temporal envelope of a focal spread δ (1/e half width, √2 σ; Å): exp(−(π δ α²/2λ)²). */
export function temporalEnvelope(wavelength: number, focalSpread: number, alpha: number): number {
  return Math.exp(-(((Math.PI * focalSpread * alpha * alpha) / (2 * wavelength)) ** 2));
}
/** Spatial envelope of an angular spread β (1/e half width, rad): exp(−(β |∇χ|/2)²), the gradient per radian. */
export function spatialEnvelope(
  terms: readonly AberrationTerm[],
  wavelength: number,
  angularSpread: number,
  alpha: number,
  phi: number,
): number {
  const [r, t] = aberrationGradient(terms, wavelength, alpha, phi);
  return Math.exp(-((angularSpread / 2) ** 2) * (r * r + t * t));
}

/** Focal spread δ (1/e half width, Å) of a chromatic aberration Cc (Å) for given rms spreads: √2 Cc √((σ_E/E)² + (σ_V/V)² + (2σ_I/I)²), all relative. */
export function focalSpreadOf(
  cc: number,
  relative: { readonly energy?: number; readonly voltage?: number; readonly current?: number },
): number {
  return Math.SQRT2 * Math.abs(cc) * Math.hypot(relative.energy ?? 0, relative.voltage ?? 0, 2 * (relative.current ?? 0));
}

/** Nodes and weights (they sum to 1) of an average over a normal distribution of 1/e half width `spread`: Gauss–Hermite quadrature. */
export interface Ensemble {
  readonly value: Float64Array;
  readonly weight: Float64Array;
}
/**
 * The exact treatment of a focal spread: simulate at defocus + value[i], add intensities with weight[i]. Nodes are exact for polynomials of degree
 * 2·count − 1 in the defocus.
 */
export function focalEnsemble(focalSpread: number, count: number): Ensemble {
  if (!(focalSpread >= 0 && Number.isInteger(count) && count >= 1 && count <= 64))
    fail("bad-value", { focalSpread, count }, "a focal spread is not negative (Å); 1 to 64 samples of it");
  const { x, w } = gaussHermite(count);
  return { value: x.map((t) => t * focalSpread), weight: w.map((v) => v / Math.sqrt(Math.PI)) };
}
/** Beam tilts (rad) of a source seen under a normal distribution of 1/e half width `spread`; add intensities with the weights. */
export function tiltEnsemble(
  spread: number,
  count: number,
): { readonly tilt: readonly (readonly [number, number])[]; readonly weight: Float64Array } {
  const { value, weight } = focalEnsemble(spread, count);
  const tilt: (readonly [number, number])[] = [],
    out: number[] = [];
  value.forEach((x, i) => {
    value.forEach((y, j) => {
      tilt.push([x, y]);
      out.push(weight[i]! * weight[j]!);
    });
  });
  return { tilt, weight: Float64Array.from(out) };
}

/** Nodes and weights for ∫ e^(−x²) f(x) dx, by Newton on the orthonormal Hermite recurrence (Press et al., Numerical Recipes, 4.6). */
function gaussHermite(n: number): { readonly x: Float64Array; readonly w: Float64Array } {
  const x = new Float64Array(n),
    w = new Float64Array(n);
  let z = 0;
  for (let i = 0; i < Math.ceil(n / 2); i++) {
    if (i === 0) z = Math.sqrt(2 * n + 1) - 1.85575 * (2 * n + 1) ** -0.16667;
    else if (i === 1) z -= (1.14 * n ** 0.426) / z;
    else if (i === 2) z = 1.86 * z - 0.86 * x[0]!;
    else if (i === 3) z = 1.91 * z - 0.91 * x[1]!;
    else z = 2 * z - x[i - 2]!;
    let slope = 1;
    for (let k = 0; k < 200; k++) {
      let p = Math.PI ** -0.25,
        before = 0;
      for (let j = 0; j < n; j++) [p, before] = [z * Math.sqrt(2 / (j + 1)) * p - Math.sqrt(j / (j + 1)) * before, p];
      slope = Math.sqrt(2 * n) * before;
      const step = p / slope;
      z -= step;
      if (Math.abs(step) < 1e-15) break;
    }
    if (n % 2 === 1 && i === (n - 1) / 2) z = 0;
    x[i] = z;
    x[n - 1 - i] = -z;
    w[i] = w[n - 1 - i] = 2 / (slope * slope);
  }
  return { x, w };
}
