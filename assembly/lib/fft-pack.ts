// Between the user's interleaved arrays and split scratch: element j of a batch of transforms stands at a + j·w, w bytes wide.
import { even, odd, zipLow, zipHigh } from "./simd";

/** n elements of neighbouring transforms (columns) from rows `stride` bytes apart; w is a multiple of 32. */
export function packColumns<T>(src: usize, stride: usize, n: usize, a: usize, w: usize, mask: v128): void {
  for (let j: usize = 0; j < n; j++) {
    let s = src + j * stride;
    for (let e = a + w; a < e; a += 32, s += 32) {
      const u = v128.load(s), v = v128.load(s, 16);
      v128.store(a, even<T>(u, v));
      v128.store(a, v128.xor(odd<T>(u, v), mask), 16);
    }
  }
}
/** Element j goes back to row perm[j / last] + (j % last)·step. */
export function unpackColumns<T>(dst: usize, stride: usize, n: usize, a: usize, w: usize, perm: usize, last: usize, sr: v128, si: v128): void {
  const step = n / last;
  for (let g: usize = 0; g < step; g++) {
    let row = <usize>load<u32>(perm + (g << 2));
    for (let k: usize = 0; k < last; k++, row += step) {
      let d = dst + row * stride;
      for (let e = a + w; a < e; a += 32, d += 32) {
        const re = v128.mul<T>(v128.load(a), sr), im = v128.mul<T>(v128.load(a, 16), si);
        v128.store(d, zipLow<T>(re, im));
        v128.store(d, zipHigh<T>(re, im), 16);
      }
    }
  }
}
/** Up to L transforms, any strides, one lane each (w = 32); missing lanes are zero. `sign` multiplies im. */
export function packLanes<T>(src: usize, lanes: usize, laneStride: usize, stride: usize, n: usize, a: usize, sign: T): void {
  const L: usize = 16 / sizeof<T>();
  for (let j: usize = 0; j < n; j++, a += 32) {
    const s = src + j * stride;
    for (let l: usize = 0; l < L; l++) {
      const at = a + l * sizeof<T>();
      store<T>(at, l < lanes ? load<T>(s + l * laneStride) : <T>0);
      store<T>(at + 16, l < lanes ? <T>(sign * load<T>(s + l * laneStride + sizeof<T>())) : <T>0);
    }
  }
}
export function unpackLanes<T>(dst: usize, lanes: usize, laneStride: usize, stride: usize, n: usize, limit: usize, a: usize, perm: usize, last: usize, sr: T, si: T): void {
  const step = n / last;
  for (let g: usize = 0; g < step; g++) {
    let row = <usize>load<u32>(perm + (g << 2));
    for (let k: usize = 0; k < last; k++, row += step, a += 32) {
      if (row >= limit) continue;
      const d = dst + row * stride;
      for (let l: usize = 0; l < lanes; l++) {
        store<T>(d + l * laneStride, load<T>(a + l * sizeof<T>()) * sr);
        store<T>(d + l * laneStride + sizeof<T>(), load<T>(a + l * sizeof<T>() + 16) * si);
      }
    }
  }
}
/** L whole rows of n contiguous complex each, `stride` bytes apart, to one block of each element: a transposition in registers. */
export function packRows<T>(src: usize, stride: usize, n: usize, a: usize, w: usize, mask: v128): void {
  let r0 = src, r1 = src + stride;
  if (sizeof<T>() == 8) {
    for (let j: usize = 0; j < n; j++, a += w, r0 += 16, r1 += 16) {
      const u = v128.load(r0), v = v128.load(r1);
      v128.store(a, v128.shuffle<f64>(u, v, 0, 2));
      v128.store(a, v128.xor(v128.shuffle<f64>(u, v, 1, 3), mask), 16);
    }
    return;
  }
  let r2 = r1 + stride, r3 = r2 + stride;
  for (let j: usize = 0; j + 2 <= n; j += 2, a += w, r0 += 16, r1 += 16, r2 += 16, r3 += 16) {
    const u0 = v128.load(r0), u1 = v128.load(r1), u2 = v128.load(r2), u3 = v128.load(r3);
    const p = v128.shuffle<f32>(u0, u1, 0, 4, 1, 5), q = v128.shuffle<f32>(u2, u3, 0, 4, 1, 5);
    const s = v128.shuffle<f32>(u0, u1, 2, 6, 3, 7), t = v128.shuffle<f32>(u2, u3, 2, 6, 3, 7);
    v128.store(a, v128.shuffle<f64>(p, q, 0, 2));
    v128.store(a, v128.xor(v128.shuffle<f64>(p, q, 1, 3), mask), 16);
    a += w;
    v128.store(a, v128.shuffle<f64>(s, t, 0, 2));
    v128.store(a, v128.xor(v128.shuffle<f64>(s, t, 1, 3), mask), 16);
  }
  if (n & 1) {
    const p = v128.shuffle<f32>(v128.load64_zero(r0), v128.load64_zero(r1), 0, 4, 1, 5);
    const q = v128.shuffle<f32>(v128.load64_zero(r2), v128.load64_zero(r3), 0, 4, 1, 5);
    v128.store(a, v128.shuffle<f64>(p, q, 0, 2));
    v128.store(a, v128.xor(v128.shuffle<f64>(p, q, 1, 3), mask), 16);
  }
}
export function unpackRows<T>(dst: usize, stride: usize, n: usize, limit: usize, a: usize, w: usize, perm: usize, last: usize, sr: v128, si: v128): void {
  const step = n / last;
  for (let g: usize = 0; g < step; g++) {
    let row = <usize>load<u32>(perm + (g << 2));
    for (let k: usize = 0; k < last; k++, row += step, a += w) {
      if (row >= limit) continue;
      const re = v128.mul<T>(v128.load(a), sr), im = v128.mul<T>(v128.load(a, 16), si);
      const d = dst + row * 2 * sizeof<T>();
      if (sizeof<T>() == 8) {
        v128.store(d, v128.shuffle<f64>(re, im, 0, 2));
        v128.store(d + stride, v128.shuffle<f64>(re, im, 1, 3));
      } else {
        const lo = v128.shuffle<f32>(re, im, 0, 4, 1, 5), hi = v128.shuffle<f32>(re, im, 2, 6, 3, 7);
        v128.store64_lane(d, lo, 0);
        v128.store64_lane(d + stride, lo, 1);
        v128.store64_lane(d + 2 * stride, hi, 0);
        v128.store64_lane(d + 3 * stride, hi, 1);
      }
    }
  }
}
/** out_p ← the elements of `a`, found at digit-reversed places, times filter, conjugated, in natural order: the middle of Bluestein's convolution. */
export function filterReorder<T>(a: usize, b: usize, n: usize, w: usize, perm: usize, last: usize, filter: usize): void {
  const step = n / last;
  for (let g: usize = 0; g < step; g++) {
    let row = <usize>load<u32>(perm + (g << 2));
    for (let k: usize = 0; k < last; k++, row += step) {
      const f = filter + row * 2 * sizeof<T>();
      const wr = v128.load_splat<T>(f), wi = v128.load_splat<T>(f, sizeof<T>());
      let d = b + row * w;
      for (let e = a + w; a < e; a += 32, d += 32) {
        const re = v128.load(a), im = v128.load(a, 16);
        v128.store(d, v128.sub<T>(v128.mul<T>(re, wr), v128.mul<T>(im, wi)));
        v128.store(d, v128.neg<T>(v128.add<T>(v128.mul<T>(re, wi), v128.mul<T>(im, wr))), 16);
      }
    }
  }
}
/** a_j ← a_j · chirp_j for j < n, zero for n <= j < m. */
export function chirpIn<T>(a: usize, n: usize, m: usize, w: usize, chirp: usize): void {
  const end = a + m * w;
  for (let j: usize = 0; j < n; j++, chirp += 2 * sizeof<T>()) {
    const wr = v128.load_splat<T>(chirp), wi = v128.load_splat<T>(chirp, sizeof<T>());
    for (let e = a + w; a < e; a += 32) {
      const re = v128.load(a), im = v128.load(a, 16);
      v128.store(a, v128.sub<T>(v128.mul<T>(re, wr), v128.mul<T>(im, wi)));
      v128.store(a, v128.add<T>(v128.mul<T>(re, wi), v128.mul<T>(im, wr)), 16);
    }
  }
  memory.fill(a, 0, end - a);
}
/** The element that will go to row j < n: b ← conj(b) · chirp_j, in digit-reversed places. */
export function chirpOut<T>(b: usize, n: usize, m: usize, w: usize, perm: usize, last: usize, chirp: usize): void {
  const step = m / last;
  for (let g: usize = 0; g < step; g++) {
    let row = <usize>load<u32>(perm + (g << 2));
    for (let k: usize = 0; k < last; k++, row += step, b += w) {
      if (row >= n) continue;
      const f = chirp + row * 2 * sizeof<T>();
      const wr = v128.load_splat<T>(f), wi = v128.load_splat<T>(f, sizeof<T>());
      let d = b;
      for (const e = b + w; d < e; d += 32) {
        const re = v128.load(d), im = v128.load(d, 16);
        v128.store(d, v128.add<T>(v128.mul<T>(re, wr), v128.mul<T>(im, wi)));
        v128.store(d, v128.sub<T>(v128.mul<T>(re, wi), v128.mul<T>(im, wr)), 16);
      }
    }
  }
}
