import { fail } from "../core/errors.js";
import type { Steps } from "../core/job.js";
import type { Pool } from "../core/pool.js";
import { denseKernels } from "../kernels/dense.js";
import { fftPlan } from "../numerics/fft-plan.js";
import type { Aberrations } from "./aberrations.js";
import { antialiasCutoff, goodGridSize, gridArea, signedIndex, type WaveGrid, waveGrid } from "./grid.js";
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
  const { grid: g, arena, precision } = plan;
  const [fx, fy] =
    typeof options.interpolation === "object" ? options.interpolation : [options.interpolation ?? 1, options.interpolation ?? 1];
  if (![fx, fy].every((f) => Number.isInteger(f) && f >= 1) || g.nx % fx || g.ny % fy)
    fail(
      "bad-value",
      { interpolation: [fx, fy], nx: g.nx, ny: g.ny },
      "interpolation is a whole number that divides the pixels of the grid",
    );
  const window = waveGrid(g.nx / fx, g.ny / fy, [g.a[0] / fx, g.a[1] / fx], [g.b[0] / fy, g.b[1] / fy]);
  /** The window's bins are every (fx, fy)-th bin of the grid. */
  const coefficients = (aberrations = options.aberrations): Float64Array => probeAmplitude(window, plan.beam, { ...options, aberrations });
  const opening = coefficients(),
    h: number[] = [],
    k: number[] = [],
    bin: number[] = [];
  for (let i = 0; i < window.nx * window.ny; i++)
    if (opening[2 * i] !== 0 || opening[2 * i + 1] !== 0) {
      h.push(signedIndex(i % window.nx, window.nx) * fx);
      k.push(signedIndex(Math.floor(i / window.nx), window.ny) * fy);
      bin.push(i);
    }
  const beams = h.length;
  // Exit waves have nothing outside the antialias circle: keep them on the coarsest grid that holds it.
  const coarse = (n: number, f: number, length: number): number =>
    Math.min(n, f * goodGridSize((2 * Math.floor(antialiasCutoff(g) * length) + 2) / f));
  const mx = coarse(g.nx, fx, Math.hypot(...g.a)),
    my = coarse(g.ny, fy, Math.hypot(...g.b)),
    wx = mx / fx,
    wy = my / fy;
  const size = precision === "f32" ? 8 : 16,
    bytes = mx * my * beams * size,
    limit = options.maxMatrixMB ?? 2048;
  if (bytes > limit * 1048576)
    fail(
      "too-large",
      { beams, megabytes: Math.round(bytes / 1048576), maxMatrixMB: limit },
      "the matrix of exit waves does not fit: raise the interpolation or maxMatrixMB, or use multislice",
    );
  const matrix = arena.alloc(bytes),
    weights = arena.alloc(beams * size),
    type = precision === "f32" ? ("c64" as const) : ("c128" as const);
  const down = fftPlan({ shape: [my, mx], type, arena }),
    small = fftPlan({ shape: [wy, wx], type, arena });
  const array = (ptr: number, n: number): Float32Array | Float64Array => (precision === "f32" ? arena.f32(ptr, n) : arena.f64(ptr, n));
  let c = opening,
    built = 0;
  /** Exit wave of beam b, in reciprocal space at `wave`, into column b of the matrix [pixels, beams]. */
  const keep = (b: number, wave: number): void => {
    const from = plan.view(wave),
      to = down.data();
    to.fill(0);
    for (let y = 0; y < my; y++) {
      const row = (signedIndex(y, my) + g.ny) % g.ny;
      for (let x = 0; x < mx; x++) {
        const at = 2 * (row * g.nx + ((signedIndex(x, mx) + g.nx) % g.nx)),
          o = 2 * (y * mx + x);
        to[o] = from[at]!;
        to[o + 1] = from[at + 1]!;
      }
    }
    down.inverse();
    const exit = down.data(),
      s = array(matrix, 2 * mx * my * beams);
    for (let p = 0; p < mx * my; p++) {
      s[2 * (p * beams + b)] = exit[2 * p]!;
      s[2 * (p * beams + b) + 1] = exit[2 * p + 1]!;
    }
    built++;
  };
  const start = (b: number, wave: number): void => {
    const w = plan.view(wave).fill(0);
    w[2 * (((k[b]! + g.ny) % g.ny) * g.nx + ((h[b]! + g.nx) % g.nx))] = 1;
  };
  const batch = Math.max(1, Math.min(16, beams));
  const wave = plan.allocWaves(batch);
  const area = gridArea(g),
    dense = denseKernels(arena),
    gemv = precision === "f32" ? dense.cgemv : dense.zgemv;
  return {
    beams,
    window,
    bytes,
    *build() {
      built = 0;
      for (let at = 0; at < beams; at += batch) {
        const n = Math.min(batch, beams - at);
        for (let i = 0; i < n; i++) start(at + i, wave + i * plan.waveBytes);
        for (const w of plan.windows) {
          yield* plan.load(w);
          plan.advance(wave, n, ...w);
        }
        for (let i = 0; i < n; i++) keep(at + i, wave + i * plan.waveBytes);
        yield { done: at + n, total: beams, note: "plane waves" };
      }
    },
    buildOn: async (pool, signal) => {
      built = 0;
      const scratch = Array.from({ length: batch }, () => arena.alloc(plan.scratchBytes));
      try {
        for (let at = 0; at < beams; at += batch) {
          const n = Math.min(batch, beams - at);
          for (let i = 0; i < n; i++) start(at + i, wave + i * plan.waveBytes);
          for (const w of plan.windows) {
            for (const steps = plan.load(w); !steps.next().done; );
            await pool.run(
              Array.from({ length: n }, (_, i) => [plan.call(wave + i * plan.waveBytes, 1, w[0], w[1], scratch[i]!)]),
              { signal },
            );
          }
          for (let i = 0; i < n; i++) keep(at + i, wave + i * plan.waveBytes);
        }
      } finally {
        for (const s of scratch) arena.free(s);
      }
    },
    aberrate: (aberrations) => {
      c = coefficients(aberrations);
    },
    pattern: (x, y) => {
      if (built !== beams) fail("bad-value", { beams, built }, "compute the exit waves first: build() or buildOn()");
      if (!(Number.isFinite(x) && Number.isFinite(y))) fail("bad-value", { x, y }, "the place of a probe is two numbers in Å");
      const u = (x * g.b[1] - y * g.b[0]) / area,
        v = (y * g.a[0] - x * g.a[1]) / area;
      const w = array(weights, 2 * beams);
      for (let b = 0; b < beams; b++) {
        const t = -2 * Math.PI * (h[b]! * u + k[b]! * v),
          i = 2 * bin[b]!,
          [re, im] = [c[i]! * fx * fy, c[i + 1]! * fx * fy];
        w[2 * b] = re * Math.cos(t) - im * Math.sin(t);
        w[2 * b + 1] = re * Math.sin(t) + im * Math.cos(t);
      }
      // The window around the probe, row by row; it may wrap around the cell.
      small.data().fill(0);
      const wrap = (i: number, n: number): number => ((i % n) + n) % n;
      const x0 = wrap(Math.round(u * mx) - (wx >> 1), mx),
        y0 = Math.round(v * my) - (wy >> 1);
      const first = Math.min(wx, mx - x0);
      for (let i = 0; i < wy; i++) {
        const row = wrap(y0 + i, my) * mx,
          out = small.ptr + i * wx * size;
        gemv(first, beams, 1, matrix + (row + x0) * beams * size, beams, false, weights, out);
        if (first < wx) gemv(wx - first, beams, 1, matrix + row * beams * size, beams, false, weights, out + first * size);
      }
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
      for (const ptr of [matrix, weights, wave]) arena.free(ptr);
      down.free();
      small.free();
    },
  };
}
