import { fail } from "../core/errors.js";
import type { KernelCall, ProjectorPlan } from "./projector-plan.js";
import type { Figures, ReconstructionProgress } from "./reconstruction.js";
import type { Runner } from "./runner.js";

/** Arrays of a descent in kernel memory (inner layout of the plan). */
export interface DescentArrays {
  readonly volume: number;
  readonly data: number;
  /** Weight of each pixel: 0 left out, negative withheld; see the kernel `residual`. */
  readonly weight: number;
  /** Addresses or 0. */
  readonly scale: number;
  readonly support: number;
  /** Room for a second volume; 0: no momentum. */
  readonly previous?: number;
}
export interface DescentOptions {
  readonly name: string;
  readonly iterations: number;
  readonly step: number;
  readonly positive: boolean;
  readonly tolerance: number;
  readonly patience: number;
  /** Views one at a time (SART) instead of all together. */
  readonly sequential?: boolean;
  /** Work on the volume after each iteration. */
  readonly after?: ((step: number) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: ReconstructionProgress) => void) | undefined;
}
export interface DescentResult {
  readonly status: "converged" | "finished";
  readonly iterations: number;
  readonly figures: Figures;
  readonly curves: { readonly r1: number[]; readonly r2: number[]; readonly r1Free: number[] };
  readonly warnings: string[];
}

/** Tasks of about equal size: `count` indices in pieces, for every block. The split depends on the problem alone, never on the workers. */
const pieces = (count: number, most: number): (readonly [number, number])[] => {
  const n = Math.min(count, most);
  return Array.from({ length: n }, (_, i) => [Math.floor((i * count) / n), Math.floor(((i + 1) * count) / n)] as const);
};

/**
 * x ← Π(x + step·scale·Aᵀ W (b − A x)), Π clips at 0 and to the support: gradient descent (RESIRE), SIRT and SART, by their weights.
 * With room for a previous volume each step begins at x + k/(k + 3)·(x − previous x) (Nesterov), k counted again from 0 where the residual grows.
 * The figures that belong to the returned volume are evaluated once more at the end.
 */
export async function descent(plan: ProjectorPlan, run: Runner, arrays: DescentArrays, o: DescentOptions): Promise<DescentResult> {
  const { volume, data, weight, scale, support, previous = 0 } = arrays;
  const views = plan.allocViews();
  const sums = plan.alloc(32 * plan.blocks * plan.views);
  const planes = pieces(plan.nz, 8),
    parts = pieces(plan.views, 8);
  const scratch = Array.from({ length: plan.blocks * planes.length }, plan.allocPlane);
  const sumsOf = (b: number, p: number): number => sums + 32 * (b * plan.views + p);
  const norms = viewNorms(plan, data, weight);
  let step = o.step,
    gained = 0;

  const project = (p0: number, p1: number, b: number): KernelCall[] => [
    plan.clearViews(views, b, p0, p1 - p0),
    plan.forward(volume, views, b, p0, p1),
    ...Array.from({ length: p1 - p0 }, (_, k) =>
      plan.call(
        "residual",
        plan.viewAt(views, b, p0 + k),
        plan.viewAt(data, b, p0 + k),
        plan.viewAt(weight, b, p0 + k),
        plan.viewLength,
        sumsOf(b, p0 + k),
      ),
    ),
  ];
  const update = (z0: number, z1: number, b: number, out: number, first?: number, count?: number): KernelCall[] => {
    const calls: KernelCall[] = [];
    for (let z = z0; z < z1; z++) {
      const at = (ptr: number): number => (ptr ? plan.planeAt(ptr, b, z) : 0);
      calls.push(
        plan.adjoint(out, views, b, z, first, count),
        plan.call("descend", at(volume), out, at(scale), at(support), plan.planeLength, step, o.positive ? 1 : 0),
      );
      if (previous) calls.push(plan.call("advance", at(volume), at(previous), plan.planeLength, gained / (gained + 3)));
    }
    return calls;
  };
  const every = <T>(list: readonly T[], make: (item: T, b: number, i: number) => KernelCall[]): KernelCall[][] =>
    Array.from({ length: plan.blocks }, (_, b) => list.map((item, i) => make(item, b, i))).flat();
  const forwardAll = every(parts, ([p0, p1], b) => project(p0, p1, b));
  const backAll = (first?: number, count?: number): KernelCall[][] =>
    every(planes, ([z0, z1], b, i) => update(z0, z1, b, scratch[b * planes.length + i]!, first, count));
  let back = backAll();

  const curves = { r1: [] as number[], r2: [] as number[], r1Free: [] as number[] },
    warnings: string[] = [];
  let best = Number.POSITIVE_INFINITY,
    since = 0,
    kept: Float64Array | Float32Array | undefined,
    last = Number.POSITIVE_INFINITY,
    status: DescentResult["status"] = "finished",
    done = 0;
  const evaluate = async (): Promise<Figures & { readonly squares: number }> => {
    await run.run(forwardAll, o.signal);
    return figuresOf(plan, plan.arena.f64(sums, 4 * plan.blocks * plan.views), norms);
  };
  for (; done < o.iterations; done++) {
    const f = await evaluate();
    if (!Number.isFinite(f.squares))
      fail("no-convergence", { iteration: done, step }, "the volume grows without bound: take a smaller step");
    curves.r1.push(f.r1);
    curves.r2.push(f.r2);
    if (f.r1Free !== undefined) curves.r1Free.push(f.r1Free);
    o.onProgress?.({
      done,
      total: o.iterations,
      note: `${o.name} R1 ${f.r1.toFixed(4)}`,
      figures: { r1: f.r1, r2: f.r2, ...(f.r1Free === undefined ? {} : { r1Free: f.r1Free }) },
    });
    if (f.squares > last * 1.001 && gained > 1) gained = 0;
    else if (f.squares > last * 1.001 && !o.sequential) {
      step /= 2;
      gained = 0;
      back = backAll();
      warnings.push(`iteration ${done}: the residual grew, the step is halved to ${step.toPrecision(3)}`);
    } else if (o.tolerance > 0 && done > 0 && last - f.squares < 2 * o.tolerance * last) {
      status = "converged";
      break;
    }
    last = f.squares;
    if (o.patience > 0 && f.r1Free !== undefined) {
      if (f.r1Free < best) {
        best = f.r1Free;
        since = 0;
        kept = plan.array(done > 0 && previous ? previous : volume, plan.volumeLength).slice();
      } else if (++since >= o.patience) {
        status = "converged";
        break;
      }
    }
    if (previous) back = backAll();
    if (!o.sequential) await run.run(back, o.signal);
    else
      for (let p = 0; p < plan.views; p++) {
        await run.run(
          every([0], (_, b) => project(p, p + 1, b)),
          o.signal,
        );
        await run.run(backAll(p, 1), o.signal);
      }
    gained++;
    await o.after?.(step);
  }
  if (previous && done > 0) plan.array(volume, plan.volumeLength).set(plan.array(previous, plan.volumeLength));
  if (kept && status === "converged") plan.array(volume, plan.volumeLength).set(kept);
  const { squares: _, ...figures } = await evaluate();
  return { status, iterations: done, figures, curves, warnings };
}

/** Σ|b| and Σb² of each view, [P][4]: where it takes part, and where withheld. */
function viewNorms(plan: ProjectorPlan, data: number, weight: number): Float64Array {
  const d = plan.array(data, plan.viewsLength),
    w = plan.array(weight, plan.viewsLength),
    out = new Float64Array(4 * plan.views);
  for (let b = 0, i = 0; b < plan.blocks; b++)
    for (let p = 0; p < plan.views; p++)
      for (let k = 0; k < plan.viewLength; k++, i++) {
        if (w[i] === 0) continue;
        const at = 4 * p + (w[i]! < 0 ? 2 : 0);
        out[at]! += Math.abs(d[i]!);
        out[at + 1]! += d[i]! ** 2;
      }
  return out;
}

function figuresOf(plan: ProjectorPlan, sums: Float64Array, norms: Float64Array): Figures & { readonly squares: number } {
  let r1 = 0,
    r2 = 0,
    free = 0,
    views = 0,
    freeViews = 0,
    squares = 0;
  for (let p = 0; p < plan.views; p++) {
    const s = [0, 0, 0, 0];
    for (let b = 0; b < plan.blocks; b++) for (let k = 0; k < 4; k++) s[k]! += sums[4 * (b * plan.views + p) + k]!;
    squares += s[1]!;
    if (norms[4 * p]! > 0) {
      views++;
      r1 += s[0]! / norms[4 * p]!;
      r2 += Math.sqrt(s[1]! / norms[4 * p + 1]!);
    }
    if (norms[4 * p + 2]! > 0) {
      freeViews++;
      free += s[2]! / norms[4 * p + 2]!;
    }
  }
  return { r1: r1 / views, r2: r2 / views, ...(freeViews ? { r1Free: free / freeViews } : {}), squares };
}
