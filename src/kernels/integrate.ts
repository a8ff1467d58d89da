import type { PoolCall, PoolTask } from "../core/pool.js";
import { integrateWasm } from "./generated/integrate.js";
import { COLUMNS, jsIntegrateKernels } from "./js/integrate.js";
import { type Arena, defaultArena, wasmAvailable } from "./memory.js";

/** Where in a row of {@link FrameFit.out} each figure stands. `variance` is −1 where nothing could be fitted. */
export const fitColumn = {
  intensity: 0,
  variance: 1,
  sum: 2,
  sumVariance: 3,
  level: 4,
  levelVariance: 5,
  coverage: 6,
  chi2: 7,
  correlation: 8,
  neighbours: 9,
  peak: 10,
  rejected: 11,
  backgroundPixels: 12,
  profileInBox: 13,
} as const;

/** Lengths in pixels; noise as variance = gain·counts + psi. */
export interface FitSettings {
  readonly gain: number;
  readonly psi: number;
  /** Radii: pixels that are fitted and summed; the core of a spot, no background; how far the background is taken from. */
  readonly box: number;
  readonly core: number;
  readonly background: number;
  /** Background pixels beyond this many σ are left out. */
  readonly clip: number;
  /** Error of a profile as a fraction of its value. */
  readonly modelError: number;
  /** Pixels of a spot that disagree by more than this many σ are left out. */
  readonly reject: number;
}
export interface FrameFit {
  /** [spots, 16], see {@link fitColumn}. */
  readonly out: Float64Array;
  /** Mask bits met in the core of every spot; 16 where it leaves the frame. */
  readonly flags: Int32Array;
  /** Copy of the sum of all fitted spots, counts, [ny, nx]. */
  model(): Float32Array;
}
/**
 * Work that is ready to be done: `task` runs on the memory of the kernels, in this thread or a worker, and `finish` reads what it wrote and gives its blocks
 * back. Plain TypeScript has an empty task and does all in `finish`.
 */
export interface Prepared<T> {
  readonly task: PoolTask;
  finish(): T;
}
/** One frame in the hands of the kernels. Profiles: f64 [profiles, size, size], coefficients with three zeros around. */
export interface FrameFitter {
  fit(coef: Float64Array, size: number, xs: Float64Array, ys: Float64Array, which: Int32Array, iterations: number): Prepared<FrameFit>;
  /** Shifts and their variances, [listed, 4] (variance −1: undetermined), of spots after {@link fit} at the same positions. */
  shifts(
    coef: Float64Array,
    size: number,
    xs: Float64Array,
    ys: Float64Array,
    which: Int32Array,
    list: Int32Array,
    fitted: Float64Array,
  ): Prepared<Float64Array>;
  close(): void;
}
/** Kernels of the integration of spots; no checks. Both backends give the same bits. */
export interface IntegrateKernels {
  readonly name: "js" | "wasm";
  /** Stamps of profiles at sub-pixel positions, f32 [spots, size − 3, size − 3]. */
  stamps(coef: Float64Array, size: number, xs: Float64Array, ys: Float64Array, which: Int32Array): Prepared<Float32Array>;
  frame(data: Float32Array, mask: Uint8Array | undefined, ny: number, nx: number, settings: FitSettings): FrameFitter;
  /** Do a task in this thread. */
  run(task: PoolTask): void;
}
/** Prepared work done at once, in this thread. */
export function done<T>(kernels: Pick<IntegrateKernels, "run">, work: Prepared<T>): T {
  kernels.run(work.task);
  return work.finish();
}
/** Name of the family in tasks, as a pool must know it. */
export const integrateFamily = { integrate: integrateWasm };

/**
 * Exports of the family, all arguments numbers: addresses, sizes, counts (see assembly/integrate.ts). stamps(coef, size, xs, ys, which, count, out, rows);
 * fit(data, mask, cover, model, ny, nx, xs, ys, stamps, edge, count, settings, iterations, out, flags);
 * shifts(data, mask, model, ny, nx, xs, ys, which, coef, size, stamps, list, listed, settings, out, moved, dx, dy, rows).
 */
type Exports = Readonly<Record<"stamps" | "fit" | "shifts", (...args: readonly number[]) => void>>;

/** The WebAssembly backend on an arena. A frame holds its blocks until it is closed, prepared work until it is finished. */
export function wasmIntegrateKernels(arena: Arena): IntegrateKernels {
  const f64 = (take: Take, a: Float64Array): number => {
    const p = take(8 * a.length);
    arena.f64(p, a.length).set(a);
    return p;
  };
  const i32 = (take: Take, a: Int32Array): number => {
    const p = take(4 * a.length);
    arena.i32(p, a.length).set(a);
    return p;
  };
  /** Blocks are taken and filled now, and given back at the end. */
  const prepared = <T>(build: (take: Take) => { readonly task: PoolTask; readonly read: () => T }): Prepared<T> => {
    const blocks: number[] = [],
      release = (): void => {
        for (const p of blocks.splice(0)) arena.free(p);
      };
    try {
      const { task, read } = build((bytes) => {
        const p = arena.alloc(bytes);
        blocks.push(p);
        return p;
      });
      return {
        task,
        finish: () => {
          try {
            return read();
          } finally {
            release();
          }
        },
      };
    } catch (e) {
      release();
      throw e;
    }
  };
  const call = (name: keyof Exports, ...args: number[]): PoolCall => ({ family: "integrate", name, args });
  const stamped = (take: Take, coef: Float64Array, size: number, xs: Float64Array, ys: Float64Array, which: Int32Array) => {
    const s = size - 3,
      x = f64(take, xs),
      y = f64(take, ys),
      c = f64(take, coef),
      w = i32(take, which),
      st = take(4 * xs.length * s * s);
    return { st, x, y, c, w, stamps: call("stamps", c, size, x, y, w, xs.length, st, take(8 * size * s)) };
  };
  return {
    name: "wasm",
    run: (task) => {
      const exports = arena.family<Exports>(integrateWasm);
      for (const { name, args } of task) exports[name as keyof Exports](...args);
    },
    stamps: (coef, size, xs, ys, which) =>
      prepared((take) => {
        const { st, stamps } = stamped(take, coef, size, xs, ys, which);
        return { task: [stamps], read: () => arena.f32(st, xs.length * (size - 3) ** 2).slice() };
      }),
    frame(data, mask, ny, nx, c) {
      const n = ny * nx,
        d = arena.alloc(4 * n),
        m = arena.alloc(n),
        cover = arena.alloc(n),
        model = arena.alloc(4 * n),
        p = arena.alloc(64);
      arena.f32(d, n).set(data);
      if (mask) arena.u8(m, n).set(mask);
      else arena.u8(m, n).fill(0);
      arena.f64(p, 8).set([c.gain, c.psi, c.box, c.core, c.background, c.clip * c.clip, c.modelError * c.modelError, c.reject * c.reject]);
      return {
        fit: (coef, size, xs, ys, which, iterations) =>
          prepared((take) => {
            const count = xs.length,
              { st, x, y, stamps } = stamped(take, coef, size, xs, ys, which),
              out = take(8 * COLUMNS * count),
              flags = take(4 * count);
            return {
              task: [stamps, call("fit", d, m, cover, model, ny, nx, x, y, st, size - 3, count, p, iterations, out, flags)],
              read: () => ({
                out: arena.f64(out, COLUMNS * count).slice(),
                flags: arena.i32(flags, count).slice(),
                model: () => arena.f32(model, n).slice(),
              }),
            };
          }),
        shifts: (coef, size, xs, ys, which, list, fitted) =>
          prepared((take) => {
            const s = size - 3,
              { st, x, y, c: coefs, w, stamps } = stamped(take, coef, size, xs, ys, which),
              moved = take(32 * list.length),
              l = i32(take, list),
              o = f64(take, fitted),
              [dx, dy, rows] = [take(4 * s * s), take(4 * s * s), take(8 * size * s)];
            return {
              task: [stamps, call("shifts", d, m, model, ny, nx, x, y, w, coefs, size, st, l, list.length, p, o, moved, dx!, dy!, rows!)],
              read: () => arena.f64(moved, 4 * list.length).slice(),
            };
          }),
        close() {
          for (const block of [d, m, cover, model, p]) arena.free(block);
        },
      };
    },
  };
}
type Take = (bytes: number) => number;

/** WebAssembly where it can run, else plain TypeScript. */
export function defaultIntegrateKernels(): IntegrateKernels {
  return wasmAvailable() ? wasmIntegrateKernels(defaultArena()) : jsIntegrateKernels;
}
