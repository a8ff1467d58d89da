import { fail } from "../core/errors.js";
import { type DenseKernels, denseKernels } from "../kernels/dense.js";
import { type ComplexMatrix, complexMatrix, type DenseOptions, requireSquare } from "./matrix.js";
import { scoped } from "./matrix-scope.js";
import { solveTriangular } from "./matrix-triangular.js";

/** P A = L U with partial pivoting: unit lower L and upper U in one array, row i of PA is row pivots[i] of A. */
export interface ComplexLu {
  readonly size: number;
  /** L below the diagonal, U on and above, [n, n] interleaved. */
  readonly factors: Float64Array;
  readonly pivots: Int32Array;
  /** Sign of the permutation. */
  readonly parity: 1 | -1;
  /** Index of the first pivot that is exactly zero; −1 when there is none. A singular matrix factors, but does not solve. */
  readonly zeroPivot: number;
}

const BASE = 8;

/**
 * Columns [c, c + width) of the rows [c, n) by recursive halves: nearly all work is in products.
 * @see Toledo (1997) SIAM J. Matrix Anal. Appl. 18, 1065
 */
function factorColumns(kernels: DenseKernels, n: number, a: number, A: Float64Array, pivots: Int32Array, c: number, width: number): void {
  if (width > BASE) {
    const left = width >> 1,
      right = width - left,
      mid = c + left;
    factorColumns(kernels, n, a, A, pivots, c, left);
    const at = (i: number, j: number): number => a + 16 * (i * n + j);
    solveTriangular(kernels, left, right, { t: at(c, c), row: n, column: 1, conj: false, lower: true, unit: true }, at(c, mid), n);
    if (n > mid) kernels.zgemm(n - mid, right, left, -1, at(mid, c), n, 1, false, at(c, mid), n, 1, false, at(mid, mid), n);
    factorColumns(kernels, n, a, A, pivots, mid, right);
    return;
  }
  for (let j = c; j < c + width; j++) {
    let best = -1,
      row = j;
    for (let i = j; i < n; i++) {
      const size = Math.abs(A[2 * (i * n + j)]!) + Math.abs(A[2 * (i * n + j) + 1]!);
      if (size > best) {
        best = size;
        row = i;
      }
    }
    if (row !== j) {
      const x = 2 * row * n,
        y = 2 * j * n;
      for (let k = 0; k < 2 * n; k++) {
        const t = A[x + k]!;
        A[x + k] = A[y + k]!;
        A[y + k] = t;
      }
      [pivots[j], pivots[row]] = [pivots[row]!, pivots[j]!];
    }
    const pr = A[2 * (j * n + j)]!,
      pi = A[2 * (j * n + j) + 1]!;
    if (pr === 0 && pi === 0) continue;
    for (let i = j + 1; i < n; i++) {
      const p = 2 * (i * n + j);
      const [fr, fi] = divide(A[p]!, A[p + 1]!, pr, pi);
      A[p] = fr;
      A[p + 1] = fi;
      if (fr === 0 && fi === 0) continue;
      for (let k = j + 1; k < c + width; k++) {
        const ur = A[2 * (j * n + k)]!,
          ui = A[2 * (j * n + k) + 1]!;
        A[2 * (i * n + k)]! -= fr * ur - fi * ui;
        A[2 * (i * n + k) + 1]! -= fr * ui + fi * ur;
      }
    }
  }
}

/** Complex division without overflow of the squares (Smith 1962). */
export function divide(ar: number, ai: number, br: number, bi: number): [number, number] {
  if (Math.abs(br) >= Math.abs(bi)) {
    const r = bi / br,
      q = 1 / (br + bi * r);
    return [(ar + ai * r) * q, (ai - ar * r) * q];
  }
  const r = br / bi,
    q = 1 / (br * r + bi);
  return [(ar * r + ai) * q, (ai * r - ar) * q];
}

/** Factor a complex square matrix. @throws bad-shape, bad-value */
export function complexLu(a: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): ComplexLu {
  const n = requireSquare(a),
    { arena } = kernels;
  return scoped(arena, [16 * n * n], ([pa]) => {
    const A = arena.f64(pa!, 2 * n * n);
    A.set(a.data);
    const pivots = Int32Array.from({ length: n }, (_, i) => i);
    if (n > 0) factorColumns(kernels, n, pa!, A, pivots, 0, n);
    let zeroPivot = -1;
    for (let i = n - 1; i >= 0; i--) if (A[2 * (i * n + i)] === 0 && A[2 * (i * n + i) + 1] === 0) zeroPivot = i;
    let parity: 1 | -1 = 1;
    const seen = new Uint8Array(n);
    for (let i = 0; i < n; i++)
      for (let j = pivots[i]!, length = 0; !seen[j]; j = pivots[j]!) {
        seen[j] = 1;
        if (length++ > 0) parity = -parity as 1 | -1;
      }
    return { size: n, factors: A.slice(), pivots, parity, zeroPivot };
  });
}

/** X with A X = B. @throws bad-shape; bad-value with the pivot's index when A is singular */
export function complexLuSolve(lu: ComplexLu, b: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): ComplexMatrix {
  const { size: n, factors, pivots, zeroPivot } = lu,
    m = b.cols,
    { arena } = kernels;
  if (b.rows !== n) fail("bad-shape", { rows: b.rows, size: n }, "the right-hand side needs as many rows as the matrix");
  if (zeroPivot >= 0) fail("bad-value", { pivot: zeroPivot }, "the matrix is singular: this pivot is zero");
  return scoped(arena, [16 * n * n, 16 * n * m], ([pa, pb]) => {
    arena.f64(pa!, 2 * n * n).set(factors);
    const B = arena.f64(pb!, 2 * n * m);
    for (let i = 0; i < n; i++) B.set(b.data.subarray(2 * pivots[i]! * m, 2 * (pivots[i]! + 1) * m), 2 * i * m);
    solveTriangular(kernels, n, m, { t: pa!, row: n, column: 1, conj: false, lower: true, unit: true }, pb!, m);
    solveTriangular(kernels, n, m, { t: pa!, row: n, column: 1, conj: false, lower: false, unit: false }, pb!, m);
    return complexMatrix(n, m, B.slice());
  });
}

/** X with A X = B, by LU. @throws as {@link complexLu}, {@link complexLuSolve} */
export function complexSolve(a: ComplexMatrix, b: ComplexMatrix, options: DenseOptions = {}): ComplexMatrix {
  return complexLuSolve(complexLu(a, options), b, options);
}

/** Determinant [re, im]; may over- or underflow for large matrices. */
export function complexDeterminant({ size: n, factors, parity }: ComplexLu): readonly [number, number] {
  let re: number = parity,
    im = 0;
  for (let i = 0; i < n; i++) {
    const r = factors[2 * (i * n + i)]!,
      m = factors[2 * (i * n + i) + 1]!;
    [re, im] = [re * r - im * m, re * m + im * r];
  }
  return [re, im];
}
