import { expect, test } from "vitest";
import { filterFrame } from "../bloch/filters.js";
import { type FrameModel, frameCrystal, frameIntensities } from "../bloch/frames.js";
import { compose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { atom, beam, petsRotation, randomRotation, type Structure, spaceGroup, structure, ubMatrix, unitCell } from "../geometry/index.js";
import { type DynamicalData, type RefinedFrameData, refineDynamical } from "../refine/index.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { refineAnisotropic, withTensors } from "./determine-anisotropic.js";

const electrons = beam(200),
  cell = unitCell(4.594, 4.594, 2.959),
  group = spaceGroup("P 42/m n m");
const rutile = (tensor?: readonly [number, number, number, number, number, number]): Structure =>
  structure(cell, group, [
    atom({ label: "Ti1", element: "Ti", xyz: [0, 0, 0], uIso: 0.005 }),
    atom({ label: "O1", element: "O", xyz: [0.3053, 0.3053, 0], ...(tensor ? { uAniso: tensor } : { uIso: 0.012 }) }),
  ]);
const model: FrameModel = {
  gMax: 1.7,
  sMax: 0.012,
  thickness: 220,
  thicknessModel: { kind: "wedge" },
  tiltCorrection: 0,
  mosaicity: { kind: "none" },
  sampling: { sweep: { kind: "midpoint", steps: 12 } },
};

async function data(truth: Structure, angles: readonly number[]): Promise<DynamicalData> {
  const crystal = frameCrystal(truth, electrons, model.gMax, { factors: ignoreCharge(peng1996) }),
    ub = ubMatrix(randomRotation<"sample", "crystal">(rng(8)), cell),
    exposure = { kind: "continuous", halfWidthDeg: 1.5 } as const,
    random = rng(3);
  const bare = angles.map((alphaDeg, i) => {
    const turned = compose(petsRotation(alphaDeg, 0, 0), ub),
      { kept } = filterFrame(crystal.pool.hkl, turned, electrons, exposure, { rsgMax: 0.8 });
    return {
      id: String(i + 1),
      ub: turned,
      alphaDeg,
      exposure,
      hkl: Int32Array.from([...kept].filter((k) => k > 0).flatMap((k) => [...crystal.pool.hkl.subarray(3 * k, 3 * k + 3)])),
    };
  });
  const exact = await frameIntensities(crystal, bare, model);
  const frames = bare.map((f, i): RefinedFrameData => {
    const I = exact[i]!.intensity.map((v) => 3e6 * v),
      sigma = I.map((v) => 0.02 * v + 3);
    return { ...f, intensity: I.map((v, j) => v + sigma[j]! * random.normal()), sigma };
  });
  return { beam: electrons, frames, model };
}
const isotropic = (d: DynamicalData) =>
  refineDynamical(rutile(), d, {
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
  const d = await data(rutile(), wide),
    given = await isotropic(d),
    { choice, result } = await refineAnisotropic(given, d, { workers: 1 });
  expect(choice.anisotropic).toBe(false);
  expect(choice.reason).toContain("do not ask for tensors");
  expect(result).toBe(given);
}, 120_000);
test("few reflections keep isotropic displacements without a trial", async () => {
  const d = await data(rutile(), [-10]),
    { choice } = await refineAnisotropic(await isotropic(d), d, { workers: 1 });
  expect(choice.anisotropic).toBe(false);
  expect(choice.reason).toMatch(/reflections for 7 parameters/);
}, 120_000);
test("every atom gets the tensor of its U, the same sphere", () => {
  const [ti, o] = withTensors(rutile()).atoms;
  expect(ti!.uAniso!.map((v) => Number(v.toFixed(6)))).toEqual([0.005, 0.005, 0.005, 0, 0, 0]);
  expect(o!.uAniso![2]).toBeCloseTo(0.012, 9);
});
