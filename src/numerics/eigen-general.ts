import { fail } from "../core/errors.js";
import { denseKernels } from "../kernels/dense.js";
import { schur } from "./eigen-schur.js";
import { divide } from "./lu-complex.js";
import { type ComplexMatrix, complexMatrix, complexMultiply, type DenseOptions, maxAbs, requireSquare } from "./matrix.js";

/** A V = V diag(values). */
export interface GeneralEigen {
  /** Eigenvalues, interleaved, length 2n, in the order of the columns. */
  readonly values: Float64Array;
  /** Right eigenvectors in columns: unit length, largest component real and positive. Nearly parallel for a defective matrix. */
  readonly vectors: ComplexMatrix;
}

/**
 * Eigenvalues and right eigenvectors of a general complex matrix: balancing, Hessenberg reduction, QR iteration to Schur form,
 * back-substitution. For Hermitian matrices `hermitianEigen` is far faster and exact in orthogonality.
 * @throws bad-shape, bad-value; no-convergence when an eigenvalue needs more than 30 QR steps
 * @see Golub & Van Loan, Matrix Computations (2013), §7.5–7.6; Parlett & Reinsch (1969) Numer. Math. 13, 293 for balancing
 */
export function eigen(a: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): GeneralEigen {
  const n = requireSquare(a);
  const big = maxAbs(a.data),
    unit = big === 0 ? 1 : 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(big))));
  const t = a.data.map((v) => v * unit);
  const scale = balance(t, n);
  const zt = new Float64Array(2 * n * n);
  if (!schur(t, zt, n)) fail("no-convergence", { n }, "the QR iteration did not converge; please report this matrix");
  const x = triangularVectors(t, n);
  const z = complexMatrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      z.data[2 * (i * n + j)] = zt[2 * (j * n + i)]!;
      z.data[2 * (i * n + j) + 1] = zt[2 * (j * n + i) + 1]!;
    }
  const vectors = complexMultiply(z, complexMatrix(n, n, x), { kernels });
  normalise(vectors, scale);
  const values = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    values[2 * i] = t[2 * (i * n + i)]! / unit;
    values[2 * i + 1] = t[2 * (i * n + i) + 1]! / unit;
  }
  return { values, vectors };
}

/** D⁻¹ A D with powers of two that make row and column sums alike; returns the diagonal of D. */
function balance(a: Float64Array, n: number): Float64Array {
  const d = new Float64Array(n).fill(1);
  for (let round = 0, moved = true; moved && round < 50; round++) {
    moved = false;
    for (let i = 0; i < n; i++) {
      let c = 0,
        r = 0;
      for (let j = 0; j < n; j++) {
        if (j === i) continue;
        c += Math.abs(a[2 * (j * n + i)]!) + Math.abs(a[2 * (j * n + i) + 1]!);
        r += Math.abs(a[2 * (i * n + j)]!) + Math.abs(a[2 * (i * n + j) + 1]!);
      }
      if (c === 0 || r === 0) continue;
      const f = 2 ** Math.round(0.5 * Math.log2(r / c));
      if (!(c * f + r / f < 0.95 * (c + r))) continue;
      moved = true;
      d[i]! *= f;
      for (let j = 0; j < n; j++) {
        a[2 * (j * n + i)]! *= f;
        a[2 * (j * n + i) + 1]! *= f;
      }
      for (let j = 0; j < 2 * n; j++) a[2 * i * n + j]! /= f;
    }
  }
  return d;
}

/** Eigenvectors of an upper triangular matrix, in columns; equal eigenvalues are parted by rounding, as LAPACK does. */
function triangularVectors(t: Float64Array, n: number): Float64Array {
  const x = new Float64Array(2 * n * n);
  const small = 2.2e-16 * Math.max(maxAbs(t), Number.MIN_VALUE * 2 ** 60);
  const column = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) {
    column.fill(0);
    const er = t[2 * (k * n + k)]!,
      ei = t[2 * (k * n + k) + 1]!;
    column[2 * k] = 1;
    for (let i = k - 1; i >= 0; i--) {
      let re = 0,
        im = 0;
      for (let j = i + 1; j <= k; j++) {
        const p = 2 * (i * n + j),
          xr = column[2 * j]!,
          xi = column[2 * j + 1]!;
        re -= t[p]! * xr - t[p + 1]! * xi;
        im -= t[p]! * xi + t[p + 1]! * xr;
      }
      let dr = t[2 * (i * n + i)]! - er;
      const di = t[2 * (i * n + i) + 1]! - ei;
      if (Math.abs(dr) + Math.abs(di) < small) dr = small;
      [column[2 * i], column[2 * i + 1]] = divide(re, im, dr, di);
      const size = Math.abs(column[2 * i]!) + Math.abs(column[2 * i + 1]!);
      if (size > 1e100) for (let j = 2 * i; j <= 2 * k + 1; j++) column[j]! /= size;
    }
    const top = maxAbs(column);
    for (let i = 0; i <= k; i++) {
      x[2 * (i * n + k)] = column[2 * i]! / top;
      x[2 * (i * n + k) + 1] = column[2 * i + 1]! / top;
    }
  }
  return x;
}

/** Undo the balancing, then unit columns with the largest component real and positive. */
function normalise({ rows: n, data }: ComplexMatrix, scale: Float64Array): void {
  for (let k = 0; k < n; k++) {
    let sum = 0,
      best = 0,
      pr = 1,
      pi = 0;
    for (let i = 0; i < n; i++) {
      const p = 2 * (i * n + k);
      const re = data[p]! * scale[i]!,
        im = data[p + 1]! * scale[i]!,
        size = re * re + im * im;
      data[p] = re;
      data[p + 1] = im;
      sum += size;
      if (size > best * 1.0001) {
        best = size;
        pr = re;
        pi = im;
      }
    }
    const f = 1 / Math.sqrt(sum) / (Math.sqrt(best) || 1);
    for (let i = 0; i < n; i++) {
      const p = 2 * (i * n + k),
        re = data[p]!,
        im = data[p + 1]!;
      data[p] = (re * pr + im * pi) * f;
      data[p + 1] = (im * pr - re * pi) * f;
    }
  }
}
