import { fail } from "../core/errors.js";
import { hermitianEigen } from "./eigen-hermitian.js";
import { type DenseOptions, type Matrix, matrix, maxAbs, requireSquare, toComplex } from "./matrix.js";

/** A = V diag(values) Vᵀ. */
export interface SymmetricEigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** Orthonormal eigenvectors in columns. */
  readonly vectors: Matrix;
}

/** Up to this size Jacobi rotations in plain TypeScript are quicker than a trip through the kernels. */
const SMALL = 12;

/**
 * Eigenvalues and eigenvectors of a real symmetric matrix (the lower triangle is used): cyclic Jacobi for small ones, else the
 * Hermitian solver.
 * @throws bad-shape; bad-value when not symmetric (beyond 1e-8 of the largest entry) or not finite
 */
export function symmetricEigen(a: Matrix, options: DenseOptions = {}): SymmetricEigen {
  const n = requireSquare(a);
  const tolerance = 1e-8 * maxAbs(a.data);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++)
      if (Math.abs(a.data[i * n + j]! - a.data[j * n + i]!) > tolerance)
        fail("bad-value", { row: i, column: j }, "the matrix is not symmetric: a_ij must equal a_ji");
  if (n > SMALL) {
    const { values, vectors } = hermitianEigen(toComplex(a), options);
    return {
      values,
      vectors: matrix(
        n,
        n,
        Float64Array.from({ length: n * n }, (_, i) => vectors.data[2 * i]!),
      ),
    };
  }
  return jacobiEigen(a.data, n);
}

/** @see Golub & Van Loan, Matrix Computations (2013), §8.5 */
function jacobiEigen(data: Float64Array, n: number): SymmetricEigen {
  const big = maxAbs(data),
    scale = big === 0 ? 1 : 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(big))));
  const w = new Float64Array(n * n),
    v = new Float64Array(n * n); // rows of v: eigenvectors
  for (let i = 0; i < n; i++) {
    v[i * n + i] = 1;
    for (let j = 0; j < n; j++) w[i * n + j] = scale * (j <= i ? data[i * n + j]! : data[j * n + i]!);
  }
  for (let sweep = 0; sweep < 60; sweep++) {
    let turned = false;
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        const apq = w[p * n + q]!;
        if (!(Math.abs(apq) > 1e-17 * Math.sqrt(Math.abs(w[p * n + p]! * w[q * n + q]!)) && Math.abs(apq) > 1e-18)) continue;
        turned = true;
        const theta = (w[q * n + q]! - w[p * n + p]!) / (2 * apq);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1),
          s = t * c;
        for (let k = 0; k < n; k++) {
          const x = w[k * n + p]!,
            y = w[k * n + q]!;
          w[k * n + p] = c * x - s * y;
          w[k * n + q] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const x = w[p * n + k]!,
            y = w[q * n + k]!;
          w[p * n + k] = c * x - s * y;
          w[q * n + k] = s * x + c * y;
          const f = v[p * n + k]!,
            g = v[q * n + k]!;
          v[p * n + k] = c * f - s * g;
          v[q * n + k] = s * f + c * g;
        }
        w[p * n + q] = 0;
        w[q * n + p] = 0;
      }
    if (!turned) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => w[i * n + i]! - w[j * n + j]!);
  const vectors = matrix(n, n);
  order.forEach((from, k) => {
    for (let i = 0; i < n; i++) vectors.data[i * n + k] = v[from * n + i]!;
  });
  return { values: Float64Array.from(order, (i) => w[i * n + i]! / scale), vectors };
}
