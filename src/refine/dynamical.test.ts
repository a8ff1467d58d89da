import { expect, test } from "vitest";
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
import type { DynamicalData, RefinedFrameData } from "./dynamical-types.js";
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
  sampling: { sweep: { kind: "midpoint", steps: 24 } },
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
  const data = simulated([-47, -38, -31, -22, -13, -4, 5, 14, 23, 31, 42, 50], 0.04, 0.3);
  const r = await refineDynamical(perturbStructure(quartz, 0.04, rng(3)), data, { workers: 1 });
  expect(r.residuals.nAll).toBeGreaterThan(200);
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
});
