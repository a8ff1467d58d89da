import { fail } from "../core/errors.js";
import type { Map3, Vec3 } from "../core/frames.js";
import type { Beam } from "../geometry/beam.js";
import type { Exposure } from "../geometry/experiment.js";
import { radians } from "../geometry/rotation.js";
import type { Structure } from "../geometry/structure.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { type BeamPool, beamPool } from "./beams.js";
import { type SweepIntensities, type SweepProblem, type SweepRun, sweepAll } from "./integrate.js";
import type { Mosaicity } from "./mosaicity.js";
import { type Absorption, type CrystalPotential, crystalPotential } from "./potential.js";
import { exposureDirections, type Sampling } from "./rotation.js";
import { type ThicknessModel, thicknessNodes } from "./thickness.js";

/** One (virtual) frame of a diffraction experiment: where the crystal was, how it moved, and which reflections are wanted. */
export interface DynamicalFrame {
  /** Name of the frame in its file. */
  readonly id: string;
  /** a*, b*, c* in columns at the middle of the exposure, lab frame with the tilt axis along x and the beam along −z, Å⁻¹. */
  readonly ub: Map3<"lab", "hkl">;
  /** Tilt of the stage, for the tilt correction of the thickness. */
  readonly alphaDeg: number;
  readonly exposure: Exposure;
  /** Shape [n, 3]. */
  readonly hkl: Int32Array;
}

/** The physical model of a frame. The preset of JANA2020 is `dyngoModel`. */
export interface FrameModel {
  /** Beams of the matrix: |g| <= gMax, and |Sg| < sMax or |U_g| > strength · 2K|Sg| in each direction. Å⁻¹. */
  readonly gMax: number;
  readonly sMax: number;
  readonly strength?: number | undefined;
  /** Å: of the plate, or the largest of the distribution. */
  readonly thickness: number;
  readonly thicknessModel: ThicknessModel;
  /** C of t = C·t₀/cos α + (1 − C)·t₀: 0 for a crystal as thick in every direction, 1 for a plate held across the axis. Default 0. */
  readonly tiltCorrection?: number | undefined;
  readonly mosaicity: Mosaicity;
  readonly sampling: Sampling;
  /**
   * `beam` (default): columns along the beam, no surface factors. `stage`: a foil that tilts with the stage and faces the beam at α = 0;
   * thicknesses are along its normal, and the factors 1 + g_n/K_n enter.
   */
  readonly surface?: "beam" | "stage" | undefined;
}

/** Potential and beams of a crystal, made once and shared by all frames. */
export interface FrameCrystal {
  readonly potential: CrystalPotential;
  readonly pool: BeamPool;
}

/** @throws what `crystalPotential` throws: unknown element, singular cell, net charge */
export function frameCrystal(
  s: Structure,
  beam: Beam,
  gMax: number,
  options: { readonly factors?: FormFactorSource | undefined; readonly absorption?: Absorption | undefined } = {},
): FrameCrystal {
  return { potential: crystalPotential(s, beam, { reach: 2 * gMax, ...options }), pool: beamPool(s.cell, s.spaceGroup, gMax) };
}

/** t = C·t₀/cos α + (1 − C)·t₀ (Suresh et al. 2024, Nat. Commun. 15, 9066, eq. 4). @throws out-of-range at 90° and for t₀ <= 0 */
export function tiltedThickness(t0: number, alphaDeg: number, correction: number): number {
  const c = Math.cos(radians(alphaDeg));
  if (!(t0 > 0 && Number.isFinite(t0))) fail("out-of-range", { thickness: t0 }, "a thickness is a positive number, in Å");
  if (!(Number.isFinite(correction) && c > 1e-3))
    fail("out-of-range", { alphaDeg, correction }, "the tilt correction needs |α| well below 90°");
  const t = (correction * t0) / c + (1 - correction) * t0;
  if (!(t > 0)) fail("out-of-range", { thickness: t, alphaDeg, correction }, "the tilt correction makes the thickness negative: lower C");
  return t;
}

/** The problem of one frame. @throws bad-value and out-of-range, for angles, thickness and limits that make no sense */
export function frameProblem(
  { potential, pool }: FrameCrystal,
  frame: DynamicalFrame,
  model: FrameModel,
  turns: readonly Vec3<"lab">[] = [],
): SweepProblem {
  if (!Number.isFinite(frame.alphaDeg)) fail("bad-value", { frame: frame.id, alphaDeg: frame.alphaDeg }, "the tilt angle is not finite");
  const t = tiltedThickness(model.thickness, frame.alphaDeg, model.tiltCorrection ?? 0);
  // eigenvalues lie in ±(sMax + coupling), and the coupling adds a few 1e-3; the phase of the fastest beating over t
  const nodes = thicknessNodes(model.thicknessModel, t, 2 * Math.PI * t * (model.sMax + 0.002));
  return {
    potential,
    pool,
    ub: frame.ub,
    directions: exposureDirections(frame.exposure, model.mosaicity, model.sampling, { gMax: model.gMax, thickness: t }),
    hkl: frame.hkl,
    tolerance: 1e-7,
    depths: { depth: nodes.t, weight: nodes.weights },
    sMax: model.sMax,
    strength: model.strength,
    normal: model.surface === "stage" ? [0, Math.sin(radians(frame.alphaDeg)), -Math.cos(radians(frame.alphaDeg))] : undefined,
    turns,
  };
}

/** Mean |ψ_g|² of the wanted reflections of each frame (relative to the incident beam: multiply by the frame's scale). */
export function frameIntensities(
  crystal: FrameCrystal,
  frames: readonly DynamicalFrame[],
  model: FrameModel,
  run: SweepRun = {},
): Promise<SweepIntensities[]> {
  return sweepAll(
    frames.map((f) => frameProblem(crystal, f, model)),
    run,
  );
}
