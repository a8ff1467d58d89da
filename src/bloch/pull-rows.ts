import { jacobianKernels } from "../kernels/jacobian.js";
import type { Arena } from "../kernels/memory.js";
import { differenceIndex } from "./differences.js";
import { largestNorm, planSweep } from "./integrate-plan.js";
import { besselOrders } from "./integrate-spectrum.js";
import { checkPull, coefficientPlaces, outOfScratch, type PullPlan, type PullProblem, seedSlots } from "./pull-plan.js";

/** Rows of a direction that are propagated together. */
const BLOCK = 16;

/**
 * Every wanted intensity of a sweep with its derivatives: the adjoint recursion for all rows of a direction at once as products of matrices, real ones for
 * a centrosymmetric crystal.
 * @throws as `sweepIntensities`
 */
export function planRows(p: PullProblem, arena: Arena, table: number, widen: number): PullPlan {
  const q = checkPull(p);
  const { potential, pool, depths, window = Number.MAX_VALUE } = p,
    { span } = potential;
  const laid = planSweep({ ...p, turns: [], apart: undefined }, arena, table, widen);
  try {
    const { words, numbers, members, slots, order, terms, radius, absorbed, path } = laid,
      nodes = order.length,
      count = slots.size;
    // Coefficients are those of the pairs of members.
    const beams = Int32Array.from(members.flatMap((i) => [pool.hkl[3 * i]!, pool.hkl[3 * i + 1]!, pool.hkl[3 * i + 2]!]));
    const index = differenceIndex(potential, [beams]),
      { size } = index;
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
    const { rowOf } = seedSlots(p, laid);
    const uLength = 2 * count * size,
      length = uLength + count * (2 + q);
    const out = laid.give(8 * length + 64) + 64;
    arena.f64(out - 64, length + 8).fill(0);
    words[2] = q;
    words.set([count, size], 5);
    words[20] = laid.f64(p.tangents);
    words[23] = laid.f64(slopes);
    words[24] = BLOCK;
    words[26] = laid.i32(index.map);
    numbers[4] = window;
    const plan = laid.commit(),
      kernels = jacobianKernels(arena);
    return {
      directions: p.directions.size,
      control: laid.control,
      scratchBytes: kernels.jacobianScratch(laid.maxBeams, laid.rows, terms, nodes, BLOCK, potential.real ? 1 : 0),
      run: (first, some, scratch) => kernels.jacobian(plan, first, some, out, scratch),
      call: (scratch) => ({ family: "jacobian", name: "jacobian", args: [plan, 0, p.directions.size, out, scratch] }),
      release: laid.release,
      collect: (norm) => {
        if (norm === -1) return outOfScratch();
        if (!(norm <= largestNorm(potential))) return "wider";
        const u = arena.f64(out, uLength),
          tail = arena.f64(out + 8 * uLength, count * (2 + q));
        const { table: w, real } = potential;
        const parameters = new Float64Array(count * (q + 1));
        const places = coefficientPlaces(index.hkl, span);
        for (let s = 0; s < count; s++) {
          for (let t = 0; t < q; t++) parameters[s * (q + 1) + t] = tail[(2 + t) * count + s]!;
          // the kernel's derivative is the whole one: take the part through W away again
          let whole = 0;
          for (let i = 0; i < size; i++) {
            const at = places[i]!,
              from = 2 * (s * size + i);
            whole += real ? u[from]! * w[at]! : u[from]! * w[2 * at]! + u[from + 1]! * w[2 * at + 1]!;
          }
          parameters[s * (q + 1) + q] = tail[count + s]! - whole;
        }
        return { intensity: Float64Array.from(rowOf, (r) => (r < 0 ? 0 : tail[r]!)), hkl: index.hkl, u, parameters, rowOf, terms };
      },
    };
  } catch (e) {
    laid.release();
    throw e;
  }
}
