import { rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import { detector } from "../geometry/detector.js";
import { noDistortion } from "../geometry/distortion.js";
import type { Exposure } from "../geometry/experiment.js";
import { ubMatrix } from "../geometry/orientation.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import { type Simulation, type SimulationOptions, simulateSeries } from "./simulate.js";
import { defaultBackground } from "./simulate-background.js";
import { timepixCamera } from "./simulate-camera.js";
import { albite, type ModelCrystal, natp } from "./simulate-crystals.js";
import { simulateDynamical, type WaveModel, type WaveRun } from "./simulate-dynamical.js";

/** A series with dynamical intensities and known truth. */
export interface DynamicalCase {
  readonly name: string;
  readonly crystal: ModelCrystal;
  /** Chemical formula for the solution. */
  readonly composition: string;
  readonly options: SimulationOptions;
  readonly model: WaveModel;
  readonly seed: number;
}

const seriesOf = (crystal: ModelCrystal, seed: number, scale: number, exposure: Exposure) => ({
  crystals: [
    { ub: ubMatrix(randomRotation<"sample", "crystal">(rng(seed).fork("orientation")), crystal.cell), intensity: crystal.structure },
  ],
  instrument: {
    beam: beam(200),
    detector: detector({ nx: 512, ny: 512, invAngstromPerPixel: scale, centrePx: [253.4, 259.8] as const }),
    distortion: noDistortion,
    exposure,
  },
});

/** What `npm start` shows: albite, a wedge up to 500 Å, 0.5° continuous, read-out gaps, beam stop, errors of stage and centre. */
export function demoCase(): DynamicalCase {
  const crystal = albite(),
    seed = 606;
  return {
    name: "albite",
    crystal,
    composition: "Na Al Si3 O8",
    seed,
    model: { thickness: 500 },
    options: {
      ...seriesOf(crystal, seed, 0.0058, { kind: "continuous", halfWidthDeg: 0.23 }),
      rocking: { rcWidth: 0.0012, mosaicityDeg: 0.06 },
      alphaStartDeg: -60,
      alphaStepDeg: 0.5,
      frames: 240,
      omegaDeg: 54.95,
      readoutGap: 0.08,
      gMax: 1.45,
      strongestElectrons: 120000,
      background: { ...defaultBackground, beamStop: { directionDeg: 200, halfWidthPx: 9, transmission: 0.01 } },
      errors: { alphaDeg: 0.03, betaDeg: 0.02, omegaDeg: 0.01, centrePx: 0.05, magnification: 0.0002, scale: 0.1 },
    },
  };
}

/**
 * One crystal of a NASICON ceramic collected in three ways, like the samples of the ceramics paper: static steps of 0.1°, continuous rotation in
 * frames of 0.3°, precession of 0.7° every degree, over 80°; the second sodium site is 7 % full. All three have the same number of electrons a
 * degree of tilt. From the paper: steps, frame widths, "highly crystalline" grains, angles of the rotation that are read late and not those of
 * stopped frames, "thick" particles, of which it gives no figure: a wedge up to 1200 Å, assumed. Stage: 0.03° rms, what frames of PETS2 (albite) need at
 * least. Camera: spots of a real frame. Assumed besides: mosaicity 0.03°.
 */
export function ceramicCase(strategy: Exposure["kind"]): DynamicalCase {
  const crystal = natp(),
    seed = 707;
  const exposure: Exposure =
    strategy === "precession"
      ? { kind: "precession", semiAngleDeg: 0.7 }
      : strategy === "continuous"
        ? { kind: "continuous", halfWidthDeg: 0.15 }
        : { kind: "static" };
  const alphaStepDeg = { static: 0.1, continuous: 0.3, precession: 1 }[strategy],
    beamElectrons = 1.33e6 * alphaStepDeg;
  const turning = strategy === "continuous";
  return {
    name: `natp-${strategy}`,
    crystal,
    composition: "Na1.2 Al0.2 Ti1.8 P3 O12",
    seed,
    model: { thickness: 1200 },
    options: {
      ...seriesOf(crystal, seed, 0.0058, exposure),
      rocking: { rcWidth: 0.0012, mosaicityDeg: 0.03 },
      alphaStartDeg: -40,
      alphaStepDeg,
      frames: Math.round(80 / alphaStepDeg) + 1,
      omegaDeg: -112.4,
      readoutGap: turning ? 0.01 : 0,
      gMax: 1.45,
      beamElectrons,
      camera: timepixCamera,
      background: {
        ...defaultBackground,
        constant: alphaStepDeg,
        inelastic: 40 * alphaStepDeg,
        directBeam: beamElectrons,
      },
      errors: {
        alphaDeg: turning ? 0 : 0.03,
        readingDeg: turning ? 0.04 : 0,
        betaDeg: 0.03,
        omegaDeg: 0.01,
        centrePx: 0.05,
        magnification: 0.0002,
        scale: 0.05,
      },
    },
  };
}

/** The series of a case: waves first, then frames on demand. */
export async function simulateCase(c: DynamicalCase, run: WaveRun = {}): Promise<Simulation> {
  const waves = await simulateDynamical(c.options, c.model, rng(c.seed), run);
  return simulateSeries({ ...c.options, waves }, rng(c.seed));
}
