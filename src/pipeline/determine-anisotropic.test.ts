import { expect, test } from "vitest";
import type { FrameModel } from "../bloch/frames.js";
import type { Structure } from "../geometry/index.js";
import { type DynamicalData, refineDynamical } from "../refine/index.js";
import { electrons, measuredFrames, rutile } from "../testing/measured-frames.js";
import { refineAnisotropic, withTensors } from "./determine-anisotropic.js";

const model: FrameModel = {
  gMax: 1.7,
  sMax: 0.012,
  thickness: 220,
  thicknessModel: { kind: "wedge" },
  tiltCorrection: 0,
  mosaicity: { kind: "none" },
  sampling: { sweep: { kind: "midpoint", steps: 12 } },
};

const data = async (truth: Structure, anglesDeg: readonly number[]): Promise<DynamicalData> => ({
  beam: electrons,
  frames: await measuredFrames(truth, model, { anglesDeg, halfWidthDeg: 1.5, rsgMax: 0.8, scale: () => 3e6, sigma: (v) => 0.02 * v + 3 }),
  model,
});
const isotropic = (d: DynamicalData) =>
  refineDynamical(rutile(0.012), d, {
    workers: 1,
    stages: [{ name: "all", thickness: true, structure: true, gradient: "exact", maxCycles: 4 }],
  });
const wide = [-55, -45, -35, -25, -15, -5, 5, 15, 25, 35, 45, 55];

test("tensors that are there are found", async () => {
  const tensor = [0.02, 0.02, 0.006, -0.008, 0, 0] as const,
    d = await data(rutile(tensor), wide),
    { choice, result } = await refineAnisotropic(await isotropic(d), d, { workers: 1 });
  expect(choice).toMatchObject({ anisotropic: true, parameters: 7 });
  const found = result.structure.atoms[1]!.uAniso!;
  tensor.forEach((u, i) => {
    expect(Math.abs(found[i]! - u), `U ${i}`).toBeLessThan(0.0025);
  });
}, 120_000);
test("displacements that are isotropic stay so, and the reason is named", async () => {
  const d = await data(rutile(0.012), wide),
    given = await isotropic(d),
    { choice, result } = await refineAnisotropic(given, d, { workers: 1 });
  expect(choice.anisotropic).toBe(false);
  expect(choice.reason).toContain("do not ask for tensors");
  expect(result).toBe(given);
}, 120_000);
test("few reflections keep isotropic displacements without a trial", async () => {
  const d = await data(rutile(0.012), [-10]),
    { choice } = await refineAnisotropic(await isotropic(d), d, { workers: 1 });
  expect(choice.anisotropic).toBe(false);
  expect(choice.reason).toMatch(/reflections for 7 parameters/);
}, 120_000);
test("every atom gets the tensor of its U, the same sphere", () => {
  const [ti, o] = withTensors(rutile(0.012)).atoms;
  expect(ti!.uAniso!.map((v) => Number(v.toFixed(6)))).toEqual([0.005, 0.005, 0.005, 0, 0, 0]);
  expect(o!.uAniso![2]).toBeCloseTo(0.012, 9);
});
