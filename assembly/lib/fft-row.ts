// First pass of a single contiguous row: vectorised over p (L butterflies at once), reads interleaved, writes split scratch in
// Stockham order (output r·p + k) by transposing in registers. Twiddles are stored as vectors: [re × L][im × L] per k and group of L.
// When L does not divide m the last group starts at m − L and repeats a few butterflies.
import { even, odd, mulRe, mulIm } from "./simd";

// @ts-ignore: decorator
@inline
function store4<T>(y: usize, ar: v128, ai: v128, br: v128, bi: v128, cr: v128, ci: v128, dr: v128, di: v128, next: usize): void {
  if (sizeof<T>() == 4) {
    // Rows a, b, c, d over p become four blocks, one per p.
    let t = v128.shuffle<f32>(ar, br, 0, 4, 1, 5), u = v128.shuffle<f32>(cr, dr, 0, 4, 1, 5);
    v128.store(y, v128.shuffle<f64>(t, u, 0, 2));
    v128.store(y + next, v128.shuffle<f64>(t, u, 1, 3));
    t = v128.shuffle<f32>(ar, br, 2, 6, 3, 7); u = v128.shuffle<f32>(cr, dr, 2, 6, 3, 7);
    v128.store(y + next * 2, v128.shuffle<f64>(t, u, 0, 2));
    v128.store(y + next * 3, v128.shuffle<f64>(t, u, 1, 3));
    t = v128.shuffle<f32>(ai, bi, 0, 4, 1, 5); u = v128.shuffle<f32>(ci, di, 0, 4, 1, 5);
    v128.store(y, v128.shuffle<f64>(t, u, 0, 2), 16);
    v128.store(y + next, v128.shuffle<f64>(t, u, 1, 3), 16);
    t = v128.shuffle<f32>(ai, bi, 2, 6, 3, 7); u = v128.shuffle<f32>(ci, di, 2, 6, 3, 7);
    v128.store(y + next * 2, v128.shuffle<f64>(t, u, 0, 2), 16);
    v128.store(y + next * 3, v128.shuffle<f64>(t, u, 1, 3), 16);
  } else {
    // Per p two blocks: (a, b) and (c, d).
    v128.store(y, v128.shuffle<f64>(ar, br, 0, 2)); v128.store(y, v128.shuffle<f64>(ai, bi, 0, 2), 16);
    v128.store(y, v128.shuffle<f64>(cr, dr, 0, 2), 32); v128.store(y, v128.shuffle<f64>(ci, di, 0, 2), 48);
    v128.store(y + next, v128.shuffle<f64>(ar, br, 1, 3)); v128.store(y + next, v128.shuffle<f64>(ai, bi, 1, 3), 16);
    v128.store(y + next, v128.shuffle<f64>(cr, dr, 1, 3), 32); v128.store(y + next, v128.shuffle<f64>(ci, di, 1, 3), 48);
  }
}

/** Radix 4; m = n / 4 >= L. */
export function rowFirst4<T>(x: usize, y: usize, m: usize, tw: usize, mask: v128): void {
  const c: usize = 2 * sizeof<T>(), xk = m * c, next: usize = 4 * c;
  const end = x + xk, last = end - 32;
  for (; x < end; x += 32) {
    if (x > last) { y -= (x - last) / c * next; x = last; }
    let t = v128.load(x), u = v128.load(x, 16);
    const ar = even<T>(t, u), ai = v128.xor(odd<T>(t, u), mask);
    const x1 = x + xk, x2 = x1 + xk, x3 = x2 + xk;
    t = v128.load(x1); u = v128.load(x1, 16);
    const br = even<T>(t, u), bi = v128.xor(odd<T>(t, u), mask);
    t = v128.load(x2); u = v128.load(x2, 16);
    const cr = even<T>(t, u), ci = v128.xor(odd<T>(t, u), mask);
    t = v128.load(x3); u = v128.load(x3, 16);
    const dr = even<T>(t, u), di = v128.xor(odd<T>(t, u), mask);
    const pr = v128.add<T>(ar, cr), pi = v128.add<T>(ai, ci), mr = v128.sub<T>(ar, cr), mi = v128.sub<T>(ai, ci);
    const qr = v128.add<T>(br, dr), qi = v128.add<T>(bi, di), nr = v128.sub<T>(br, dr), ni = v128.sub<T>(bi, di);
    const er = v128.sub<T>(pr, qr), ei = v128.sub<T>(pi, qi);
    const fr = v128.add<T>(mr, ni), fi = v128.sub<T>(mi, nr), gr = v128.sub<T>(mr, ni), gi = v128.add<T>(mi, nr);
    const w1r = v128.load(tw), w1i = v128.load(tw, 16), w2r = v128.load(tw, 32), w2i = v128.load(tw, 48), w3r = v128.load(tw, 64), w3i = v128.load(tw, 80);
    tw += 96;
    store4<T>(y, v128.add<T>(pr, qr), v128.add<T>(pi, qi), mulRe<T>(fr, fi, w1r, w1i), mulIm<T>(fr, fi, w1r, w1i),
      mulRe<T>(er, ei, w2r, w2i), mulIm<T>(er, ei, w2r, w2i), mulRe<T>(gr, gi, w3r, w3i), mulIm<T>(gr, gi, w3r, w3i), next);
    y += 128;
  }
}

/** Radix 8; m = n / 8 >= L. Outputs 0…3 and 4…7 of each p are two groups of 4. */
export function rowFirst8<T>(x: usize, y: usize, m: usize, tw: usize, mask: v128): void {
  const h = v128.splat<T>(<T>0.70710678118654752440);
  const c: usize = 2 * sizeof<T>(), xk = m * c, next: usize = 8 * c;
  const end = x + xk, last = end - 32;
  for (; x < end; x += 32) {
    if (x > last) { y -= (x - last) / c * next; x = last; }
    const x2 = x + xk * 2, x4 = x + xk * 4, x6 = x + xk * 6;
    let t = v128.load(x + xk), u = v128.load(x + xk, 16);
    let ar = even<T>(t, u), ai = v128.xor(odd<T>(t, u), mask);
    t = v128.load(x4 + xk); u = v128.load(x4 + xk, 16);
    let br = even<T>(t, u), bi = v128.xor(odd<T>(t, u), mask);
    t = v128.load(x2 + xk); u = v128.load(x2 + xk, 16);
    let cr = even<T>(t, u), ci = v128.xor(odd<T>(t, u), mask);
    t = v128.load(x6 + xk); u = v128.load(x6 + xk, 16);
    let dr = even<T>(t, u), di = v128.xor(odd<T>(t, u), mask);
    let pr = v128.add<T>(ar, br), pi = v128.add<T>(ai, bi), mr = v128.sub<T>(ar, br), mi = v128.sub<T>(ai, bi);
    let qr = v128.add<T>(cr, dr), qi = v128.add<T>(ci, di), nr = v128.sub<T>(cr, dr), ni = v128.sub<T>(ci, di);
    const o0r = v128.add<T>(pr, qr), o0i = v128.add<T>(pi, qi), o2r = v128.sub<T>(pi, qi), o2i = v128.sub<T>(qr, pr);
    const fr = v128.add<T>(mr, ni), fi = v128.sub<T>(mi, nr), gr = v128.sub<T>(mr, ni), gi = v128.add<T>(mi, nr);
    const o1r = v128.mul<T>(v128.add<T>(fr, fi), h), o1i = v128.mul<T>(v128.sub<T>(fi, fr), h);
    const o3r = v128.mul<T>(v128.sub<T>(gi, gr), h), o3n = v128.mul<T>(v128.add<T>(gr, gi), h);
    t = v128.load(x); u = v128.load(x, 16);
    ar = even<T>(t, u); ai = v128.xor(odd<T>(t, u), mask);
    t = v128.load(x4); u = v128.load(x4, 16);
    br = even<T>(t, u); bi = v128.xor(odd<T>(t, u), mask);
    t = v128.load(x2); u = v128.load(x2, 16);
    cr = even<T>(t, u); ci = v128.xor(odd<T>(t, u), mask);
    t = v128.load(x6); u = v128.load(x6, 16);
    dr = even<T>(t, u); di = v128.xor(odd<T>(t, u), mask);
    pr = v128.add<T>(ar, br); pi = v128.add<T>(ai, bi); qr = v128.add<T>(cr, dr); qi = v128.add<T>(ci, di);
    mr = v128.sub<T>(ar, br); mi = v128.sub<T>(ai, bi); nr = v128.sub<T>(cr, dr); ni = v128.sub<T>(ci, di);
    const e0r = v128.add<T>(pr, qr), e0i = v128.add<T>(pi, qi), e2r = v128.sub<T>(pr, qr), e2i = v128.sub<T>(pi, qi);
    const e1r = v128.add<T>(mr, ni), e1i = v128.sub<T>(mi, nr), e3r = v128.sub<T>(mr, ni), e3i = v128.add<T>(mi, nr);
    // Outputs 1, 2, 3 then 4 … 7, each times its twiddle.
    let w = tw;
    ar = v128.add<T>(e1r, o1r); ai = v128.add<T>(e1i, o1i); t = v128.load(w); u = v128.load(w, 16);
    br = mulRe<T>(ar, ai, t, u); bi = mulIm<T>(ar, ai, t, u);
    ar = v128.add<T>(e2r, o2r); ai = v128.add<T>(e2i, o2i); t = v128.load(w, 32); u = v128.load(w, 48);
    cr = mulRe<T>(ar, ai, t, u); ci = mulIm<T>(ar, ai, t, u);
    ar = v128.add<T>(e3r, o3r); ai = v128.sub<T>(e3i, o3n); t = v128.load(w, 64); u = v128.load(w, 80);
    dr = mulRe<T>(ar, ai, t, u); di = mulIm<T>(ar, ai, t, u);
    store4<T>(y, v128.add<T>(e0r, o0r), v128.add<T>(e0i, o0i), br, bi, cr, ci, dr, di, next);
    ar = v128.sub<T>(e0r, o0r); ai = v128.sub<T>(e0i, o0i); t = v128.load(w, 96); u = v128.load(w, 112);
    pr = mulRe<T>(ar, ai, t, u); pi = mulIm<T>(ar, ai, t, u);
    ar = v128.sub<T>(e1r, o1r); ai = v128.sub<T>(e1i, o1i); t = v128.load(w, 128); u = v128.load(w, 144);
    br = mulRe<T>(ar, ai, t, u); bi = mulIm<T>(ar, ai, t, u);
    ar = v128.sub<T>(e2r, o2r); ai = v128.sub<T>(e2i, o2i); t = v128.load(w, 160); u = v128.load(w, 176);
    cr = mulRe<T>(ar, ai, t, u); ci = mulIm<T>(ar, ai, t, u);
    ar = v128.sub<T>(e3r, o3r); ai = v128.add<T>(e3i, o3n); t = v128.load(w, 192); u = v128.load(w, 208);
    dr = mulRe<T>(ar, ai, t, u); di = mulIm<T>(ar, ai, t, u);
    store4<T>(y + 8 * sizeof<T>(), pr, pi, br, bi, cr, ci, dr, di, next);
    tw = w + 224;
    y += 256;
  }
}
