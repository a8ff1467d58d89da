import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import type { SolverStatus } from "./outcome.js";

/** Proximal map of step·h: the point that minimises h(z) + |z − x|²/(2 step). Writes `out`, which may be x itself. */
export type Proximal = (out: Float64Array, x: Float64Array, step: number) => void;

/** h = weight·‖x‖₁: shrink towards zero. @throws bad-value */
export function softThreshold(weight: number): Proximal {
  if (!(weight >= 0)) fail("bad-value", { weight }, "the weight of a norm is not negative");
  return (out, x, step) => {
    const t = weight * step;
    for (let i = 0; i < x.length; i++) {
      const v = x[i]!;
      out[i] = v > t ? v - t : v < -t ? v + t : 0;
    }
  };
}

/** h = 0 inside the box, infinite outside: clamp. Bounds are numbers or one per variable. @throws bad-value */
export function boxProjection(lower: number | ArrayLike<number>, upper: number | ArrayLike<number>): Proximal {
  const at = (b: number | ArrayLike<number>, i: number): number => (typeof b === "number" ? b : b[i]!);
  if (typeof lower === "number" && typeof upper === "number" && !(lower <= upper))
    fail("bad-value", { lower, upper }, "the lower bound is at most the upper one");
  return (out, x) => {
    for (let i = 0; i < x.length; i++) out[i] = Math.min(Math.max(x[i]!, at(lower, i)), at(upper, i));
  };
}

/** Nearest point with x_i >= 0 and Σ x_i = total. @see Held, Wolfe & Crowder (1974) Math. Program. 6, 62 @throws bad-value */
export function simplexProjection(total = 1): Proximal {
  if (!(total > 0)) fail("bad-value", { total }, "the sum of a simplex is positive");
  return (out, x) => {
    const sorted = Float64Array.from(x).sort();
    let sum = 0,
      shift = 0;
    for (let k = sorted.length - 1, count = 1; k >= 0; k--, count++) {
      sum += sorted[k]!;
      const t = (sum - total) / count;
      if (sorted[k]! - t > 0) shift = t;
      else break;
    }
    for (let i = 0; i < x.length; i++) out[i] = Math.max(0, x[i]! - shift);
  };
}

export interface ProximalProblem {
  /** Smooth part: value at x, and its gradient into `gradient`. */
  readonly value: (x: Float64Array, gradient: Float64Array) => number;
  /** The other part through its proximal map; none for plain accelerated gradient descent. */
  readonly proximal?: Proximal | undefined;
  readonly start: ArrayLike<number>;
  /** First step tried, 1; halved until the smooth part lies below its quadratic bound. */
  readonly step?: number | undefined;
  readonly maxIterations?: number | undefined;
  /** Converged when a step is below this fraction of max(1, |x|), 1e-10. */
  readonly tolerance?: number | undefined;
}
export interface ProximalResult {
  readonly status: SolverStatus;
  readonly x: Float64Array;
  /** Value of the smooth part at x. */
  readonly smooth: number;
  readonly step: number;
  readonly iterations: number;
}

/**
 * Minimise f(x) + h(x) by the accelerated proximal gradient method with backtracking, restarted when the momentum points uphill.
 * @throws bad-value when value or gradient at the start are not finite
 * @see Beck & Teboulle (2009) SIAM J. Imaging Sci. 2, 183; O'Donoghue & Candès (2015) Found. Comput. Math. 15, 715 for the restart
 */
export function* proximalGradientSteps(problem: ProximalProblem): Steps<ProximalResult> {
  const { value, proximal, start, maxIterations = 5000, tolerance = 1e-10 } = problem;
  const n = start.length;
  let x: Float64Array = Float64Array.from(start),
    next: Float64Array = new Float64Array(n);
  proximal?.(x, x, problem.step ?? 1); // into the domain of h
  const y = x.slice(),
    g = new Float64Array(n),
    ignored = new Float64Array(n);
  let fy = value(y, g);
  if (!Number.isFinite(fy) || !g.every(Number.isFinite)) fail("bad-value", { value: fy }, "value and gradient at the start must be finite");
  let step = problem.step ?? 1,
    t = 1,
    smooth = fy;
  for (let k = 1; k <= maxIterations; k++) {
    for (let halvings = 0; ; halvings++) {
      for (let i = 0; i < n; i++) next[i] = y[i]! - step * g[i]!;
      proximal?.(next, next, step);
      smooth = value(next, ignored);
      let linear = 0,
        square = 0;
      for (let i = 0; i < n; i++) {
        const d = next[i]! - y[i]!;
        linear += g[i]! * d;
        square += d * d;
      }
      const room = 1e-14 * Math.max(Math.abs(fy), Math.abs(smooth));
      if (smooth <= fy + linear + square / (2 * step) + room) break;
      if (halvings === 60) return { status: "stalled", x, smooth: fy, step, iterations: k };
      step /= 2;
    }
    let uphill = 0,
      moved = 0,
      size = 0;
    for (let i = 0; i < n; i++) {
      uphill += (y[i]! - next[i]!) * (next[i]! - x[i]!);
      moved += (next[i]! - y[i]!) ** 2;
      size += next[i]! ** 2;
    }
    if (uphill > 0) t = 1;
    const after = (1 + Math.sqrt(1 + 4 * t * t)) / 2,
      push = uphill > 0 ? 0 : (t - 1) / after;
    for (let i = 0; i < n; i++) y[i] = next[i]! + push * (next[i]! - x[i]!);
    t = after;
    [x, next] = [next, x];
    if (Math.sqrt(moved) <= tolerance * Math.max(1, Math.sqrt(size))) return { status: "converged", x, smooth, step, iterations: k };
    yield { done: k, total: maxIterations, note: `smooth part ${smooth.toPrecision(8)}` };
    fy = value(y, g);
  }
  return { status: "max-iterations", x, smooth, step, iterations: maxIterations };
}

/** {@link proximalGradientSteps} run to its end. */
export function proximalGradient(problem: ProximalProblem): ProximalResult {
  return runSync(proximalGradientSteps(problem));
}
