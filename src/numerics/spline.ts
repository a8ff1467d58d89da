import { fail } from "../core/errors.js";

/**
 * A piecewise cubic through knots: value, derivatives and integral. Outside the knots the end pieces are continued.
 */
export interface Curve {
  readonly x: Float64Array;
  value(t: number): number;
  /** First derivative (order 1) or second (order 2). */
  derivative(t: number, order?: 1 | 2): number;
  integral(from: number, to: number): number;
}

/** @throws bad-shape unless x rises strictly and y has as many finite values */
export function checkKnots(x: ArrayLike<number>, y: ArrayLike<number>, least: number): void {
  if (x.length !== y.length || x.length < least)
    fail("bad-shape", { x: x.length, y: y.length }, `a curve needs as many y as x, and at least ${least}`);
  for (let i = 0; i < x.length; i++)
    if (!Number.isFinite(x[i]!) || !Number.isFinite(y[i]!) || (i > 0 && !(x[i]! > x[i - 1]!)))
      fail("bad-value", { index: i, x: x[i], y: y[i] }, "x rises strictly and all values are finite; sort, and join equal x first");
}

/** Index k of the interval with x[k] <= t < x[k + 1], held to the first and last interval. */
export function intervalOf(x: ArrayLike<number>, t: number): number {
  let low = 0,
    high = x.length - 1;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (x[mid]! <= t) low = mid;
    else high = mid;
  }
  return low;
}

/** The curve with values y and slopes at the knots (cubic Hermite pieces). */
export function hermiteCurve(xIn: ArrayLike<number>, yIn: ArrayLike<number>, slopes: ArrayLike<number>): Curve {
  const x = Float64Array.from(xIn),
    n = x.length - 1,
    c = new Float64Array(4 * n); // y = c0 + u(c1 + u(c2 + u c3)), u = t − x[k]
  for (let k = 0; k < n; k++) {
    const h = x[k + 1]! - x[k]!,
      d = (yIn[k + 1]! - yIn[k]!) / h,
      a = slopes[k]!,
      b = slopes[k + 1]!;
    c.set([yIn[k]!, a, (3 * d - 2 * a - b) / h, (a + b - 2 * d) / (h * h)], 4 * k);
  }
  const primitive = (k: number, u: number): number =>
    u * (c[4 * k]! + u * (c[4 * k + 1]! / 2 + u * (c[4 * k + 2]! / 3 + (u * c[4 * k + 3]!) / 4)));
  const area = new Float64Array(n + 1);
  for (let k = 0; k < n; k++) area[k + 1] = area[k]! + primitive(k, x[k + 1]! - x[k]!);
  const upTo = (t: number): number => {
    const k = intervalOf(x, t);
    return area[k]! + primitive(k, t - x[k]!);
  };
  return {
    x,
    value(t) {
      const k = intervalOf(x, t),
        u = t - x[k]!;
      return c[4 * k]! + u * (c[4 * k + 1]! + u * (c[4 * k + 2]! + u * c[4 * k + 3]!));
    },
    derivative(t, order = 1) {
      const k = intervalOf(x, t),
        u = t - x[k]!;
      return order === 1 ? c[4 * k + 1]! + u * (2 * c[4 * k + 2]! + 3 * u * c[4 * k + 3]!) : 2 * c[4 * k + 2]! + 6 * u * c[4 * k + 3]!;
    },
    integral: (from, to) => upTo(to) - upTo(from),
  };
}

export type SplineEnds = "not-a-knot" | "natural" | { readonly startSlope: number; readonly endSlope: number };

/** Interpolating cubic spline, twice continuously differentiable. @see de Boor, A Practical Guide to Splines (1978), ch. IV */
export function cubicSpline(x: ArrayLike<number>, y: ArrayLike<number>, ends: SplineEnds = "not-a-knot"): Curve {
  checkKnots(x, y, 2);
  const n = x.length;
  if (n === 2 && typeof ends === "string") {
    const s = (y[1]! - y[0]!) / (x[1]! - x[0]!);
    return hermiteCurve(x, y, [s, s]);
  }
  if (n === 3 && ends === "not-a-knot") return hermiteCurve(x, y, parabolaSlopes(x, y));
  // Tridiagonal system for the slopes.
  const a = new Float64Array(n),
    b = new Float64Array(n),
    c = new Float64Array(n),
    r = new Float64Array(n);
  const h = (k: number): number => x[k + 1]! - x[k]!,
    d = (k: number): number => (y[k + 1]! - y[k]!) / h(k);
  for (let k = 1; k < n - 1; k++) {
    a[k] = h(k);
    b[k] = 2 * (h(k - 1) + h(k));
    c[k] = h(k - 1);
    r[k] = 3 * (h(k) * d(k - 1) + h(k - 1) * d(k));
  }
  if (ends === "natural") {
    b[0] = 2;
    c[0] = 1;
    r[0] = 3 * d(0);
    a[n - 1] = 1;
    b[n - 1] = 2;
    r[n - 1] = 3 * d(n - 2);
  } else if (ends === "not-a-knot") {
    const p = h(0) + h(1),
      q = h(n - 2) + h(n - 3);
    b[0] = h(1);
    c[0] = p;
    r[0] = ((h(0) + 2 * p) * h(1) * d(0) + h(0) ** 2 * d(1)) / p;
    a[n - 1] = q;
    b[n - 1] = h(n - 3);
    r[n - 1] = (h(n - 2) ** 2 * d(n - 3) + (2 * q + h(n - 2)) * h(n - 3) * d(n - 2)) / q;
  } else {
    b[0] = 1;
    r[0] = ends.startSlope;
    b[n - 1] = 1;
    r[n - 1] = ends.endSlope;
  }
  for (let k = 1; k < n; k++) {
    const w = a[k]! / b[k - 1]!;
    b[k]! -= w * c[k - 1]!;
    r[k]! -= w * r[k - 1]!;
  }
  r[n - 1]! /= b[n - 1]!;
  for (let k = n - 2; k >= 0; k--) r[k] = (r[k]! - c[k]! * r[k + 1]!) / b[k]!;
  return hermiteCurve(x, y, r);
}

function parabolaSlopes(x: ArrayLike<number>, y: ArrayLike<number>): number[] {
  const h0 = x[1]! - x[0]!,
    h1 = x[2]! - x[1]!,
    d0 = (y[1]! - y[0]!) / h0,
    d1 = (y[2]! - y[1]!) / h1,
    c = (d1 - d0) / (h0 + h1);
  return [d0 - c * h0, d0 + c * h0, d1 + c * h1];
}
