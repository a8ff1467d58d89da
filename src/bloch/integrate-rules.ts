import { fail } from "../core/errors.js";

/** Nodes on an interval or a circle, and their weights. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** Gauss–Legendre rule on [−1, 1], weights of sum 2: Newton's method on the Legendre recurrence, full double precision. */
export function gaussLegendre(count: number): Quadrature {
  if (!(Number.isInteger(count) && count >= 1)) fail("bad-value", { count }, "a quadrature has a whole number of points, at least 1");
  const nodes = new Float64Array(count),
    weights = new Float64Array(count);
  for (let i = 0; i < Math.ceil(count / 2); i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (count + 0.5)),
      slope = 1;
    for (let step = 0; step < 100; step++) {
      let p = 1,
        before = 0;
      for (let k = 1; k <= count; k++) [before, p] = [p, ((2 * k - 1) * x * p - (k - 1) * before) / k];
      slope = (count * (x * p - before)) / (x * x - 1);
      const change = p / slope;
      x -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    if (2 * i + 1 === count) x = 0;
    nodes[i] = -x;
    nodes[count - 1 - i] = x;
    weights[i] = weights[count - 1 - i] = 2 / ((1 - x * x) * slope * slope);
  }
  return { nodes, weights };
}

/** How an interval is sampled: equal steps with a sample in the middle of each, or panels of a Gauss–Legendre rule. */
export type SweepRule =
  | { readonly kind: "midpoint"; readonly steps: number }
  | { readonly kind: "gauss"; readonly panels: number; readonly points: number };

/**
 * Mean over [−half, half]: nodes and weights of sum 1. Midpoints are of second order in the step. Gauss panels converge exponentially where
 * the integrand is smooth, but a cut |Sg| < limit makes it jump, and then equal midpoints are as good.
 */
export function intervalRule(rule: SweepRule, half: number): Quadrature {
  if (!(half >= 0)) fail("bad-value", { half }, "the half width of the sweep is an angle of at least 0");
  if (rule.kind === "midpoint") {
    const n = rule.steps;
    if (!(Number.isInteger(n) && n >= 1)) fail("bad-value", { steps: n }, "steps is a whole number of at least 1");
    return { nodes: Float64Array.from({ length: n }, (_, i) => half * ((2 * i + 1) / n - 1)), weights: new Float64Array(n).fill(1 / n) };
  }
  const { panels, points } = rule;
  if (!(Number.isInteger(panels) && panels >= 1)) fail("bad-value", { panels }, "panels is a whole number of at least 1");
  const g = gaussLegendre(points);
  const at = (i: number): number => Math.floor(i / points);
  return {
    nodes: Float64Array.from({ length: panels * points }, (_, i) => half * ((2 * at(i) + 1 + g.nodes[i % points]!) / panels - 1)),
    weights: Float64Array.from({ length: panels * points }, (_, i) => g.weights[i % points]! / (2 * panels)),
  };
}

/**
 * Rule for a sweep of ±half radians, from the bandwidth of the intensity: as a function of the angle a reflection at distance g from the axis
 * oscillates with up to g·t cycles per radian, and so does the product of two amplitudes. Sixteen-point panels, one for each six cycles
 * of the full sweep.
 */
export function sweepRule(gMax: number, thickness: number, half: number): SweepRule {
  return { kind: "gauss", panels: Math.max(1, Math.ceil((2 * half * gMax * thickness) / 6)), points: 16 };
}
