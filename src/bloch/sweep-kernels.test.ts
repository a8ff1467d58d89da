import { describe, expect, test } from "vitest";
import { compose, type Map3 } from "../core/frames.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { reciprocalBasis } from "../geometry/metric.js";
import { rotationAbout } from "../geometry/rotation.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { jacobianKernels } from "../kernels/jacobian.js";
import { arena as newArena } from "../kernels/memory.js";
import { pullKernels } from "../kernels/pull.js";
import { sweepKernels } from "../kernels/sweep.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import { beamPool } from "./beams.js";
import type { SweepProblem } from "./integrate.js";
import { placeTable, planSweep } from "./integrate-plan.js";
import { crystalPotential } from "./potential.js";
import { type PullResult, planPull } from "./pull-plan.js";
import { planRows } from "./pull-rows.js";
import { directionTangents, exposureDirections } from "./rotation.js";
import { thicknessNodes } from "./thickness.js";

const electrons = beam(200),
  gMax = 1;
const quartz = structure(unitCell(4.9137, 4.9137, 5.4047, 90, 90, 120), spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.007 }),
  atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.012 }),
]);
const rutile = structure(unitCell(4.594, 4.594, 2.959), spaceGroup("P 42/m n m"), [
  atom({ element: "Ti", xyz: [0, 0, 0], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.3049, 0.3049, 0], uIso: 0.009 }),
]);
const axes = [[1, 0, 0] as const, [0, 1, 0] as const];
const far = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
  let most = 0,
    top = 0;
  for (let i = 0; i < y.length; i++) {
    most = Math.max(most, Math.abs(x[i]! - y[i]!));
    top = Math.max(top, Math.abs(y[i]!));
  }
  expect(top).toBeGreaterThan(0);
  return most / top;
};

// Seven directions: a full batch of four and a part of one; five depths: pairs and one left over.
describe.each([
  ["complex", quartz, undefined],
  ["absorbing", quartz, { kind: "factors", source: thomasAbsorptive(electrons) }],
  ["real", rutile, undefined],
] as const)("kernels of a sweep, %s potential: WebAssembly gives what the plain twin gives", (_, s, absorption) => {
  const potential = crystalPotential(s, electrons, { reach: 2 * gMax, absorption });
  const pool = beamPool(s.cell, s.spaceGroup, gMax);
  const ub = compose(rotationAbout<"lab", "crystal">([0.3, 0.8, -0.5], 0.9), reciprocalBasis(s.cell)) as Map3<"lab", "hkl">;
  const directions = exposureDirections(
    { kind: "continuous", halfWidthDeg: 0.6 },
    { kind: "none" },
    { sweep: { kind: "midpoint", steps: 7 } },
    { gMax, thickness: 300 },
  );
  const nodes = thicknessNodes({ kind: "wedge" }, 300, 0, 5);
  const problem: SweepProblem = {
    potential,
    pool,
    ub,
    directions,
    hkl: pool.hkl.slice(3),
    depths: { depth: nodes.t, weight: nodes.weights },
    sMax: 0.03,
    normal: [0, Math.sin(0.3), -Math.cos(0.3)],
    tolerance: 1e-14,
  };
  const arena = newArena(),
    table = placeTable(potential, arena);

  test.each([undefined, "directions", "depths"] as const)("sweep, with turns, apart: %s", (apart) => {
    const out = (["wasm", "js"] as const).map((backend) => {
      const p = planSweep({ ...problem, turns: axes, apart }, arena, table, 1),
        kernels = sweepKernels(arena, backend);
      const wide = p.slots.size * (apart === "directions" ? 7 : apart === "depths" ? 5 : 1);
      p.words.set([1, apart === "directions" ? p.slots.size : 0, apart === "depths" ? p.slots.size : 0, wide], 5);
      const at = p.give(8 * 3 * wide + 64) + 64;
      arena.f64(at - 64, 3 * wide + 8).fill(0);
      const scratch = p.give(kernels.sweepScratch(p.maxBeams, p.rows, p.terms, 5, 2));
      const norm = kernels.sweep(p.commit(), 0, 7, at, scratch);
      const got = Float64Array.of(norm, arena.f64(at - 8, 1)[0]!, ...arena.f64(at, 3 * wide));
      p.release();
      return got;
    });
    expect(out[0]!.length).toBeGreaterThan(25);
    expect(far(out[0]!.subarray(0, 2), out[1]!.subarray(0, 2))).toBeLessThan(1e-10);
    const third = (out[0]!.length - 2) / 3;
    for (let t = 0; t < 3; t++) {
      const [x, y] = out.map((o) => o.subarray(2 + t * third, 2 + (t + 1) * third));
      expect(far(x!, y!)).toBeLessThan(1e-11);
    }
  });
  const compare = (a: PullResult, b: PullResult): void => {
    expect(a.rowOf).toEqual(b.rowOf);
    for (const key of ["intensity", "u", "parameters"] as const) expect(far(a[key], b[key])).toBeLessThan(1e-11);
  };
  /** Views of kernel memory end where it grows. */
  const held = (r: PullResult | "wider"): PullResult => {
    if (r === "wider") throw new Error("the bounds of the spectrum were too narrow");
    return { ...r, u: r.u.slice() };
  };
  const pulled = { ...problem, tangents: directionTangents(directions, axes) };
  const seed = Float64Array.from({ length: problem.hkl.length / 3 }, (_v, i) => Math.sin(1 + i));
  test("gradient", () => {
    const [a, b] = (["wasm", "js"] as const).map((backend) => {
      const p = planPull({ ...pulled, want: "gradient", seed }, arena, table, 1);
      const args = p.call(arena.alloc(p.scratchBytes)).args as unknown as [number, number, number, number];
      return held(p.collect(pullKernels(arena, backend).pull(...args)));
    });
    compare(a!, b!);
  });
  test("rows, all and within a window", () => {
    for (const window of [undefined, 0.015]) {
      const [a, b] = (["wasm", "js"] as const).map((backend) => {
        const p = planRows({ ...pulled, want: "rows", window }, arena, table, 1);
        const args = p.call(arena.alloc(p.scratchBytes)).args as unknown as [number, number, number, number, number];
        return held(p.collect(jacobianKernels(arena, backend).jacobian(...args)));
      });
      compare(a!, b!);
    }
  });
  test("told to stop, they stop; a norm above the limit ends a call", () => {
    for (const backend of ["wasm", "js"] as const) {
      const p = planSweep(problem, arena, table, 1),
        kernels = sweepKernels(arena, backend);
      const out = p.give(8 * p.slots.size + 64) + 64,
        scratch = p.give(kernels.sweepScratch(p.maxBeams, p.rows, p.terms, 5, 0));
      p.words.set([1, 0, 0, p.slots.size], 5);
      arena.i32(p.control, 1)[0] = 1;
      expect(kernels.sweep(p.commit(), 0, 7, out, scratch)).toBe(-2);
      arena.i32(p.control, 1)[0] = 0;
      arena.f64(out - 64, p.slots.size + 8).fill(0);
      p.numbers[5] = 1e-9;
      expect(kernels.sweep(p.commit(), 0, 7, out, scratch)).toBeGreaterThan(1e-9);
      expect(arena.f64(out, p.slots.size).every((x) => x === 0)).toBe(true);
      p.release();
    }
  });
});
