import { jacobianKernels } from "../kernels/jacobian.js";
import type { Arena } from "../kernels/memory.js";
import { differenceIndex } from "./differences.js";
import { largestNorm, planSweep } from "./integrate-plan.js";
import { besselOrders } from "./integrate-spectrum.js";
import { potentialLayout } from "./potential.js";
import { boxIndices, checkPull, coefficientPlaces, outOfScratch, type PullPlan, type PullProblem } from "./pull-plan.js";

/** Rows of a direction that are propagated together. */
const BLOCK = 16;

/**
 * Every wanted intensity of a sweep with its derivatives, or with absorption a weighted sum of them: the adjoint recursion for all rows of a direction
 * at once as products of matrices, real ones for a centrosymmetric crystal.
 * @throws as `sweepIntensities`
 */
export function planRows(p: PullProblem, arena: Arena, table: number, widen: number): PullPlan {
  const q = checkPull(p);
  const { potential, pool, depths, want, window = Number.MAX_VALUE } = p,
    { span } = potential;
  const laid = planSweep({ ...p, turns: [], apart: undefined }, arena, table, widen);
  try {
    const { words, numbers, members, slots, wanted, order, terms, radius, absorbed, path } = laid,
      nodes = order.length,
      count = slots.size;
    const { centre, size: box } = potentialLayout(span);
    // One seed takes the whole box, so that frames can be added up; rows number the pairs of members.
    const beams = Int32Array.from(members.flatMap((i) => [pool.hkl[3 * i]!, pool.hkl[3 * i + 1]!, pool.hkl[3 * i + 2]!]));
    const index = want === "rows" ? differenceIndex(potential, [beams]) : undefined;
    const size = index?.size ?? (want === "gradient" ? box : 1);
    const seeds = want === "rows" ? count : want === "gradient" ? 1 : 0;
    // d/d ln t of (2 − δ) i^k J_k(x) exp(−2πtσ), x = 2πt·radius: x J'_k = x (J_{k−1} − J_{k+1})/2
    const slopes = new Float64Array(terms * nodes);
    order.forEach((o, m) => {
      const x = 2 * Math.PI * path[o]! * radius,
        j = besselOrders(x, terms + 1),
        damping = 2 * Math.PI * path[o]! * absorbed;
      const root = Math.sqrt(depths.weight[o]!) * Math.exp(-damping);
      for (let k = 0; k < terms; k++) {
        const rise = k === 0 ? -x * j[1]! : (x * (j[k - 1]! - j[k + 1]!)) / 2;
        slopes[k * nodes + m] = root * (k === 0 ? 1 : 2) * (k % 4 >= 2 ? -1 : 1) * (rise - damping * j[k]!);
      }
    });
    const rowOf = new Int32Array(p.hkl.length / 3).fill(-1);
    for (const [key, slot] of slots) for (const r of wanted.get(key)!) rowOf[r] = slot;
    const factors = new Float64Array(Math.max(1, count));
    if (p.seed) for (let i = 0; i < rowOf.length; i++) if (rowOf[i]! >= 0) factors[rowOf[i]!]! += p.seed[i]!;
    const control = laid.give(8);
    arena.i32(control, 2).fill(0);
    const uLength = 2 * seeds * size,
      length = uLength + count * (2 + q);
    const out = laid.give(8 * length + 64) + 64;
    arena.f64(out - 64, length + 8).fill(0);
    words[2] = q;
    words.set([count, size, index?.zero ?? centre, potential.real ? 1 : 0], 5);
    words[20] = laid.f64(p.tangents);
    words[23] = laid.f64(slopes);
    const block = want === "rows" ? BLOCK : 1;
    words[24] = block;
    words[25] = want === "rows" ? 0 : want === "gradient" ? 1 : 2;
    words[26] = laid.i32(index?.map ?? Int32Array.from({ length: want === "gradient" ? box : 1 }, (_, i) => i));
    words[27] = laid.f64(factors);
    words[28] = control;
    numbers[4] = want === "rows" ? window : Number.MAX_VALUE;
    const plan = laid.commit(),
      kernels = jacobianKernels(arena);
    return {
      directions: p.directions.size,
      control,
      scratchBytes: kernels.jacobianScratch(laid.maxBeams, laid.rows, terms, nodes, block, potential.real ? 1 : 0),
      run: (first, some, scratch) => kernels.jacobian(plan, first, some, out, scratch),
      call: (scratch) => ({ family: "jacobian", name: "jacobian", args: [plan, 0, p.directions.size, out, scratch] }),
      release: laid.release,
      collect: (norm) => {
        if (norm === -1) return outOfScratch();
        if (!(norm <= largestNorm(potential))) return "wider";
        const u = arena.f64(out, uLength),
          tail = arena.f64(out + 8 * uLength, count * (2 + q));
        const { table: w, real } = potential;
        const parameters = new Float64Array(seeds * (q + 1));
        let list: Int32Array | undefined;
        const places = index && coefficientPlaces(index.hkl, span);
        for (let s = 0; s < seeds; s++) {
          for (let t = 0; t < q; t++) parameters[s * (q + 1) + t] = tail[(2 + t) * count + s]!;
          // the kernel's derivative is the whole one: take the part through W away again
          let whole = 0;
          for (let i = 0; i < size; i++) {
            const at = places ? places[i]! : i,
              from = 2 * (s * size + i);
            whole += real ? u[from]! * w[at]! : u[from]! * w[2 * at]! + u[from + 1]! * w[2 * at + 1]!;
          }
          const total = want === "rows" ? tail[count + s]! : factors.reduce((sum, c, i) => sum + (i < count ? c * tail[count + i]! : 0), 0);
          parameters[s * (q + 1) + q] = total - whole;
        }
        return {
          intensity: Float64Array.from(rowOf, (r) => (r < 0 ? 0 : tail[r]!)),
          get hkl() {
            list ??= index?.hkl ?? boxIndices(span);
            return list;
          },
          u,
          parameters,
          rowOf,
          terms,
        };
      },
    };
  } catch (e) {
    laid.release();
    throw e;
  }
}
