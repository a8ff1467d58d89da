import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { reducedFiles, reducedRecord, reducedSummary, reduceIntegrated, reduceSeries } from "./reduce.js";
import { simulateSeries } from "./simulate.js";
import { trigonalCase } from "./simulate-cases.js";
import { simulationSource } from "./simulate-source.js";

const { options, seed } = trigonalCase();
const few = simulateSeries({ ...options, frames: 14, alphaStartDeg: -7 }, rng(seed));
const experiment = {
  ub: options.crystals[0]!.ub,
  instrument: few.instrument,
  geometry: few.truth,
  rocking: options.rocking,
  settings: {
    noise: { gain: 2.5, psi: 1 },
    diameter: 6,
    saturation: 65535,
    mask: undefined,
    minRadius: 16,
    maxRadius: Number.POSITIVE_INFINITY,
  },
};

test("frames to files that are read again, to a record without NaN and to a table", async () => {
  const r = await reduceSeries(simulationSource(few), experiment, { dMin: 0.8, bravais: "hP", learnFrames: 6 });
  expect(r.merged.statistics.overall.rInt).toBeLessThan(0.15);
  expect(r.warnings.some((w) => w.includes("% of the unique"))).toBe(true);
  const files = reducedFiles(r, "quartz", [0.001, 0.001, 0.002, 0, 0, 0]);
  expect([...files.keys()]).toEqual(["quartz.hkl", "quartz.cif_pets", "quartz_dyn.cif_pets", "quartz.cml"]);
  const dyn = parseCifPets(files.get("quartz_dyn.cif_pets")!).value;
  expect(dyn.zones.size).toBe(14);
  expect(dyn.zones.precessionDeg[0]).toBeCloseTo(0.9, 3);
  expect(dyn.reflections.size).toBe(r.virtual!.size);
  expect(JSON.stringify(reducedRecord(r))).not.toContain("NaN");
  expect(reducedSummary(r).length).toBeGreaterThan(12);
  const again = reduceIntegrated(r.integrated, { bravais: "hP", scale: false, virtual: { merge: 2, step: 1 } });
  expect(again.scales).toBeUndefined();
  expect(again.virtual!.frames.length).toBe(13);
});

test("a blank series ends with its reason", async () => {
  const blank = { ...simulationSource(few), read: async () => ({ data: new Float32Array(512 * 512), shape: [512, 512] as const }) };
  const masked = { ...experiment, settings: { ...experiment.settings, mask: new Uint8Array(512 * 512).fill(1) } };
  const error = await reduceSeries(blank, masked, { dMin: 1 }).catch((e: unknown) => e);
  expect(isSdkError(error, "bad-value")).toBe(true);
});
