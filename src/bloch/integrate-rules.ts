import { fail } from "../core/errors.js";
import { gaussLegendre } from "../scattering/absorptive.js";

/** Nodes on an interval or a circle, and their weights. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
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
    nodes: Float64Array.from({ length: panels * points }, (_, i) => half * ((2 * at(i) + 1 + g.x[i % points]!) / panels - 1)),
    weights: Float64Array.from({ length: panels * points }, (_, i) => g.w[i % points]! / (2 * panels)),
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
