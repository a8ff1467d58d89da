// Bloch waves of one orientation: the scaled structure matrix, Chebyshev vectors from e0, wave functions at many thicknesses.
import { real, complex } from "./lib/bloch-fill";
import { besselTable } from "./lib/bloch-bessel";
import { reverseRows, vectorsComplex, vectorsReal } from "./lib/bloch-vectors";
import { gemm, workBytes } from "./lib/dense-gemm";

export function gemmWork(): i32 { return workBytes(); }

/** f·(A − shift) of a real potential, rows of lda numbers. */
export function fillReal(n: i32, key: usize, table: usize, centre: i32, q: usize, diagonal: usize, f: f64, shift: f64, a: usize, lda: i32): void {
  real(n, key, table, centre, q, diagonal, f, shift, a, lda);
}
/** f·(A − shift − i·decay) of a complex potential; `hermitian` mirrors the lower triangle. u0: Im W_0, on the diagonal. */
export function fillComplex(n: i32, key: usize, table: usize, centre: i32, q: usize, diagonal: usize, u0: f64, decay: f64, hermitian: bool, f: f64, shift: f64, a: usize): void {
  complex(n, key, table, centre, q, diagonal, u0, decay, hermitian, f, shift, a);
}
/** In place a := f·(a − shift − i·decay), rows of `width` numbers of which `ld − n` at the end are zero; pairs: complex. */
export function rescale(n: i32, width: i32, pairs: bool, f: f64, shift: f64, decay: f64, a: usize): void {
  const end = a + <usize>n * <usize>width * 8, factor = f64x2.splat(f);
  for (let p = a; p < end; p += 16) v128.store(p, f64x2.mul(factor, v128.load(p)));
  const step = (<usize>width + (pairs ? 2 : 1)) * 8;
  for (let i: i32 = 0, p = a; i < n; i++, p += step) {
    store<f64>(p, load<f64>(p) - f * shift);
    if (pairs) store<f64>(p, load<f64>(p, 8) - f * decay, 8);
  }
}
/** J_k(x_t) for k < terms, one row a time t (rho·tau_t), rows of `capacity`; returns the number of terms needed for 1e-15, or −1 when over capacity. */
export function bessel(times: i32, tau: usize, rho: f64, capacity: i32, out: usize): i32 {
  return besselTable(times, tau, rho, capacity, out);
}

export { vectorsReal, vectorsComplex };

/**
 * Sums over the Chebyshev vectors: even [times, width] = Σ_j (2 − δ) (−1)^j J_2j v_2j, odd the same over 2j + 1.
 * J: rows of `capacity`, overwritten by the coefficients; width: numbers in a row of v (ld real, 2n complex).
 */
export function combine(times: i32, terms: i32, width: i32, J: usize, capacity: i32, v: usize, even: usize, odd: usize, work: usize): void {
  for (let t: i32 = 0; t < times; t++) {
    const row = J + <usize>t * <usize>capacity * 8;
    for (let k: i32 = 0; k < terms; k++) {
      const p = row + (<usize>k << 3);
      const c = load<f64>(p) * (k == 0 ? 1 : 2);
      store<f64>(p, (k & 2) != 0 ? -c : c);
    }
  }
  const bytes = <usize>times * <usize>width * 8;
  memory.fill(even, 0, bytes);
  memory.fill(odd, 0, bytes);
  gemm<f64>(times, width, (terms + 1) >> 1, 1, J, capacity, 2, false, v, 2 * width, 1, false, even, width, work, false);
  if (terms > 1) gemm<f64>(times, width, terms >> 1, 1, J + 8, capacity, 2, false, v + <usize>width * 8, 2 * width, 1, false, odd, width, work, false);
}

/**
 * psi = (even + i·odd)·turn: out [times, n] complex. kind 0: even and odd are real rows of `width`; kind 1: complex. turn: a complex factor of each
 * time, or 0 for none.
 */
export function waves(times: i32, n: i32, width: i32, kind: i32, turn: usize, even: usize, odd: usize, out: usize): void {
  for (let t: i32 = 0; t < times; t++) {
    const c = turn ? load<f64>(turn + (<usize>t << 4)) : 1, s = turn ? load<f64>(turn + (<usize>t << 4), 8) : 0;
    const e = even + <usize>t * <usize>width * 8, o = odd + <usize>t * <usize>width * 8, p = out + <usize>t * <usize>n * 16;
    for (let i: i32 = 0; i < n; i++) {
      const at = p + (<usize>i << 4), k = <usize>i << (kind == 0 ? 3 : 4);
      let re = load<f64>(e + k), im = load<f64>(o + k);
      if (kind != 0) {
        re -= load<f64>(o + k, 8);
        im += load<f64>(e + k, 8);
      }
      store<f64>(at, turn ? re * c - im * s : re);
      store<f64>(at, turn ? re * s + im * c : im, 8);
    }
  }
}

/** Σ_t w_t |psi_t|² / surface into out [n] (surface = 1/q²); returns the largest |Σ_i |psi_i|² − 1| over the times. */
export function averageIntensities(times: i32, n: i32, psi: usize, weights: usize, q: usize, out: usize): f64 {
  memory.fill(out, 0, <usize>n * 8);
  let worst: f64 = 0;
  for (let t: i32 = 0; t < times; t++) {
    const p = psi + <usize>t * <usize>n * 16, w = load<f64>(weights + (<usize>t << 3));
    let flux: f64 = 0;
    for (let i: i32 = 0; i < n; i++) {
      const re = load<f64>(p + (<usize>i << 4)), im = load<f64>(p + (<usize>i << 4), 8);
      const intensity = re * re + im * im;
      flux += intensity;
      const at = out + (<usize>i << 3);
      store<f64>(at, load<f64>(at) + w * intensity);
    }
    worst = max(worst, abs(flux - 1));
    if (flux != flux) worst = Infinity;
  }
  for (let i: i32 = 0; i < n; i++) {
    const at = out + (<usize>i << 3), f = load<f64>(q + (<usize>i << 3));
    store<f64>(at, load<f64>(at) * f * f);
  }
  return worst;
}

/**
 * Intensities of one orientation averaged over thicknesses, all in one call: see SolveArgs in src/kernels/bloch.ts for the layout.
 * The spectrum is taken to lie within [min d − below, max d + above]; where that was too narrow the norm of the wave function betrays it
 * (Hermitian matrices only) and the solution is repeated with a wider one. Returns the last |flux − 1|, or −1 when `capacity` terms do not suffice;
 * out[0] is NaN when there is no solution.
 */
export function solve(
  kind: i32, n: i32, key: usize, table: usize, centre: i32, q: usize, diagonal: usize, u0: f64, decay: f64, below: f64, above: f64, tolerance: f64,
  times: i32, tau: usize, weights: usize, capacity: i32, scratch: usize, out: usize,
): f64 {
  const ld: i32 = kind == 0 ? (n + 1) & ~1 : n;
  const width: i32 = kind == 0 ? ld : 2 * n;
  const a = scratch;
  const v = a + <usize>n * <usize>width * 8;
  const J = v + <usize>capacity * <usize>width * 8;
  const even = J + <usize>times * <usize>capacity * 8;
  const odd = even + <usize>times * <usize>width * 8;
  const psi = odd + <usize>times * <usize>width * 8;
  const work = psi + <usize>times * <usize>n * 16;
  let lo = load<f64>(diagonal), hi = lo;
  for (let i: i32 = 1; i < n; i++) {
    const d = load<f64>(diagonal + (<usize>i << 3));
    lo = min(lo, d);
    hi = max(hi, d);
  }
  let error: f64 = 0;
  for (let attempt: i32 = 0; attempt < 8; attempt++) {
    const shift = 0.5 * (lo - below + hi + above), rho = max(1e-9, 0.5 * (hi + above - lo + below));
    const terms = besselTable(times, tau, rho, capacity, J);
    if (terms < 0) {
      store<f64>(out, NaN);
      return -1;
    }
    if (kind == 0) {
      real(n, key, table, centre, q, diagonal, 2 / rho, shift, a, ld);
      vectorsReal(n, a, ld, terms, v);
    } else {
      complex(n, key, table, centre, q, diagonal, u0, decay, kind == 1, 2 / rho, shift, a);
      vectorsComplex(n, a, terms, v, work);
    }
    combine(times, terms, width, J, capacity, v, even, odd, work);
    waves(times, n, width, kind == 0 ? 0 : 1, 0, even, odd, psi);
    error = averageIntensities(times, n, psi, weights, q, out);
    if (kind == 2 || error <= tolerance) break;
    below = 1.5 * below + 0.02 * (hi - lo) + 1e-6;
    above = 1.5 * above + 0.02 * (hi - lo) + 1e-6;
  }
  if (kind != 2 && !(error <= tolerance)) store<f64>(out, NaN);
  return error;
}

/** Adjoint of the recurrence of one vector, see lib/bloch-vectors.ts; work: 8 ld bytes (real), 32 n bytes (complex). */
export function reverse(n: i32, ld: i32, pairs: bool, hermitian: bool, terms: i32, a: usize, y: usize, work: usize): void {
  reverseRows(n, 1, a, ld, !pairs, hermitian, terms, y, work, 0);
}
/**
 * Pairs of different beams of a gradient g [n, n] with respect to 2X, real rows of ld numbers or complex rows of n: u[target_ij] += scale·q_i q_j g_ij (target:
 * place of the number in u; u complex). Writes Σ Re(conj(g_ij) a_ij)·(1, slope_i + slope_j) to sums [2], a = 2X.
 */
export function collect(n: i32, ld: i32, pairs: bool, g: usize, a: usize, q: usize, slope: usize, target: usize, scale: f64, u: usize, sums: usize): void {
  let total: f64 = 0, sloped: f64 = 0;
  const row = <usize>ld << (pairs ? 4 : 3);
  for (let i: i32 = 0; i < n; i++) {
    const qi = scale * load<f64>(q + (<usize>i << 3)), si = load<f64>(slope + (<usize>i << 3));
    const gi = g + <usize>i * row, ai = a + <usize>i * row, ti = target + (<usize>(i * n) << 2);
    for (let j: i32 = 0; j < n; j++) {
      if (i == j) continue;
      const to = u + (<usize>load<i32>(ti + (<usize>j << 2)) << 3), f = qi * load<f64>(q + (<usize>j << 3));
      const o = <usize>j << (pairs ? 4 : 3), re = load<f64>(gi + o);
      let product = re * load<f64>(ai + o);
      store<f64>(to, load<f64>(to) + f * re);
      if (pairs) {
        const im = load<f64>(gi + o, 8);
        product += im * load<f64>(ai + o, 8);
        store<f64>(to, load<f64>(to, 8) + f * im, 8);
      }
      total += product;
      sloped += product * (si + load<f64>(slope + (<usize>j << 3)));
    }
  }
  store<f64>(sums, total);
  store<f64>(sums, sloped, 8);
}
// Structured product: beams on a grid, W·x = gather(FFT⁻¹(FFT(W)·FFT(scatter(x)))).

/** grid [points] complex = 0, then x·q at `place`. x: real numbers or pairs. */
export function scatter(n: i32, x: usize, pairs: bool, q: usize, place: usize, grid: usize, points: i32): void {
  memory.fill(grid, 0, <usize>points * 16);
  for (let i: i32 = 0; i < n; i++) {
    const f = load<f64>(q + (<usize>i << 3)), at = grid + (<usize>load<i32>(place + (<usize>i << 2)) << 4);
    if (pairs) {
      store<f64>(at, f * load<f64>(x + (<usize>i << 4)));
      store<f64>(at, f * load<f64>(x + (<usize>i << 4), 8), 8);
    } else store<f64>(at, f * load<f64>(x + (<usize>i << 3)));
  }
}
/** grid *= factor: complex times complex, or times real. */
export function multiplyGrid(points: i32, grid: usize, factor: usize, realFactor: bool): void {
  for (let i: i32 = 0; i < points; i++) {
    const at = grid + (<usize>i << 4);
    const g = v128.load(at);
    if (realFactor) {
      v128.store(at, f64x2.mul(g, v128.load_splat<f64>(factor + (<usize>i << 3))));
      continue;
    }
    const f = factor + (<usize>i << 4);
    const re = f64x2.mul(g, v128.load_splat<f64>(f)), im = f64x2.mul(v128.shuffle<f64>(g, g, 1, 0), v128.load_splat<f64>(f, 8));
    v128.store(at, f64x2.add(re, f64x2.mul(im, f64x2(-1, 1))));
  }
}
/** y = (two/rho)·(q·grid[place]·scale + (d − shift + i(u0 q² − decay))·x) − z; the Chebyshev step of a structured matrix. z may be 0. */
export function gatherStep(n: i32, pairs: bool, grid: usize, place: usize, q: usize, d: usize, u0: f64, decay: f64, factor: f64, scale: f64, shift: f64, x: usize, z: usize, y: usize): void {
  for (let i: i32 = 0; i < n; i++) {
    const f = load<f64>(q + (<usize>i << 3)), at = grid + (<usize>load<i32>(place + (<usize>i << 2)) << 4);
    const e = load<f64>(d + (<usize>i << 3)) - shift;
    if (pairs) {
      const o = <usize>i << 4, xr = load<f64>(x + o), xi = load<f64>(x + o, 8), g = u0 * f * f - decay;
      let re = factor * (f * scale * load<f64>(at) + e * xr - g * xi), im = factor * (f * scale * load<f64>(at, 8) + e * xi + g * xr);
      if (z) {
        re -= load<f64>(z + o);
        im -= load<f64>(z + o, 8);
      }
      store<f64>(y + o, re);
      store<f64>(y + o, im, 8);
    } else {
      const o = <usize>i << 3;
      let re = factor * (f * scale * load<f64>(at) + e * load<f64>(x + o));
      if (z) re -= load<f64>(z + o);
      store<f64>(y + o, re);
    }
  }
}
