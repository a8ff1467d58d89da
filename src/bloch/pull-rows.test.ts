import { expect, test } from "vitest";
import { apply, compose, inverse, type Map3, type Vec3 } from "../core/frames.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { reciprocalBasis } from "../geometry/metric.js";
import { rotationAbout } from "../geometry/rotation.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, type Structure, structure } from "../geometry/structure.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import { guardedArena } from "../testing/guarded-arena.js";
import { selectBeams } from "./beams.js";
import { blochJacobian } from "./derivatives.js";
import { type DynamicalFrame, type FrameModel, frameCrystal, frameProblem } from "./frames.js";
import { incidence } from "./incidence.js";
import { type SweepProblem, sweepIntensities } from "./integrate.js";
import { sweepPool } from "./integrate-pool.js";
import { type Absorption, potentialLayout } from "./potential.js";
import { type CrystalParameter, potentialDerivatives } from "./potential-derivatives.js";
import { pullAll } from "./pull.js";
import type { PullProblem, PullResult } from "./pull-plan.js";
import { directionTangents } from "./rotation.js";
import { structureMatrix } from "./structure-matrix.js";

const electrons = beam(200),
  gMax = 1.1;
const quartz = structure(unitCell(4.9137, 4.9137, 5.4047, 90, 90, 120), spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.007 }),
  atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uAniso: [0.012, 0.009, 0.011, 0.006, 0.002, 0.001] }),
]);
const rutile = structure(unitCell(4.594, 4.594, 2.959), spaceGroup("P 42/m n m"), [
  atom({ element: "Ti", xyz: [0, 0, 0], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.3049, 0.3049, 0], uIso: 0.009 }),
]);
const parameters: CrystalParameter[] = [
  { kind: "occupancy", atom: 0 },
  { kind: "uIso", atom: 0 },
  { kind: "occupancy", atom: 1 },
  { kind: "form", element: "O", derivative: (s) => Math.exp(-2 * s * s) },
];
const model: FrameModel = {
  gMax,
  sMax: 0.02,
  thickness: 400,
  thicknessModel: { kind: "wedge" },
  mosaicity: { kind: "gaussian", sigmaDeg: 0.05, count: 3 },
  sampling: { sweep: { kind: "midpoint", steps: 9 } },
};
const turns = [[1, 0, 0] as const, [0, 1, 0] as const];
function setUp(s: Structure, absorption?: Absorption) {
  const crystal = frameCrystal(s, electrons, gMax, { absorption });
  const ub = compose(rotationAbout<"lab", "crystal">([0.3, 0.8, -0.5], 0.9), reciprocalBasis(s.cell)) as Map3<"lab", "hkl">;
  const hkl = crystal.pool.hkl.slice(3);
  const frame: DynamicalFrame = { id: "1", ub, alphaDeg: 0, exposure: { kind: "continuous", halfWidthDeg: 0.4 }, hkl };
  const problem = frameProblem(crystal, frame, model, turns);
  const derivatives = (list: Int32Array): Float64Array => potentialDerivatives(crystal.potential, s, list, parameters, { absorption });
  return { crystal, frame, problem: { ...problem, tolerance: 1e-12 }, derivatives };
}
/** The same, one orientation after the other by the single-orientation adjoint. */
function slowly(s: Structure, p: SweepProblem, absorption?: Absorption) {
  const n = p.hkl.length / 3,
    jacobian = new Float64Array(n * parameters.length),
    byLogThickness = new Float64Array(n),
    toHkl = inverse(p.ub);
  for (let d = 0; d < p.directions.size; d++) {
    const k = [0, 1, 2].map((i) => p.directions.kappa[3 * d + i]! * electrons.k) as unknown as Vec3<"lab">;
    const inc = incidence(p.potential.cell, apply(toHkl, k));
    const { strong } = selectBeams(p.pool, inc, { sMax: p.sMax });
    const m = structureMatrix(p.potential, strong, inc, { surfaceNormal: false });
    const J = blochJacobian(m, { t: p.depths.depth, weights: p.depths.weight }, s, parameters, { absorption });
    const place = new Map(Array.from({ length: n }, (_, i) => [p.hkl.subarray(3 * i, 3 * i + 3).join(), i]));
    for (let g = 0; g < m.size; g++) {
      const i = place.get(strong.subarray(3 * g, 3 * g + 3).join());
      if (i === undefined) continue;
      const w = p.directions.weight[d]!;
      byLogThickness[i]! += w * J.logThickness[g]!;
      for (let j = 0; j < parameters.length; j++) jacobian[i * parameters.length + j]! += w * J.parameters[g * parameters.length + j]!;
    }
  }
  return { jacobian, byLogThickness };
}
const largest = (x: Float64Array): number => x.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
const far = (x: Float64Array, y: Float64Array): number => x.reduce((m, v, i) => Math.max(m, Math.abs(v - y[i]!)), 0) / largest(y);

/** Derivatives with respect to the parameters, shape [seeds, parameters]. */
function chained(r: PullResult, derivatives: (hkl: Int32Array) => Float64Array): Float64Array {
  const d = derivatives(r.hkl),
    width = (2 * r.hkl.length) / 3,
    seeds = r.u.length / width;
  const out = new Float64Array(seeds * parameters.length);
  for (let s = 0; s < seeds; s++)
    for (let j = 0; j < parameters.length; j++)
      for (let k = 0; k < width; k++) out[s * parameters.length + j]! += r.u[s * width + k]! * d[j * width + k]!;
  return out;
}
/** Σ conj(u) W, which the derivative with respect to ln t leaves out. */
function throughW(r: PullResult, p: PullProblem, s: number): number {
  const { sh, sk, centre } = potentialLayout(p.potential.span),
    { table, real } = p.potential,
    size = r.hkl.length / 3;
  let sum = 0;
  for (let k = 0; k < size; k++) {
    const at = centre + r.hkl[3 * k]! * sh + r.hkl[3 * k + 1]! * sk + r.hkl[3 * k + 2]!,
      from = 2 * (s * size + k);
    sum += real ? r.u[from]! * table[at]! : r.u[from]! * table[2 * at]! + r.u[from + 1]! * table[2 * at + 1]!;
  }
  return sum;
}

test.each([
  ["quartz, complex", quartz, undefined],
  ["quartz, absorbing", quartz, { kind: "factors", source: thomasAbsorptive(electrons) }],
  ["rutile, real", rutile, undefined],
] as const)("%s: rows, their sum, thickness and turns of a frame", async (_, s, absorption) => {
  const { problem, derivatives } = setUp(s, absorption);
  const n = problem.hkl.length / 3,
    count = parameters.length;
  const single = slowly(s, problem, absorption),
    plain = sweepIntensities(problem);
  const seed = Float64Array.from({ length: n }, (_v, i) => Math.cos(3 * i));
  const rows: PullProblem = { ...problem, tangents: directionTangents(problem.directions, turns), want: "rows" };
  const J = new Float64Array(n * count),
    byT = new Float64Array(n),
    turned = turns.map(() => new Float64Array(n));
  await pullAll([rows], (r) => {
    expect(far(r.intensity, plain.intensity)).toBeLessThan(1e-10);
    const c = chained(r, derivatives);
    r.rowOf.forEach((row, i) => {
      if (row < 0) return;
      J.set(c.subarray(row * count, (row + 1) * count), i * count);
      byT[i] = r.parameters[3 * row + 2]! + throughW(r, rows, row);
      for (let t = 0; t < 2; t++) turned[t]![i] = r.parameters[3 * row + t]!;
    });
  });
  expect(largest(single.jacobian)).toBeGreaterThan(1e-3);
  expect(far(J, single.jacobian)).toBeLessThan(1e-9);
  expect(far(byT, single.byLogThickness)).toBeLessThan(1e-9);
  turns.forEach((_axis, t) => {
    expect(far(turned[t]!, plain.turned[t]!)).toBeLessThan(1e-9);
  });
  const sum = (f: (i: number) => number): number => seed.reduce((x, c, i) => x + c * f(i), 0);
  const gradient: PullProblem = { ...rows, want: "gradient", seed };
  await pullAll([gradient], (r) => {
    expect(far(r.intensity, plain.intensity)).toBeLessThan(1e-10);
    const c = chained(r, derivatives);
    parameters.forEach((_p, j) => {
      expect(Math.abs(c[j]! - sum((g) => J[g * count + j]!)) / largest(J)).toBeLessThan(1e-10);
    });
    expect(r.parameters[2]! + throughW(r, gradient, 0)).toBeCloseTo(
      sum((g) => byT[g]!),
      9,
    );
    expect(r.parameters[1]!).toBeCloseTo(
      sum((g) => turned[1]![g]!),
      8,
    );
  });
});

test.each([
  ["quartz", quartz],
  ["rutile", rutile],
] as const)("%s: the kernels stay within the scratch that they ask for", async (_, s) => {
  const { problem } = setUp(s);
  const { kappa, weight } = problem.directions,
    directions = { ...problem.directions, size: 2, kappa: kappa.slice(0, 6), weight: weight.slice(0, 2) };
  const { pool, arena } = await sweepPool({ workers: 1 }),
    guarded = guardedArena(arena);
  const seed = new Float64Array(problem.hkl.length / 3).fill(1);
  const each = (want: PullProblem["want"]): PullProblem => ({
    ...problem,
    sMax: 0.1, // beams enough for the scratch to be larger than what the products of matrices leave free
    directions,
    tangents: directionTangents(directions, turns),
    want,
    ...(want === "gradient" ? { seed } : {}),
  });
  try {
    for (const want of ["rows", "gradient"] as const) await pullAll([each(want)], () => undefined, { on: { pool, arena: guarded.arena } });
  } finally {
    await pool.close();
  }
  expect(guarded.overrun()).toBe(0);
});
