import { fail } from "../core/errors.js";
import type { Pool } from "../core/pool.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { type BlochKernels, blochKernels, blochWasm, solveBytes } from "../kernels/bloch.js";
import { arena as newArena } from "../kernels/memory.js";
import type { Incidence } from "./incidence.js";
import { type CrystalPotential, potentialLayout } from "./potential.js";
import { propagate } from "./propagate.js";
import { absorptionCentre, chebyshevCapacity, type SpectralMargins, spectralMargins } from "./spectrum.js";
import { beamFactors, checkBeams, structureMatrix } from "./structure-matrix.js";
import type { ThicknessNodes } from "./thickness.js";
import { blochIntensities } from "./waves.js";

/** One orientation: its beams (0 0 0 first), its incidence, and the thicknesses to average over. */
export interface OrientationTask {
  readonly hkl: Int32Array;
  readonly incidence: Incidence;
  readonly nodes: ThicknessNodes;
}
export interface OrientationOptions {
  /** Divide by 1 + g_n/K_n. Default true. */
  readonly surfaceNormal?: boolean | undefined;
}

/** Solves orientations of one crystal; holds the potential and scratch in kernel memory. */
export interface OrientationSolver {
  /** Threads that work side by side. */
  readonly workers: number;
  /** Thickness-averaged intensities, shape [beams] for each task, by index. The bits do not depend on the number of workers. */
  intensities(
    tasks: readonly OrientationTask[],
    run?: { readonly signal?: AbortSignal | undefined; readonly onProgress?: ((done: number, total: number) => void) | undefined },
  ): Promise<Float64Array[]>;
  /** The same in this thread, without workers. */
  intensitiesSync(tasks: readonly OrientationTask[]): Float64Array[];
  close(): Promise<void>;
}

/** Neighbouring tasks that share one estimate of the spectral margins; the norm of each solution is checked. */
const SHARED_MARGINS = 16;
const TOLERANCE = 1e-12;

/**
 * A solver of many orientations: dense Chebyshev propagation, matrix, waves and averages in one kernel call each.
 * @param workers - threads; 1 keeps all in this thread
 */
export async function orientationSolver(
  potential: CrystalPotential,
  { workers = 1, surfaceNormal = true }: OrientationOptions & { readonly workers?: number | undefined } = {},
): Promise<OrientationSolver> {
  const arena = newArena({ shared: workers > 1 });
  const kernels = blochKernels(arena);
  const pool: Pool | undefined =
    kernels.name === "wasm" && workers > 1 ? await arenaPool(arena, { bloch: blochWasm }, { workers }) : undefined;
  return makeSolver(potential, kernels, pool, surfaceNormal);
}

/** The solver of this thread, made without waiting. */
export function orientationSolverSync(potential: CrystalPotential, options: OrientationOptions = {}): OrientationSolver {
  return makeSolver(potential, blochKernels(newArena()), undefined, options.surfaceNormal ?? true);
}

type Call = Parameters<BlochKernels["solve"]>;

function makeSolver(potential: CrystalPotential, kernels: BlochKernels, pool: Pool | undefined, surfaceNormal: boolean): OrientationSolver {
  const { arena } = kernels,
    { sh, sk, centre } = potentialLayout(potential.span);
  const kind = potential.real ? 0 : potential.absorbing ? 2 : 1;
  const table = arena.alloc(8 * potential.table.length);
  arena.f64(table, potential.table.length).set(potential.table);

  /** Arguments of one call but for its scratch; everything it reads and writes stands in one block. */
  const prepare = (task: OrientationTask, margins: SpectralMargins | undefined, blocks: number[]) => {
    const { hkl, incidence: inc, nodes } = task,
      n = hkl.length / 3,
      times = nodes.t.length;
    const f = beamFactors(potential, hkl, inc, surfaceNormal);
    const used = margins ?? spectralMargins({ size: n, hkl, twoKs: f.twoKs, surface: f.surface, potential }, potential.absorbing);
    const u0 = potential.absorbing ? potential.w0[1] : 0,
      decay = potential.absorbing ? absorptionCentre({ potential, hkl }) : 0;
    const block = arena.alloc(8 * (3 * n + 2 * times) + 4 * n);
    blocks.push(block);
    const q = block,
      d = q + 8 * n,
      out = d + 8 * n,
      tau = out + 8 * n,
      weights = tau + 8 * times,
      key = weights + 8 * times;
    const Q = arena.f64(q, n),
      D = arena.f64(d, n),
      K = arena.i32(key, n);
    let lo = Number.POSITIVE_INFINITY,
      hi = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < n; i++) {
      Q[i] = 1 / Math.sqrt(f.surface[i]!);
      D[i] = f.twoKs[i]! / f.surface[i]!;
      K[i] = hkl[3 * i]! * sh + hkl[3 * i + 1]! * sk + hkl[3 * i + 2]!;
      lo = Math.min(lo, D[i]!);
      hi = Math.max(hi, D[i]!);
    }
    arena.f64(tau, times).set(nodes.t.map((t) => (Math.PI * t) / f.kn));
    arena.f64(weights, times).set(nodes.weights.map((w, i) => w * Math.exp((-2 * decay * Math.PI * nodes.t[i]!) / f.kn)));
    const longest = (Math.PI * nodes.t.reduce((p, t) => Math.max(p, t), 0)) / f.kn;
    // Room for two widenings of the spectrum.
    const rho = 0.5 * (hi - lo) * 1.1 + 1.2 * (used.above + used.below) + 1e-5;
    const capacity = chebyshevCapacity(rho * longest);
    const args = (scratch: number): Call => [
      kind,
      n,
      key,
      table,
      centre,
      q,
      d,
      u0,
      decay,
      used.below,
      used.above,
      TOLERANCE,
      times,
      tau,
      weights,
      capacity,
      scratch,
      out,
    ];
    return { args, out, n, used, scratchBytes: solveBytes(kernels, kind, n, times, capacity) };
  };
  const prepareAll = (tasks: readonly OrientationTask[], blocks: number[]) => {
    let margins: SpectralMargins | undefined;
    return tasks.map((task, i) => {
      const own = potential.absorbing || i % SHARED_MARGINS === 0;
      const p = prepare(task, own ? undefined : margins, blocks);
      if (own) margins = { below: 1.1 * p.used.below, above: 1.1 * p.used.above };
      return p;
    });
  };
  type Prepared = ReturnType<typeof prepareAll>[number];
  const collect = (p: Prepared, task: OrientationTask): Float64Array => {
    const out = arena.f64(p.out, p.n).slice();
    return Number.isFinite(out[0]!) ? out : slowly(task);
  };
  /** The careful way, for an orientation whose spectrum was misjudged. */
  const slowly = ({ hkl, incidence: inc, nodes }: OrientationTask): Float64Array => {
    const m = structureMatrix(potential, hkl, inc, { surfaceNormal });
    const all = blochIntensities(propagate(m, nodes.t));
    const out = new Float64Array(m.size);
    nodes.weights.forEach((w, t) => {
      for (let i = 0; i < m.size; i++) out[i]! += w * all[t * m.size + i]!;
    });
    return out;
  };
  const check = (tasks: readonly OrientationTask[]): void => {
    for (const { hkl, nodes } of tasks) {
      checkBeams(potential, hkl);
      if (nodes.t.length === 0 || !nodes.t.every((t) => t >= 0 && Number.isFinite(t)))
        fail("out-of-range", { thickness: nodes.t[0] }, "thicknesses are positive numbers, in Å");
    }
  };
  const freeAll = (blocks: number[]): void => {
    for (const b of blocks) arena.free(b);
  };
  const intensitiesSync = (tasks: readonly OrientationTask[]): Float64Array[] => {
    check(tasks);
    const result: Float64Array[] = [];
    // Margins are shared from multiples of SHARED_MARGINS on, whatever the chunks.
    for (let from = 0; from < tasks.length; from += SHARED_MARGINS) {
      const blocks: number[] = [],
        part = tasks.slice(from, from + SHARED_MARGINS);
      try {
        const prepared = prepareAll(part, blocks);
        const scratch = arena.alloc(prepared.reduce((m, p) => Math.max(m, p.scratchBytes), 64));
        blocks.push(scratch);
        prepared.forEach((p, i) => {
          kernels.solve(...p.args(scratch));
          result.push(collect(p, part[i]!));
        });
      } finally {
        freeAll(blocks);
      }
    }
    return result;
  };
  return {
    workers: pool?.workers ?? 1,
    intensitiesSync,
    intensities: async (tasks, { signal, onProgress } = {}) => {
      check(tasks);
      const result: Float64Array[] = [];
      const chunk = SHARED_MARGINS * (pool ? 8 * pool.workers : 1);
      for (let from = 0; from < tasks.length; from += chunk) {
        signal?.throwIfAborted();
        const part = tasks.slice(from, from + chunk);
        if (!pool) {
          result.push(...intensitiesSync(part));
          await new Promise<void>((resume) => setTimeout(resume));
        } else {
          const blocks: number[] = [];
          try {
            const prepared = prepareAll(part, blocks);
            const groups: Prepared[][] = [];
            prepared.forEach((p, i) => {
              if (i % 8 === 0) groups.push([]);
              groups.at(-1)!.push(p);
            });
            const calls = groups.map((g) => {
              const scratch = arena.alloc(g.reduce((m, p) => Math.max(m, p.scratchBytes), 64));
              blocks.push(scratch);
              return g.map((p) => ({ family: "bloch", name: "solve", args: p.args(scratch) }));
            });
            await pool.run(calls, { signal });
            prepared.forEach((p, i) => {
              result.push(collect(p, part[i]!));
            });
          } finally {
            freeAll(blocks);
          }
        }
        onProgress?.(Math.min(tasks.length, from + chunk), tasks.length);
      }
      return result;
    },
    close: async () => {
      await pool?.close();
      arena.free(table);
    },
  };
}
