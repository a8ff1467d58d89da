import { compose, inverse, type Map3 } from "../core/frames.js";
import { cellParameters } from "../geometry/cell.js";
import { distortionVector } from "../geometry/distortion.js";
import { cellFromUB } from "../geometry/metric.js";
import type { OrientationMatrix } from "../geometry/orientation.js";
import type { ProcessingRecord } from "../pipeline/process.js";
import type { Simulation } from "../pipeline/simulate.js";
import { frameOrientationError, onTrueAxes } from "./orientation.js";

/** How far a processing result is from the truth of its simulation. */
export interface TruthErrors {
  /** Largest relative error of a cell length, and largest error of a cell angle in degrees, on the true axes. */
  readonly cellLength: number;
  readonly cellAngleDeg: number;
  /** Change of basis from the found to the true lattice is unimodular: neither a sublattice nor a supercell. */
  readonly sameLattice: boolean;
  /** Position of the tilt axis, degrees, in [−180, 180): near 180 when the sense is wrong. */
  readonly axisDeg: number;
  /** Angle between found and true crystal orientations in the lab, rms over the frames, degrees: refined, and before the refinement of frames. */
  readonly frameRmsDeg: number;
  readonly nominalFrameRmsDeg: number;
}

/** Errors against the first crystal of a simulation or, for the second individual of a twin, against `crystal`. */
export function errorsAgainst(
  truth: { readonly ub: OrientationMatrix; readonly simulation: Simulation; readonly omegaDeg: number },
  found: {
    readonly ub: OrientationMatrix;
    readonly geometry: ProcessingRecord["geometry"];
    readonly omegaDeg: number;
    readonly nominal: ProcessingRecord["geometry"];
  },
): TruthErrors {
  const axes = onTrueAxes(found.ub, truth.ub),
    cell = cellParameters(cellFromUB(axes)),
    wanted = cellParameters(cellFromUB(truth.ub));
  const basis = compose(inverse(found.ub) as Map3<"hkl", "sample">, truth.ub).map(Math.round);
  const [a, b, c, d, e, f, g, h, i] = basis as [number, number, number, number, number, number, number, number, number];
  const frames = { ub: truth.ub, frames: truth.simulation.truth };
  return {
    cellLength: Math.max(...[0, 1, 2].map((k) => Math.abs(cell[k]! / wanted[k]! - 1))),
    cellAngleDeg: Math.max(...[3, 4, 5].map((k) => Math.abs(cell[k]! - wanted[k]!))),
    sameLattice: Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)) === 1,
    axisDeg: ((((found.omegaDeg - truth.omegaDeg + 180) % 360) + 360) % 360) - 180,
    frameRmsDeg: frameOrientationError({ ub: found.ub, frames: found.geometry }, frames),
    nominalFrameRmsDeg: frameOrientationError({ ub: found.ub, frames: found.nominal }, frames),
  };
}

/** Relative error of every distortion amplitude; the two components of elliptical and parabolic count together, phase and all. */
export function distortionErrors(record: ProcessingRecord, simulation: Simulation): Record<string, number> {
  const found = distortionVector(record.distortion!.result.distortion),
    truth = distortionVector(simulation.instrument.distortion);
  const error = (...k: number[]): number => Math.hypot(...k.map((j) => found[j]! - truth[j]!)) / Math.hypot(...k.map((j) => truth[j]!));
  return { magnification: error(0), elliptical: error(1, 2), barrel: error(3), spiral: error(4), parabolic: error(5, 6) };
}
