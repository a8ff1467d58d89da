import { compose, type Map3 } from "../core/frames.js";
import { type Rng, rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import type { UnitCell } from "../geometry/cell.js";
import { detector } from "../geometry/detector.js";
import { type Distortion, noDistortion } from "../geometry/distortion.js";
import type { Exposure, Instrument } from "../geometry/experiment.js";
import { ubMatrix } from "../geometry/orientation.js";
import { rotationAbout } from "../geometry/rotation.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import type { SimulationOptions } from "./simulate.js";
import { defaultBackground } from "./simulate-background.js";
import { hybridPixelCamera } from "./simulate-camera.js";
import { albite, glycine, luag, type ModelCrystal, natrolite, quartz } from "./simulate-crystals.js";

/** A ready tilt series with known truth: its options, the crystal and the seed that make it. */
export interface SimulationCase {
  readonly name: "cubic" | "trigonal" | "orthorhombic" | "twin" | "triclinic";
  readonly crystal: ModelCrystal;
  readonly options: SimulationOptions;
  readonly seed: number;
  /** Cell to give to the processing, where the series alone cannot tell it from the magnification. */
  readonly knownCell?: UnitCell | undefined;
  /** Rotation, sample frame, from the first crystal to the second (twins). */
  readonly twinLaw?: Map3<"sample", "sample"> | undefined;
}

const instrument = (scale: number, exposure: Exposure, distortion: Distortion = noDistortion): Instrument => ({
  beam: beam(200),
  detector: detector({ nx: 512, ny: 512, invAngstromPerPixel: scale, centrePx: [253.4, 259.8] }),
  distortion,
  exposure,
});
const continuous: Exposure = { kind: "continuous", halfWidthDeg: 0.1 }; // the half width follows from step and gap

const base = (crystal: ModelCrystal, r: Rng) => {
  const u = randomRotation<"sample", "crystal">(r.fork("orientation"));
  return { ub: ubMatrix(u, crystal.cell), intensity: crystal.structure };
};

/**
 * Five series on which the processing is tested, 512² pixels, 200 kV: cubic (LuAG, 0.5° continuous with read-out gaps and all five distortions),
 * trigonal (quartz, precession, 1°), orthorhombic F-centred (natrolite, static, 0.1°, faulty pixels), a twin (glycine, 0.3° continuous),
 * triclinic (albite, 0.5° continuous, beam stop). Errors of stage and centre, Poisson and camera noise in all of them.
 */
export function simulationCases(): readonly SimulationCase[] {
  return [cubicCase(), trigonalCase(), orthorhombicCase(), twinCase(), triclinicCase()];
}

/**
 * LuAG: large cell, read-out gaps of 12 % of the step, and all five distortions, which move the outermost spots by one to three pixels. Only a cubic
 * cell fixes the elliptical one whatever its direction (a triclinic cell would absorb it), and only a known cell the magnification.
 */
export function cubicCase(): SimulationCase {
  const crystal = luag(),
    seed = 101;
  const distortion: Distortion = {
    magnification: 0.004,
    ellipticalAmplitude: 0.006,
    ellipticalPhaseDeg: 27,
    barrel: -0.006,
    spiral: 0.005,
    parabolicAmplitude: 0.004,
    parabolicPhaseDeg: 110,
  };
  return {
    name: "cubic",
    crystal,
    seed,
    knownCell: crystal.cell,
    options: {
      crystals: [base(crystal, rng(seed))],
      instrument: instrument(0.0048, continuous, distortion),
      rocking: { rcWidth: 0.0011, mosaicityDeg: 0.08 },
      alphaStartDeg: -50,
      alphaStepDeg: 0.5,
      frames: 200,
      omegaDeg: 38.72,
      readoutGap: 0.12,
      gMax: 1.25,
      strongestElectrons: 60000,
      dynamical: { strongestA: 2, scatter: 0.15, umweg: 2e-4 },
      errors: { alphaDeg: 0.04, betaDeg: 0.02, omegaDeg: 0.01, centrePx: 0.05, magnification: 0.0002, scale: 0.15 },
    },
  };
}

/** Quartz: small cell, precession of 0.9°. */
export function trigonalCase(): SimulationCase {
  const crystal = quartz(),
    seed = 202;
  return {
    name: "trigonal",
    crystal,
    seed,
    options: {
      crystals: [base(crystal, rng(seed))],
      instrument: instrument(0.0062, { kind: "precession", semiAngleDeg: 0.9 }),
      rocking: { rcWidth: 0.0012, mosaicityDeg: 0.1 },
      alphaStartDeg: -60,
      alphaStepDeg: 1,
      frames: 121,
      omegaDeg: -86.31,
      gMax: 1.6,
      strongestElectrons: 50000,
      dynamical: { strongestA: 2.5, scatter: 0.1, umweg: 1e-4 },
      errors: { alphaDeg: 0.05, betaDeg: 0.03, omegaDeg: 0.01, centrePx: 0.1, magnification: 0.0002, scale: 0.1 },
    },
  };
}

/** Natrolite: F-centred cell of 2250 Å³, static frames every 0.1°, with faulty pixels. */
export function orthorhombicCase(): SimulationCase {
  const crystal = natrolite(),
    seed = 303;
  return {
    name: "orthorhombic",
    crystal,
    seed,
    options: {
      crystals: [base(crystal, rng(seed))],
      instrument: instrument(0.0052, { kind: "static" }),
      rocking: { rcWidth: 0.0012, mosaicityDeg: 0.09 },
      alphaStartDeg: -25,
      alphaStepDeg: 0.1,
      frames: 501,
      omegaDeg: 151.05,
      gMax: 1.35,
      strongestElectrons: 40000,
      camera: { ...hybridPixelCamera, deadPixels: 12, hotPixels: 9 },
      dynamical: { strongestA: 1.5, scatter: 0.1, umweg: 1e-4 },
      errors: { alphaDeg: 0.015, betaDeg: 0.01, omegaDeg: 0.005, centrePx: 0.03, magnification: 0.0001, scale: 0.1 },
    },
  };
}

/** Glycine, two individuals 0.65 : 0.35 related by a twofold axis along a; the cell is monoclinic, so most of their spots do not coincide. */
export function twinCase(): SimulationCase {
  const crystal = glycine(),
    seed = 404,
    first = base(crystal, rng(seed));
  // columns of UB are a*, b*, c*; a ∥ b* × c*
  const [, b, c, , e, f, , h, i] = first.ub;
  const twinLaw = rotationAbout<"sample", "sample">([e * i - h * f, h * c - b * i, b * f - e * c], Math.PI);
  return {
    name: "twin",
    crystal,
    seed,
    twinLaw,
    options: {
      crystals: [
        { ...first, fraction: 0.65 },
        { ...first, ub: compose(twinLaw, first.ub), fraction: 0.35 },
      ],
      instrument: instrument(0.0053, continuous),
      rocking: { rcWidth: 0.0012, mosaicityDeg: 0.12 },
      alphaStartDeg: -48,
      alphaStepDeg: 0.3,
      frames: 320,
      omegaDeg: 230.39,
      readoutGap: 0.05,
      gMax: 1.3,
      strongestElectrons: 120000,
      dynamical: { strongestA: 3, scatter: 0.1, umweg: 1e-4 },
      errors: { alphaDeg: 0.03, betaDeg: 0.02, omegaDeg: 0.01, centrePx: 0.08, magnification: 0.0002, scale: 0.2 },
    },
  };
}

/** Albite: no symmetry to help, a beam stop over the direct beam. */
export function triclinicCase(): SimulationCase {
  const crystal = albite(),
    seed = 505;
  return {
    name: "triclinic",
    crystal,
    seed,
    options: {
      crystals: [base(crystal, rng(seed))],
      instrument: instrument(0.0055, continuous),
      rocking: { rcWidth: 0.0012, mosaicityDeg: 0.1 },
      alphaStartDeg: -55,
      alphaStepDeg: 0.5,
      frames: 220,
      omegaDeg: 54.95,
      readoutGap: 0.08,
      gMax: 1.4,
      strongestElectrons: 90000,
      background: { ...defaultBackground, beamStop: { directionDeg: 200, halfWidthPx: 9, transmission: 0.01 } },
      dynamical: { strongestA: 2.5, scatter: 0.1, umweg: 1e-4 },
      errors: { alphaDeg: 0.04, betaDeg: 0.02, omegaDeg: 0.01, centrePx: 0.05, magnification: 0.0002, scale: 0.15 },
    },
  };
}
