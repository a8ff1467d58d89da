import { fail } from "../core/errors.js";
import type { Steps } from "../core/job.js";
import type { Pool } from "../core/pool.js";
import { denseKernels } from "../kernels/dense.js";
import { fftPlan } from "../numerics/fft-plan.js";
import type { Aberrations } from "./aberrations.js";
import { signedIndex, type WaveGrid } from "./grid.js";
import { prismBeams, prismBytes, prismRows, prismWeights, prismWindow } from "./prism-beams.js";
import { prismMatrix } from "./prism-matrix.js";
import { type ProbeOptions, probeAmplitude } from "./probe.js";
import type { MultislicePlan } from "./propagate.js";

/**
 * PRISM: the exit waves of plane waves inside the aperture, computed once; a probe anywhere, with any aberrations, is a sum of them. With interpolation f
 * only every f-th plane wave is used and each probe is cut from 1/f of the cell along both axes: f² times less work for a probe that fits the smaller window.
 * Beam tilt comes with the multislice plan.
 * @see Ophus (2017) Adv. Struct. Chem. Imaging 3, 13
 */
export interface PrismPlan {
  /** Plane waves. */
  readonly beams: number;
  /** Grid of the patterns: the cell divided by the interpolation, pixels as before. */
  readonly window: WaveGrid;
  readonly bytes: number;
  /** Compute the exit waves in this thread. */
  build(): Steps<void>;
  /** Compute them on a pool that knows the family "multislice", on the plan's arena. */
  buildOn(pool: Pool, signal?: AbortSignal): Promise<void>;
  /** Aberrations of the probe from now on (the apertures stay as they were). */
  aberrate(aberrations: Aberrations): void;
  /** Diffraction pattern of a probe at (x, y) Å: intensities [ny, nx] of `window` in FFT order, adding up to what has not been scattered off the grid. */
  pattern(x: number, y: number): Float64Array;
  free(): void;
}

export interface PrismOptions extends ProbeOptions {
  /** Every f-th plane wave along a and b: one number or two. Default 1, which equals multislice. */
  readonly interpolation?: number | readonly [number, number] | undefined;
  /** Refuse larger matrices, MB. Default 2048. */
  readonly maxMatrixMB?: number | undefined;
}

export function prismPlan(plan: MultislicePlan, options: PrismOptions): PrismPlan {
  const { grid: g, arena, precision } = plan,
    cut = prismWindow(g, options.interpolation),
    { window } = cut;
  const coefficients = (aberrations = options.aberrations): Float64Array => probeAmplitude(window, plan.beam, { ...options, aberrations });
  let probe = coefficients(),
    built = false;
  const all = prismBeams(g, cut, [probe]),
    { count: beams, part } = all,
    [wx, wy] = part;
  const size = precision === "f32" ? 8 : 16,
    bytes = prismBytes(all, precision),
    limit = options.maxMatrixMB ?? 2048;
  if (bytes > limit * 1048576)
    fail(
      "too-large",
      { beams, megabytes: Math.round(bytes / 1048576), maxMatrixMB: limit },
      "the matrix of exit waves does not fit: raise the interpolation or maxMatrixMB, or use multislice",
    );
  const matrix = prismMatrix(plan, all, [plan.count]),
    weights = arena.alloc(beams * size),
    small = fftPlan({ shape: [wy, wx], type: precision === "f32" ? "c64" : "c128", arena });
  const dense = denseKernels(arena),
    gemv = precision === "f32" ? dense.cgemv : dense.zgemv;
  return {
    beams,
    window,
    bytes,
    *build() {
      yield* matrix.build(plan);
      built = true;
    },
    buildOn: async (pool, signal) => {
      await matrix.buildWith(plan, (tasks) => pool.run(tasks, { signal }));
      built = true;
    },
    aberrate: (aberrations) => {
      probe = coefficients(aberrations);
    },
    pattern: (x, y) => {
      if (!built) fail("bad-value", { beams, built }, "compute the exit waves first: build() or buildOn()");
      if (!(Number.isFinite(x) && Number.isFinite(y))) fail("bad-value", { x, y }, "the place of a probe is two numbers in Å");
      prismWeights(precision === "f32" ? arena.f32(weights, 2 * beams) : arena.f64(weights, 2 * beams), all, probe, g, x, y);
      small.data().fill(0);
      for (const { from, to, length } of prismRows(all, g, x, y))
        gemv(length, beams, 1, matrix.address(0) + from * beams * size, beams, false, weights, small.ptr + to * size);
      small.forward();
      const f = small.data(),
        pattern = new Float64Array(window.nx * window.ny);
      for (let i = 0; i < wy; i++)
        for (let j = 0; j < wx; j++) {
          const at = 2 * (i * wx + j);
          pattern[((signedIndex(i, wy) + window.ny) % window.ny) * window.nx + ((signedIndex(j, wx) + window.nx) % window.nx)] =
            f[at]! ** 2 + f[at + 1]! ** 2;
        }
      return pattern;
    },
    free: () => {
      arena.free(weights);
      matrix.free();
      small.free();
    },
  };
}
