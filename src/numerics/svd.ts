import { type Matrix, matrix, maxAbs, multiply, requireFinite, toComplex, transposeMatrix } from "./matrix.js";
import { qr } from "./qr.js";
import { complexSvd } from "./svd-complex.js";
import { jacobiSvdRows } from "./svd-jacobi.js";

/** A = U diag(values) Vᵀ, thin: U [rows, k], V [cols, k], k = min(rows, cols), values descending. */
export interface Svd {
  readonly u: Matrix;
  readonly values: Float64Array;
  readonly v: Matrix;
}

/** Above this many columns the preconditioned path of the complex SVD, with its fast products, is quicker. */
const SMALL = 48;

/**
 * Singular value decomposition by one-sided Jacobi rotations of the triangle of a pivoted QR: all singular values to high relative
 * accuracy up to the condition of the row scaling.
 * @throws bad-value when not finite
 * @see Drmač & Veselić (2008) SIAM J. Matrix Anal. Appl. 29, 1322
 */
export function svd(a: Matrix): Svd {
  requireFinite(a);
  if (a.rows < a.cols) {
    const { u, values, v } = svd(transposeMatrix(a));
    return { u: v, values, v: u };
  }
  const m = a.rows,
    n = a.cols;
  if (n > SMALL) {
    const { u, values, v } = complexSvd(toComplex(a));
    return { u: realPart(u.data, m, n), values, v: realPart(v.data, n, n) };
  }
  const big = maxAbs(a.data),
    scale = big === 0 ? 1 : 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(big))));
  // A P = Q R and Rᵀ = Û S V̂ᵀ (the columns of Rᵀ are the rows of R), so A = (Q V̂) S (P Û)ᵀ
  const { q, r, order } = qr(
    matrix(
      m,
      n,
      a.data.map((x) => x * scale),
    ),
  );
  const rows = r.data.slice(),
    turn = new Float64Array(n * n);
  const values = jacobiSvdRows(rows, turn, n, n);
  const v = matrix(n, n),
    missing: number[] = [];
  for (let k = 0; k < n; k++) {
    if (values[k]! > 0) for (let i = 0; i < n; i++) v.data[order[i]! * n + k] = rows[k * n + i]! / values[k]!;
    else missing.push(k);
  }
  complete(v, missing);
  return { u: multiply(q, transposeMatrix(matrix(n, n, turn))), values: values.map((s) => s / scale), v };
}

function realPart(data: Float64Array, rows: number, cols: number): Matrix {
  return matrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, (_, i) => data[2 * i]!),
  );
}

/** Fill the named columns of a square matrix with unit vectors orthogonal to the others. */
function complete({ rows: n, data }: Matrix, missing: readonly number[]): void {
  const open = new Set(missing);
  let axis = 0;
  for (const k of missing) {
    for (; ; axis++) {
      const x = new Float64Array(n);
      x[axis] = 1;
      for (let twice = 0; twice < 2; twice++)
        for (let j = 0; j < n; j++) {
          if (open.has(j)) continue;
          let s = 0;
          for (let i = 0; i < n; i++) s += data[i * n + j]! * x[i]!;
          for (let i = 0; i < n; i++) x[i]! -= s * data[i * n + j]!;
        }
      const length = Math.hypot(...x);
      if (length < 0.5 / Math.sqrt(n)) continue;
      for (let i = 0; i < n; i++) data[i * n + k] = x[i]! / length;
      axis++;
      break;
    }
    open.delete(k);
  }
}

/**
 * Moore–Penrose inverse; singular values below `tolerance` times the largest count as zero (default max(rows, cols)·ε).
 * @throws bad-value when not finite
 */
export function pseudoInverse(a: Matrix, { tolerance = Math.max(a.rows, a.cols) * 2.3e-16 }: { readonly tolerance?: number } = {}): Matrix {
  const { u, values, v } = svd(a);
  const limit = tolerance * (values[0] ?? 0);
  const scaled = matrix(
    v.rows,
    v.cols,
    v.data.map((x, i) => (values[i % v.cols]! > limit ? x / values[i % v.cols]! : 0)),
  );
  return multiply(scaled, transposeMatrix(u));
}

/** Ratio of the largest to the smallest singular value; Infinity for a singular matrix, NaN for an empty one. */
export function conditionNumber(a: Matrix): number {
  const { values } = svd(a);
  return values.length === 0 ? Number.NaN : values[0]! / values[values.length - 1]!;
}
