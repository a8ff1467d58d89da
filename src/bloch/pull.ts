import { fail } from "../core/errors.js";
import { type Arena, arena as newArena } from "../kernels/memory.js";
import { inBatches } from "./batches.js";
import type { SweepRun } from "./integrate.js";
import { placeTable } from "./integrate-plan.js";
import { type PullPlan, type PullProblem, type PullResult, planPull } from "./pull-plan.js";
import { planRows } from "./pull-rows.js";

/** Directions of one kernel call in this thread: some tenths of a second at most. */
const SLICE = 8;
const breathe = (): Promise<void> => new Promise((resume) => setTimeout(resume));

/**
 * Derivatives of the intensities of many sweeps of one crystal: adjoint Chebyshev recursions, exact for the sums that are computed. Results are
 * handed to `consume` in the order of the problems and are gone afterwards; they have the same bits for any number of workers.
 * With a seed a problem costs about three forward solutions; without, 1.2 to 1.5 for every row and direction within the window.
 * @throws the signal's reason within a fraction of a second of an abort; bad-value, no-convergence
 */
export async function pullAll(
  problems: readonly PullProblem[],
  consume: (result: PullResult, index: number) => void,
  run: SweepRun = {},
): Promise<void> {
  if (problems.length === 0) return;
  const potential = problems[0]!.potential;
  if (problems.some((p) => p.potential !== potential))
    fail("unsupported", {}, "the problems of one call share one potential: call once for each crystal");
  const { on, signal, onProgress } = run;
  const arena: Arena = on?.arena ?? newArena();
  const plan = (p: PullProblem, widen: number): PullPlan =>
    p.want === "rows" ? planRows(p, arena, table, widen) : planPull(p, arena, table, widen);
  const table = placeTable(potential, arena);
  /** One after the other in this thread. */
  const here = async (p: PullPlan): Promise<number> => {
    const scratch = arena.alloc(p.scratchBytes);
    let worst = 0;
    try {
      for (let first = 0; first < p.directions; first += SLICE) {
        const norm = p.run(first, Math.min(SLICE, p.directions - first), scratch);
        if (norm < 0) return norm;
        worst = Math.max(worst, norm);
        await breathe();
        signal?.throwIfAborted();
      }
    } finally {
      arena.free(scratch);
    }
    return worst;
  };
  const again = async (i: number): Promise<void> => {
    for (let widen = 1.5; widen < 20; widen *= 1.5) {
      const p = plan(problems[i]!, widen);
      try {
        const r = p.collect(await here(p));
        if (r !== "wider") return consume(r, i);
      } finally {
        p.release();
      }
    }
    fail("no-convergence", {}, "the spectrum of the Bloch matrix could not be bounded: is the potential finite?");
  };
  const start = (from: number) => {
    const plans: PullPlan[] = [],
      scratch: number[] = [];
    const free = (): void => {
      for (const s of scratch) arena.free(s);
      for (const p of plans) p.release();
    };
    try {
      for (const p of problems.slice(from, from + (on ? on.pool.workers : 1))) plans.push(plan(p, 1));
      if (on) for (const p of plans) scratch.push(arena.alloc(p.scratchBytes));
    } catch (e) {
      free();
      throw e;
    }
    const done = !on
      ? here(plans[0]!).then((v) => [v])
      : on.pool.run(
          plans.map((p, i) => [p.call(scratch[i]!)]),
          { signal },
        );
    const stop = (): void => {
      for (const p of plans) arena.i32(p.control, 1)[0] = 1;
    };
    return { size: plans.length, plans, done, stop, free };
  };
  try {
    await inBatches(
      problems.length,
      start,
      async ({ plans }, norms, from) => {
        for (const [i, p] of plans.entries()) {
          const r = p.collect(norms[i]!);
          if (r === "wider") await again(from + i);
          else consume(r, from + i);
        }
      },
      { signal, onProgress, ahead: on !== undefined },
    );
  } finally {
    arena.free(table);
  }
}
