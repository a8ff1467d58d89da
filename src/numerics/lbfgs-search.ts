/** A line search from x along p; `slope` = pᵀg < 0. */
export interface LineSearch {
  readonly evaluate: (x: Float64Array, gradient: Float64Array) => number;
  readonly x: Float64Array;
  readonly p: Float64Array;
  readonly f: number;
  readonly slope: number;
  /** First step tried, and the longest allowed (where a bound is met). */
  readonly first: number;
  readonly longest: number;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}
export interface LinePoint {
  readonly x: Float64Array;
  readonly g: Float64Array;
  readonly f: number;
  /** True when the step ended on a bound, where curvature need not be met. */
  readonly atEnd: boolean;
}

const DECREASE = 1e-4;
const CURVATURE = 0.9;

interface Trial {
  readonly t: number;
  readonly f: number;
  readonly d: number;
}

/**
 * A step with f(x + t p) <= f + c₁ t slope and |slope at t| <= c₂ |slope|: bracket, then zoom by safeguarded cubic interpolation.
 * Points with a value that is not finite count as too far. Undefined when no lower point is found.
 * @see Nocedal & Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6
 */
export function strongWolfe({ evaluate, x, p, f, slope, first, longest, lower, upper }: LineSearch): LinePoint | undefined {
  const n = x.length;
  let best: (LinePoint & { readonly t: number }) | undefined;
  const at = (t: number): Trial => {
    const y = new Float64Array(n),
      g = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const v = x[i]! + t * p[i]!;
      // Onto the bound when rounding alone keeps it off: else the next step has no room.
      const slack = 1e-15 * Math.max(Math.abs(x[i]!), Math.abs(v));
      y[i] = v <= lower[i]! + slack && p[i]! < 0 ? lower[i]! : v >= upper[i]! - slack && p[i]! > 0 ? upper[i]! : v;
    }
    const value = evaluate(y, g);
    let d = 0;
    for (let i = 0; i < n; i++) d += p[i]! * g[i]!;
    if (!Number.isFinite(value) || !Number.isFinite(d)) return { t, f: Number.POSITIVE_INFINITY, d: Number.POSITIVE_INFINITY };
    if (value < (best?.f ?? f) && value <= f + DECREASE * t * slope) best = { x: y, g, f: value, atEnd: t === longest, t };
    return { t, f: value, d };
  };
  const good = (q: Trial): boolean => Math.abs(q.d) <= -CURVATURE * slope;
  const finish = (q: Trial): LinePoint | undefined => (best?.t === q.t ? best : undefined);
  const zoom = (low: Trial, high: Trial): LinePoint | undefined => {
    for (let k = 0; k < 40; k++) {
      const width = high.t - low.t;
      let t = cubicMinimum(low, high);
      const margin = 0.1 * Math.abs(width);
      if (!(Math.abs(t - low.t) >= margin && Math.abs(t - high.t) >= margin && (t - low.t) * (t - high.t) < 0)) t = low.t + 0.5 * width;
      const q = at(t);
      if (q.f > f + DECREASE * t * slope || q.f >= low.f) high = q;
      else {
        if (good(q)) return finish(q) ?? best;
        if (q.d * width >= 0) high = low;
        low = q;
      }
      if (Math.abs(width) <= 1e-14 * Math.max(low.t, high.t)) break;
    }
    return best;
  };
  let previous: Trial = { t: 0, f, d: slope };
  let t = first;
  for (let k = 0; k < 30; k++) {
    const q = at(t);
    if (q.f > f + DECREASE * t * slope || (k > 0 && q.f >= previous.f)) return zoom(previous, q);
    if (good(q)) return finish(q) ?? best;
    if (q.d >= 0) return zoom(q, previous);
    if (t >= longest) return finish(q) ?? best;
    previous = q;
    t = Math.min(longest, 2.5 * t);
  }
  return best;
}

/** Minimum of the cubic through two values and slopes; NaN when there is none. */
function cubicMinimum(a: Trial, b: Trial): number {
  if (!Number.isFinite(b.f) || !Number.isFinite(a.f)) return Number.NaN;
  const d1 = a.d + b.d - (3 * (a.f - b.f)) / (a.t - b.t);
  const root = d1 * d1 - a.d * b.d;
  if (root < 0) return Number.NaN;
  const d2 = Math.sign(b.t - a.t) * Math.sqrt(root);
  return b.t - ((b.t - a.t) * (b.d + d2 - d1)) / (b.d - a.d + 2 * d2);
}
