import { fail } from "../core/errors.js";
import { type FftTables, fftTables } from "../kernels/fft.js";
import { line } from "../kernels/js/fft.js";
import { jsAxis } from "../kernels/js/fft-arrays.js";
import { type Arena, defaultArena, wasmAvailable } from "../kernels/memory.js";
import { type Call, callWith, type Stage, stageCall, stagesOf, walk } from "./fft-stages.js";

export type FftKernels = "wasm" | "js";
export interface FftPlanOptions<Type extends "c64" | "c128" = "c64" | "c128"> {
  /** Row-major shape in complex numbers, last axis fastest. */
  readonly shape: readonly number[];
  /** c64: two float32 a number; c128: two float64. */
  readonly type: Type;
  /** Axes to transform (negative from the end); the others are a batch. Default: all. */
  readonly axes?: readonly number[] | undefined;
  /** "wasm" where allowed, else the plain TypeScript twin. */
  readonly kernels?: FftKernels | undefined;
  /** Memory to live in; plans of one arena can work on each other's arrays. */
  readonly arena?: Arena | undefined;
  /** How many workers may run this plan at once: each gets its own scratch. */
  readonly workers?: number | undefined;
}
export interface FftRun {
  /** Factor on the result; default 1 forward, 1/N inverse (N points transformed). Pass 1 for an unscaled inverse. */
  readonly scale?: number | undefined;
  /** Address of another array of the same shape and type in the plan's arena; default the plan's own. */
  readonly at?: number | undefined;
}
/** The arrays of a plan, by element type. */
export interface PlanArray {
  c64: Float32Array;
  c128: Float64Array;
  f32: Float32Array;
  f64: Float64Array;
}

/** Made once, used often; owns its array, scratch and twiddles. Transforms are in place on `data()` and allocate nothing. */
export interface FftPlan<Type extends "c64" | "c128" = "c64" | "c128"> {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly type: Type;
  readonly kernels: FftKernels;
  /** Number of points that one transform joins: the product over the axes. */
  readonly points: number;
  /** Address of the array in the arena; −1 with the TypeScript kernels. */
  readonly ptr: number;
  readonly arena: Arena | undefined;
  /** The plan's own array, interleaved re, im. Ask again after anything that may allocate in the arena: growing memory detaches views. */
  data(): PlanArray[Type];
  /** X_k = Σ_j x_j exp(−2πi jk/n) along every axis. */
  forward(run?: FftRun): void;
  /** x_j = 1/N Σ_k X_k exp(+2πi jk/n). */
  inverse(run?: FftRun): void;
  /** The same work as phases of independent pieces for a worker pool; every phase waits for the one before. */
  phases(direction: "forward" | "inverse", pieces: number, run?: FftRun): Call[][][];
  /** Give the memory back; the plan and its views must not be used after. */
  free(): void;
}

/** Axes as sorted non-negative numbers. @throws bad-shape, bad-value */
export function normalAxes(shape: readonly number[], axes: readonly number[] | undefined): number[] {
  if (shape.length === 0 || shape.some((n) => !Number.isInteger(n) || n < 1))
    fail("bad-shape", { shape }, "every axis of the shape is a whole number of at least 1");
  const list = (axes ?? shape.map((_, i) => i)).map((a) => (a < 0 ? a + shape.length : a));
  if (list.some((a) => !Number.isInteger(a) || a < 0 || a >= shape.length) || new Set(list).size !== list.length)
    fail("bad-value", { axes, dimensions: shape.length }, "axes are different whole numbers from −dimensions to dimensions − 1");
  return list.sort((a, b) => a - b);
}
export const product = (list: readonly number[]): number => list.reduce((p, n) => p * n, 1);

/** What `kernels` means here: the default, or a clear refusal. */
export function chooseKernels(kernels: FftKernels | undefined): FftKernels {
  if (kernels === undefined) return wasmAvailable() ? "wasm" : "js";
  if (kernels === "wasm" && !wasmAvailable())
    fail("unsupported", { kernels }, 'WebAssembly is not allowed here: use kernels: "js", or let the page policy allow wasm-unsafe-eval');
  return kernels;
}

/** Everything a plan holds in an arena; given back at once, also when building the plan fails half-way. */
export function scope(arena: Arena) {
  const blocks: number[] = [],
    cache = new Map<string, FftTables>();
  const free = (): void => {
    for (const b of blocks.splice(0)) arena.free(b);
    for (const t of cache.values()) t.free();
    cache.clear();
  };
  return {
    free,
    alloc: (bytes: number): number => {
      const ptr = arena.alloc(bytes);
      blocks.push(ptr);
      return ptr;
    },
    tables: (n: number, type: "f32" | "f64", halved = false): FftTables => {
      const key = `${n} ${halved}`,
        t = cache.get(key) ?? fftTables(arena, n, type, halved);
      cache.set(key, t);
      return t;
    },
    build: <T>(make: () => T): T => {
      try {
        return make();
      } catch (e) {
        free();
        throw e;
      }
    },
  };
}

/**
 * A plan for complex transforms of any length along any axes.
 * @throws bad-shape, bad-value, too-large when the arena cannot hold the array
 * @see Stockham autosort: Van Loan, Computational Frameworks for the Fast Fourier Transform (1992); Bluestein, IEEE Trans. AU-18, 451 (1970)
 */
export function fftPlan<Type extends "c64" | "c128">(options: FftPlanOptions<Type>): FftPlan<Type> {
  const axes = normalAxes(options.shape, options.axes);
  return chooseKernels(options.kernels) === "js" ? jsPlan(options, axes) : wasmPlan(options, axes);
}

function wasmPlan<Type extends "c64" | "c128">(options: FftPlanOptions<Type>, axes: readonly number[]): FftPlan<Type> {
  const { type, workers = 1, arena = defaultArena() } = options;
  const shape = [...options.shape],
    real = type === "c64" ? "f32" : "f64",
    bytes = type === "c64" ? 4 : 8;
  const points = product(axes.map((a) => shape[a]!)),
    values = 2 * product(shape);
  const owned = scope(arena);
  const { ptr, stages, scratch } = owned.build(() => {
    const ptr = owned.alloc(values * bytes);
    const stages = stagesOf(shape, axes, real, (n) => owned.tables(n, real));
    const scratchBytes = Math.max(64, ...stages.map((s) => s.tables.scratchBytes));
    return { ptr, stages, scratch: Array.from({ length: Math.max(1, workers) }, () => owned.alloc(scratchBytes)) };
  });
  const call = callWith(arena);
  const run = (inverse: number, scale: number, at: number): void =>
    walk(stages, (stage, lo, hi, last) => call(stage, lo, hi, at, scratch[0]!, inverse, last ? scale : 1));
  const phases = (inverse: number, scale: number, at: number, pieces: number): Call[][][] => {
    const count = Math.min(pieces, scratch.length);
    const args = (s: Stage, lo: number, hi: number, last: boolean, piece: number): Call =>
      stageCall(s, lo, hi, at, scratch[piece]!, inverse, last ? scale : 1);
    return phasePieces(stages, count, args);
  };
  return {
    shape,
    axes,
    type,
    kernels: "wasm",
    points,
    ptr,
    arena,
    data: () => (type === "c64" ? arena.f32(ptr, values) : arena.f64(ptr, values)) as PlanArray[Type],
    forward: ({ scale = 1, at = ptr } = {}) => run(0, scale, at),
    inverse: ({ scale = 1 / points, at = ptr } = {}) => run(1, scale, at),
    phases: (direction, pieces, { scale = direction === "forward" ? 1 : 1 / points, at = ptr } = {}) =>
      phases(direction === "forward" ? 0 : 1, scale, at, pieces),
    free: owned.free,
  };
}

/**
 * Phases for `count` workers. All stages but the slowest go slab by slab in the first phase (a slab stays in the cache between its
 * stages); the slowest stage is the second. With a batch of at least `count` one phase does it all.
 */
function phasePieces(
  stages: readonly Stage[],
  count: number,
  args: (s: Stage, lo: number, hi: number, last: boolean, piece: number) => Call,
): Call[][][] {
  const slowest = stages.at(-1);
  if (!slowest) return [];
  const pieces = (group: readonly Stage[], offset: number): Call[][] => {
    const outer = group.at(-1)!.outer;
    return Array.from({ length: count }, (_, i) => {
      const list: Call[] = [];
      walk(
        group,
        (s, lo, hi) => list.push(args(s, lo, hi, s === slowest && offset === 0, i)),
        Math.floor((outer * i) / count),
        Math.floor((outer * (i + 1)) / count),
      );
      return list;
    }).filter((p) => p.length);
  };
  if (slowest.outer >= count) return [pieces(stages, 0)];
  const units = slowest.outer * slowest.units;
  const split = Array.from({ length: count }, (_, i): Call[] => {
    const lo = Math.floor((units * i) / count),
      hi = Math.floor((units * (i + 1)) / count);
    return lo < hi ? [args(slowest, lo, hi, true, i)] : [];
  }).filter((p) => p.length);
  const before = stages.slice(0, -1);
  return before.length ? [pieces(before, 1), split] : [split];
}

function jsPlan<Type extends "c64" | "c128">({ shape, type }: FftPlanOptions<Type>, axes: readonly number[]): FftPlan<Type> {
  const values = 2 * product(shape),
    points = product(axes.map((a) => shape[a]!));
  const data = type === "c64" ? new Float32Array(values) : new Float64Array(values);
  const lines = new Map(axes.map((a) => [shape[a]!, line(shape[a]!)]));
  const run = (inverse: boolean, scale: number): void =>
    axes.forEach((a, i) => {
      const outer = product(shape.slice(0, a)),
        inner = product(shape.slice(a + 1));
      jsAxis(lines.get(shape[a]!)!, data, 0, outer, inner, inverse, i === axes.length - 1 ? scale : 1);
    });
  return {
    shape: [...shape],
    axes,
    type,
    kernels: "js",
    points,
    ptr: -1,
    arena: undefined,
    data: () => data as PlanArray[Type],
    forward: ({ scale = 1 } = {}) => run(false, scale),
    inverse: ({ scale = 1 / points } = {}) => run(true, scale),
    phases: () => fail("unsupported", { kernels: "js" }, 'the worker pool runs WebAssembly: make the plan with kernels: "wasm"'),
    free: () => undefined,
  };
}
