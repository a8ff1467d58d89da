// Pseudo-polar transforms of slices, two real slices as one complex, `pairs` of them side by side. `work` is complex [P][pairs][n]: l, the radial
// index (negative ones behind, as in an FFT), then the pair, then the place across (its centre at n/2).
import { rows } from "./lib/fft-axes";

/** Slices with strides (complex numbers) rs along the radial axis, ts across it, ps from pair to pair, into zeros. */
function spread<T>(vol: usize, pairs: i32, nr: i32, nt: i32, rs: i32, ts: i32, ps: i32, work: usize, P: i32, n: i32): void {
  const c: usize = 2 * sizeof<T>(), shift = (n >> 1) - (nt >> 1);
  memory.fill(work, 0, <usize>P * <usize>pairs * <usize>n * c);
  for (let p = 0; p < pairs; p++)
    for (let r = 0; r < nr; r++) {
      const row = (r - (nr >> 1) + P) % P;
      let from = vol + <usize>(p * ps + r * rs) * c, to = work + <usize>((row * pairs + p) * n + shift) * c;
      for (let t = 0; t < nt; t++, to += c, from += <usize>ts * c) memory.copy(to, from, c);
    }
}
/** The adjoint: out = (or += when add) the part of work that belongs to the slices. */
function collect<T>(work: usize, P: i32, n: i32, out: usize, pairs: i32, nr: i32, nt: i32, rs: i32, ts: i32, ps: i32, add: i32): void {
  const c: usize = 2 * sizeof<T>(), shift = (n >> 1) - (nt >> 1);
  for (let p = 0; p < pairs; p++)
    for (let r = 0; r < nr; r++) {
      const row = (r - (nr >> 1) + P) % P;
      let to = out + <usize>(p * ps + r * rs) * c, from = work + <usize>((row * pairs + p) * n + shift) * c;
      for (let t = 0; t < nt; t++, from += c, to += <usize>ts * c) {
        store<T>(to, load<T>(from) + (add ? load<T>(to) : <T>0));
        store<T>(to, load<T>(from, sizeof<T>()) + (add ? load<T>(to, sizeof<T>()) : <T>0), sizeof<T>());
      }
    }
}
/** Fractional transforms across, in place: row l by the descriptor of |l| (u32 at tables), conjugate for negative l; `inverse` is the adjoint. */
function lines<T>(tables: usize, work: usize, P: i32, pairs: i32, n: i32, scratch: usize, inverse: i32): void {
  const stride = <usize>n * 2 * sizeof<T>();
  for (let l = 0; l < P; l++) {
    const back = l > P >> 1, d = <usize>load<u32>(tables + (<usize>(back ? P - l : l) << 2)), at = work + <usize>(l * pairs) * stride;
    rows<T>(d, at, stride, at, stride, 0, pairs, scratch, back ? 1 - inverse : inverse, 1);
  }
}

/**
 * work = weight·(data − work) on the measured lines (column i32 [views]), zero elsewhere. data: complex f32 [P][pairs][views]; weight f32
 * [P/2 + 1][views]: 0 leaves out, < 0 withholds. spare: 16 bytes a view. sums, f64, +=: Σ||F| − |M||, Σ|F − M|, Σ|M| over the points of each slice, the first
 * and third of the withheld, 4·Σ weight·|F − M|².
 */
export function residual(work: usize, data: usize, weight: usize, column: usize, views: i32, P: i32, pairs: i32, n: i32, spare: usize, sums: usize): void {
  let magnitude: f64 = 0, complex: f64 = 0, total: f64 = 0, freeMagnitude: f64 = 0, freeTotal: f64 = 0, squares: f64 = 0;
  for (let l = 0; l <= P >> 1; l++) {
    const m = (P - l) % P;
    for (let p = 0; p < pairs; p++) {
      const a = work + (<usize>((l * pairs + p) * n) << 3), b = work + (<usize>((m * pairs + p) * n) << 3);
      const da = data + (<usize>((l * pairs + p) * views) << 3), db = data + (<usize>((m * pairs + p) * views) << 3);
      for (let v = 0; v < views; v++) {
        const at = <usize>load<i32>(column + (<usize>v << 2)) << 3, w = <f64>load<f32>(weight + (<usize>(l * views + v) << 2)), o = <usize>v << 3;
        const fr = <f64>load<f32>(a + at), fi = <f64>load<f32>(a + at, 4), gr = <f64>load<f32>(b + at), gi = <f64>load<f32>(b + at, 4);
        const mr = <f64>load<f32>(da + o), mi = <f64>load<f32>(da + o, 4), nr = <f64>load<f32>(db + o), ni = <f64>load<f32>(db + o, 4);
        const s = spare + (<usize>v << 4), used = w > 0 ? w : 0;
        store<f32>(s, <f32>(used * (mr - fr))); store<f32>(s, <f32>(used * (mi - fi)), 4);
        store<f32>(s, <f32>(used * (nr - gr)), 8); store<f32>(s, <f32>(used * (ni - gi)), 12);
        if (w == 0) continue;
        // The two real slices of the pair: (F(l) ± conj F(−l))/2.
        const f1 = length(fr + gr, fi - gi), f2 = length(fr - gr, fi + gi), m1 = length(mr + nr, mi - ni), m2 = length(mr - nr, mi + ni);
        const off = Math.abs(f1 - m1) + Math.abs(f2 - m2), all = m1 + m2;
        if (w < 0) { freeMagnitude += off; freeTotal += all; continue; }
        magnitude += off; total += all;
        const e1r = fr + gr - mr - nr, e1i = fi - gi - mi + ni, e2r = fr - gr - mr + nr, e2i = fi + gi - mi - ni;
        complex += length(e1r, e1i) + length(e2r, e2i);
        squares += w * (e1r * e1r + e1i * e1i + e2r * e2r + e2i * e2i);
      }
      memory.fill(a, 0, <usize>n << 3);
      memory.fill(b, 0, <usize>n << 3);
      for (let v = 0; v < views; v++) {
        const at = <usize>load<i32>(column + (<usize>v << 2)) << 3, s = spare + (<usize>v << 4);
        addTo(a + at, s);
        if (m != l) addTo(b + at, s + 8);
      }
    }
  }
  put(sums, magnitude); put(sums + 8, complex); put(sums + 16, total); put(sums + 24, freeMagnitude); put(sums + 32, freeTotal); put(sums + 40, squares);
}
// @ts-ignore: decorator
@inline
function length(x: f64, y: f64): f64 { return 0.5 * Math.sqrt(x * x + y * y); }
// @ts-ignore: decorator
@inline
function put(at: usize, x: f64): void { store<f64>(at, load<f64>(at) + x); }
// @ts-ignore: decorator
@inline
function addTo(at: usize, from: usize): void { store<f32>(at, load<f32>(at) + load<f32>(from)); store<f32>(at, load<f32>(at, 4) + load<f32>(from, 4), 4); }

export function spread_f32(vol: usize, pairs: i32, nr: i32, nt: i32, rs: i32, ts: i32, ps: i32, work: usize, P: i32, n: i32): void { spread<f32>(vol, pairs, nr, nt, rs, ts, ps, work, P, n); }
export function spread_f64(vol: usize, pairs: i32, nr: i32, nt: i32, rs: i32, ts: i32, ps: i32, work: usize, P: i32, n: i32): void { spread<f64>(vol, pairs, nr, nt, rs, ts, ps, work, P, n); }
export function collect_f32(work: usize, P: i32, n: i32, out: usize, pairs: i32, nr: i32, nt: i32, rs: i32, ts: i32, ps: i32, add: i32): void { collect<f32>(work, P, n, out, pairs, nr, nt, rs, ts, ps, add); }
export function collect_f64(work: usize, P: i32, n: i32, out: usize, pairs: i32, nr: i32, nt: i32, rs: i32, ts: i32, ps: i32, add: i32): void { collect<f64>(work, P, n, out, pairs, nr, nt, rs, ts, ps, add); }
export function lines_f32(tables: usize, work: usize, P: i32, pairs: i32, n: i32, scratch: usize, inverse: i32): void { lines<f32>(tables, work, P, pairs, n, scratch, inverse); }
export function lines_f64(tables: usize, work: usize, P: i32, pairs: i32, n: i32, scratch: usize, inverse: i32): void { lines<f64>(tables, work, P, pairs, n, scratch, inverse); }
