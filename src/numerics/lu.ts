import { fail } from "../core/errors.js";
import { identityMatrix, type Matrix, matrix, requireSquare } from "./matrix.js";

/** P A = L U with partial pivoting, L (unit) and U in one matrix; row i of PA is row pivots[i] of A. */
export interface LuFactors {
  readonly factors: Matrix;
  readonly pivots: Int32Array;
  readonly determinant: number;
  /** Index of the first pivot that is exactly zero, −1 when there is none. */
  readonly zeroPivot: number;
}

/** Factor a real square matrix. @throws bad-shape, bad-value */
export function lu(a: Matrix): LuFactors {
  const n = requireSquare(a);
  const w = a.data.slice(),
    pivots = Int32Array.from({ length: n }, (_, i) => i);
  let determinant = 1,
    zeroPivot = -1;
  for (let j = 0; j < n; j++) {
    let best = j;
    for (let i = j + 1; i < n; i++) if (Math.abs(w[i * n + j]!) > Math.abs(w[best * n + j]!)) best = i;
    if (best !== j) {
      for (let k = 0; k < n; k++) [w[j * n + k], w[best * n + k]] = [w[best * n + k]!, w[j * n + k]!];
      [pivots[j], pivots[best]] = [pivots[best]!, pivots[j]!];
      determinant = -determinant;
    }
    const pivot = w[j * n + j]!;
    determinant *= pivot;
    if (pivot === 0) {
      if (zeroPivot < 0) zeroPivot = j;
      continue;
    }
    for (let i = j + 1; i < n; i++) {
      const f = w[i * n + j]! / pivot;
      w[i * n + j] = f;
      if (f !== 0) for (let k = j + 1; k < n; k++) w[i * n + k]! -= f * w[j * n + k]!;
    }
  }
  return { factors: matrix(n, n, w), pivots, determinant, zeroPivot };
}

/** X with A X = B. @throws bad-shape; bad-value with the pivot's index when A is singular */
export function luSolve({ factors, pivots, zeroPivot }: LuFactors, b: Matrix): Matrix {
  const n = factors.rows,
    m = b.cols,
    w = factors.data;
  if (b.rows !== n) fail("bad-shape", { rows: b.rows, size: n }, "the right-hand side needs as many rows as the matrix");
  if (zeroPivot >= 0) fail("bad-value", { pivot: zeroPivot }, "the matrix is singular: this pivot is zero");
  const x = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    x.set(b.data.subarray(pivots[i]! * m, (pivots[i]! + 1) * m), i * m);
    for (let k = 0; k < i; k++) for (let c = 0; c < m; c++) x[i * m + c]! -= w[i * n + k]! * x[k * m + c]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) for (let c = 0; c < m; c++) x[i * m + c]! -= w[i * n + k]! * x[k * m + c]!;
    for (let c = 0; c < m; c++) x[i * m + c]! /= w[i * n + i]!;
  }
  return matrix(n, m, x);
}

/** X with A X = B for square A, by LU. @throws bad-shape, bad-value */
export function solve(a: Matrix, b: Matrix): Matrix {
  return luSolve(lu(a), b);
}

/** A⁻¹. @throws bad-shape, bad-value */
export function invert(a: Matrix): Matrix {
  return luSolve(lu(a), identityMatrix(a.rows));
}
