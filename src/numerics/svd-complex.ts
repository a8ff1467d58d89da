import { fail } from "../core/errors.js";
import { denseKernels } from "../kernels/dense.js";
import { hermitianEigen } from "./eigen-hermitian.js";
import { adjoint, type ComplexMatrix, complexMatrix, complexMultiply, type DenseOptions, maxAbs, requireFinite } from "./matrix.js";

/** A = U diag(values) Vᴴ, thin: U [rows, k], V [cols, k], k = min(rows, cols), values descending. */
export interface ComplexSvd {
  readonly u: ComplexMatrix;
  readonly values: Float64Array;
  readonly v: ComplexMatrix;
}

const EPS = 2.220446049250313e-16;

/**
 * Singular value decomposition. The eigenvectors of AᴴA make the columns of A V nearly orthogonal; one-sided Jacobi rotations finish
 * them, so that small singular values keep the accuracy that squaring A would have cost.
 * @throws bad-value when not finite
 * @see Demmel & Veselić (1992) SIAM J. Matrix Anal. Appl. 13, 1204; Drmač & Veselić (2008) ibid. 29, 1322 for the preconditioning
 */
export function complexSvd(a: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): ComplexSvd {
  requireFinite(a);
  if (a.rows < a.cols) {
    const { u, values, v } = complexSvd(adjoint(a), { kernels });
    return { u: v, values, v: u };
  }
  const m = a.rows,
    n = a.cols;
  const big = maxAbs(a.data);
  const scale = big === 0 ? 1 : 2 ** -Math.max(-1000, Math.min(1000, Math.floor(Math.log2(big))));
  const x = complexMatrix(
    m,
    n,
    a.data.map((v) => v * scale),
  );
  const { vectors } = hermitianEigen(complexMultiply(adjoint(x), x, { kernels }), { kernels });
  // Columns as contiguous rows, largest first: B = (A V)ᵀ, W = Vᵀ.
  const av = complexMultiply(x, vectors, { kernels });
  const b = columnsReversed(av.data, m, n),
    w = columnsReversed(vectors.data, n, n);
  orthogonalise(b, w, m, n);
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) values[i] = norm(b, 2 * i * m, 2 * m);
  const order = Array.from(values.keys()).sort((p, q) => values[q]! - values[p]! || p - q);
  const u = complexMatrix(m, n),
    v = complexMatrix(n, n);
  const floor = (values[order[0] ?? 0] ?? 0) * 1e-140;
  const empty: number[] = [];
  order.forEach((from, k) => {
    const s = values[from]!;
    if (s > floor) {
      for (let i = 0; i < m; i++) {
        u.data[2 * (i * n + k)] = b[2 * (from * m + i)]! / s;
        u.data[2 * (i * n + k) + 1] = b[2 * (from * m + i) + 1]! / s;
      }
    } else empty.push(k);
    for (let i = 0; i < n; i++) {
      v.data[2 * (i * n + k)] = w[2 * (from * n + i)]!;
      v.data[2 * (i * n + k) + 1] = w[2 * (from * n + i) + 1]!;
    }
  });
  completeColumns(u, empty);
  return { u, values: Float64Array.from(order, (k) => values[k]! / scale), v };
}

function columnsReversed(data: Float64Array, rows: number, n: number): Float64Array {
  const out = new Float64Array(2 * rows * n);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < n; j++) {
      out[2 * ((n - 1 - j) * rows + i)] = data[2 * (i * n + j)]!;
      out[2 * ((n - 1 - j) * rows + i) + 1] = data[2 * (i * n + j) + 1]!;
    }
  return out;
}

function norm(x: Float64Array, at: number, length: number): number {
  let s = 0;
  for (let i = at; i < at + length; i++) s += x[i]! * x[i]!;
  return Math.sqrt(s);
}

/** Jacobi sweeps over the rows of b (length m) until all pairs are orthogonal to rounding; w (length n) turns along. */
function orthogonalise(b: Float64Array, w: Float64Array, m: number, n: number): void {
  const tolerance = EPS * Math.sqrt(m) * 2;
  const squares = new Float64Array(n);
  for (let sweep = 0; ; sweep++) {
    if (sweep === 40) fail("no-convergence", { rows: m, columns: n }, "Jacobi sweeps did not converge; please report this matrix");
    for (let i = 0; i < n; i++) squares[i] = norm(b, 2 * i * m, 2 * m) ** 2;
    const floor = maxAbs(squares) * 1e-280; // so small that squares underflow: zero
    let turned = false;
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        const app = squares[p]!,
          aqq = squares[q]!;
        if (!(app > floor) || !(aqq > floor)) continue;
        // g = b_pᴴ b_q
        let re = 0,
          im = 0;
        for (let k = 0, x = 2 * p * m, y = 2 * q * m; k < m; k++, x += 2, y += 2) {
          re += b[x]! * b[y]! + b[x + 1]! * b[y + 1]!;
          im += b[x]! * b[y + 1]! - b[x + 1]! * b[y]!;
        }
        const g = Math.hypot(re, im);
        if (!(g > tolerance * Math.sqrt(app) * Math.sqrt(aqq))) continue;
        turned = true;
        const zeta = (aqq - app) / (2 * g);
        const t = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t),
          s = c * t;
        rotate(b, p, q, m, c, s, re / g, im / g);
        rotate(w, p, q, n, c, s, re / g, im / g);
        squares[p] = Math.max(0, app - t * g);
        squares[q] = aqq + t * g;
      }
    if (!turned) return;
  }
}

/** (x, y) := (c x − s·conj(phase) y, s x + c·conj(phase) y): y is first turned so that xᴴy is real. */
function rotate(a: Float64Array, p: number, q: number, m: number, c: number, s: number, phaseRe: number, phaseIm: number): void {
  for (let k = 0, x = 2 * p * m, y = 2 * q * m; k < m; k++, x += 2, y += 2) {
    const xr = a[x]!,
      xi = a[x + 1]!;
    const yr = a[y]! * phaseRe + a[y + 1]! * phaseIm,
      yi = a[y + 1]! * phaseRe - a[y]! * phaseIm;
    a[x] = c * xr - s * yr;
    a[x + 1] = c * xi - s * yi;
    a[y] = s * xr + c * yr;
    a[y + 1] = s * xi + c * yi;
  }
}

/** Fill the named columns with unit vectors orthogonal to all others (twice is enough: Gram–Schmidt on the best coordinate vector). */
function completeColumns(u: ComplexMatrix, empty: readonly number[]): void {
  const { rows: m, cols: n, data } = u;
  const open = new Set(empty);
  let axis = 0;
  for (const k of empty) {
    for (; ; axis++) {
      const x = new Float64Array(2 * m);
      x[2 * axis] = 1;
      for (let twice = 0; twice < 2; twice++)
        for (let j = 0; j < n; j++) {
          if (open.has(j)) continue;
          let re = 0,
            im = 0;
          for (let i = 0; i < m; i++) {
            const ur = data[2 * (i * n + j)]!,
              ui = data[2 * (i * n + j) + 1]!;
            re += ur * x[2 * i]! + ui * x[2 * i + 1]!;
            im += ur * x[2 * i + 1]! - ui * x[2 * i]!;
          }
          for (let i = 0; i < m; i++) {
            const ur = data[2 * (i * n + j)]!,
              ui = data[2 * (i * n + j) + 1]!;
            x[2 * i]! -= ur * re - ui * im;
            x[2 * i + 1]! -= ur * im + ui * re;
          }
        }
      const length = norm(x, 0, 2 * m);
      if (length < 0.5 / Math.sqrt(m)) continue;
      for (let i = 0; i < m; i++) {
        data[2 * (i * n + k)] = x[2 * i]! / length;
        data[2 * (i * n + k) + 1] = x[2 * i + 1]! / length;
      }
      axis++;
      break;
    }
    open.delete(k);
  }
}
