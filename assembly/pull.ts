// Adjoint of the integration over directions (sweep.ts): derivatives of intensities with respect to the potential's coefficients, to small
// changes of the directions and to the thickness. Four directions at a time; everything is f64; see src/kernels/pull.ts.
//
// Rows of X hold a beam: four real parts, four imaginary parts (64 bytes). Histories hold a beam's rows one term after the other.

// @ts-ignore: decorator
@inline
function int(plan: usize, i: i32): i32 { return load<i32>(plan + <usize>(i << 2)); }
// @ts-ignore: decorator
@inline
function ptr(plan: usize, i: i32): usize { return <usize>load<u32>(plan + <usize>(i << 2)); }
// @ts-ignore: decorator
@inline
function num(plan: usize, i: i32): f64 { return load<f64>(plan + 128 + <usize>(i << 3)); }
// @ts-ignore: decorator
@inline
function align(p: usize): usize { return (p + 63) & ~<usize>63; }

/** Bytes of scratch for at most `beams` common beams and `rows` wanted ones. */
export function pullScratch(beams: i32, rows: i32, terms: i32, nodes: i32): f64 {
  const n = <f64>((beams + 2) & ~1), r = <f64>(rows + 1);
  return 4096 + n * (4 + 4 * 32) + n * n * 16 + n * 64 * 3 + 2 * n * <f64>terms * 64 + r * (8 + <f64>nodes * 64) + <f64>terms * 64;
}

/** out = B x (two rows at a time), B [n, n] complex, x [n] of 64 bytes. */
// @ts-ignore: decorator
@inline
function product(b: usize, x: usize, out: usize, n: i32): void {
  const stride = <usize>(n << 4);
  for (let i: i32 = 0; i < n; i += 2) {
    let a = b + <usize>i * stride;
    let p = x;
    let r00 = f64x2.splat(0), r01 = f64x2.splat(0), i00 = f64x2.splat(0), i01 = f64x2.splat(0);
    let r10 = f64x2.splat(0), r11 = f64x2.splat(0), i10 = f64x2.splat(0), i11 = f64x2.splat(0);
    const end = a + stride;
    while (a < end) {
      const xr0 = v128.load(p), xr1 = v128.load(p, 16), xi0 = v128.load(p, 32), xi1 = v128.load(p, 48);
      let u = v128.load64_splat(a);
      r00 = f64x2.add(r00, f64x2.mul(u, xr0));
      r01 = f64x2.add(r01, f64x2.mul(u, xr1));
      i00 = f64x2.add(i00, f64x2.mul(u, xi0));
      i01 = f64x2.add(i01, f64x2.mul(u, xi1));
      u = v128.load64_splat(a, 8);
      r00 = f64x2.sub(r00, f64x2.mul(u, xi0));
      r01 = f64x2.sub(r01, f64x2.mul(u, xi1));
      i00 = f64x2.add(i00, f64x2.mul(u, xr0));
      i01 = f64x2.add(i01, f64x2.mul(u, xr1));
      u = v128.load64_splat(a + stride);
      r10 = f64x2.add(r10, f64x2.mul(u, xr0));
      r11 = f64x2.add(r11, f64x2.mul(u, xr1));
      i10 = f64x2.add(i10, f64x2.mul(u, xi0));
      i11 = f64x2.add(i11, f64x2.mul(u, xi1));
      u = v128.load64_splat(a + stride, 8);
      r10 = f64x2.sub(r10, f64x2.mul(u, xi0));
      r11 = f64x2.sub(r11, f64x2.mul(u, xi1));
      i10 = f64x2.add(i10, f64x2.mul(u, xr0));
      i11 = f64x2.add(i11, f64x2.mul(u, xr1));
      a += 16;
      p += 64;
    }
    const o = out + <usize>(i << 6);
    v128.store(o, r00); v128.store(o, r01, 16); v128.store(o, i00, 32); v128.store(o, i01, 48);
    v128.store(o, r10, 64); v128.store(o, r11, 80); v128.store(o, i10, 96); v128.store(o, i11, 112);
  }
}

/** y := factor · (mask · y + d · x) − before, by lanes; before may be 0. The result is also kept in the history, `step` bytes a beam. */
// @ts-ignore: decorator
@inline
function advance(y: usize, x: usize, before: usize, mask: usize, d: usize, n: i32, factor: f64, history: usize, step: usize): void {
  const f = f64x2.splat(factor);
  for (let i: i32 = 0; i < n; i++) {
    const row = <usize>(i << 6), lane = <usize>(i << 5), to = history + <usize>i * step;
    for (let h: usize = 0; h < 64; h += 16) {
      const l = lane + (h & 16);
      let v = f64x2.add(f64x2.mul(v128.load(mask + l), v128.load(y + row + h)), f64x2.mul(v128.load(d + l), v128.load(x + row + h)));
      v = f64x2.mul(v, f);
      if (before) v = f64x2.sub(v, v128.load(before + row + h));
      v128.store(y + row + h, v);
      v128.store(to + h, v);
    }
  }
}

/** ψ of one beam at all depths: out [nodes] of 64 bytes = Σ_k coef[k, node] i^(k mod 2) v_k. */
// @ts-ignore: decorator
@inline
function waves(history: usize, coef: usize, last: usize, nodes: i32, out: usize): void {
  const step = <usize>(nodes << 3);
  for (let m: i32 = 0; m < nodes; m++) {
    // the even terms, then the odd ones: the odd ones are turned once at the end
    const stop = load<i32>(last + <usize>(m << 2));
    let a0 = f64x2.splat(0), a1 = f64x2.splat(0), a2 = f64x2.splat(0), a3 = f64x2.splat(0);
    let b0 = f64x2.splat(0), b1 = f64x2.splat(0), b2 = f64x2.splat(0), b3 = f64x2.splat(0);
    let c = coef + <usize>(m << 3), p = history;
    let k: i32 = 0;
    for (; k + 1 < stop; k += 2) {
      let u = v128.load64_splat(c);
      a0 = f64x2.add(a0, f64x2.mul(u, v128.load(p)));
      a1 = f64x2.add(a1, f64x2.mul(u, v128.load(p, 16)));
      a2 = f64x2.add(a2, f64x2.mul(u, v128.load(p, 32)));
      a3 = f64x2.add(a3, f64x2.mul(u, v128.load(p, 48)));
      u = v128.load64_splat(c + step);
      b0 = f64x2.add(b0, f64x2.mul(u, v128.load(p, 64)));
      b1 = f64x2.add(b1, f64x2.mul(u, v128.load(p, 80)));
      b2 = f64x2.add(b2, f64x2.mul(u, v128.load(p, 96)));
      b3 = f64x2.add(b3, f64x2.mul(u, v128.load(p, 112)));
      c += 2 * step;
      p += 128;
    }
    if (k < stop) {
      const u = v128.load64_splat(c);
      a0 = f64x2.add(a0, f64x2.mul(u, v128.load(p)));
      a1 = f64x2.add(a1, f64x2.mul(u, v128.load(p, 16)));
      a2 = f64x2.add(a2, f64x2.mul(u, v128.load(p, 32)));
      a3 = f64x2.add(a3, f64x2.mul(u, v128.load(p, 48)));
    }
    // i (re + i im) = −im + i re
    const o = out + <usize>(m << 6);
    v128.store(o, f64x2.sub(a0, b2)); v128.store(o, f64x2.sub(a1, b3), 16);
    v128.store(o, f64x2.add(a2, b0), 32); v128.store(o, f64x2.add(a3, b1), 48);
  }
}

/**
 * Seed of one beam: out [terms] of 64 bytes, r_k = 2 c f² Σ_m coef[k, m] conj(i^(k mod 2)) weight ψ_m; `scale` [4] holds 2 c f² weight of the lanes.
 * Nodes stand in ascending depth, so that those whose series ends before k stand first.
 */
// @ts-ignore: decorator
@inline
function seed(psi: usize, coef: usize, last: usize, nodes: i32, terms: i32, s0: v128, s1: v128, out: usize): void {
  let first: i32 = 0;
  for (let k: i32 = 0; k < terms; k++) {
    while (first < nodes && load<i32>(last + <usize>(first << 2)) <= k) first++;
    let a0 = f64x2.splat(0), a1 = f64x2.splat(0), a2 = f64x2.splat(0), a3 = f64x2.splat(0);
    let c = coef + <usize>((k * nodes + first) << 3), p = psi + <usize>(first << 6);
    for (let m = first; m < nodes; m++) {
      const u = v128.load64_splat(c);
      a0 = f64x2.add(a0, f64x2.mul(u, v128.load(p)));
      a1 = f64x2.add(a1, f64x2.mul(u, v128.load(p, 16)));
      a2 = f64x2.add(a2, f64x2.mul(u, v128.load(p, 32)));
      a3 = f64x2.add(a3, f64x2.mul(u, v128.load(p, 48)));
      c += 8;
      p += 64;
    }
    a0 = f64x2.mul(a0, s0); a1 = f64x2.mul(a1, s1); a2 = f64x2.mul(a2, s0); a3 = f64x2.mul(a3, s1);
    const o = out + <usize>(k << 6);
    if (k & 1) {
      // −i (re + i im) = im − i re
      v128.store(o, a2); v128.store(o, a3, 16); v128.store(o, f64x2.neg(a0), 32); v128.store(o, f64x2.neg(a1), 48);
    } else {
      v128.store(o, a0); v128.store(o, a1, 16); v128.store(o, a2, 32); v128.store(o, a3, 48);
    }
  }
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): f64 { return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1); }

/**
 * G_ij = Σ_k Σ_lanes y_i conj(v_j) over `terms` terms of two histories, times f_i f_j, into U at the place of i − j; the diagonal of G, lane
 * by lane (real part), into gd [n] of 32 bytes.
 */
function outer(y: usize, v: usize, n: i32, terms: i32, all: i32, index: usize, linear: usize, factor: usize, centre: i32, scale: f64, u: usize, gd: usize): void {
  const step = <usize>(all << 6), bytes = <usize>(terms << 6);
  for (let i: i32 = 0; i < n; i += 2) {
    const pair = i + 1 < n;
    const yi = y + <usize>i * step, yk = pair ? yi + step : yi;
    const ji = load<i32>(index + <usize>(i << 2)), jk = pair ? load<i32>(index + <usize>((i + 1) << 2)) : ji;
    const li = load<i32>(linear + <usize>(ji << 2)) + centre, lk = load<i32>(linear + <usize>(jk << 2)) + centre;
    const fi = scale * load<f64>(factor + <usize>(ji << 3)), fk = scale * load<f64>(factor + <usize>(jk << 3));
    for (let j: i32 = 0; j < n; j += 2) {
      const both = j + 1 < n;
      let a = yi, b = yk, c = v + <usize>j * step, d = both ? c + step : c;
      let r00 = f64x2.splat(0), r01 = f64x2.splat(0), r10 = f64x2.splat(0), r11 = f64x2.splat(0);
      let i00 = f64x2.splat(0), i01 = f64x2.splat(0), i10 = f64x2.splat(0), i11 = f64x2.splat(0);
      const end = a + bytes;
      while (a < end) {
        for (let h: usize = 0; h < 32; h += 16) {
          const ar = v128.load(a + h), ai = v128.load(a + h, 32), br = v128.load(b + h), bi = v128.load(b + h, 32);
          let xr = v128.load(c + h), xi = v128.load(c + h, 32);
          r00 = f64x2.add(r00, f64x2.add(f64x2.mul(ar, xr), f64x2.mul(ai, xi)));
          i00 = f64x2.add(i00, f64x2.sub(f64x2.mul(ai, xr), f64x2.mul(ar, xi)));
          r10 = f64x2.add(r10, f64x2.add(f64x2.mul(br, xr), f64x2.mul(bi, xi)));
          i10 = f64x2.add(i10, f64x2.sub(f64x2.mul(bi, xr), f64x2.mul(br, xi)));
          xr = v128.load(d + h); xi = v128.load(d + h, 32);
          r01 = f64x2.add(r01, f64x2.add(f64x2.mul(ar, xr), f64x2.mul(ai, xi)));
          i01 = f64x2.add(i01, f64x2.sub(f64x2.mul(ai, xr), f64x2.mul(ar, xi)));
          r11 = f64x2.add(r11, f64x2.add(f64x2.mul(br, xr), f64x2.mul(bi, xi)));
          i11 = f64x2.add(i11, f64x2.sub(f64x2.mul(bi, xr), f64x2.mul(br, xi)));
        }
        a += 64; b += 64; c += 64; d += 64;
      }
      const jj = load<i32>(index + <usize>(j << 2)), jl = both ? load<i32>(index + <usize>((j + 1) << 2)) : jj;
      const lj = load<i32>(linear + <usize>(jj << 2)), ll = load<i32>(linear + <usize>(jl << 2));
      const fj = load<f64>(factor + <usize>(jj << 3)), fl = load<f64>(factor + <usize>(jl << 3));
      add(u, li - lj, fi * fj, r00, i00);
      if (pair) add(u, lk - lj, fk * fj, r10, i10);
      if (both) add(u, li - ll, fi * fl, r01, i01);
      if (pair && both) add(u, lk - ll, fk * fl, r11, i11);
    }
  }
  for (let i: i32 = 0; i < n; i++) {
    let a = y + <usize>i * step, c = v + <usize>i * step;
    let s0 = f64x2.splat(0), s1 = f64x2.splat(0);
    const end = a + bytes;
    while (a < end) {
      s0 = f64x2.add(s0, f64x2.add(f64x2.mul(v128.load(a), v128.load(c)), f64x2.mul(v128.load(a, 32), v128.load(c, 32))));
      s1 = f64x2.add(s1, f64x2.add(f64x2.mul(v128.load(a, 16), v128.load(c, 16)), f64x2.mul(v128.load(a, 48), v128.load(c, 48))));
      a += 64; c += 64;
    }
    v128.store(gd + <usize>(i << 5), s0); v128.store(gd + <usize>(i << 5), s1, 16);
  }
}
// @ts-ignore: decorator
@inline
function add(u: usize, place: i32, f: f64, re: v128, im: v128): void {
  const to = u + (<usize>place << 4);
  store<f64>(to, load<f64>(to) + f * sumLanes(re));
  store<f64>(to, load<f64>(to, 8) + f * sumLanes(im), 8);
}

/**
 * Derivatives of one seed, Σ c·I, for `count` directions from `first` (a multiple of four); mode 2 gives intensities alone.
 * outU[seed, k] += weight · dI/dW_k, outD[seed, q] += weight · dI/dq, the last q being ln t with W held; outI[slot] += weight · I.
 * Returns the largest norm of a last Chebyshev vector, −1 when the scratch was too small, −2 when it was told to stop.
 */
export function pull(plan: usize, first: i32, count: i32, scratch: usize): f64 {
  const pool = int(plan, 0), parameters = int(plan, 2), terms = int(plan, 3), nodes = int(plan, 4);
  const mode = int(plan, 5), centre = int(plan, 7), maxBeams = int(plan, 8), maxRows = int(plan, 9);
  const linear = ptr(plan, 11), g = ptr(plan, 12), half = ptr(plan, 13), reach = ptr(plan, 14), factor = ptr(plan, 15), slot = ptr(plan, 16);
  const grid = ptr(plan, 17), kappa = ptr(plan, 18), dKappa = ptr(plan, 19), weight = ptr(plan, 20), coef = ptr(plan, 21), last = ptr(plan, 22);
  const seeds = ptr(plan, 24), outU = ptr(plan, 25), outD = ptr(plan, 26), control = ptr(plan, 27), outI = ptr(plan, 28);
  const scale = num(plan, 0), middle = num(plan, 1), diagonal = num(plan, 2);

  const cap = (maxBeams + 2) & ~1;
  const step = <usize>(terms << 6);
  let at = align(scratch);
  const index = at; at = align(at + <usize>(cap << 2));
  const rows = at; at = align(at + <usize>((maxRows + 1) << 3));
  const mask = at; at = align(at + <usize>(cap << 5));
  const d = at; at = align(at + <usize>(cap << 5));
  const sgs = at; at = align(at + <usize>(cap << 5));
  const gd = at; at = align(at + <usize>(cap << 5));
  const b = at; at = align(at + <usize>cap * <usize>cap * 16);
  const vectors = at; at = align(at + <usize>cap * 64 * 3);
  const V = at; at = align(at + <usize>cap * step);
  const Y = at; at = align(at + <usize>cap * step);
  const r = at; at = align(at + step);
  const psi = at;
  let worst: f64 = 0;

  for (let group: i32 = first; group < first + count; group += 4) {
    if (load<i32>(control)) return -2;
    const lanes = min<i32>(4, first + count - group);
    let n: i32 = 0, wanted: i32 = 0;
    for (let j: i32 = 0; j < pool; j++) {
      const gj = g + <usize>(j * 24);
      const gx = load<f64>(gj), gy = load<f64>(gj, 8), gz = load<f64>(gj, 16), h = load<f64>(half + <usize>(j << 3)), limit = load<f64>(reach + <usize>(j << 3));
      const o = <usize>(n << 5), f = load<f64>(factor + <usize>(j << 3));
      let any = false;
      for (let l: i32 = 0; l < 4; l++) {
        const s = kappa + <usize>((group + min<i32>(l, lanes - 1)) * 24);
        const sg = -(load<f64>(s) * gx + load<f64>(s, 8) * gy + load<f64>(s, 16) * gz) - h;
        const inside = l < lanes && Math.abs(sg) < limit;
        any = any || inside;
        const lo = o + <usize>(l << 3);
        store<f64>(mask + lo, inside ? 1 : 0);
        store<f64>(d + lo, inside ? (sg * f * f - middle) * diagonal : 0);
        store<f64>(sgs + lo, sg);
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
    if (wanted == 0) {
      store<i32>(control, load<i32>(control, 4) + 1, 4);
      continue;
    }
    const padded = (n + 1) & ~1;
    if (padded > n) {
      memory.fill(mask + <usize>(n << 5), 0, 32);
      memory.fill(d + <usize>(n << 5), 0, 32);
    }
    for (let i: i32 = 0; i < n; i++) {
      const ji = load<i32>(index + <usize>(i << 2));
      const li = load<i32>(linear + <usize>(ji << 2)) + centre;
      const fi = scale * load<f64>(factor + <usize>(ji << 3));
      let o = b + <usize>(i * padded) * 16;
      for (let k: i32 = 0; k < n; k++) {
        const jk = load<i32>(index + <usize>(k << 2));
        const u = grid + <usize>((li - load<i32>(linear + <usize>(jk << 2))) << 4);
        const f = fi * load<f64>(factor + <usize>(jk << 3));
        store<f64>(o, f * load<f64>(u));
        store<f64>(o, f * load<f64>(u, 8), 8);
        o += 16;
      }
      if (padded > n) { store<f64>(o, 0); store<f64>(o, 0, 8); }
    }
    if (padded > n) memory.fill(b + <usize>(n * padded) * 16, 0, <usize>padded * 16);

    // Forward: x0 = e0, x1 = B x0 / 2, x_{k+1} = B x_k − x_{k−1}; every vector is kept.
    const bytes = <usize>(cap << 6);
    let p0 = vectors, p1 = vectors + bytes, p2 = vectors + 2 * bytes;
    memory.fill(p0, 0, bytes);
    for (let l: i32 = 0; l < lanes; l++) store<f64>(p0 + <usize>(l << 3), 1);
    for (let i: i32 = 0; i < n; i++) memory.copy(V + <usize>i * step, p0 + <usize>(i << 6), 64);
    for (let k: i32 = 1; k < terms; k++) {
      product(b, p0, p1, padded);
      // the padding row's history falls on the spare beam of the scratch
      advance(p1, p0, k == 1 ? 0 : p2, mask, d, padded, k == 1 ? 0.5 : 1.0, V + <usize>(k << 6), step);
      const swap = p2; p2 = p0; p0 = p1; p1 = swap;
    }
    for (let l: i32 = 0; l < lanes; l++) {
      let norm: f64 = 0;
      for (let i: i32 = 0; i < n; i++) {
        const re = load<f64>(p0 + <usize>(i << 6) + <usize>(l << 3)), im = load<f64>(p0 + <usize>(i << 6) + <usize>(l << 3), 32);
        norm += re * re + im * im;
      }
      worst = max<f64>(worst, norm);
    }
    const w = weight + <usize>(group << 3);
    const w0 = load<f64>(w), w1 = lanes > 1 ? load<f64>(w, 8) : 0, w2 = lanes > 2 ? load<f64>(w, 16) : 0, w3 = lanes > 3 ? load<f64>(w, 24) : 0;
    const weight0 = f64x2.replace_lane(f64x2.splat(w0), 1, w1), weight1 = f64x2.replace_lane(f64x2.splat(w2), 1, w3);
    for (let q: i32 = 0; q < wanted; q++) {
      const beam = load<i32>(rows + <usize>(q << 3)), where = load<i32>(rows + <usize>(q << 3), 4);
      const p = psi + <usize>(q * nodes) * 64;
      waves(V + <usize>beam * step, coef, last, nodes, p);
      let s0 = f64x2.splat(0), s1 = f64x2.splat(0);
      for (let m: i32 = 0; m < nodes; m++) {
        const o = p + <usize>(m << 6);
        s0 = f64x2.add(s0, f64x2.add(f64x2.mul(v128.load(o), v128.load(o)), f64x2.mul(v128.load(o, 32), v128.load(o, 32))));
        s1 = f64x2.add(s1, f64x2.add(f64x2.mul(v128.load(o, 16), v128.load(o, 16)), f64x2.mul(v128.load(o, 48), v128.load(o, 48))));
      }
      const f = load<f64>(factor + <usize>(load<i32>(index + <usize>(beam << 2)) << 3));
      const to = outI + <usize>(where << 3);
      store<f64>(to, load<f64>(to) + f * f * (sumLanes(f64x2.mul(s0, weight0)) + sumLanes(f64x2.mul(s1, weight1))));
    }
    // v0 is halved for the sum G = ½ y1 v0ᴴ + Σ y_{k+1} v_kᴴ.
    for (let l: i32 = 0; l < lanes; l++) store<f64>(V + <usize>(l << 3), 0.5);

    if (mode != 2) {
      // Backward: y_k = r_k + B y_{k+1} − y_{k+2}; y_k stands in the history at k − 1, beside v_{k−1}. Seeds are written there first.
      for (let i: i32 = 0; i < padded; i++) memory.fill(Y + <usize>i * step, 0, step);
      for (let q: i32 = 0; q < wanted; q++) {
        const beam = load<i32>(rows + <usize>(q << 3)), where = load<i32>(rows + <usize>(q << 3), 4);
        const f = load<f64>(factor + <usize>(load<i32>(index + <usize>(beam << 2)) << 3));
        const c = load<f64>(seeds + <usize>(where << 3));
        const cc = f64x2.splat(2 * c * f * f);
        seed(psi + <usize>(q * nodes) * 64, coef, last, nodes, terms, f64x2.mul(cc, weight0), f64x2.mul(cc, weight1), r);
        memory.copy(Y + <usize>beam * step, r + 64, step - 64);
      }
      memory.fill(vectors, 0, 3 * bytes);
      p0 = vectors; p1 = vectors + bytes; p2 = vectors + 2 * bytes;
      for (let k = terms - 1; k >= 1; k--) {
        const history = Y + <usize>((k - 1) << 6);
        if (k < terms - 1) product(b, p0, p1, padded);
        for (let i: i32 = 0; i < padded; i++) {
          const row = <usize>(i << 6), lane = <usize>(i << 5), keep = history + <usize>i * step;
          for (let h: usize = 0; h < 64; h += 16) {
            const l = lane + (h & 16);
            let v = v128.load(keep + h);
            if (k < terms - 1) {
              v = f64x2.add(v, f64x2.add(f64x2.mul(v128.load(mask + l), v128.load(p1 + row + h)), f64x2.mul(v128.load(d + l), v128.load(p0 + row + h))));
              v = f64x2.sub(v, v128.load(p2 + row + h));
            }
            v128.store(p1 + row + h, v);
            v128.store(keep + h, v);
          }
        }
        const swap = p2; p2 = p0; p0 = p1; p1 = swap;
      }
      outer(Y, V, n, terms - 1, terms, index, linear, factor, centre, scale, outU, gd);
      const out = outD;
      for (let i: i32 = 0; i < n; i++) {
        const j = load<i32>(index + <usize>(i << 2));
        const f = load<f64>(factor + <usize>(j << 3));
        const gj = g + <usize>(j * 24);
        const gx = load<f64>(gj), gy = load<f64>(gj, 8), gz = load<f64>(gj, 16);
        for (let l: i32 = 0; l < lanes; l++) {
          const o = <usize>(i << 5) + <usize>(l << 3);
          const by = load<f64>(gd + o) * f * f * diagonal;
          for (let q: i32 = 0; q < parameters; q++) {
            const v = dKappa + <usize>(((group + l) * parameters + q) * 24);
            const t = out + <usize>(q << 3);
            store<f64>(t, load<f64>(t) - by * (load<f64>(v) * gx + load<f64>(v, 8) * gy + load<f64>(v, 16) * gz));
          }
          const t = out + <usize>(parameters << 3);
          store<f64>(t, load<f64>(t) + by * load<f64>(sgs + o));
        }
      }
    }
    store<i32>(control, load<i32>(control, 4) + 1, 4);
  }
  return worst;
}
