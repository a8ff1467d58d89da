import { fail } from "../core/errors.js";
import { lineFit } from "../numerics/robust-line.js";

/** Noise of a detector: z = gain·Poisson(y) + offset + N(0, sigma²). */
export interface NoiseModel {
  readonly gain: number;
  readonly offset?: number | undefined;
  readonly sigma?: number | undefined;
}

function checkNoise({ gain, sigma = 0, offset = 0 }: NoiseModel): void {
  if (!(gain > 0 && sigma >= 0 && Number.isFinite(gain + sigma + offset)))
    fail("bad-value", { gain, sigma, offset }, "the noise has a gain above 0, a sigma of at least 0 and a finite offset");
}

/**
 * Generalised Anscombe transform: f = (2/g)·√(max(0, g z + ⅜ g² + σ² − g·offset)), whose noise has unit variance.
 * @see Starck, Murtagh & Bijaoui, Image Processing and Data Analysis (1998)
 */
export function anscombe(z: ArrayLike<number>, noise: NoiseModel): Float32Array {
  checkNoise(noise);
  const { gain, sigma = 0, offset = 0 } = noise,
    shift = 0.375 * gain * gain + sigma * sigma - gain * offset;
  return Float32Array.from(z, (v) => (2 / gain) * Math.sqrt(Math.max(0, gain * v + shift)));
}

/**
 * Expected value of z whose transform has the mean D: the exact unbiased inverse in closed form, ¼D² + ¼√(3/2)/D − 11/8 D⁻² + ⅝√(3/2) D⁻³ − ⅛ − (σ/g)²,
 * times g, plus the offset. (The plain inverse is biased low where counts are few.)
 * @see Mäkitalo & Foi, IEEE Trans. Image Process. 22, 91 (2013)
 */
export function inverseAnscombe(d: ArrayLike<number>, noise: NoiseModel): Float32Array {
  checkNoise(noise);
  const { gain, sigma = 0, offset = 0 } = noise,
    s2 = (sigma / gain) ** 2,
    least = 2 * Math.sqrt(0.375 + s2),
    r = Math.sqrt(1.5);
  return Float32Array.from(d, (v) => {
    if (!(v > least)) return offset;
    return gain * Math.max(0, (v * v) / 4 + r / (4 * v) - 11 / (8 * v * v) + (5 * r) / (8 * v ** 3) - 0.125 - s2) + offset;
  });
}

/**
 * Gain and readout noise from frames of the same view, [frames, ny, nx]: the variance over the frames against their mean is a line of slope `gain`.
 * With an offset known the readout noise is sigma² = intercept + gain·offset.
 * @throws bad-value with fewer than two frames
 */
export function estimateNoise(frames: ArrayLike<number>, [n, ny, nx]: readonly [number, number, number], offset = 0): Required<NoiseModel> {
  if (!(n >= 2)) fail("bad-value", { frames: n }, "the noise is seen in repeated frames: give two or more of the same view");
  const size = ny * nx;
  if (frames.length !== n * size) fail("bad-shape", { length: frames.length, shape: [n, ny, nx] }, "frames are [n, ny, nx]");
  // Mean of the variances in classes of equal population of the mean: single pixels scatter too much for a fit.
  const mean = new Float64Array(size),
    variance = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let s = 0,
      q = 0;
    for (let k = 0; k < n; k++) s += frames[k * size + i]!;
    s /= n;
    for (let k = 0; k < n; k++) q += (frames[k * size + i]! - s) ** 2;
    mean[i] = s;
    variance[i] = q / (n - 1);
  }
  const order = Array.from(mean.keys()).sort((a, b) => mean[a]! - mean[b]!),
    classes = Math.max(2, Math.min(40, Math.floor(size / 50)));
  const x: number[] = [],
    y: number[] = [];
  for (let c = 0; c < classes; c++) {
    const part = order.slice(Math.floor((c * size) / classes), Math.floor(((c + 1) * size) / classes));
    x.push(part.reduce((s, i) => s + mean[i]!, 0) / part.length);
    y.push(part.reduce((s, i) => s + variance[i]!, 0) / part.length);
  }
  const { slope, intercept } = lineFit(x, y);
  if (!(slope > 0)) fail("bad-value", { slope }, "the variance does not grow with the mean: the frames are no counts, or were averaged");
  return { gain: slope, offset, sigma: Math.sqrt(Math.max(0, intercept + slope * offset)) };
}
