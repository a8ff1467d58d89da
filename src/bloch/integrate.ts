import { fail } from "../core/errors.js";
import type { Map3, Vec3 } from "../core/frames.js";
import type { Pool } from "../core/pool.js";
import { type Arena, arena as newArena } from "../kernels/memory.js";
import { sweepKernels } from "../kernels/sweep.js";
import { inBatches } from "./batches.js";
import type { BeamPool } from "./beams.js";
import { largestNorm, placeTable, planSweep } from "./integrate-plan.js";
import type { CrystalPotential } from "./potential.js";
import type { DirectionSet } from "./rotation.js";

/** Depths at which the waves are wanted, ascending, Å, and their weights: a quadrature of a thickness distribution, or a list. */
export interface DepthSet {
  readonly depth: Float64Array;
  readonly weight: Float64Array;
}

/** One crystal orientation and all the directions that its intensities are a mean of. */
export interface SweepProblem {
  readonly potential: CrystalPotential;
  readonly pool: BeamPool;
  /** a*, b*, c* in columns at the middle of the exposure, lab frame, Å⁻¹. */
  readonly ub: Map3<"lab", "hkl">;
  readonly directions: DirectionSet;
  /** Reflections wanted, shape [n, 3]. */
  readonly hkl: Int32Array;
  readonly depths: DepthSet;
  /** A beam takes part in a direction when |Sg| < sMax there, or when |U_g|/(2K|Sg|) > strength. */
  readonly sMax: number;
  readonly strength?: number | undefined;
  /**
   * Unit normal of the foil to the exit side, lab frame: the factors 1 + g_n/K_n enter and depths are counted along it. Without it the
   * factors are 1 and depths are counted along the beam.
   */
  readonly normal?: Vec3<"lab"> | undefined;
  /** Derivatives with respect to small turns of the crystal about these lab axes, per radian. */
  readonly turns?: readonly Vec3<"lab">[] | undefined;
  /** Largest error of an amplitude from cutting off the Chebyshev series. Default 1e-10. */
  readonly tolerance?: number | undefined;
  /** Keep directions or depths apart instead of adding them up. */
  readonly apart?: "directions" | "depths" | undefined;
}
export interface SweepIntensities {
  /** Mean |ψ_g|², shape [n], or [directions, n] or [depths, n] when kept apart. 0 for a beam that is never excited. */
  readonly intensity: Float64Array;
  /** One array for each turn, per radian, shaped like `intensity`. */
  readonly turned: readonly Float64Array[];
  /** Whether the beam takes part in any direction, shape [n]. */
  readonly excited: Uint8Array;
  /** Beams that take part in a direction, on the average. */
  readonly meanBeams: number;
  /** Terms of the Chebyshev series. */
  readonly terms: number;
}

/** Directions per kernel call: fixed, so that sums do not depend on the number of workers. */
const CHUNK = 128;

interface Prepared {
  readonly plan: number;
  readonly chunks: readonly { readonly first: number; readonly count: number; readonly out: number }[];
  readonly control: number;
  readonly scratchBytes: number;
  readonly collect: () => SweepIntensities | "wider";
  readonly release: () => void;
}

/** A problem ready for the kernel, and how its results are read. */
function prepare(p: SweepProblem, arena: Arena, table: number, widen: number): Prepared {
  const { potential, directions: d, hkl, turns = [], apart } = p;
  const laid = planSweep(p, arena, table, widen);
  const { words, slots, wanted, order, terms, give, release } = laid,
    nodes = order.length;
  const sizes = { slot: slots.size, direction: apart === "directions" ? d.size : 1, depth: apart === "depths" ? nodes : 1 };
  words.set(
    [1, apart === "directions" ? sizes.slot : 0, apart === "depths" ? sizes.slot : 0, sizes.slot * sizes.direction * sizes.depth],
    5,
  );
  const plan = laid.commit();
  const outLength = Math.max(1, sizes.slot * sizes.direction * sizes.depth * (1 + turns.length));
  const chunks = Array.from({ length: Math.ceil(d.size / CHUNK) }, (_, i) => {
    const out = apart === "directions" && i > 0 ? -1 : give(8 * outLength + 64) + 64;
    if (out >= 0) arena.f64(out - 64, outLength + 8).fill(0);
    return { first: i * CHUNK, count: Math.min(CHUNK, d.size - i * CHUNK), out };
  }).map((c, _, all) => (c.out < 0 ? { ...c, out: all[0]!.out } : c));
  const collect = (): SweepIntensities | "wider" => {
    const norms = chunks.map((c) => arena.f64(c.out - 8, 1)[0]!);
    const worst = Math.max(...norms);
    if (!norms.every((x) => x > 0))
      fail("bad-value", { worst }, "the kernel ran out of its scratch; this is a bug in the library, please report it");
    if (!(worst <= largestNorm(potential))) return "wider";
    const sum = new Float64Array(outLength);
    for (const out of new Set(chunks.map((c) => c.out))) {
      const part = arena.f64(out, outLength);
      for (let i = 0; i < outLength; i++) sum[i]! += part[i]!;
    }
    const count = hkl.length / 3,
      planes = sizes.direction * sizes.depth;
    const excited = new Uint8Array(count);
    const spread = (tangent: number): Float64Array => {
      const out = new Float64Array(planes * count);
      for (const [key, slot] of slots)
        for (const i of wanted.get(key)!) {
          excited[i] = 1;
          for (let q = 0; q < planes; q++) {
            const to = apart === "depths" ? order[q]! : q;
            out[to * count + i] = sum[tangent * planes * sizes.slot + q * sizes.slot + slot]!;
          }
        }
      return out;
    };
    return { intensity: spread(0), turned: turns.map((_, t) => spread(t + 1)), excited, meanBeams: laid.meanBeams, terms };
  };
  const scratchBytes = sweepKernels(arena).sweepScratch(laid.maxBeams, laid.rows, terms, nodes, turns.length);
  return { plan, chunks, control: laid.control, scratchBytes, collect, release };
}

/** Where sweeps run. */
export interface SweepRun {
  /** Made by `sweepPool`; without one the sweeps run in this thread. */
  readonly on?: { readonly pool: Pool; readonly arena: Arena } | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

function sameTable(problems: readonly SweepProblem[]): CrystalPotential {
  const first = problems[0]!.potential;
  if (problems.some((p) => p.potential !== first))
    fail("unsupported", {}, "the problems of one call share one potential: call once for each crystal");
  return first;
}

/** Calls of the kernel for one problem, one after the other, with wider and wider bounds of the spectrum if need be. */
function* sweepSteps(problem: SweepProblem, arena: Arena, from: number): Generator<void, SweepIntensities> {
  const kernels = sweepKernels(arena);
  const table = placeTable(problem.potential, arena);
  try {
    for (let widen = from; widen < 20; widen *= 1.5) {
      const p = prepare(problem, arena, table, widen);
      const scratch = arena.alloc(p.scratchBytes);
      try {
        for (const c of p.chunks) {
          kernels.sweep(p.plan, c.first, c.count, c.out, scratch);
          yield;
        }
        const r = p.collect();
        if (r !== "wider") return r;
      } finally {
        arena.free(scratch);
        p.release();
      }
    }
  } finally {
    arena.free(table);
  }
  return fail("no-convergence", {}, "the spectrum of the Bloch matrix could not be bounded: is the potential finite?");
}

/** Intensities of one problem, in this thread. @throws bad-value, out-of-range, unsupported, too-large */
export function sweepIntensities(problem: SweepProblem, arena: Arena = newArena()): SweepIntensities {
  const steps = sweepSteps(problem, arena, 1);
  for (;;) {
    const r = steps.next();
    if (r.done) return r.value;
  }
}

/** The same, leaving the event loop its turn between calls of the kernel. @throws the signal's reason too */
async function sweepHere(problem: SweepProblem, arena: Arena, from: number, signal: AbortSignal | undefined): Promise<SweepIntensities> {
  const steps = sweepSteps(problem, arena, from);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const r = steps.next();
      if (r.done) return r.value;
      await new Promise<void>((resume) => setTimeout(resume));
    }
  } finally {
    steps.return(undefined as never);
  }
}

/**
 * Intensities of many problems of one crystal on workers. The same bits for any number of workers, and as {@link sweepIntensities} gives.
 * Problems are taken in batches, so that memory stays bounded.
 * @throws the signal's reason within a fraction of a second of an abort
 */
export async function sweepAll(problems: readonly SweepProblem[], run: SweepRun = {}): Promise<SweepIntensities[]> {
  if (problems.length === 0) return [];
  const potential = sameTable(problems);
  const { on, signal, onProgress } = run;
  const results: SweepIntensities[] = [];
  if (!on) {
    const own = newArena();
    for (const p of problems) {
      results.push(await sweepHere(p, own, 1, signal));
      onProgress?.(results.length, problems.length);
    }
    return results;
  }
  const { pool, arena } = on;
  const table = placeTable(potential, arena);
  const start = (from: number) => {
    const part = problems.slice(from, from + 4 * pool.workers);
    const ready: Prepared[] = [],
      scratch: number[] = [];
    const free = (): void => {
      for (const s of scratch) arena.free(s);
      for (const r of ready) r.release();
    };
    try {
      for (const p of part) ready.push(prepare(p, arena, table, 1));
      const bytes = ready.reduce((m, r) => Math.max(m, r.scratchBytes), 0);
      for (let w = 0; w < pool.workers; w++) scratch.push(arena.alloc(bytes));
    } catch (e) {
      free();
      throw e;
    }
    const calls = ready.flatMap((r) => r.chunks.map((c) => ({ plan: r.plan, c })));
    const tasks = scratch.map((s, w) =>
      calls
        .filter((_, i) => i % pool.workers === w)
        .map(({ plan, c }) => ({ family: "sweep", name: "sweep", args: [plan, c.first, c.count, c.out, s] })),
    );
    const done = pool.run(
      tasks.filter((t) => t.length > 0),
      { signal },
    );
    const stop = (): void => {
      for (const r of ready) arena.i32(r.control, 1)[0] = 1;
    };
    return { size: part.length, part, ready, free, done, stop };
  };
  try {
    await inBatches(
      problems.length,
      start,
      async ({ part, ready }) => {
        for (const [i, r] of ready.entries()) {
          const got = r.collect();
          results.push(got === "wider" ? await sweepHere(part[i]!, newArena(), 1.5, signal) : got);
        }
      },
      { signal, onProgress, ahead: true },
    );
  } finally {
    arena.free(table);
  }
  return results;
}
