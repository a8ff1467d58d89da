import { fail } from "../core/errors.js";
import { leastSquares } from "../numerics/least-squares.js";

/** Cubic √I_calc = c₁x + c₂x² + c₃x³ of x = √I_obs: what multiple scattering that the model lacks, or a wrong thickness, does to strong reflections. */
export interface AmplitudeRegression {
  /** c₁, c₂, c₃ and their s.u. */
  readonly coefficients: readonly [number, number, number];
  readonly su: readonly [number, number, number];
  /** Weighted variance of √I_calc about the curve, in the units of the intensities. */
  readonly variance: number;
  /** Largest √I_obs of the fit. */
  readonly range: number;
  readonly count: number;
}
export interface Outlier {
  readonly row: number;
  /** √I_obs and √I_calc. */
  readonly observed: number;
  readonly calculated: number;
  /** (√I_calc − √I_obs) over the half width of the band. */
  readonly excess: number;
}
/** Half width of the band of the ceramics paper: |√I_calc − √I_obs| ≤ 15 + 0.1·√I_obs, on a scale where strong amplitudes are some hundreds. */
export interface ToleranceBand {
  readonly constant: number;
  readonly slope: number;
}
export const ceramicsBand: ToleranceBand = { constant: 15, slope: 0.1 };

const roots = (measured: Float64Array, calculated: Float64Array) => {
  if (measured.length !== calculated.length)
    fail("bad-shape", { measured: measured.length, calculated: calculated.length }, "one calculated intensity for each measured one");
  return { o: measured.map((v) => Math.sqrt(Math.max(0, v))), c: calculated.map((v) => Math.sqrt(Math.max(0, v))) };
};

/**
 * Reflections outside the band, farthest first. The band has a constant in units of √I: pass `reference` to bring the strongest √I_obs of a data set (its
 * 99.5th percentile) to that value first; the published band goes with 1000.
 */
export function outliersOfBand(
  measured: Float64Array,
  calculated: Float64Array,
  { band = ceramicsBand, scale = 1 }: { readonly band?: ToleranceBand; readonly scale?: number } = {},
): readonly Outlier[] {
  const { o, c } = roots(measured, calculated);
  const out: Outlier[] = [];
  for (let row = 0; row < o.length; row++) {
    const observed = o[row]! * scale,
      computed = c[row]! * scale;
    if (!Number.isFinite(observed) || !Number.isFinite(computed)) continue;
    const excess = (computed - observed) / (band.constant + band.slope * observed);
    if (Math.abs(excess) > 1) out.push({ row, observed, calculated: computed, excess });
  }
  return out.sort((a, b) => Math.abs(b.excess) - Math.abs(a.excess) || a.row - b.row);
}

/** Factor that brings the 99.5th percentile of √I_obs to 1000, where the band of the ceramics paper is meant. */
export function bandScale(measured: Float64Array): number {
  const sorted = measured.filter((v) => v > 0).sort();
  if (sorted.length === 0) fail("bad-value", { positive: 0 }, "no intensity is positive");
  return 1000 / Math.sqrt(sorted[Math.min(sorted.length - 1, Math.floor(0.995 * sorted.length))]!);
}

/**
 * Cubic regression through the origin of √I_calc on √I_obs over I > 3σ, weights 1/(σ²(√I) + (0.05·√I)²); robust against the outliers that it is to show.
 * @throws bad-value with fewer than 10 reflections
 */
export function amplitudeRegression(measured: Float64Array, sigma: Float64Array, calculated: Float64Array): AmplitudeRegression {
  const { o, c } = roots(measured, calculated);
  const rows = Array.from(o.keys()).filter((i) => measured[i]! > 3 * sigma[i]! && sigma[i]! > 0 && Number.isFinite(c[i]!));
  if (rows.length < 10) fail("bad-value", { strong: rows.length }, "a regression needs ten reflections above 3σ");
  const range = rows.reduce((m, i) => Math.max(m, o[i]!), 0);
  const weights = Float64Array.from(rows, (i) => 1 / ((sigma[i]! / (2 * o[i]!)) ** 2 + (0.05 * o[i]!) ** 2));
  // in x/range the coefficients are of one size
  const fit = leastSquares({
    count: rows.length,
    start: [range, 0, 0],
    typical: [range, range, range],
    weights,
    loss: { kind: "huber", scale: 3 },
    residuals: (p, out) => {
      rows.forEach((i, k) => {
        const x = o[i]! / range;
        out[k] = x * (p[0]! + x * (p[1]! + x * p[2]!)) - c[i]!;
      });
    },
    jacobian: (_, out) => {
      rows.forEach((i, k) => {
        const x = o[i]! / range;
        out.set([x, x * x, x * x * x], 3 * k);
      });
    },
  });
  const units = [range, range ** 2, range ** 3];
  const value = (x: number): number => x * (fit.x[0]! + x * (fit.x[1]! + x * fit.x[2]!));
  let w = 0,
    sum = 0;
  rows.forEach((i, k) => {
    w += weights[k]!;
    sum += weights[k]! * (c[i]! - value(o[i]! / range)) ** 2;
  });
  return {
    coefficients: units.map((u, k) => fit.x[k]! / u) as unknown as AmplitudeRegression["coefficients"],
    su: units.map((u, k) => fit.sigma[k]! / u) as unknown as AmplitudeRegression["su"],
    variance: sum / w,
    range,
    count: rows.length,
  };
}

/** The curve at x = √I_obs; beyond the range of the fit it goes on along its tangent. */
export function regressionAt(r: AmplitudeRegression, x: number): { readonly value: number; readonly slope: number } {
  const [a, b, c] = r.coefficients,
    t = Math.min(x, r.range);
  const slope = a + 2 * b * t + 3 * c * t * t;
  return { value: t * (a + t * (b + t * c)) + slope * (x - t), slope };
}

/**
 * Intensities with the curvature taken out ("linearised"): √I_obs → p₃(√I_obs)/c₁ where the curve rises, σ with its slope; the scale of weak reflections stays.
 * Negative and zero intensities are returned as they are.
 * @throws no-convergence where the curve falls within its range: strong reflections are then not a function of √I_obs
 */
export function linearised(
  r: AmplitudeRegression,
  measured: Float64Array,
  sigma: Float64Array,
): { readonly intensity: Float64Array; readonly sigma: Float64Array } {
  for (let k = 0; k <= 50; k++)
    if (!(regressionAt(r, (r.range * k) / 50).slope > 0))
      fail(
        "no-convergence",
        { coefficients: r.coefficients },
        "the cubic does not rise over the whole range: the intensities cannot be linearised",
      );
  const a = r.coefficients[0];
  const intensity = measured.slice(),
    s = sigma.slice();
  for (let i = 0; i < measured.length; i++) {
    if (!(measured[i]! > 0)) continue;
    const x = Math.sqrt(measured[i]!),
      { value, slope } = regressionAt(r, x),
      y = value / a;
    intensity[i] = y * y;
    s[i] = (sigma[i]! * y * slope) / (a * x); // σ(I) = 2√I·σ(√I)
  }
  return { intensity, sigma: s };
}
