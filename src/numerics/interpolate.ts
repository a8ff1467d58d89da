import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { intervalOf } from "./spline.js";

/** Straight line between knots; x rises. Outside, the end value (or `outside`). */
export function interpolateLinear(x: ArrayLike<number>, y: ArrayLike<number>, t: number, outside?: number): number {
  const n = x.length;
  if (n === 0 || y.length !== n) fail("bad-shape", { x: n, y: y.length }, "as many y as x, and at least one");
  if (t <= x[0]!) return t < x[0]! && outside !== undefined ? outside : y[0]!;
  if (t >= x[n - 1]!) return t > x[n - 1]! && outside !== undefined ? outside : y[n - 1]!;
  const k = intervalOf(x, t);
  return y[k]! + ((t - x[k]!) / (x[k + 1]! - x[k]!)) * (y[k + 1]! - y[k]!);
}

/** How a value between pixels is made: nearest, bilinear, cubic (Keys a = −½, Catmull–Rom), or Lanczos with three lobes. */
export type Sampling = "nearest" | "linear" | "cubic" | "lanczos3";

const taps: Record<Sampling, number> = { nearest: 1, linear: 2, cubic: 4, lanczos3: 6 };

/** Weights of the taps about fraction f in [0, 1); they sum to 1. @see Keys (1981) IEEE Trans. ASSP 29, 1153, doi:10.1109/TASSP.1981.1163711 */
function weightsInto(out: Float64Array, f: number, kind: Sampling): void {
  if (kind === "nearest") out[0] = 1;
  else if (kind === "linear") {
    out[0] = 1 - f;
    out[1] = f;
  } else if (kind === "cubic") {
    const g = 1 - f;
    out[0] = -0.5 * f * g * g;
    out[1] = 1 + f * f * (1.5 * f - 2.5);
    out[2] = 1 + g * g * (1.5 * g - 2.5);
    out[3] = -0.5 * g * f * f;
  } else {
    let sum = 0;
    for (let k = 0; k < 6; k++) {
      const t = Math.PI * (f + 2 - k),
        w = Math.abs(t) < 1e-9 ? 1 : Math.abs(t) >= 3 * Math.PI ? 0 : (3 * Math.sin(t) * Math.sin(t / 3)) / (t * t);
      out[k] = w;
      sum += w;
    }
    for (let k = 0; k < 6; k++) out[k]! /= sum;
  }
}

/** A function that samples an image at (x, y); beyond the pixel centres of the edge by more than half a pixel it gives `outside`, NaN. */
export function imageSampler(
  { data, shape: [ny, nx] }: Image<Float32Array | Float64Array>,
  { sampling = "linear", outside = Number.NaN }: { readonly sampling?: Sampling; readonly outside?: number } = {},
): (x: number, y: number) => number {
  if (data.length !== ny * nx) fail("bad-shape", { length: data.length, shape: [ny, nx] }, "an image holds ny·nx values");
  const n = taps[sampling] ?? fail("not-found", { sampling }, "sampling is nearest, linear, cubic or lanczos3"),
    wx = new Float64Array(n),
    wy = new Float64Array(n);
  return (x, y) => {
    if (!(x >= -0.5 && y >= -0.5 && x <= nx - 0.5 && y <= ny - 0.5)) return outside;
    const x0 = n === 1 ? Math.min(nx - 1, Math.round(x)) : Math.floor(x),
      y0 = n === 1 ? Math.min(ny - 1, Math.round(y)) : Math.floor(y);
    weightsInto(wx, x - x0, sampling);
    weightsInto(wy, y - y0, sampling);
    const sx = x0 - (n >> 1) + (n > 1 ? 1 : 0),
      sy = y0 - (n >> 1) + (n > 1 ? 1 : 0);
    let s = 0;
    for (let j = 0; j < n; j++) {
      const w = wy[j]!;
      if (w === 0) continue;
      const row = Math.min(ny - 1, Math.max(0, sy + j)) * nx;
      let r = 0;
      for (let i = 0; i < n; i++) if (wx[i] !== 0) r += wx[i]! * data[row + Math.min(nx - 1, Math.max(0, sx + i))]!;
      s += w * r;
    }
    return s;
  };
}

/** Value of an image between pixels; for many positions make an {@link imageSampler} once. */
export function sampleImage(image: Image<Float32Array | Float64Array>, x: number, y: number, sampling: Sampling = "linear"): number {
  return imageSampler(image, { sampling })(x, y);
}
