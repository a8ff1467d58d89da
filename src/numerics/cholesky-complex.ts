import { fail } from "../core/errors.js";
import { type DenseKernels, denseKernels } from "../kernels/dense.js";
import { type ComplexMatrix, complexMatrix, type DenseOptions, requireSquare } from "./matrix.js";
import { scoped } from "./matrix-scope.js";
import { solveTriangular } from "./matrix-triangular.js";

const BASE = 16;

/** Lower triangle in place by recursive halves; returns the index of the first pivot that is not positive, or −1. */
function factor(kernels: DenseKernels, lda: number, a: number, A: Float64Array, at: number, n: number): number {
  if (n > BASE) {
    const h = n >> 1,
      r = n - h;
    const bad = factor(kernels, lda, a, A, at, h);
    if (bad >= 0) return bad;
    const p = (i: number, j: number): number => a + 16 * ((at + i) * lda + at + j);
    // L₂₁ L₁₁ᴴ = A₂₁ is solved as conj(L₁₁) Xᵀ = A₂₁ᵀ in the (unused) upper triangle, where Xᵀ has contiguous rows.
    for (let i = 0; i < h; i++)
      for (let j = 0; j < r; j++) {
        const to = 2 * ((at + i) * lda + at + h + j),
          from = 2 * ((at + h + j) * lda + at + i);
        A[to] = A[from]!;
        A[to + 1] = A[from + 1]!;
      }
    solveTriangular(kernels, h, r, { t: p(0, 0), row: lda, column: 1, conj: true, lower: true, unit: false }, p(0, h), lda);
    for (let i = 0; i < h; i++)
      for (let j = 0; j < r; j++) {
        const from = 2 * ((at + i) * lda + at + h + j),
          to = 2 * ((at + h + j) * lda + at + i);
        A[to] = A[from]!;
        A[to + 1] = A[from + 1]!;
      }
    kernels.zgemm(r, r, h, -1, p(h, 0), lda, 1, false, p(h, 0), 1, lda, true, p(h, h), lda);
    return factor(kernels, lda, a, A, at + h, r);
  }
  for (let j = 0; j < n; j++) {
    const row = 2 * ((at + j) * lda + at);
    let d = A[row + 2 * j]!;
    for (let k = 0; k < 2 * j; k++) d -= A[row + k]! * A[row + k]!;
    if (!(d > 0)) return at + j;
    const l = Math.sqrt(d);
    A[row + 2 * j] = l;
    A[row + 2 * j + 1] = 0;
    for (let i = j + 1; i < n; i++) {
      const x = 2 * ((at + i) * lda + at);
      let re = A[x + 2 * j]!,
        im = A[x + 2 * j + 1]!;
      for (let k = 0; k < 2 * j; k += 2) {
        re -= A[x + k]! * A[row + k]! + A[x + k + 1]! * A[row + k + 1]!;
        im -= A[x + k + 1]! * A[row + k]! - A[x + k]! * A[row + k + 1]!;
      }
      A[x + 2 * j] = re / l;
      A[x + 2 * j + 1] = im / l;
    }
  }
  return -1;
}

/**
 * Lower triangular L with A = L Lᴴ for a Hermitian positive definite matrix; the lower triangle of A is used.
 * @throws bad-shape; bad-value with the index of the first pivot that is not positive
 */
export function complexCholesky(a: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): ComplexMatrix {
  const n = requireSquare(a),
    { arena } = kernels;
  return scoped(arena, [16 * n * n], ([pa]) => {
    const A = arena.f64(pa!, 2 * n * n);
    A.set(a.data);
    const bad = n > 0 ? factor(kernels, n, pa!, A, 0, n) : -1;
    if (bad >= 0) fail("bad-value", { pivot: bad }, "the matrix is not positive definite: this pivot is not positive");
    for (let i = 0; i < n; i++) A.fill(0, 2 * (i * n + i + 1), 2 * (i + 1) * n);
    return complexMatrix(n, n, A.slice());
  });
}

/** X with L Lᴴ X = B. @throws bad-shape */
export function complexCholeskySolve(l: ComplexMatrix, b: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): ComplexMatrix {
  const n = l.rows,
    m = b.cols,
    { arena } = kernels;
  if (b.rows !== n || l.cols !== n) fail("bad-shape", { rows: b.rows, size: n }, "the right-hand side needs as many rows as the matrix");
  return scoped(arena, [16 * n * n, 16 * n * m], ([pl, pb]) => {
    arena.f64(pl!, 2 * n * n).set(l.data);
    const B = arena.f64(pb!, 2 * n * m);
    B.set(b.data);
    solveTriangular(kernels, n, m, { t: pl!, row: n, column: 1, conj: false, lower: true, unit: false }, pb!, m);
    solveTriangular(kernels, n, m, { t: pl!, row: 1, column: n, conj: true, lower: false, unit: false }, pb!, m);
    return complexMatrix(n, m, B.slice());
  });
}
