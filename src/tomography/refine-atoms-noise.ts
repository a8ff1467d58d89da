import { median, quantile } from "../numerics/stats-select.js";
import type { AtomEngine } from "./refine-atoms-engine.js";

/** Variance of a pixel = gain · intensity + floor, at least `least` (default 0), in the units of the projections. */
export interface CountNoise {
  readonly gain: number;
  /** Below 0 where the intensities carry an offset that is no signal. */
  readonly floor: number;
  readonly least?: number | undefined;
}

/** Variance of a pixel whose model intensity is m. */
export const pixelVariance = ({ gain, floor, least = 0 }: CountNoise, m: number): number => Math.max(gain * m + floor, least, 1e-30);

/**
 * Gain and floor from the residuals (data − model)² against the model: weighted straight line, five rounds, outliers beyond 5σ cut.
 * With a good model of raw counts this finds the detector's gain; what the model does not explain adds to it.
 */
export function noiseOfResiduals(engine: AtomEngine): CountNoise {
  const r2: number[] = [],
    m: number[] = [];
  const step = Math.max(1, Math.floor((engine.views * engine.ny * engine.nx) / 400000));
  for (let i = 0, k = 0; i < engine.views; i++) {
    const data = engine.image("data", i),
      model = engine.image("model", i),
      weight = engine.image("weight", i);
    for (let j = 0; j < data.length; j++, k++) {
      if (k % step !== 0 || weight[j] === 0) continue;
      r2.push((data[j]! - model[j]!) ** 2);
      m.push(model[j]!);
    }
  }
  // The line is anchored at the darkest pixels: an offset of the counts would put its zero anywhere.
  const dark = quantile(m.slice(), 0.02),
    x = m.map((v) => Math.max(0, v - dark)),
    mean = r2.reduce((s, v) => s + v, 0) / Math.max(1, r2.length);
  let gain = 0,
    floor = Math.max(mean, 1e-30);
  const least = 1e-4 * floor;
  for (let round = 0; round < 6; round++) {
    let [s0, s1, s2, t0, t1] = [0, 0, 0, 0, 0];
    for (let k = 0; k < r2.length; k++) {
      const v = Math.max(gain * x[k]! + floor, least),
        w = 1 / (v * v),
        r = round < 2 ? r2[k]! : Math.min(r2[k]!, 25 * v);
      s0 += w;
      s1 += w * x[k]!;
      s2 += w * x[k]! * x[k]!;
      t0 += w * r;
      t1 += w * r * x[k]!;
    }
    const det = s0 * s2 - s1 * s1;
    gain = det > 1e-12 * s0 * s2 ? (s0 * t1 - s1 * t0) / det : 0;
    floor = det > 1e-12 * s0 * s2 ? (s2 * t0 - s1 * t1) / det : t0 / s0;
    if (gain < 0) [gain, floor] = [0, t0 / s0];
    if (floor < least) [gain, floor] = [Math.max(0, t1 / s2), least];
  }
  return { gain, floor: floor - gain * dark, least: 0.5 * floor };
}

/** Weights 1/variance of the present model; pixels that `mask` leaves out get 0. */
export function setWeights(engine: AtomEngine, noise: CountNoise, mask?: Uint8Array): void {
  const size = engine.ny * engine.nx,
    w = new Float32Array(size);
  for (let i = 0; i < engine.views; i++) {
    const model = engine.image("model", i);
    for (let j = 0; j < size; j++) w[j] = mask && mask[i * size + j] === 0 ? 0 : 1 / pixelVariance(noise, model[j]!);
    engine.setImage("weight", i, w);
  }
}

/** Weights of one number for all pixels: before anything is known. */
export function setUniformWeights(engine: AtomEngine, mask?: Uint8Array): void {
  const size = engine.ny * engine.nx;
  const all = engine.image("data", Math.floor(engine.views / 2)),
    middle = median(all.slice());
  const variance = all.reduce((s, v) => s + (v - middle) ** 2, 0) / size;
  for (let i = 0; i < engine.views; i++) {
    const w = new Float32Array(size).fill(1 / Math.max(1e-30, 0.02 * variance));
    if (mask) for (let j = 0; j < size; j++) if (mask[i * size + j] === 0) w[j] = 0;
    engine.setImage("weight", i, w);
  }
}

/**
 * R1 of the present model: mean over views of Σ|p_calc − p_obs| / Σ|p_calc − background|, over pixels where `counted` is not 0 (all when
 * not given). The background is taken out below, or counts of an empty field would flatter it.
 */
export function rOfModel(engine: AtomEngine, background: Float64Array, terms: number, counted?: Uint8Array): number {
  const { ny, nx } = engine,
    size = ny * nx;
  let sum = 0;
  for (let i = 0; i < engine.views; i++) {
    const data = engine.image("data", i),
      model = engine.image("model", i);
    let top = 0,
      bottom = 0;
    for (let y = 0, j = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, j++) {
        if (counted && counted[i * size + j] === 0) continue;
        const b = terms ? background[3 * i]! + background[3 * i + 1]! * (x / nx - 0.5) + background[3 * i + 2]! * (y / ny - 0.5) : 0;
        top += Math.abs(data[j]! - model[j]!);
        bottom += Math.abs(model[j]! - b);
      }
    sum += bottom > 0 ? top / bottom : Number.NaN;
  }
  return sum / engine.views;
}
