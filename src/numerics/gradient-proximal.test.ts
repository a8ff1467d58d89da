import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import {
  boxProjection,
  type Proximal,
  type ProximalProblem,
  proximalGradient,
  simplexProjection,
  softThreshold,
} from "./gradient-proximal.js";
import { minimise } from "./lbfgs.js";

const numbers = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 1, maxLength: 8 });
const project = (p: Proximal, x: number[], step = 1): Float64Array => {
  const out = new Float64Array(x.length);
  p(out, Float64Array.from(x), step);
  return out;
};

prop(
  "the simplex projection is in the simplex, and no vertex is nearer in direction",
  [numbers, fc.double({ min: 0.1, max: 4, noNaN: true })],
  (x, total) => {
    const z = project(simplexProjection(total), x);
    expect(z.reduce((s, v) => s + v, 0)).toBeCloseTo(total, 10);
    expect(Math.min(...z)).toBeGreaterThanOrEqual(0);
    // variational inequality (x − z)ᵀ(v − z) <= 0 for every vertex v
    for (let k = 0; k < x.length; k++) {
      let dot = 0;
      for (let i = 0; i < x.length; i++) dot += (x[i]! - z[i]!) * ((i === k ? total : 0) - z[i]!);
      expect(dot).toBeLessThan(1e-9);
    }
  },
);

prop(
  "soft threshold: the optimality condition of h(z) + |z − x|²/2t",
  [numbers, fc.double({ min: 0.01, max: 2, noNaN: true })],
  (x, weight) => {
    project(softThreshold(weight), x, 0.5).forEach((z, i) => {
      const slope = (x[i]! - z) / 0.5; // must be in weight·∂|z|
      if (z === 0) expect(Math.abs(slope)).toBeLessThanOrEqual(weight * (1 + 1e-12));
      else expect(slope).toBeCloseTo(weight * Math.sign(z), 10);
    });
  },
);

/** ½|Bx − c|² with B [m, n]. */
const quadratic = (m: number, n: number, seed: number): ProximalProblem["value"] => {
  const g = rng(seed),
    b = Array.from({ length: m * n }, () => g.normal()),
    c = Array.from({ length: m }, () => g.normal());
  return (x, gradient) => {
    let f = 0;
    gradient.fill(0);
    for (let i = 0; i < m; i++) {
      let r = -c[i]!;
      for (let j = 0; j < n; j++) r += b[i * n + j]! * x[j]!;
      f += 0.5 * r * r;
      for (let j = 0; j < n; j++) gradient[j]! += b[i * n + j]! * r;
    }
    return f;
  };
};

prop(
  "lasso: the subgradient conditions hold at the solution",
  [fc.integer({ min: 0, max: 1e6 })],
  (seed) => {
    const value = quadratic(12, 6, seed),
      weight = 1.5;
    const fit = proximalGradient({ value, proximal: softThreshold(weight), start: new Float64Array(6), tolerance: 1e-12 });
    expect(fit.status).toBe("converged");
    const g = new Float64Array(6);
    value(fit.x, g);
    fit.x.forEach((x, i) => {
      if (x === 0) expect(Math.abs(g[i]!)).toBeLessThanOrEqual(weight + 1e-6);
      else expect(g[i]!).toBeCloseTo(-weight * Math.sign(x), 6);
    });
  },
  { runs: 30 },
);

prop(
  "a box by projection: the same point as bounded L-BFGS",
  [fc.integer({ min: 0, max: 1e6 })],
  (seed) => {
    const value = quadratic(10, 5, seed);
    const fit = proximalGradient({ value, proximal: boxProjection(-0.2, 0.3), start: new Float64Array(5), tolerance: 1e-12 });
    const other = minimise({
      value: (x, g) => value(x, g ?? new Float64Array(5)),
      start: new Float64Array(5),
      lower: new Float64Array(5).fill(-0.2),
      upper: new Float64Array(5).fill(0.3),
    });
    fit.x.forEach((v, i) => {
      expect(v).toBeCloseTo(other.x[i]!, 6);
    });
  },
  { runs: 30 },
);

test("outcomes and refusals", () => {
  const value = quadratic(10, 5, 1);
  expect(proximalGradient({ value, start: new Float64Array(5), maxIterations: 2 }).status).toBe("max-iterations");
  for (const f of [
    () => softThreshold(-1),
    () => boxProjection(1, 0),
    () => simplexProjection(0),
    () => proximalGradient({ value: () => Number.NaN, start: [1] }),
  ])
    expect(() => f()).toThrow(/bad-value/);
  try {
    softThreshold(-1);
  } catch (e) {
    expect(isSdkError(e, "bad-value")).toBe(true);
  }
});
