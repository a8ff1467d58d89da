// Fourier transforms along one axis of an array in linear memory. See lib/fft-plan.ts for the descriptor `d`.
//   rows: transforms `lo` … `hi` − 1, each contiguous, at src + i·srcStride, to dst + i·dstStride
//   cols: the array is [outer, n, inner]; unit u is a batch of up to W bytes of neighbouring columns of one outer index
// `inverse` flips the sign of the exponent; `scale` multiplies the result. `scratch`: private to the caller (2 KiB + …).
import { batch, columns, field, row } from "./lib/fft-plan";
import { packColumns, packLanes, packRows, unpackColumns, unpackLanes, unpackRows } from "./lib/fft-pack";
import { joinReal, splitReal } from "./lib/fft-real";

// @ts-ignore: decorator
@inline
function signMask<T>(inverse: i32): v128 {
  if (!inverse) return i64x2.splat(0);
  return sizeof<T>() == 4 ? i32x4.splat(0x80000000) : i64x2.splat(0x8000000000000000);
}

function rows<T>(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, inverse: i32, scale: f64): void {
  const n = field(d, 0), m = field(d, 8), L: usize = 16 / sizeof<T>(), c: usize = 2 * sizeof<T>();
  const tmp = scratch, a = scratch + 2048, mask = signMask<T>(inverse);
  const s = <T>scale, si = inverse ? -s : s, vs = v128.splat<T>(s), vi = v128.splat<T>(si);
  if (field(d, 32)) {
    for (let i = lo; i < hi; i++) row<T>(d, src + i * srcStride, dst + i * dstStride, a, mask, vs, vi, tmp);
    return;
  }
  const perm = field(d, 16), last = field(d, 20), most = field(d, 56) / 32;
  for (let i = lo; i < hi;) {
    // A few groups of L rows side by side, so that a twiddle once loaded serves them all.
    const x = src + i * srcStride, y = dst + i * dstStride, left = hi - i, groups = min(most, left / L);
    if (groups) {
      const w = groups * 32;
      for (let g: usize = 0; g < groups; g++) packRows<T>(x + g * L * srcStride, srcStride, n, a + g * 32, w, mask);
      const out = batch<T>(d, a, a + m * w, w, tmp);
      for (let g: usize = 0; g < groups; g++) unpackRows<T>(y + g * L * dstStride, dstStride, m, n, out + g * 32, w, perm, last, vs, vi);
      i += groups * L;
    } else {
      packLanes<T>(x, left, srcStride, c, n, a, <T>(inverse ? -1 : 1));
      const out = batch<T>(d, a, a + m * 32, 32, tmp);
      unpackLanes<T>(y, left, dstStride, c, m, n, out, perm, last, s, si);
      i = hi;
    }
  }
}

function cols<T>(d: usize, data: usize, inner: usize, lo: usize, hi: usize, scratch: usize, inverse: i32, scale: f64): void {
  const n = field(d, 0), m = field(d, 8), L: usize = 16 / sizeof<T>(), c: usize = 2 * sizeof<T>(), W = field(d, 36);
  const tmp = scratch, a = scratch + 2048, mask = signMask<T>(inverse), stride = inner * c;
  const s = <T>scale, si = inverse ? -s : s, vs = v128.splat<T>(s), vi = v128.splat<T>(si);
  const perm = field(d, 16), last = field(d, 20), b = a + m * W, fused = field(d, 48);
  const units = (stride + W - 1) / W;
  for (let u = lo; u < hi; u++) {
    const o = u / units, at = (u - o * units) * W, x = data + o * n * stride + at;
    const bytes = min(W, stride - at), w = bytes & ~31, rest = (bytes - w) / c;
    if (w) {
      if (fused) columns<T>(d, x, stride, a, w, mask, vs, vi, tmp);
      else {
        packColumns<T>(x, stride, n, a, w, mask);
        const out = batch<T>(d, a, b, w, tmp);
        if (field(d, 12)) unpackLimited<T>(x, stride, m, n, out, w, perm, last, vs, vi);
        else unpackColumns<T>(x, stride, n, out, w, perm, last, vs, vi);
      }
    }
    if (rest) {
      packLanes<T>(x + w, rest, c, stride, n, a, <T>(inverse ? -1 : 1));
      const out = batch<T>(d, a, b, 32, tmp);
      unpackLanes<T>(x + w, rest, c, stride, m, n, out, perm, last, s, si);
    }
  }
}
/** After Bluestein only the first n of m elements go out. */
function unpackLimited<T>(dst: usize, stride: usize, m: usize, n: usize, a: usize, w: usize, perm: usize, last: usize, sr: v128, si: v128): void {
  const step = m / last;
  for (let g: usize = 0; g < step; g++) {
    let r = <usize>load<u32>(perm + (g << 2));
    for (let k: usize = 0; k < last; k++, r += step, a += w)
      if (r < n) unpackColumns<T>(dst + r * stride, 0, 1, a, w, perm, 1, sr, si); // perm[0] is 0
  }
}

/** Real rows of N (field 44) values to N/2 + 1 complex. Odd N goes through a full complex transform. */
function realForward<T>(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, scale: f64): void {
  const N = field(d, 44), n = field(d, 0), c: usize = 2 * sizeof<T>(), L: usize = field(d, 60);
  if (!(N & 1)) {
    for (let i = lo; i < hi; i += L) {
      const e = min(i + L, hi);
      rows<T>(d, src, srcStride, dst, dstStride, i, e, scratch, 0, 0.5 * scale);
      for (let j = i; j < e; j++) splitReal<T>(dst + j * dstStride, n, field(d, 40));
    }
    return;
  }
  const line = scratch + field(d, 52), keep = ((N >> 1) + 1) * c;
  for (let i = lo; i < hi; i += L) {
    const e = min(i + L, hi) - i;
    for (let j: usize = 0; j < e; j++) {
      const x = src + (i + j) * srcStride, y = line + j * N * c;
      for (let k: usize = 0; k < N; k++) { store<T>(y + k * c, load<T>(x + k * sizeof<T>())); store<T>(y + k * c, <T>0, sizeof<T>()); }
    }
    rows<T>(d, line, N * c, line, N * c, 0, e, scratch, 0, scale);
    for (let j: usize = 0; j < e; j++) {
      const y = dst + (i + j) * dstStride;
      memory.copy(y, line + j * N * c, keep);
      store<T>(y, <T>0, sizeof<T>());
    }
  }
}
/** N/2 + 1 complex to real rows of N values; the input is kept. */
function realInverse<T>(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, scale: f64): void {
  const N = field(d, 44), n = field(d, 0), c: usize = 2 * sizeof<T>(), L: usize = field(d, 60), line = scratch + field(d, 52);
  for (let i = lo; i < hi; i += L) {
    const e = min(i + L, hi) - i;
    for (let j: usize = 0; j < e; j++) {
      const x = src + (i + j) * srcStride, y = line + j * n * c;
      if (!(N & 1)) joinReal<T>(x, y, n, field(d, 40));
      else {
        store<T>(y, load<T>(x));
        store<T>(y, <T>0, sizeof<T>());
        for (let k: usize = 1; k + k < N; k++) {
          const re = load<T>(x + k * c), im = load<T>(x + k * c, sizeof<T>());
          store<T>(y + k * c, re); store<T>(y + k * c, im, sizeof<T>());
          store<T>(y + (N - k) * c, re); store<T>(y + (N - k) * c, -im, sizeof<T>());
        }
      }
    }
    if (!(N & 1)) rows<T>(d, line, n * c, dst + i * dstStride, dstStride, 0, e, scratch, 1, scale);
    else {
      rows<T>(d, line, n * c, line, n * c, 0, e, scratch, 1, scale);
      for (let j: usize = 0; j < e; j++) {
        const x = line + j * n * c, y = dst + (i + j) * dstStride;
        for (let k: usize = 0; k < N; k++) store<T>(y + k * sizeof<T>(), load<T>(x + k * c));
      }
    }
  }
}

export function rows_f32(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, inverse: i32, scale: f64): void { rows<f32>(d, src, srcStride, dst, dstStride, lo, hi, scratch, inverse, scale); }
export function rows_f64(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, inverse: i32, scale: f64): void { rows<f64>(d, src, srcStride, dst, dstStride, lo, hi, scratch, inverse, scale); }
export function cols_f32(d: usize, data: usize, inner: usize, lo: usize, hi: usize, scratch: usize, inverse: i32, scale: f64): void { cols<f32>(d, data, inner, lo, hi, scratch, inverse, scale); }
export function cols_f64(d: usize, data: usize, inner: usize, lo: usize, hi: usize, scratch: usize, inverse: i32, scale: f64): void { cols<f64>(d, data, inner, lo, hi, scratch, inverse, scale); }
export function r2c_f32(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, scale: f64): void { realForward<f32>(d, src, srcStride, dst, dstStride, lo, hi, scratch, scale); }
export function r2c_f64(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, scale: f64): void { realForward<f64>(d, src, srcStride, dst, dstStride, lo, hi, scratch, scale); }
export function c2r_f32(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, scale: f64): void { realInverse<f32>(d, src, srcStride, dst, dstStride, lo, hi, scratch, scale); }
export function c2r_f64(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, scale: f64): void { realInverse<f64>(d, src, srcStride, dst, dstStride, lo, hi, scratch, scale); }
