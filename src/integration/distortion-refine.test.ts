import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { rng } from "../core/rng.js";
import { unitCell } from "../geometry/cell.js";
import { simulatePeaks, testCells } from "../testing/peaks.js";
import { refineSeriesDistortions } from "./distortion-refine-series.js";
import { indexingSteps } from "./indexing.js";

const distortion = {
  magnification: 0.01,
  ellipticalAmplitude: 0.008,
  ellipticalPhaseDeg: 25,
  barrel: -0.006,
  spiral: 0.004,
  parabolicAmplitude: 0.004,
  parabolicPhaseDeg: -60,
};
const truth = simulatePeaks({
  cell: testCells.monoclinic,
  rng: rng("five distortions"),
  omegaDeg: 218.4,
  outliers: 0.03,
  distortion,
  driftPx: [2, -1.5],
});
const found = runSync(
  indexingSteps(truth.peaks, { wavelength: 0.02508, aperpixel: 0.005, alphaDeg: truth.nominalDeg, bravais: "mP", axis: { nearDeg: 220 } }),
);
const series = { maxima: found.maxima, peaks: truth.peaks, ub: found.conventional.ub, instrument: found.instrument, frames: found.frames };
const near = (a: number, b: number): number => Math.abs(a / b - 1);

test("all five distortions come back to 10 % of their size when the cell is known", () => {
  const r = refineSeriesDistortions(series, { cell: unitCell(...testCells.monoclinic) });
  for (const name of ["magnification", "ellipticalAmplitude", "barrel", "spiral", "parabolicAmplitude"] as const)
    expect(near(r.distortion[name], distortion[name]), name).toBeLessThan(0.1);
  expect(Math.abs(r.distortion.ellipticalPhaseDeg - 25)).toBeLessThan(2);
  expect(Math.abs(r.distortion.parabolicPhaseDeg + 60)).toBeLessThan(4);
  expect(r.rmsPxAfter).toBeLessThan(0.3 * r.rmsPxBefore);
  expect(r.warnings).toEqual([]);
});

test("with the Laue class alone all but the magnification come back", () => {
  const r = refineSeriesDistortions(series, { system: "monoclinic" });
  for (const name of ["ellipticalAmplitude", "barrel", "spiral", "parabolicAmplitude"] as const)
    expect(near(r.distortion[name], distortion[name]), name).toBeLessThan(0.1);
  expect(r.distortion.magnification).toBe(0);
  // The unknown magnification stays in the cell, as a scale and nothing else.
  expect(r.lattice.cell.a * 1.01).toBeCloseTo(testCells.monoclinic[0], 2);
  expect(Math.abs(r.lattice.cell.betaDeg - testCells.monoclinic[4])).toBeLessThan(0.03);
});

test("without a Laue class the elliptical term is left out and named, the others are within 10 %", () => {
  const r = refineSeriesDistortions(series, { terms: ["elliptical", "magnification", "barrel", "spiral", "parabolic"] });
  expect(r.warnings.map((w) => w.split(":")[0])).toEqual(["elliptical-needs-laue-class", "magnification-needs-cell"]);
  for (const name of ["barrel", "spiral", "parabolicAmplitude"] as const)
    expect(near(r.distortion[name], distortion[name]), name).toBeLessThan(0.1);
  expect(r.distortion.ellipticalAmplitude).toBe(0);
});
