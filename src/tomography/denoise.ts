import { fail } from "../core/errors.js";
import type { Steps } from "../core/job.js";
import { anscombe, inverseAnscombe, type NoiseModel } from "./anscombe.js";
import { blockMatching } from "./block-matching.js";
import { registrar, shiftViews } from "./shift.js";
import type { TiltSeries } from "./tilt-series.js";

/**
 * Remove Poisson and readout noise of every view: variance stabilisation, block matching, exact unbiased inverse. For raw counts, before background
 * removal and alignment (interpolation correlates the noise). Yields after each view; run it with `runAsync` or `runSync`.
 */
export function* denoiseSteps(series: TiltSeries, noise: NoiseModel): Steps<TiltSeries> {
  const [views, ny, nx] = series.shape,
    size = ny * nx,
    out = new Float32Array(series.projections.length);
  if (series.mask?.some((m) => m !== 0)) fail("unsupported", {}, "repair masked pixels first (`repairPixels`)");
  for (let p = 0; p < views; p++) {
    const stable = anscombe(series.projections.subarray(p * size, (p + 1) * size), noise);
    out.set(inverseAnscombe(blockMatching(stable, ny, nx), noise), p * size);
    yield { done: p + 1, total: views, note: "denoising" };
  }
  return { ...series, projections: out };
}

export interface FrameAverage {
  /** Mean of the frames, moved onto each other, [ny, nx]. */
  readonly image: Float32Array;
  /** Shift applied to each frame (x, y), pixels, flat [n, 2]; their mean is 0. */
  readonly shifts: Float64Array;
  /** Rms difference from a straight, even drift, pixels: large when frames were matched to the wrong row of atoms. */
  readonly scatter: number;
}

/**
 * Average repeated frames [n, ny, nx] of one view after correcting their drift: each frame is registered against the mean of the others (twice),
 * to hundredths of a pixel.
 * @param most - largest drift between frames, pixels
 */
export function averageFrames(frames: Float32Array, [n, ny, nx]: readonly [number, number, number], most = 20): FrameAverage {
  const size = ny * nx;
  if (frames.length !== n * size || n < 1) fail("bad-shape", { length: frames.length, shape: [n, ny, nx] }, "frames are [n, ny, nx]");
  const shifts = new Float64Array(2 * n),
    r = registrar(ny, nx);
  const raw = Array.from({ length: n }, (_, k) => r.transform(frames.subarray(k * size, (k + 1) * size)));
  // First along the chain of neighbours, then against the mean of what is aligned.
  for (let k = 1; k < n; k++) {
    const [dx, dy] = r.shift(raw[k - 1]!, raw[k]!, most);
    shifts[2 * k] = shifts[2 * k - 2]! + dx;
    shifts[2 * k + 1] = shifts[2 * k - 1]! + dy;
  }
  const mean = (): Float32Array => {
    const moved = shiftViews(frames, [n, ny, nx], shifts),
      out = new Float32Array(size);
    for (let k = 0; k < n; k++) for (let i = 0; i < size; i++) out[i]! += moved[k * size + i]! / n;
    return out;
  };
  for (let round = 0; n > 1 && round < 2; round++) {
    const target = r.transform(mean());
    for (let k = 0; k < n; k++) shifts.set(r.shift(target, raw[k]!, most * n), 2 * k);
    for (const a of [0, 1]) {
      let s = 0;
      for (let k = 0; k < n; k++) s += shifts[2 * k + a]! / n;
      for (let k = 0; k < n; k++) shifts[2 * k + a]! -= s;
    }
  }
  r.free();
  let scatter = 0;
  const middle = (n - 1) / 2;
  for (const a of [0, 1]) {
    let up = 0,
      down = 0;
    for (let k = 0; k < n; k++) {
      up += (k - middle) * shifts[2 * k + a]!;
      down += (k - middle) ** 2;
    }
    for (let k = 0; k < n; k++) scatter += (shifts[2 * k + a]! - (down ? (up / down) * (k - middle) : 0)) ** 2 / n;
  }
  return { image: mean(), shifts, scatter: Math.sqrt(scatter) };
}
