import { fail } from "../core/errors.js";
import type { PoolCall } from "../core/pool.js";
import { wasmAvailable } from "../kernels/memory.js";
import { boxedFft, boxedFftBytes } from "./boxed-fft.js";
import { type FourierPoints, type Gridding, goodLength, griddedViews } from "./fourier-grid.js";
import { type Reconstruction, type ReconstructOptions, volumeShape } from "./reconstruction.js";
import { type Runner, runner } from "./runner.js";
import { clipWarnings, outsideSupport } from "./support-clip.js";
import type { TiltSeries } from "./tilt-series.js";

export interface GenfireOptions extends ReconstructOptions {
  /** Size of the Fourier grid over that of the volume; 3 by default, less than that leaves artefacts. */
  readonly oversampling?: number | undefined;
  /** "dft" (default): exact transforms of the views at the points of the grid; "fft": samples of their FFTs at the nearest points. */
  readonly gridding?: Gridding | undefined;
  /** Largest distance between a point of the grid and a measured one, in grid points. Default 0.5. */
  readonly cutoff?: number | undefined;
  /**
   * Which measured points are enforced when: "extension-suppression" (default) begins with the lowest frequencies, adds higher ones and takes
   * them away again, which keeps noise out; "extension" only adds; "all" enforces everything always.
   */
  readonly schedule?: "extension-suppression" | "extension" | "all" | undefined;
}

/** Cut-offs c over the iterations: enforced is 1 − |k|/k_Nyquist > c. */
const schedules = {
  "extension-suppression": [
    ...Array.from({ length: 8 }, (_, i) => 0.95 - 0.15 * i),
    ...Array.from({ length: 11 }, (_, i) => -0.15 + 0.1 * i),
  ],
  extension: Array.from({ length: 8 }, (_, i) => 0.95 - 0.15 * i),
  all: [-999],
} as const;
const SHELLS = 32;

/**
 * GENFIRE: alternate projections between what was measured in Fourier space and positivity and support in real space.
 * Figures, over all measured points that are not withheld: `rkMagnitude` Σ||F| − |M|| / Σ|M| (GENFIRE-Python) and `rkComplex` Σ|F − M| / Σ|M|
 * (GENFIRE-MATLAB); `rkFree` is the first over the withheld points, whose Friedel mates are withheld with them.
 * As in GENFIRE the volume with the least `rkMagnitude` since the last change of the enforced set is returned.
 * @see Pryor et al., Sci. Rep. 7, 10409 (2017)
 * @throws bad-value, bad-shape, too-large, unsupported without WebAssembly
 */
export async function genfire(series: TiltSeries, options: GenfireOptions = {}): Promise<Reconstruction> {
  const { oversampling = 3, gridding = "dft", cutoff = 0.5, schedule = "extension-suppression" } = options;
  const { iterations = 100, positive = true, withhold = 0.05, seed = 1, tolerance = 0, patience = 0, signal, onProgress } = options;
  if (!(oversampling >= 1 && oversampling <= 8)) fail("bad-value", { oversampling }, "the oversampling is between 1 and 8; 3 is usual");
  if (!(cutoff > 0 && cutoff <= 3)) fail("bad-value", { cutoff }, "the cut-off distance is between 0 and 3 grid points; 0.5 is usual");
  if (!(withhold >= 0 && withhold < 0.5)) fail("bad-value", { withhold }, "withhold a fraction between 0 and 0.5, e.g. 0.05");
  if (!(Number.isInteger(iterations) && iterations >= 1)) fail("bad-value", { iterations }, "at least one iteration is needed");
  if (!(schedule in schedules)) fail("bad-value", { schedule }, `schedules: ${Object.keys(schedules).join(", ")}`);
  if (patience > 0 && withhold === 0) fail("bad-value", { patience, withhold }, "patience watches R_free: withhold some points, e.g. 0.05");
  if (options.kernels === "js" || !wasmAvailable())
    fail("unsupported", {}, "GENFIRE needs WebAssembly with SIMD; RESIRE and SIRT run without");
  if (series.mask?.some((m) => m !== 0))
    fail("unsupported", {}, "a Fourier transform needs every pixel: repair masked pixels first (`repairPixels`), or use RESIRE or SIRT");
  const box = volumeShape(series, options.volume),
    [nz, ny, nx] = box,
    voxels = nz * ny * nx;
  const [, py, px] = series.shape;
  if (py > ny || px > nx) fail("bad-shape", { volume: box, views: [py, px] }, "the volume must be at least as wide and high as the views");
  for (const [name, a] of [
    ["start", options.start],
    ["support", options.support],
  ] as const)
    if (a && a.length !== voxels)
      fail("bad-shape", { [name]: a.length, volume: box }, `the ${name} has the shape of the volume, [nz, ny, nx]`);
  const grid = [goodLength(nz * oversampling), goodLength(ny * oversampling), goodLength(nx * oversampling)] as const;
  const points = 8 * grid[0] * grid[1] * (grid[2] / 2 + 1);
  // The grid itself; while gridding, weights outside the kernel memory; then the list of points.
  const need = boxedFftBytes(box, grid) + 0.6 * points + 2 ** 24,
    limit = (options.maxMemoryMB ?? 4096) * 2 ** 20;
  if (need > limit || points >= 2 ** 32)
    fail(
      "too-large",
      { needMB: Math.ceil(need / 2 ** 20), limitMB: Math.floor(limit / 2 ** 20) },
      "use a smaller oversampling, bin the views, or take RESIRE, which needs no padding",
    );
  const clipped = options.support && outsideSupport(series, box, options.support);
  const run = await runner({ workers: voxels < 32 ** 3 ? 1 : options.workers });
  try {
    const arena = run.arena,
      fft = boxedFft(arena, box, grid),
      cells = 2 * grid[0] * grid[1] * (grid[2] / 2 + 1);
    const gridder = griddedViews(series, box, grid, gridding, cutoff, () => arena.f32(fft.spectrum, cells));
    let measured: FourierPoints;
    for (;;) {
      const step = gridder.next();
      if (step.done) {
        measured = step.value;
        break;
      }
      onProgress?.({ done: 0, total: iterations, note: `gridding view ${step.value} of ${series.shape[0]}` });
      await new Promise<void>((resume) => setTimeout(resume));
      signal?.throwIfAborted();
    }
    const r = await alternate(run, fft, measured, box, {
      ...options,
      iterations,
      positive,
      withhold,
      seed,
      tolerance,
      patience,
      cutoffs: schedules[schedule],
    });
    return {
      ...r,
      figures: clipped === undefined ? r.figures : { ...r.figures, outsideSupport: clipped },
      warnings: [...clipWarnings(clipped), ...r.warnings],
      shape: box,
      method: "genfire",
      memoryBytes: arena.memory.buffer.byteLength,
    };
  } finally {
    await run.close();
  }
}

type AlternateOptions = Omit<GenfireOptions, "cutoff"> & {
  readonly iterations: number;
  readonly positive: boolean;
  readonly withhold: number;
  readonly seed: number | string;
  readonly tolerance: number;
  readonly patience: number;
  readonly cutoffs: readonly number[];
};

/** The iteration on a list of measured points. */
export async function alternate(
  run: Runner,
  fft: ReturnType<typeof boxedFft>,
  measured: FourierPoints,
  [nz, ny, nx]: readonly [number, number, number],
  o: AlternateOptions,
): Promise<Omit<Reconstruction, "shape" | "method" | "memoryBytes">> {
  const { arena } = run,
    gx = measured.grid[2],
    count = measured.index.length;
  const index = arena.alloc(4 * count + 16),
    value = arena.alloc(8 * count + 16),
    radius = arena.alloc(4 * count + 16),
    flags = arena.alloc(count + 16);
  new Uint32Array(arena.memory.buffer, index, count).set(measured.index);
  arena.f32(value, 2 * count).set(measured.value);
  arena.f32(radius, count).set(measured.radius);
  arena.u8(flags, count).set(withheldFlags(measured, o.withhold, o.seed));
  const support = o.support ? arena.alloc(nz * ny * nx) : 0;
  if (o.support) {
    const s = arena.u8(support, nz * ny * nx);
    for (let i = 0; i < s.length; i++) s[i] = o.support[i]! > 0 ? 1 : 0;
  }
  const rows = (): Float32Array => arena.f32(fft.volume, nz * ny * gx);
  const copy = (from: Float32Array): Float32Array => {
    const out = new Float32Array(nz * ny * nx);
    for (let r = 0; r < nz * ny; r++) out.set(from.subarray(r * gx, r * gx + nx), r * nx);
    return out;
  };
  const first = rows().fill(0);
  if (o.start) for (let i = 0; i < nz * ny * nx; i++) first[Math.floor(i / nx) * gx + (i % nx)] = o.start[i]!;

  const words = 3 + 2 * SHELLS,
    chunk = fft.split(count, (lo, hi) => [{ family: "", name: "", args: [lo, hi] }]).map((t) => t[0]!.args as [number, number]);
  const sums = arena.alloc(8 * words * Math.max(1, chunk.length));
  const constrain = fft.split(nz * ny, (lo, hi) => [
    { family: "fourier", name: "constrain", args: [fft.volume, support, lo, hi, nx, gx, o.positive ? 1 : 0] } satisfies PoolCall,
  ]);
  const forward = fft.forward(),
    inverse = fft.inverse();
  const changes = changesOf(o.cutoffs, o.iterations);
  const curves = { rkMagnitude: [] as number[], rkComplex: [] as number[], rkFree: [] as number[] };
  let limit = 0,
    best = Number.POSITIVE_INFINITY,
    bestFree = Number.POSITIVE_INFINITY,
    since = 0,
    kept = copy(rows()),
    figures: Record<string, number> = {},
    status: Reconstruction["status"] = "finished",
    done = 0;
  for (; done < o.iterations; done++) {
    const change = changes.get(done + 1);
    if (change !== undefined) {
      limit = 1 - change;
      best = Number.POSITIVE_INFINITY;
    }
    await run.run(constrain, o.signal);
    const here = rows().slice();
    for (const phase of forward) await run.run(phase, o.signal);
    arena.f64(sums, words * chunk.length).fill(0);
    const tasks = chunk.map(([lo, hi], i) => [
      {
        family: "fourier",
        name: "enforce",
        args: [fft.spectrum, index, value, radius, flags, lo, hi, limit, sums + 8 * words * i],
      } satisfies PoolCall,
    ]);
    await run.run(tasks, o.signal);
    const f = figuresOf(arena.f64(sums, words * chunk.length), words);
    curves.rkMagnitude.push(f.rkMagnitude!);
    curves.rkComplex.push(f.rkComplex!);
    if (f.rkFree !== undefined) curves.rkFree.push(f.rkFree);
    o.onProgress?.({ done, total: o.iterations, note: `GENFIRE R_K ${f.rkMagnitude!.toFixed(4)}`, figures: f });
    const before = curves.rkMagnitude[done - 1];
    if (f.rkMagnitude! < best) {
      best = f.rkMagnitude!;
      kept = here;
      figures = f;
    }
    const settled = ![...changes.keys()].some((k) => k > done + 1);
    if (settled && change === undefined && o.tolerance > 0 && before !== undefined && before - f.rkMagnitude! < o.tolerance * before) {
      status = "converged";
      break;
    }
    if (o.patience > 0 && f.rkFree !== undefined) {
      if (f.rkFree < bestFree) [bestFree, since] = [f.rkFree, 0];
      else if (settled && ++since >= o.patience) {
        status = "converged";
        break;
      }
    }
    if (done + 1 < o.iterations) for (const phase of inverse) await run.run(phase, o.signal);
  }
  return {
    volume: copy(kept),
    status,
    iterations: done,
    figures,
    curves: curves.rkFree.length ? curves : { rkMagnitude: curves.rkMagnitude, rkComplex: curves.rkComplex },
    warnings: [],
  };
}

/** Cut-offs spread over the iterations 1 … n, by iteration; of several that fall together the first counts. */
function changesOf(cutoffs: readonly number[], iterations: number): Map<number, number> {
  const out = new Map<number, number>();
  cutoffs.forEach((c, i) => {
    const at = cutoffs.length === 1 ? 1 : Math.round(1 + (i * (iterations - 1)) / (cutoffs.length - 1));
    if (!out.has(at)) out.set(at, c);
  });
  return out;
}

/** Shell of each point, and bit 7 where it is withheld: a choice by a hash of the index, the same for a point and its mate. */
function withheldFlags({ grid: [gz, gy, gx], index, radius }: FourierPoints, withhold: number, seed: number | string): Uint8Array {
  const half = gx / 2 + 1;
  let key = 0x9e3779b9;
  for (const c of String(seed)) key = Math.imul(key ^ c.charCodeAt(0), 0x01000193);
  const uniform = (i: number): number => {
    let z = (i ^ key) | 0;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296;
  };
  return Uint8Array.from(index, (at, n) => {
    let own = at;
    if (at % half === 0) {
      const iy = Math.floor(at / half) % gy,
        iz = Math.floor(at / half / gy);
      own = Math.min(at, (((gz - iz) % gz) * gy + ((gy - iy) % gy)) * half);
    }
    const shell = Math.min(SHELLS - 1, Math.floor(radius[n]! * SHELLS));
    // The zero frequency is the total: never withheld.
    return shell | (radius[n]! > 0 && uniform(own) < withhold ? 128 : 0);
  });
}

function figuresOf(sums: Float64Array, words: number): Record<string, number> {
  const s = new Float64Array(words);
  for (let i = 0; i < sums.length; i++) s[i % words]! += sums[i]!;
  let free = 0,
    total = 0;
  for (let k = 0; k < SHELLS; k++) {
    free += s[3 + 2 * k]!;
    total += s[4 + 2 * k]!;
  }
  return { rkMagnitude: s[0]! / s[2]!, rkComplex: s[1]! / s[2]!, ...(total > 0 ? { rkFree: free / total } : {}) };
}
