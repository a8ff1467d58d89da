import { fail } from "../core/errors.js";
import { denseKernels } from "../kernels/dense.js";
import { divideAndConquer, divideScratch } from "./eigen-divide.js";
import { implicitQl } from "./eigen-ql.js";
import { applyReflectors, PANEL, tridiagonalise } from "./eigen-tridiagonalise.js";
import { type ComplexMatrix, complexMatrix, type DenseOptions, maxAbs, requireSquare } from "./matrix.js";
import { scoped } from "./matrix-scope.js";

/** A = V diag(values) Vᴴ. */
export interface HermitianEigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** Orthonormal eigenvectors in columns, [n, n]; [n, 0] when they were not asked for. */
  readonly vectors: ComplexMatrix;
}

/** A = Q T Qᴴ with real symmetric tridiagonal T and Q e₀ = e₀. */
export interface TridiagonalForm {
  readonly size: number;
  /** Diagonal of T, length n. */
  readonly diagonal: Float64Array;
  /** Off-diagonal of T, length n − 1. */
  readonly offDiagonal: Float64Array;
  /** Householder vectors, one a row, [n, n] interleaved, and their factors: Q = Π (I − τ_j v_j v_jᴴ). */
  readonly reflectors: Float64Array;
  readonly tau: Float64Array;
}

/** Copy the lower triangle and its mirror, scaled: rounding in the upper triangle never matters. */
function fillHermitian(out: Float64Array, a: Float64Array, n: number, scale: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const re = a[2 * (i * n + j)]! * scale,
        im = a[2 * (i * n + j) + 1]! * scale;
      out[2 * (i * n + j)] = re;
      out[2 * (i * n + j) + 1] = im;
      out[2 * (j * n + i)] = re;
      out[2 * (j * n + i) + 1] = -im;
    }
    out[2 * (i * n + i)] = a[2 * (i * n + i)]! * scale;
    out[2 * (i * n + i) + 1] = 0;
  }
}

/** Power of two that brings the largest entry near one, so that nothing over- or underflows; exact to undo. */
function scaleFor(data: Float64Array): number {
  const big = maxAbs(data);
  return big === 0 ? 1 : 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(big))));
}

/** The lower triangle is used. @throws bad-shape, bad-value, and bad-value when A is not Hermitian within rounding */
function requireHermitian(a: ComplexMatrix): number {
  const n = requireSquare(a),
    { data } = a;
  const tolerance = 1e-8 * maxAbs(data);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const p = 2 * (i * n + j),
        q = 2 * (j * n + i);
      if (Math.abs(data[p]! - data[q]!) > tolerance || Math.abs(data[p + 1]! + data[q + 1]!) > tolerance)
        fail("bad-value", { row: i, column: j }, "the matrix is not Hermitian: a_ij must be the conjugate of a_ji");
    }
  return n;
}

/**
 * Eigenvalues and eigenvectors of a Hermitian matrix: blocked Householder reduction to tridiagonal form, divide and conquer, blocked
 * back-transformation. Backward stable: |A − VΛVᴴ| and |VᴴV − 1| are a few n·ε of |A| and 1.
 * @param a - [n, n]; the lower triangle is used
 * @throws bad-shape when not square; bad-value when not Hermitian (beyond 1e-8 of the largest entry) or not finite
 */
export function hermitianEigen(
  a: ComplexMatrix,
  { vectors = true, kernels = denseKernels() }: DenseOptions & { readonly vectors?: boolean } = {},
): HermitianEigen {
  const n = requireHermitian(a),
    { arena } = kernels;
  if (n === 0) return { values: new Float64Array(0), vectors: complexMatrix(0, 0) };
  const scale = scaleFor(a.data);
  const d = new Float64Array(n),
    e = new Float64Array(n),
    tau = new Float64Array(2 * n);
  const square = 16 * n * n;
  const scratch = Math.max(16 * (PANEL + 4) * n, 16 * PANEL * (PANEL + 2 * n));
  return scoped(arena, [square, square, scratch, vectors ? square / 2 : 0, vectors ? divideScratch(n) : 0], ([pa, pv, ps, pq, pd]) => {
    fillHermitian(arena.f64(pa!, 2 * n * n), a.data, n, scale);
    tridiagonalise(kernels, n, pa!, pv!, tau, d, e, ps!);
    if (!vectors) {
      if (!implicitQl(n, d, e, 0)) fail("no-convergence", { n }, "the QL iteration did not converge; please report this matrix");
      d.sort();
      for (let i = 0; i < n; i++) d[i]! /= scale;
      return { values: d, vectors: complexMatrix(n, 0) };
    }
    const order = divideAndConquer(kernels, n, d, e, pq!, pd!);
    const Q = arena.f64(pq!, n * n),
      Z = arena.f64(pa!, 2 * n * n);
    Z.fill(0);
    const STRIP = 16; // transpose by strips: both sides stay in cache
    for (let k0 = 0; k0 < n; k0 += STRIP)
      for (let i = 0; i < n; i++) for (let k = k0; k < Math.min(n, k0 + STRIP); k++) Z[2 * (i * n + k)] = Q[order[k]! * n + i]!;
    applyReflectors(kernels, n, pv!, tau, pa!, n, ps!);
    return {
      values: Float64Array.from(order, (row) => d[row]! / scale),
      vectors: complexMatrix(n, n, arena.f64(pa!, 2 * n * n).slice()),
    };
  });
}

/**
 * Tridiagonal form of a Hermitian matrix that keeps the first basis vector: exp(iA) e₀ = Q exp(iT) e₀, for every thickness of a crystal
 * at the cost of one reduction.
 * @throws as {@link hermitianEigen}
 */
export function tridiagonalForm(a: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): TridiagonalForm {
  const n = requireHermitian(a),
    { arena } = kernels;
  const scale = scaleFor(a.data);
  const diagonal = new Float64Array(n),
    e = new Float64Array(n),
    tau = new Float64Array(2 * n);
  return scoped(arena, [16 * n * n, 16 * n * n, 16 * (PANEL + 4) * n], ([pa, pv, ps]) => {
    fillHermitian(arena.f64(pa!, 2 * n * n), a.data, n, scale);
    tridiagonalise(kernels, n, pa!, pv!, tau, diagonal, e, ps!);
    for (let i = 0; i < n; i++) {
      diagonal[i]! /= scale;
      e[i]! /= scale;
    }
    const reflectors = arena.f64(pv!, 2 * n * n).slice();
    return { size: n, diagonal, offDiagonal: e.slice(0, Math.max(0, n - 1)), reflectors, tau };
  });
}

/** Q·Z for the Q of a {@link tridiagonalForm}; Z is [n, columns]. @throws bad-shape */
export function applyTridiagonalBasis(
  form: TridiagonalForm,
  z: ComplexMatrix,
  { kernels = denseKernels() }: DenseOptions = {},
): ComplexMatrix {
  const n = form.size,
    { arena } = kernels;
  if (z.rows !== n) fail("bad-shape", { rows: z.rows, size: n }, "Z needs as many rows as the matrix that was reduced");
  const columns = z.cols;
  return scoped(arena, [16 * n * n, 16 * n * columns, 16 * PANEL * (PANEL + 2 * columns)], ([pv, pz, ps]) => {
    arena.f64(pv!, 2 * n * n).set(form.reflectors);
    arena.f64(pz!, 2 * n * columns).set(z.data);
    if (n > 0) applyReflectors(kernels, n, pv!, form.tau, pz!, columns, ps!);
    return complexMatrix(n, columns, arena.f64(pz!, 2 * n * columns).slice());
  });
}

/**
 * Eigenvalues (ascending) and eigenvectors (rows of the result, length n) of a real symmetric tridiagonal matrix.
 * @param diagonal - length n
 * @param offDiagonal - length n − 1
 * @throws bad-shape, bad-value
 */
export function tridiagonalEigen(
  diagonal: ArrayLike<number>,
  offDiagonal: ArrayLike<number>,
  { kernels = denseKernels() }: DenseOptions = {},
): { readonly values: Float64Array; readonly vectorRows: Float64Array } {
  const n = diagonal.length,
    { arena } = kernels;
  if (offDiagonal.length !== Math.max(0, n - 1))
    fail("bad-shape", { diagonal: n, offDiagonal: offDiagonal.length }, "the off-diagonal has one value less than the diagonal");
  const d = Float64Array.from(diagonal),
    e = new Float64Array(n);
  e.set(offDiagonal as ArrayLike<number>);
  const all = Float64Array.of(maxAbs(d), maxAbs(e));
  if (!d.every(Number.isFinite) || !e.every(Number.isFinite)) fail("bad-value", {}, "the matrix has an entry that is not a finite number");
  const scale = scaleFor(all);
  for (let i = 0; i < n; i++) {
    d[i]! *= scale;
    e[i]! *= scale;
  }
  return scoped(arena, [8 * n * n, divideScratch(n)], ([pq, ps]) => {
    if (n === 0) return { values: d, vectorRows: new Float64Array(0) };
    const order = divideAndConquer(kernels, n, d, e, pq!, ps!);
    const Q = arena.f64(pq!, n * n),
      vectorRows = new Float64Array(n * n);
    order.forEach((row, k) => {
      vectorRows.set(Q.subarray(row * n, row * n + n), k * n);
    });
    return { values: Float64Array.from(order, (row) => d[row]! / scale), vectorRows };
  });
}
