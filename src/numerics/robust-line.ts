import { fail } from "../core/errors.js";
import type { Rng } from "../core/rng.js";
import { MAD_TO_SIGMA, medianAbsoluteDeviation } from "./robust-location.js";
import { median } from "./stats-select.js";

/** y = intercept + slope·x. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
}
export interface LineFit extends Line {
  /** Standard uncertainties and their covariance, from the scatter. */
  readonly sigmaSlope: number;
  readonly sigmaIntercept: number;
  /** Standard deviation of y about the line. */
  readonly scale: number;
}

function check(x: ArrayLike<number>, y: ArrayLike<number>, least: number): void {
  if (x.length !== y.length || x.length < least)
    fail("bad-shape", { x: x.length, y: y.length }, `a line needs as many y as x, and at least ${least} points`);
}

/** Weighted least-squares line; weights 1 when absent. */
export function lineFit(x: ArrayLike<number>, y: ArrayLike<number>, weights?: ArrayLike<number>): LineFit {
  check(x, y, 2);
  let sw = 0,
    mx = 0,
    my = 0,
    n = 0;
  for (let i = 0; i < x.length; i++) {
    const w = weights ? weights[i]! : 1;
    if (!(w > 0)) continue;
    n++;
    sw += w;
    mx += (w * (x[i]! - mx)) / sw;
    my += (w * (y[i]! - my)) / sw;
  }
  let xx = 0,
    xy = 0;
  for (let i = 0; i < x.length; i++) {
    const w = weights ? weights[i]! : 1,
      d = x[i]! - mx;
    if (!(w > 0)) continue;
    xx += w * d * d;
    xy += w * d * (y[i]! - my);
  }
  const slope = xy / xx,
    intercept = my - slope * mx;
  let rr = 0;
  for (let i = 0; i < x.length; i++) {
    const w = weights ? weights[i]! : 1;
    if (w > 0) rr += w * (y[i]! - intercept - slope * x[i]!) ** 2;
  }
  const s2 = n > 2 ? rr / (n - 2) : Number.NaN;
  return {
    slope,
    intercept,
    sigmaSlope: Math.sqrt(s2 / xx),
    sigmaIntercept: Math.sqrt(s2 * (1 / sw + (mx * mx) / xx)),
    scale: Math.sqrt((s2 * n) / sw),
  };
}

/**
 * Theil–Sen line: median of the slopes of all pairs, then median of y − slope·x. Holds with up to 29 % wild points. Above `maxPairs`
 * pairs a regular subset of the index differences is used.
 * @see Sen (1968) J. Am. Stat. Assoc. 63, 1379, doi:10.1080/01621459.1968.10480934
 */
export function theilSenLine(x: ArrayLike<number>, y: ArrayLike<number>, maxPairs = 2_000_000): Line {
  check(x, y, 2);
  const n = x.length,
    stride = Math.max(1, Math.ceil((n * (n - 1)) / 2 / maxPairs));
  const slopes: number[] = [];
  for (let lag = 1; lag < n; lag += stride)
    for (let i = 0; i + lag < n; i++) {
      const dx = x[i + lag]! - x[i]!;
      if (dx !== 0) slopes.push((y[i + lag]! - y[i]!) / dx);
    }
  const slope = median(slopes);
  return { slope, intercept: median(Array.from({ length: n }, (_, i) => y[i]! - slope * x[i]!)) };
}

/** Line by iteratively reweighted least squares with Tukey's biweight, started from Theil–Sen. `inliers` have weight above 0. */
export function robustLine(x: ArrayLike<number>, y: ArrayLike<number>, c = 4.685): LineFit & { readonly weights: Float64Array } {
  check(x, y, 3);
  let line: Line = theilSenLine(x, y, 200_000);
  const weights = new Float64Array(x.length);
  let fit: LineFit | undefined;
  for (let k = 0; k < 100; k++) {
    const r = Float64Array.from(weights, (_, i) => y[i]! - line.intercept - line.slope * x[i]!);
    // Half the points may lie exactly on the line: then the scale is that of rounding.
    const scale = MAD_TO_SIGMA * medianAbsoluteDeviation(r, 0) || 1e-12 * (1 + Math.abs(line.intercept));
    for (let i = 0; i < r.length; i++) {
      const u = r[i]! / (c * scale);
      weights[i] = Math.abs(u) < 1 ? (1 - u * u) ** 2 : 0;
    }
    fit = lineFit(x, y, weights);
    const moved =
      Math.abs(fit.slope - line.slope) / (1e-300 + Math.abs(fit.slope)) +
      Math.abs(fit.intercept - line.intercept) / (1e-300 + Math.abs(fit.intercept));
    line = fit;
    if (moved < 1e-10) break;
  }
  return { ...fit!, weights };
}

/**
 * RANSAC line: of `trials` random pairs the line with most points within `tolerance` in y, then least squares on those.
 * @see Fischler & Bolles (1981) Commun. ACM 24, 381, doi:10.1145/358669.358692
 */
export function ransacLine(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  { rng, tolerance, trials = 500 }: { readonly rng: Rng; readonly tolerance: number; readonly trials?: number },
): LineFit & { readonly inliers: readonly number[] } {
  check(x, y, 2);
  let best: number[] = [];
  for (let t = 0; t < trials; t++) {
    const i = rng.integer(x.length),
      j = rng.integer(x.length);
    if (x[i] === x[j]) continue;
    const slope = (y[j]! - y[i]!) / (x[j]! - x[i]!),
      intercept = y[i]! - slope * x[i]!;
    const inside: number[] = [];
    for (let k = 0; k < x.length; k++) if (Math.abs(y[k]! - intercept - slope * x[k]!) <= tolerance) inside.push(k);
    if (inside.length > best.length) best = inside;
  }
  if (best.length < 2) fail("no-convergence", { trials, tolerance }, "no two points share a line; give a larger tolerance or more trials");
  return {
    ...lineFit(
      best.map((k) => x[k]!),
      best.map((k) => y[k]!),
    ),
    inliers: best,
  };
}
