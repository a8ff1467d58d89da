import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { differenceGradient, gradientError } from "./gradient.js";
import { type MinimiseProblem, minimise, minimiseSteps } from "./lbfgs.js";

/** Σ 100 (x_{i+1} − x_i²)² + (1 − x_i)². */
const rosenbrock: MinimiseProblem["value"] = (x, g) => {
  let f = 0;
  g?.fill(0);
  for (let i = 0; i + 1 < x.length; i++) {
    const a = x[i + 1]! - x[i]! ** 2,
      b = 1 - x[i]!;
    f += 100 * a * a + b * b;
    if (g) {
      g[i]! += -400 * a * x[i]! - 2 * b;
      g[i + 1]! += 200 * a;
    }
  }
  return f;
};

test("analytic gradients pass the finite-difference check, and a wrong one does not", () => {
  const x = [0.3, -1.2, 0.7, 2],
    g = new Float64Array(4);
  rosenbrock(Float64Array.from(x), g);
  const numeric = differenceGradient((p) => rosenbrock(p), x);
  expect(gradientError(g, numeric)).toBeLessThan(1e-8);
  g[1]! *= -1;
  expect(gradientError(g, numeric)).toBeGreaterThan(0.1);
  expect(gradientError(Float64Array.of(Number.NaN), Float64Array.of(1))).toBeNaN();
});

test.each([2, 10, 200])("Rosenbrock in %d dimensions, analytic and numerical gradient", (n) => {
  const start = Array.from({ length: n }, (_, i) => (i % 2 ? 1 : -1.2));
  const fit = minimise({ value: rosenbrock, start, maxIterations: 3000 });
  expect(fit.status).toBe("converged");
  expect(fit.value).toBeLessThan(1e-14);
  if (n > 10) return;
  const numeric = minimise({ value: (x) => rosenbrock(x), start, numericalGradient: true, gradientTolerance: 1e-6 });
  expect(numeric.status).toBe("converged");
  numeric.x.forEach((v) => {
    expect(v).toBeCloseTo(1, 5);
  });
});

prop(
  "bounded strictly convex quadratic: inside the box always, and the optimality conditions hold",
  [fc.integer({ min: 1, max: 12 }), fc.integer()],
  (n, seed) => {
    const r = rng(seed);
    const b = Array.from({ length: n * n }, () => r.normal());
    const centre = Array.from({ length: n }, () => 2 * r.normal());
    const lower = centre.map(() => (r.uniform() < 0.2 ? Number.NEGATIVE_INFINITY : -r.uniform())),
      upper = lower.map((l) => (r.uniform() < 0.2 ? Number.POSITIVE_INFINITY : Math.max(l, -1) + 1.5 * r.uniform()));
    const value: MinimiseProblem["value"] = (x, g) => {
      for (let i = 0; i < n; i++) if (!(x[i]! >= lower[i]! && x[i]! <= upper[i]!)) throw new Error("outside the box");
      const d = Array.from(x, (v, i) => v - centre[i]!);
      const bd = Array.from({ length: n }, (_, i) => d.reduce((s, v, j) => s + b[i * n + j]! * v, 0));
      let f = 0;
      for (let i = 0; i < n; i++) f += 0.5 * bd[i]! ** 2 + 0.05 * d[i]! ** 2;
      if (g) for (let j = 0; j < n; j++) g[j] = bd.reduce((s, v, i) => s + b[i * n + j]! * v, 0.1 * d[j]!);
      return f;
    };
    const fit = minimise({ value, start: new Float64Array(n), lower, upper, gradientTolerance: 1e-7, maxIterations: 5000 });
    expect(fit.status).toBe("converged");
    for (let i = 0; i < n; i++) {
      const g = fit.gradient[i]!;
      if (fit.x[i]! > lower[i]! + 1e-7 && fit.x[i]! < upper[i]! - 1e-7) expect(Math.abs(g)).toBeLessThan(2e-4);
      else if (fit.x[i] === lower[i]) expect(g).toBeGreaterThan(-1e-6);
      else if (fit.x[i] === upper[i]) expect(g).toBeLessThan(1e-6);
    }
  },
);

test("bounds active at the solution; a start outside is moved in", () => {
  const fit = minimise({ value: rosenbrock, start: [5, 5], lower: [-2, -2], upper: [0.5, 2] });
  expect(fit.status).toBe("converged");
  expect(fit.x[0]).toBe(0.5);
  expect(fit.x[1]).toBeCloseTo(0.25, 7);
  expect(fit.atBound).toEqual([0]);
});

test("values that are not finite are stepped around; a kink stalls; the limit is told; steps report the value", () => {
  const log: MinimiseProblem["value"] = (x, g) => {
    if (g) g[0] = 1 - 3 / x[0]!;
    return x[0]! - 3 * Math.log(x[0]!);
  };
  expect(minimise({ value: log, start: [0.01] }).x[0]).toBeCloseTo(3, 7);
  const wrongGradient: MinimiseProblem["value"] = (x, g) => {
    g?.fill(-1);
    return x[0]! ** 2;
  };
  const wrong = minimise({ value: wrongGradient, start: [1] });
  expect(wrong.status).toBe("stalled");
  expect(minimise({ value: rosenbrock, start: [-1.2, 1], maxIterations: 2 }).status).toBe("max-iterations");
  expect(minimiseSteps({ value: rosenbrock, start: [-1.2, 1] }).next().value).toMatchObject({ done: 1, total: 1000 });
});

test("wrong calls name their cure", () => {
  const code = (extra: Partial<MinimiseProblem>): string => {
    try {
      minimise({ value: rosenbrock, start: [1, 2], ...extra });
      return "none";
    } catch (e) {
      return isSdkError(e) ? e.code : String(e);
    }
  };
  expect(code({ start: [Number.NaN, 1] })).toBe("bad-value");
  expect(code({ lower: [1] })).toBe("bad-shape");
  expect(code({ lower: [3, 3], upper: [1, 1] })).toBe("bad-value");
  expect(code({ value: () => Number.NaN })).toBe("bad-value");
});
