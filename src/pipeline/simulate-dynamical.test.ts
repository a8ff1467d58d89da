import { expect, test } from "vitest";
import { frameCrystal, frameIntensities } from "../bloch/frames.js";
import { compose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import type { Exposure } from "../geometry/experiment.js";
import { petsRotation } from "../geometry/goniometer.js";
import { contacts } from "../geometry/structure-bonds.js";
import { lobato } from "../scattering/lobato.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { type SimulationOptions, simulateSeries } from "./simulate.js";
import { trigonalCase } from "./simulate-cases.js";
import { ceramicCase, demoCase } from "./simulate-cases-dynamical.js";
import { natp, quartz } from "./simulate-crystals.js";
import { simulateDynamical } from "./simulate-dynamical.js";

const series = (exposure: Exposure, mosaicityDeg: number, frames = 2): SimulationOptions => {
  const { options } = trigonalCase();
  return {
    ...options,
    instrument: { ...options.instrument, exposure },
    rocking: { rcWidth: 0.001, mosaicityDeg },
    alphaStartDeg: 20,
    alphaStepDeg: 0.5,
    frames,
    gMax: 1.2,
  };
};
const still: Exposure = { kind: "static" };
const relative = (a: readonly number[], b: readonly number[], scale = 1): number =>
  a.reduce((s, v, i) => s + Math.abs(v - scale * b[i]!), 0) / a.reduce((s, v) => s + v, 0);

test("a crystal of 5 Å scatters kinematically: amplitudes in proportion to |F|", async () => {
  const options = series(still, 0, 4);
  const waves = await simulateDynamical(options, { thickness: 5, thicknessModel: { kind: "plate" } }, rng(1), { workers: 1 });
  const spots = simulateSeries({ ...options, waves }, rng(1));
  const f: number[] = [],
    amplitude: number[] = [];
  for (let i = 0; i < 4; i++) {
    const { hkl, size } = spots.spots(i);
    const factors = structureFactors(quartz().structure, hkl, lobato);
    for (let j = 0; j < size; j++) {
      f.push(Math.hypot(factors[2 * j]!, factors[2 * j + 1]!));
      amplitude.push(Math.sqrt(waves.lattices[0]![i]![j]!));
    }
  }
  const scale = f.reduce((s, v, i) => s + v * amplitude[i]!, 0) / amplitude.reduce((s, v) => s + v * v, 0);
  expect(f.length).toBeGreaterThan(40);
  expect(relative(f, amplitude, scale)).toBeLessThan(0.01);
});

test.each<[string, Exposure]>([
  ["static", still],
  ["continuous", { kind: "continuous", halfWidthDeg: 0.25 }],
  ["precession", { kind: "precession", semiAngleDeg: 0.8 }],
])("%s frames agree with the quadratures of the frame model", async (_, exposure) => {
  const options = series(exposure, 0.06),
    seed = 5;
  const model = { thickness: 400, beamsGMax: 1.3, sMax: 0.015, strength: 0.05 };
  const waves = await simulateDynamical(options, model, rng(seed), { workers: 1 });
  const s = simulateSeries({ ...options, waves }, rng(seed));
  const crystal = frameCrystal(quartz().structure, options.instrument.beam, 1.3);
  const frames = s.truth.map((t, i) => ({
    id: String(i),
    ub: compose(petsRotation(t.alphaDeg, t.betaDeg, 0), options.crystals[0]!.ub),
    alphaDeg: t.alphaDeg,
    exposure: s.instrument.exposure,
    hkl: s.spots(i).hkl,
  }));
  const exact = await frameIntensities(crystal, frames, {
    gMax: 1.3,
    sMax: 0.015,
    strength: 0.05,
    thickness: 400,
    thicknessModel: { kind: "wedge" },
    mosaicity: { kind: "gaussian", sigmaDeg: 0.06, count: 7, axes: "both" },
    sampling: {},
  });
  frames.forEach((__, i) => {
    expect(relative([...exact[i]!.intensity], [...waves.lattices[0]![i]!])).toBeLessThan(0.006);
  });
});

test("the truth holds the electrons; workers change no bit; another series is refused", async () => {
  const options = series({ kind: "continuous", halfWidthDeg: 0.25 }, 0.05, 5);
  const model = { thickness: 300, tiltCorrection: 1 };
  const one = await simulateDynamical(options, model, rng(7), { workers: 1 }),
    two = await simulateDynamical(options, model, rng(7), { workers: 2 });
  expect(two.lattices).toEqual(one.lattices);
  const s = simulateSeries({ ...options, waves: one }, rng(7)),
    spots = s.spots(3);
  const row = spots.electrons.indexOf(Math.max(...spots.electrons));
  expect(spots.electrons[row]).toBeCloseTo(
    (options.strongestElectrons! * s.truth[3]!.scale! * one.lattices[0]![3]![row]!) / one.strongest,
    8,
  );
  expect(() => simulateSeries({ ...options, frames: 6, waves: one }, rng(7))).toThrow(/make them anew/);
  // thicker at higher tilts
  const plain = await simulateDynamical(options, { thickness: 300 }, rng(7), { workers: 1 });
  expect(plain.lattices).not.toEqual(one.lattices);
});

test("abort, and crystals without atoms", async () => {
  const options = series(still, 0.05, 3);
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  await expect(simulateDynamical(options, { thickness: 300 }, rng(1), { workers: 1, signal: stop.signal })).rejects.toThrow("enough");
  const bare = { ...options, crystals: [{ ...options.crystals[0]!, intensity: () => 1 }] };
  await expect(simulateDynamical(bare, { thickness: 300 }, rng(1), { workers: 1 })).rejects.toThrow(/need atoms/);
  await expect(simulateDynamical(options, { thickness: -1 }, rng(1), { workers: 1 })).rejects.toThrow(/thickness/);
});

test("the ready cases: a sodium site 7 % full in three collections; tetrahedra of phosphate", () => {
  for (const kind of ["static", "continuous", "precession"] as const) {
    const { options, crystal } = ceramicCase(kind);
    expect(options.instrument.exposure.kind).toBe(kind);
    expect(Math.abs((options.frames - 1) * options.alphaStepDeg - 80)).toBeLessThan(0.2);
    expect(crystal.structure.atoms.at(-1)).toMatchObject({ element: "Na", occupancy: 0.07 });
  }
  const bonds = contacts(natp().structure, { maxDistance: 1.7 }).filter((b) => natp().structure.atoms[b.from]!.element === "P");
  expect(bonds.length).toBe(4);
  for (const b of bonds) expect(Math.abs(b.distance - 1.52)).toBeLessThan(0.03);
  expect(demoCase().options.frames).toBeGreaterThan(200);
});
