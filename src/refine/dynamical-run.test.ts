import { expect, test } from "vitest";
import type { FrameModel } from "../bloch/frames.js";
import { rng } from "../core/rng.js";
import { electrons, measuredFrames, rutile } from "../testing/measured-frames.js";
import { runDynamical } from "./dynamical-run.js";
import { perturbStructure } from "./perturb.js";

const truth = rutile(0.007);
const wedge: FrameModel = {
  gMax: 1.4,
  sMax: 0.01,
  thickness: 350,
  thicknessModel: { kind: "wedge" },
  tiltCorrection: 0,
  mosaicity: { kind: "none" },
  sampling: { sweep: { kind: "midpoint", steps: 40 } },
};
const framesOf = (model: FrameModel, anglesDeg = [-50, -38, -26, -14, -3, 9, 20, 31, 43, 55]) =>
  measuredFrames(truth, model, {
    anglesDeg,
    halfWidthDeg: 1,
    rsgMax: 0.66,
    scale: (i) => 2e5 * (1 + i / 3),
    sigma: (v) => 0.03 * v + 2,
  });
const found = async (model: FrameModel, off: number, options: { thickness?: number } = {}) => {
  const run = await runDynamical(
    perturbStructure(truth, off, rng(1)),
    { beam: electrons, frames: await framesOf(model) },
    { gMax: 1.4, thicknessTo: 1000, workers: 1, ...options },
  );
  const instrument = run.result.models[0]!,
    x = run.result.parameters.find((q) => q.name === "O1.x")!;
  expect(Math.abs(instrument.thickness / model.thickness - 1)).toBeLessThan(0.05);
  expect(Math.abs(x.value - 0.3053) / x.su).toBeLessThan(3);
  expect(run.result.residuals.wrAll).toBeLessThan(0.018);
  return { ...run, instrument };
};

test.each([0.05, 0.1])(
  "the shape and thickness of the crystal come back from a structure that is %d Å off and no thickness",
  async (off) => {
    const { start, notes, instrument } = await found(wedge, off);
    // The first scan is misled by the structure, and so are the orientations; the second look is not.
    expect(start.scans.at(-1)!.model.kind).toBe("plate");
    expect(instrument.thicknessModel.kind).toBe("wedge");
    expect(notes.join()).toMatch(/refined again from .* wedge, wR .* instead of plate/);
  },
  240_000,
);

test("a thickness without a shape: the shape is looked for near it, as the largest or the mean thickness", async () => {
  const { start, instrument } = await found(wedge, 0.02, { thickness: 190 });
  expect(instrument.thicknessModel.kind).toBe("wedge");
  for (const { thickness, model } of start.scans.flatMap((s) => s.curves))
    for (const t of thickness) expect([t >= 0.75 * 190, t <= (model.kind === "plate" ? 1.25 : 2.5) * 190 + 1e-6]).toEqual([true, true]);
}, 240_000);

test("a foil that tilts is no wedge: the scan knows the tilt correction", async () => {
  const { start, instrument } = await found({ ...wedge, thickness: 300, thicknessModel: { kind: "plate" }, tiltCorrection: 1 }, 0.02);
  expect(instrument.thicknessModel.kind).toBe("plate");
  expect(start.scans.at(-1)!.tiltCorrection).toBe(1);
  expect(Math.abs(instrument.tiltCorrection! - 1)).toBeLessThan(0.15);
}, 240_000);

test("numbers that cannot be are refused before anything is calculated", async () => {
  const frames = await framesOf(wedge, [0]);
  for (const bad of [
    { thickness: -3 },
    { workers: 0 },
    { thicknessTo: 20 },
    { maxCycles: 1.5 },
    { gMax: Number.NaN },
    { tiltCorrection: 9 },
  ])
    await expect(
      runDynamical(truth, { beam: electrons, frames }, { ...bad, onProgress: () => expect.unreachable("it has begun") }),
    ).rejects.toThrow(/out-of-range/);
});
