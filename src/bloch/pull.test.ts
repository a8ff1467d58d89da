import { expect, test } from "vitest";
import type { Map3, Vec3 } from "../core/frames.js";
import { atom, beam, orientationOnZone, spaceGroup, structure, ubMatrix, unitCell } from "../geometry/index.js";
import { peng1996 } from "../scattering/peng.js";
import { beamPool } from "./beams.js";
import { sweepIntensities } from "./integrate.js";
import { sweepPool } from "./integrate-pool.js";
import { crystalPotential, potentialAt } from "./potential.js";
import { potentialDerivatives } from "./potential-derivatives.js";
import { pullAll } from "./pull.js";
import type { PullProblem } from "./pull-plan.js";
import { directionTangents, exposureDirections } from "./rotation.js";
import { thicknessNodes } from "./thickness.js";

const electrons = beam(200),
  cell = unitCell(4.91, 4.91, 5.41, 90, 90, 120);
const gMax = 0.9;
const quartz = (x = 0.4697, u = 0.006) =>
  structure(cell, spaceGroup("P 32 2 1"), [
    atom({ element: "Si", xyz: [x, 0, 2 / 3], uIso: u }),
    atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.01 }),
  ]);
const made = (x?: number, u?: number) =>
  crystalPotential(quartz(x, u), electrons, { reach: 2 * gMax, factors: peng1996, useInversion: false });
const pool = beamPool(cell, quartz().spaceGroup, gMax);
const ub = ubMatrix(orientationOnZone(cell, [0.3, 1, 0.1], [0, 0, 1]), cell) as unknown as Map3<"lab", "hkl">;
const axes: readonly Vec3<"lab">[] = [
  [1, 0, 0],
  [0, 1, 0],
];
const directions = exposureDirections(
  { kind: "continuous", halfWidthDeg: 0.7 },
  { kind: "quantiles", varianceDeg2: 0.02, count: 2 },
  { sweep: { kind: "midpoint", steps: 7 } },
  { gMax, thickness: 500 },
);
const hkl = pool.hkl.slice(3, 3 * 80);
const n = hkl.length / 3;
const seed = Float64Array.from({ length: n }, (_, i) => Math.sin(1 + i));
// Far limits, so that no beam steps in or out between the two sides of a difference.
const problem = (potential = made(), t = 480): PullProblem => ({
  potential,
  pool,
  ub,
  directions,
  hkl,
  sMax: 0.1,
  depths: ((d) => ({ depth: d.t, weight: d.weights }))(thicknessNodes({ kind: "wedge" }, t, 40)),
  tangents: directionTangents(directions, axes),
  want: "gradient",
  seed,
  tolerance: 1e-12,
});
const loss = (p: PullProblem): number => sweepIntensities(p).intensity.reduce((s, x, i) => s + seed[i]! * x, 0);
const dot = (u: Float64Array, w: Float64Array, from = 0): number => w.reduce((s, x, i) => s + x * u[from + i]!, 0);

test("one seed: coefficients, turns and thickness as central differences", async () => {
  const p = problem();
  await pullAll([p], (r) => {
    expect(Math.abs(r.intensity.reduce((s, x, i) => s + seed[i]! * x, 0) / loss(p) - 1)).toBeLessThan(1e-10);
    const parameters = [
      { kind: "x", atom: 0 },
      { kind: "uIso", atom: 0 },
    ] as const;
    const d = potentialDerivatives(p.potential, quartz(), r.hkl, parameters, { factors: peng1996 });
    const width = r.u.length;
    const h = 1e-5;
    const byX = (loss(problem(made(0.4697 + h))) - loss(problem(made(0.4697 - h)))) / (2 * h);
    const byU = (loss(problem(made(undefined, 0.006 + h))) - loss(problem(made(undefined, 0.006 - h)))) / (2 * h);
    expect(dot(r.u, d.subarray(0, width)) / byX).toBeCloseTo(1, 6);
    expect(dot(r.u, d.subarray(width)) / byU).toBeCloseTo(1, 6);
    const w = new Float64Array(width);
    for (let i = 0; i < width / 2; i++)
      if (r.hkl.subarray(3 * i, 3 * i + 3).some((v) => v !== 0))
        w.set(potentialAt(p.potential, r.hkl[3 * i]!, r.hkl[3 * i + 1]!, r.hkl[3 * i + 2]!), 2 * i);
    const byT = ((loss(problem(undefined, 480.02)) - loss(problem(undefined, 479.98))) / 0.04) * 480;
    expect((r.parameters[2]! + dot(r.u, w)) / byT).toBeCloseTo(1, 5);
    const turned = sweepIntensities({ ...p, turns: axes }).turned;
    axes.forEach((_, t) => {
      const by = turned[t]!.reduce((s, x, i) => s + seed[i]! * x, 0);
      expect(r.parameters[t]! / by).toBeCloseTo(1, 6);
    });
  });
});
test("rows of the Jacobian add up to the gradient; a window keeps what matters; the same bits on workers", async () => {
  const far = beamPool(cell, quartz().spaceGroup, 1.6);
  const wide = crystalPotential(quartz(), electrons, { reach: 3.2, factors: peng1996 });
  const hkl = far.hkl.slice(3, 3 * 500);
  const seed = Float64Array.from({ length: hkl.length / 3 }, (_, i) => Math.sin(1 + i));
  const near: PullProblem = { ...problem(wide), pool: far, hkl, seed, sMax: 0.02 };
  let whole = new Float64Array(0),
    turns = new Float64Array(0);
  await pullAll([near], (r) => {
    whole = r.u.slice() as Float64Array<ArrayBuffer>;
    turns = r.parameters as Float64Array<ArrayBuffer>;
  });
  const { span } = near.potential;
  const place = (h: Int32Array, i: number): number =>
    ((h[3 * i]! + span[0]) * (2 * span[1] + 1) + h[3 * i + 1]! + span[1]) * (2 * span[2] + 1) + h[3 * i + 2]! + span[2];
  const sums: { u: Float64Array; norm: number; turns: number }[] = [];
  for (const window of [undefined, 0.006])
    await pullAll([{ ...near, want: "rows", window }], (r) => {
      const size = r.hkl.length / 3;
      const sum = new Float64Array(whole.length);
      let t = 0;
      r.rowOf.forEach((row, i) => {
        if (row < 0) return;
        t += seed[i]! * r.parameters[3 * row]!;
        for (let k = 0; k < size; k++)
          for (let c = 0; c < 2; c++) sum[2 * place(r.hkl, k) + c]! += seed[i]! * r.u[2 * (row * size + k) + c]!;
      });
      sums.push({ u: sum, norm: Math.sqrt(dot(sum, sum)), turns: t });
    });
  const norm = Math.sqrt(dot(whole, whole));
  const off = (s: Float64Array): number => Math.sqrt(s.reduce((a, x, i) => a + (x - whole[i]!) ** 2, 0)) / norm;
  expect(off(sums[0]!.u)).toBeLessThan(1e-12);
  expect(sums[0]!.turns / turns[0]!).toBeCloseTo(1, 10);
  expect(off(sums[1]!.u)).toBeLessThan(0.1);
  for (const workers of [1, 2]) {
    const on = await sweepPool({ workers });
    const got: Float64Array[] = [];
    await pullAll(
      [
        { ...near, seed },
        { ...near, seed: seed.map((x) => -x) },
        { ...near, seed },
      ],
      (r, i) => (got[i] = r.u.slice()),
      { on },
    );
    await on.pool.close();
    expect(got[0]).toEqual(whole);
    expect(got[2]).toEqual(whole);
    expect(got[1]!.every((x, i) => x === -whole[i]!)).toBe(true);
  }
});
test("an abort ends the work with the signal's reason", async () => {
  const stop = new AbortController();
  const on = await sweepPool({ workers: 2 });
  const many = new Array<PullProblem>(200).fill(problem());
  setTimeout(() => stop.abort(new Error("enough")), 50);
  await expect(pullAll(many, () => undefined, { on, signal: stop.signal })).rejects.toThrow("enough");
  await on.pool.close();
  await expect(pullAll(many, () => undefined, { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
});
