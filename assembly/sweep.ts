// Bloch waves of one frame on many incident directions: one Chebyshev recursion for four directions at a time, which share the matrix
// U of their common beams and differ in the diagonal and in which beams take part. Everything is f64; see src/kernels/sweep.ts.
//
// Rows of X hold a beam: four real parts, four imaginary parts (64 bytes); for a real potential four real parts (32 bytes).

// @ts-ignore: decorator
@inline
function int(plan: usize, i: i32): i32 { return load<i32>(plan + <usize>(i << 2)); }
// @ts-ignore: decorator
@inline
function ptr(plan: usize, i: i32): usize { return <usize>load<u32>(plan + <usize>(i << 2)); }
// @ts-ignore: decorator
@inline
function num(plan: usize, i: i32): f64 { return load<f64>(plan + 160 + <usize>(i << 3)); }
// @ts-ignore: decorator
@inline
function align(p: usize): usize { return (p + 63) & ~<usize>63; }

/** Bytes of scratch for `beams` common beams, `rows` of them wanted, `terms` Chebyshev terms, `tangents` derivatives, `pool` beams in all. */
export function sweepScratch(pool: i32, beams: i32, rows: i32, terms: i32, tangents: i32): f64 {
  const n = <f64>((beams + 4) & ~3);
  return 2048 + <f64>pool * 4 + n * (4 + 4 + 32 + 32 + 32 * tangents) + n * n * 16 + n * 64 * 3 * (1 + tangents) + <f64>(rows + 1) * (8 + <f64>terms * 64 * (1 + tangents));
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

/** The same for real B [n, n] and real x of four lanes (32 bytes), four rows at a time; n is a multiple of four. */
// @ts-ignore: decorator
@inline
function productReal(b: usize, x: usize, out: usize, n: i32): void {
  const stride = <usize>(n << 3);
  for (let i: i32 = 0; i < n; i += 4) {
    let a = b + <usize>i * stride;
    let p = x;
    let a0 = f64x2.splat(0), a1 = f64x2.splat(0), b0 = f64x2.splat(0), b1 = f64x2.splat(0);
    let c0 = f64x2.splat(0), c1 = f64x2.splat(0), d0 = f64x2.splat(0), d1 = f64x2.splat(0);
    const end = a + stride;
    while (a < end) {
      const x0 = v128.load(p), x1 = v128.load(p, 16);
      let u = v128.load64_splat(a);
      a0 = f64x2.add(a0, f64x2.mul(u, x0));
      a1 = f64x2.add(a1, f64x2.mul(u, x1));
      u = v128.load64_splat(a + stride);
      b0 = f64x2.add(b0, f64x2.mul(u, x0));
      b1 = f64x2.add(b1, f64x2.mul(u, x1));
      u = v128.load64_splat(a + 2 * stride);
      c0 = f64x2.add(c0, f64x2.mul(u, x0));
      c1 = f64x2.add(c1, f64x2.mul(u, x1));
      u = v128.load64_splat(a + 3 * stride);
      d0 = f64x2.add(d0, f64x2.mul(u, x0));
      d1 = f64x2.add(d1, f64x2.mul(u, x1));
      a += 8;
      p += 32;
    }
    const o = out + <usize>(i << 5);
    v128.store(o, a0); v128.store(o, a1, 16); v128.store(o, b0, 32); v128.store(o, b1, 48);
    v128.store(o, c0, 64); v128.store(o, c1, 80); v128.store(o, d0, 96); v128.store(o, d1, 112);
  }
}

/** y := factor · (mask · y + d · x + e · z) − before, by lanes; z (with e) and before may be 0. */
// @ts-ignore: decorator
@inline
function combine(y: usize, x: usize, z: usize, before: usize, mask: usize, d: usize, e: usize, n: i32, factor: f64, real: bool): void {
  const f = f64x2.splat(factor), bytes: usize = real ? 32 : 64;
  for (let i: i32 = 0; i < n; i++) {
    const row = <usize>i * bytes, lane = <usize>(i << 5);
    for (let h: usize = 0; h < bytes; h += 16) {
      const l = lane + (h & 16);
      let v = f64x2.add(f64x2.mul(v128.load(mask + l), v128.load(y + row + h)), f64x2.mul(v128.load(d + l), v128.load(x + row + h)));
      if (z) v = f64x2.add(v, f64x2.mul(v128.load(e + l), v128.load(z + row + h)));
      v = f64x2.mul(v, f);
      if (before) v = f64x2.sub(v, v128.load(before + row + h));
      v128.store(y + row + h, v);
    }
  }
}

/** Keep the wanted rows of the k-th Chebyshev vector; complex ones times i^(k mod 2). The signs of i^k are in the coefficients. */
// @ts-ignore: decorator
@inline
function keep(x: usize, phi: usize, rows: usize, count: i32, terms: i32, k: i32, real: bool): void {
  for (let r: i32 = 0; r < count; r++) {
    const beam = <usize>load<i32>(rows + <usize>(r << 3));
    if (real) {
      const from = x + (beam << 5), to = phi + <usize>(r * terms + k) * 32;
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      continue;
    }
    const from = x + (beam << 6), to = phi + <usize>(r * terms + k) * 64;
    const a = v128.load(from), b = v128.load(from, 16), c = v128.load(from, 32), d = v128.load(from, 48);
    if (k & 1) {
      v128.store(to, f64x2.neg(c)); v128.store(to, f64x2.neg(d), 16); v128.store(to, a, 32); v128.store(to, b, 48);
    } else {
      v128.store(to, a); v128.store(to, b, 16); v128.store(to, c, 32); v128.store(to, d, 48);
    }
  }
}

/** ψ at one or two depths from real vectors: even terms are its real part, odd ones its imaginary part. */
// @ts-ignore: decorator
@inline
function depthReal(phi: usize, coef: usize, nodes: i32, stop: i32, pair: i32, out: usize): void {
  let a0 = f64x2.splat(0), a1 = f64x2.splat(0), a2 = f64x2.splat(0), a3 = f64x2.splat(0);
  let b0 = f64x2.splat(0), b1 = f64x2.splat(0), b2 = f64x2.splat(0), b3 = f64x2.splat(0);
  const step = <usize>(nodes << 3), second: usize = pair > 1 ? 8 : 0;
  let c = coef, p = phi;
  for (let k: i32 = 0; k < stop; k += 2) {
    let v0 = v128.load(p), v1 = v128.load(p, 16);
    let u = v128.load64_splat(c), w = v128.load64_splat(c + second);
    a0 = f64x2.add(a0, f64x2.mul(u, v0));
    a1 = f64x2.add(a1, f64x2.mul(u, v1));
    b0 = f64x2.add(b0, f64x2.mul(w, v0));
    b1 = f64x2.add(b1, f64x2.mul(w, v1));
    if (k + 1 < stop) {
      v0 = v128.load(p, 32);
      v1 = v128.load(p, 48);
      u = v128.load64_splat(c + step);
      w = v128.load64_splat(c + step + second);
      a2 = f64x2.add(a2, f64x2.mul(u, v0));
      a3 = f64x2.add(a3, f64x2.mul(u, v1));
      b2 = f64x2.add(b2, f64x2.mul(w, v0));
      b3 = f64x2.add(b3, f64x2.mul(w, v1));
    }
    c += 2 * step;
    p += 64;
  }
  v128.store(out, a0); v128.store(out, a1, 16); v128.store(out, a2, 32); v128.store(out, a3, 48);
  v128.store(out, b0, 64); v128.store(out, b1, 80); v128.store(out, b2, 96); v128.store(out, b3, 112);
}

/** ψ at one or two depths: out [2] of 64 bytes = Σ_{k<stop} coef[k, depth] φ_k. */
// @ts-ignore: decorator
@inline
function depth(phi: usize, coef: usize, nodes: i32, stop: i32, pair: i32, out: usize): void {
  let a0 = f64x2.splat(0), a1 = f64x2.splat(0), a2 = f64x2.splat(0), a3 = f64x2.splat(0);
  let b0 = f64x2.splat(0), b1 = f64x2.splat(0), b2 = f64x2.splat(0), b3 = f64x2.splat(0);
  const step = <usize>(nodes << 3), second: usize = pair > 1 ? 8 : 0;
  let c = coef;
  const end = phi + <usize>(stop << 6);
  for (let p = phi; p < end; p += 64) {
    const v0 = v128.load(p), v1 = v128.load(p, 16), v2 = v128.load(p, 32), v3 = v128.load(p, 48);
    let u = v128.load64_splat(c);
    a0 = f64x2.add(a0, f64x2.mul(u, v0));
    a1 = f64x2.add(a1, f64x2.mul(u, v1));
    a2 = f64x2.add(a2, f64x2.mul(u, v2));
    a3 = f64x2.add(a3, f64x2.mul(u, v3));
    u = v128.load64_splat(c + second);
    b0 = f64x2.add(b0, f64x2.mul(u, v0));
    b1 = f64x2.add(b1, f64x2.mul(u, v1));
    b2 = f64x2.add(b2, f64x2.mul(u, v2));
    b3 = f64x2.add(b3, f64x2.mul(u, v3));
    c += step;
  }
  v128.store(out, a0); v128.store(out, a1, 16); v128.store(out, a2, 32); v128.store(out, a3, 48);
  v128.store(out, b0, 64); v128.store(out, b1, 80); v128.store(out, b2, 96); v128.store(out, b3, 112);
}

/**
 * Intensities of the wanted beams for `count` incident directions from `first`.
 * out[slot·s0 + direction·s1 + node·s2 + tangent·s3] += weight · |ψ(t_node)|², tangent 0 being the intensity itself.
 * Returns the largest norm of a last Chebyshev vector, and keeps it 8 bytes below `out`: above 1 the spectral bounds were too narrow; −1 when the scratch was too small.
 */
export function sweep(plan: usize, first: i32, count: i32, out: usize, scratch: usize): f64 {
  const pool = int(plan, 0), tangents = int(plan, 2), terms = int(plan, 3), nodes = int(plan, 4);
  const s0 = int(plan, 5), s1 = int(plan, 6), s2 = int(plan, 7), s3 = int(plan, 8), centre = int(plan, 9);
  const maxBeams = int(plan, 10), maxRows = int(plan, 11);
  const linear = ptr(plan, 12), g = ptr(plan, 13), half = ptr(plan, 14), reach = ptr(plan, 15), factor = ptr(plan, 16), slot = ptr(plan, 17);
  const grid = ptr(plan, 18), kappa = ptr(plan, 19), dKappa = ptr(plan, 20), weight = ptr(plan, 21), coef = ptr(plan, 22), last = ptr(plan, 23);
  const scale = num(plan, 0), middle = num(plan, 1), diagonal = num(plan, 2), decay = num(plan, 3);

  const cap = (maxBeams + 4) & ~3; // one row to try a beam in
  const real = int(plan, 29) != 0, row: usize = real ? 32 : 64, entry: usize = real ? 8 : 16;
  let at = align(scratch);
  const index = at; at = align(at + <usize>(cap << 2));
  const rows = at; at = align(at + <usize>((maxRows + 1) << 3));
  const mask = at; at = align(at + <usize>(cap << 5));
  const d = at; at = align(at + <usize>(cap << 5));
  const e = at; at = align(at + <usize>((cap << 5) * tangents));
  const b = at; at = align(at + <usize>cap * <usize>cap * entry);
  const vectors = at; at = align(at + <usize>cap * row * 3 * <usize>(1 + tangents));
  const wave = at; at += 256;
  const phi = at;
  const phiBytes = <usize>(maxRows * terms) * row;
  let worst: f64 = 0;

  for (let group: i32 = first; group < first + count; group += 4) {
    const lanes = min<i32>(4, first + count - group);
    // Common beams: every one that any of the four directions lets in.
    let n: i32 = 0, wanted: i32 = 0;
    for (let j: i32 = 0; j < pool; j++) {
      const gj = g + <usize>(j * 24);
      const gx = load<f64>(gj), gy = load<f64>(gj, 8), gz = load<f64>(gj, 16), h = load<f64>(half + <usize>(j << 3)), limit = load<f64>(reach + <usize>(j << 3));
      let any = false;
      {
        const o = <usize>(n << 5), f = load<f64>(factor + <usize>(j << 3));
        for (let l: i32 = 0; l < 4; l++) {
          const s = kappa + <usize>((group + min<i32>(l, lanes - 1)) * 24);
          const sg = -(load<f64>(s) * gx + load<f64>(s, 8) * gy + load<f64>(s, 16) * gz) - h;
          const inside = l < lanes && Math.abs(sg) < limit;
          any = any || inside;
          const lo = o + <usize>(l << 3);
          store<f64>(mask + lo, inside ? 1 : 0);
          store<f64>(d + lo, inside ? (sg * f * f - middle) * diagonal : 0);
          for (let t: i32 = 0; t < tangents; t++) {
            const v = dKappa + <usize>(((group + min<i32>(l, lanes - 1)) * tangents + t) * 24);
            const ds = -(load<f64>(v) * gx + load<f64>(v, 8) * gy + load<f64>(v, 16) * gz);
            store<f64>(e + <usize>(t * cap << 5) + lo, inside ? ds * f * f * diagonal : 0);
          }
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
    const padded = real ? (n + 3) & ~3 : (n + 1) & ~1;
    for (let i: i32 = n; i < padded; i++) {
      memory.fill(mask + <usize>(i << 5), 0, 32);
      memory.fill(d + <usize>(i << 5), 0, 32);
      for (let t: i32 = 0; t < tangents; t++) memory.fill(e + <usize>(t * cap << 5) + <usize>(i << 5), 0, 32);
    }
    memory.fill(b, 0, <usize>padded * <usize>padded * entry);
    for (let i: i32 = 0; i < n; i++) {
      const ji = load<i32>(index + <usize>(i << 2));
      const li = load<i32>(linear + <usize>(ji << 2)) + centre;
      const fi = scale * load<f64>(factor + <usize>(ji << 3));
      let o = b + <usize>(i * padded) * entry;
      for (let k: i32 = 0; k < n; k++) {
        const jk = load<i32>(index + <usize>(k << 2));
        const u = grid + <usize>((li - load<i32>(linear + <usize>(jk << 2))) << 4);
        const f = fi * load<f64>(factor + <usize>(jk << 3));
        const re = f * load<f64>(u);
        store<f64>(o, re);
        if (!real) store<f64>(o, i == k ? f * load<f64>(u, 8) - decay : f * load<f64>(u, 8), 8);
        o += entry;
      }
    }

    // x0 = e0, x1 = B x0 / 2, x_{k+1} = B x_k − x_{k−1}; tangents dx_{k+1} = B dx_k + dB x_k − dx_{k−1}.
    const size = <usize>cap * row;
    let p0 = vectors, p1 = vectors + size, p2 = vectors + 2 * size;
    const set = 3 * size;
    memory.fill(p0, 0, size);
    for (let l: i32 = 0; l < lanes; l++) store<f64>(p0 + <usize>(l << 3), 1);
    keep(p0, phi, rows, wanted, terms, 0, real);
    for (let t: i32 = 1; t <= tangents; t++) {
      memory.fill(p0 + <usize>t * set, 0, size);
      keep(p0 + <usize>t * set, phi + <usize>t * phiBytes, rows, wanted, terms, 0, real);
    }
    for (let k: i32 = 1; k < terms; k++) {
      const half1 = k == 1 ? 0.5 : 1.0;
      if (real) productReal(b, p0, p1, padded);
      else product(b, p0, p1, padded);
      combine(p1, p0, 0, k == 1 ? 0 : p2, mask, d, 0, padded, half1, real);
      keep(p1, phi, rows, wanted, terms, k, real);
      for (let t: i32 = 1; t <= tangents; t++) {
        const o = <usize>t * set;
        if (real) productReal(b, p0 + o, p1 + o, padded);
        else product(b, p0 + o, p1 + o, padded);
        combine(p1 + o, p0 + o, p0, k == 1 ? 0 : p2 + o, mask, d, e + <usize>((t - 1) * cap << 5), padded, half1, real);
        keep(p1 + o, phi + <usize>t * phiBytes, rows, wanted, terms, k, real);
      }
      const swap = p2; p2 = p0; p0 = p1; p1 = swap;
    }
    for (let l: i32 = 0; l < lanes; l++) {
      let norm: f64 = 0;
      for (let i: i32 = 0; i < n; i++) {
        const from = p0 + <usize>i * row + <usize>(l << 3), re = load<f64>(from), im = real ? 0 : load<f64>(from, 32);
        norm += re * re + im * im;
      }
      worst = max<f64>(worst, norm);
    }

    // ψ(t_m) = Σ_k coef[k, m] φ_k, two depths at a time.
    for (let r: i32 = 0; r < wanted; r++) {
      const beam = load<i32>(rows + <usize>(r << 3)), where = load<i32>(rows + <usize>(r << 3), 4);
      const f = load<f64>(factor + <usize>(load<i32>(index + <usize>(beam << 2)) << 3));
      for (let m: i32 = 0; m < nodes; m += 2) {
        const pair = min<i32>(2, nodes - m);
        const stop = load<i32>(last + <usize>((m + pair - 1) << 2));
        const waves = phi + <usize>(r * terms) * row, c = coef + <usize>(m << 3);
        if (real) depthReal(waves, c, nodes, stop, pair, wave);
        else depth(waves, c, nodes, stop, pair, wave);
        for (let t: i32 = 0; t <= tangents; t++) {
          if (t > 0) {
            if (real) depthReal(waves + <usize>t * phiBytes, c, nodes, stop, pair, wave + 128);
            else depth(waves + <usize>t * phiBytes, c, nodes, stop, pair, wave + 128);
          }
          const other = t > 0 ? wave + 128 : wave;
          const times = t > 0 ? 2 * f * f : f * f;
          for (let q: i32 = 0; q < pair; q++)
            for (let l: i32 = 0; l < lanes; l++) {
              const o = <usize>(q << 6) + <usize>(l << 3);
              const v = load<f64>(wave + o) * load<f64>(other + o) + load<f64>(wave + o, 32) * load<f64>(other + o, 32);
              const to = out + <usize>((where * s0 + (group + l) * s1 + (m + q) * s2 + t * s3) << 3);
              store<f64>(to, load<f64>(to) + times * load<f64>(weight + <usize>((group + l) << 3)) * v);
            }
        }
      }
    }
  }
  store<f64>(out - 8, max<f64>(load<f64>(out - 8), worst));
  return worst;
}
