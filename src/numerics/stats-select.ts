import { fail } from "../core/errors.js";

/**
 * Rearrange `a` so that a[k] is what sorting would put there, smaller values before it, larger ones after it. Mean time linear.
 * NaN must not occur. Median-of-three quickselect (Hoare's FIND), insertion sort for the last few.
 */
export function selectInPlace(a: Float64Array | Float32Array, k: number, from = 0, to = a.length - 1): number {
  let low = from,
    high = to;
  while (high - low > 12) {
    const mid = (low + high) >> 1;
    if (a[mid]! < a[low]!) swap(a, mid, low);
    if (a[high]! < a[low]!) swap(a, high, low);
    if (a[high]! < a[mid]!) swap(a, high, mid);
    const pivot = a[mid]!;
    let i = low,
      j = high;
    while (i <= j) {
      while (a[i]! < pivot) i++;
      while (a[j]! > pivot) j--;
      if (i <= j) swap(a, i++, j--);
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else return a[k]!;
  }
  for (let i = low + 1; i <= high; i++) {
    const v = a[i]!;
    let j = i - 1;
    for (; j >= low && a[j]! > v; j--) a[j + 1] = a[j]!;
    a[j + 1] = v;
  }
  return a[k]!;
}

function swap(a: Float64Array | Float32Array, i: number, j: number): void {
  const v = a[i]!;
  a[i] = a[j]!;
  a[j] = v;
}

/** A copy as f64 without the NaN entries, which stand for "not measured". */
export function measured(values: ArrayLike<number>): Float64Array {
  const out = new Float64Array(values.length);
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    if (!Number.isNaN(v)) out[n++] = v;
  }
  return out.subarray(0, n);
}

/**
 * Quantiles with linear interpolation between order statistics (Hyndman & Fan type 7, NumPy's default). NaN entries are left out.
 * @param levels - each in [0, 1]
 * @returns one value a level; NaN when nothing is measured
 */
export function quantiles(values: ArrayLike<number>, levels: readonly number[]): number[] {
  const a = measured(values);
  return levels.map((q) => {
    if (!(q >= 0 && q <= 1)) fail("out-of-range", { q }, "a quantile level is between 0 and 1, not a percentage");
    if (a.length === 0) return Number.NaN;
    const at = q * (a.length - 1),
      k = Math.floor(at);
    const low = selectInPlace(a, k);
    if (at === k) return low;
    let high = Number.POSITIVE_INFINITY; // the next order statistic is the least value behind k
    for (let i = k + 1; i < a.length; i++) if (a[i]! < high) high = a[i]!;
    return low + (at - k) * (high - low);
  });
}

/** One quantile; see {@link quantiles}. */
export function quantile(values: ArrayLike<number>, level: number): number {
  return quantiles(values, [level])[0]!;
}

/** Middle value (mean of the two middle ones); NaN entries are left out. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Value below which half of the weight lies (lower weighted median); entries with NaN or weight <= 0 are left out. */
export function weightedMedian(values: ArrayLike<number>, weights: ArrayLike<number>): number {
  if (values.length !== weights.length) fail("bad-shape", { values: values.length, weights: weights.length }, "one weight per value");
  const order = Array.from({ length: values.length }, (_, i) => i).filter((i) => !Number.isNaN(values[i]) && weights[i]! > 0);
  order.sort((i, j) => values[i]! - values[j]!);
  const total = order.reduce((s, i) => s + weights[i]!, 0);
  let below = 0;
  for (const i of order) {
    below += weights[i]!;
    if (below >= total / 2) return values[i]!;
  }
  return Number.NaN;
}
