// Fourier transforms along one axis of an array in linear memory. See lib/fft-plan.ts for the descriptor `d`.
//   rows: transforms `lo` … `hi` − 1, each contiguous, at src + i·srcStride, to dst + i·dstStride
//   cols: the array is [outer, n, inner]; unit u is a batch of up to W bytes of neighbouring columns of one outer index
// `inverse` flips the sign of the exponent; `scale` multiplies the result. `scratch`: private to the caller (2 KiB + …).
import { cols, rows } from "./lib/fft-axes";
import { field } from "./lib/fft-plan";
import { joinReal, splitReal } from "./lib/fft-real";

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
