// Four incident directions at a time, which share the matrix U of their common beams and differ in the diagonal and in which beams take part.
// Plan: src/kernels/sweep.ts. A vector holds a beam in rows of four lanes (32 bytes), in planes: real parts, and for a complex
// potential imaginary parts and the sums of both. B stands in panels of four rows, [plane][column][row]: three real products make a complex one.

// @ts-ignore: decorator
@inline
export function int(plan: usize, i: i32): i32 { return load<i32>(plan + <usize>(i << 2)); }
// @ts-ignore: decorator
@inline
export function ptr(plan: usize, i: i32): usize { return <usize>load<u32>(plan + <usize>(i << 2)); }
// @ts-ignore: decorator
@inline
export function num(plan: usize, i: i32): f64 { return load<f64>(plan + 160 + <usize>(i << 3)); }
// @ts-ignore: decorator
@inline
export function align(p: usize): usize { return (p + 63) & ~<usize>63; }
/** Rows for at most `beams` beams: whole panels, and one row to try a beam in. */
// @ts-ignore: decorator
@inline
export function capacity(beams: i32): i32 { return (beams + 4) & ~3; }

/**
 * Common beams of the directions group … group + lanes − 1: every one that any of them lets in. Writes their numbers to index, (row, slot) of wanted ones to rows, the mask,
 * the diagonal d, its derivatives e (tangents of cap rows each) and Sg to sg (0: not wanted); rows up to the next panel are cleared.
 * Returns beams + wanted·2^16, or −1 when they are more than the plan says.
 */
export function common(plan: usize, group: i32, lanes: i32, tangents: i32, cap: i32, index: usize, rows: usize, mask: usize, d: usize, e: usize, sg: usize): i32 {
  const pool = int(plan, 0), maxBeams = int(plan, 10), maxRows = int(plan, 11);
  const g = ptr(plan, 13), half = ptr(plan, 14), reach = ptr(plan, 15), factor = ptr(plan, 16), slot = ptr(plan, 17), kappa = ptr(plan, 19), dKappa = ptr(plan, 20);
  const middle = num(plan, 1), diagonal = num(plan, 2);
  let n: i32 = 0, wanted: i32 = 0;
  for (let j: i32 = 0; j < pool; j++) {
    const gj = g + <usize>(j * 24);
    const gx = load<f64>(gj), gy = load<f64>(gj, 8), gz = load<f64>(gj, 16), h = load<f64>(half + <usize>(j << 3)), limit = load<f64>(reach + <usize>(j << 3));
    const o = <usize>(n << 5), f = load<f64>(factor + <usize>(j << 3));
    let any = false;
    for (let l: i32 = 0; l < 4; l++) {
      const at = group + min<i32>(l, lanes - 1), s = kappa + <usize>(at * 24);
      const error = -(load<f64>(s) * gx + load<f64>(s, 8) * gy + load<f64>(s, 16) * gz) - h;
      const inside = l < lanes && Math.abs(error) < limit;
      any = any || inside;
      const lo = o + <usize>(l << 3);
      store<f64>(mask + lo, inside ? 1 : 0);
      store<f64>(d + lo, inside ? (error * f * f - middle) * diagonal : 0);
      if (sg) store<f64>(sg + lo, error);
      for (let t: i32 = 0; t < tangents; t++) {
        const v = dKappa + <usize>((at * tangents + t) * 24);
        const by = -(load<f64>(v) * gx + load<f64>(v, 8) * gy + load<f64>(v, 16) * gz);
        store<f64>(e + <usize>(t * cap << 5) + lo, inside ? by * f * f * diagonal : 0);
      }
    }
    if (!any) continue;
    if (n >= maxBeams) return -1;
    store<i32>(index + <usize>(n << 2), j);
    const where = load<i32>(slot + <usize>(j << 2));
    if (where >= 0) {
      if (wanted >= maxRows) return -1;
      store<i32>(rows + <usize>(wanted << 3), n);
      store<i32>(rows + <usize>(wanted << 3), where, 4);
      wanted++;
    }
    n++;
  }
  for (let i = n; i < ((n + 3) & ~3); i++) {
    memory.fill(mask + <usize>(i << 5), 0, 32);
    memory.fill(d + <usize>(i << 5), 0, 32);
    for (let t: i32 = 0; t < tangents; t++) memory.fill(e + <usize>(t * cap << 5) + <usize>(i << 5), 0, 32);
  }
  return n | (wanted << 16);
}

/** B = 2(A − middle)/width without the real diagonal, in panels, or its adjoint. */
export function panels(plan: usize, n: i32, index: usize, b: usize, real: bool, adjoint: bool): void {
  const linear = ptr(plan, 12), factor = ptr(plan, 16), grid = ptr(plan, 18), centre = int(plan, 9);
  const scale = num(plan, 0), decay = num(plan, 3), plane = <usize>(n << 5), sign: f64 = adjoint ? -1 : 1;
  let to = b;
  for (let i: i32 = 0; i < n; i += 4) {
    for (let r: i32 = 0; r < 4; r++) {
      let o = to + <usize>(r << 3);
      if (i + r >= n) {
        for (let k: i32 = 0; k < n; k++) {
          store<f64>(o, 0);
          if (!real) { store<f64>(o + plane, 0); store<f64>(o + 2 * plane, 0); }
          o += 32;
        }
        continue;
      }
      const ji = load<i32>(index + <usize>((i + r) << 2)), li = load<i32>(linear + <usize>(ji << 2));
      const fi = scale * load<f64>(factor + <usize>(ji << 3));
      for (let k: i32 = 0; k < n; k++) {
        const jk = load<i32>(index + <usize>(k << 2)), lk = load<i32>(linear + <usize>(jk << 2));
        const u = grid + <usize>((centre + (adjoint ? lk - li : li - lk)) << 4), f = fi * load<f64>(factor + <usize>(jk << 3));
        const re = f * load<f64>(u);
        store<f64>(o, re);
        if (!real) {
          const im = sign * (i + r == k ? f * load<f64>(u, 8) - decay : f * load<f64>(u, 8));
          store<f64>(o + plane, im);
          store<f64>(o + 2 * plane, re + im);
        }
        o += 32;
      }
    }
    to += real ? plane : 3 * plane;
  }
}

/** out (planes of `rows` rows) = panels times x, plane by plane; n columns. */
// @ts-ignore: decorator
@inline
export function product(b: usize, x: usize, out: usize, n: i32, planes: i32): void {
  const plane = <usize>(((n + 3) & ~3) << 5), length = <usize>(n << 5);
  let a = b;
  for (let i: i32 = 0; i < n; i += 4) {
    for (let t: i32 = 0; t < planes; t++) {
      let p = x + <usize>t * plane;
      const end = p + length;
      let a0 = f64x2.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
      while (p < end) {
        const x0 = v128.load(p), x1 = v128.load(p, 16);
        let u = v128.load64_splat(a);
        a0 = f64x2.add(a0, f64x2.mul(u, x0));
        a1 = f64x2.add(a1, f64x2.mul(u, x1));
        u = v128.load64_splat(a, 8);
        b0 = f64x2.add(b0, f64x2.mul(u, x0));
        b1 = f64x2.add(b1, f64x2.mul(u, x1));
        u = v128.load64_splat(a, 16);
        c0 = f64x2.add(c0, f64x2.mul(u, x0));
        c1 = f64x2.add(c1, f64x2.mul(u, x1));
        u = v128.load64_splat(a, 24);
        d0 = f64x2.add(d0, f64x2.mul(u, x0));
        d1 = f64x2.add(d1, f64x2.mul(u, x1));
        a += 32;
        p += 32;
      }
      const o = out + <usize>t * plane + <usize>(i << 5);
      v128.store(o, a0); v128.store(o, a1, 16); v128.store(o, b0, 32); v128.store(o, b1, 48);
      v128.store(o, c0, 64); v128.store(o, c1, 80); v128.store(o, d0, 96); v128.store(o, d1, 112);
    }
  }
}

/** y := factor · (mask · Bx + d · x + e · z) − before, lane by lane, where y holds the planes of the product; z (with e) and before may be 0. */
// @ts-ignore: decorator
@inline
export function advance(y: usize, x: usize, z: usize, before: usize, mask: usize, d: usize, e: usize, n: i32, factor: f64, real: bool): void {
  const f = f64x2.splat(factor), plane = <usize>(((n + 3) & ~3) << 5);
  for (let o: usize = 0; o < plane; o += 16) {
    const m = v128.load(mask + o), s = v128.load(d + o);
    let re = v128.load(y + o);
    if (!real) re = f64x2.sub(re, v128.load(y + plane + o));
    re = f64x2.add(f64x2.mul(m, re), f64x2.mul(s, v128.load(x + o)));
    if (z) re = f64x2.add(re, f64x2.mul(v128.load(e + o), v128.load(z + o)));
    re = f64x2.mul(re, f);
    if (before) re = f64x2.sub(re, v128.load(before + o));
    if (!real) {
      let im = f64x2.sub(f64x2.sub(v128.load(y + 2 * plane + o), v128.load(y + o)), v128.load(y + plane + o));
      im = f64x2.add(f64x2.mul(m, im), f64x2.mul(s, v128.load(x + plane + o)));
      if (z) im = f64x2.add(im, f64x2.mul(v128.load(e + o), v128.load(z + plane + o)));
      im = f64x2.mul(im, f);
      if (before) im = f64x2.sub(im, v128.load(before + plane + o));
      v128.store(y + plane + o, im);
      v128.store(y + 2 * plane + o, f64x2.add(re, im));
    }
    v128.store(y + o, re);
  }
}

/** x = e0 in every lane. */
// @ts-ignore: decorator
@inline
export function unit(x: usize, n: i32, lanes: i32, planes: i32): void {
  const plane = <usize>(((n + 3) & ~3) << 5);
  memory.fill(x, 0, <usize>planes * plane);
  for (let l: i32 = 0; l < lanes; l++) {
    store<f64>(x + <usize>(l << 3), 1);
    if (planes == 3) store<f64>(x + 2 * plane + <usize>(l << 3), 1);
  }
}

/** Largest |x|² of a lane. */
// @ts-ignore: decorator
@inline
export function largestNorm(x: usize, n: i32, real: bool): f64 {
  const plane = <usize>(((n + 3) & ~3) << 5);
  let worst: f64 = 0;
  for (let l: usize = 0; l < 32; l += 8) {
    let norm: f64 = 0;
    for (let o = l; o < plane; o += 32) {
      const re = load<f64>(x + o), im = real ? 0 : load<f64>(x + plane + o);
      norm += re * re + im * im;
    }
    worst = max<f64>(worst, norm);
  }
  return worst;
}
