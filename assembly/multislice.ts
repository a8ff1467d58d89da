// Multislice on one grid: transmit and propagate, with the Fourier transforms fused into the passes over the wave.
//
// Plan, words (i32 or addresses): 0 ny, 1 nx, 2 FFT tables of nx, 3 FFT tables of ny, 4 columns kept at the left (kx = 0 …), 5 columns kept
// at the right (kx = −1 …), 6 rows of a chunk. Columns in between lie outside the antialias circle: they are zero and never transformed.
// A wave is complex [ny, nx] in FFT order; between calls it stands in reciprocal space.
import { exp2x, sincos } from "./lib/elementary";
import { columnBatch, rows } from "./lib/fft-axes";
import { field } from "./lib/fft-plan";
import { even, mulIm, mulRe, odd, zipHigh, zipLow } from "./lib/simd";

/** x := x · y, complex, `bytes` of each. */
// @ts-ignore: decorator
@inline
function multiply<T>(x: usize, y: usize, bytes: usize): void {
  const c: usize = 2 * sizeof<T>();
  let p: usize = 0;
  for (; p + 32 <= bytes; p += 32) {
    const a = v128.load(x + p), b = v128.load(x + p, 16), u = v128.load(y + p), v = v128.load(y + p, 16);
    const ar = even<T>(a, b), ai = odd<T>(a, b), br = even<T>(u, v), bi = odd<T>(u, v);
    const re = mulRe<T>(ar, ai, br, bi), im = mulIm<T>(ar, ai, br, bi);
    v128.store(x + p, zipLow<T>(re, im));
    v128.store(x + p, zipHigh<T>(re, im), 16);
  }
  for (; p < bytes; p += c) {
    const ar = load<T>(x + p), ai = load<T>(x + p, sizeof<T>()), br = load<T>(y + p), bi = load<T>(y + p, sizeof<T>());
    store<T>(x + p, <T>(ar * br - ai * bi));
    store<T>(x + p, <T>(ar * bi + ai * br), sizeof<T>());
  }
}

/** mode: 1 forward, 2 multiply by `factor`, 4 inverse; a batch of columns stays in the cache for all three. */
function columnRange<T>(plan: usize, wave: usize, factor: usize, mode: i32, from: usize, to: usize, scratch: usize): void {
  const ny = field(plan, 0), d = field(plan, 12), stride = field(plan, 4) * 2 * sizeof<T>(), W = field(d, 36);
  const scale = 1.0 / <f64>ny;
  for (let at = from; at < to; at += W) {
    const x = wave + at, bytes = min(W, to - at);
    if (mode & 1) columnBatch<T>(d, x, stride, bytes, scratch, 0, 1);
    if (mode & 2) for (let i: usize = 0; i < ny; i++) multiply<T>(x + i * stride, factor + at + i * stride, bytes);
    if (mode & 4) columnBatch<T>(d, x, stride, bytes, scratch, 1, scale);
  }
}
function columnPass<T>(plan: usize, wave: usize, factor: usize, mode: i32, scratch: usize): void {
  const c: usize = 2 * sizeof<T>(), nx = field(plan, 4);
  columnRange<T>(plan, wave, factor, mode, 0, field(plan, 16) * c, scratch);
  columnRange<T>(plan, wave, factor, mode, (nx - field(plan, 20)) * c, nx * c, scratch);
}
/** Rows to real space, times t, and back (t = 0: forward alone); what lies outside the kept columns is cleared. */
function rowPass<T>(plan: usize, wave: usize, t: usize, scratch: usize): void {
  const ny = field(plan, 0), nx = field(plan, 4), d = field(plan, 8), c: usize = 2 * sizeof<T>(), stride = nx * c, chunk = field(plan, 24);
  const left = field(plan, 16), outside = (nx - left - field(plan, 20)) * c;
  for (let lo: usize = 0; lo < ny; lo += chunk) {
    const hi = min(lo + chunk, ny), x = wave + lo * stride;
    if (t) {
      rows<T>(d, wave, stride, wave, stride, lo, hi, scratch, 1, 1.0 / <f64>nx);
      multiply<T>(x, t + lo * stride, (hi - lo) * stride);
    }
    rows<T>(d, wave, stride, wave, stride, lo, hi, scratch, 0, 1);
    for (let i = lo; i < hi; i++) memory.fill(wave + i * stride + left * c, 0, outside);
  }
}

/**
 * Slices first … last − 1 for `waves` waves one after the other in memory: transmit, propagate. `slices`: pairs of addresses (transmission, propagator).
 */
function advance<T>(plan: usize, slices: usize, first: i32, last: i32, wave: usize, waves: i32, scratch: usize): void {
  if (first >= last) return;
  const size = field(plan, 0) * field(plan, 4) * 2 * sizeof<T>();
  for (let w: i32 = 0; w < waves; w++, wave += size) {
    columnPass<T>(plan, wave, 0, 4, scratch);
    for (let s = first; s < last; s++) {
      const at = slices + <usize>(s << 3);
      rowPass<T>(plan, wave, field(at, 0), scratch);
      columnPass<T>(plan, wave, field(at, 4), s + 1 < last ? 7 : 3, scratch);
    }
  }
}
/** Real space to reciprocal space times `factor`; with `back` to real space again. */
function filter<T>(plan: usize, wave: usize, factor: usize, back: bool, scratch: usize): void {
  rowPass<T>(plan, wave, 0, scratch);
  columnPass<T>(plan, wave, factor, (factor ? 3 : 1) | (back ? 4 : 0), scratch);
  if (back) rowsBack<T>(plan, wave, scratch);
}
function rowsBack<T>(plan: usize, wave: usize, scratch: usize): void {
  const nx = field(plan, 4), stride = nx * 2 * sizeof<T>();
  rows<T>(field(plan, 8), wave, stride, wave, stride, 0, field(plan, 0), scratch, 1, 1.0 / <f64>nx);
}
/** Reciprocal to real space. */
function toReal<T>(plan: usize, wave: usize, scratch: usize): void {
  columnPass<T>(plan, wave, 0, 4, scratch);
  rowsBack<T>(plan, wave, scratch);
}
/** out = amplitude · y[iy] · x[ix], all complex: a probe at a place. */
function shifted<T>(plan: usize, amplitude: usize, x: usize, y: usize, out: usize): void {
  const ny = field(plan, 0), nx = field(plan, 4), c: usize = 2 * sizeof<T>(), stride = nx * c;
  for (let i: usize = 0; i < ny; i++) {
    const yr = load<T>(y + i * c), yi = load<T>(y + i * c, sizeof<T>()), o = out + i * stride, a = amplitude + i * stride;
    for (let j: usize = 0; j < stride; j += c) {
      const xr = load<T>(x + j), xi = load<T>(x + j, sizeof<T>());
      store<T>(o + j, <T>(xr * yr - xi * yi));
      store<T>(o + j, <T>(xr * yi + xi * yr), sizeof<T>());
    }
    multiply<T>(o, a, stride);
  }
}
/** A spectrum [my, mx] in FFT order into the middle of a larger one [ny, nx], whose other bins are cleared. */
function spread<T>(from: usize, my: i32, mx: i32, to: usize, ny: i32, nx: i32): void {
  const c: usize = 2 * sizeof<T>(), right = <usize>(mx >> 1) * c, left = <usize>mx * c - right;
  memory.fill(to, 0, <usize>(ny * nx) * c);
  for (let y: i32 = 0; y < my; y++) {
    const row = to + <usize>((y < my - (my >> 1) ? y : y - my + ny) * nx) * c, source = from + <usize>(y * mx) * c;
    memory.copy(row, source, left);
    memory.copy(row + <usize>nx * c - right, source + left, right);
  }
}
/** out (+)= weight · |wave|², n points. */
function intensity<T>(wave: usize, n: usize, out: usize, weight: f64, add: bool): void {
  const L: usize = 16 / sizeof<T>(), w = v128.splat<T>(<T>weight);
  let i: usize = 0;
  for (; i + L <= n; i += L) {
    const a = v128.load(wave + i * 2 * sizeof<T>()), b = v128.load(wave + i * 2 * sizeof<T>(), 16), o = out + i * sizeof<T>();
    const re = even<T>(a, b), im = odd<T>(a, b);
    const v = v128.mul<T>(w, v128.add<T>(v128.mul<T>(re, re), v128.mul<T>(im, im)));
    v128.store(o, add ? v128.add<T>(v128.load(o), v) : v);
  }
  for (; i < n; i++) {
    const re = load<T>(wave + i * 2 * sizeof<T>()), im = load<T>(wave + i * 2 * sizeof<T>(), sizeof<T>()), o = out + i * sizeof<T>();
    const v = <T>weight * (re * re + im * im);
    store<T>(o, add ? <T>(load<T>(o) + v) : <T>v);
  }
}
/** out[d] = Σ mask_d · |wave|² for masks [detectors, n] of f32; sums in f64, in one order. */
function detect<T>(wave: usize, n: usize, masks: usize, detectors: i32, out: usize): void {
  for (let d: i32 = 0; d < detectors; d++) {
    const m = masks + <usize>d * n * 4;
    let s0: f64 = 0, s1: f64 = 0, i: usize = 0;
    for (; i + 2 <= n; i += 2) {
      const p = wave + i * 2 * sizeof<T>(), w0 = <f64>load<f32>(m + i * 4), w1 = <f64>load<f32>(m + i * 4, 4);
      if (w0 == 0 && w1 == 0) continue;
      const a = <f64>load<T>(p), b = <f64>load<T>(p, sizeof<T>()), e = <f64>load<T>(p, 2 * sizeof<T>()), f = <f64>load<T>(p, 3 * sizeof<T>());
      s0 += w0 * (a * a + b * b);
      s1 += w1 * (e * e + f * f);
    }
    if (i < n) {
      const p = wave + i * 2 * sizeof<T>(), a = <f64>load<T>(p), b = <f64>load<T>(p, sizeof<T>());
      s0 += <f64>load<f32>(m + i * 4) * (a * a + b * b);
    }
    store<f64>(out + <usize>(d << 3), s0 + s1);
  }
}
/** out = exp(iσ v − σ loss), complex; v and loss are real (loss = 0: none). */
function transmit<T>(v: usize, loss: usize, sigma: f64, n: usize, out: usize): void {
  for (let i: usize = 0; i < n; i += 2) {
    const two = i + 1 < n;
    const a = <f64>load<T>(v + i * sizeof<T>()), b = two ? <f64>load<T>(v + (i + 1) * sizeof<T>()) : 0;
    const s = sincos(f64x2.mul(f64x2.splat(sigma), f64x2.replace_lane(f64x2.splat(a), 1, b)), true);
    const c = sincos(f64x2.mul(f64x2.splat(sigma), f64x2.replace_lane(f64x2.splat(a), 1, b)), false);
    let m = f64x2.splat(1);
    if (loss) {
      const p = <f64>load<T>(loss + i * sizeof<T>()), q = two ? <f64>load<T>(loss + (i + 1) * sizeof<T>()) : 0;
      m = exp2x(f64x2.mul(f64x2.splat(-sigma), f64x2.replace_lane(f64x2.splat(p), 1, q)));
    }
    const re = f64x2.mul(m, c), im = f64x2.mul(m, s), o = out + i * 2 * sizeof<T>();
    store<T>(o, <T>f64x2.extract_lane(re, 0));
    store<T>(o, <T>f64x2.extract_lane(im, 0), sizeof<T>());
    if (two) {
      store<T>(o, <T>f64x2.extract_lane(re, 1), 2 * sizeof<T>());
      store<T>(o, <T>f64x2.extract_lane(im, 1), 3 * sizeof<T>());
    }
  }
}
/** cos and sin of k·step for k = lo … hi − 1 of `count` atoms, times weight: rows of complex f64, [count, hi − lo]; the chain restarts every 32. */
export function phases(step: usize, weight: usize, count: i32, lo: i32, hi: i32, out: usize): void {
  for (let j: i32 = 0; j < count; j++) {
    const turns = load<f64>(step + <usize>(j << 3)), turn = turns - nearest(turns), w = weight ? load<f64>(weight + <usize>(j << 3)) : 1.0;
    const one = f64x2.splat(6.283185307179586 * turn);
    const c1 = f64x2.extract_lane(sincos(one, false), 0), s1 = f64x2.extract_lane(sincos(one, true), 0);
    let c = 0.0, s = 0.0;
    for (let k = lo; k < hi; k++) {
      if (((k - lo) & 31) == 0) {
        const p = turn * <f64>k, a = f64x2.splat(6.283185307179586 * (p - nearest(p)));
        c = f64x2.extract_lane(sincos(a, false), 0);
        s = f64x2.extract_lane(sincos(a, true), 0);
      }
      store<f64>(out, w * c);
      store<f64>(out, -w * s, 8);
      out += 16;
      const t = c * c1 - s * s1;
      s = c * s1 + s * c1;
      c = t;
    }
  }
}
/** spectrum += f · s over n complex f64, f real f64. */
export function weigh(spectrum: usize, f: usize, s: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) {
    const o = spectrum + (i << 4);
    v128.store(o, f64x2.add(v128.load(o), f64x2.mul(v128.load64_splat(f + (i << 3)), v128.load(s + (i << 4)))));
  }
}

export function advance_f32(plan: usize, slices: usize, first: i32, last: i32, wave: usize, waves: i32, scratch: usize): void { advance<f32>(plan, slices, first, last, wave, waves, scratch); }
export function advance_f64(plan: usize, slices: usize, first: i32, last: i32, wave: usize, waves: i32, scratch: usize): void { advance<f64>(plan, slices, first, last, wave, waves, scratch); }
export function filter_f32(plan: usize, wave: usize, factor: usize, back: bool, scratch: usize): void { filter<f32>(plan, wave, factor, back, scratch); }
export function filter_f64(plan: usize, wave: usize, factor: usize, back: bool, scratch: usize): void { filter<f64>(plan, wave, factor, back, scratch); }
export function toReal_f32(plan: usize, wave: usize, scratch: usize): void { toReal<f32>(plan, wave, scratch); }
export function toReal_f64(plan: usize, wave: usize, scratch: usize): void { toReal<f64>(plan, wave, scratch); }
export function shifted_f32(plan: usize, amplitude: usize, x: usize, y: usize, out: usize): void { shifted<f32>(plan, amplitude, x, y, out); }
export function shifted_f64(plan: usize, amplitude: usize, x: usize, y: usize, out: usize): void { shifted<f64>(plan, amplitude, x, y, out); }
export function spread_f32(from: usize, my: i32, mx: i32, to: usize, ny: i32, nx: i32): void { spread<f32>(from, my, mx, to, ny, nx); }
export function spread_f64(from: usize, my: i32, mx: i32, to: usize, ny: i32, nx: i32): void { spread<f64>(from, my, mx, to, ny, nx); }
export function intensity_f32(wave: usize, n: usize, out: usize, weight: f64, add: bool): void { intensity<f32>(wave, n, out, weight, add); }
export function intensity_f64(wave: usize, n: usize, out: usize, weight: f64, add: bool): void { intensity<f64>(wave, n, out, weight, add); }
export function detect_f32(wave: usize, n: usize, masks: usize, detectors: i32, out: usize): void { detect<f32>(wave, n, masks, detectors, out); }
export function detect_f64(wave: usize, n: usize, masks: usize, detectors: i32, out: usize): void { detect<f64>(wave, n, masks, detectors, out); }
export function transmit_f32(v: usize, loss: usize, sigma: f64, n: usize, out: usize): void { transmit<f32>(v, loss, sigma, n, out); }
export function transmit_f64(v: usize, loss: usize, sigma: f64, n: usize, out: usize): void { transmit<f64>(v, loss, sigma, n, out); }
