import { fail } from "../core/errors.js";
import type { Beam } from "../geometry/beam.js";
import { constants } from "../geometry/constants.js";
import type { FormFactor } from "./form-factor.js";
import { thomas2024, thomas2024B } from "./tables/thomas2024.js";

/**
 * Absorptive form factor of one atom with its Debye–Waller factor, f'(s, B)·exp(−B s²), Å, rest mass: thermal diffuse scattering in the
 * Einstein model. U'_g = γ/(πV) Σ f' exp(−B s²) exp(−2πi h·x).
 */
export interface AbsorptiveFactor {
  readonly element: string;
  readonly bIso: number;
  readonly source: string;
  damped(s: number): number;
}
/** The absorptive factor of an element at a mean square displacement (B in Å²). */
export type AbsorptiveSource = (element: string, bIso: number) => AbsorptiveFactor;

/**
 * Tabulated absorptive factors of neutral atoms Z = 1–103, B = 0.1…4 Å², for a beam: f' = (c/v) [Σ₄ aᵢ exp(−bᵢ s²) + d], interpolated in √B
 * by monotone cubics, to zero at B = 0.
 * @throws out-of-range for B above 4 Å² or negative, not-found for an unknown element
 * @see M. Thomas, A. Cleverley, R. Beanland (2024) Acta Cryst. A80, 146-150
 */
export function thomasAbsorptive(beam: Pick<Beam, "beta">): AbsorptiveSource {
  return (element, bIso) => {
    const row = thomas2024[element] ?? fail("not-found", { element }, "the table has no such element");
    if (!(bIso >= 0 && bIso <= 4)) fail("out-of-range", { element, bIso }, "the table runs to B = 4 Å²; birdKingAbsorptive takes any B");
    const x = [0, ...thomas2024B.map(Math.sqrt)];
    const at = Math.sqrt(bIso);
    let k = 0;
    while (k < x.length - 2 && x[k + 1]! <= at) k++;
    const node = (i: number, s: number): number => {
      if (i === 0) return 0;
      const r = 9 * (i - 1);
      let f = row[r + 8]!;
      for (let j = 0; j < 8; j += 2) f += row[r + j]! * Math.exp(-row[r + j + 1]! * s * s);
      return f;
    };
    return {
      element,
      bIso,
      source: "M. Thomas, A. Cleverley, R. Beanland (2024) Acta Cryst. A80, 146-150",
      damped: (s) => (monotoneCubic(x, (i) => node(i, s), k, at) / beam.beta) * Math.exp(-bIso * s * s),
    };
  };
}

/** Fritsch–Carlson cubic between nodes k and k + 1 (SIAM J. Numer. Anal. 17, 238, 1980). */
function monotoneCubic(x: readonly number[], y: (i: number) => number, k: number, at: number): number {
  const n = x.length;
  const slope = (i: number): number => (y(i + 1) - y(i)) / (x[i + 1]! - x[i]!);
  const d = slope(k);
  const tangent = (i: number, inner: number): number => {
    if (i === 0 || i === n - 1) return inner;
    const left = slope(i - 1),
      right = slope(i);
    if (left * right <= 0) return 0;
    const h0 = x[i]! - x[i - 1]!,
      h1 = x[i + 1]! - x[i]!;
    return (3 * (h0 + h1)) / ((2 * h1 + h0) / left + (h1 + 2 * h0) / right);
  };
  const m0 = tangent(k, d),
    m1 = tangent(k + 1, d);
  const h = x[k + 1]! - x[k]!,
    t = (at - x[k]!) / h;
  return y(k) * (1 + 2 * t) * (1 - t) ** 2 + h * m0 * t * (1 - t) ** 2 + y(k + 1) * t * t * (3 - 2 * t) + h * m1 * t * t * (t - 1);
}

/**
 * Absorptive factors by integration of any elastic form factor (Bird & King 1990, Acta Cryst. A46, 202; Hall & Hirsch 1965):
 * f'(s, B) = (2h/m₀v) ∫ d²s' f(|s' + s/2|) f(|s' − s/2|) [1 − exp(−2B(s'² − s²/4))], rest-mass f; (2h/m₀v) = 2γλ.
 * The integral is tabulated in s (step 0.01 Å⁻¹, each node when first needed, to `sMax`) and read by polynomials through eight of them.
 */
export function birdKingAbsorptive(elastic: (element: string) => FormFactor, beam: Pick<Beam, "beta">, sMax = 3): AbsorptiveSource {
  return (element, bIso) => {
    if (!(bIso >= 0)) fail("out-of-range", { element, bIso }, "B is a mean square displacement, B = 8π²⟨u²⟩ in Å², not negative");
    const form = elastic(element);
    const step = 0.01,
      n = Math.ceil(sMax / step) + 5;
    const table = new Float64Array(n).fill(Number.NaN);
    const value = (at: number): number => {
      const i = Math.abs(at);
      if (Number.isNaN(table[i]!)) table[i] = birdKingDamped((t) => form.regular(t), i * step, bIso, beam.beta);
      return table[i]!;
    };
    return {
      element,
      bIso,
      source: `Bird-King integral of ${form.source}`,
      damped: (s) => {
        if (s > sMax) fail("out-of-range", { s, sMax }, "pass a larger sMax (Å⁻¹) to birdKingAbsorptive");
        // Neville's scheme through the eight nearest nodes; the function is even in s.
        const x = s / step,
          first = Math.floor(x) - 3;
        const p = Array.from({ length: 8 }, (_, i) => value(first + i));
        for (let k = 1; k < 8; k++) for (let i = 0; i + k < 8; i++) p[i] = ((first + i + k - x) * p[i]! + (x - first - i) * p[i + 1]!) / k;
        return p[0]!;
      },
    };
  };
}

let radial: Quadrature | undefined, angular: Quadrature | undefined;

/** f'(s, B) exp(−B s²) at one s, by Gauss–Legendre in angle and in a mapped radius. f is called some 10⁴ times. */
export function birdKingDamped(f: (s: number) => number, s: number, bIso: number, beta: number): number {
  const prefactor = (2e10 * constants.h) / (constants.m0 * constants.c * beta);
  radial ??= gaussLegendre(96);
  angular ??= gaussLegendre(24);
  // r = scale · x²/(1 − x): dense near 0, and the range s' → ∞ that the tail s'⁻⁴ needs.
  const scale = 0.35 + s / 2;
  let sum = 0;
  for (let i = 0; i < radial.x.length; i++) {
    const x = 0.5 * (1 + radial.x[i]!);
    const r = (scale * x * x) / (1 - x),
      dr = (scale * x * (2 - x)) / (1 - x) ** 2;
    // exp(−B s²)[1 − exp(−2B(r² − s²/4))] written so that neither factor overflows
    const damping = Math.exp(-bIso * s * s) - Math.exp(-2 * bIso * r * r - (bIso * s * s) / 2);
    let ring = 0;
    for (let j = 0; j < angular.x.length; j++) {
      const c = Math.cos((Math.PI / 4) * (1 + angular.x[j]!));
      const base = r * r + (s * s) / 4,
        cross = r * s * c;
      ring += angular.w[j]! * f(Math.sqrt(base + cross)) * f(Math.sqrt(Math.max(0, base - cross)));
    }
    // 4 quadrants × (π/4 from the angular map) × (½ from the radial map)
    sum += radial.w[i]! * 0.5 * dr * r * damping * ring * Math.PI;
  }
  return prefactor * sum;
}

interface Quadrature {
  readonly x: Float64Array;
  readonly w: Float64Array;
}
/** Nodes and weights of Gauss–Legendre quadrature on [−1, 1], by Newton on the Legendre recurrence. */
export function gaussLegendre(n: number): Quadrature {
  const x = new Float64Array(n),
    w = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let t = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5)),
      slope = 1;
    for (let k = 0; k < 100; k++) {
      let p0 = 1,
        p1 = t;
      for (let m = 2; m <= n; m++) [p0, p1] = [p1, ((2 * m - 1) * t * p1 - (m - 1) * p0) / m];
      slope = (n * (t * p1 - p0)) / (t * t - 1);
      const step = p1 / slope;
      t -= step;
      if (Math.abs(step) < 1e-15) break;
    }
    x[i] = t;
    w[i] = 2 / ((1 - t * t) * slope * slope);
  }
  return { x, w };
}
