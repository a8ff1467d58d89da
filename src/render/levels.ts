import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";

/** How values become brightness. `range` are the values shown as the two ends; else percentiles of the finite pixels decide. */
export interface Scale {
  readonly kind?: "linear" | "sqrt" | "gamma" | "log" | "symlog";
  readonly range?: readonly [low: number, high: number];
  /** Percentiles that set the ends when there is no range, [0.5, 99.7]. */
  readonly percentiles?: readonly [low: number, high: number];
  /** Exponent of "gamma", 0.5. */
  readonly gamma?: number;
  /** "symlog": the value below which it is linear; by default 1 % of the larger end. */
  readonly threshold?: number;
}

/** A scale with its ends fixed: maps values to [0, 1] and back. */
export interface Levels {
  readonly kind: NonNullable<Scale["kind"]>;
  readonly low: number;
  readonly high: number;
  /** Position of a value; below 0 or above 1 outside the ends, NaN for NaN. */
  position(value: number): number;
  /** Value at a position in [0, 1]. */
  value(position: number): number;
}

/** Percentiles of the finite values, from at most about 200 000 of them taken at even steps. */
export function percentiles(data: ArrayLike<number>, levels: readonly number[]): number[] {
  // An odd step does not fall into the period of the rows of an even-sized image.
  const step = Math.max(1, Math.floor(data.length / 200_000)) | 1,
    sample: number[] = [];
  for (let i = 0; i < data.length; i += step) if (Number.isFinite(data[i]!)) sample.push(data[i]!);
  const a = Float64Array.from(sample).sort();
  return levels.map((p) => {
    if (!(p >= 0 && p <= 100)) fail("out-of-range", { percentile: p }, "percentiles run from 0 to 100");
    if (a.length === 0) return Number.NaN;
    const t = (p / 100) * (a.length - 1),
      k = Math.floor(t);
    return a[k]! + (t - k) * ((a[k + 1] ?? a[k]!) - a[k]!);
  });
}

/** Fix the ends of a scale on data. */
export function levels(data: ArrayLike<number>, scale: Scale = {}): Levels {
  const { kind = "linear", gamma = 0.5 } = scale;
  // Zero has no logarithm: the ends of a log scale come from the positive values, at most six decades apart.
  const usable = kind === "log" && !scale.range ? Float64Array.from(data).filter((v) => v > 0) : data;
  let [low, high] = scale.range ?? (percentiles(usable, scale.percentiles ?? [0.5, 99.7]) as [number, number]);
  if (kind === "log") {
    if (!(high > 0)) high = 1;
    if (!(low > 0)) low = 0;
    low = Math.max(low, high * 1e-6);
  }
  if (!(high > low)) {
    // Constant or empty data: any range that holds the value.
    low = Number.isFinite(low) ? low : 0;
    high = kind === "log" ? low * 10 : low + 1;
  }
  const c = scale.threshold ?? 0.01 * Math.max(Math.abs(low), Math.abs(high));
  const forward: (v: number) => number =
    kind === "log" ? (v) => (v > 0 ? Math.log(v) : Number.NEGATIVE_INFINITY) : kind === "symlog" ? (v) => Math.asinh(v / c) : (v) => v;
  const back: (t: number) => number = kind === "log" ? Math.exp : kind === "symlog" ? (t) => c * Math.sinh(t) : (t) => t;
  const power = kind === "sqrt" ? 0.5 : kind === "gamma" ? gamma : 1;
  const a = forward(low),
    b = forward(high);
  return {
    kind,
    low,
    high,
    position(v) {
      const t = (forward(v) - a) / (b - a);
      return power === 1 || !(t > 0) ? t : t ** power;
    },
    value: (t) => back(a + (power === 1 ? t : t ** (1 / power)) * (b - a)),
  };
}

/** Colour index 0…255 of every pixel; NaN gets 0 and is marked in `missing` when there is any. */
export function toBytes({ data }: Image<TypedArray>, l: Levels): { readonly index: Uint8Array; readonly missing: Uint8Array | undefined } {
  const index = new Uint8Array(data.length);
  let missing: Uint8Array | undefined;
  for (let i = 0; i < data.length; i++) {
    const t = l.position(data[i]!);
    if (Number.isNaN(t)) {
      missing ??= new Uint8Array(data.length);
      missing[i] = 1;
    } else index[i] = t <= 0 ? 0 : t >= 1 ? 255 : Math.round(255 * t);
  }
  return { index, missing };
}
