import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { scoreAtoms } from "../testing/atoms-score.js";
import { type AtomModel, atomModel } from "./atom-model.js";
import { refineAtoms } from "./refine-atoms.js";
import { AtomEngine } from "./refine-atoms-engine.js";
import { atomErrors } from "./refine-atoms-errors.js";
import { atomLayout } from "./refine-atoms-layout.js";
import { setWeights } from "./refine-atoms-noise.js";
import { AtomSystem } from "./refine-atoms-system.js";
import { simulateParticle } from "./simulate-particle.js";
import { disturbedPoses, projectAtoms, simulateCounts, tiltPoses } from "./simulate-project.js";

const pixel = 0.4,
  N = 48,
  tilts = Array.from({ length: 21 }, (_, i) => ((-70 + 7 * i) * Math.PI) / 180);
const truth = simulateParticle({ rng: rng("refine test"), atoms: 120 }).model;
const poses = tiltPoses(tilts);
const series = (model: AtomModel, p = poses, shifts?: Float64Array) => projectAtoms(model, { shape: [N, N], pixel, poses: p, shifts });
const moved = (model: AtomModel, by: number): AtomModel => {
  const random = rng("moved");
  return atomModel(
    model.positions.map((v) => v + by * random.normal()),
    500,
    0.55,
    model.species,
  );
};

describe("the linear model", () => {
  const make = async () => {
    const random = rng("system"),
      shape = [3, 20, 24] as const;
    const model = atomModel(
      Float64Array.from({ length: 15 }, () => 3 * random.uniform() - 1.5),
      Float64Array.of(90, 120, 70, 100, 80),
      Float64Array.of(0.5, 0.6, 0.55, 0.5, 0.6),
      Uint8Array.of(0, 1, 0, 1, 1),
    );
    const p = disturbedPoses(tiltPoses([-0.7, 0.1, 0.9]), 0.1, random);
    const data = projectAtoms(model, { shape: [20, 24], pixel, poses: p }).map((v) => v + random.normal());
    const engine = await AtomEngine.create({ projections: data, shape, pixelAngstrom: pixel, poses: p }, 1.5, { workers: 1 });
    engine.resize(5);
    const layout = atomLayout(5, 3, 2, {
      intensities: "atom",
      widths: "atom",
      background: "plane",
      scales: true,
      shifts: true,
      angles: true,
    });
    const state = {
      positions: model.positions.map((v) => v + 0.05),
      intensities: model.intensities.slice(),
      widths: model.widths.slice(),
      poses: p,
      shifts: Float64Array.of(0.1, 0, -0.2, 0.1, 0, 0.3),
      background: Float64Array.of(1, 2, 3, 0, 1, 0, -1, 0, 2),
      scales: Float64Array.of(1, 1.1, 0.9),
    };
    const system = new AtomSystem(engine, layout, model.species, pixel, state);
    await system.place();
    setWeights(engine, { gain: 0.2, floor: 1 });
    return { engine, system, layout };
  };
  test("product is symmetric, and its diagonal blocks are those of `blocks`", async () => {
    const { system, layout } = await make();
    const random = rng("symmetric"),
      vector = () => Float64Array.from({ length: layout.size }, random.normal);
    const x = vector(),
      y = vector(),
      dot = (a: Float64Array, b: Float64Array) => a.reduce((s, v, i) => s + v * b[i]!, 0);
    const left = dot(x, await system.product(y)),
      right = dot(y, await system.product(x));
    expect(Math.abs(left / right - 1)).toBeLessThan(1e-5);
    const D = await system.blocks(),
      q = layout.q;
    for (let j = 0; j < q; j++) {
      const e = new Float64Array(layout.size);
      e[2 * q + j] = 1;
      const column = await system.product(e);
      const d = (i: number, k: number): number => D[2 * q * q + i * q + k]!;
      for (let i = 0; i < q; i++) expect(Math.abs(column[2 * q + i]! - d(i, j)) / Math.sqrt(d(i, i) * d(j, j))).toBeLessThan(1e-5);
    }
  });
  test("gradient agrees with differences of χ²", async () => {
    const { system, layout } = await make();
    await system.chi2();
    const g = await system.gradient(),
      base = { ...system.state };
    // The step of one unknown at a time, by the definition of the parameters
    const at = async (j: number, h: number): Promise<number> => {
      const s = {
        positions: base.positions.slice(),
        intensities: base.intensities.slice(),
        widths: base.widths.slice(),
        poses: base.poses.slice(),
        shifts: base.shifts.slice(),
        background: base.background.slice(),
        scales: base.scales.slice(),
      };
      if (j < layout.viewsAt) {
        const a = Math.floor(j / layout.q),
          k = j % layout.q;
        if (k < 3) s.positions[3 * a + k]! += h;
        else if (k === layout.intensity) s.intensities[a]! += h;
        else s.widths[a]! += h;
      } else {
        const i = Math.floor((j - layout.viewsAt) / layout.m),
          k = (j - layout.viewsAt) % layout.m;
        if (k < 3) s.background[3 * i + k]! += h;
        else if (k === layout.scale) s.scales[i]! += h;
        else if (k < layout.rotation) s.shifts[2 * i + k - layout.shift]! += h;
        else {
          const R = s.poses.slice(9 * i, 9 * i + 9),
            c = Math.cos(h),
            n = Math.sin(h),
            k0 = (k - layout.rotation + 1) % 3,
            k1 = (k - layout.rotation + 2) % 3;
          for (let col = 0; col < 3; col++) {
            s.poses[9 * i + 3 * k0 + col] = c * R[3 * k0 + col]! - n * R[3 * k1 + col]!;
            s.poses[9 * i + 3 * k1 + col] = n * R[3 * k0 + col]! + c * R[3 * k1 + col]!;
          }
        }
      }
      system.state = s;
      await system.place();
      return (await system.chi2()).reduce((u, v) => u + v, 0);
    };
    for (let j = 0; j < layout.size; j++) {
      const step = j >= layout.viewsAt ? 3e-3 : j % layout.q === layout.intensity ? 0.3 : 3e-3;
      const slope = (await at(j, step)) - (await at(j, -step));
      const expected = -4 * step * g[j]!;
      // χ² is summed from f32 residuals: an absolute part of the tolerance
      expect(Math.abs(slope - expected)).toBeLessThan(0.01 * Math.abs(expected) + 0.02);
    }
  });
});

describe("refinement against projections", () => {
  test("noise-free projections give the atoms back", async () => {
    const out = await refineAtoms(
      { projections: series(truth).map((v) => 500 * v + 3), shape: [21, N, N], pixelAngstrom: pixel, poses },
      moved(truth, 0.08),
      {
        noise: { gain: 0, floor: 1 },
        workers: 1,
        withheld: 0,
        probes: 0,
        tolerance: 1e-4,
      },
    );
    expect(out.status).toBe("converged");
    const s = scoreAtoms(out.model.positions, truth.positions);
    expect(s.found).toBe(1);
    expect(s.rmsdPm).toBeLessThan(0.1); // tails of the patches are cut at 3.5 widths
    expect(Math.hypot(...s.shift)).toBeLessThan(1e-3);
    expect(out.background[0]).toBeCloseTo(3, 0);
    expect(out.model.widths[0]).toBeCloseTo(0.5, 3);
    expect(out.r1).toBeLessThan(0.002);
  });
  test("counts: error bars are the errors, and χ² is 1", async () => {
    const { data, scale } = simulateCounts(series(truth), { rng: rng("counts"), offset: 0 });
    const out = await refineAtoms({ projections: data, shape: [21, N, N], pixelAngstrom: pixel, poses }, moved(truth, 0.05), {
      workers: 1,
    });
    const s = scoreAtoms(out.model.positions, truth.positions);
    const bound = 100 * Math.sqrt(out.errors!.length.reduce((t, v) => t + v * v, 0) / truth.size);
    expect(s.rmsdPm / bound).toBeGreaterThan(0.85);
    expect(s.rmsdPm / bound).toBeLessThan(1.1);
    expect(Math.abs(out.reducedChi2 - 1)).toBeLessThan(0.03);
    expect(out.noise.gain).toBeCloseTo(1, 0);
    expect(out.rFree).toBeGreaterThan(out.r1);
    let inside = 0;
    for (let i = 0; i < 3 * truth.size; i++)
      if (Math.abs(out.model.positions[i]! - truth.positions[i]! - s.shift[(i % 3) as 0]) < out.errors!.positions[i]!) inside++;
    expect(inside / (3 * truth.size)).toBeGreaterThan(0.62);
    expect(inside / (3 * truth.size)).toBeLessThan(0.74);
    const mean = (k: number) => {
      const v = out.model.intensities.filter((_, a) => truth.species[a] === k);
      return v.reduce((t, x) => t + x, 0) / v.length / scale;
    };
    expect(mean(0)).toBeCloseTo(1, 1);
    expect(mean(1)).toBeCloseTo(2.58, 1);
  });
  test("poses come back together with the atoms", async () => {
    const random = rng("poses"),
      real = disturbedPoses(poses, 0.006, random),
      shifts = Float64Array.from({ length: 42 }, () => 0.2 * random.normal());
    const { data } = simulateCounts(series(truth, real, shifts), { rng: rng("pose counts"), peak: 600, offset: 0 });
    const options = { workers: 1, withheld: 0, probes: 0, noise: { gain: 1, floor: 2.25 } } as const;
    const fixed = await refineAtoms({ projections: data, shape: [21, N, N], pixelAngstrom: pixel, poses }, moved(truth, 0.05), options);
    const free = await refineAtoms({ projections: data, shape: [21, N, N], pixelAngstrom: pixel, poses }, moved(truth, 0.05), {
      ...options,
      shifts: true,
      angles: true,
    });
    expect(free.reducedChi2).toBeLessThan(1.05);
    expect(fixed.reducedChi2).toBeGreaterThan(1.3);
    expect(scoreAtoms(free.model.positions, truth.positions).rmsdPm).toBeLessThan(
      0.6 * scoreAtoms(fixed.model.positions, truth.positions).rmsdPm,
    );
  });
  test("any number of workers, and the twin in TypeScript, give the same bits", async () => {
    const small = simulateParticle({ rng: rng("bits"), atoms: 20 }).model;
    const data = simulateCounts(projectAtoms(small, { shape: [24, 30], pixel: 0.5, poses }), { rng: rng("bits") }).data;
    const go = (o: object) =>
      refineAtoms({ projections: data, shape: [21, 24, 30], pixelAngstrom: 0.5, poses }, moved(small, 0.05), {
        iterations: 2,
        probes: 2,
        ...o,
      });
    const one = await go({ workers: 1 }),
      two = await go({ workers: 2 }),
      js = await go({ backend: "js" });
    for (const other of [two, js]) {
      expect(other.model).toEqual(one.model);
      expect(other.errors).toEqual(one.errors);
      expect(other.rFree).toBe(one.rFree);
    }
  });
  test.each([
    ["atoms alone", {}],
    ["with free poses", { shifts: true, angles: true }],
  ])("probes estimate what exact inversion gives: %s", async (_, free) => {
    const small = simulateParticle({ rng: rng("probes"), atoms: 20 }).model;
    const data = simulateCounts(projectAtoms(small, { shape: [32, 32], pixel, poses }), { rng: rng("probes") }).data;
    const engine = await AtomEngine.create({ projections: data, shape: [21, 32, 32], pixelAngstrom: pixel, poses }, 1.25, { workers: 1 });
    engine.resize(small.size);
    const layout = atomLayout(small.size, 21, 2, free);
    const system = new AtomSystem(engine, layout, small.species, pixel, {
      positions: small.positions,
      intensities: small.intensities.map((v) => 300 * v),
      widths: small.widths,
      poses,
      shifts: new Float64Array(42),
      background: new Float64Array(63),
      scales: new Float64Array(21).fill(1),
    });
    await system.place();
    await system.chi2();
    setWeights(engine, { gain: 1, floor: 4 });
    const exact = await atomErrors(system, { exactUpTo: 1e6 }),
      probed = await atomErrors(system, { probes: 16 });
    expect(exact.method).toBe("exact");
    const total = (e: Float64Array) => Math.sqrt(e.reduce((s, v) => s + v * v, 0));
    expect(Math.abs(total(probed.length) / total(exact.length) - 1)).toBeLessThan(0.02);
    for (let a = 0; a < small.size; a++) expect(Math.abs(probed.length[a]! / exact.length[a]! - 1)).toBeLessThan(0.15);
    for (let i = 0; i < 3 * small.size; i++) expect(Math.abs(probed.positions[i]! / exact.positions[i]! - 1)).toBeLessThan(0.22);
  });
  test("bad input is told", async () => {
    const good = { projections: series(truth), shape: [21, N, N] as const, pixelAngstrom: pixel, poses };
    await expect(refineAtoms({ ...good, poses: poses.subarray(9) }, truth)).rejects.toThrow("disagree");
    await expect(refineAtoms({ ...good, pixelAngstrom: -1 }, truth)).rejects.toThrow("pixel");
    await expect(
      refineAtoms({ ...good, projections: good.projections.map((v, i) => (i === 5000 ? Number.NaN : v)) }, truth),
    ).rejects.toThrow("finite");
    expect(() => atomModel([1, 2, 3, 4], 1, 1)).toThrow("bad-shape");
    await expect(refineAtoms(good, truth, { widths: "each" as "atom" })).rejects.toThrow("widths");
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    await expect(refineAtoms(good, truth, { signal: stop.signal })).rejects.toThrow("stopped");
  });
});
