import { fail } from "../core/errors.js";
import { type Matrix, matrix, maxAbs, requireFinite } from "./matrix.js";

/** A P = Q R, thin: Q [rows, k] with orthonormal columns, R [k, cols] upper trapezoidal, k = min(rows, cols). */
export interface QrFactors {
  readonly q: Matrix;
  readonly r: Matrix;
  /** Column j of A P is column order[j] of A; |r_jj| descends. */
  readonly order: Int32Array;
  /** Diagonal entries of R above rounding. */
  readonly rank: number;
}

/**
 * Householder QR with column pivoting.
 * @param tolerance - diagonal entries below this fraction of the first count as zero for the rank; default max(rows, cols)·ε
 * @throws bad-value when not finite
 * @see Golub & Van Loan, Matrix Computations (2013), §5.4.2
 */
export function qr(a: Matrix, { tolerance }: { readonly tolerance?: number } = {}): QrFactors {
  requireFinite(a);
  const { rows: m, cols: n } = a,
    k = Math.min(m, n);
  const big = maxAbs(a.data),
    scale = big === 0 ? 1 : 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(big))));
  const w = a.data.map((v) => v * scale),
    order = Int32Array.from({ length: n }, (_, j) => j),
    tau = new Float64Array(k);
  const squares = new Float64Array(n),
    exact = new Float64Array(n);
  const measure = (j: number, from: number): void => {
    let s = 0;
    for (let i = from; i < m; i++) s += w[i * n + j]! * w[i * n + j]!;
    squares[j] = s;
    exact[j] = s;
  };
  for (let j = 0; j < n; j++) measure(j, 0);
  for (let j = 0; j < k; j++) {
    let best = j;
    for (let l = j + 1; l < n; l++) if (squares[l]! > squares[best]!) best = l;
    if (best !== j) {
      for (let i = 0; i < m; i++) [w[i * n + j], w[i * n + best]] = [w[i * n + best]!, w[i * n + j]!];
      [order[j], order[best]] = [order[best]!, order[j]!];
      [squares[best], exact[best]] = [squares[j]!, exact[j]!];
    }
    measure(j, j);
    const x = w[j * n + j]!,
      norm = Math.sqrt(squares[j]!);
    if (norm === 0) continue;
    const beta = x > 0 ? -norm : norm,
      v0 = x - beta;
    tau[j] = -v0 / beta;
    for (let i = j + 1; i < m; i++) w[i * n + j]! /= v0;
    w[j * n + j] = beta;
    for (let l = j + 1; l < n; l++) {
      let s = w[j * n + l]!;
      for (let i = j + 1; i < m; i++) s += w[i * n + j]! * w[i * n + l]!;
      s *= tau[j]!;
      w[j * n + l]! -= s;
      for (let i = j + 1; i < m; i++) w[i * n + l]! -= s * w[i * n + j]!;
      // keep the lengths by downdating, afresh when digits are lost
      squares[l]! -= w[j * n + l]! * w[j * n + l]!;
      if (!(squares[l]! > 1e-8 * exact[l]!)) measure(l, j + 1);
    }
  }
  const r = matrix(k, n),
    q = matrix(m, k);
  for (let i = 0; i < k; i++) for (let j = i; j < n; j++) r.data[i * n + j] = w[i * n + j]! / scale;
  for (let j = 0; j < k; j++) q.data[j * k + j] = 1;
  for (let h = k - 1; h >= 0; h--)
    for (let j = h; j < k; j++) {
      let s = q.data[h * k + j]!;
      for (let i = h + 1; i < m; i++) s += w[i * n + h]! * q.data[i * k + j]!;
      s *= tau[h]!;
      q.data[h * k + j]! -= s;
      for (let i = h + 1; i < m; i++) q.data[i * k + j]! -= s * w[i * n + h]!;
    }
  const limit = (tolerance ?? Math.max(m, n) * 2.3e-16) * Math.abs(r.data[0] ?? 0);
  let rank = 0;
  while (rank < k && Math.abs(r.data[rank * n + rank]!) > limit) rank++;
  return { q, r, order, rank };
}

/**
 * x that minimises |A x − b|: the basic solution by pivoted QR (dependent columns get 0). For the solution of least norm see
 * `pseudoInverse`.
 * @throws bad-shape, bad-value
 */
export function linearLeastSquares(a: Matrix, b: ArrayLike<number>, options: { readonly tolerance?: number } = {}): Float64Array {
  if (b.length !== a.rows) fail("bad-shape", { length: b.length, rows: a.rows }, "one right-hand side value per row");
  const { q, r, order, rank } = qr(a, options);
  const n = a.cols,
    k = q.cols;
  const y = new Float64Array(rank);
  for (let j = 0; j < rank; j++) for (let i = 0; i < a.rows; i++) y[j]! += q.data[i * k + j]! * b[i]!;
  for (let i = rank - 1; i >= 0; i--) {
    for (let j = i + 1; j < rank; j++) y[i]! -= r.data[i * n + j]! * y[j]!;
    y[i]! /= r.data[i * n + i]!;
  }
  const x = new Float64Array(n);
  for (let j = 0; j < rank; j++) x[order[j]!] = y[j]!;
  return x;
}
