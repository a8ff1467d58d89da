import { type DenseKernels, denseKernels } from "../kernels/dense.js";
import { scoped } from "./matrix-scope.js";
import { QR_CHUNK, qrAddRowsInto } from "./qr-rows.js";

/** Rows eliminated together, and columns whose reflections are applied together. */
const ROWS = 256;
const PANEL = 12;
/** Below this many columns panels do not pay, nor a trip through the kernels. */
const SMALL = 32;

/**
 * Triangle of a tall least-squares problem, [A b] → [R z], a block of rows at a time, with the reflections of a panel of columns applied
 * as products. Memory (n + 256)·n numbers whatever the number of rows; several times faster than row by row once n passes about 50.
 * @param fill - writes rows [from, from + rows) of [A b], row stride n + 1, into `out`; called in order
 * @returns R (n×n, upper) and z = Qᵀb (n)
 * @see Golub & Van Loan, Matrix Computations (2013), §5.2.3, §6.5.3; Schreiber & Van Loan (1989) for the panels
 */
export function triangulateRows(
  count: number,
  n: number,
  fill: (out: Float64Array, from: number, rows: number) => void,
  given?: DenseKernels,
): { readonly triangle: Float64Array; readonly rhs: Float64Array } {
  if (!given && n < SMALL) return triangulateSmall(count, n, fill);
  const kernels = given ?? denseKernels();
  const { arena, dgemm } = kernels;
  const ld = n + 1;
  return scoped(arena, [8 * n * ld, 8 * ROWS * ld, 8 * PANEL * ld, 8 * PANEL * PANEL], ([pr, pa, pw, pt]) => {
    const R = arena.f64(pr!, n * ld),
      A = arena.f64(pa!, ROWS * ld),
      W = arena.f64(pw!, PANEL * ld),
      T = arena.f64(pt!, PANEL * PANEL);
    R.fill(0);
    for (let from = 0; from < count; from += ROWS) {
      const rows = Math.min(ROWS, count - from);
      fill(A.subarray(0, rows * ld), from, rows);
      for (let j0 = 0; j0 < n; j0 += PANEL) {
        const b = Math.min(PANEL, n - j0);
        eliminate(R, A, T, ld, j0, b, rows);
        const rest = ld - j0 - b,
          right = j0 + b;
        // W = Tᵀ (R[panel, rest] + Yᵀ A[:, rest]); then R −= W, A −= Y W, with Y in the columns of A that were eliminated
        for (let i = 0; i < b; i++) for (let l = 0; l < rest; l++) W[i * rest + l] = R[(j0 + i) * ld + right + l]!;
        dgemm(b, rest, rows, 1, pa! + 8 * j0, 1, ld, pa! + 8 * right, ld, 1, pw!, rest);
        for (let i = b - 1; i >= 0; i--) {
          // row i of TᵀW needs rows 0…i: from the last row up, in place
          for (let l = 0; l < rest; l++) W[i * rest + l]! *= T[i * PANEL + i]!;
          for (let k = 0; k < i; k++) {
            const t = T[k * PANEL + i]!;
            for (let l = 0; l < rest; l++) W[i * rest + l]! += t * W[k * rest + l]!;
          }
        }
        for (let i = 0; i < b; i++) for (let l = 0; l < rest; l++) R[(j0 + i) * ld + right + l]! -= W[i * rest + l]!;
        dgemm(rows, rest, b, -1, pa! + 8 * j0, ld, 1, pw!, rest, 1, pa! + 8 * right, ld);
      }
    }
    const triangle = new Float64Array(n * n),
      rhs = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      for (let j = i; j < n; j++) triangle[i * n + j] = R[i * ld + j]!;
      rhs[i] = R[i * ld + n]!;
    }
    return { triangle, rhs };
  });
}

function triangulateSmall(
  count: number,
  n: number,
  fill: (out: Float64Array, from: number, rows: number) => void,
): { readonly triangle: Float64Array; readonly rhs: Float64Array } {
  const triangle = new Float64Array(n * n),
    rhs = new Float64Array(n);
  const wide = new Float64Array(QR_CHUNK * (n + 1)),
    a = new Float64Array(QR_CHUNK * n),
    b = new Float64Array(QR_CHUNK);
  for (let from = 0; from < count; from += QR_CHUNK) {
    const rows = Math.min(QR_CHUNK, count - from);
    fill(wide, from, rows);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < n; j++) a[i * n + j] = wide[i * (n + 1) + j]!;
      b[i] = wide[i * (n + 1) + n]!;
    }
    qrAddRowsInto(triangle, rhs, a, b, rows, n);
  }
  return { triangle, rhs };
}

/**
 * Eliminate columns [j0, j0 + b) of the rows of A against the diagonal of R. Reflection j is I − τ v vᵀ with v = (1 at row j of R; y in
 * A), y left in A's column; T (upper) makes their product I − V T Vᵀ.
 */
function eliminate(R: Float64Array, A: Float64Array, T: Float64Array, ld: number, j0: number, b: number, rows: number): void {
  const w = new Float64Array(b);
  T.fill(0);
  for (let c = 0; c < b; c++) {
    const j = j0 + c;
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += A[i * ld + j]! * A[i * ld + j]!;
    if (sum < 1e-290) {
      for (let i = 0; i < rows; i++) A[i * ld + j] = 0; // entries below 1e-145 count as zero: their squares underflow
      continue;
    }
    const x = R[j * ld + j]!,
      norm = Math.sqrt(x * x + sum),
      v0 = x >= 0 ? x + norm : x - norm,
      tau = (2 * v0 * v0) / (v0 * v0 + sum);
    R[j * ld + j] = x >= 0 ? -norm : norm;
    for (let i = 0; i < rows; i++) A[i * ld + j]! /= v0;
    // the panel's later columns, and products with its earlier reflections
    w.fill(0);
    for (let i = 0; i < rows; i++) {
      const y = A[i * ld + j]!;
      if (y !== 0) for (let l = 0; l < b; l++) w[l]! += y * A[i * ld + j0 + l]!;
    }
    for (let l = c + 1; l < b; l++) w[l] = tau * (w[l]! + R[j * ld + j0 + l]!);
    for (let l = c + 1; l < b; l++) R[j * ld + j0 + l]! -= w[l]!;
    for (let i = 0; i < rows; i++) {
      const y = A[i * ld + j]!;
      if (y !== 0) for (let l = c + 1; l < b; l++) A[i * ld + j0 + l]! -= y * w[l]!;
    }
    T[c * PANEL + c] = tau;
    for (let i = 0; i < c; i++) {
      let s = 0;
      for (let k = i; k < c; k++) s += T[i * PANEL + k]! * w[k]!;
      T[i * PANEL + c] = -tau * s;
    }
  }
}
