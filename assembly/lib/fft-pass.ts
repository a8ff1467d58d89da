// One pass of the transform: `count` butterflies of radix r, each over `width` bytes of independent transforms.
//
//   input  k of butterfly p at x + p·xp + k·xk        output k at y + p·yp + k·yk
//
// The same code serves Stockham passes (rows), in-place passes (columns), the first pass that reads the user's interleaved
// array (IN) and the last that writes it (OUT; PERM looks the output row up). Decimation in frequency: twiddles (TW) follow
// the butterfly, stored (r−1) complex per p. The inverse conjugates on load (mask flips the sign of im) and on store (si = −sr).
import { even, odd, put, mulRe, mulIm } from "./simd";

// @ts-ignore: decorator
@inline
export function pass2<T>(x: usize, y: usize, count: usize, xp: usize, xk: usize, yp: usize, yk: usize, width: usize,
  tw: usize, perm: usize, mask: v128, sr: v128, si: v128, TW: bool, IN: bool, OUT: bool, PERM: bool): void {
  for (let p: usize = 0; p < count; p++) {
    let wr = sr, wi = si;
    if (TW) { wr = v128.load_splat<T>(tw); wi = v128.load_splat<T>(tw, sizeof<T>()); tw += 2 * sizeof<T>(); }
    let x0 = x + p * xp, x1 = x0 + xk;
    let y0 = y + (PERM ? <usize>load<u32>(perm + (p << 2)) : p) * yp, y1 = y0 + yk;
    const e = x0 + width;
    while (x0 < e) {
      let ar = v128.load(x0), ai = v128.load(x0, 16), br = v128.load(x1), bi = v128.load(x1, 16);
      if (IN) {
        let t = odd<T>(ar, ai); ar = even<T>(ar, ai); ai = v128.xor(t, mask);
        t = odd<T>(br, bi); br = even<T>(br, bi); bi = v128.xor(t, mask);
      }
      const dr = v128.sub<T>(ar, br), di = v128.sub<T>(ai, bi);
      put<T>(y0, v128.add<T>(ar, br), v128.add<T>(ai, bi), OUT, sr, si);
      if (TW) put<T>(y1, mulRe<T>(dr, di, wr, wi), mulIm<T>(dr, di, wr, wi), OUT, sr, si);
      else put<T>(y1, dr, di, OUT, sr, si);
      x0 += 32; x1 += 32; y0 += 32; y1 += 32;
    }
  }
}

// @ts-ignore: decorator
@inline
export function pass3<T>(x: usize, y: usize, count: usize, xp: usize, xk: usize, yp: usize, yk: usize, width: usize,
  tw: usize, perm: usize, mask: v128, sr: v128, si: v128, TW: bool, IN: bool, OUT: bool, PERM: bool): void {
  const half = v128.splat<T>(<T>0.5), sin = v128.splat<T>(<T>0.86602540378443864676);
  for (let p: usize = 0; p < count; p++) {
    let w1r = sr, w1i = si, w2r = sr, w2i = si;
    if (TW) {
      w1r = v128.load_splat<T>(tw); w1i = v128.load_splat<T>(tw, sizeof<T>());
      w2r = v128.load_splat<T>(tw, 2 * sizeof<T>()); w2i = v128.load_splat<T>(tw, 3 * sizeof<T>());
      tw += 4 * sizeof<T>();
    }
    let x0 = x + p * xp, x1 = x0 + xk, x2 = x1 + xk;
    let y0 = y + (PERM ? <usize>load<u32>(perm + (p << 2)) : p) * yp, y1 = y0 + yk, y2 = y1 + yk;
    const e = x0 + width;
    while (x0 < e) {
      let ar = v128.load(x0), ai = v128.load(x0, 16), br = v128.load(x1), bi = v128.load(x1, 16), cr = v128.load(x2), ci = v128.load(x2, 16);
      if (IN) {
        let t = odd<T>(ar, ai); ar = even<T>(ar, ai); ai = v128.xor(t, mask);
        t = odd<T>(br, bi); br = even<T>(br, bi); bi = v128.xor(t, mask);
        t = odd<T>(cr, ci); cr = even<T>(cr, ci); ci = v128.xor(t, mask);
      }
      const tr = v128.add<T>(br, cr), ti = v128.add<T>(bi, ci);
      const ur = v128.mul<T>(v128.sub<T>(br, cr), sin), ui = v128.mul<T>(v128.sub<T>(bi, ci), sin);
      put<T>(y0, v128.add<T>(ar, tr), v128.add<T>(ai, ti), OUT, sr, si);
      const mr = v128.sub<T>(ar, v128.mul<T>(tr, half)), mi = v128.sub<T>(ai, v128.mul<T>(ti, half));
      const pr = v128.add<T>(mr, ui), pi = v128.sub<T>(mi, ur), qr = v128.sub<T>(mr, ui), qi = v128.add<T>(mi, ur);
      if (TW) {
        put<T>(y1, mulRe<T>(pr, pi, w1r, w1i), mulIm<T>(pr, pi, w1r, w1i), OUT, sr, si);
        put<T>(y2, mulRe<T>(qr, qi, w2r, w2i), mulIm<T>(qr, qi, w2r, w2i), OUT, sr, si);
      } else { put<T>(y1, pr, pi, OUT, sr, si); put<T>(y2, qr, qi, OUT, sr, si); }
      x0 += 32; x1 += 32; x2 += 32; y0 += 32; y1 += 32; y2 += 32;
    }
  }
}

// @ts-ignore: decorator
@inline
export function pass4<T>(x: usize, y: usize, count: usize, xp: usize, xk: usize, yp: usize, yk: usize, width: usize,
  tw: usize, perm: usize, mask: v128, sr: v128, si: v128, TW: bool, IN: bool, OUT: bool, PERM: bool): void {
  for (let p: usize = 0; p < count; p++) {
    let w1r = sr, w1i = si, w2r = sr, w2i = si, w3r = sr, w3i = si;
    if (TW) {
      w1r = v128.load_splat<T>(tw); w1i = v128.load_splat<T>(tw, sizeof<T>());
      w2r = v128.load_splat<T>(tw, 2 * sizeof<T>()); w2i = v128.load_splat<T>(tw, 3 * sizeof<T>());
      w3r = v128.load_splat<T>(tw, 4 * sizeof<T>()); w3i = v128.load_splat<T>(tw, 5 * sizeof<T>());
      tw += 6 * sizeof<T>();
    }
    let x0 = x + p * xp, x1 = x0 + xk, x2 = x1 + xk, x3 = x2 + xk;
    let y0 = y + (PERM ? <usize>load<u32>(perm + (p << 2)) : p) * yp, y1 = y0 + yk, y2 = y1 + yk, y3 = y2 + yk;
    const e = x0 + width;
    while (x0 < e) {
      let ar = v128.load(x0), ai = v128.load(x0, 16), br = v128.load(x1), bi = v128.load(x1, 16);
      let cr = v128.load(x2), ci = v128.load(x2, 16), dr = v128.load(x3), di = v128.load(x3, 16);
      if (IN) {
        let t = odd<T>(ar, ai); ar = even<T>(ar, ai); ai = v128.xor(t, mask);
        t = odd<T>(br, bi); br = even<T>(br, bi); bi = v128.xor(t, mask);
        t = odd<T>(cr, ci); cr = even<T>(cr, ci); ci = v128.xor(t, mask);
        t = odd<T>(dr, di); dr = even<T>(dr, di); di = v128.xor(t, mask);
      }
      const pr = v128.add<T>(ar, cr), pi = v128.add<T>(ai, ci), mr = v128.sub<T>(ar, cr), mi = v128.sub<T>(ai, ci);
      const qr = v128.add<T>(br, dr), qi = v128.add<T>(bi, di), nr = v128.sub<T>(br, dr), ni = v128.sub<T>(bi, di);
      put<T>(y0, v128.add<T>(pr, qr), v128.add<T>(pi, qi), OUT, sr, si);
      const er = v128.sub<T>(pr, qr), ei = v128.sub<T>(pi, qi);
      const fr = v128.add<T>(mr, ni), fi = v128.sub<T>(mi, nr), gr = v128.sub<T>(mr, ni), gi = v128.add<T>(mi, nr);
      if (TW) {
        put<T>(y1, mulRe<T>(fr, fi, w1r, w1i), mulIm<T>(fr, fi, w1r, w1i), OUT, sr, si);
        put<T>(y2, mulRe<T>(er, ei, w2r, w2i), mulIm<T>(er, ei, w2r, w2i), OUT, sr, si);
        put<T>(y3, mulRe<T>(gr, gi, w3r, w3i), mulIm<T>(gr, gi, w3r, w3i), OUT, sr, si);
      } else {
        put<T>(y1, fr, fi, OUT, sr, si); put<T>(y2, er, ei, OUT, sr, si); put<T>(y3, gr, gi, OUT, sr, si);
      }
      x0 += 32; x1 += 32; x2 += 32; x3 += 32; y0 += 32; y1 += 32; y2 += 32; y3 += 32;
    }
  }
}

// @ts-ignore: decorator
@inline
export function pass5<T>(x: usize, y: usize, count: usize, xp: usize, xk: usize, yp: usize, yk: usize, width: usize,
  tw: usize, perm: usize, mask: v128, sr: v128, si: v128, TW: bool, IN: bool, OUT: bool, PERM: bool): void {
  // cos and sin of 2π/5 and 4π/5.
  const c1 = v128.splat<T>(<T>0.30901699437494742410), c2 = v128.splat<T>(<T>-0.80901699437494742410);
  const s1 = v128.splat<T>(<T>0.95105651629515357212), s2 = v128.splat<T>(<T>0.58778525229247312917);
  for (let p: usize = 0; p < count; p++) {
    const w = tw;
    if (TW) tw += 8 * sizeof<T>();
    let x0 = x + p * xp, x1 = x0 + xk, x2 = x1 + xk, x3 = x2 + xk, x4 = x3 + xk;
    let y0 = y + (PERM ? <usize>load<u32>(perm + (p << 2)) : p) * yp, y1 = y0 + yk, y2 = y1 + yk, y3 = y2 + yk, y4 = y3 + yk;
    const e = x0 + width;
    while (x0 < e) {
      let ar = v128.load(x0), ai = v128.load(x0, 16), br = v128.load(x1), bi = v128.load(x1, 16), cr = v128.load(x2), ci = v128.load(x2, 16);
      let dr = v128.load(x3), di = v128.load(x3, 16), er = v128.load(x4), ei = v128.load(x4, 16);
      if (IN) {
        let t = odd<T>(ar, ai); ar = even<T>(ar, ai); ai = v128.xor(t, mask);
        t = odd<T>(br, bi); br = even<T>(br, bi); bi = v128.xor(t, mask);
        t = odd<T>(cr, ci); cr = even<T>(cr, ci); ci = v128.xor(t, mask);
        t = odd<T>(dr, di); dr = even<T>(dr, di); di = v128.xor(t, mask);
        t = odd<T>(er, ei); er = even<T>(er, ei); ei = v128.xor(t, mask);
      }
      const pr = v128.add<T>(br, er), pi = v128.add<T>(bi, ei), qr = v128.add<T>(cr, dr), qi = v128.add<T>(ci, di);
      const ur = v128.sub<T>(br, er), ui = v128.sub<T>(bi, ei), vr = v128.sub<T>(cr, dr), vi = v128.sub<T>(ci, di);
      put<T>(y0, v128.add<T>(ar, v128.add<T>(pr, qr)), v128.add<T>(ai, v128.add<T>(pi, qi)), OUT, sr, si);
      const fr = v128.add<T>(ar, v128.add<T>(v128.mul<T>(pr, c1), v128.mul<T>(qr, c2)));
      const fi = v128.add<T>(ai, v128.add<T>(v128.mul<T>(pi, c1), v128.mul<T>(qi, c2)));
      const gr = v128.add<T>(ar, v128.add<T>(v128.mul<T>(pr, c2), v128.mul<T>(qr, c1)));
      const gi = v128.add<T>(ai, v128.add<T>(v128.mul<T>(pi, c2), v128.mul<T>(qi, c1)));
      const hr = v128.add<T>(v128.mul<T>(ur, s1), v128.mul<T>(vr, s2)), hi = v128.add<T>(v128.mul<T>(ui, s1), v128.mul<T>(vi, s2));
      const kr = v128.sub<T>(v128.mul<T>(ur, s2), v128.mul<T>(vr, s1)), ki = v128.sub<T>(v128.mul<T>(ui, s2), v128.mul<T>(vi, s1));
      turned<T>(y1, v128.add<T>(fr, hi), v128.sub<T>(fi, hr), w, 0, TW, OUT, sr, si);
      turned<T>(y4, v128.sub<T>(fr, hi), v128.add<T>(fi, hr), w, 6 * sizeof<T>(), TW, OUT, sr, si);
      turned<T>(y2, v128.add<T>(gr, ki), v128.sub<T>(gi, kr), w, 2 * sizeof<T>(), TW, OUT, sr, si);
      turned<T>(y3, v128.sub<T>(gr, ki), v128.add<T>(gi, kr), w, 4 * sizeof<T>(), TW, OUT, sr, si);
      x0 += 32; x1 += 32; x2 += 32; x3 += 32; x4 += 32; y0 += 32; y1 += 32; y2 += 32; y3 += 32; y4 += 32;
    }
  }
}

/** Store, after the twiddle at w + at when TW. */
// @ts-ignore: decorator
@inline
function turned<T>(y: usize, re: v128, im: v128, w: usize, at: usize, TW: bool, OUT: bool, sr: v128, si: v128): void {
  if (TW) {
    const wr = v128.load_splat<T>(w + at), wi = v128.load_splat<T>(w + at + sizeof<T>());
    put<T>(y, mulRe<T>(re, im, wr, wi), mulIm<T>(re, im, wr, wi), OUT, sr, si);
  } else put<T>(y, re, im, OUT, sr, si);
}

// @ts-ignore: decorator
@inline
export function pass8<T>(x: usize, y: usize, count: usize, xp: usize, xk: usize, yp: usize, yk: usize, width: usize,
  tw: usize, perm: usize, mask: v128, sr: v128, si: v128, TW: bool, IN: bool, OUT: bool, PERM: bool): void {
  const h = v128.splat<T>(<T>0.70710678118654752440);
  for (let p: usize = 0; p < count; p++) {
    const w = tw;
    if (TW) tw += 14 * sizeof<T>();
    let x0 = x + p * xp;
    let y0 = y + (PERM ? <usize>load<u32>(perm + (p << 2)) : p) * yp;
    const x2 = xk * 2, x3 = xk * 3, x4 = xk * 4, x5 = xk * 5, x6 = xk * 6, x7 = xk * 7;
    const y2 = yk * 2, y3 = yk * 3, y4 = yk * 4, y5 = yk * 5, y6 = yk * 6, y7 = yk * 7;
    const e = x0 + width;
    while (x0 < e) {
      // Odd inputs first: their four results are the ones that wait longest in registers.
      let ar = v128.load(x0 + xk), ai = v128.load(x0 + xk, 16), br = v128.load(x0 + x5), bi = v128.load(x0 + x5, 16);
      let cr = v128.load(x0 + x3), ci = v128.load(x0 + x3, 16), dr = v128.load(x0 + x7), di = v128.load(x0 + x7, 16);
      if (IN) {
        let t = odd<T>(ar, ai); ar = even<T>(ar, ai); ai = v128.xor(t, mask);
        t = odd<T>(br, bi); br = even<T>(br, bi); bi = v128.xor(t, mask);
        t = odd<T>(cr, ci); cr = even<T>(cr, ci); ci = v128.xor(t, mask);
        t = odd<T>(dr, di); dr = even<T>(dr, di); di = v128.xor(t, mask);
      }
      let pr = v128.add<T>(ar, br), pi = v128.add<T>(ai, bi), mr = v128.sub<T>(ar, br), mi = v128.sub<T>(ai, bi);
      let qr = v128.add<T>(cr, dr), qi = v128.add<T>(ci, di), nr = v128.sub<T>(cr, dr), ni = v128.sub<T>(ci, di);
      const o0r = v128.add<T>(pr, qr), o0i = v128.add<T>(pi, qi), o2r = v128.sub<T>(pi, qi), o2i = v128.sub<T>(qr, pr);
      const fr = v128.add<T>(mr, ni), fi = v128.sub<T>(mi, nr), gr = v128.sub<T>(mr, ni), gi = v128.add<T>(mi, nr);
      const o1r = v128.mul<T>(v128.add<T>(fr, fi), h), o1i = v128.mul<T>(v128.sub<T>(fi, fr), h);
      const o3r = v128.mul<T>(v128.sub<T>(gi, gr), h), o3n = v128.mul<T>(v128.add<T>(gr, gi), h); // im of the third is −o3n
      ar = v128.load(x0); ai = v128.load(x0, 16); br = v128.load(x0 + x4); bi = v128.load(x0 + x4, 16);
      cr = v128.load(x0 + x2); ci = v128.load(x0 + x2, 16); dr = v128.load(x0 + x6); di = v128.load(x0 + x6, 16);
      if (IN) {
        let t = odd<T>(ar, ai); ar = even<T>(ar, ai); ai = v128.xor(t, mask);
        t = odd<T>(br, bi); br = even<T>(br, bi); bi = v128.xor(t, mask);
        t = odd<T>(cr, ci); cr = even<T>(cr, ci); ci = v128.xor(t, mask);
        t = odd<T>(dr, di); dr = even<T>(dr, di); di = v128.xor(t, mask);
      }
      pr = v128.add<T>(ar, br); pi = v128.add<T>(ai, bi); qr = v128.add<T>(cr, dr); qi = v128.add<T>(ci, di);
      mr = v128.sub<T>(ar, br); mi = v128.sub<T>(ai, bi); nr = v128.sub<T>(cr, dr); ni = v128.sub<T>(ci, di);
      ar = v128.add<T>(pr, qr); ai = v128.add<T>(pi, qi);
      put<T>(y0, v128.add<T>(ar, o0r), v128.add<T>(ai, o0i), OUT, sr, si);
      turned<T>(y0 + y4, v128.sub<T>(ar, o0r), v128.sub<T>(ai, o0i), w, 6 * sizeof<T>(), TW, OUT, sr, si);
      ar = v128.sub<T>(pr, qr); ai = v128.sub<T>(pi, qi);
      turned<T>(y0 + y2, v128.add<T>(ar, o2r), v128.add<T>(ai, o2i), w, 2 * sizeof<T>(), TW, OUT, sr, si);
      turned<T>(y0 + y6, v128.sub<T>(ar, o2r), v128.sub<T>(ai, o2i), w, 10 * sizeof<T>(), TW, OUT, sr, si);
      ar = v128.add<T>(mr, ni); ai = v128.sub<T>(mi, nr);
      turned<T>(y0 + yk, v128.add<T>(ar, o1r), v128.add<T>(ai, o1i), w, 0, TW, OUT, sr, si);
      turned<T>(y0 + y5, v128.sub<T>(ar, o1r), v128.sub<T>(ai, o1i), w, 8 * sizeof<T>(), TW, OUT, sr, si);
      ar = v128.sub<T>(mr, ni); ai = v128.add<T>(mi, nr);
      turned<T>(y0 + y3, v128.add<T>(ar, o3r), v128.sub<T>(ai, o3n), w, 4 * sizeof<T>(), TW, OUT, sr, si);
      turned<T>(y0 + y7, v128.sub<T>(ar, o3r), v128.add<T>(ai, o3n), w, 12 * sizeof<T>(), TW, OUT, sr, si);
      x0 += 32; y0 += 32;
    }
  }
}

/**
 * Odd prime radix r, 7 to 61: pairs s = a_k + a_{r−k}, d = a_k − a_{r−k}; out_j = a_0 + Σ cos(2πjk/r) s_k ∓ i Σ sin(2πjk/r) d_k.
 * `roots`: r complex (cos, sin) of 2πj/r. `tmp`: room for 2r vectors. Split in and out.
 */
export function passOdd<T>(r: usize, x: usize, y: usize, count: usize, xp: usize, xk: usize, yp: usize, yk: usize, width: usize,
  tw: usize, roots: usize, tmp: usize): void {
  const half = (r + 1) >> 1, TW = tw != 0;
  for (let p: usize = 0; p < count; p++) {
    let x0 = x + p * xp, y0 = y + p * yp;
    const e = x0 + width;
    while (x0 < e) {
      const ar = v128.load(x0), ai = v128.load(x0, 16);
      let tr = ar, ti = ai;
      for (let k: usize = 1; k < half; k++) {
        const u = x0 + k * xk, v = x0 + (r - k) * xk, t = tmp + (k << 6);
        const br = v128.load(u), bi = v128.load(u, 16), cr = v128.load(v), ci = v128.load(v, 16);
        const sr = v128.add<T>(br, cr), si = v128.add<T>(bi, ci);
        v128.store(t, sr); v128.store(t, si, 16);
        v128.store(t, v128.sub<T>(br, cr), 32); v128.store(t, v128.sub<T>(bi, ci), 48);
        tr = v128.add<T>(tr, sr); ti = v128.add<T>(ti, si);
      }
      v128.store(y0, tr); v128.store(y0, ti, 16);
      for (let j: usize = 1; j < half; j++) {
        let er = ar, ei = ai, fr = v128.splat<T>(<T>0), fi = v128.splat<T>(<T>0);
        let at = j;
        for (let k: usize = 1; k < half; k++) {
          const t = tmp + (k << 6), root = roots + at * 2 * sizeof<T>();
          const c = v128.load_splat<T>(root), s = v128.load_splat<T>(root, sizeof<T>());
          er = v128.add<T>(er, v128.mul<T>(v128.load(t), c)); ei = v128.add<T>(ei, v128.mul<T>(v128.load(t, 16), c));
          fr = v128.add<T>(fr, v128.mul<T>(v128.load(t, 32), s)); fi = v128.add<T>(fi, v128.mul<T>(v128.load(t, 48), s));
          at += j;
          if (at >= r) at -= r;
        }
        let pr = v128.add<T>(er, fi), pi = v128.sub<T>(ei, fr), qr = v128.sub<T>(er, fi), qi = v128.add<T>(ei, fr);
        if (TW) {
          const u = tw + (j - 1) * 2 * sizeof<T>(), v = tw + (r - j - 1) * 2 * sizeof<T>();
          const ur = v128.load_splat<T>(u), ui = v128.load_splat<T>(u, sizeof<T>()), vr = v128.load_splat<T>(v), vi = v128.load_splat<T>(v, sizeof<T>());
          let t = mulRe<T>(pr, pi, ur, ui); pi = mulIm<T>(pr, pi, ur, ui); pr = t;
          t = mulRe<T>(qr, qi, vr, vi); qi = mulIm<T>(qr, qi, vr, vi); qr = t;
        }
        v128.store(y0 + j * yk, pr); v128.store(y0 + j * yk, pi, 16);
        v128.store(y0 + (r - j) * yk, qr); v128.store(y0 + (r - j) * yk, qi, 16);
      }
      x0 += 32; y0 += 32;
    }
    if (TW) tw += (r - 1) * 2 * sizeof<T>();
  }
}
