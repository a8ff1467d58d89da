import { jacobiSvdRows } from "./svd-jacobi.js";

/** Covariance (RᵀR)⁻¹ of a least-squares problem from its triangle, with what the data do not determine. */
export interface TriangleCovariance {
  /** Pseudo-inverse of RᵀR, shape [n, n]. */
  readonly covariance: Float64Array;
  readonly rank: number;
  /** 1 where the data leave the parameter (partly) undetermined. */
  readonly undetermined: Uint8Array;
  /** Ratio of the largest to the smallest singular value of R with unit columns; Infinity below full rank. */
  readonly condition: number;
}

/**
 * Columns are scaled to unit length first, so the rank does not depend on the units of the parameters.
 * @param r - upper triangle, [n, n] row-major
 * @param tolerance - singular values below this fraction of the largest count as zero
 */
export function triangleCovariance(r: Float64Array, n: number, tolerance = 1e-10): TriangleCovariance {
  const scale = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    let big = 0;
    for (let i = 0; i <= j; i++) big = Math.max(big, Math.abs(r[i * n + j]!));
    let sum = 0;
    if (big > 0) for (let i = 0; i <= j; i++) sum += (r[i * n + j]! / big) ** 2;
    scale[j] = big * Math.sqrt(sum);
  }
  const columns = new Float64Array(n * n); // row j = column j of R, unit length
  for (let j = 0; j < n; j++) if (scale[j]! > 0) for (let i = 0; i <= j; i++) columns[j * n + i] = r[i * n + j]! / scale[j]!;
  const v = new Float64Array(n * n); // row k = right singular vector k
  const s = jacobiSvdRows(columns, v, n, n);
  let rank = 0;
  while (rank < n && s[rank]! > tolerance * s[0]!) rank++;
  const covariance = new Float64Array(n * n);
  const undetermined = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    for (let k = rank; k < n; k++) if (Math.abs(v[k * n + i]!) > 1e-6) undetermined[i] = 1;
    for (let j = 0; j <= i; j++) {
      let c = 0;
      for (let k = 0; k < rank; k++) c += (v[k * n + i]! / s[k]!) * (v[k * n + j]! / s[k]!);
      c = scale[i]! > 0 && scale[j]! > 0 ? c / scale[i]! / scale[j]! : 0;
      covariance[i * n + j] = c;
      covariance[j * n + i] = c;
    }
  }
  return { covariance, rank, undetermined, condition: n === 0 ? 1 : rank < n ? Number.POSITIVE_INFINITY : s[0]! / s[n - 1]! };
}

/** Correlation coefficients from a covariance matrix [n, n]; NaN where a variance is 0 or not finite. */
export function correlationMatrix(covariance: Float64Array): Float64Array {
  const n = Math.round(Math.sqrt(covariance.length));
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      out[i * n + j] = covariance[i * n + j]! / Math.sqrt(covariance[i * n + i]!) / Math.sqrt(covariance[j * n + j]!);
  return out;
}
