import { fail } from "../core/errors.js";
import type { PoolTask } from "../core/pool.js";
import type { Arena } from "../kernels/memory.js";
import { pullKernels } from "../kernels/pull.js";
import type { SweepProblem } from "./integrate.js";
import { largestNorm, planSweep, type SweepPlan } from "./integrate-plan.js";
import { potentialLayout } from "./potential.js";

/** A sweep whose derivatives are wanted. `turns` and `apart` of the sweep do not count here. */
export interface PullProblem extends SweepProblem {
  /** ∂κ/∂q of every direction for parameters q that move directions (turns, mosaic spread), shape [directions, q, 3]. */
  readonly tangents: Float64Array;
  /** `gradient`: derivatives of Σ c_g I_g, c in `seed`. `rows`: of every wanted I_g, the rows of the Jacobian. */
  readonly want: "gradient" | "rows";
  /** Shape [n] of the wanted reflections. */
  readonly seed?: Float64Array | undefined;
  /** Rows are followed in directions with |Sg| < this alone, Å⁻¹ (an approximation). */
  readonly window?: number | undefined;
}
/** Derivatives of one problem, in kernel memory until the next problem is consumed. */
export interface PullResult {
  /** Mean |ψ_g|², shape [n]; of rows, within the window. */
  readonly intensity: Float64Array;
  /** Reflections whose coefficients take part, shape [coefficients, 3]. */
  readonly hkl: Int32Array;
  /** dL = Re Σ conj(u_k) dW_k, interleaved, shape [seeds, coefficients, 2]. */
  readonly u: Float64Array;
  /** dL/dq, then dL/d ln t with W held, shape [seeds, q + 1]. Add Re Σ conj(u_k) W_k to the latter. */
  readonly parameters: Float64Array;
  /** Row of each wanted reflection among the seeds; −1 when it is never excited. */
  readonly rowOf: Int32Array;
  readonly terms: number;
}
export interface PullPlan {
  readonly directions: number;
  readonly scratchBytes: number;
  readonly control: number;
  /** Some of the directions, in this thread. */
  run(first: number, count: number, scratch: number): number;
  /** All of them, as a task of the pool. */
  call(scratch: number): PoolTask[number];
  /** Takes what the kernel returned. */
  collect(norm: number): PullResult | "wider";
  release(): void;
}

/** Checks what only derivatives need; the number of parameters that move directions. @throws bad-value, bad-shape */
export function checkPull(p: PullProblem): number {
  const { directions: d, hkl, depths, sMax } = p;
  if (!(sMax > 0) || d.size === 0 || depths.depth.length === 0 || !p.ub.every(Number.isFinite) || !d.kappa.every(Number.isFinite))
    fail("bad-value", { sMax, directions: d.size, ub: p.ub }, "derivatives need finite directions, depths and an sMax above 0");
  if (p.want === "gradient" && p.seed?.length !== hkl.length / 3)
    fail("bad-shape", { seed: p.seed?.length, reflections: hkl.length / 3 }, "a gradient needs one seed for each wanted reflection");
  const q = p.tangents.length / (3 * d.size);
  if (!Number.isInteger(q))
    fail("bad-shape", { tangents: p.tangents.length, directions: d.size }, "tangents hold [directions, q, 3] numbers");
  return q;
}
export const outOfScratch = (): never =>
  fail("bad-value", {}, "the kernel ran out of its scratch; this is a bug in the library, please report it");
/** Every index of the box, shape [box, 3]. */
export function boxIndices(span: readonly [number, number, number]): Int32Array {
  const [a, b, c] = span,
    out = new Int32Array(3 * (2 * a + 1) * (2 * b + 1) * (2 * c + 1));
  let at = 0;
  for (let h = -a; h <= a; h++)
    for (let k = -b; k <= b; k++)
      for (let l = -c; l <= c; l++) {
        out[at++] = h;
        out[at++] = k;
        out[at++] = l;
      }
  return out;
}
/** Places in the box of a list of indices. */
export function coefficientPlaces(hkl: Int32Array, span: readonly [number, number, number]): Int32Array {
  const { sh, sk, centre } = potentialLayout(span);
  return Int32Array.from({ length: hkl.length / 3 }, (_, i) => centre + hkl[3 * i]! * sh + hkl[3 * i + 1]! * sk + hkl[3 * i + 2]!);
}

/** The factors of the sum by output slot, and the slot of each wanted reflection. */
export function seedSlots(p: PullProblem, laid: SweepPlan): { readonly factors: Float64Array; readonly rowOf: Int32Array } {
  const rowOf = new Int32Array(p.hkl.length / 3).fill(-1);
  for (const [key, slot] of laid.slots) for (const r of laid.wanted.get(key)!) rowOf[r] = slot;
  const factors = new Float64Array(Math.max(1, laid.slots.size));
  if (p.seed) for (let i = 0; i < rowOf.length; i++) if (rowOf[i]! >= 0) factors[rowOf[i]!]! += p.seed[i]!;
  return { factors, rowOf };
}

/** Derivatives of one weighted sum, in the arena. `widen` stretches the spectral bounds. @throws as `sweepIntensities` */
export function planPull(p: PullProblem, arena: Arena, table: number, widen: number): PullPlan {
  const q = checkPull(p),
    { potential } = p,
    { size: box, centre } = potentialLayout(potential.span);
  const laid = planSweep({ ...p, turns: [], apart: undefined }, arena, table, widen);
  try {
    const { words, slots, terms, order, f64 } = laid;
    const { factors, rowOf } = seedSlots(p, laid);
    // One sum takes the whole box, so that frames can be added up.
    const outU = f64(new Float64Array(2 * box)),
      outD = f64(new Float64Array(q + 1)),
      outI = f64(new Float64Array(slots.size));
    words[2] = q;
    words[20] = f64(p.tangents);
    words[24] = f64(factors);
    words.set([outU, outD, outI], 25);
    const plan = laid.commit(),
      kernels = pullKernels(arena);
    let list: Int32Array | undefined;
    return {
      directions: p.directions.size,
      control: laid.control,
      scratchBytes: kernels.pullScratch(laid.maxBeams, laid.rows, terms, order.length, potential.real ? 1 : 0, potential.absorbing ? 1 : 0),
      run: (first, some, scratch) => kernels.pull(plan, first, some, scratch),
      call: (scratch) => ({ family: "pull", name: "pull", args: [plan, 0, p.directions.size, scratch] }),
      collect: (norm) => {
        if (norm === -1) return outOfScratch();
        if (!(norm <= largestNorm(potential))) return "wider";
        const all = arena.f64(outI, Math.max(1, slots.size)),
          u = arena.f64(outU, 2 * box),
          parameters = arena.f64(outD, q + 1).slice();
        // The table may lack the mean absorption, which the kernel puts on the diagonal: it belongs to what grows with t here.
        if (potential.absorbing) parameters[q]! += u[2 * centre + 1]! * (potential.w0[1] - potential.table[2 * centre + 1]!);
        return {
          intensity: Float64Array.from(rowOf, (r) => (r < 0 ? 0 : all[r]!)),
          get hkl() {
            list ??= boxIndices(potential.span);
            return list;
          },
          u,
          parameters,
          rowOf,
          terms,
        };
      },
      release: laid.release,
    };
  } catch (e) {
    laid.release();
    throw e;
  }
}
