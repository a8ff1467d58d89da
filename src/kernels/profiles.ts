import { profilesWasm } from "./generated/profiles.js";
import { jsProfileKernels } from "./js/profiles.js";
import { type Arena, defaultArena, wasmAvailable } from "./memory.js";

/** Spots of one profile cut out of frames: counts above background and neighbours, and where they are. */
export interface SpotStack {
  /** Edge of every cut-out, px. */
  readonly edge: number;
  /** [spots, 2]: pixel (x, y) of a frame at the corner. */
  readonly corners: Int32Array;
  /** [spots, edge, edge]; variance 0 where a pixel is not used. */
  readonly counts: Float32Array;
  readonly variance: Float32Array;
  /** Centres, px of the frame, and counts, to begin with. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly intensity: Float64Array;
}

/**
 * Normal equations of the n² coefficients of a profile. `a`: [25, n, n + 1], the matrix at the offsets (dx, dy) = (0 … 3, 0), then (−3 … 3, 1 … 3) from each
 * coefficient; `b`: [n, n + 1]. The last of every n + 1 numbers means nothing.
 */
export interface ProfileEquations {
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** The spots of one profile in the hands of the kernels; `size` is the edge of the padded coefficients, of which there are n = size − 6 each way. */
export interface StackFitter {
  /** Move every spot to where it fits the profile best, by so many Gauss–Newton steps. */
  recentre(coefficients: Float64Array, steps: number): void;
  /** Move all spots alike. */
  shift(dx: number, dy: number): void;
  equations(coefficients: Float64Array): ProfileEquations;
  close(): void;
}

/** Kernels that learn profiles; no checks. Both backends give the same bits. */
export interface ProfileKernels {
  readonly name: "js" | "wasm";
  /** `modelError`: error of a profile as a fraction of its value. */
  stack(spots: SpotStack, size: number, modelError: number): StackFitter;
  /** Coefficients [n, n], sum 1, with a pull of relative strength `pull` towards a prior [n, n]. */
  solve(equations: ProfileEquations, n: number, pull: number, prior: Float64Array): Float64Array;
}

/** Exports of the family, all arguments numbers (see assembly/profiles.ts). */
type Exports = Readonly<Record<"recentre" | "equations" | "solve", (...args: readonly number[]) => void>>;

/** The WebAssembly backend on an arena. A stack holds its blocks until it is closed. */
export function wasmProfileKernels(arena: Arena): ProfileKernels {
  const wasm = arena.family<Exports>(profilesWasm);
  /** Blocks of a list, taken one after the other. */
  const blocks = (bytes: readonly number[]): number[] => {
    const taken: number[] = [];
    try {
      for (const n of bytes) taken.push(arena.alloc(n));
      return taken;
    } catch (e) {
      for (const p of taken) arena.free(p);
      throw e;
    }
  };
  return {
    name: "wasm",
    stack({ edge, corners, counts, variance, x, y, intensity }, size, modelError) {
      const s = size - 3,
        n = s - 3,
        spots = x.length,
        plane = n * (n + 1),
        pixels = spots * edge * edge;
      const taken = blocks([
        ...[4 * pixels, 4 * pixels, 8 * spots, 8 * spots, 8 * spots, 8 * spots, 8 * size * size],
        ...[200 * plane, 8 * plane, 4 * s * s, 4 * s * s, 4 * s * s, 8 * size * s, 8 * (3 * s * s + 4)],
      ]);
      const [c, v, at, px, py, pi, coef, a, b, p, dx, dy, rows, work] = taken as unknown as readonly [
        ...[number, number, number, number, number, number, number],
        ...[number, number, number, number, number, number, number],
      ];
      arena.f32(c, pixels).set(counts);
      arena.f32(v, pixels).set(variance);
      arena.i32(at, 2 * spots).set(corners);
      arena.f64(px, spots).set(x);
      arena.f64(py, spots).set(y);
      arena.f64(pi, spots).set(intensity);
      const error2 = modelError * modelError;
      return {
        recentre(coefficients, steps) {
          arena.f64(coef, size * size).set(coefficients);
          wasm.recentre(coef, size, c, v, at, edge, px, py, pi, spots, steps, error2, p, dx, dy, rows);
        },
        shift(sx, sy) {
          const [xs, ys] = [arena.f64(px, spots), arena.f64(py, spots)];
          for (let i = 0; i < spots; i++) {
            xs[i]! += sx;
            ys[i]! += sy;
          }
        },
        equations(coefficients) {
          arena.f64(coef, size * size).set(coefficients);
          arena.f64(a, 25 * plane).fill(0);
          arena.f64(b, plane).fill(0);
          wasm.equations(coef, size, c, v, at, edge, px, py, pi, spots, error2, a, b, p, rows, work);
          return { a: arena.f64(a, 25 * plane).slice(), b: arena.f64(b, plane).slice() };
        },
        close() {
          for (const block of taken) arena.free(block);
        },
      };
    },
    solve({ a, b }, n, pull, prior) {
      const taken = blocks([8 * a.length, 8 * b.length, 8 * n * n, 8 * n * n * (3 * n + 5), 8 * n * n]),
        [pa, pb, pp, work, out] = taken as unknown as readonly [number, number, number, number, number];
      try {
        arena.f64(pa, a.length).set(a);
        arena.f64(pb, b.length).set(b);
        arena.f64(pp, n * n).set(prior);
        wasm.solve(pa, pb, n, pull, pp, work, out);
        return arena.f64(out, n * n).slice();
      } finally {
        for (const block of taken) arena.free(block);
      }
    },
  };
}

/** WebAssembly where it can run, else plain TypeScript. */
export function defaultProfileKernels(): ProfileKernels {
  return wasmAvailable() ? wasmProfileKernels(defaultArena()) : jsProfileKernels;
}
