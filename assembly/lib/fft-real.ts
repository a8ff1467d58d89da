// Real transforms of even length n through the complex one of length h = n / 2: z_j = x_2j + i x_2j+1.
// With E and O the spectra of the even and odd samples, Z = E + iO and X_k = E_k + w^k O_k, w = exp(−2πi/n).
import { even, odd, zipLow, zipHigh, reversed, mulRe, mulIm } from "./simd";

/** Forward, in place: row holds Z/2 (h complex), becomes X (h + 1 complex). tw: w^k, k = 0 … h/2, interleaved. */
export function splitReal<T>(row: usize, h: usize, tw: usize): void {
  const c: usize = 2 * sizeof<T>(), L: usize = 16 / sizeof<T>();
  const zr = load<T>(row), zi = load<T>(row, sizeof<T>());
  store<T>(row, <T>2 * (zr + zi));
  store<T>(row, <T>0, sizeof<T>());
  store<T>(row + h * c, <T>2 * (zr - zi));
  store<T>(row + h * c, <T>0, sizeof<T>());
  let k: usize = 1;
  for (; (k + L - 1) * 2 < h; k += L) {
    const p = row + k * c, q = row + (h - k - L + 1) * c, w = tw + k * c;
    let t = v128.load(p), u = v128.load(p, 16);
    const ar = even<T>(t, u), ai = odd<T>(t, u);
    t = v128.load(q); u = v128.load(q, 16);
    const br = reversed<T>(even<T>(t, u)), bi = reversed<T>(odd<T>(t, u));
    t = v128.load(w); u = v128.load(w, 16);
    const wr = even<T>(t, u), wi = odd<T>(t, u);
    // E = a + conj b, O = −i (a − conj b)
    const er = v128.add<T>(ar, br), ei = v128.sub<T>(ai, bi), or = v128.add<T>(ai, bi), oi = v128.sub<T>(br, ar);
    const vr = mulRe<T>(or, oi, wr, wi), vi = mulIm<T>(or, oi, wr, wi);
    const xr = v128.add<T>(er, vr), xi = v128.add<T>(ei, vi);
    const yr = reversed<T>(v128.sub<T>(er, vr)), yi = reversed<T>(v128.sub<T>(vi, ei));
    v128.store(p, zipLow<T>(xr, xi)); v128.store(p, zipHigh<T>(xr, xi), 16);
    v128.store(q, zipLow<T>(yr, yi)); v128.store(q, zipHigh<T>(yr, yi), 16);
  }
  for (; k + k <= h; k++) {
    const p = row + k * c, q = row + (h - k) * c, w = tw + k * c;
    const ar = load<T>(p), ai = load<T>(p, sizeof<T>()), br = load<T>(q), bi = load<T>(q, sizeof<T>());
    const wr = load<T>(w), wi = load<T>(w, sizeof<T>());
    const er = ar + br, ei = ai - bi, or = ai + bi, oi = br - ar;
    const vr = or * wr - oi * wi, vi = or * wi + oi * wr;
    store<T>(p, er + vr); store<T>(p, ei + vi, sizeof<T>());
    if (p != q) { store<T>(q, er - vr); store<T>(q, vi - ei, sizeof<T>()); }
  }
}

/** Inverse, from X (h + 1 complex) to 2Z (h complex). The imaginary parts of X_0 and X_h do not count. src may equal dst. */
export function joinReal<T>(src: usize, dst: usize, h: usize, tw: usize): void {
  const c: usize = 2 * sizeof<T>(), L: usize = 16 / sizeof<T>();
  const x0 = load<T>(src), xh = load<T>(src + h * c);
  store<T>(dst, x0 + xh);
  store<T>(dst, x0 - xh, sizeof<T>());
  let k: usize = 1;
  for (; (k + L - 1) * 2 < h; k += L) {
    const p = src + k * c, q = src + (h - k - L + 1) * c, w = tw + k * c;
    let t = v128.load(p), u = v128.load(p, 16);
    const ar = even<T>(t, u), ai = odd<T>(t, u);
    t = v128.load(q); u = v128.load(q, 16);
    const br = reversed<T>(even<T>(t, u)), bi = reversed<T>(odd<T>(t, u));
    t = v128.load(w); u = v128.load(w, 16);
    const wr = even<T>(t, u), wi = odd<T>(t, u);
    const er = v128.add<T>(ar, br), ei = v128.sub<T>(ai, bi), dr = v128.sub<T>(ar, br), di = v128.add<T>(ai, bi);
    // O = (a − conj b) · conj w
    const or = v128.add<T>(v128.mul<T>(dr, wr), v128.mul<T>(di, wi)), oi = v128.sub<T>(v128.mul<T>(di, wr), v128.mul<T>(dr, wi));
    const zr = v128.sub<T>(er, oi), zi = v128.add<T>(ei, or);
    const yr = reversed<T>(v128.add<T>(er, oi)), yi = reversed<T>(v128.sub<T>(or, ei));
    const a = dst + k * c, b = dst + (h - k - L + 1) * c;
    v128.store(a, zipLow<T>(zr, zi)); v128.store(a, zipHigh<T>(zr, zi), 16);
    v128.store(b, zipLow<T>(yr, yi)); v128.store(b, zipHigh<T>(yr, yi), 16);
  }
  for (; k + k <= h; k++) {
    const p = src + k * c, q = src + (h - k) * c, w = tw + k * c;
    const ar = load<T>(p), ai = load<T>(p, sizeof<T>()), br = load<T>(q), bi = load<T>(q, sizeof<T>());
    const wr = load<T>(w), wi = load<T>(w, sizeof<T>());
    const er = ar + br, ei = ai - bi, dr = ar - br, di = ai + bi;
    const or = dr * wr + di * wi, oi = di * wr - dr * wi;
    const a = dst + k * c, b = dst + (h - k) * c;
    store<T>(a, er - oi); store<T>(a, ei + or, sizeof<T>());
    if (a != b) { store<T>(b, er + oi); store<T>(b, or - ei, sizeof<T>()); }
  }
}
