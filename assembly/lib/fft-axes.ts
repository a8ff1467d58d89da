// Transforms of lines of an array, shared by the FFT family and by families that fuse transforms with other work.
import { batch, columns, field, row } from "./fft-plan";
import { packColumns, packLanes, packRows, unpackColumns, unpackLanes, unpackRows } from "./fft-pack";

// @ts-ignore: decorator
@inline
function signMask<T>(inverse: i32): v128 {
  if (!inverse) return i64x2.splat(0);
  return sizeof<T>() == 4 ? i32x4.splat(0x80000000) : i64x2.splat(0x8000000000000000);
}

export function rows<T>(d: usize, src: usize, srcStride: usize, dst: usize, dstStride: usize, lo: usize, hi: usize, scratch: usize, inverse: i32, scale: f64): void {
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

/** One batch of neighbouring columns: `bytes` (at most the batch width) of each of the n rows from x on, rows `stride` bytes apart. */
export function columnBatch<T>(d: usize, x: usize, stride: usize, bytes: usize, scratch: usize, inverse: i32, scale: f64): void {
  const n = field(d, 0), m = field(d, 8), c: usize = 2 * sizeof<T>(), W = field(d, 36);
  const tmp = scratch, a = scratch + 2048, mask = signMask<T>(inverse);
  const s = <T>scale, si = inverse ? -s : s, vs = v128.splat<T>(s), vi = v128.splat<T>(si);
  const perm = field(d, 16), last = field(d, 20), b = a + m * W;
  const w = bytes & ~31, rest = (bytes - w) / c;
  if (w) {
    if (field(d, 48)) columns<T>(d, x, stride, a, w, mask, vs, vi, tmp);
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
export function cols<T>(d: usize, data: usize, inner: usize, lo: usize, hi: usize, scratch: usize, inverse: i32, scale: f64): void {
  const n = field(d, 0), c: usize = 2 * sizeof<T>(), W = field(d, 36), stride = inner * c;
  const units = (stride + W - 1) / W;
  for (let u = lo; u < hi; u++) {
    const o = u / units, at = (u - o * units) * W;
    columnBatch<T>(d, data + o * n * stride + at, stride, min(W, stride - at), scratch, inverse, scale);
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
