import { fail } from "../core/errors.js";
import { type Curve, checkKnots, hermiteCurve } from "./spline.js";

export interface SmoothingSpline extends Curve {
  /** Values at the knots. */
  readonly y: Float64Array;
  /** Penalty weight λ in use. */
  readonly lambda: number;
  /** Trace of the smoother: how many parameters the curve is worth. */
  readonly freedom: number;
}
export interface SmoothingOptions {
  /** Weight of ∫ f″²; absent: the λ of least generalised cross-validation. */
  readonly lambda?: number | undefined;
  /** 1/σ² of each value, 1. */
  readonly weights?: ArrayLike<number> | undefined;
}

/**
 * Smoothing spline: the natural cubic spline f that minimises Σ w (y − f(x))² + λ ∫ f″(x)² dx, by Reinsch's banded system.
 * @see Reinsch (1967) Numer. Math. 10, 177, doi:10.1007/BF02162161; Craven & Wahba (1979) Numer. Math. 31, 377; Green & Silverman (1994) ch. 2, 3
 */
export function smoothingSpline(x: ArrayLike<number>, y: ArrayLike<number>, { lambda, weights }: SmoothingOptions = {}): SmoothingSpline {
  checkKnots(x, y, 4);
  const w = Float64Array.from({ length: x.length }, (_, i) => weights?.[i] ?? 1);
  if (w.some((v) => !(v > 0 && Number.isFinite(v)))) fail("bad-value", {}, "weights are positive; leave out what should not count");
  if (lambda !== undefined) {
    if (!(lambda >= 0 && Number.isFinite(lambda))) fail("bad-value", { lambda }, "lambda is not negative");
    return build(x, y, w, lambda);
  }
  const n = x.length,
    span = (x[n - 1]! - x[0]!) / (n - 1),
    unit = (span ** 3 * w.reduce((a, b) => a + b, 0)) / n;
  const score = (t: number): number => {
    const s = build(x, y, w, unit * Math.exp(t));
    let r = 0;
    for (let i = 0; i < n; i++) r += w[i]! * (y[i]! - s.y[i]!) ** 2;
    return s.freedom > 0.98 * n ? Number.POSITIVE_INFINITY : (n * r) / (n - s.freedom) ** 2;
  };
  // A coarse walk over 16 decades, then golden section about the best: the score may have several minima.
  let best = -14;
  for (let t = -14; t <= 23; t += 1) if (score(t) < score(best)) best = t;
  let a = best - 1,
    b = best + 1;
  const g = (Math.sqrt(5) - 1) / 2;
  for (let k = 0; k < 30; k++) {
    const p = b - g * (b - a),
      q = a + g * (b - a);
    if (score(p) < score(q)) b = q;
    else a = p;
  }
  return build(x, y, w, unit * Math.exp((a + b) / 2));
}

function build(x: ArrayLike<number>, y: ArrayLike<number>, w: Float64Array, lambda: number): SmoothingSpline {
  const n = x.length,
    m = n - 2,
    h = Float64Array.from({ length: n - 1 }, (_, i) => x[i + 1]! - x[i]!);
  // Q [n, m] has three entries a column: 1/h_j, −1/h_j − 1/h_{j+1}, 1/h_{j+1}. R is tridiagonal. (R + λ QᵀW⁻¹Q) γ = Qᵀy, f = y − λ W⁻¹Q γ.
  const q = (j: number, k: 0 | 1 | 2): number => (k === 0 ? 1 / h[j]! : k === 2 ? 1 / h[j + 1]! : -1 / h[j]! - 1 / h[j + 1]!);
  const d0 = new Float64Array(m),
    d1 = new Float64Array(m),
    d2 = new Float64Array(m),
    rhs = new Float64Array(m);
  const gram = (j: number, l: number): number => {
    let s = 0;
    for (let i = Math.max(j, l); i <= Math.min(j, l) + 2; i++) s += (q(j, (i - j) as 0) * q(l, (i - l) as 0)) / w[i]!;
    return s;
  };
  for (let j = 0; j < m; j++) {
    d0[j] = (h[j]! + h[j + 1]!) / 3 + lambda * gram(j, j);
    if (j + 1 < m) d1[j] = h[j + 1]! / 6 + lambda * gram(j, j + 1);
    if (j + 2 < m) d2[j] = lambda * gram(j, j + 2);
    rhs[j] = (y[j + 2]! - y[j + 1]!) / h[j + 1]! - (y[j + 1]! - y[j]!) / h[j]!;
  }
  // LDLᵀ of the band: l1, l2 below the diagonal.
  const D = new Float64Array(m),
    l1 = new Float64Array(m),
    l2 = new Float64Array(m);
  for (let j = 0; j < m; j++) {
    D[j] = d0[j]! - (j > 0 ? l1[j - 1]! ** 2 * D[j - 1]! : 0) - (j > 1 ? l2[j - 2]! ** 2 * D[j - 2]! : 0);
    l1[j] = (d1[j]! - (j > 0 ? l1[j - 1]! * l2[j - 1]! * D[j - 1]! : 0)) / D[j]!;
    l2[j] = d2[j]! / D[j]!;
  }
  const gamma = rhs.slice();
  for (let j = 0; j < m; j++) gamma[j]! -= (j > 0 ? l1[j - 1]! * gamma[j - 1]! : 0) + (j > 1 ? l2[j - 2]! * gamma[j - 2]! : 0);
  for (let j = m - 1; j >= 0; j--)
    gamma[j] = gamma[j]! / D[j]! - (j + 1 < m ? l1[j]! * gamma[j + 1]! : 0) - (j + 2 < m ? l2[j]! * gamma[j + 2]! : 0);
  // The band of the inverse, from the end (Hutchinson & de Hoog 1985), for the trace.
  const b0 = new Float64Array(m + 2),
    b1 = new Float64Array(m + 2),
    b2 = new Float64Array(m + 2);
  for (let j = m - 1; j >= 0; j--) {
    b2[j] = j + 2 < m ? -l1[j]! * b1[j + 1]! - l2[j]! * b0[j + 2]! : 0;
    b1[j] = j + 1 < m ? -l1[j]! * b0[j + 1]! - l2[j]! * b1[j + 1]! : 0;
    b0[j] = 1 / D[j]! - l1[j]! * b1[j]! - l2[j]! * b2[j]!;
  }
  const f = Float64Array.from({ length: n }, (_, i) => y[i]!);
  let freedom = n;
  for (let j = 0; j < m; j++) {
    for (let k = 0; k < 3; k++) f[j + k]! -= (lambda * q(j, k as 0) * gamma[j]!) / w[j + k]!;
    freedom -=
      lambda * (gram(j, j) * b0[j]! + (j + 1 < m ? 2 * gram(j, j + 1) * b1[j]! : 0) + (j + 2 < m ? 2 * gram(j, j + 2) * b2[j]! : 0));
  }
  // Slopes from second derivatives γ (0 at the ends).
  const second = (i: number): number => (i > 0 && i < n - 1 ? gamma[i - 1]! : 0);
  const slopes = Float64Array.from({ length: n }, (_, i) => {
    if (i < n - 1) return (f[i + 1]! - f[i]!) / h[i]! - (h[i]! * (2 * second(i) + second(i + 1))) / 6;
    return (f[i]! - f[i - 1]!) / h[i - 1]! + (h[i - 1]! * (second(i - 1) + 2 * second(i))) / 6;
  });
  return { ...hermiteCurve(x, f, slopes), y: f, lambda, freedom };
}
