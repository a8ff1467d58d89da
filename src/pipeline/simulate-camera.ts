import type { Rng } from "../core/rng.js";
import { fastNormal, fastPoisson } from "./simulate-noise.js";

/**
 * How electrons become counts. Noise: σ² = G·γ·signal + ψ with the signal in counts above the pedestal, the model of PETS2's
 * `noiseparameters Gγ ψ` (Waterman & Evans 2010).
 */
export interface CameraModel {
  /** Counts per electron, G. */
  readonly gain: number;
  /** Excess-noise (cascade) factor γ >= 1: the variance of the counts of one electron adds (γ − 1)G². */
  readonly cascade: number;
  /** Variance of the read-out noise, counts². */
  readonly psi: number;
  /** Constant added to all pixels, counts. */
  readonly pedestal: number;
  /** Largest value a pixel can have, counts. */
  readonly saturation: number;
  /** Width of a spot made by a parallel beam, pixels (Gaussian σ), and the part of the intensity in wide tails of width `tailPx`. */
  readonly spotSigmaPx: number;
  readonly tailFraction: number;
  readonly tailPx: number;
  /** Numbers of dead (always 0) and hot (always near saturation) pixels. */
  readonly deadPixels: number;
  readonly hotPixels: number;
}

/** A hybrid-pixel detector with the noise of the Timepix glycine project (Gγ 2.5, ψ 1). */
export const hybridPixelCamera: CameraModel = {
  gain: 2,
  cascade: 1.25,
  psi: 1,
  pedestal: 0,
  saturation: 65535,
  spotSigmaPx: 1.2,
  tailFraction: 0.04,
  tailPx: 4,
  deadPixels: 0,
  hotPixels: 0,
};

/**
 * The same with the tails of real spots: width and tails fitted to how ten single spots of the real glycine frame (Timepix, 516²) grow from a quarter
 * to 2.5 spot diameters, rms 0.7 % (`camera-tails.test.ts`). Halo around a spot and spread in the chip are not told apart.
 */
export const timepixCamera: CameraModel = { ...hybridPixelCamera, spotSigmaPx: 1.06, tailFraction: 0.47, tailPx: 3.25 };

/** Positions (index y·nx + x) of the faulty pixels of a camera. */
export interface BadPixels {
  readonly dead: Int32Array;
  readonly hot: Int32Array;
}

/** The same faulty pixels for all frames of a series. */
export function badPixels(camera: CameraModel, pixels: number, rng: Rng): BadPixels {
  const draw = (n: number, r: Rng): Int32Array => Int32Array.from({ length: n }, () => r.integer(pixels)).sort();
  return { dead: draw(camera.deadPixels, rng.fork("dead")), hot: draw(camera.hotPixels, rng.fork("hot")) };
}

/**
 * One frame as the camera writes it: Poisson statistics of the electrons, gain, cascade and read-out noise, pedestal, rounding,
 * saturation, faulty pixels.
 * @param electrons - expected electrons of every pixel; overwritten with the counts and returned
 */
export function recordInto(electrons: Float32Array, camera: CameraModel, bad: BadPixels, rng: Rng): Float32Array {
  const { gain, cascade, psi, pedestal, saturation } = camera;
  const normal = fastNormal();
  const excess = gain * gain * (cascade - 1);
  for (let i = 0; i < electrons.length; i++) {
    const n = fastPoisson(electrons[i]!, rng);
    const spread = excess * n + psi;
    const counts = Math.round(gain * n + pedestal + (spread > 0 ? Math.sqrt(spread) * normal(rng) : 0));
    electrons[i] = Math.max(0, Math.min(saturation, counts));
  }
  for (const i of bad.dead) electrons[i] = 0;
  for (const i of bad.hot) electrons[i] = Math.round(saturation * (0.9 + 0.1 * rng.uniform()));
  return electrons;
}
