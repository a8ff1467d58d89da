import { standardDeviation } from "./stats.js";
import { measured, median, selectInPlace } from "./stats-select.js";

/** σ of a normal distribution over its median absolute deviation, 1/Φ⁻¹(3/4). */
export const MAD_TO_SIGMA = 1.482602218505602;

/** Median absolute deviation from the median, not scaled; times {@link MAD_TO_SIGMA} it estimates σ. */
export function medianAbsoluteDeviation(values: ArrayLike<number>, centre = median(values)): number {
  return median(measured(values).map((v) => Math.abs(v - centre)));
}

/** Mean after leaving out the fraction `cut` (< 0.5) of the values at each end. */
export function trimmedMean(values: ArrayLike<number>, cut = 0.1): number {
  const a = measured(values),
    k = Math.floor(cut * a.length);
  if (a.length === 0) return Number.NaN;
  if (k > 0) {
    selectInPlace(a, k);
    selectInPlace(a, a.length - 1 - k, k);
  }
  let s = 0;
  for (let i = k; i < a.length - k; i++) s += a[i]!;
  return s / (a.length - 2 * k);
}

/** A location with its scale and the number of values that took part. */
export interface Location {
  readonly location: number;
  /** Standard deviation of one value. */
  readonly scale: number;
  readonly count: number;
  readonly iterations: number;
}

/**
 * Mean and standard deviation after repeatedly leaving out what is more than `sigmas` standard deviations away. Starts from median and
 * MAD, so that up to half of the values may be wild.
 */
export function sigmaClip(
  values: ArrayLike<number>,
  { low = 3, high = low, maxIterations = 20 }: { low?: number; high?: number; maxIterations?: number } = {},
): Location {
  const a = measured(values);
  let location = median(a),
    // Where more than half of the values are equal (sparse counts) the MAD is 0 and says nothing: start from the plain deviation.
    scale = MAD_TO_SIGMA * medianAbsoluteDeviation(a, location) || standardDeviation(a, 1),
    count = -1,
    iterations = 0;
  while (iterations < maxIterations) {
    iterations++;
    let n = 0,
      m = 0,
      m2 = 0;
    for (const v of a) {
      if (v < location - low * scale || v > location + high * scale) continue;
      n++;
      const d = v - m;
      m += d / n;
      m2 += d * (v - m);
    }
    if (n === count) break;
    count = n;
    location = m;
    scale = n > 1 ? Math.sqrt(m2 / (n - 1)) : 0;
  }
  return { location, scale, count: Math.max(count, 0), iterations };
}

function reweighted(values: ArrayLike<number>, weight: (u: number) => number, tolerance: number, maxIterations: number): Location {
  const a = measured(values);
  let location = median(a),
    iterations = 0;
  const scale = MAD_TO_SIGMA * medianAbsoluteDeviation(a, location);
  if (!(scale > 0)) return { location, scale, count: a.length, iterations };
  for (; iterations < maxIterations; iterations++) {
    let s = 0,
      sw = 0;
    for (const v of a) {
      const w = weight((v - location) / scale);
      sw += w;
      s += w * v;
    }
    const next = s / sw,
      moved = Math.abs(next - location);
    location = next;
    if (moved <= tolerance * scale) break;
  }
  return { location, scale, count: a.length, iterations: iterations + 1 };
}

/**
 * Huber's M-estimate of location: quadratic within `k` scales (1.345: 95 % efficient for normal data), linear beyond. Scale by MAD.
 * @see Huber (1964) Ann. Math. Stat. 35, 73, doi:10.1214/aoms/1177703732
 */
export function huberLocation(values: ArrayLike<number>, k = 1.345): Location {
  return reweighted(values, (u) => (Math.abs(u) <= k ? 1 : k / Math.abs(u)), 1e-10, 200);
}

/**
 * Tukey's biweight location: values beyond `c` scales (4.685: 95 % efficient for normal data) do not count. Scale by MAD.
 * @see Beaton & Tukey (1974) Technometrics 16, 147, doi:10.1080/00401706.1974.10489171
 */
export function biweightLocation(values: ArrayLike<number>, c = 4.685): Location {
  return reweighted(values, (u) => (Math.abs(u) < c ? (1 - (u / c) ** 2) ** 2 : 0), 1e-10, 200);
}
