import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import { triangleCovariance } from "./covariance.js";
import { type Differences, differenceJacobianInto } from "./gradient.js";
import { type Loss, lossFunctions } from "./least-squares-loss.js";
import { dampedStep, scaleOf } from "./least-squares-step.js";
import type { SolverStatus } from "./outcome.js";
import { type ParameterOptions, parameterMap } from "./parameters.js";
import { triangulateRows } from "./qr-blocked.js";

export interface LeastSquaresProblem extends ParameterOptions {
  /** Write the `count` residuals for all parameters p (tied and fixed ones included); must not keep either array. */
  readonly residuals: (p: Float64Array, out: Float64Array) => void;
  /** Write ∂r_i/∂p_j, shape [count, size] row-major, every entry. Finite differences when absent. */
  readonly jacobian?: ((p: Float64Array, out: Float64Array) => void) | undefined;
  readonly count: number;
  readonly start: ArrayLike<number>;
  /** Weight of each residual (1/σ²); the cost is ½ Σ w r². */
  readonly weights?: ArrayLike<number> | undefined;
  readonly loss?: Loss | undefined;
  readonly maxIterations?: number | undefined;
  /** Converged when the cost falls by less than this fraction, 1e-10. */
  readonly costTolerance?: number | undefined;
  /** Converged when the step is below this fraction of the parameters, each in its own scale, 1e-10. */
  readonly stepTolerance?: number | undefined;
  /** Converged when the residuals are orthogonal to the Jacobian's columns within this cosine, 1e-12. */
  readonly gradientTolerance?: number | undefined;
  /** Start value of the damping, in units of the (scaled) normal matrix, 1e-3. */
  readonly damping?: number | undefined;
  readonly differences?: Differences | undefined;
  /** Size below which a parameter counts as small in finite differences, one per parameter, 1. */
  readonly typical?: ArrayLike<number> | undefined;
  /** Scale of the covariance: by χ²/(count − rank), for weights known up to a factor; or none, for weights that are 1/σ². */
  readonly covarianceScale?: "reduced-chi2" | "none" | undefined;
}

export interface LeastSquaresResult {
  readonly status: SolverStatus;
  /** All parameters. */
  readonly x: Float64Array;
  /** ½ Σ w r², or the robust cost. */
  readonly cost: number;
  /** Weighted residuals √w·r at x, shape [count]. */
  readonly residuals: Float64Array;
  /** Covariance of all parameters, [size, size]: fixed ones 0, tied ones by propagation, undetermined directions left out. */
  readonly covariance: Float64Array;
  /** Standard uncertainties; 0 for fixed, Infinity for a parameter that the data do not determine. */
  readonly sigma: Float64Array;
  /** 2·cost/(count − rank); NaN when nothing is left over. */
  readonly reducedChi2: number;
  /** Number of independent directions among the free parameters that the data determine. */
  readonly rank: number;
  /** Condition number of the Jacobian with unit columns. */
  readonly condition: number;
  /** Parameters that ended on a bound; their s.u. is that of the unbounded problem. */
  readonly atBound: readonly number[];
  readonly iterations: number;
  readonly evaluations: number;
}

/**
 * Nonlinear least squares by Levenberg–Marquardt: minimise ½ Σ ρ(w r²) within bounds. The damped linear problem is solved by
 * orthogonal triangles (never normal equations), in the scale of the Jacobian's columns, so parameters of unlike units and rank-deficient
 * problems are safe; variables that hit a bound are held and the step is solved again for the others. As a generator: one step an iteration.
 * @throws bad-value when residuals or Jacobian at the start are not finite, or an option makes no sense
 * @see Moré (1978) Lect. Notes Math. 630, 105; Nielsen (1999) IMM-REP-1999-05 for the damping; Kanzow et al. (2004) for the projection
 */
export function* leastSquaresSteps(problem: LeastSquaresProblem): Steps<LeastSquaresResult> {
  const { count, start, weights, differences, typical, maxIterations = 100 } = problem;
  const { costTolerance = 1e-10, stepTolerance = 1e-10, gradientTolerance = 1e-12 } = problem;
  if (!(Number.isInteger(count) && count >= 0)) fail("bad-value", { count }, "count is the number of residuals");
  if (weights && weights.length !== count) fail("bad-shape", { weights: weights.length, count }, "one weight per residual");
  const map = parameterMap(start, problem);
  const loss = lossFunctions(problem.loss ?? { kind: "linear" });
  const n = map.free.length,
    size = map.size;
  const root = weights ? Float64Array.from(weights, Math.sqrt) : undefined;
  if (root?.some((w) => !Number.isFinite(w))) fail("bad-value", {}, "weights are finite and not negative (1/σ², not σ)");

  const p = new Float64Array(size);
  let evaluations = 0;
  /** Weighted residuals at free values q. */
  const evaluate = (q: Float64Array, out: Float64Array): void => {
    map.expandInto(p, q);
    problem.residuals(p, out);
    if (root) for (let i = 0; i < count; i++) out[i]! *= root[i]!;
    evaluations++;
  };
  const full = problem.jacobian && !map.identity ? new Float64Array(count * size) : undefined;
  const jac = new Float64Array(count * n);
  // What each free parameter moves; most move one parameter only, and a product with the whole matrix would take longer than the model.
  const moves = Array.from({ length: n }, (_, k) => Array.from({ length: size }, (_, j) => j).filter((j) => map.matrix[j * n + k] !== 0));
  const small = typical ? map.free.map((i) => typical[i] ?? 1) : undefined;
  const differentiate = (q: Float64Array, r: Float64Array): void => {
    if (!problem.jacobian) {
      differenceJacobianInto(jac, evaluate, q, r, { method: differences, typical: small, lower: map.lower, upper: map.upper });
      return;
    }
    map.expandInto(p, q);
    problem.jacobian(p, full ?? jac);
    for (let i = 0; i < count; i++) {
      const w = root ? root[i]! : 1;
      for (let k = 0; k < n; k++) {
        let v = 0;
        if (full) for (const j of moves[k]!) v += full[i * size + j]! * map.matrix[j * n + k]!;
        else v = jac[i * n + k]!;
        jac[i * n + k] = v * w;
      }
    }
  };
  const triangle = new Float64Array(n * n),
    rhs = new Float64Array(n);
  const factor = Float64Array.of(1, 1);
  /** R and Qᵀr of the (robustly re-weighted) Jacobian; false when something is not finite. */
  const triangulate = (r: Float64Array): boolean => {
    const fill = (out: Float64Array, from: number, rows: number): void => {
      for (let i = 0, at = 0, p = from * n; i < rows; i++) {
        if (!loss.linear) loss.factorsInto(factor, r[from + i]!);
        for (let j = 0; j < n; j++) out[at++] = jac[p++]! * factor[0]!;
        out[at++] = r[from + i]! * factor[1]!;
      }
    };
    const small = triangulateRows(count, n, fill);
    triangle.set(small.triangle);
    rhs.set(small.rhs);
    return triangle.every(Number.isFinite) && rhs.every(Number.isFinite);
  };

  let q: Float64Array = map.start.slice(),
    r = new Float64Array(count),
    trial = new Float64Array(count);
  evaluate(q, r);
  let cost = loss.cost(r);
  if (!Number.isFinite(cost))
    fail("bad-value", { index: r.findIndex((v) => !Number.isFinite(v)), cost }, "residuals at the start values must be finite");
  differentiate(q, r);
  if (!triangulate(r)) fail("bad-value", {}, "the Jacobian at the start values must be finite");

  const scale = new Float64Array(n);
  let lambda = problem.damping ?? 1e-3,
    growth = 2,
    iterations = 0;
  let status: SolverStatus = n === 0 || count === 0 ? "converged" : "max-iterations";
  while (status === "max-iterations" && iterations < maxIterations) {
    scaleOf(scale, triangle, n);
    const norm = Math.sqrt(2 * cost);
    const step = dampedStep({ triangle, rhs, scale, lambda, q, lower: map.lower, upper: map.upper });
    if (cost === 0 || step.cosine <= gradientTolerance * (loss.linear ? norm : Math.hypot(...rhs))) {
      status = "converged";
      break;
    }
    iterations++;
    evaluate(step.q, trial);
    const next = loss.cost(trial);
    const gain = cost - next;
    const ok = Number.isFinite(next) && gain > 0 && next <= cost;
    const ratio = step.predicted > 0 ? gain / step.predicted : gain > 0 ? 1 : -1;
    const damped = lambda > 1; // a step that damping shortened proves nothing about the distance to the minimum
    const tiny = step.length <= stepTolerance * (stepTolerance + sizeOf(q, scale));
    const flat = step.predicted <= costTolerance * cost && Math.abs(Number.isFinite(gain) ? gain : 1) <= costTolerance * cost;
    if (ok && ratio > 1e-4) {
      q = step.q;
      [r, trial] = [trial, r];
      cost = next;
      lambda *= Math.max(0.1, 1 - (2 * Math.min(ratio, 1) - 1) ** 3);
      lambda = Math.max(lambda, 1e-14);
      growth = 2;
      differentiate(q, r);
      if (!triangulate(r)) {
        status = "stalled";
        break;
      }
    } else {
      lambda *= growth;
      growth *= 2;
    }
    if ((tiny || flat) && !damped) status = "converged";
    else if (lambda > 1e18 || (tiny && damped && !ok)) status = "stalled";
    yield { done: iterations, total: maxIterations, note: `cost ${cost.toExponential(4)}` };
  }

  map.expandInto(p, q);
  const cov = triangleCovariance(triangle, n);
  const spare = count - cov.rank;
  const reducedChi2 = spare > 0 ? (2 * cost) / spare : Number.NaN;
  const factor2 = (problem.covarianceScale ?? "reduced-chi2") === "none" ? 1 : reducedChi2;
  const covariance = new Float64Array(size * size),
    sigma = new Float64Array(size),
    half = new Float64Array(n);
  for (let i = 0; i < size; i++) {
    half.fill(0);
    let open = false;
    for (let k = 0; k < n; k++) {
      const m = map.matrix[i * n + k]!;
      if (m === 0) continue;
      if (cov.undetermined[k]) open = true;
      for (let l = 0; l < n; l++) half[l]! += m * cov.covariance[k * n + l]!;
    }
    for (let j = 0; j < size; j++) {
      let c = 0,
        any = false;
      for (let l = 0; l < n; l++) {
        const m = map.matrix[j * n + l]!;
        if (m === 0) continue;
        any = true;
        c += half[l]! * m;
      }
      covariance[i * size + j] = any && c !== 0 ? c * factor2 : 0;
    }
    sigma[i] = open ? Number.POSITIVE_INFINITY : Math.sqrt(Math.max(0, covariance[i * size + i]!));
    if (Number.isNaN(covariance[i * size + i]!)) sigma[i] = open ? Number.POSITIVE_INFINITY : Number.NaN;
  }
  const atBound = map.free.filter((_, k) => q[k]! <= map.lower[k]! || q[k]! >= map.upper[k]!);
  const { rank, condition } = cov;
  return { status, x: p.slice(), cost, residuals: r, covariance, sigma, reducedChi2, rank, condition, atBound, iterations, evaluations };
}

/** Length of the parameters in the scale of the Jacobian's columns. */
function sizeOf(q: Float64Array, scale: Float64Array): number {
  let s = 0;
  for (let k = 0; k < q.length; k++) s += (q[k]! * scale[k]!) ** 2;
  return Math.sqrt(s);
}

/** {@link leastSquaresSteps} run to its end. */
export function leastSquares(problem: LeastSquaresProblem): LeastSquaresResult {
  return runSync(leastSquaresSteps(problem));
}
