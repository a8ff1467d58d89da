import { fft, ifft } from "../numerics/fft.js";
import { centreIndex } from "./layout.js";

/** Centre of mass of what lies above a fraction of the maximum, from the centre of the image (x, y). */
export function centreOfMass(view: ArrayLike<number>, ny: number, nx: number, threshold: number): readonly [number, number] {
  let top = 0;
  for (let i = 0; i < ny * nx; i++) if (view[i]! > top) top = view[i]!;
  let [s, sx, sy] = [0, 0, 0];
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) {
      const v = view[i]! - threshold * top;
      if (v <= 0) continue;
      s += v;
      sx += v * x;
      sy += v * y;
    }
  return s > 0 ? [sx / s - centreIndex(nx), sy / s - centreIndex(ny)] : [0, 0];
}

/** Shift along the axis that brings each view's profile onto the mean of all the others', pixels; their mean is 0. */
export function commonLine(projections: Float32Array, [views, ny, nx]: readonly [number, number, number], axis: "x" | "y"): Float64Array {
  const n = axis === "y" ? ny : nx,
    m = 2 * n;
  const spectra = Array.from({ length: views }, (_, p) => {
    const line = new Float64Array(2 * m);
    for (let y = 0, i = p * ny * nx; y < ny; y++) for (let x = 0; x < nx; x++, i++) line[2 * (axis === "y" ? y : x)]! += projections[i]!;
    let total = 0;
    for (let k = 0; k < n; k++) total += line[2 * k]!;
    for (let k = 0; k < n; k++) line[2 * k]! /= total || 1;
    return fft(line);
  });
  const shifts = new Float64Array(views);
  // Against the running mean of the aligned profiles: twice suffices, the caller goes round again.
  for (let pass = 0; pass < 2; pass++) {
    const mean = new Float64Array(2 * m);
    for (let p = 0; p < views; p++)
      for (let k = 0; k < m; k++) {
        const phase = (-2 * Math.PI * (k <= m / 2 ? k : k - m) * shifts[p]!) / m,
          [c, s] = [Math.cos(phase), Math.sin(phase)],
          [re, im] = [spectra[p]![2 * k]!, spectra[p]![2 * k + 1]!];
        mean[2 * k]! += (re * c - im * s) / views;
        mean[2 * k + 1]! += (re * s + im * c) / views;
      }
    for (let p = 0; p < views; p++) shifts[p] = lineShift(mean, spectra[p]!, m);
    const average = shifts.reduce((a, b) => a + b, 0) / views;
    for (let p = 0; p < views; p++) shifts[p]! -= average;
  }
  return shifts;
}

/** Sub-pixel top of the correlation of two lines, given by their transforms. */
function lineShift(a: Float64Array, b: Float64Array, m: number): number {
  const cross = new Float64Array(2 * m);
  for (let i = 0; i < 2 * m; i += 2) {
    cross[i] = a[i]! * b[i]! + a[i + 1]! * b[i + 1]!;
    cross[i + 1] = a[i + 1]! * b[i]! - a[i]! * b[i + 1]!;
  }
  const c = ifft(cross);
  let best = 0;
  for (let k = 1; k < m; k++) if (c[2 * k]! > c[2 * best]!) best = k;
  let at = best <= m / 2 ? best : best - m;
  const value = (d: number): readonly [slope: number, curve: number] => {
    let [s1, s2] = [0, 0];
    for (let k = 0; k < m; k++) {
      const w = (2 * Math.PI * (k <= m / 2 ? k : k - m)) / m,
        [co, si] = [Math.cos(w * d), Math.sin(w * d)];
      s1 += w * (-cross[2 * k]! * si - cross[2 * k + 1]! * co);
      s2 -= w * w * (cross[2 * k]! * co - cross[2 * k + 1]! * si);
    }
    return [s1, s2];
  };
  // Newton's method on the slope; the start is within half a pixel.
  for (let i = 0; i < 8; i++) {
    const [slope, curve] = value(at);
    if (!(curve < 0)) break;
    const move = Math.max(-0.5, Math.min(0.5, -slope / curve));
    at += move;
    if (Math.abs(move) < 1e-7) break;
  }
  return at;
}
