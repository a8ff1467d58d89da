import { fail } from "../core/errors.js";
import type { Rng } from "../core/rng.js";
import { rotationFromVector } from "../geometry/rotation-forms.js";
import type { AtomModel } from "./atom-model.js";

/** Where a model is projected to. */
export interface ProjectionFrame {
  readonly shape: readonly [ny: number, nx: number];
  /** Å per pixel. */
  readonly pixel: number;
  /** Rotations [views, 9]. */
  readonly poses: Float64Array;
  /** Pixels (u, v), [views, 2]; default 0. */
  readonly shifts?: Float64Array | undefined;
}

/**
 * Linear projections of Gaussian atoms, sampled at pixel centres and cut at six widths: Σ_a I_a G(u − u_a) G(v − v_a) per pixel.
 * The plain sum; `refineAtoms` has its own faster one, which a test holds against this.
 * @returns f32 [views, ny, nx]
 */
export function projectAtoms(model: AtomModel, { shape: [ny, nx], pixel, poses, shifts }: ProjectionFrame): Float32Array {
  if (poses.length % 9 !== 0) fail("bad-shape", { poses: poses.length }, "poses are [views, 9]: nine numbers per rotation");
  const views = poses.length / 9,
    out = new Float32Array(views * ny * nx),
    sum = new Float64Array(ny * nx);
  for (let i = 0; i < views; i++) {
    const R = poses.subarray(9 * i, 9 * i + 9);
    sum.fill(0);
    for (let a = 0; a < model.size; a++) {
      const [x, y, z] = model.positions.subarray(3 * a, 3 * a + 3) as unknown as [number, number, number];
      const u = (R[0]! * x + R[3]! * y + R[6]! * z) / pixel + Math.floor(nx / 2) + (shifts?.[2 * i] ?? 0),
        v = (R[1]! * x + R[4]! * y + R[7]! * z) / pixel + Math.floor(ny / 2) + (shifts?.[2 * i + 1] ?? 0);
      const s = model.widths[a]! / pixel,
        reach = 6 * s,
        f = -0.5 / (s * s),
        peak = model.intensities[a]! / (2 * Math.PI * s * s);
      const x0 = Math.max(0, Math.ceil(u - reach)),
        x1 = Math.min(nx - 1, Math.floor(u + reach));
      for (let py = Math.max(0, Math.ceil(v - reach)); py <= Math.min(ny - 1, Math.floor(v + reach)); py++) {
        const row = peak * Math.exp(f * (py - v) ** 2);
        for (let px = x0; px <= x1; px++) sum[py * nx + px]! += row * Math.exp(f * (px - u) ** 2);
      }
    }
    out.set(sum, i * ny * nx);
  }
  return out;
}

/** How counts come about: Poisson of signal and background, then readout noise and an offset. */
export interface CountsOptions {
  readonly rng: Rng;
  /** Counts of the brightest pixel of the series (default 150). */
  readonly peak?: number;
  /** Counts of an empty pixel (default 6). */
  readonly background?: number;
  /** Standard deviation of the readout, counts (default 1.5). */
  readonly readout?: number;
  /** Added to every pixel (default 10). */
  readonly offset?: number;
}

/** Noisy counts of ideal projections, rounded to whole numbers, never below 0. */
export function simulateCounts(
  projections: Float32Array,
  { rng, peak = 150, background = 6, readout = 1.5, offset = 10 }: CountsOptions,
): { readonly data: Float32Array; readonly scale: number } {
  const top = projections.reduce((m, v) => Math.max(m, v), 0),
    scale = top > 0 ? peak / top : 1;
  const data = projections.map((v) =>
    Math.max(0, Math.round(rng.poisson(scale * Math.max(0, v) + background) + readout * rng.normal() + offset)),
  );
  return { data, scale };
}

/** Rotations Ry(θ) of a single-axis series, θ in radians, f64 [n, 9]. */
export function tiltPoses(theta: ArrayLike<number>): Float64Array {
  return Float64Array.from(
    Array.from(theta).flatMap((t) => {
      const c = Math.cos(t),
        s = Math.sin(t);
      return [c, 0, s, 0, 1, 0, -s, 0, c];
    }),
  );
}

/** Poses turned by random vectors with a standard deviation of `sigma` rad about each axis: R exp([ω]×). */
export function disturbedPoses(poses: Float64Array, sigma: number, rng: Rng): Float64Array {
  const out = new Float64Array(poses.length);
  for (let i = 0; i < poses.length; i += 9) {
    const w = rotationFromVector([sigma * rng.normal(), sigma * rng.normal(), sigma * rng.normal()]);
    for (let r = 0; r < 3; r++)
      for (let c = 0; c < 3; c++) for (let k = 0; k < 3; k++) out[i + 3 * r + c]! += poses[i + 3 * r + k]! * w[(3 * k + c) as 0]!;
  }
  return out;
}
