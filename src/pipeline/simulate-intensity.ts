import type { LatticePoints } from "../geometry/predict.js";
import type { Structure } from "../geometry/structure.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { lobato } from "../scattering/lobato.js";
import { structureFactors } from "../scattering/structure-factors.js";

/** Intensity of a reflection on any scale, for example |F|². */
export type IntensityOf = (h: number, k: number, l: number) => number;

/** Departure of the intensities from kinematical ones. */
export interface DynamicalModel {
  /**
   * A = πt/ξ of the strongest reflection (crystal thickness over extinction distance). Each reflection is reduced by Blackman's factor
   * (1/A)∫₀ᴬ J₀(2x)dx, so intensities go from |F|² for weak to |F| for strong ones. 0 is kinematical.
   */
  readonly strongestA: number;
  /** Relative rms of a random change of every intensity on every frame (multiple scattering changes with orientation). */
  readonly scatter: number;
  /** Intensity given to every reflection by multiple scattering, as a fraction of the mean; forbidden ones become visible. */
  readonly umweg: number;
}

export const kinematical: DynamicalModel = { strongestA: 0, scatter: 0, umweg: 0 };

/** Kinematical intensities |F|², Å², of all points of a lattice: shape [points.size]. Form factors of Lobato & Van Dyck (2014) by default. */
export function kinematicalIntensities(points: LatticePoints, structure: Structure, factors: FormFactorSource = lobato): Float64Array {
  const f = structureFactors(structure, points.hkl, factors);
  return Float64Array.from({ length: points.size }, (_, i) => f[2 * i]! ** 2 + f[2 * i + 1]! ** 2);
}

/** Intensities of all points of a lattice, the largest 1, after damping: shape [points.size]. */
export function pointIntensities(
  points: LatticePoints,
  of: IntensityOf | Structure,
  dynamical: DynamicalModel,
  falloffB = 0,
): Float64Array {
  const { hkl, g2, size } = points;
  const out =
    typeof of === "function"
      ? Float64Array.from({ length: size }, (_, i) => of(hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!))
      : kinematicalIntensities(points, of);
  let most = 0,
    sum = 0;
  for (let i = 0; i < size; i++) {
    out[i]! *= Math.exp((-falloffB * g2[i]!) / 2); // |exp(−B g²/4)|²
    most = Math.max(most, out[i]!);
    sum += out[i]!;
  }
  const floor = (dynamical.umweg * sum) / size;
  const factor = blackman(dynamical.strongestA);
  let top = 0;
  for (let i = 0; i < size; i++) {
    out[i] = out[i]! * factor(dynamical.strongestA * Math.sqrt(out[i]! / most)) + floor;
    top = Math.max(top, out[i]!);
  }
  for (let i = 0; i < size; i++) out[i]! /= top;
  return out;
}

/**
 * Blackman's factor (1/A)∫₀ᴬ J₀(2x) dx, tabulated up to `largest`: the two-beam integrated intensity over the kinematical one.
 * @see Blackman, Proc. R. Soc. A 173 (1939) 68
 */
export function blackman(largest: number): (a: number) => number {
  const step = 0.01,
    n = Math.ceil(largest / step) + 2;
  const integral = new Float64Array(n + 1);
  for (let i = 1; i <= n; i++) {
    const x = (i - 1) * step;
    integral[i] = integral[i - 1]! + (step / 6) * (j0(2 * x) + 4 * j0(2 * x + step) + j0(2 * x + 2 * step));
  }
  return (a) => {
    if (a < 1e-6) return 1;
    const t = Math.min(a / step, n - 1e-9),
      i = Math.floor(t);
    return (integral[i]! + (t - i) * (integral[i + 1]! - integral[i]!)) / a;
  };
}

/** Bessel function J₀ by its integral (1/π)∫₀^π cos(x sin θ)dθ, trapezium rule: exact to rounding once the points outnumber x. */
export function j0(x: number): number {
  const n = 20 + Math.ceil(Math.abs(x));
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.cos(x * Math.sin((Math.PI * (i + 0.5)) / n));
  return sum / n;
}
