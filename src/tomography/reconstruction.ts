import { fail } from "../core/errors.js";
import type { TiltSeries } from "./tilt-series.js";

/** How well a volume explains the views. */
export interface Figures {
  /** Mean over views of Σ|P O − b| / Σ|b| (the R1 of RESIRE), over the pixels that take part. */
  readonly r1: number;
  /** Mean over views of ‖P O − b‖ / ‖b‖. */
  readonly r2: number;
  /** R1 over the pixels that were withheld; undefined when none were. */
  readonly r1Free?: number | undefined;
}

export interface ReconstructionProgress {
  readonly done: number;
  readonly total: number;
  readonly note: string;
  readonly figures?: Readonly<Record<string, number>> | undefined;
}

/** What every method takes. */
export interface ReconstructOptions {
  /** [nz, ny, nx] of the volume. Default: the views' ny and nx, and nz = nx (nz = ny where the tilt axis is x). */
  readonly volume?: readonly [nz: number, ny: number, nx: number] | undefined;
  readonly iterations?: number | undefined;
  /** Volume to begin with, [nz, ny, nx]; default zeros. */
  readonly start?: ArrayLike<number> | undefined;
  /** Where the object may be: 1 inside, 0 outside, [nz, ny, nx]. */
  readonly support?: ArrayLike<number> | undefined;
  /** Keep values at or above 0. Default true. */
  readonly positive?: boolean | undefined;
  /** Fraction of the pixels (or of the Fourier points, for GENFIRE) that is withheld to give R_free. Default 0; GENFIRE 0.05. */
  readonly withhold?: number | undefined;
  /** Seed of the choice of withheld data. */
  readonly seed?: number | string | undefined;
  /** End when the figure of merit falls by less than this fraction in an iteration. Default 0: run all iterations. */
  readonly tolerance?: number | undefined;
  /** End when R_free has not fallen for so many iterations, and return the volume of its minimum. Needs `withhold`. Default: off. */
  readonly patience?: number | undefined;
  readonly workers?: number | undefined;
  readonly kernels?: "wasm" | "js" | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: ReconstructionProgress) => void) | undefined;
  /** Refuse before the start when more kernel memory would be needed. Default 4096 (all that WebAssembly has). */
  readonly maxMemoryMB?: number | undefined;
}

export interface Reconstruction {
  /** [nz, ny, nx], x fastest. */
  readonly volume: Float32Array;
  readonly shape: readonly [nz: number, ny: number, nx: number];
  readonly method: string;
  /** "converged": by `tolerance` or `patience`; "finished": all iterations were done. */
  readonly status: "converged" | "finished";
  readonly iterations: number;
  /** Figures of the returned volume, by name. */
  readonly figures: Readonly<Record<string, number>>;
  /** The same before each iteration. */
  readonly curves: Readonly<Record<string, readonly number[]>>;
  readonly warnings: readonly string[];
  /** Bytes of kernel memory that were needed. */
  readonly memoryBytes: number;
}

/** Default shape of the volume of a series: as deep as the views are wide across the tilt axis. */
export function volumeShape(series: TiltSeries, wanted?: readonly [number, number, number]): readonly [number, number, number] {
  if (wanted) {
    if (wanted.length !== 3 || !wanted.every((n) => Number.isInteger(n) && n >= 1 && n <= 16384))
      fail("bad-shape", { volume: wanted }, "the volume is [nz, ny, nx], three whole sizes");
    return wanted;
  }
  const [views, ny, nx] = series.shape;
  let along = 0;
  for (let p = 0; p < views; p++) along += Math.abs(series.poses[9 * p + 4]!) - Math.abs(series.poses[9 * p]!);
  return [along < -1e-9 ? ny : nx, ny, nx];
}

/** Start and support have the shape of the volume. @throws bad-shape */
export function checkVolumes(
  volume: readonly [number, number, number],
  { start, support }: Pick<ReconstructOptions, "start" | "support">,
): void {
  const voxels = volume[0] * volume[1] * volume[2];
  for (const [name, a] of Object.entries({ start, support }))
    if (a && a.length !== voxels) fail("bad-shape", { [name]: a.length, volume }, `the ${name} has the shape of the volume, [nz, ny, nx]`);
}

/** @throws too-large when a reconstruction needs more bytes than it may take */
export function checkMemory(need: number, { maxMemoryMB = 4096 }: Pick<ReconstructOptions, "maxMemoryMB">): void {
  if (need > maxMemoryMB * 2 ** 20)
    fail(
      "too-large",
      { needMB: Math.ceil(need / 2 ** 20), limitMB: maxMemoryMB },
      "reconstruct in slabs (`reconstructSlabs`), bin the views, or allow more memory",
    );
}
