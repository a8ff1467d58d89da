import type { Steps } from "../core/job.js";
import { leastSquaresSteps } from "../numerics/least-squares.js";
import { extinctionDerivatives, extinctionY } from "./extinction.js";
import type { SetState } from "./kinematic-set.js";
import type { KinematicResult } from "./kinematic-types.js";
import type { StructureModel } from "./model.js";
import type { RestraintSet } from "./restraints.js";

export interface StageResult {
  readonly x: Float64Array;
  readonly status: KinematicResult["status"];
  readonly iterations: number;
  readonly covariance: Float64Array;
  readonly sigma: Float64Array;
  readonly gradient: Float64Array;
  readonly atBound: readonly number[];
}
/** What all stages of a refinement share. */
export interface StageProblem {
  readonly model: StructureModel;
  readonly sets: readonly SetState[];
  /** Free parameters of the structure; scales follow, then extinction; all together. */
  readonly nq: number;
  readonly size: number;
  readonly extinct: boolean;
  readonly restrained: RestraintSet;
}

/**
 * Levenberg–Marquardt over the parameters that are not fixed.
 * @param roots - √w of every reflection of every set, 0 where it does not count
 * @param square - on F² instead of F
 */
export function* solveStage(
  p: StageProblem,
  from: Float64Array,
  fixed: readonly number[],
  roots: readonly Float64Array[],
  square: boolean,
  maxIterations: number,
): Steps<StageResult> {
  const { model, sets, nq, size, extinct, restrained } = p;
  let reflections = 0;
  const place = roots.map((r) => Int32Array.from(r, (w) => (w > 0 ? reflections++ : -1)));
  const count = reflections + restrained.count;
  const free = Array.from({ length: size }, (_, i) => i).filter((i) => !fixed.includes(i));
  const nf = free.length;
  const slot = new Int32Array(size).fill(-1);
  free.forEach((i, k) => {
    slot[i] = k;
  });
  const full = from.slice();
  const spread = (p: Float64Array): Float64Array => {
    free.forEach((i, k) => {
      full[i] = p[k]!;
    });
    return full;
  };
  const residualsInto = (x0: Float64Array, out: Float64Array): void => {
    const v = spread(x0),
      x = model.rawAt(v),
      ext = extinct ? v[size - 1]! : 0;
    sets.forEach((s, k) => {
      const f = s.kernel.values(x);
      for (let i = 0; i < s.f.length; i++) {
        const row = place[k]![i]!;
        if (row < 0) continue;
        const f2 = f[2 * i]! ** 2 + f[2 * i + 1]! ** 2;
        const fc = v[nq + k]! * (extinct ? extinctionY(ext, f2, s.geometry[i]!) : 1) * Math.sqrt(f2);
        out[row] = roots[k]![i]! * (square ? fc * fc - s.data.intensity[i]! : fc - s.f[i]!);
      }
    });
    restrained.rows(x).forEach((r, i) => {
      out[reflections + i] = r.residual;
    });
  };
  const jacobianInto = (x0: Float64Array, out: Float64Array): void => {
    out.fill(0);
    const v = spread(x0),
      x = model.rawAt(v),
      d = model.derivatives(v),
      ext = extinct ? v[size - 1]! : 0;
    sets.forEach((s, k) => {
      const scale = v[nq + k]!;
      s.kernel.gradients(x, (i, re, im, dRe, dIm) => {
        const row = place[k]![i]!;
        if (row < 0) return;
        const base = row * nf,
          f2 = re * re + im * im,
          f = Math.sqrt(f2);
        const e = extinct ? extinctionDerivatives(ext, f2, s.geometry[i]!) : { byF: 1, byX: 0 };
        const y = extinct ? extinctionY(ext, f2, s.geometry[i]!) : 1;
        const w = roots[k]![i]! * (square ? 2 * scale * y * f : 1);
        if (slot[nq + k]! >= 0) out[base + slot[nq + k]!] = w * y * f;
        if (extinct && slot[size - 1]! >= 0) out[base + slot[size - 1]!] = w * scale * e.byX;
        if (f < 1e-12) return;
        const cr = (w * scale * e.byF * re) / f,
          ci = (w * scale * e.byF * im) / f;
        for (let j = 0; j < dRe.length; j++) {
          const t = cr * dRe[j]! + ci * dIm[j]!;
          for (let a = d.start[j]!; a < d.start[j + 1]!; a++) {
            const c = slot[d.column[a]!]!;
            if (c >= 0) out[base + c]! += t * d.value[a]!;
          }
        }
      });
    });
    restrained.rows(x).forEach((r, i) => {
      const base = (reflections + i) * nf;
      for (const [j, t] of r.terms)
        for (let a = d.start[j]!; a < d.start[j + 1]!; a++) {
          const c = slot[d.column[a]!]!;
          if (c >= 0) out[base + c]! += t * d.value[a]!;
        }
    });
  };
  const bound = (b: Float64Array, other: number): Float64Array => Float64Array.from(free, (i) => (i < nq ? b[i]! : other));
  const lower = bound(model.lower, Number.NEGATIVE_INFINITY);
  if (extinct && slot[size - 1]! >= 0) lower[slot[size - 1]!] = 0;
  const solved = yield* leastSquaresSteps({
    residuals: residualsInto,
    jacobian: jacobianInto,
    count,
    start: Float64Array.from(free, (i) => from[i]!),
    lower,
    upper: bound(model.upper, Number.POSITIVE_INFINITY),
    maxIterations,
    costTolerance: square ? 1e-5 : 1e-9,
    covarianceScale: "none",
  });
  const covariance = new Float64Array(size * size),
    sigma = new Float64Array(size);
  free.forEach((i, a) => {
    sigma[i] = solved.sigma[a]!;
    free.forEach((j, b) => {
      covariance[i * size + j] = solved.covariance[a * nf + b]!;
    });
  });
  // Jᵀr at the end, for the step that a further cycle would make.
  const jac = new Float64Array(count * nf),
    gradient = new Float64Array(size);
  jacobianInto(solved.x, jac);
  for (let r = 0; r < count; r++) for (let k = 0; k < nf; k++) gradient[free[k]!]! += jac[r * nf + k]! * solved.residuals[r]!;
  return {
    x: spread(solved.x).slice(),
    status: solved.status,
    iterations: solved.iterations,
    covariance,
    sigma,
    gradient,
    atBound: solved.atBound.map((k) => free[k]!),
  };
}
