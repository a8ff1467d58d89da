// Runs the passes of one length. The host writes a descriptor into the memory (src/kernels/fft-plan.ts has the same table):
//   0 n   4 levels   8 m (n, or the convolution length of Bluestein)   12 bluestein?   16 perm   20 last radix
//   24 chirp   28 filter   32 row twiddles or 0   36 batch width W, bytes   40 twiddles of the real split   44 real length or 0
//   48 columns fused?   52 offset of line scratch   56 row batch width, bytes   60 rows taken at a time by real transforms
//   64 + 16·l: radix, length at this level, twiddles or 0, roots of an odd radix
import { pass2, pass3, pass4, pass5, pass8, passOdd } from "./fft-pass";
import { rowFirst4, rowFirst8 } from "./fft-row";
import { chirpIn, chirpOut, filterReorder } from "./fft-pack";

/** Work on a block of at most this many bytes pass by pass; split a larger one first, so that the passes stay in the L1 cache. */
const BLOCK: usize = 24576;

// @ts-ignore: decorator
@inline
export function field(d: usize, at: usize): usize { return <usize>load<u32>(d + at); }

function mid<T>(level: usize, x: usize, y: usize, count: usize, xp: usize, xk: usize, yp: usize, yk: usize, width: usize, tmp: usize): void {
  const r = field(level, 0), tw = field(level, 8), z = v128.splat<T>(<T>0);
  if (tw) {
    if (r == 8) pass8<T>(x, y, count, xp, xk, yp, yk, width, tw, 0, z, z, z, true, false, false, false);
    else if (r == 4) pass4<T>(x, y, count, xp, xk, yp, yk, width, tw, 0, z, z, z, true, false, false, false);
    else if (r == 2) pass2<T>(x, y, count, xp, xk, yp, yk, width, tw, 0, z, z, z, true, false, false, false);
    else if (r == 3) pass3<T>(x, y, count, xp, xk, yp, yk, width, tw, 0, z, z, z, true, false, false, false);
    else if (r == 5) pass5<T>(x, y, count, xp, xk, yp, yk, width, tw, 0, z, z, z, true, false, false, false);
    else passOdd<T>(r, x, y, count, xp, xk, yp, yk, width, tw, field(level, 12), tmp);
  } else if (r == 8) pass8<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, z, z, z, false, false, false, false);
  else if (r == 4) pass4<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, z, z, z, false, false, false, false);
  else if (r == 2) pass2<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, z, z, z, false, false, false, false);
  else if (r == 3) pass3<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, z, z, z, false, false, false, false);
  else if (r == 5) pass5<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, z, z, z, false, false, false, false);
  else passOdd<T>(r, x, y, count, xp, xk, yp, yk, width, 0, field(level, 12), tmp);
}
/** Last pass: from scratch to the user's array. PERM false: rows in order. */
function lastOut<T>(r: usize, x: usize, y: usize, count: usize, xp: usize, xk: usize, yp: usize, yk: usize, width: usize, perm: usize, sr: v128, si: v128): void {
  if (perm) {
    if (r == 8) pass8<T>(x, y, count, xp, xk, yp, yk, width, 0, perm, sr, sr, si, false, false, true, true);
    else if (r == 4) pass4<T>(x, y, count, xp, xk, yp, yk, width, 0, perm, sr, sr, si, false, false, true, true);
    else if (r == 2) pass2<T>(x, y, count, xp, xk, yp, yk, width, 0, perm, sr, sr, si, false, false, true, true);
    else if (r == 3) pass3<T>(x, y, count, xp, xk, yp, yk, width, 0, perm, sr, sr, si, false, false, true, true);
    else pass5<T>(x, y, count, xp, xk, yp, yk, width, 0, perm, sr, sr, si, false, false, true, true);
  } else if (r == 8) pass8<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, sr, sr, si, false, false, true, false);
  else if (r == 4) pass4<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, sr, sr, si, false, false, true, false);
  else if (r == 2) pass2<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, sr, sr, si, false, false, true, false);
  else if (r == 3) pass3<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, sr, sr, si, false, false, true, false);
  else pass5<T>(x, y, count, xp, xk, yp, yk, width, 0, 0, sr, sr, si, false, false, true, false);
}

/** In place on split scratch: levels `l` to `end` − 1 of `blocks` neighbouring blocks; results in digit-reversed places. */
function levels<T>(d: usize, l: usize, end: usize, a: usize, bytes: usize, w: usize, tmp: usize): void {
  let size = field(d, 64 + 16 * l + 4) * w;
  for (; l < end; l++) {
    const level = d + 64 + 16 * l, r = field(level, 0), part = size / r, m = field(level, 4) / r;
    for (let b: usize = 0; b < bytes; b += size) mid<T>(level, a + b, a + b, m, w, part, w, part, w, tmp);
    size = part;
  }
}
/** All levels, depth first while a block is larger than the cache. */
export function transformInPlace<T>(d: usize, l: usize, a: usize, w: usize, tmp: usize): void {
  const end = field(d, 4), level = d + 64 + 16 * l, n = field(level, 4), r = field(level, 0), bytes = n * w;
  if (bytes <= BLOCK || l + 1 == end) return levels<T>(d, l, end, a, bytes, w, tmp);
  const part = bytes / r;
  mid<T>(level, a, a, n / r, w, part, w, part, w, tmp);
  for (let k: usize = 0; k < r; k++) transformInPlace<T>(d, l + 1, a + k * part, w, tmp);
}

/** Columns, fused: the first pass reads the user's rows, the last writes them; scratch in between, depth first. */
export function columns<T>(d: usize, data: usize, stride: usize, a: usize, w: usize, mask: v128, sr: v128, si: v128, tmp: usize): void {
  const level = d + 64, n = field(level, 4), r = field(level, 0), tw = field(level, 8), m = n / r;
  if (r == 8) pass8<T>(data, a, m, stride, m * stride, w, m * w, w, tw, 0, mask, sr, si, true, true, false, false);
  else pass4<T>(data, a, m, stride, m * stride, w, m * w, w, tw, 0, mask, sr, si, true, true, false, false);
  for (let k: usize = 0; k < r; k++) finish<T>(d, 1, a + k * m * w, a, w, data, stride, sr, si, tmp);
}
function finish<T>(d: usize, l: usize, at: usize, a: usize, w: usize, out: usize, stride: usize, sr: v128, si: v128, tmp: usize): void {
  const last = field(d, 4) - 1, level = d + 64 + 16 * l, n = field(level, 4), bytes = n * w;
  if (l < last && bytes > BLOCK) {
    const r = field(level, 0), part = bytes / r;
    mid<T>(level, at, at, n / r, w, part, w, part, w, tmp);
    for (let k: usize = 0; k < r; k++) finish<T>(d, l + 1, at + k * part, a, w, out, stride, sr, si, tmp);
    return;
  }
  if (l < last) levels<T>(d, l, last, at, bytes, w, tmp);
  const r = field(d, 20), group = r * w, step = field(d, 8) / r;
  lastOut<T>(r, at, out, bytes / group, group, w, stride, step * stride, w, field(d, 16) + ((at - a) / group << 2), sr, si);
}

/** One contiguous row, Stockham between two scratch rows, from src to dst (which may be the same). */
export function row<T>(d: usize, src: usize, dst: usize, a: usize, mask: v128, sr: v128, si: v128, tmp: usize): void {
  const n = field(d, 0), last = field(d, 4) - 1, csize: usize = 2 * sizeof<T>();
  let r = field(d, 64), s = r * csize, x = a, y = a + n * csize;
  if (r == 8) rowFirst8<T>(src, x, n >> 3, field(d, 32), mask);
  else rowFirst4<T>(src, x, n >> 2, field(d, 32), mask);
  for (let l: usize = 1; l < last; l++) {
    const level = d + 64 + 16 * l, m = field(level, 4) / field(level, 0);
    r = field(level, 0);
    mid<T>(level, x, y, m, s, m * s, r * s, s, s, tmp);
    s *= r;
    const t = x; x = y; y = t;
  }
  lastOut<T>(field(d, 20), x, dst, 1, 0, s, 0, s, s, 0, sr, si);
}

/** Any length on a packed batch at `a` (natural order); the result stands at the returned address, digit-reversed, unscaled. */
export function batch<T>(d: usize, a: usize, b: usize, w: usize, tmp: usize): usize {
  if (!field(d, 12)) {
    if (field(d, 4)) transformInPlace<T>(d, 0, a, w, tmp);
    return a;
  }
  const n = field(d, 0), m = field(d, 8), perm = field(d, 16), last = field(d, 20), chirp = field(d, 24);
  chirpIn<T>(a, n, m, w, chirp);
  transformInPlace<T>(d, 0, a, w, tmp);
  filterReorder<T>(a, b, m, w, perm, last, field(d, 28));
  transformInPlace<T>(d, 0, b, w, tmp);
  chirpOut<T>(b, n, m, w, perm, last, chirp);
  return b;
}
