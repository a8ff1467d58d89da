import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";

/**
 * Noise of an integrating detector: var(pixel) = gain · counts + psi, counts².
 * `gain` is PETS2's Gγ, electronic gain times the cascade (Fano-like) factor; `psi` is the read-out noise variance.
 * For a counting detector gain is 1 to 3 (multiple counting) and psi about 0 to 1.
 * @see Waterman & Evans, J. Appl. Cryst. 43 (2010) 1356; PETS2 keyword `noiseparameters Gγ ψ`
 */
export interface NoiseModel {
  readonly gain: number;
  readonly psi: number;
}

/** A checked noise model. @throws out-of-range for a negative or non-finite parameter */
export function noiseModel(gain: number, psi: number): NoiseModel {
  if (!(gain > 0 && Number.isFinite(gain)))
    fail("out-of-range", { gain }, "gain (Gγ) is a positive number of counts per electron, typically 1 to 10");
  if (!(psi >= 0 && Number.isFinite(psi)))
    fail("out-of-range", { psi }, "psi is the variance of the read-out noise in counts², zero or more");
  return { gain, psi };
}

/** Variance of a sum of `pixels` pixels with total `counts`; negative counts add read-out noise alone. */
export function countVariance({ gain, psi }: NoiseModel, counts: number, pixels = 1): number {
  return gain * Math.max(0, counts) + pixels * psi;
}

/** Outcome of {@link estimateNoise}. */
export interface NoiseEstimate {
  readonly model: NoiseModel;
  /** Blocks that entered the fit. */
  readonly blocks: number;
  readonly status: "fitted" | "too-few-blocks";
}

/**
 * Noise parameters from the frames themselves (photon transfer): in flat pieces of background the variance of the difference of
 * neighbouring pixels is 2·(gain · mean + psi). Blocks with spots are dropped by a robust line fit of variance on mean.
 * Charge shared between neighbours makes the estimate low; a calibrated pair is better where there is one.
 * @param frames - background-dominated frames, counts, shape [ny, nx]
 * @param mask - zero where a pixel is good, shape [ny, nx]
 */
export function estimateNoise(frames: readonly Image[], mask?: Uint8Array): NoiseEstimate {
  const mean: number[] = [],
    variance: number[] = [];
  const b = 8;
  for (const {
    data,
    shape: [ny, nx],
  } of frames) {
    for (let y0 = 0; y0 + b <= ny; y0 += b)
      for (let x0 = 0; x0 + b <= nx; x0 += b) {
        let n = 0,
          s = 0,
          pairs = 0,
          max = Number.NEGATIVE_INFINITY;
        const d2: number[] = [];
        for (let y = y0; y < y0 + b; y++)
          for (let x = x0; x < x0 + b; x++) {
            const i = y * nx + x;
            if (mask?.[i]) continue;
            const v = data[i]!;
            n++;
            s += v;
            if (v > max) max = v;
            // Horizontal differences of disjoint pixel pairs remove the slope of the background.
            if (((x - x0) & 1) === 0 && !mask?.[i + 1]) {
              const d = v - data[i + 1]!;
              d2.push(d * d);
              pairs++;
            }
          }
        if (n < 0.9 * b * b || pairs < 0.4 * b * b) continue;
        const m = s / n,
          v = d2.reduce((a, d) => a + d, 0) / (2 * pairs);
        // A block with a spot has a maximum far above its Poisson-like spread.
        if (max > m + 6 * Math.sqrt(Math.max(v, m, 1))) continue;
        mean.push(m);
        variance.push(v);
      }
  }
  if (mean.length < 50) return { model: { gain: 1, psi: 0 }, blocks: mean.length, status: "too-few-blocks" };
  let keep = mean.map((_, i) => i);
  let gain = 1,
    psi = 0;
  for (let round = 0; round < 6; round++) {
    // Weighted line: the variance of a sample variance of N values is 2 v² / N, so weights are 1 / (model variance)².
    let sw = 0,
      sx = 0,
      sy = 0,
      sxx = 0,
      sxy = 0;
    for (const i of keep) {
      const expected = Math.max(gain * mean[i]! + psi, 1e-3),
        w = 1 / (expected * expected);
      sw += w;
      sx += w * mean[i]!;
      sy += w * variance[i]!;
      sxx += w * mean[i]! * mean[i]!;
      sxy += w * mean[i]! * variance[i]!;
    }
    const det = sw * sxx - sx * sx;
    if (det > 1e-9 * sw * sxx) {
      gain = (sw * sxy - sx * sy) / det;
      psi = (sy - gain * sx) / sw;
    }
    if (!(det > 1e-9 * sw * sxx) || psi < 0 || gain <= 0) {
      // One flat level, or an offset that is not there: a line through the origin.
      gain = Math.max(sxy / Math.max(sxx, 1e-300), 1e-6);
      psi = 0;
    }
    keep = mean
      .map((_, i) => i)
      .filter((i) => {
        const e = gain * mean[i]! + psi;
        return variance[i]! < 2.2 * e + 1e-9 && variance[i]! > 0.35 * e;
      });
    if (keep.length < 50) return { model: { gain: 1, psi: 0 }, blocks: keep.length, status: "too-few-blocks" };
  }
  return { model: { gain, psi }, blocks: keep.length, status: "fitted" };
}
