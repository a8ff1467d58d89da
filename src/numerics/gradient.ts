/** How derivatives are taken numerically: two evaluations a parameter and error ~ h², or one and error ~ h. */
export type Differences = "central" | "forward";

export interface DifferenceOptions {
  readonly method?: Differences | undefined;
  /** Size below which a parameter counts as small, one per parameter (default 1): the step is relative to max(|x|, typical). */
  readonly typical?: ArrayLike<number> | undefined;
  readonly lower?: ArrayLike<number> | undefined;
  readonly upper?: ArrayLike<number> | undefined;
}

const FORWARD = 1.4901161193847656e-8; // √ε
const CENTRAL = 6.055454452393343e-6; // ∛ε

/**
 * Jacobian by finite differences, shape [count, n] row-major, into `out`. Never leaves the bounds: a step that would is taken to the
 * other side (and a central difference becomes one-sided).
 * @param f - writes `count` values for the parameters given; must not keep either array
 * @param x - where; restored before return
 * @param fx - f(x)
 */
export function differenceJacobianInto(
  out: Float64Array,
  f: (x: Float64Array, values: Float64Array) => void,
  x: Float64Array,
  fx: Float64Array,
  { method = "central", typical, lower, upper }: DifferenceOptions = {},
): void {
  const n = x.length,
    count = fx.length;
  const plus = new Float64Array(count),
    minus = new Float64Array(count);
  for (let k = 0; k < n; k++) {
    const x0 = x[k]!;
    const lo = lower?.[k] ?? Number.NEGATIVE_INFINITY,
      hi = upper?.[k] ?? Number.POSITIVE_INFINITY;
    const size = Math.max(Math.abs(x0), typical?.[k] ?? 1);
    const h = (method === "central" ? CENTRAL : FORWARD) * size;
    if (method === "central" && x0 + h <= hi && x0 - h >= lo) {
      const a = x0 + h,
        b = x0 - h;
      x[k] = a;
      f(x, plus);
      x[k] = b;
      f(x, minus);
      const d = 1 / (a - b); // the steps really taken, after rounding
      for (let i = 0; i < count; i++) out[i * n + k] = (plus[i]! - minus[i]!) * d;
    } else {
      const small = FORWARD * size;
      const a = x0 + small <= hi ? x0 + small : hi - x0 > x0 - lo ? hi : Math.max(lo, x0 - small);
      x[k] = a;
      f(x, plus);
      const d = Math.abs(a - x0) < 1e-3 * small ? 0 : 1 / (a - x0); // no room to move: as good as fixed
      for (let i = 0; i < count; i++) out[i * n + k] = (plus[i]! - fx[i]!) * d;
    }
    x[k] = x0;
  }
}

/** Gradient of a scalar function by finite differences, shape [n]. */
export function differenceGradient(f: (x: Float64Array) => number, x: ArrayLike<number>, options: DifferenceOptions = {}): Float64Array {
  const at = Float64Array.from(x),
    out = new Float64Array(at.length);
  const g = (p: Float64Array, values: Float64Array): void => {
    values[0] = f(p);
  };
  differenceJacobianInto(out, g, at, Float64Array.of(f(at)), options);
  return out;
}

/**
 * Largest difference between an analytic derivative and finite differences, relative to the largest derivative: below about 1e-7 for a
 * right one, and of order 1 for a wrong one.
 */
export function gradientError(analytic: Float64Array, numeric: Float64Array): number {
  let worst = 0,
    size = 0;
  for (let i = 0; i < numeric.length; i++) {
    worst = Math.max(worst, Math.abs(analytic[i]! - numeric[i]!));
    size = Math.max(size, Math.abs(numeric[i]!), Math.abs(analytic[i]!));
    if (Number.isNaN(analytic[i]!) || Number.isNaN(numeric[i]!)) return Number.NaN;
  }
  return size === 0 ? 0 : worst / size;
}
