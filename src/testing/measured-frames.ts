import { filterFrame } from "../bloch/filters.js";
import { type FrameCrystal, type FrameModel, frameCrystal, frameIntensities } from "../bloch/frames.js";
import { compose, type Map3 } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { petsRotation } from "../geometry/goniometer.js";
import { ubMatrix } from "../geometry/orientation.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, type Structure, structure } from "../geometry/structure.js";
import type { RefinedFrameData } from "../refine/dynamical-types.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";

export const electrons = beam(200);

/** A crystal for `electrons` with the factors of neutral atoms. */
export const neutralCrystal = (s: Structure, gMax: number): FrameCrystal =>
  frameCrystal(s, electrons, gMax, { factors: ignoreCharge(peng1996) });

/** Rutile with isotropic displacements, Å², or a tensor for oxygen (U_ij, Å², in the CIF's order). */
export function rutile(oxygen: number | readonly [number, number, number, number, number, number]): Structure {
  return structure(unitCell(4.594, 4.594, 2.959), spaceGroup("P 42/m n m"), [
    atom({ label: "Ti1", element: "Ti", xyz: [0, 0, 0], uIso: 0.005 }),
    atom({ label: "O1", element: "O", xyz: [0.3053, 0.3053, 0], ...(typeof oxygen === "number" ? { uIso: oxygen } : { uAniso: oxygen }) }),
  ]);
}

export interface FramesWanted {
  readonly anglesDeg: readonly number[];
  readonly halfWidthDeg: number;
  readonly rsgMax: number;
  /** Factor from calculated to measured intensities, by the frame's number from 0. */
  readonly scale: (frame: number) => number;
  /** σ of a measured intensity. */
  readonly sigma: (intensity: number) => number;
  /** Seeds of the crystal's orientation and of the noise. Default 8 and 3. */
  readonly seeds?: readonly [number, number] | undefined;
}

/** Frames of a continuous rotation with exact dynamical intensities of a model: all reflections within RSg, orientations as given. */
export async function exactFrames(
  crystal: FrameCrystal,
  model: FrameModel,
  orientations: readonly { readonly alphaDeg: number; readonly ub: Map3<"lab", "hkl"> }[],
  { halfWidthDeg, rsgMax }: Pick<FramesWanted, "halfWidthDeg" | "rsgMax">,
) {
  const exposure = { kind: "continuous", halfWidthDeg } as const;
  const bare = orientations.map(({ alphaDeg, ub }, i) => {
    const { kept } = filterFrame(crystal.pool.hkl, ub, electrons, exposure, { rsgMax });
    const hkl = Int32Array.from([...kept].filter((k) => k > 0).flatMap((k) => [...crystal.pool.hkl.subarray(3 * k, 3 * k + 3)]));
    return { id: String(i + 1), ub, alphaDeg, exposure, hkl };
  });
  const exact = await frameIntensities(crystal, bare, model);
  return bare.map((f, i) => ({ ...f, intensity: exact[i]!.intensity }));
}

/** The same, scaled and with Gaussian noise, of a crystal in an orientation of its own: measurements whose truth is known. */
export async function measuredFrames(truth: Structure, model: FrameModel, wanted: FramesWanted): Promise<RefinedFrameData[]> {
  const { seeds = [8, 3] } = wanted,
    ub = ubMatrix(randomRotation<"sample", "crystal">(rng(seeds[0])), truth.cell),
    random = rng(seeds[1]);
  const orientations = wanted.anglesDeg.map((alphaDeg) => ({ alphaDeg, ub: compose(petsRotation(alphaDeg, 0, 0), ub) }));
  const frames = await exactFrames(neutralCrystal(truth, model.gMax), model, orientations, wanted);
  return frames.map((f, i) => {
    const I = f.intensity.map((v) => wanted.scale(i) * v),
      sigma = I.map(wanted.sigma);
    return { ...f, intensity: I.map((v, j) => v + sigma[j]! * random.normal()), sigma };
  });
}
