import { fail } from "../core/errors.js";

/** Counts of values in equal bins over [low, high]; the last bin holds `high` too. */
export interface Histogram {
  readonly low: number;
  readonly high: number;
  readonly counts: Float64Array;
  /** Values outside the range, and NaN. */
  readonly below: number;
  readonly above: number;
  readonly notMeasured: number;
}

/**
 * Histogram in equal bins, optionally weighted.
 * @throws bad-value when bins is not a positive whole number or the range is empty
 */
export function histogram(
  values: ArrayLike<number>,
  { bins, range, weights }: { readonly bins: number; readonly range?: readonly [number, number]; readonly weights?: ArrayLike<number> },
): Histogram {
  let [low, high] = range ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  if (!range)
    for (let i = 0; i < values.length; i++) {
      const v = values[i]!;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  if (!range && low === high) {
    low -= 0.5;
    high += 0.5;
  }
  if (!(Number.isInteger(bins) && bins > 0 && low < high && Number.isFinite(high - low)))
    fail("bad-value", { bins, low, high }, "a histogram needs at least one bin and a finite range; empty data need a given range");
  const counts = new Float64Array(bins),
    scale = bins / (high - low);
  let below = 0,
    above = 0,
    notMeasured = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!,
      w = weights ? weights[i]! : 1;
    if (Number.isNaN(v)) notMeasured += w;
    else if (v < low) below += w;
    else if (v > high) above += w;
    else counts[Math.min(bins - 1, Math.floor((v - low) * scale))]! += w;
  }
  return { low, high, counts, below, above, notMeasured };
}

/** Edges of the bins, one more than bins. */
export function binEdges({ low, high, counts }: Histogram): Float64Array {
  return Float64Array.from({ length: counts.length + 1 }, (_, i) => low + ((high - low) * i) / counts.length);
}

/** Value below which the fraction q of the counts inside the range lies, linear within the bin. */
export function histogramQuantile({ low, high, counts }: Histogram, q: number): number {
  const total = counts.reduce((a, b) => a + b, 0);
  let below = 0;
  for (let i = 0; i < counts.length; i++) {
    const c = counts[i]!;
    if (c > 0 && below + c >= q * total) return low + ((high - low) * (i + (q * total - below) / c)) / counts.length;
    below += c;
  }
  return total > 0 ? high : Number.NaN;
}

/**
 * Gaussian kernel density estimate at `at`. Bandwidth by Silverman's rule when absent: 0.9·min(σ, IQR/1.349)·n^(−1/5).
 * @see Silverman (1986) Density Estimation for Statistics and Data Analysis, eq. 3.31
 */
export function densityEstimate(values: ArrayLike<number>, at: ArrayLike<number>, bandwidth?: number): Float64Array {
  const a = Float64Array.from(values)
    .filter((v) => !Number.isNaN(v))
    .sort();
  const h = bandwidth ?? silvermanBandwidth(a);
  if (!(h > 0))
    fail("bad-value", { bandwidth: h, count: a.length }, "give a positive bandwidth; constant or empty data have none of their own");
  const out = new Float64Array(at.length),
    norm = 1 / (a.length * h * Math.sqrt(2 * Math.PI));
  for (let i = 0; i < at.length; i++) {
    const t = at[i]!;
    let s = 0;
    for (let j = lowerBound(a, t - 9 * h); j < a.length && a[j]! <= t + 9 * h; j++) s += Math.exp(-0.5 * ((t - a[j]!) / h) ** 2);
    out[i] = s * norm;
  }
  return out;
}

/** Silverman's bandwidth of sorted values. */
export function silvermanBandwidth(sorted: Float64Array): number {
  const n = sorted.length;
  if (n < 2) return 0;
  const q = (p: number): number => {
    const t = p * (n - 1),
      k = Math.min(n - 2, Math.floor(t));
    return sorted[k]! + (t - k) * (sorted[k + 1]! - sorted[k]!);
  };
  let m = 0,
    m2 = 0;
  for (let i = 0; i < n; i++) {
    const d = sorted[i]! - m;
    m += d / (i + 1);
    m2 += d * (sorted[i]! - m);
  }
  const sd = Math.sqrt(m2 / (n - 1)),
    iqr = (q(0.75) - q(0.25)) / 1.349;
  return 0.9 * (iqr > 0 ? Math.min(sd, iqr) : sd) * n ** -0.2;
}

/** First index of a sorted array whose value is not below v. */
export function lowerBound(sorted: ArrayLike<number>, v: number): number {
  let low = 0,
    high = sorted.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (sorted[mid]! < v) low = mid + 1;
    else high = mid;
  }
  return low;
}
