/** Sub-pixel stamps of profiles, which are cubic B-splines on the pixel grid: twin of those in assembly/integrate.ts. Same bits. */

/** The four B-spline weights (or their derivatives) at the pixels around a centre with fraction t: at 2 − t, 1 − t, −t, −1 − t. */
export function splineWeights(t: number, slope = false): readonly [number, number, number, number] {
  const s = 1 - t;
  if (slope) return [t * t * -0.5, s * (1.5 * s - 2), t * (2 - 1.5 * t), s * s * 0.5];
  return [(t * t * t) / 6, 2 / 3 - s * s + s * s * s * 0.5, 2 / 3 - t * t + t * t * t * 0.5, (s * s * s) / 6];
}

/** One stamp, or its derivative by x or y, written at out[at]. */
export function stamp(
  coef: Float64Array,
  c: number,
  size: number,
  fx: number,
  fy: number,
  sx: boolean,
  sy: boolean,
  out: Float32Array,
  at: number,
): void {
  const s = size - 3,
    rows = new Float64Array(size * s),
    [x0, x1, x2, x3] = splineWeights(fx, sx),
    [y0, y1, y2, y3] = splineWeights(fy, sy);
  for (let k = 0; k < size; k++)
    for (let m = 0; m < s; m++) {
      const q = c + k * size + m;
      rows[k * s + m] = coef[q]! * x0 + coef[q + 1]! * x1 + coef[q + 2]! * x2 + coef[q + 3]! * x3;
    }
  for (let n = 0; n < s; n++)
    for (let m = 0; m < s; m++) {
      const q = n * s + m;
      out[at + q] = rows[q]! * y0 + rows[q + s]! * y1 + rows[q + 2 * s]! * y2 + rows[q + 3 * s]! * y3;
    }
}

/** Stamps of all spots, `which` profile at each place. */
export function allStamps(coef: Float64Array, size: number, xs: Float64Array, ys: Float64Array, which: Int32Array): Float32Array {
  const s = size - 3,
    out = new Float32Array(xs.length * s * s);
  for (let i = 0; i < xs.length; i++) {
    const x = xs[i]!,
      y = ys[i]!;
    stamp(coef, which[i]! * size * size, size, x - Math.floor(x), y - Math.floor(y), false, false, out, i * s * s);
  }
  return out;
}
