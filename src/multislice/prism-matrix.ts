import { runSync, type Steps } from "../core/job.js";
import type { PoolTask } from "../core/pool.js";
import { fftPlan } from "../numerics/fft-plan.js";
import { signedIndex } from "./grid.js";
import { type PrismBeams, prismBytes } from "./prism-beams.js";
import type { MultislicePlan } from "./propagate.js";

/** Exit waves of the plane waves of PRISM in real space, complex [pixels, beams], one matrix for every depth. */
export interface PrismMatrix {
  /** Address of the matrix behind an exit (index into `exits`). */
  address(exit: number): number;
  /** Compute it in this thread from the slices of a plan. */
  build(plan: MultislicePlan): Steps<void>;
  /** The same through `run`, which shares tasks out; same bits. */
  buildWith(plan: MultislicePlan, run: (tasks: readonly PoolTask[]) => Promise<unknown>, onBatch?: (done: number) => void): Promise<void>;
  free(): void;
}

/** Plane waves of one pass. */
const BATCH = 16;

/** @param exits - numbers of slices in front of each depth, rising */
export function prismMatrix(
  { arena, grid: g, precision }: Pick<MultislicePlan, "arena" | "grid" | "precision">,
  beams: PrismBeams,
  exits: readonly number[],
): PrismMatrix {
  const { count, exit } = beams,
    [mx, my] = exit,
    size = precision === "f32" ? 8 : 16,
    waveBytes = g.nx * g.ny * size,
    bytes = prismBytes(beams, precision),
    batch = Math.max(1, Math.min(BATCH, count));
  const matrices = exits.map(() => arena.alloc(bytes)),
    waves = arena.alloc(batch * waveBytes);
  const array = (ptr: number, n: number): Float32Array | Float64Array => (precision === "f32" ? arena.f32(ptr, n) : arena.f64(ptr, n));
  const down = fftPlan({ shape: [my, mx], type: precision === "f32" ? "c64" : "c128", arena });
  const start = (b: number, wave: number): void => {
    const w = array(wave, 2 * g.nx * g.ny).fill(0);
    w[2 * (((beams.k[b]! + g.ny) % g.ny) * g.nx + ((beams.h[b]! + g.nx) % g.nx))] = 1;
  };
  /** Exit wave of beam b, in reciprocal space at `wave`, into column b of a matrix. */
  const keep = (b: number, wave: number, matrix: number): void => {
    const from = array(wave, 2 * g.nx * g.ny),
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
    const psi = down.data(),
      s = array(matrix, 2 * mx * my * count);
    for (let p = 0; p < mx * my; p++) {
      s[2 * (p * count + b)] = psi[2 * p]!;
      s[2 * (p * count + b) + 1] = psi[2 * p + 1]!;
    }
  };
  /** Batches of plane waves; within, the parts of the crystal between windows and exits, with what to keep after each. */
  function* parts(
    plan: MultislicePlan,
  ): Generator<{ first: number; n: number; from: number; to: number; window: readonly [number, number]; last: boolean }> {
    for (let first = 0; first < count; first += batch) {
      const n = Math.min(batch, count - first);
      for (let i = 0; i < n; i++) start(first + i, waves + i * waveBytes);
      for (const window of plan.windows)
        for (let from = window[0]; from < window[1]; ) {
          const to = Math.min(window[1], exits.find((e) => e > from) ?? window[1]);
          yield { first, n, from, to, window, last: to === plan.count };
          const kept = exits.indexOf(to);
          if (kept >= 0) for (let i = 0; i < n; i++) keep(first + i, waves + i * waveBytes, matrices[kept]!);
          from = to;
        }
    }
  }
  return {
    address: (i) => matrices[i]!,
    *build(plan) {
      for (const { first, n, from, to, window, last } of parts(plan)) {
        yield* plan.load(window);
        plan.advance(waves, n, from, to);
        if (last) yield { done: first + n, total: count, note: "plane waves" };
      }
    },
    buildWith: async (plan, run, onBatch) => {
      const scratch = Array.from({ length: batch }, () => arena.alloc(plan.scratchBytes));
      try {
        for (const { first, n, from, to, window, last } of parts(plan)) {
          runSync(plan.load(window));
          await run(Array.from({ length: n }, (_, i) => [plan.call(waves + i * waveBytes, 1, from, to, scratch[i]!)]));
          if (last) onBatch?.(first + n);
        }
      } finally {
        for (const s of scratch) arena.free(s);
      }
    },
    free: () => {
      for (const ptr of [...matrices, waves]) arena.free(ptr);
      down.free();
    },
  };
}
