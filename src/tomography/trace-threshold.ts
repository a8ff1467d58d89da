/** Otsu's threshold of the values: least variance within the two classes. @see Otsu (1979) IEEE Trans. SMC 9, 62 */
export function otsuThreshold(values: ArrayLike<number>, bins = 256): number {
  let lo = Number.POSITIVE_INFINITY,
    hi = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    lo = Math.min(lo, values[i]!);
    hi = Math.max(hi, values[i]!);
  }
  if (!(hi > lo)) return lo;
  const h = new Float64Array(bins);
  for (let i = 0; i < values.length; i++) h[Math.min(bins - 1, Math.floor(((values[i]! - lo) / (hi - lo)) * bins))]!++;
  let total = 0;
  for (let k = 0; k < bins; k++) total += k * h[k]!;
  let best = -1,
    at = 0,
    n = 0,
    s = 0;
  for (let k = 0; k < bins - 1; k++) {
    n += h[k]!;
    s += k * h[k]!;
    const m = values.length - n;
    if (n === 0 || m === 0) continue;
    const between = n * m * (s / n - (total - s) / m) ** 2;
    if (between > best) [best, at] = [between, k];
  }
  return lo + ((at + 1) / bins) * (hi - lo);
}

/** Two normal populations of the values by expectation–maximisation; where they are equally likely is the threshold between them. */
export interface TwoGaussians {
  readonly weights: readonly [number, number];
  readonly means: readonly [number, number];
  readonly sigmas: readonly [number, number];
  readonly threshold: number;
}

/** @see Dempster, Laird & Rubin (1977) J. R. Stat. Soc. B 39, 1 */
export function twoGaussians(values: ArrayLike<number>, start: number = otsuThreshold(values)): TwoGaussians {
  const n = values.length;
  const moments = (w: (i: number) => number): [number, number, number] => {
    let [a, b, c] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const k = w(i);
      a += k;
      b += k * values[i]!;
      c += k * values[i]! ** 2;
    }
    const m = b / Math.max(a, 1e-300);
    return [a / n, m, Math.sqrt(Math.max(c / Math.max(a, 1e-300) - m * m, 1e-12 * (1 + m * m)))];
  };
  let low = moments((i) => (values[i]! < start ? 1 : 0)),
    high = moments((i) => (values[i]! < start ? 0 : 1));
  const p = new Float64Array(n);
  for (let round = 0; round < 200; round++) {
    const before = low[1] + high[1];
    for (let i = 0; i < n; i++) p[i] = 1 / (1 + odds(low, high, values[i]!));
    low = moments((i) => p[i]!);
    high = moments((i) => 1 - p[i]!);
    if (Math.abs(low[1] + high[1] - before) < 1e-9 * Math.abs(before)) break;
  }
  let [a, b] = [low[1], high[1]];
  for (let k = 0; k < 60; k++) {
    const c = (a + b) / 2;
    if (odds(low, high, c) < 1) a = c;
    else b = c;
  }
  return { weights: [low[0], high[0]], means: [low[1], high[1]], sigmas: [low[2], high[2]], threshold: (a + b) / 2 };
}

/** Likelihood of the high population over that of the low one. */
function odds(low: readonly [number, number, number], high: readonly [number, number, number], v: number): number {
  const t = 0.5 * ((v - low[1]) / low[2]) ** 2 - 0.5 * ((v - high[1]) / high[2]) ** 2;
  return ((high[0] / high[2]) * Math.exp(Math.max(-700, Math.min(700, t)))) / (low[0] / low[2]);
}

export interface Valley {
  /** Where the valley's floor begins. */
  readonly threshold: number;
  /** The middle of its floor. */
  readonly middle: number;
  /** False where there is none: both are Otsu's threshold then. */
  readonly found: boolean;
}

/**
 * Where the heights of false maxima end and those of atoms begin: the emptiest place of a smoothed histogram between the crowd near zero
 * and the first population that is not part of it. Species of atoms are several populations, so a split into two of everything would
 * part them instead. Falls back to Otsu where there is no valley.
 */
export function valleyThreshold(values: ArrayLike<number>): Valley {
  const sorted = Float64Array.from(values).sort(),
    n = sorted.length;
  const unknown = (threshold: number): Valley => ({ threshold, middle: threshold, found: false });
  if (n < 8) return unknown(n ? sorted[0]! * 0.999 : 0);
  const top = sorted[Math.floor(0.98 * (n - 1))]!,
    bins = 120,
    h = new Float64Array(bins + 1);
  for (const v of sorted) h[Math.max(0, Math.min(bins, Math.floor((v / top) * bins)))]!++;
  // Gaussian smoothing of 2.5 % of the range
  const s = 3,
    d = new Float64Array(bins + 1);
  for (let k = 0; k <= bins; k++) {
    let w = 0;
    for (let j = Math.max(0, k - 4 * s); j <= Math.min(bins, k + 4 * s); j++) {
      const g = Math.exp(-0.5 * ((j - k) / s) ** 2);
      d[k]! += g * h[j]!;
      w += g;
    }
    d[k]! /= w;
  }
  // Standard deviation of the difference of two places of the smoothed histogram: a Gaussian of s bins averages 2√π s of them.
  const deviation = (a: number, b: number): number => Math.sqrt((a + b) / (2 * Math.sqrt(Math.PI) * s));
  // The lowest dip that is one and a half times deeper than the crowds on both its sides, and by more than three standard deviations of such
  // smoothed counts, or a ripple of the few highest would pass. The crowd above reaches to where the density is
  // below the dip again, so that ripples on the flank of the noise do not count; the crowd below must be that of noise, near zero.
  for (let k = 1; k < bins; k++) {
    if (!(d[k]! <= d[k - 1]! && d[k]! <= d[k + 1]!)) continue;
    let above = 0,
      below = 0,
      at = 0;
    for (let j = k + 1; j <= bins && d[j]! >= d[k]!; j++) above = Math.max(above, d[j]!);
    for (let j = k - 1; j >= 0; j--)
      if (d[j]! > below) {
        below = d[j]!;
        at = j;
      }
    const less = Math.min(above, below);
    if (!(at < bins / 4 && less > 1.5 * (d[k]! + 0.2) && less - d[k]! > 3 * deviation(less, d[k]!))) continue;
    // The low side of a flat valley: a false atom is found out by the projections later, a lost one has to be found again.
    const flat = (j: number): boolean => d[j]! <= d[k]! + Math.max(0.3, 2 * deviation(d[j]!, d[k]!));
    let [low, high] = [k, k];
    while (low > at + 1 && flat(low - 1)) low--;
    while (high < bins && flat(high + 1)) high++;
    return { threshold: ((low + 0.5) / bins) * top, middle: (((low + high) / 2 + 0.5) / bins) * top, found: true };
  }
  return unknown(otsuThreshold(sorted));
}
