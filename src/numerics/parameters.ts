import { fail } from "../core/errors.js";

/** A tied parameter: p[index] = constant + Σ coefficient · p[other]. The others may be free, fixed or tied themselves. */
export interface Tie {
  readonly index: number;
  /** Pairs [other parameter, coefficient]. */
  readonly terms: readonly (readonly [index: number, coefficient: number])[];
  readonly constant?: number;
}

export interface ParameterOptions {
  /** Lower and upper bounds, one per parameter; ±Infinity for none. A tied parameter may be bounded when it has one free term. */
  readonly lower?: ArrayLike<number> | undefined;
  readonly upper?: ArrayLike<number> | undefined;
  /** Parameters kept at their start value: indices, or one flag per parameter. */
  readonly fixed?: readonly number[] | readonly boolean[] | undefined;
  readonly ties?: readonly Tie[] | undefined;
}

/** The affine map p = offset + M q from the free parameters q to all parameters p, with bounds on q. */
export interface ParameterMap {
  readonly size: number;
  /** Index in p of every free parameter. */
  readonly free: readonly number[];
  /** M, shape [size, free.length], row-major. */
  readonly matrix: Float64Array;
  readonly offset: Float64Array;
  /** Free values at the start, moved into the bounds. */
  readonly start: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** True when p is q (nothing fixed or tied): the products with M can be skipped. */
  readonly identity: boolean;
  /** Write p for the free values q. */
  expandInto(p: Float64Array, q: Float64Array): void;
}

function fixedSet(fixed: ParameterOptions["fixed"], size: number): ReadonlySet<number> {
  const set = new Set<number>();
  fixed?.forEach((f, i) => {
    if (typeof f === "boolean") {
      if (f) set.add(i);
    } else set.add(f);
  });
  for (const i of set)
    if (!(Number.isInteger(i) && i >= 0 && i < size))
      fail("out-of-range", { fixed: i, size }, "fixed lists parameter indices from 0, or gives one flag per parameter");
  return set;
}

/**
 * Resolve fixed and tied parameters and move bounds to the free ones.
 * @throws bad-value for cyclic or repeated ties, crossed bounds, start values that are not finite, bounds on a tie of several free terms
 */
export function parameterMap(start: ArrayLike<number>, { lower, upper, fixed, ties = [] }: ParameterOptions = {}): ParameterMap {
  const size = start.length;
  for (let i = 0; i < size; i++)
    if (!Number.isFinite(start[i])) fail("bad-value", { index: i, value: start[i] }, "start values must be finite");
  for (const [name, bounds] of [["lower", lower] as const, ["upper", upper] as const])
    if (bounds && bounds.length !== size)
      fail("bad-shape", { [name]: bounds.length, size }, "bounds have one value per parameter; use ±Infinity for none");
  const held = fixedSet(fixed, size);
  const tied = new Map<number, Tie>();
  for (const t of ties) {
    if (!(Number.isInteger(t.index) && t.index >= 0 && t.index < size))
      fail("out-of-range", { index: t.index, size }, "a tie names an existing parameter");
    if (tied.has(t.index) || held.has(t.index))
      fail("bad-value", { index: t.index }, "a parameter is tied once, and is not both fixed and tied");
    tied.set(t.index, t);
  }
  const free: number[] = [];
  for (let i = 0; i < size; i++) if (!held.has(i) && !tied.has(i)) free.push(i);
  const n = free.length;
  const matrix = new Float64Array(size * n);
  const offset = new Float64Array(size);
  const state = new Uint8Array(size); // 0 unknown, 1 being resolved, 2 done
  free.forEach((i, k) => {
    matrix[i * n + k] = 1;
    state[i] = 2;
  });
  for (const i of held) {
    offset[i] = start[i]!;
    state[i] = 2;
  }
  const resolve = (i: number): void => {
    if (state[i] === 2) return;
    if (state[i] === 1) fail("bad-value", { index: i }, "ties form a circle: leave one parameter of it free");
    state[i] = 1;
    const { terms, constant = 0 } = tied.get(i)!;
    offset[i] = constant;
    for (const [j, c] of terms) {
      if (!(Number.isInteger(j) && j >= 0 && j < size) || !Number.isFinite(c))
        fail("bad-value", { index: i, other: j, coefficient: c }, "a tie names existing parameters with finite coefficients");
      resolve(j);
      offset[i]! += c * offset[j]!;
      for (let k = 0; k < n; k++) matrix[i * n + k]! += c * matrix[j * n + k]!;
    }
    state[i] = 2;
  };
  for (const i of tied.keys()) resolve(i);

  const low = new Float64Array(n).fill(Number.NEGATIVE_INFINITY);
  const high = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  for (let i = 0; i < size; i++) {
    const lo = lower?.[i] ?? Number.NEGATIVE_INFINITY;
    const hi = upper?.[i] ?? Number.POSITIVE_INFINITY;
    if (!(lo <= hi)) fail("bad-value", { index: i, lower: lo, upper: hi }, "lower bounds are at most the upper ones, and not NaN");
    if (held.has(i) || (lo === Number.NEGATIVE_INFINITY && hi === Number.POSITIVE_INFINITY)) continue;
    const ks: number[] = [];
    for (let k = 0; k < n; k++) if (matrix[i * n + k] !== 0) ks.push(k);
    if (ks.length === 0) continue;
    if (ks.length > 1)
      fail(
        "unsupported",
        { index: i, free: ks.map((k) => free[k]) },
        "bounds on a parameter tied to several free ones: bound those instead",
      );
    const k = ks[0]!,
      c = matrix[i * n + k]!;
    const a = (lo - offset[i]!) / c,
      b = (hi - offset[i]!) / c;
    low[k] = Math.max(low[k]!, Math.min(a, b));
    high[k] = Math.min(high[k]!, Math.max(a, b));
    if (!(low[k]! <= high[k]!)) fail("bad-value", { index: i, free: free[k] }, "bounds of tied parameters leave no room for the free one");
  }
  const q0 = Float64Array.from(free, (i, k) => Math.min(Math.max(start[i]!, low[k]!), high[k]!));
  const identity = n === size;
  return {
    size,
    free,
    matrix,
    offset,
    start: q0,
    lower: low,
    upper: high,
    identity,
    expandInto: (p, q) => {
      if (identity) {
        p.set(q);
        return;
      }
      for (let i = 0; i < size; i++) {
        let v = offset[i]!;
        for (let k = 0; k < n; k++) v += matrix[i * n + k]! * q[k]!;
        p[i] = v;
      }
    },
  };
}
