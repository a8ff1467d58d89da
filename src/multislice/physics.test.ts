import { describe, expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { arena } from "../kernels/memory.js";
import { multisliceWasm } from "../kernels/multislice.js";
import { fft2 } from "../numerics/fft.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import { maxRelative } from "../testing/close.js";
import { atomModel } from "./atoms.js";
import { atomsFromStructure, repeatAtoms } from "./atoms-build.js";
import { antialiasCutoff, reciprocalGrid, type WaveGrid, waveGrid } from "./grid.js";
import { frozenPhonons } from "./phonons.js";
import { potentialPlan } from "./potential.js";
import { prismPlan } from "./prism.js";
import { planeWave, probeAmplitude, probePlan } from "./probe.js";
import { type MultisliceOptions, multislicePlan } from "./propagate.js";
import { sliceOfAtoms, slices } from "./slicing.js";

const b200 = beam(200);
const quartz = structure(unitCell(4.913, 4.913, 5.405, 90, 90, 120), spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.01 }),
]);
const intensities = (w: ArrayLike<number>): Float64Array =>
  Float64Array.from({ length: w.length / 2 }, (_, i) => w[2 * i]! ** 2 + w[2 * i + 1]! ** 2);
const sum = (a: ArrayLike<number>): number => Array.from(a).reduce((s, v) => s + v, 0);

describe("exact placement", () => {
  /** Scattered intensity of one gold atom between 0.5 and 0.95 of the cutoff, at an offset in pixels. */
  function highAngle(
    offset: readonly [number, number],
    place: "fourier" | "bilinear",
    projection: "infinite" | "finite" = "infinite",
  ): number {
    const grid = waveGrid(120, 120, [6, 0], [0, 6]),
      s = 0.05;
    const at = (u: number, v: number, w: number): { position: number[]; w: number } => ({ position: [3 + u * s, 3 + v * s, 0.5], w });
    const [u, v] = offset;
    const atoms =
      place === "fourier"
        ? [at(u, v, 1)]
        : [at(0, 0, (1 - u) * (1 - v)), at(1, 0, u * (1 - v)), at(0, 1, (1 - u) * v), at(1, 1, u * v)].filter((a) => a.w > 0);
    const model = atomModel({
      cell: [6, 0, 0, 0, 6, 0, 0, 0, 1],
      atoms: atoms.map(() => "Au"),
      positions: atoms.flatMap((a) => a.position),
      occupancy: atoms.map((a) => a.w),
    });
    const potential = potentialPlan(model, { grid, projection, pixelFactor: place === "fourier" ? "none" : "abtem" }),
      plan = multislicePlan(potential, b200, { precision: "f64" }),
      wave = planeWave(grid);
    plan.runInto(wave, { space: "reciprocal" });
    plan.free();
    potential.free();
    const { q2 } = reciprocalGrid(grid),
      cut = antialiasCutoff(grid);
    return sum(intensities(wave).filter((_, i) => q2[i]! > (0.5 * cut) ** 2 && q2[i]! < (0.95 * cut) ** 2));
  }
  test("high-angle intensity does not depend on the place between pixels (0.1 %)", () => {
    const offsets = [
      [0.25, 0.25],
      [0.5, 0],
      [0.5, 0.5],
      [0.1, 0.7],
    ] as const;
    const reference = highAngle([0, 0], "fourier");
    const finite = highAngle([0, 0], "fourier", "finite");
    for (const o of offsets) {
      expect(Math.abs(highAngle(o, "fourier") / reference - 1), `${o}`).toBeLessThan(1e-3);
      expect(Math.abs(highAngle(o, "fourier", "finite") / finite - 1), `${o}, finite`).toBeLessThan(1e-3);
    }
    // abTEM's placement, made of the same parts: the intensity falls by 17 % between a node and the middle of four.
    expect(highAngle([0.5, 0.5], "bilinear") / highAngle([0, 0], "bilinear")).toBeCloseTo(0.83, 2);
  });
});

test("energy is conserved: what leaves is what scatters off the grid", () => {
  const model = repeatAtoms(atomsFromStructure(quartz), [1, 1, 20]);
  const lost = (n: number): number => {
    const grid = waveGrid(n, n, [4.913, 0], [model.cell[3]!, model.cell[4]!]);
    const plan = multislicePlan(potentialPlan(model, { grid, debyeWaller: true }), b200, { precision: "f64" }),
      wave = planeWave(grid);
    plan.runInto(wave, { space: "reciprocal" });
    return 1 - sum(intensities(wave));
  };
  // Atoms smeared by their vibrations scatter nothing beyond 6 Å⁻¹.
  const losses = [32, 64, 128].map(lost);
  expect(losses[0]).toBeGreaterThan(1e-5);
  expect(losses[1]).toBeLessThan(losses[0]! / 10);
  expect(Math.abs(losses[2]!)).toBeLessThan(1e-9);
});

/** Intensity at Cartesian (qx, qy) of a plane wave through a model. */
function diffraction(model: ReturnType<typeof atomModel>, grid: WaveGrid, options: MultisliceOptions): Map<string, number> {
  const plan = multislicePlan(potentialPlan(model, { grid, sliceThickness: 0.91 }), b200, { precision: "f64", ...options }),
    wave = planeWave(grid);
  plan.runInto(wave, { space: "reciprocal" });
  plan.free();
  const { qx, qy } = reciprocalGrid(grid),
    out = new Map<string, number>();
  intensities(wave).forEach((v, i) => {
    if (v > 1e-9) out.set(`${qx[i]!.toFixed(4)} ${qy[i]!.toFixed(4)}`.replaceAll("-0.0000", "0.0000"), v);
  });
  return out;
}
test("a skew cell and its orthogonal supercell agree, tilted beam included", () => {
  const unit = atomsFromStructure(quartz);
  const skew = repeatAtoms(unit, [1, 1, 30]),
    two = repeatAtoms(unit, [1, 2, 30]);
  // a, a + 2b is orthogonal for 120°
  const ortho = atomModel({ ...two, atoms: two.atomicNumbers, cell: [4.913, 0, 0, 0, 2 * unit.cell[4]!, 0, 0, 0, two.cell[8]!] });
  for (const tilt of [
    [0, 0],
    [0.012, -0.007],
  ] as const) {
    const p = diffraction(skew, waveGrid(108, 108, [4.913, 0], [unit.cell[3]!, unit.cell[4]!]), { tilt }),
      q = diffraction(ortho, waveGrid(108, 192, [4.913, 0], [0, 2 * unit.cell[4]!]), { tilt });
    let worst = 0;
    for (const [key, v] of p) worst = Math.max(worst, Math.abs(v - (q.get(key) ?? 0)));
    expect(p.size).toBeGreaterThan(100);
    expect(worst).toBeLessThan(1e-4);
  }
});

test("a tilted beam is a plane wave of another bin, seen from its own frame", () => {
  const model = repeatAtoms(atomsFromStructure(quartz), [3, 3, 12]),
    n = 96;
  const grid = waveGrid(n, n, [model.cell[0]!, 0], [model.cell[3]!, model.cell[4]!]),
    { qx, qy } = reciprocalGrid(grid);
  const potential = potentialPlan(model, { grid, debyeWaller: true });
  const [h, k] = [5, -3],
    bin = (n + k) * n + h;
  const kz = Math.sqrt(1 / b200.wavelength ** 2 - qx[bin]! ** 2 - qy[bin]! ** 2);
  const straight = multislicePlan(potential, b200, { precision: "f64", propagator: "exact" }),
    leaning = multislicePlan(potential, b200, {
      precision: "f64",
      propagator: "exact",
      tilt: [Math.atan(qx[bin]! / kz), Math.atan(qy[bin]! / kz)],
    });
  const p = new Float64Array(2 * n * n),
    q = planeWave(grid);
  p[2 * bin] = 1;
  straight.runInto(p, { space: "reciprocal" });
  leaning.runInto(q, { space: "reciprocal" });
  const [ip, iq] = [intensities(p), intensities(q)];
  let worst = 0;
  for (let y = 0; y < n; y++)
    for (let x = 0; x < n; x++) worst = Math.max(worst, Math.abs(iq[y * n + x]! - ip[((y + k + n) % n) * n + ((x + h) % n)]!));
  // The path through the potential is longer by 1/cos of 9 mrad in the leaning frame alone: 4e-5.
  expect(worst).toBeLessThan(2e-4);
  expect(Math.max(...iq)).toBeLessThan(0.9);
});

test("finite slices add up to the infinite projection, and repeat along a leaning c", () => {
  const cell = [4, 0, 0, -1, 4.5, 0, 0.7, 0.4, 5];
  const m = atomModel({ cell, atoms: ["Si", "O"], positions: [0.3, 0.4, 0.2, 1.9, 2.2, 3.1], displacement: [0.004, 0.01] });
  const grid = waveGrid(48, 48, [4, 0], [-1, 4.5]);
  const total = (options: Partial<Parameters<typeof potentialPlan>[1]>): Float64Array => {
    const plan = potentialPlan(m, { grid, sliceThickness: 0.5, ...options }),
      out = new Float64Array(48 * 48);
    for (let i = 0; i < plan.slices.count; i++) for (const [j, v] of plan.projected(i).entries()) out[j]! += v;
    plan.free();
    return out;
  };
  const infinite = total({ sliceThickness: 5 });
  expect(maxRelative(total({ projection: "finite" }), infinite)).toBeLessThan(1e-5);
  // Periodic slices of one cell against the middle cell of five, which lean along c.
  const tower = (k: number): number[] => [0, 1, 2, 3, 4].flatMap((i) => [0, 1, 2].map((x) => m.positions[3 * k + x]! + i * cell[6 + x]!));
  const five = atomModel({
    cell: cell.map((v, i) => (i < 6 ? v : 5 * v)),
    atoms: [..."iiiii"].flatMap(() => ["Si"]).concat([..."iiiii"].map(() => "O")),
    positions: [...tower(0), ...tower(1)],
  });
  const one = potentialPlan(m, { grid, sliceThickness: 1, projection: "finite", periodicZ: true }),
    many = potentialPlan(five, { grid, sliceThickness: 1, projection: "finite" });
  const leaned = many.projected(12);
  // Slice 12 is slice 2 shifted by 2c: compare the spectrum's size, which a shift does not change.
  const power = (v: Float64Array): Float64Array =>
    intensities(
      fft2(
        Float64Array.from({ length: 2 * v.length }, (_, i) => (i % 2 ? 0 : v[i / 2]!)),
        [48, 48],
      ),
    );
  expect(maxRelative(power(one.projected(2)), power(leaned))).toBeLessThan(2e-4);
});

describe("PRISM", () => {
  const model = repeatAtoms(atomsFromStructure(quartz), [3, 3, 3]);
  const grid = waveGrid(80, 64, [model.cell[0]!, 0], [model.cell[3]!, model.cell[4]!]);
  const options = { aperture: 0.012, aberrations: { defocus: 40, C12: 20, phi12: 0.5 }, overlap: "allow" as const };
  const potential = potentialPlan(model, { grid });
  test.each([
    ["f64", 1e-10, [0, 0]],
    ["f64", 1e-10, [0.01, 0.004]],
    ["f32", 1e-6, [0, 0]],
  ] as const)("factor 1 equals multislice, %s", (precision, tolerance, tilt) => {
    const plan = multislicePlan(potential, b200, { precision, tilt }),
      prism = prismPlan(plan, options),
      probe = probePlan(plan, probeAmplitude(grid, b200, options)),
      wave = plan.allocWaves(1);
    runSync(prism.build());
    for (const [x, y] of [
      [0, 0],
      [3.3, 7.1],
    ] as const) {
      probe.place(wave, x, y);
      plan.advance(wave, 1, 0, plan.count);
      const exact = intensities(plan.view(wave));
      expect(Math.max(...prism.pattern(x, y).map((v, i) => Math.abs(v - exact[i]!)))).toBeLessThan(
        tolerance * Math.max(1, Math.max(...exact)),
      );
    }
    prism.free();
    plan.free();
  });
  test("the same bits from a worker pool", async () => {
    const memory = arena({ shared: true }),
      pool = await arenaPool(memory, { multislice: multisliceWasm }, { workers: 2 });
    const plan = multislicePlan(potentialPlan(model, { grid, arena: memory }), b200),
      [p, q] = [prismPlan(plan, { ...options, interpolation: 2 }), prismPlan(plan, { ...options, interpolation: 2 })];
    runSync(p.build());
    await q.buildOn(pool);
    expect(q.pattern(2, 3)).toEqual(p.pattern(2, 3));
    await pool.close();
  });
  test("factor 2 is close to multislice, keeps the beam, and takes new aberrations", () => {
    const plan = multislicePlan(potential, b200, {}),
      prism = prismPlan(plan, { ...options, interpolation: 2 }),
      exact = prismPlan(plan, options);
    runSync(prism.build());
    runSync(exact.build());
    expect(prism.beams * 3).toBeLessThan(exact.beams);
    const [p, q] = [prism.pattern(2, 3), exact.pattern(2, 3)];
    expect(sum(p)).toBeCloseTo(sum(q), 2);
    // virtual bright field inside the aperture
    const inside = (a: Float64Array, g: WaveGrid): number =>
      sum(a.filter((_, i) => reciprocalGrid(g).q2[i]! < (0.012 / b200.wavelength) ** 2));
    expect(inside(p, prism.window) / inside(q, grid)).toBeCloseTo(1, 1);
    prism.aberrate({ defocus: 0 });
    expect(maxRelative(prism.pattern(2, 3), p)).toBeGreaterThan(0.01);
  });
});

describe("frozen phonons", () => {
  const model = atomsFromStructure(quartz);
  test("displacements have the model's mean squares, and depend on seed, snapshot and atom alone", () => {
    const big = repeatAtoms(model, [8, 8, 8]),
      s = frozenPhonons(big, { configurations: 4, seed: 7 });
    const u: number[] = [];
    const d = (i: number, axis: number): Float64Array => {
      const p = s.snapshot(i).positions;
      return Float64Array.from({ length: big.atomicNumbers.length }, (_, j) => p[3 * j + axis]! - big.positions[3 * j + axis]!);
    };
    for (const axis of [0, 1, 2]) {
      const v = d(2, axis);
      u.push(
        v.filter((_, j) => big.atomicNumbers[j] === 8).reduce((t, x) => t + x * x, 0) / big.atomicNumbers.filter((z) => z === 8).length,
      );
    }
    for (const v of u) expect(v / 0.01).toBeCloseTo(1, 1);
    expect(d(3, 0)).toEqual(d(3, 0));
    expect(d(3, 0)).not.toEqual(d(1, 0));
    expect(frozenPhonons(big, { configurations: 9, seed: 7 }).snapshot(2).positions).toEqual(s.snapshot(2).positions);
    expect(s.snapshot(0).displacement).toBeUndefined();
  });
  test("a vibrating atom keeps the slice of its rest position", () => {
    const m = atomModel({ cell: [4, 0, 0, 0, 4, 0, 0, 0, 4], atoms: ["Si"], positions: [0, 0, 2], displacement: [0.01] }),
      s = frozenPhonons(m, { configurations: 8, seed: 2 });
    const grid = waveGrid(16, 16, [4, 0], [0, 4]),
      home = sliceOfAtoms(s.rest!, slices(m, { sliceThickness: 2 }));
    for (let i = 0; i < 8; i++) {
      const plan = potentialPlan(s.snapshot(i), { grid, sliceThickness: 2, sliceOfAtom: home });
      expect(Math.max(...plan.projected(0).map(Math.abs))).toBe(0);
      expect(Math.max(...plan.projected(1))).toBeGreaterThan(10);
      plan.free();
    }
  });
  test("an ellipsoid's correlations come through", () => {
    const u = [0.02, 0.01, 0.03, 0.004, -0.006, 0.008];
    const n = 20000;
    const m = atomModel({
      cell: [9, 0, 0, 0, 9, 0, 0, 0, 9],
      atoms: Array.from({ length: n }, () => 14),
      positions: new Float64Array(3 * n),
      displacement: Array.from({ length: n }, () => u).flat(),
    });
    const p = frozenPhonons(m, { configurations: 1, seed: "a" }).snapshot(0).positions;
    const mean = (i: number, j: number): number => p.reduce((s, _, k) => (k % 3 === 0 ? s + p[k + i]! * p[k + j]! : s), 0) / n;
    [mean(0, 0), mean(1, 1), mean(2, 2), mean(1, 2), mean(0, 2), mean(0, 1)].forEach((v, i) => {
      expect(Math.abs(v - u[i]!)).toBeLessThan(6e-4);
    });
  });
  test("the absorptive potential takes out of the wave what the Debye–Waller factor leaves to diffuse scattering", () => {
    const thick = repeatAtoms(model, [1, 1, 40]);
    const grid = waveGrid(64, 64, [4.913, 0], [thick.cell[3]!, thick.cell[4]!]);
    const norm = (absorption: boolean): number => {
      const plan = multislicePlan(
          potentialPlan(thick, { grid, debyeWaller: true, ...(absorption ? { absorption: thomasAbsorptive(b200) } : {}) }),
          b200,
          { precision: "f64" },
        ),
        wave = planeWave(grid);
      plan.runInto(wave, { space: "reciprocal" });
      return sum(intensities(wave));
    };
    expect(norm(false)).toBeGreaterThan(0.999);
    expect(norm(true)).toBeGreaterThan(0.8);
    expect(norm(true)).toBeLessThan(0.97);
  });
});
