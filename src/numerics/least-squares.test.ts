import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { maxRelative } from "../testing/close.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { correlationMatrix } from "./covariance.js";
import { type LeastSquaresProblem, leastSquares, leastSquaresSteps } from "./least-squares.js";

interface Row {
  readonly name: string;
  readonly x: number[];
  readonly cov?: number[];
  readonly cost?: number;
}
const golden = new Map(readGolden<Row>("least-squares").rows.map((r) => [r.name, r]));
const y = [5.02, 3.71, 2.93, 2.24, 1.9, 1.51, 1.33, 1.2, 1.09, 1.05, 0.98, 1.02];
/** a·exp(−k t) + c at t = 0, 0.5 … against data. */
const decay = (data: number[]): Pick<LeastSquaresProblem, "residuals" | "jacobian" | "count"> => ({
  count: data.length,
  residuals: ([a, k, c], out) => {
    data.forEach((v, i) => {
      out[i] = a! * Math.exp((-k! * i) / 2) + c! - v;
    });
  },
  jacobian: ([a, k], out) => {
    data.forEach((_, i) => {
      const e = Math.exp((-k! * i) / 2);
      out.set([e, (-a! * e * i) / 2, 1], 3 * i);
    });
  },
});

test("agrees with curve_fit: parameters and covariance, scaled and absolute", () => {
  for (const jacobian of [decay(y).jacobian, undefined]) {
    const plain = leastSquares({ ...decay(y), jacobian, start: [1, 1, 0] });
    expect(plain.status).toBe("converged");
    expect(maxRelative(plain.x, golden.get("plain")!.x)).toBeLessThan(1e-8);
    expect(maxRelative(plain.covariance, golden.get("plain")!.cov!)).toBeLessThan(1e-5);
    const weights = y.map((_, i) => 1 / (0.02 + 0.01 * i) ** 2);
    const weighted = leastSquares({ ...decay(y), jacobian, start: [1, 1, 0], weights, covarianceScale: "none" });
    expect(maxRelative(weighted.x, golden.get("weighted")!.x)).toBeLessThan(1e-8);
    expect(maxRelative(weighted.covariance, golden.get("weighted")!.cov!)).toBeLessThan(1e-5);
    const corr = correlationMatrix(weighted.covariance);
    expect(corr[0]).toBeCloseTo(1, 12);
    expect(Math.abs(corr[1]!)).toBeLessThan(1);
  }
});

test.each(["huber", "soft-l1", "cauchy"] as const)("robust loss %s agrees with scipy and shrugs off two outliers", (kind) => {
  const data = y.slice();
  data[3]! += 3;
  data[8]! -= 2;
  const fit = leastSquares({ ...decay(data), start: [4, 0.7, 1], loss: { kind, scale: 0.1 }, maxIterations: 300 });
  expect(fit.status).toBe("converged");
  expect(Math.abs(fit.cost / golden.get(kind)!.cost! - 1)).toBeLessThan(1e-8);
  expect(maxRelative(fit.x, golden.get(kind)!.x)).toBeLessThan(3e-4);
});

test("bounds: agrees with scipy, says which are active", () => {
  const fit = leastSquares({ ...decay(y), start: [4, 0.5, 1.1], lower: [0, 0, 1.05], upper: [Infinity, 0.6, 2] });
  expect(fit.status).toBe("converged");
  expect(fit.x[1]).toBe(0.6);
  expect(fit.atBound).toContain(1);
  expect(maxRelative(fit.x, golden.get("bounded")!.x)).toBeLessThan(1e-7);
});

test("fixed and tied parameters: the values, their s.u., and the same answer as the problem written with fewer parameters", () => {
  const base = decay(y);
  const fit = leastSquares({ ...base, start: [1, 0.9, 0], fixed: [1], ties: [{ index: 2, constant: -0.1, terms: [[0, 0.25]] }] });
  const direct = leastSquares({
    count: y.length,
    start: [1],
    residuals: ([a], out) => base.residuals(Float64Array.of(a!, 0.9, 0.25 * a! - 0.1), out),
  });
  expect(fit.x[1]).toBe(0.9);
  expect(fit.sigma[1]).toBe(0);
  expect(fit.x[0]).toBeCloseTo(direct.x[0]!, 10);
  expect(fit.x[2]).toBeCloseTo(0.25 * fit.x[0]! - 0.1, 14);
  expect(fit.sigma[0]! / direct.sigma[0]!).toBeCloseTo(1, 7);
  expect(fit.sigma[2]! / fit.sigma[0]!).toBeCloseTo(0.25, 12);
  expect(fit.covariance[2]! / fit.covariance[0]!).toBeCloseTo(0.25, 12);
  expect(fit.rank).toBe(1);
});

const classics: [
  name: string,
  start: number[],
  count: number,
  residuals: LeastSquaresProblem["residuals"],
  solution: number[],
  tol: number,
][] = [
  [
    "Rosenbrock",
    [-1.2, 1],
    2,
    ([a, b], o) => {
      o[0] = 10 * (b! - a! * a!);
      o[1] = 1 - a!;
    },
    [1, 1],
    1e-9,
  ],
  [
    "Powell's badly scaled function",
    [0, 1],
    2,
    ([a, b], o) => {
      o[0] = 1e4 * a! * b! - 1;
      o[1] = Math.exp(-a!) + Math.exp(-b!) - 1.0001;
    },
    [1.098159327798305e-5, 9.106146739867318],
    1e-4,
  ],
  [
    "Powell's singular function (rank 2 at the solution)",
    [3, -1, 0, 1],
    4,
    ([a, b, c, d], o) => {
      o[0] = a! + 10 * b!;
      o[1] = Math.sqrt(5) * (c! - d!);
      o[2] = (b! - 2 * c!) ** 2;
      o[3] = Math.sqrt(10) * (a! - d!) ** 2;
    },
    [0, 0, 0, 0],
    2e-2,
  ],
  [
    "helical valley",
    [-1, 0, 0],
    3,
    ([a, b, c], o) => {
      const theta = Math.atan(b! / a!) / (2 * Math.PI) + (a! < 0 ? 0.5 : 0);
      o[0] = 10 * (c! - 10 * theta);
      o[1] = 10 * (Math.hypot(a!, b!) - 1);
      o[2] = c!;
    },
    [1, 0, 0],
    1e-9,
  ],
];
test.each(classics)("%s", (name, start, count, residuals, solution, tol) => {
  const fit = leastSquares({ residuals, count, start, maxIterations: 400, costTolerance: 1e-14 });
  expect(fit.status).toBe(name.includes("singular") ? "max-iterations" : "converged"); // the singular one converges linearly, for ever
  solution.forEach((v, i) => {
    expect(Math.abs(fit.x[i]! - v)).toBeLessThan(tol * Math.max(1, Math.abs(v)));
  });
});

test("a parameter without influence, and two with the same: rank, infinite s.u., the rest as if they were not there", () => {
  const x = [0, 1, 2, 3, 4, 5],
    data = [1.1, 2.9, 5.2, 6.8, 9.1, 11];
  const fit = leastSquares({
    count: 6,
    start: [0, 0, 0, 5],
    residuals: ([a, b, c], out) => out.set(x.map((v, i) => a! + (b! + c!) * v - data[i]!)),
  });
  const less = leastSquares({
    count: 6,
    start: [0, 0],
    residuals: ([a, b], out) => out.set(x.map((v, i) => a! + b! * v - data[i]!)),
  });
  expect(fit.rank).toBe(2);
  expect(fit.condition).toBe(Number.POSITIVE_INFINITY);
  expect(fit.x[3]).toBe(5);
  expect([...fit.sigma].map(Number.isFinite)).toEqual([true, false, false, false]);
  expect(fit.x[1]! + fit.x[2]!).toBeCloseTo(less.x[1]!, 9);
  expect(fit.sigma[0]! / less.sigma[0]!).toBeCloseTo(1, 8);
});

const small = fc.double({ min: -3, max: 3, noNaN: true });
prop(
  "a linear problem: residuals orthogonal to the columns, whatever the units of the parameters",
  [
    fc.array(small, { minLength: 24, maxLength: 24 }),
    fc.array(small, { minLength: 8, maxLength: 8 }),
    fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 }),
  ],
  (a, b, powers) => {
    const unit = powers.map((e) => 10 ** e);
    const fit = leastSquares({
      count: 8,
      start: [0, 0, 0],
      residuals: (p, out) => out.set(b.map((v, i) => unit.reduce((s, u, j) => s + a[3 * i + j]! * u * p[j]!, -v))),
      jacobian: (_, out) => out.set(a.map((v, k) => v * unit[k % 3]!)),
    });
    for (let j = 0; j < 3; j++) {
      let dot = 0,
        col = 0;
      for (let i = 0; i < 8; i++) {
        dot += a[3 * i + j]! * fit.residuals[i]!;
        col += a[3 * i + j]! ** 2;
      }
      expect(Math.abs(dot)).toBeLessThanOrEqual(1e-6 * Math.sqrt(col) * Math.hypot(...b) + 1e-12);
    }
  },
);

prop("never leaves the box, and the projected gradient vanishes", [small, small, small, small], (l0, w0, c0, c1) => {
  const lower = [l0, -1],
    upper = [w0 > 2.5 ? l0 : l0 + Math.abs(w0) + 1e-3, 0.5]; // sometimes no room at all
  const fit = leastSquares({
    count: 3,
    start: [0, 0],
    lower,
    upper,
    residuals: ([a, b], o) => {
      if (a! < lower[0]! || a! > upper[0]! || b! < -1 || b! > 0.5) throw new Error("outside the bounds");
      o[0] = a! - c0;
      o[1] = b! * b! * b! + b! - c1;
      o[2] = 0.1 * a! * b!;
    },
  });
  expect(fit.status).toBe("converged");
  const [a, b] = fit.x as unknown as [number, number];
  const g = [fit.residuals[0]! + 0.1 * b * fit.residuals[2]!, fit.residuals[1]! * (3 * b * b + 1) + 0.1 * a * fit.residuals[2]!];
  g.forEach((v, j) => {
    const x = fit.x[j]!;
    if (x > lower[j]! + 1e-12 && x < upper[j]! - 1e-12) expect(Math.abs(v)).toBeLessThan(1e-5);
    else if (lower[j] !== upper[j]) expect(x - lower[j]! <= 1e-12 ? v : -v).toBeGreaterThan(-1e-5);
  });
});

test("outcomes: iteration limit, a wrong Jacobian stalls, trial points that fail are stepped around", () => {
  expect(leastSquares({ ...decay(y), start: [1, 1, 0], maxIterations: 1 }).status).toBe("max-iterations");
  const wrong = leastSquares({
    ...decay(y),
    start: [1, 1, 0],
    jacobian: (_, o) => void decay(y).jacobian!(Float64Array.of(-1, 3, 0), o.fill(-1)),
  });
  expect(wrong.status).not.toBe("converged");
  const log = leastSquares({ count: 1, start: [1], residuals: ([a], o) => o.fill(Math.log(a!) + 5) });
  expect(log.x[0]).toBeCloseTo(Math.exp(-5), 12);
});

test("as a generator: one step an iteration, with the cost", () => {
  const steps = leastSquaresSteps({ ...decay(y), start: [1, 1, 0] });
  const first = steps.next();
  expect(first.done).toBe(false);
  expect(first.value).toMatchObject({ done: 1, total: 100 });
});

test("wrong calls name their cure", () => {
  const code = (extra: Partial<LeastSquaresProblem>): string => {
    try {
      leastSquares({ ...decay(y), start: [1, 1, 0], ...extra });
      return "none";
    } catch (e) {
      return isSdkError(e) ? e.code : String(e);
    }
  };
  expect(code({ start: [Number.NaN, 1, 0] })).toBe("bad-value");
  expect(code({ residuals: (_, o) => void o.fill(Number.NaN) })).toBe("bad-value");
  expect(code({ lower: [2, 0, 0], upper: [1, 1, 1] })).toBe("bad-value");
  expect(code({ lower: [0] })).toBe("bad-shape");
  expect(code({ fixed: [7] })).toBe("out-of-range");
  expect(code({ weights: [1] })).toBe("bad-shape");
  expect(code({ weights: y.map(() => -1) })).toBe("bad-value");
  expect(
    code({
      ties: [
        { index: 0, terms: [[1, 1]] },
        { index: 1, terms: [[0, 1]] },
      ],
    }),
  ).toBe("bad-value");
  expect(code({ loss: { kind: "huber", scale: 0 } })).toBe("bad-value");
});
