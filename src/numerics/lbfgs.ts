import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import { differenceJacobianInto } from "./gradient.js";
import { strongWolfe } from "./lbfgs-search.js";
import type { SolverStatus } from "./outcome.js";

export interface MinimiseProblem {
  /** Value at x; writes the gradient when `gradient` is given. Must not keep the arrays. */
  readonly value: (x: Float64Array, gradient?: Float64Array) => number;
  readonly start: ArrayLike<number>;
  readonly lower?: ArrayLike<number> | undefined;
  readonly upper?: ArrayLike<number> | undefined;
  /** Take the gradient by central differences (2n values each) instead of from `value`. */
  readonly numericalGradient?: boolean | undefined;
  /** Pairs kept for the curvature, 10. */
  readonly memory?: number | undefined;
  readonly maxIterations?: number | undefined;
  /** Converged when the largest component of the projected gradient is below this, 1e-8. */
  readonly gradientTolerance?: number | undefined;
  /** Converged when the value falls by less than this fraction of max(|f|, 1), 1e-15. */
  readonly valueTolerance?: number | undefined;
}

export interface MinimiseResult {
  readonly status: SolverStatus;
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  /** Largest component of the projected gradient x − clamp(x − g). */
  readonly gradientNorm: number;
  readonly atBound: readonly number[];
  readonly iterations: number;
  readonly evaluations: number;
}

/**
 * Minimise a smooth function by limited-memory BFGS with a strong-Wolfe line search; bounds by projection: variables on a bound whose
 * gradient points outwards are held, the quasi-Newton step is taken in the others, and the search stays inside the box. One step of
 * the generator is one iteration.
 * @throws bad-value when value or gradient at the start are not finite, or bounds are crossed
 * @see Nocedal & Wright, Numerical Optimization (2006), algorithms 3.5, 3.6, 7.4; Bertsekas (1982) SIAM J. Control Optim. 20, 221
 */
export function* minimiseSteps(problem: MinimiseProblem): Steps<MinimiseResult> {
  const { start, memory = 10, maxIterations = 1000, gradientTolerance = 1e-8, valueTolerance = 1e-15 } = problem;
  const n = start.length;
  const lower = bounds(problem.lower, n, Number.NEGATIVE_INFINITY),
    upper = bounds(problem.upper, n, Number.POSITIVE_INFINITY);
  for (let i = 0; i < n; i++) {
    if (!(lower[i]! <= upper[i]!))
      fail("bad-value", { index: i, lower: lower[i], upper: upper[i] }, "lower bounds are at most the upper ones, and not NaN");
    if (!Number.isFinite(start[i])) fail("bad-value", { index: i, value: start[i] }, "start values must be finite");
  }
  let evaluations = 0;
  const single = Float64Array.of(0);
  const evaluate = (x: Float64Array, g: Float64Array): number => {
    evaluations++;
    if (!problem.numericalGradient) return problem.value(x, g);
    single[0] = problem.value(x);
    const at = (p: Float64Array, out: Float64Array): void => {
      out[0] = problem.value(p);
    };
    if (Number.isFinite(single[0]!)) differenceJacobianInto(g, at, x, single, { lower, upper });
    return single[0]!;
  };
  let x: Float64Array = Float64Array.from(start, (v, i) => Math.min(Math.max(v, lower[i]!), upper[i]!)),
    g: Float64Array = new Float64Array(n);
  let f = evaluate(x, g);
  if (!Number.isFinite(f) || !g.every(Number.isFinite)) fail("bad-value", { value: f }, "value and gradient at the start must be finite");

  /** Steps and changes of the gradient, newest last. */
  let pairs: Pair[] = [];
  let status: SolverStatus = "max-iterations",
    iterations = 0;
  const projected = (): number => {
    let worst = 0;
    for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(x[i]! - Math.min(Math.max(x[i]! - g[i]!, lower[i]!), upper[i]!)));
    return worst;
  };
  while (iterations < maxIterations) {
    if (projected() <= gradientTolerance) {
      status = "converged";
      break;
    }
    iterations++;
    const held = Uint8Array.from(x, (v, i) => ((v <= lower[i]! && g[i]! > 0) || (v >= upper[i]! && g[i]! < 0) ? 1 : 0));
    let found: ReturnType<typeof strongWolfe>;
    for (;;) {
      const p = direction(g, held, pairs);
      // On a bound, with the gradient inwards but the step outwards: held as well, for this step.
      let blocked = false;
      for (let i = 0; i < n; i++)
        if (!held[i] && ((x[i]! <= lower[i]! && p[i]! < 0) || (x[i]! >= upper[i]! && p[i]! > 0))) {
          held[i] = 1;
          blocked = true;
        }
      if (blocked) continue;
      let slope = 0,
        norm = 0,
        room = Number.POSITIVE_INFINITY;
      for (let i = 0; i < n; i++) {
        slope += p[i]! * g[i]!;
        norm += p[i]! * p[i]!;
      }
      if (!(slope < 0)) {
        found = undefined;
        if (pairs.length === 0) break;
        pairs = [];
        for (let i = 0; i < n; i++) held[i] = (x[i]! <= lower[i]! && g[i]! > 0) || (x[i]! >= upper[i]! && g[i]! < 0) ? 1 : 0;
        continue;
      }
      for (let i = 0; i < n; i++) {
        if (p[i]! > 0 && upper[i]! < Number.POSITIVE_INFINITY) room = Math.min(room, (upper[i]! - x[i]!) / p[i]!);
        if (p[i]! < 0 && lower[i]! > Number.NEGATIVE_INFINITY) room = Math.min(room, (lower[i]! - x[i]!) / p[i]!);
      }
      const first = pairs.length > 0 ? 1 : Math.min(1, 1 / Math.sqrt(norm));
      found = strongWolfe({ evaluate, x, p, f, slope, first: Math.min(first, room), longest: room, lower, upper });
      if (found || pairs.length === 0) break;
      pairs = []; // try once more along the gradient
    }
    if (!found) {
      status = projected() <= 1e3 * gradientTolerance ? "converged" : "stalled";
      break;
    }
    const s = found.x.map((v, i) => v - x[i]!),
      y = found.g.map((v, i) => v - g[i]!);
    let sy = 0,
      yy = 0;
    for (let i = 0; i < n; i++) {
      sy += s[i]! * y[i]!;
      yy += y[i]! * y[i]!;
    }
    if (sy > 2.2e-16 * yy) {
      pairs.push({ s, y });
      if (pairs.length > memory) pairs.shift();
    }
    const fall = f - found.f;
    ({ x, g, f } = found);
    yield { done: iterations, total: maxIterations, note: `value ${f.toPrecision(8)}` };
    if (fall <= valueTolerance * Math.max(Math.abs(f), 1) && !found.atEnd) {
      status = projected() <= Math.max(1e3 * gradientTolerance, 1e-6 * Math.max(1, Math.abs(f))) ? "converged" : "stalled";
      break;
    }
  }
  if (status === "max-iterations" && projected() <= gradientTolerance) status = "converged";
  const atBound: number[] = [];
  for (let i = 0; i < n; i++) if (x[i]! <= lower[i]! || x[i]! >= upper[i]!) atBound.push(i);
  return { status, x, value: f, gradient: g, gradientNorm: projected(), atBound, iterations, evaluations };
}

/**
 * −H g by the two-loop recursion, within the variables that are not held: every inner product runs over those alone, so pairs from
 * other faces of the box serve too, and one without positive curvature here is left out.
 */
function direction(g: Float64Array, held: Uint8Array, pairs: readonly Pair[]): Float64Array {
  const n = g.length,
    p = g.map((v, i) => (held[i] ? 0 : -v));
  const dot = (a: Float64Array, b: Float64Array): number => {
    let s = 0;
    for (let i = 0; i < n; i++) if (!held[i]) s += a[i]! * b[i]!;
    return s;
  };
  const used = pairs.map(({ s, y }) => ({ s, y, sy: dot(s, y), yy: dot(y, y), alpha: 0 })).filter((q) => q.sy > 1e-14 * q.yy);
  for (let k = used.length - 1; k >= 0; k--) {
    const q = used[k]!;
    q.alpha = dot(q.s, p) / q.sy;
    for (let i = 0; i < n; i++) p[i]! -= q.alpha * q.y[i]!;
  }
  const last = used[used.length - 1];
  for (let i = 0; i < n; i++) p[i]! *= held[i] ? 0 : last ? last.sy / last.yy : 1;
  for (const q of used) {
    const beta = q.alpha - dot(q.y, p) / q.sy;
    for (let i = 0; i < n; i++) if (!held[i]) p[i]! += beta * q.s[i]!;
  }
  return p;
}

interface Pair {
  readonly s: Float64Array;
  readonly y: Float64Array;
}

function bounds(given: ArrayLike<number> | undefined, n: number, none: number): Float64Array {
  if (!given) return new Float64Array(n).fill(none);
  if (given.length !== n)
    fail("bad-shape", { bounds: given.length, size: n }, "bounds have one value per variable; use ±Infinity for none");
  return Float64Array.from(given);
}

/** {@link minimiseSteps} run to its end. */
export function minimise(problem: MinimiseProblem): MinimiseResult {
  return runSync(minimiseSteps(problem));
}
