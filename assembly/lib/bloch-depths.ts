// Waves at the depths of a quadrature from the Chebyshev vectors of four directions, two depths at a time, and the way back.

/** Coefficients [terms, nodes] as [pair of depths][term][2]: what two depths read stands together. An odd last depth is paired with zeros. */
export function pairs(coef: usize, nodes: i32, terms: i32, out: usize): void {
  for (let m: i32 = 0; m < nodes; m += 2)
    for (let k: i32 = 0; k < terms; k++) {
      const from = coef + <usize>((k * nodes + m) << 3);
      store<f64>(out, load<f64>(from));
      store<f64>(out, m + 1 < nodes ? load<f64>(from, 8) : 0, 8);
      out += 16;
    }
}

/** ψ at two depths from real vectors: even terms are its real part, odd ones its imaginary part. */
// @ts-ignore: decorator
@inline
export function depthReal(phi: usize, coef: usize, stop: i32, out: usize): void {
  let a0 = f64x2.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  let c = coef, p = phi;
  for (let k: i32 = 0; k < stop; k += 2) {
    let v0 = v128.load(p), v1 = v128.load(p, 16);
    let u = v128.load64_splat(c), w = v128.load64_splat(c, 8);
    a0 = f64x2.add(a0, f64x2.mul(u, v0));
    a1 = f64x2.add(a1, f64x2.mul(u, v1));
    b0 = f64x2.add(b0, f64x2.mul(w, v0));
    b1 = f64x2.add(b1, f64x2.mul(w, v1));
    if (k + 1 < stop) {
      v0 = v128.load(p, 32);
      v1 = v128.load(p, 48);
      u = v128.load64_splat(c, 16);
      w = v128.load64_splat(c, 24);
      a2 = f64x2.add(a2, f64x2.mul(u, v0));
      a3 = f64x2.add(a3, f64x2.mul(u, v1));
      b2 = f64x2.add(b2, f64x2.mul(w, v0));
      b3 = f64x2.add(b3, f64x2.mul(w, v1));
    }
    c += 32;
    p += 64;
  }
  v128.store(out, a0); v128.store(out, a1, 16); v128.store(out, a2, 32); v128.store(out, a3, 48);
  v128.store(out, b0, 64); v128.store(out, b1, 80); v128.store(out, b2, 96); v128.store(out, b3, 112);
}

/** ψ at two depths: out [2] of 64 bytes = Σ_{k<stop} coef[k, depth] φ_k. */
// @ts-ignore: decorator
@inline
export function depth(phi: usize, coef: usize, stop: i32, out: usize): void {
  let a0 = f64x2.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  let c = coef;
  const end = phi + <usize>(stop << 6);
  for (let p = phi; p < end; p += 64) {
    const v0 = v128.load(p), v1 = v128.load(p, 16), v2 = v128.load(p, 32), v3 = v128.load(p, 48);
    let u = v128.load64_splat(c);
    a0 = f64x2.add(a0, f64x2.mul(u, v0));
    a1 = f64x2.add(a1, f64x2.mul(u, v1));
    a2 = f64x2.add(a2, f64x2.mul(u, v2));
    a3 = f64x2.add(a3, f64x2.mul(u, v3));
    u = v128.load64_splat(c, 8);
    b0 = f64x2.add(b0, f64x2.mul(u, v0));
    b1 = f64x2.add(b1, f64x2.mul(u, v1));
    b2 = f64x2.add(b2, f64x2.mul(u, v2));
    b3 = f64x2.add(b3, f64x2.mul(u, v3));
    c += 16;
  }
  v128.store(out, a0); v128.store(out, a1, 16); v128.store(out, a2, 32); v128.store(out, a3, 48);
  v128.store(out, b0, 64); v128.store(out, b1, 80); v128.store(out, b2, 96); v128.store(out, b3, 112);
}

/**
 * Derivatives of Σ_m s·|ψ_m|² with respect to the vectors: r_k = 2 s Σ_m coef[k, m] conj(i^(k mod 2)) ψ_m for k >= 1, written to the planes (real, imaginary) of a beam's
 * history (lib/bloch-outer.ts) at k − 1. psi [nodes] of 64 bytes; s0, s1 hold 2s of the lanes. Depths ascend, so those whose series ends before k stand first.
 */
// @ts-ignore: decorator
@inline
export function seeds(psi: usize, coef: usize, last: usize, nodes: i32, terms: i32, s0: v128, s1: v128, out: usize, real: bool): void {
  const plane = <usize>(terms << 7);
  let first: i32 = 0;
  // k even and odd together: both run over the same depths, whose series end at even terms
  for (let k: i32 = 0; k < terms; k += 2) {
    while (first < nodes && load<i32>(last + <usize>(first << 2)) <= k) first++;
    let a0 = f64x2.splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
    const odd: usize = k + 1 < terms ? <usize>(nodes << 3) : 0;
    let c = coef + <usize>((k * nodes + first) << 3), p = psi + <usize>(first << 6);
    const end = psi + <usize>(nodes << 6);
    while (p < end) {
      const v0 = v128.load(p), v1 = v128.load(p, 16), v2 = v128.load(p, 32), v3 = v128.load(p, 48);
      let u = v128.load64_splat(c);
      a0 = f64x2.add(a0, f64x2.mul(u, v0));
      a1 = f64x2.add(a1, f64x2.mul(u, v1));
      if (!real) {
        a2 = f64x2.add(a2, f64x2.mul(u, v2));
        a3 = f64x2.add(a3, f64x2.mul(u, v3));
      }
      u = v128.load64_splat(c + odd);
      if (!real) {
        b0 = f64x2.add(b0, f64x2.mul(u, v0));
        b1 = f64x2.add(b1, f64x2.mul(u, v1));
      }
      b2 = f64x2.add(b2, f64x2.mul(u, v2));
      b3 = f64x2.add(b3, f64x2.mul(u, v3));
      c += 8;
      p += 64;
    }
    const o = out + (<usize>k << 7);
    if (k > 0) {
      v128.store(o - 128, f64x2.mul(a0, s0)); v128.store(o - 128, f64x2.mul(a1, s1), 64);
      if (!real) {
        v128.store(o - 128 + plane, f64x2.mul(a2, s0)); v128.store(o - 128 + plane, f64x2.mul(a3, s1), 64);
      }
    }
    if (odd) {
      // −i (re + i im) = im − i re
      v128.store(o, f64x2.mul(b2, s0)); v128.store(o, f64x2.mul(b3, s1), 64);
      if (!real) {
        v128.store(o + plane, f64x2.neg(f64x2.mul(b0, s0))); v128.store(o + plane, f64x2.neg(f64x2.mul(b1, s1)), 64);
      }
    }
  }
}
