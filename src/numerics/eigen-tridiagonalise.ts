import type { DenseKernels } from "../kernels/dense.js";

/** Columns reduced before the rest of the matrix is updated by one product. */
export const PANEL = 32;

/**
 * Reduce a Hermitian matrix to a real symmetric tridiagonal one: A = Q T Qᴴ with Q = H₀H₁…, H_j = I − τ_j v_j v_jᴴ, v_j zero up to
 * row j and one at row j + 1. So Q e₀ = e₀: the first basis vector is kept, and exp(iA) e₀ = Q exp(iT) e₀.
 *
 * Householder reflections in panels: within a panel the products use A as it was and the pairs (v, w) so far; then the rest of the
 * matrix is updated at once, A −= v wᴴ + w vᴴ. Half of the work is then matrix products.
 * @param a - address of A [n, n], complex f64, both triangles filled; destroyed
 * @param v - address for the v_j, one a row, [n, n] complex
 * @param tau - τ_j, interleaved, length 2 n
 * @param d - diagonal of T; e - off-diagonal of T (e[n−1] = 0)
 * @param scratch - address of (PANEL + 4) n complex numbers
 * @see Dongarra, Sorensen & Hammarling (1989) J. Comput. Appl. Math. 27, 215; LAPACK Working Note 2
 */
export function tridiagonalise(
  kernels: DenseKernels,
  n: number,
  a: number,
  v: number,
  tau: Float64Array,
  d: Float64Array,
  e: Float64Array,
  scratch: number,
): void {
  const { arena, zgemv, zgemvt, zgemm } = kernels;
  const A = arena.f64(a, 2 * n * n),
    V = arena.f64(v, 2 * n * n);
  const w = scratch,
    W = arena.f64(w, 2 * PANEL * n);
  const row = 16 * n; // bytes
  const column = w + PANEL * row, // the current column, then p = A v
    coefficients = column + row;
  const C = arena.f64(column, 2 * n),
    K = arena.f64(coefficients, 4 * n);
  V.fill(0);
  tau.fill(0);
  e.fill(0);
  for (let start = 0; start < n; start += PANEL) {
    const end = Math.min(n, start + PANEL);
    W.fill(0);
    for (let i = start; i < end; i++) {
      const j = i - start; // pairs made in this panel
      const vPanel = v + start * row;
      // Column i below the diagonal is the conjugate of row i: bring it up to date with the pairs of this panel.
      for (let k = i; k < n; k++) {
        C[2 * k] = A[2 * (i * n + k)]!;
        C[2 * k + 1] = -A[2 * (i * n + k) + 1]!;
      }
      if (j > 0) {
        for (let l = 0; l < j; l++) {
          K[2 * l] = W[2 * (l * n + i)]!;
          K[2 * l + 1] = -W[2 * (l * n + i) + 1]!;
          K[2 * (j + l)] = V[2 * ((start + l) * n + i)]!;
          K[2 * (j + l) + 1] = -V[2 * ((start + l) * n + i) + 1]!;
        }
        zgemvt(j, n - i, -1, vPanel + 16 * i, n, false, coefficients, column + 16 * i);
        zgemvt(j, n - i, -1, w + 16 * i, n, false, coefficients + 16 * j, column + 16 * i);
      }
      d[i] = C[2 * i]!;
      if (i === n - 1) break;
      const m = n - i - 1,
        first = i + 1;
      // Reflector: H^H (alpha, x) = (beta, 0), beta real.
      let big = 0;
      for (let k = 2 * (first + 1); k < 2 * n; k++) big = Math.max(big, Math.abs(C[k]!));
      const ar = C[2 * first]!,
        ai = C[2 * first + 1]!;
      big = Math.max(big, Math.abs(ai));
      const at = 2 * (i * n + first);
      V[at] = 1;
      V[at + 1] = 0;
      if (big === 0) {
        e[i] = ar; // nothing to do: tau stays 0
        continue;
      }
      big = Math.max(big, Math.abs(ar));
      let sum = 0;
      for (let k = 2 * first; k < 2 * n; k++) sum += (C[k]! / big) ** 2;
      const norm = big * Math.sqrt(sum);
      const beta = ar >= 0 ? -norm : norm;
      const tr = (beta - ar) / beta,
        ti = -ai / beta;
      tau[2 * i] = tr;
      tau[2 * i + 1] = ti;
      e[i] = beta;
      // v = x / (alpha − beta)
      const dr = ar - beta,
        di = ai;
      const scale = Math.max(Math.abs(dr), Math.abs(di));
      const ur = dr / scale,
        ui = di / scale,
        q = 1 / ((ur * ur + ui * ui) * scale);
      for (let k = first + 1; k < n; k++) {
        const xr = C[2 * k]!,
          xi = C[2 * k + 1]!;
        V[2 * (i * n + k)] = (xr * ur + xi * ui) * q;
        V[2 * (i * n + k) + 1] = (xi * ur - xr * ui) * q;
      }
      // p = A v − V (Wᴴ v) − W (Vᴴ v)
      const vi = v + i * row + 16 * first,
        p = column + 16 * first;
      C.fill(0, 2 * first);
      zgemv(m, m, 1, a + first * row + 16 * first, n, false, vi, p);
      if (j > 0) {
        K.fill(0, 0, 4 * j);
        zgemv(j, m, 1, w + 16 * first, n, true, vi, coefficients);
        zgemv(j, m, 1, vPanel + 16 * first, n, true, vi, coefficients + 16 * j);
        zgemvt(j, m, -1, vPanel + 16 * first, n, false, coefficients, p);
        zgemvt(j, m, -1, w + 16 * first, n, false, coefficients + 16 * j, p);
      }
      // w = τ p − ½ |τ|² (vᴴ p) v; the last factor is real
      let dot = 0;
      for (let k = first; k < n; k++) dot += V[2 * (i * n + k)]! * C[2 * k]! + V[2 * (i * n + k) + 1]! * C[2 * k + 1]!;
      const half = -0.5 * (tr * tr + ti * ti) * dot;
      for (let k = first; k < n; k++) {
        const pr = C[2 * k]!,
          pi = C[2 * k + 1]!,
          k2 = 2 * (i * n + k);
        W[2 * (j * n + k)] = tr * pr - ti * pi + half * V[k2]!;
        W[2 * (j * n + k) + 1] = tr * pi + ti * pr + half * V[k2 + 1]!;
      }
    }
    const rest = n - end;
    if (rest <= 0) continue;
    // A −= V^T conj(W) + W^T conj(V) on and right of the diagonal blocks, then mirror.
    const k = end - start,
      vPanel = v + start * row;
    const BLOCK = 64;
    for (let r = end; r < n; r += BLOCK) {
      const rows = Math.min(BLOCK, n - r),
        cols = n - r,
        c = a + r * row + 16 * r;
      zgemm(rows, cols, k, -1, vPanel + 16 * r, 1, n, false, w + 16 * r, n, 1, true, c, n);
      zgemm(rows, cols, k, -1, w + 16 * r, 1, n, false, vPanel + 16 * r, n, 1, true, c, n);
    }
    for (let r = end; r < n; r++) {
      A[2 * (r * n + r) + 1] = 0;
      for (let s = r + 1; s < n; s++) {
        A[2 * (s * n + r)] = A[2 * (r * n + s)]!;
        A[2 * (s * n + r) + 1] = -A[2 * (r * n + s) + 1]!;
      }
    }
  }
}

/**
 * Z := Q Z with the reflectors of {@link tridiagonalise}, in blocks: H_k…H_{k+b−1} = I − V T Vᴴ with triangular T (compact WY form).
 * @param z - address of Z [n, columns] complex f64, row-major
 * @param scratch - address of PANEL·(PANEL + 2·columns) complex numbers
 * @see Schreiber & Van Loan (1989) SIAM J. Sci. Stat. Comput. 10, 53
 */
export function applyReflectors(
  kernels: DenseKernels,
  n: number,
  v: number,
  tau: Float64Array,
  z: number,
  columns: number,
  scratch: number,
): void {
  const { arena, zgemm } = kernels;
  const t = scratch,
    y = t + 16 * PANEL * PANEL,
    x = y + 16 * PANEL * columns;
  const T = arena.f64(t, 2 * PANEL * PANEL),
    V = arena.f64(v, 2 * n * n),
    YX = arena.f64(y, 4 * PANEL * columns);
  for (let start = Math.floor((n - 1) / PANEL) * PANEL; start >= 0; start -= PANEL) {
    const k = Math.min(PANEL, n - start),
      from = Math.min(n - 1, start + 1),
      length = n - from;
    const vp = v + 16 * (start * n + from);
    T.fill(0);
    for (let j = 0; j < k; j++) {
      const tr = tau[2 * (start + j)]!,
        ti = tau[2 * (start + j) + 1]!;
      T[2 * (j * PANEL + j)] = tr;
      T[2 * (j * PANEL + j) + 1] = ti;
      // column j above the diagonal: −τ_j T (Vᴴ v_j)
      const dot = new Float64Array(2 * j);
      for (let l = 0; l < j; l++) {
        let re = 0,
          im = 0;
        const p = 2 * (start + l) * n,
          q = 2 * (start + j) * n;
        for (let c = 2 * (start + j); c < 2 * n; c += 2) {
          const ar = V[p + c]!,
            ai = V[p + c + 1]!,
            br = V[q + c]!,
            bi = V[q + c + 1]!;
          re += ar * br + ai * bi;
          im += ar * bi - ai * br;
        }
        dot[2 * l] = -(tr * re - ti * im);
        dot[2 * l + 1] = -(tr * im + ti * re);
      }
      for (let i = 0; i < j; i++) {
        let re = 0,
          im = 0;
        for (let l = i; l < j; l++) {
          const ar = T[2 * (i * PANEL + l)]!,
            ai = T[2 * (i * PANEL + l) + 1]!;
          re += ar * dot[2 * l]! - ai * dot[2 * l + 1]!;
          im += ar * dot[2 * l + 1]! + ai * dot[2 * l]!;
        }
        T[2 * (i * PANEL + j)] = re;
        T[2 * (i * PANEL + j) + 1] = im;
      }
    }
    YX.fill(0);
    const zp = z + 16 * from * columns;
    zgemm(k, columns, length, 1, vp, n, 1, true, zp, columns, 1, false, y, columns);
    zgemm(k, columns, k, 1, t, PANEL, 1, false, y, columns, 1, false, x, columns);
    zgemm(length, columns, k, -1, vp, 1, n, false, x, columns, 1, false, zp, columns);
  }
}
