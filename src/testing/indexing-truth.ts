import { expect } from "vitest";
import { runSync } from "../core/job.js";
import { rng } from "../core/rng.js";
import { cellParameters } from "../geometry/cell.js";
import { cellFromUB } from "../geometry/metric.js";
import { systemOfBravais } from "../integration/constraints.js";
import { seriesFramesSteps } from "../integration/frame-orientation-series.js";
import { indexingSteps } from "../integration/indexing.js";
import { frameOrientationError, onTrueAxes } from "./orientation.js";
import { type SimulatedSeriesOptions, simulatePeaks, testCells } from "./peaks.js";

const wavelength = 0.02508,
  aperpixel = 0.0065;

/** Five crystals from 0.1° to 1° steps, read-out gaps from 2 to 30 %, wandering stage and beam, false spots. */
const cases: Record<keyof typeof testCells, readonly [string, Partial<SimulatedSeriesOptions>]> = {
  cubic: ["cP", { stepDeg: 0.1, exposed: 0.98, gMax: 1.6, fromDeg: -22, toDeg: 22 }],
  hexagonal: ["hP", { stepDeg: 0.25, exposed: 0.9, gMax: 1.6, fromDeg: -40, toDeg: 40 }],
  orthorhombic: ["oP", { stepDeg: 0.5, exposed: 0.7, gMax: 1.2 }],
  monoclinic: ["mP", { stepDeg: 0.5, gMax: 1.2, omegaDeg: 141.7 }],
  triclinic: ["aP", { stepDeg: 1, gMax: 1, omegaDeg: 303.1 }],
};

/** Simulate, index blind, refine frame by frame, and hold the result against the truth. */
export function checkKnownTruth(name: keyof typeof testCells): void {
  const [bravais, options] = cases[name];
  const truth = simulatePeaks({
    cell: testCells[name],
    rng: rng(name),
    aperpixel,
    omegaDeg: 218.4,
    mosaicityDeg: 0.15,
    meanIntensity: 15000,
    outliers: 0.02,
    driftPx: [1.5, -1],
    frameErrors: { alphaDeg: 0.06, betaDeg: 0.04, omegaDeg: 0.03, scale: 0.08, centrePx: 0.1 },
    ...options,
  }); // prettier-ignore
  const found = runSync(
    indexingSteps(truth.peaks, { wavelength, aperpixel, alphaDeg: truth.nominalDeg, exposure: truth.instrument.exposure }),
  );
  const omega = options.omegaDeg ?? 218.4;
  expect(Math.abs(found.omegaDeg - omega)).toBeLessThan(0.05);
  expect(found.sense?.decisive).toBe(true);
  expect(found.suggested.bravais).toBe(bravais);
  const expected = cellParameters(cellFromUB(truth.ub)),
    cell = cellParameters(cellFromUB(onTrueAxes(found.constrained.ub, truth.ub)));
  for (let i = 0; i < 3; i++) expect(Math.abs(cell[i]! / expected[i]! - 1)).toBeLessThan(1e-3);
  for (let i = 3; i < 6; i++) expect(Math.abs(cell[i]! - expected[i]!)).toBeLessThan(0.03);

  const system = systemOfBravais(found.suggested.bravais);
  const refined = runSync(seriesFramesSteps(truth.peaks, found.constrained.ub, found.instrument, found.frames, { lattice: { system } }));
  expect(frameOrientationError({ ub: found.constrained.ub, frames: found.frames }, truth)).toBeGreaterThan(0.06);
  expect(frameOrientationError(refined, truth)).toBeLessThan(0.03);
  expect(refined.rocking.rcWidth / 0.0012).toBeCloseTo(1, 1);
  expect(refined.rocking.mosaicityDeg / 0.15).toBeCloseTo(1, 1);
}
