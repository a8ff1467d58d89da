import { fail } from "../core/errors.js";
import { type Matrix, matrix, requireSquare } from "./matrix.js";

/**
 * Lower triangular L with A = L Lᵀ, for a symmetric positive definite matrix; the lower triangle of A is used.
 * @throws bad-shape; bad-value with the index of the first pivot that is not positive
 */
export function cholesky(a: Matrix): Matrix {
  const n = requireSquare(a);
  const l = matrix(n, n),
    L = l.data;
  for (let j = 0; j < n; j++) {
    for (let i = j; i < n; i++) {
      let s = a.data[i * n + j]!;
      for (let k = 0; k < j; k++) s -= L[i * n + k]! * L[j * n + k]!;
      if (i > j) L[i * n + j] = s / L[j * n + j]!;
      else if (s > 0) L[j * n + j] = Math.sqrt(s);
      else fail("bad-value", { pivot: j, value: s }, "the matrix is not positive definite: this pivot is not positive");
    }
  }
  return l;
}

/** X with L Lᵀ X = B. @throws bad-shape */
export function choleskySolve(l: Matrix, b: Matrix): Matrix {
  const n = l.rows,
    m = b.cols;
  if (b.rows !== n || l.cols !== n) fail("bad-shape", { rows: b.rows, size: n }, "the right-hand side needs as many rows as the matrix");
  const x = b.data.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) for (let c = 0; c < m; c++) x[i * m + c]! -= l.data[i * n + k]! * x[k * m + c]!;
    for (let c = 0; c < m; c++) x[i * m + c]! /= l.data[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) for (let c = 0; c < m; c++) x[i * m + c]! -= l.data[k * n + i]! * x[k * m + c]!;
    for (let c = 0; c < m; c++) x[i * m + c]! /= l.data[i * n + i]!;
  }
  return matrix(n, m, x);
}

/** P A Pᵀ = L D Lᵀ with unit lower L and diagonal d; row i of the permuted matrix is row order[i] of A. */
export interface LdltFactors {
  readonly l: Matrix;
  readonly d: Float64Array;
  readonly order: Int32Array;
  /** Pivots above the rounding level of the first; below n the matrix is semidefinite. */
  readonly rank: number;
}

/**
 * LDLᵀ of a symmetric positive semidefinite matrix with diagonal pivoting: rank-revealing, no square roots.
 * @throws bad-shape; bad-value with the index (in A) of a pivot that is negative beyond rounding
 * @see Higham, Accuracy and Stability of Numerical Algorithms (2002), §10.3
 */
export function ldlt(a: Matrix): LdltFactors {
  const n = requireSquare(a);
  const w = a.data.slice(),
    order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) w[i * n + j] = w[j * n + i]!;
  let first = 0,
    rank = n;
  const d = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    let best = j;
    for (let i = j + 1; i < n; i++) if (w[i * n + i]! > w[best * n + best]!) best = i;
    if (j === 0) for (let i = 0; i < n; i++) first = Math.max(first, Math.abs(w[i * n + i]!));
    if (best !== j) {
      for (let k = 0; k < n; k++) [w[j * n + k], w[best * n + k]] = [w[best * n + k]!, w[j * n + k]!];
      for (let k = 0; k < n; k++) [w[k * n + j], w[k * n + best]] = [w[k * n + best]!, w[k * n + j]!];
      [order[j], order[best]] = [order[best]!, order[j]!];
    }
    const pivot = w[j * n + j]!,
      tolerance = n * 4.5e-16 * first;
    if (!(pivot > tolerance)) {
      for (let i = j; i < n; i++)
        if (w[i * n + i]! < -Math.max(tolerance * 100, Number.MIN_VALUE))
          fail(
            "bad-value",
            { pivot: order[i], value: w[i * n + i] },
            "the matrix has a negative eigenvalue: it is not positive semidefinite",
          );
      rank = j;
      for (let i = j; i < n; i++) for (let k = j; k < i; k++) w[i * n + k] = 0;
      break;
    }
    d[j] = pivot;
    for (let i = j + 1; i < n; i++) {
      const f = w[i * n + j]! / pivot;
      for (let k = j + 1; k <= i; k++) {
        w[i * n + k]! -= f * w[k * n + j]!;
        w[k * n + i] = w[i * n + k]!;
      }
    }
    for (let i = j + 1; i < n; i++) w[i * n + j]! /= pivot;
  }
  const l = matrix(n, n);
  for (let i = 0; i < n; i++) {
    l.data[i * n + i] = 1;
    for (let j = 0; j < Math.min(i, rank); j++) l.data[i * n + j] = w[i * n + j]!;
  }
  return { l, d, order, rank };
}

/** x with A x = b from {@link ldlt}; for a semidefinite A the basic solution (dependent unknowns 0). @throws bad-shape */
export function ldltSolve({ l, d, order, rank }: LdltFactors, b: ArrayLike<number>): Float64Array {
  const n = l.rows;
  if (b.length !== n) fail("bad-shape", { length: b.length, size: n }, "the right-hand side needs as many values as the matrix has rows");
  const y = Float64Array.from(order, (i) => b[i]!);
  for (let i = 0; i < rank; i++) for (let k = 0; k < i; k++) y[i]! -= l.data[i * n + k]! * y[k]!;
  for (let i = rank - 1; i >= 0; i--) {
    y[i]! /= d[i]!;
    for (let k = i + 1; k < rank; k++) y[i]! -= l.data[k * n + i]! * y[k]!;
  }
  const x = new Float64Array(n);
  for (let i = 0; i < rank; i++) x[order[i]!] = y[i]!;
  return x;
}
