import { frameCrystal, tiltedThickness } from "../bloch/frames.js";
import { type SweepProblem, sweepAll } from "../bloch/integrate.js";
import { sweepPool } from "../bloch/integrate-pool.js";
import type { Absorption } from "../bloch/potential.js";
import { type ThicknessModel, thicknessNodes } from "../bloch/thickness.js";
import { fail } from "../core/errors.js";
import { compose, type Map3 } from "../core/frames.js";
import type { RunOptions } from "../core/job.js";
import type { Rng } from "../core/rng.js";
import { petsRotation } from "../geometry/goniometer.js";
import { radians } from "../geometry/rotation.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { crystalPoints, type SimulationOptions, seriesGeometry } from "./simulate.js";
import { simulationDirections } from "./simulate-directions.js";
import { reachedSpots } from "./simulate-spots.js";

/** The crystal as the beam meets it. */
export interface WaveModel {
  /** Å: of the plate, or the largest of the distribution. */
  readonly thickness: number;
  /** Default a wedge: every thickness from 0 to the largest alike. */
  readonly thicknessModel?: ThicknessModel | undefined;
  /** C of t = C·t₀/cos α + (1 − C)·t₀. Default 0. */
  readonly tiltCorrection?: number | undefined;
  /** Beams of the matrix: |g| up to this, Å⁻¹. Default 1.15 times the resolution of the series. */
  readonly beamsGMax?: number | undefined;
  /** A beam takes part when |Sg| < sMax, or when |U_g|/(2K|Sg|) > strength. Defaults 0.012 Å⁻¹ and 0.01. */
  readonly sMax?: number | undefined;
  readonly strength?: number | undefined;
  readonly factors?: FormFactorSource | undefined;
  readonly absorption?: Absorption | undefined;
}

/** Dynamical intensities of a series: what {@link simulateDynamical} makes and `simulateSeries` draws. */
export interface WaveIntensities {
  /** For each crystal and frame, mean |ψ|² over exposure, mosaic blocks and thicknesses of the spots that come within `reach` of the sphere. */
  readonly lattices: readonly (readonly Float64Array[])[];
  readonly reach: number;
  /** Resolution of the series that they were made for, Å⁻¹. */
  readonly gMax: number;
  readonly strongest: number;
  /** Beams in the matrix and directions of a frame, on the average. */
  readonly meanBeams: number;
  readonly meanDirections: number;
}

export interface WaveRun extends RunOptions {
  readonly workers?: number | undefined;
}

/**
 * Intensities of a series by Bloch waves, frame by frame at the true orientations: the sweep of the exposure, mosaic blocks
 * (`rocking.mosaicityDeg`, isotropic, normal) and the distribution of thicknesses are integrated over; `rocking.rcWidth` takes no part, as the width of a
 * rocking curve follows from the thickness. Put the result into `waves` of the options and call `simulateSeries` with a generator of the same seed.
 * @throws unsupported for crystals given as a function of the indices; what the potential and the tilt correction throw; rejects on abort
 */
export async function simulateDynamical(
  options: SimulationOptions,
  model: WaveModel,
  rng: Rng,
  run: WaveRun = {},
): Promise<WaveIntensities> {
  const { crystals, gMax, rocking } = options;
  const { thicknessModel = { kind: "wedge" }, sMax = 0.012, strength = 0.01, tiltCorrection = 0 } = model;
  const { instrument, truth } = seriesGeometry(options, rng);
  const beamsGMax = model.beamsGMax ?? 1.15 * gMax;
  if (!(beamsGMax >= gMax)) fail("out-of-range", { beamsGMax, gMax }, "the beams must reach at least the resolution of the series");
  const mosaicity = radians(rocking.mosaicityDeg);
  const on = await sweepPool({ workers: run.workers });
  const total = crystals.length * truth.length;
  let beams = 0,
    directionCount = 0,
    strongest = 0;
  try {
    const lattices: Float64Array[][] = [];
    for (const [c, crystal] of crystals.entries()) {
      if (typeof crystal.intensity === "function")
        return fail(
          "unsupported",
          { crystal: c },
          "Bloch waves need atoms: give the crystal a structure instead of a function of its indices",
        );
      const points = crystalPoints(crystal, gMax);
      const { potential, pool } = frameCrystal(crystal.intensity, instrument.beam, beamsGMax, model);
      const problems = truth.map((frame): SweepProblem => {
        const ub: Map3<"lab", "hkl"> = compose(petsRotation(frame.alphaDeg, frame.betaDeg, 0), crystal.ub);
        const t = tiltedThickness(model.thickness, frame.alphaDeg, tiltCorrection);
        const nodes = thicknessNodes(thicknessModel, t, 2 * Math.PI * t * (sMax + 0.002));
        const directions = simulationDirections(instrument.exposure, mosaicity, gMax * t);
        directionCount += directions.size / total;
        const { hkl } = reachedSpots(points, instrument, frame, sMax);
        return { potential, pool, ub, directions, hkl, depths: { depth: nodes.t, weight: nodes.weights }, sMax, strength, tolerance: 1e-6 };
      });
      const found = await sweepAll(problems, {
        on,
        signal: run.signal,
        onProgress: (done) =>
          run.onProgress?.({ done: c * truth.length + done, total, note: `Bloch waves of frame ${done} of ${truth.length}` }),
      });
      for (const f of found) {
        beams += f.meanBeams / total;
        strongest = f.intensity.reduce((m, v) => Math.max(m, v), strongest);
      }
      lattices.push(found.map((f) => f.intensity));
    }
    if (!(strongest > 0)) fail("bad-value", { frames: truth.length }, "no reflection of the series is excited: check UB, gMax and angles");
    return { lattices, reach: sMax, gMax, strongest, meanBeams: beams, meanDirections: directionCount };
  } finally {
    await on.pool.close();
  }
}
