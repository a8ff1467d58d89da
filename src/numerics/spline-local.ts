import { type Curve, checkKnots, hermiteCurve } from "./spline.js";

/**
 * Monotone cubic (PCHIP): never overshoots the data.
 * @see Fritsch & Butland (1984) SIAM J. Sci. Stat. Comput. 5, 300, doi:10.1137/0905021
 */
export function pchipCurve(x: ArrayLike<number>, y: ArrayLike<number>): Curve {
  checkKnots(x, y, 2);
  const n = x.length,
    m = new Float64Array(n),
    h = Float64Array.from({ length: n - 1 }, (_, k) => x[k + 1]! - x[k]!),
    d = h.map((v, k) => (y[k + 1]! - y[k]!) / v);
  if (n === 2) return hermiteCurve(x, y, [d[0]!, d[0]!]);
  for (let k = 1; k < n - 1; k++) {
    if (d[k - 1]! * d[k]! <= 0) continue;
    const w1 = 2 * h[k]! + h[k - 1]!,
      w2 = h[k]! + 2 * h[k - 1]!;
    m[k] = (w1 + w2) / (w1 / d[k - 1]! + w2 / d[k]!);
  }
  const end = (h0: number, h1: number, d0: number, d1: number): number => {
    const s = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1);
    if (s * d0 <= 0) return 0;
    return d0 * d1 <= 0 && Math.abs(s) > 3 * Math.abs(d0) ? 3 * d0 : s;
  };
  m[0] = end(h[0]!, h[1]!, d[0]!, d[1]!);
  m[n - 1] = end(h[n - 2]!, h[n - 3]!, d[n - 2]!, d[n - 3]!);
  return hermiteCurve(x, y, m);
}

/** Akima's curve: local, little overshoot beside jumps. @see Akima (1970) J. ACM 17, 589, doi:10.1145/321607.321609 */
export function akimaCurve(x: ArrayLike<number>, y: ArrayLike<number>): Curve {
  checkKnots(x, y, 3);
  const n = x.length,
    s = new Float64Array(n + 3); // slopes with two more on both sides
  for (let k = 0; k < n - 1; k++) s[k + 2] = (y[k + 1]! - y[k]!) / (x[k + 1]! - x[k]!);
  s[1] = 2 * s[2]! - s[3]!;
  s[0] = 2 * s[1] - s[2]!;
  s[n + 1] = 2 * s[n]! - s[n - 1]!;
  s[n + 2] = 2 * s[n + 1]! - s[n]!;
  const m = Float64Array.from({ length: n }, (_, k) => {
    const w1 = Math.abs(s[k + 3]! - s[k + 2]!),
      w2 = Math.abs(s[k + 1]! - s[k]!);
    // Equal slopes on both sides leave 0/0: the mean, as Akima proposes.
    return w1 + w2 > 1e-9 * (Math.abs(s[k + 1]!) + Math.abs(s[k + 2]!))
      ? (w1 * s[k + 1]! + w2 * s[k + 2]!) / (w1 + w2)
      : (s[k + 1]! + s[k + 2]!) / 2;
  });
  return hermiteCurve(x, y, m);
}

/** Catmull–Rom: slopes from the neighbours' chord, one-sided at the ends. */
export function catmullRomCurve(x: ArrayLike<number>, y: ArrayLike<number>): Curve {
  checkKnots(x, y, 2);
  const n = x.length;
  return hermiteCurve(
    x,
    y,
    Float64Array.from({ length: n }, (_, k) => {
      const a = Math.max(0, k - 1),
        b = Math.min(n - 1, k + 1);
      return (y[b]! - y[a]!) / (x[b]! - x[a]!);
    }),
  );
}
