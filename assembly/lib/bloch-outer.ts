// Histories of two recursions for four directions, and Σ y v^H over their terms as real products of four rows by two columns.
// A history holds panels of four beams, [plane][term][half][beam][2 lanes] (lanes 0 1, then 2 3); planes: y, and for complex ones its imaginary part and the sum re + im; v, imaginary part, re − im.

/** Columns whose histories stay in the level-2 cache while all rows pass. */
const COLUMNS: i32 = 32;

/** Bytes of a history of n beams (whole panels). */
// @ts-ignore: decorator
@inline
export function historyBytes(n: i32, terms: i32, planes: i32): usize { return <usize>((n + 3) & ~3) * <usize>(terms * planes) * 32; }

/** First plane and term of a beam: the other half stands 64 bytes on, terms 128, planes 128·terms. The tile wants it so: with halves beside each other it ran at half the speed. */
// @ts-ignore: decorator
@inline
export function historyOf(base: usize, beam: i32, terms: i32, planes: i32): usize {
  return base + <usize>(beam >> 2) * <usize>(terms * planes) * 128 + (<usize>(beam & 3) << 4);
}

/** Write a vector of n beams at term k of a history; third plane re + im, or re − im. */
// @ts-ignore: decorator
@inline
export function keep(x: usize, n: i32, base: usize, k: i32, terms: i32, real: bool, difference: bool): void {
  const plane = <usize>(((n + 3) & ~3) << 5), far = <usize>(terms << 7), step = far * <usize>(real ? 1 : 3);
  let o = base + (<usize>k << 7);
  for (let i: usize = 0; i < plane; i += 128) {
    for (let h: usize = 0; h < 128; h += 16) {
      const from = x + i + h, to = o + (h >> 5 << 4) + ((h & 16) << 2);
      const re = v128.load(from);
      v128.store(to, re);
      if (real) continue;
      const im = v128.load(from + plane);
      v128.store(to + far, im);
      v128.store(to + 2 * far, difference ? f64x2.sub(re, im) : f64x2.add(re, im));
    }
    o += step;
  }
}

// @ts-ignore: decorator
@inline
function sum(v: v128): f64 { return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1); }

/** Sums of products of four beams y with two v over `terms` terms, to out [8]: row a, column c at 2a + c. */
// @ts-ignore: decorator
@inline
function tile(y: usize, v: usize, terms: i32, out: usize): void {
  let a0 = f64x2.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  const end = y + (<usize>terms << 7);
  while (y < end) {
    const p = v128.load(v), q = v128.load(v, 16);
    let t = v128.load(y);
    a0 = f64x2.add(a0, f64x2.mul(t, p));
    a1 = f64x2.add(a1, f64x2.mul(t, q));
    t = v128.load(y, 16);
    b0 = f64x2.add(b0, f64x2.mul(t, p));
    b1 = f64x2.add(b1, f64x2.mul(t, q));
    t = v128.load(y, 32);
    c0 = f64x2.add(c0, f64x2.mul(t, p));
    c1 = f64x2.add(c1, f64x2.mul(t, q));
    t = v128.load(y, 48);
    d0 = f64x2.add(d0, f64x2.mul(t, p));
    d1 = f64x2.add(d1, f64x2.mul(t, q));
    y += 64;
    v += 64;
  }
  store<f64>(out, sum(a0)); store<f64>(out, sum(a1), 8); store<f64>(out, sum(b0), 16); store<f64>(out, sum(b1), 24);
  store<f64>(out, sum(c0), 32); store<f64>(out, sum(c1), 40); store<f64>(out, sum(d0), 48); store<f64>(out, sum(d1), 56);
}

/**
 * G_ij = Σ y_i conj(v_j), times f_i f_j·scale, added to u (complex) at the place of beam i − beam j in the box.
 * terms: of a history; used: how many of them count. scratch: 192 bytes.
 */
export function outer(y: usize, v: usize, n: i32, terms: i32, used: i32, real: bool, index: usize, linear: usize, factor: usize, centre: i32, scale: f64, u: usize, scratch: usize): void {
  const planes: i32 = real ? 1 : 3, plane = <usize>(terms << 7);
  for (let from: i32 = 0; from < n; from += COLUMNS) {
    const end = min<i32>(n, from + COLUMNS);
    for (let i: i32 = 0; i < n; i += 4) {
      const rows = historyOf(y, i, terms, planes);
      for (let j = from; j < end; j += 2) {
        const columns = historyOf(v, j, terms, planes);
        for (let t: i32 = 0; t < planes; t++) tile(rows + <usize>t * plane, columns + <usize>t * plane, used, scratch + <usize>(t << 6));
        for (let a: i32 = 0; a < 4 && i + a < n; a++) {
          const ji = load<i32>(index + <usize>((i + a) << 2)), li = load<i32>(linear + <usize>(ji << 2)) + centre;
          const fi = scale * load<f64>(factor + <usize>(ji << 3));
          for (let c: i32 = 0; c < 2 && j + c < end; c++) {
            const jj = load<i32>(index + <usize>((j + c) << 2)), f = fi * load<f64>(factor + <usize>(jj << 3));
            const to = u + (<usize>(li - load<i32>(linear + <usize>(jj << 2))) << 4), p = scratch + <usize>((2 * a + c) << 3);
            const p0 = load<f64>(p);
            if (real) {
              store<f64>(to, load<f64>(to) + f * p0);
              continue;
            }
            const p1 = load<f64>(p, 64);
            store<f64>(to, load<f64>(to) + f * (p0 + p1));
            store<f64>(to, load<f64>(to, 8) + f * (load<f64>(p, 128) - p0 + p1), 8);
          }
        }
      }
    }
  }
}

/** The diagonal of G lane by lane (its real part): out [n] of 32 bytes. */
export function diagonals(y: usize, v: usize, n: i32, terms: i32, used: i32, real: bool, out: usize): void {
  const planes: i32 = real ? 1 : 3, plane = <usize>(terms << 7), bytes = <usize>(used << 7);
  for (let i: i32 = 0; i < n; i++) {
    const a = historyOf(y, i, terms, planes), c = historyOf(v, i, terms, planes);
    let s0 = f64x2.splat(0), s1 = s0;
    for (let o: usize = 0; o < bytes; o += 128) {
      s0 = f64x2.add(s0, f64x2.mul(v128.load(a + o), v128.load(c + o)));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(a + o, 64), v128.load(c + o, 64)));
      if (!real) {
        s0 = f64x2.add(s0, f64x2.mul(v128.load(a + plane + o), v128.load(c + plane + o)));
        s1 = f64x2.add(s1, f64x2.mul(v128.load(a + plane + o, 64), v128.load(c + plane + o, 64)));
      }
    }
    v128.store(out + <usize>(i << 5), s0); v128.store(out + <usize>(i << 5), s1, 16);
  }
}
