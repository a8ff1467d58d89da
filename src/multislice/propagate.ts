import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import type { PoolCall } from "../core/pool.js";
import type { Beam } from "../geometry/beam.js";
import type { Arena } from "../kernels/memory.js";
import { type MultisliceKernels, multisliceKernels, multisliceTables } from "../kernels/multislice.js";
import { antialiasAperture, antialiasCutoff, type Wave, type WaveGrid } from "./grid.js";
import type { PotentialPlan } from "./potential.js";
import { type PropagatorOptions, propagator, tiltCosine } from "./propagator.js";
import { transmissionMaker } from "./transmission.js";

export interface MultisliceOptions extends PropagatorOptions {
  /** f32: the fast path; f64: the reference. Default f32. */
  readonly precision?: "f32" | "f64" | undefined;
  /** Kernel memory for transmission functions, MB; default 1024. What does not fit is made again for every batch of waves. */
  readonly maxMemoryMB?: number | undefined;
}

/** Called after slice `slice` (counted from 0); `wave` is the address of the waves, in reciprocal space. */
export type OnSlice = (slice: number, depth: number, wave: number) => void;

/**
 * A model made ready for waves: transmission functions t = exp(iσV − σV'), band-limited, and propagators, in kernel memory. Each slice transmits,
 * then propagates over its thickness. Waves are complex [ny, nx] in FFT order; inside they stand in reciprocal space.
 * @see Cowley & Moodie (1957) Acta Cryst. 10, 609
 */
export interface MultislicePlan {
  readonly grid: WaveGrid;
  readonly beam: Beam;
  readonly precision: "f32" | "f64";
  readonly arena: Arena;
  readonly kernels: MultisliceKernels;
  /** Number of slices. */
  readonly count: number;
  /** Depth of every slice's lower face, Å, [count]. */
  readonly depths: Float64Array;
  /** Grid description and private scratch size for the kernels. */
  readonly tables: number;
  readonly scratchBytes: number;
  /** Bytes of one wave. */
  readonly waveBytes: number;
  /** Runs of slices [first, last) whose transmission functions fit the memory together: one when all do. */
  readonly windows: readonly (readonly [number, number])[];
  /** Make the transmission functions of a window (kept if they are there already). */
  load(window: readonly [number, number]): Steps<void>;
  /** Slices of a loaded window for `waves` waves in a row at an address, in this thread. */
  advance(wave: number, waves: number, first: number, last: number): void;
  /** The same as a call for a worker pool that knows `multisliceWasm` as "multislice"; `scratch` is private to the task. */
  call(wave: number, waves: number, first: number, last: number, scratch: number): PoolCall;
  /** Steps of {@link runInto} for one wave at an address, in reciprocal space. */
  steps(wave: number, onSlice?: OnSlice): Steps<void>;
  /** One wave in place, [ny, nx, 2], in real space (default) or in reciprocal space before and after. */
  runInto(wave: Wave, options?: { readonly space?: "real" | "reciprocal" | undefined; readonly onSlice?: OnSlice | undefined }): void;
  /** Memory for waves; give it back with `arena.free`. */
  allocWaves(waves: number): number;
  view(wave: number, waves?: number): Wave;
  free(): void;
}

export function multislicePlan(potential: PotentialPlan, beam: Beam, options: MultisliceOptions = {}): MultislicePlan {
  const { grid, arena, slices } = potential,
    { precision = "f32", maxMemoryMB = 1024 } = options;
  const kernels = multisliceKernels(arena),
    bytes = precision === "f32" ? 4 : 8,
    points = grid.nx * grid.ny,
    waveBytes = 2 * bytes * points;
  const owned: number[] = [];
  const alloc = (n: number): number => {
    const ptr = arena.alloc(n);
    owned.push(ptr);
    return ptr;
  };
  const view = (ptr: number, waves = 1): Wave =>
    precision === "f32" ? arena.f32(ptr, 2 * points * waves) : arena.f64(ptr, 2 * points * waves);
  const put = (values: Float64Array): number => {
    const ptr = alloc(values.length * bytes);
    (precision === "f32" ? arena.f32(ptr, values.length) : arena.f64(ptr, values.length)).set(values);
    return ptr;
  };
  // Columns that the antialias circle reaches: |h| <= cutoff·|a|, whatever the angle of the cell.
  const reach = Math.floor(antialiasCutoff(grid) * Math.hypot(...grid.a)) + 1;
  const tables = multisliceTables(arena, grid.ny, grid.nx, precision, Math.min(reach, grid.nx), Math.min(reach, grid.nx), kernels.backend);
  const scratch = alloc(tables.scratchBytes);
  const mask = antialiasAperture(grid);
  const propagators = new Map<string, number>();
  const words = alloc(8 * slices.count);
  const keys = Array.from({ length: slices.count }, (_, i) => potential.key(i) ?? `#${i}`);
  for (let i = 0; i < slices.count; i++) {
    const dz = potential.thickness(i),
      key = dz.toFixed(9);
    if (!propagators.has(key)) propagators.set(key, put(propagator(grid, beam, dz, options)));
    arena.i32(words, 2 * slices.count)[2 * i + 1] = propagators.get(key)!;
  }
  const capacity = Math.max(1, Math.floor((maxMemoryMB * 1048576) / waveBytes));
  const windows = windowsOf(keys, capacity);
  const pool: number[] = [],
    held = new Map<string, number>();
  const makeTransmission = transmissionMaker(
    potential,
    beam.sigma / tiltCosine(options.tilt),
    precision,
    kernels,
    tables.ptr,
    scratch,
    mask,
  );
  function* load([first, last]: readonly [number, number]): Steps<void> {
    const wanted = new Set(keys.slice(first, last));
    for (const [key, ptr] of held)
      if (!wanted.has(key) && held.size + wanted.size > capacity) {
        held.delete(key);
        pool.push(ptr);
      }
    for (let i = first; i < last; i++) {
      let ptr = held.get(keys[i]!);
      if (ptr === undefined) {
        ptr = pool.pop() ?? alloc(waveBytes);
        makeTransmission.into(i, ptr);
        held.set(keys[i]!, ptr);
        yield { done: i + 1 - first, total: last - first, note: "potential slices" };
      }
      arena.i32(words, 2 * slices.count)[2 * i] = ptr;
    }
  }
  const advance = (wave: number, waves: number, first: number, last: number): void =>
    kernels[`advance_${precision}`](tables.ptr, words, first, last, wave, waves, scratch);
  function* steps(wave: number, onSlice?: OnSlice): Steps<void> {
    for (const window of windows) {
      yield* load(window);
      if (!onSlice) advance(wave, 1, window[0], window[1]);
      else
        for (let i = window[0]; i < window[1]; i++) {
          advance(wave, 1, i, i + 1);
          onSlice(i, slices.bounds[i + 1]!, wave);
        }
      yield { done: window[1], total: slices.count, note: "slices" };
    }
  }
  return {
    grid,
    beam,
    precision,
    arena,
    kernels,
    count: slices.count,
    depths: slices.bounds.slice(1),
    tables: tables.ptr,
    scratchBytes: tables.scratchBytes,
    waveBytes,
    windows,
    load,
    advance,
    call: (wave, waves, first, last, own) => ({
      family: "multislice",
      name: `advance_${precision}`,
      args: [tables.ptr, words, first, last, wave, waves, own],
    }),
    steps,
    runInto: (wave, { space = "real", onSlice } = {}) => {
      if (wave.length !== 2 * points)
        fail("bad-shape", { length: wave.length, ny: grid.ny, nx: grid.nx }, "a wave is complex [ny, nx]: 2·ny·nx numbers");
      const at = arena.alloc(waveBytes);
      try {
        view(at).set(wave);
        if (space === "real") kernels[`filter_${precision}`](tables.ptr, at, 0, false, scratch);
        runSync(steps(at, onSlice));
        if (space === "real") kernels[`toReal_${precision}`](tables.ptr, at, scratch);
        wave.set(view(at));
      } finally {
        arena.free(at);
      }
    },
    allocWaves: (waves) => arena.alloc(waveBytes * waves),
    view,
    free: () => {
      for (const ptr of owned.splice(0)) arena.free(ptr);
      tables.free();
      makeTransmission.free();
      held.clear();
      pool.length = 0;
    },
  };
}

/** Runs of slices with at most `capacity` different transmission functions. */
function windowsOf(keys: readonly string[], capacity: number): (readonly [number, number])[] {
  const out: (readonly [number, number])[] = [];
  let first = 0,
    seen = new Set<string>();
  keys.forEach((key, i) => {
    if (!seen.has(key) && seen.size === capacity) {
      out.push([first, i]);
      first = i;
      seen = new Set();
    }
    seen.add(key);
  });
  out.push([first, keys.length]);
  return out;
}
