import { fail } from "../core/errors.js";

/** Running count, mean, second central moment sum, and range; a plain value that merges exactly like the data would. */
export interface Moments {
  readonly count: number;
  readonly mean: number;
  /** Σ (v − mean)². */
  readonly m2: number;
  readonly min: number;
  readonly max: number;
}

/** Moments of no data. */
export const emptyMoments: Moments = { count: 0, mean: 0, m2: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY };

/** Moments of the measured (not NaN) values, by Welford's update. */
export function moments(values: ArrayLike<number>): Moments {
  let count = 0,
    mean = 0,
    m2 = 0,
    min = Number.POSITIVE_INFINITY,
    max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (Number.isNaN(v)) continue;
    count++;
    const d = v - mean;
    mean += d / count;
    m2 += d * (v - mean);
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return { count, mean, m2, min, max };
}

/**
 * Moments of two sets of data together. Merge partial results by index, never by arrival, and the bits do not depend on the workers.
 * @see Chan, Golub & LeVeque (1983) Am. Stat. 37, 242, doi:10.1080/00031305.1983.10483115
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.count === 0) return b;
  if (b.count === 0) return a;
  const count = a.count + b.count,
    d = b.mean - a.mean;
  return {
    count,
    mean: a.mean + (d * b.count) / count,
    m2: a.m2 + b.m2 + (d * d * a.count * b.count) / count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
  };
}

/** Arithmetic mean of the measured values; NaN when there is none. */
export function mean(values: ArrayLike<number>): number {
  const m = moments(values);
  return m.count ? m.mean : Number.NaN;
}

/** Variance with divisor count − `freedom` (1, the unbiased one). */
export function variance(values: ArrayLike<number>, freedom = 1): number {
  const m = moments(values);
  return m.count > freedom ? m.m2 / (m.count - freedom) : Number.NaN;
}

/** Square root of {@link variance}. */
export function standardDeviation(values: ArrayLike<number>, freedom = 1): number {
  return Math.sqrt(variance(values, freedom));
}

export interface WeightedMean {
  readonly mean: number;
  /** From the weights alone, 1/√Σw: right when they are 1/σ². */
  readonly sigmaInternal: number;
  /** From the scatter, √(Σ w (v − mean)² / ((n − 1) Σ w)). */
  readonly sigmaExternal: number;
  /** Σ w (v − mean)² / (n − 1). */
  readonly reducedChi2: number;
  readonly count: number;
}

/** Weighted mean with its uncertainties from the weights (1/σ²) and from the scatter. NaN values and weights <= 0 are left out. */
export function weightedMean(values: ArrayLike<number>, weights: ArrayLike<number>): WeightedMean {
  if (values.length !== weights.length) fail("bad-shape", { values: values.length, weights: weights.length }, "one weight per value");
  let count = 0,
    total = 0,
    m = 0,
    chi2 = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!,
      w = weights[i]!;
    if (Number.isNaN(v) || !(w > 0)) continue;
    count++;
    total += w;
    const d = v - m;
    m += (d * w) / total;
    chi2 += w * d * (v - m);
  }
  const reducedChi2 = count > 1 ? chi2 / (count - 1) : Number.NaN;
  return {
    mean: count ? m : Number.NaN,
    sigmaInternal: count ? 1 / Math.sqrt(total) : Number.NaN,
    sigmaExternal: Math.sqrt(reducedChi2 / total),
    reducedChi2,
    count,
  };
}

/** Pearson's correlation coefficient of the pairs measured in both; NaN when either is constant. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) fail("bad-shape", { a: a.length, b: b.length }, "both columns have one value per row");
  let n = 0,
    ma = 0,
    mb = 0,
    aa = 0,
    bb = 0,
    ab = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!,
      y = b[i]!;
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    n++;
    const dx = x - ma,
      dy = y - mb;
    ma += dx / n;
    mb += dy / n;
    aa += dx * (x - ma);
    bb += dy * (y - mb);
    ab += dx * (y - mb);
  }
  return ab / Math.sqrt(aa * bb);
}

/** Ranks from 1; equal values share the mean rank. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const out = new Float64Array(values.length);
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j < order.length && values[order[j]!] === values[order[i]!]) j++;
    for (let k = i; k < j; k++) out[order[k]!] = (i + j + 1) / 2;
    i = Math.max(j, i + 1);
  }
  return out;
}

/** Spearman's rank correlation; values must not be NaN. */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return correlation(ranks(a), ranks(b));
}
