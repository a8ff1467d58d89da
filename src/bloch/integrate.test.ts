import { expect, test } from "vitest";
import { compose, type Map3 } from "../core/frames.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { reciprocalBasis } from "../geometry/metric.js";
import { rotationAbout } from "../geometry/rotation.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import { beamPool, selectBeams } from "./beams.js";
import { incidenceFromLab } from "./incidence.js";
import { type SweepProblem, sweepAll, sweepIntensities } from "./integrate.js";
import { sweepPool } from "./integrate-pool.js";
import { besselOrders } from "./integrate-spectrum.js";
import { crystalPotential } from "./potential.js";
import { propagate } from "./propagate.js";
import { exposureDirections } from "./rotation.js";
import { structureMatrix } from "./structure-matrix.js";
import { thicknessNodes } from "./thickness.js";
import { blochIntensities } from "./waves.js";

const cell = unitCell(4.9137, 4.9137, 5.4047, 90, 90, 120);
const quartz = structure(cell, spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.4697, 0, 1 / 3 + 1 / 3], uIso: 0.007 }),
  atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.012 }),
]);
const electrons = beam(200);
const ub = compose(rotationAbout<"lab", "crystal">([0.3, 0.8, -0.5], 0.9), reciprocalBasis(cell)) as Map3<"lab", "hkl">;
const gMax = 1.4;
const pool = beamPool(cell, quartz.spaceGroup, gMax);
const potential = crystalPotential(quartz, electrons, { reach: 2 * gMax });
const nodes = thicknessNodes({ kind: "wedge" }, 500, 2 * Math.PI * 500 * 0.013);
const directions = exposureDirections(
  { kind: "continuous", halfWidthDeg: 0.6 },
  { kind: "quantiles", varianceDeg2: 0.02, count: 3 },
  { sweep: { kind: "midpoint", steps: 7 } },
  { gMax, thickness: 500 },
);
const problem: SweepProblem = {
  potential,
  pool,
  ub,
  directions,
  hkl: pool.hkl,
  depths: { depth: nodes.t, weight: nodes.weights },
  sMax: 0.01,
};

/** The same integral, one structure matrix and one eigenproblem for each direction. */
function slowly(p: SweepProblem): Float64Array {
  const out = new Float64Array(p.hkl.length / 3);
  const d = p.directions;
  for (let j = 0; j < d.size; j++) {
    const kappa = [d.kappa[3 * j]!, d.kappa[3 * j + 1]!, d.kappa[3 * j + 2]!] as const;
    // the crystal turned so that κ falls on −z: any such turn will do
    const axis = [kappa[1], -kappa[0], 0] as const,
      size = Math.hypot(...axis);
    const turn = size === 0 ? [0, 0, 1] : axis;
    const turned = compose(rotationAbout<"lab", "lab">(turn as [number, number, number], -Math.asin(Math.min(1, size))), p.ub);
    const inc = incidenceFromLab(cell, turned, electrons);
    const { strong } = selectBeams(p.pool, inc, { sMax: p.sMax, strength: p.strength }, p.potential);
    const m = structureMatrix(p.potential, strong, p.normal ? incidenceFromLab(cell, turned, electrons, p.normal) : inc, {
      surfaceNormal: p.normal !== undefined,
    });
    const all = blochIntensities(propagate(m, p.depths.depth, { solver: p.potential.absorbing ? "expm" : "eigen" }));
    const at = new Map(Array.from({ length: m.size }, (_, i) => [m.hkl.subarray(3 * i, 3 * i + 3).join(), i]));
    for (let i = 0; i < out.length; i++) {
      const b = at.get(p.hkl.subarray(3 * i, 3 * i + 3).join());
      if (b === undefined) continue;
      p.depths.weight.forEach((w, t) => {
        out[i]! += d.weight[j]! * w * all[t * m.size + b]!;
      });
    }
  }
  return out;
}
const worst = (a: Float64Array, b: Float64Array): number => a.reduce((m, x, i) => Math.max(m, Math.abs(x - b[i]!)), 0);

test("the batched recursion is the sum of single eigenproblems", () => {
  const fast = sweepIntensities(problem);
  expect(worst(fast.intensity, slowly(problem))).toBeLessThan(1e-9);
  expect(fast.intensity.filter((x) => x > 1e-5).length).toBeGreaterThan(15);
  const strong = { ...problem, strength: 0.005 };
  const r = sweepIntensities(strong);
  expect(r.meanBeams).toBeGreaterThan(fast.meanBeams + 1);
  expect(worst(r.intensity, slowly(strong))).toBeLessThan(1e-9);
});
test("absorption goes with the potential", () => {
  const absorbing = crystalPotential(quartz, electrons, {
    reach: 2 * gMax,
    absorption: { kind: "factors", source: thomasAbsorptive(electrons) },
  });
  const few = {
    ...problem,
    potential: absorbing,
    directions: exposureDirections({ kind: "static" }, { kind: "none" }, {}, { gMax, thickness: 500 }),
  };
  expect(worst(sweepIntensities(few).intensity, slowly(few))).toBeLessThan(1e-9);
});
test("an inclined foil: surface factors, depths along the normal", () => {
  const inclined = {
    ...problem,
    normal: [0, Math.sin(0.6), -Math.cos(0.6)] as const,
    directions: exposureDirections({ kind: "static" }, { kind: "none" }, {}, { gMax, thickness: 500 }),
  };
  const r = sweepIntensities(inclined).intensity;
  expect(worst(r, slowly(inclined))).toBeLessThan(1e-9);
  expect(worst(r, sweepIntensities({ ...inclined, normal: undefined }).intensity)).toBeGreaterThan(3e-3);
});
test("depths and directions kept apart add up to the mean", () => {
  const whole = sweepIntensities(problem).intensity;
  const n = problem.hkl.length / 3;
  const byDepth = sweepIntensities({ ...problem, apart: "depths" }).intensity;
  const sum = new Float64Array(n);
  nodes.weights.forEach((w, t) => {
    for (let i = 0; i < n; i++) sum[i]! += w * byDepth[t * n + i]!;
  });
  expect(worst(sum, whole)).toBeLessThan(1e-12);
  const byDirection = sweepIntensities({ ...problem, apart: "directions" }).intensity;
  const total = new Float64Array(n);
  directions.weight.forEach((w, d) => {
    for (let i = 0; i < n; i++) total[i]! += w * byDirection[d * n + i]!;
  });
  expect(worst(total, whole)).toBeLessThan(1e-12);
});
test("derivatives with respect to turns are those of differences", () => {
  const axes = [[1, 0, 0] as const, [0, 1, 0] as const];
  // a limit on |Sg| far out, so that no beam steps in or out between the two sides
  const few = {
    ...problem,
    sMax: 0.05,
    pool: beamPool(cell, quartz.spaceGroup, 0.6),
    directions: exposureDirections(
      { kind: "continuous", halfWidthDeg: 0.3 },
      { kind: "none" },
      { sweep: { kind: "midpoint", steps: 5 } },
      { gMax, thickness: 500 },
    ),
    sampling: {},
  };
  const { turned } = sweepIntensities({ ...few, turns: axes });
  axes.forEach((axis, t) => {
    const side = (h: number): Float64Array =>
      sweepIntensities({ ...few, ub: compose(rotationAbout<"lab", "lab">(axis as unknown as [number, number, number], h), ub) }).intensity;
    const h = 2e-5;
    const [a, b, c, d] = [side(h), side(-h), side(2 * h), side(-2 * h)];
    const slope = a.map((x, i) => (8 * (x - b[i]!) - (c[i]! - d[i]!)) / (12 * h));
    const largest = slope.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
    expect(largest).toBeGreaterThan(1);
    expect(worst(turned[t]!, slope) / largest).toBeLessThan(1e-6);
  });
});
test("workers do not change a bit, and say what is wrong with the input", async () => {
  const on = await sweepPool({ workers: 2 });
  try {
    const problems = [
      problem,
      {
        ...problem,
        directions: exposureDirections(
          { kind: "precession", semiAngleDeg: 0.5 },
          { kind: "none" },
          { azimuths: 300 },
          { gMax, thickness: 500 },
        ),
      },
    ];
    const parallel = await sweepAll(problems, { on });
    const alone = await sweepAll(problems);
    parallel.forEach((r, i) => {
      expect(Array.from(r.intensity)).toEqual(Array.from(alone[i]!.intensity));
    });
  } finally {
    await on.pool.close();
  }
  const bad = (change: Partial<SweepProblem>) => () => sweepIntensities({ ...problem, ...change });
  expect(bad({ depths: { depth: Float64Array.of(0), weight: Float64Array.of(1) } })).toThrow(/thicknesses are positive/);
  expect(bad({ ub: ub.map(() => Number.NaN) as unknown as Map3<"lab", "hkl"> })).toThrow(/NaN angles/);
  expect(bad({ sMax: Number.NaN })).toThrow(/sMax/);
  expect(bad({ pool: beamPool(cell, quartz.spaceGroup, 2) })).toThrow(/reach/);
});
test("Bessel functions of all orders", () => {
  // Abramowitz & Stegun, tables 9.1 and 9.4
  expect(besselOrders(2, 3)[0]).toBeCloseTo(0.2238907791, 10);
  expect(besselOrders(10, 11)[10]).toBeCloseTo(0.2074861066, 10);
  expect(besselOrders(100, 101)[100]).toBeCloseTo(0.0963666733, 9);
  expect(besselOrders(0, 2)).toEqual(Float64Array.of(1, 0));
});
test("an abort ends the work with the signal's reason, in the middle of a problem", async () => {
  const long = {
    ...problem,
    directions: exposureDirections(
      { kind: "precession", semiAngleDeg: 0.5 },
      { kind: "none" },
      { azimuths: 4000 },
      { gMax, thickness: 500 },
    ),
  };
  const many = new Array<SweepProblem>(60).fill(long);
  const on = await sweepPool({ workers: 2 });
  for (const run of [{ on }, {}]) {
    const stop = new AbortController();
    let most = 0;
    const onProgress = (done: number): void => {
      most = done;
    };
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(sweepAll(many, { ...run, onProgress, signal: stop.signal })).rejects.toThrow("enough");
    expect(most).toBeLessThan(many.length);
  }
  const again = await sweepAll([problem], { on });
  await on.pool.close();
  expect(Array.from(again[0]!.intensity)).toEqual(Array.from(sweepIntensities(problem).intensity));
});
