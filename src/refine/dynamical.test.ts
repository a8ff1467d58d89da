import { describe, expect, test } from "vitest";
import { filterFrame } from "../bloch/filters.js";
import { type FrameModel, frameCrystal, frameProblem } from "../bloch/frames.js";
import { sweepIntensities } from "../bloch/integrate.js";
import { compose, type Map3 } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { petsRotation } from "../geometry/goniometer.js";
import { atom, beam, orientationOnZone, rotationAbout, spaceGroup, structure, ubMatrix, unitCell } from "../geometry/index.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { compareStructures } from "./compare.js";
import { refineDynamical } from "./dynamical.js";
import { dynamicalHand, invertedStructure } from "./dynamical-hand.js";
import { scanThickness } from "./dynamical-scan.js";
import type { DynamicalCheckpoint, DynamicalData, DynamicalOptions, RefinedFrameData } from "./dynamical-types.js";
import { perturbStructure } from "./perturb.js";

const electrons = beam(200),
  cell = unitCell(4.91, 4.91, 5.41, 90, 90, 120),
  factors = ignoreCharge(peng1996);
const quartz = structure(cell, spaceGroup("P 32 2 1"), [
  atom({ label: "Si", element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.006 }),
  atom({ label: "O", element: "O", xyz: [0.4133, 0.2672, 0.7855], uAniso: [0.012, 0.01, 0.011, 0.006, -0.002, -0.003] }),
]);
const model: FrameModel = {
  gMax: 1.7,
  sMax: 0.01,
  thickness: 420,
  thicknessModel: { kind: "wedge" },
  tiltCorrection: 0.4,
  mosaicity: { kind: "quantiles", varianceDeg2: 0.012, count: 3 },
  sampling: { sweep: { kind: "midpoint", steps: 16 } },
};
/** Frames of quartz as the model makes them, with noise; orientations as a file would state them, up to `turnDeg` wrong. */
function simulated(angles: readonly number[], turnDeg: number, noise: number): DynamicalData {
  const crystal = frameCrystal(quartz, electrons, model.gMax, { factors });
  const base = ubMatrix(orientationOnZone(cell, [0.3, 1, 0.1], [0, 0, 1]), cell) as unknown as Map3<"sample", "hkl">;
  const random = rng(7);
  const frames = angles.map((alphaDeg, i): RefinedFrameData => {
    const ub = compose(petsRotation(alphaDeg, 0, 0), base as never) as Map3<"lab", "hkl">;
    const exposure = { kind: "continuous", halfWidthDeg: 1.2 } as const;
    const { kept } = filterFrame(crystal.pool.hkl, ub, electrons, exposure, { rsgMax: 0.7 });
    const hkl = Int32Array.from([...kept].filter((k) => k > 0).flatMap((k) => [...crystal.pool.hkl.subarray(3 * k, 3 * k + 3)]));
    const frame = { id: String(i + 1), ub, alphaDeg, exposure, hkl };
    const exact = sweepIntensities(frameProblem(crystal, frame, model)).intensity;
    const scale = 1e4 * (1 + 0.3 * i),
      sigma = exact.map((v) => noise * (v * scale * 0.05 + 0.5) + 0.01);
    const turned = compose(rotationAbout<"lab", "lab">([Math.cos(i), Math.sin(i), 0], (turnDeg * Math.PI) / 180), ub);
    return { ...frame, ub: turned, intensity: exact.map((v, j) => v * scale + sigma[j]! * noise * random.normal()), sigma };
  });
  return {
    beam: electrons,
    frames,
    model: { ...model, thickness: 360, tiltCorrection: 0.4, mosaicity: { kind: "quantiles", varianceDeg2: 0.008, count: 3 } },
  };
}

test("structure, thickness, mosaicity and orientations come back from a perturbed start", async () => {
  const data = simulated([-47, -31, -22, -13, 5, 14, 31, 42], 0.03, 0.3);
  const r = await refineDynamical(perturbStructure(quartz, 0.04, rng(3)), data, { workers: 1 });
  expect(r.residuals.nAll).toBeGreaterThan(120);
  expect(r.residuals.rObs).toBeLessThan(0.006);
  expect(r.history[0]!.rObs).toBeGreaterThan(0.04);
  const truth: Record<string, number> = {
    "Si.x": 0.4697, "Si.u": 0.006, "O.x": 0.4133, "O.y": 0.2672, "O.z": 0.7855, "O.u11": 0.012, "O.u12": 0.006, thickness: 420, mosaicity: 0.012,
  }; // biome-ignore format: one idea
  for (const [name, value] of Object.entries(truth)) {
    const p = r.parameters.find((x) => x.name === name)!;
    expect(p.su).toBeGreaterThan(0);
    expect(Math.abs(p.value - value) / p.su, name).toBeLessThan(3.5);
  }
  expect(compareStructures(r.structure, quartz).rmsd).toBeLessThan(0.002);
  expect(r.models[0]!.thickness).toBe(r.parameters.find((x) => x.name === "thickness")!.value);
}, 300_000);

describe("runs of few cycles", () => {
  const data = simulated([-31, 5, 42], 0, 0.3);
  const start = perturbStructure(quartz, 0.02, rng(5));
  const stages = [
    { name: "thickness", thickness: true, gradient: "rows", maxCycles: 1 },
    { name: "all", thickness: true, orientations: true, structure: /\.[xyz]$/, gradient: "exact", maxCycles: 2 },
  ] as const;
  const run = (more: DynamicalOptions = {}, d: DynamicalData = data) => refineDynamical(start, d, { workers: 1, stages, ...more });
  const saved: string[] = [];
  const whole = run({ onCheckpoint: (c) => saved.push(JSON.stringify(c)) });

  test("a killed run resumes from any cycle and ends with the same bits", async () => {
    const r = await whole;
    expect(saved).toHaveLength(3);
    for (const text of saved) {
      const again = await run({ resume: JSON.parse(text) as DynamicalCheckpoint });
      expect(again.parameters).toEqual(r.parameters);
      expect(again.history).toEqual(r.history);
      expect(again.frames.map((f) => f.scale)).toEqual(r.frames.map((f) => f.scale));
      expect(again.covariance).toEqual(r.covariance);
    }
    const other = { ...(JSON.parse(saved[0]!) as DynamicalCheckpoint), names: ["K1.x"] };
    await expect(run({ resume: other })).rejects.toThrow(/belongs to another/);
  });
  test("the same bits on two workers", async () => {
    const r = await run({ workers: 2 });
    expect(r.parameters).toEqual((await whole).parameters);
    expect(r.frames.map((f) => f.calculated)).toEqual((await whole).frames.map((f) => f.calculated));
  });
  test("an abort ends the run within a second, with the signal's reason", async () => {
    const stop = new AbortController();
    let at = 0;
    const onProgress = (): void => {
      at ||= performance.now();
      stop.abort(new Error("enough"));
    };
    await expect(run({ signal: stop.signal, onProgress, workers: 2 })).rejects.toThrow("enough");
    expect(at).toBeGreaterThan(0);
  });
  test("several sets have a thickness each; outliers are left out and counted", async () => {
    const spoiled = data.frames.map((f, i) => ({ ...f, intensity: f.intensity.map((v, j) => (i === 0 && j === 3 ? 30 * v + 1e4 : v)) }));
    const second = { ...data, name: "second", frames: spoiled, model: { ...data.model, thickness: 390 } };
    const r = await refineDynamical(quartz, [{ ...data, name: "first" }, second], {
      workers: 1,
      outlierSigma: 20,
      stages: [{ name: "all", thickness: true, structure: /Si\.x/, maxCycles: 2 }],
    });
    expect(r.parameters.map((p) => p.name)).toEqual(["Si.x", "thickness first", "thickness second"]);
    expect(r.outliers).toBeGreaterThan(0);
    expect(r.outliers).toBeLessThan(4);
    expect(Math.abs(r.models[1]!.thickness - r.models[0]!.thickness)).toBeLessThan(12);
  });
  test("frames without a match, zero sigmas, broken angles and tensors are named; nothing is lost", async () => {
    const [a, b, c] = data.frames as [RefinedFrameData, RefinedFrameData, RefinedFrameData];
    const none = { ...a, id: "none", hkl: Int32Array.of(30, 0, 0), intensity: Float64Array.of(5), sigma: Float64Array.of(1) };
    const broken = { ...b, id: "broken", alphaDeg: Number.NaN };
    const zero = { ...c, sigma: c.sigma.map((s, i) => (i === 2 ? 0 : s)) };
    const flat = { ...quartz, atoms: quartz.atoms.map((x) => (x.uAniso ? { ...x, uAniso: [0.01, -0.02, 0.01, 0, 0, 0] as const } : x)) };
    const r = await refineDynamical(
      flat,
      { ...data, frames: [a, none, broken, zero] },
      { workers: 1, stages: [{ name: "t", thickness: true, gradient: "rows", maxCycles: 1 }] },
    );
    expect(r.frames.map((f) => f.status)).toEqual(["refined", "excluded", "excluded", "refined"]);
    const text = r.warnings.join("\n");
    expect(text).toMatch(/frame none is left out: no reflection with a positive sigma within gMax/);
    expect(text).toMatch(/frame broken is left out: its orientation is not finite/);
    expect(text).toMatch(/1 reflections of the data have no positive sigma/);
    expect(text).toMatch(/tensor of O is not positive definite/);
    expect(r.residuals.nAll).toBe(a.sigma.length + c.sigma.length - 1);
    expect(Number.isFinite(r.residuals.rAll)).toBe(true);
    const few = { ...a, hkl: a.hkl.subarray(0, 24), intensity: a.intensity.subarray(0, 8), sigma: a.sigma.subarray(0, 8) };
    const stages = [
      { name: "t", thickness: true, gradient: "rows", maxCycles: 1 } as const,
      { name: "all", thickness: true, structure: true },
    ];
    const kept = await refineDynamical(quartz, { ...data, frames: [few] }, { workers: 1, stages });
    expect(kept.warnings.join()).toMatch(/stage "all" is left out: 8 reflections for 1\d parameters/);
    expect(kept.parameters.map((p) => p.name)).toEqual(["thickness"]);
  });
  test("a cell that contradicts the data by more than 1 % is replaced, by more than 6 % refused; a wrong group is named", async () => {
    const off = (f: number) => ({ ...quartz, cell: unitCell(4.91 * f, 4.91 * f, 5.41 * f, 90, 90, 120) });
    const quick = { workers: 1, stages: [{ name: "scales", gradient: "rows", maxCycles: 0 }] } as const;
    const r = await refineDynamical(off(1.02), data, quick);
    expect(r.warnings.join()).toMatch(/differ by 1\.9\d %; that of the data is used/);
    expect(r.structure.cell.a).toBeCloseTo(4.91, 6);
    await expect(refineDynamical(off(1.08), data, quick)).rejects.toThrow(/different crystals/);
    const cubic = { ...quartz, spaceGroup: spaceGroup("P 2 2 2") };
    expect((await refineDynamical(cubic, data, quick)).warnings.join()).toMatch(/does not obey P 2 2 2/);
    await expect(refineDynamical(quartz, { ...data, frames: [] }, quick)).rejects.toThrow(/no frames/);
    await expect(refineDynamical(quartz, { ...data, model: { ...data.model, thickness: 0 } }, quick)).rejects.toThrow(/starting thickness/);
    const lost = { ...data.frames[0]!, hkl: Int32Array.of(30, 0, 0), intensity: Float64Array.of(5), sigma: Float64Array.of(1) };
    await expect(refineDynamical(quartz, { ...data, frames: [lost] }, quick)).rejects.toThrow(/no frame can be compared/);
  });
  test("the scan finds the thickness without a guess; the inverted structure is told apart", async () => {
    const scan = await scanThickness(quartz, data, { range: [100, 800, 50] });
    expect(scan.model.kind).toBe("wedge");
    expect(Math.abs(scan.thickness - 420)).toBeLessThan(60);
    const h = await dynamicalHand(invertedStructure(quartz), data, { workers: 1 });
    expect(h.inverted!.structure.spaceGroup.hm).toBe("P 32 2 1");
    expect(h.hand).toBe("inverted");
    expect(h.z).toBeLessThan(-3);
  });
});
