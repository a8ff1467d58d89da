import type { DenseKernels } from "../kernels/dense.js";

/** A triangular complex matrix in memory; swapped strides make it the transpose, `conj` conjugates. */
export interface Triangle {
  readonly t: number;
  readonly row: number;
  readonly column: number;
  readonly conj: boolean;
  /** True when op(T), as the strides present it, is lower triangular. */
  readonly lower: boolean;
  /** Diagonal taken as ones. */
  readonly unit: boolean;
}

const BASE = 12;

/**
 * B := T⁻¹ B for triangular T [n, n] and B [n, m] (row-major, row stride ldb), by recursive halves joined by a product.
 * Division by a zero on the diagonal gives infinities: check before.
 */
export function solveTriangular(kernels: DenseKernels, n: number, m: number, tri: Triangle, b: number, ldb: number): void {
  if (n === 0 || m === 0) return;
  const { t, row, column, conj, lower } = tri;
  if (n > BASE) {
    const h = n >> 1,
      r = n - h;
    const second = { ...tri, t: t + 16 * h * (row + column) },
      low = b + 16 * h * ldb;
    if (lower) {
      solveTriangular(kernels, h, m, tri, b, ldb);
      kernels.zgemm(r, m, h, -1, t + 16 * h * row, row, column, conj, b, ldb, 1, false, low, ldb);
      solveTriangular(kernels, r, m, second, low, ldb);
    } else {
      solveTriangular(kernels, r, m, second, low, ldb);
      kernels.zgemm(h, m, r, -1, t + 16 * h * column, row, column, conj, low, ldb, 1, false, b, ldb);
      solveTriangular(kernels, h, m, tri, b, ldb);
    }
    return;
  }
  const { arena } = kernels;
  const T = arena.f64(t, 2 * ((n - 1) * (row + column) + 1)),
    B = arena.f64(b, 2 * ((n - 1) * ldb + m));
  const s = conj ? -1 : 1;
  for (let step = 0; step < n; step++) {
    const i = lower ? step : n - 1 - step;
    const x = 2 * i * ldb;
    for (let j = lower ? 0 : i + 1; j < (lower ? i : n); j++) {
      const p = 2 * (i * row + j * column),
        fr = T[p]!,
        fi = s * T[p + 1]!,
        y = 2 * j * ldb;
      if (fr === 0 && fi === 0) continue;
      for (let k = 0; k < 2 * m; k += 2) {
        const br = B[y + k]!,
          bi = B[y + k + 1]!;
        B[x + k]! -= fr * br - fi * bi;
        B[x + k + 1]! -= fr * bi + fi * br;
      }
    }
    if (tri.unit) continue;
    const p = 2 * i * (row + column),
      dr = T[p]!,
      di = s * T[p + 1]!;
    const big = Math.max(Math.abs(dr), Math.abs(di)),
      ur = dr / big,
      ui = di / big,
      q = 1 / (ur * ur + ui * ui) / big;
    for (let k = 0; k < 2 * m; k += 2) {
      const br = B[x + k]!,
        bi = B[x + k + 1]!;
      B[x + k] = (br * ur + bi * ui) * q;
      B[x + k + 1] = (bi * ur - br * ui) * q;
    }
  }
}
