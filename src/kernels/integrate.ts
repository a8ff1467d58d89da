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
/** One frame in the hands of the kernels. Profiles: f64 [profiles, size, size], coefficients with three zeros around. */
export interface FrameFitter {
  fit(coef: Float64Array, size: number, xs: Float64Array, ys: Float64Array, which: Int32Array, iterations: number): FrameFit;
  /** Shifts and their variances, [listed, 4] (variance −1: undetermined), of spots after {@link fit} at the same positions. */
  shifts(
    coef: Float64Array,
    size: number,
    xs: Float64Array,
    ys: Float64Array,
    which: Int32Array,
    list: Int32Array,
    fitted: Float64Array,
  ): Float64Array;
  close(): void;
}
/** Kernels of the integration of spots; no checks. Both backends give the same bits. */
export interface IntegrateKernels {
  readonly name: "js" | "wasm";
  /** Stamps of profiles at sub-pixel positions, f32 [spots, size − 3, size − 3]. */
  stamps(coef: Float64Array, size: number, xs: Float64Array, ys: Float64Array, which: Int32Array): Float32Array;
  frame(data: Float32Array, mask: Uint8Array | undefined, ny: number, nx: number, settings: FitSettings): FrameFitter;
}

type N = number;
interface Exports {
  stamps(coef: N, size: N, xs: N, ys: N, which: N, count: N, out: N, rows: N): void;
  fit(
    data: N,
    mask: N,
    cover: N,
    model: N,
    ny: N,
    nx: N,
    xs: N,
    ys: N,
    stamps: N,
    s: N,
    count: N,
    p: N,
    iterations: N,
    out: N,
    flags: N,
  ): void;
  shifts(
    data: N,
    mask: N,
    model: N,
    ny: N,
    nx: N,
    xs: N,
    ys: N,
    which: N,
    coef: N,
    size: N,
    stamps: N,
    list: N,
    listed: N,
    p: N,
    out: N,
    moved: N,
    dx: N,
    dy: N,
    rows: N,
  ): void;
}

/** The WebAssembly backend on an arena. A frame holds its blocks until it is closed; the rest is given back in each call. */
export function wasmIntegrateKernels(arena: Arena): IntegrateKernels {
  const k = (): Exports => arena.family<Exports>(integrateWasm);
  const scratch = <T>(body: (take: (bytes: number) => number) => T): T => {
    const blocks: number[] = [];
    try {
      return body((bytes) => {
        const p = arena.alloc(bytes);
        blocks.push(p);
        return p;
      });
    } finally {
      for (const p of blocks) arena.free(p);
    }
  };
  type Take = (bytes: number) => number;
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
  const stampsInto = (
    take: Take,
    coef: Float64Array,
    size: number,
    xs: Float64Array,
    ys: Float64Array,
    which: Int32Array,
  ): { st: number; x: number; y: number } => {
    const s = size - 3,
      x = f64(take, xs),
      y = f64(take, ys),
      st = take(4 * xs.length * s * s);
    k().stamps(f64(take, coef), size, x, y, i32(take, which), xs.length, st, take(8 * size * s));
    return { st, x, y };
  };
  return {
    name: "wasm",
    stamps: (coef, size, xs, ys, which) =>
      scratch((take) => {
        const { st } = stampsInto(take, coef, size, xs, ys, which);
        return arena.f32(st, xs.length * (size - 3) ** 2).slice();
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
          scratch((take) => {
            const count = xs.length,
              { st, x, y } = stampsInto(take, coef, size, xs, ys, which),
              out = take(8 * COLUMNS * count),
              flags = take(4 * count);
            k().fit(d, m, cover, model, ny, nx, x, y, st, size - 3, count, p, iterations, out, flags);
            return {
              out: arena.f64(out, COLUMNS * count).slice(),
              flags: arena.i32(flags, count).slice(),
              model: () => arena.f32(model, n).slice(),
            };
          }),
        shifts: (coef, size, xs, ys, which, list, fitted) =>
          scratch((take) => {
            const s = size - 3,
              { st, x, y } = stampsInto(take, coef, size, xs, ys, which),
              moved = take(32 * list.length),
              w = i32(take, which),
              c = f64(take, coef),
              l = i32(take, list),
              o = f64(take, fitted);
            k().shifts(
              d,
              m,
              model,
              ny,
              nx,
              x,
              y,
              w,
              c,
              size,
              st,
              l,
              list.length,
              p,
              o,
              moved,
              take(4 * s * s),
              take(4 * s * s),
              take(8 * size * s),
            );
            return arena.f64(moved, 4 * list.length).slice();
          }),
        close() {
          for (const block of [d, m, cover, model, p]) arena.free(block);
        },
      };
    },
  };
}

/** WebAssembly where it can run, else plain TypeScript. */
export function defaultIntegrateKernels(): IntegrateKernels {
  return wasmAvailable() ? wasmIntegrateKernels(defaultArena()) : jsIntegrateKernels;
}
