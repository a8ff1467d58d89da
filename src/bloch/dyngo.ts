import { fail } from "../core/errors.js";
import type { FrameModel } from "./frames.js";

/** Settings of a JANA2020 (Dyngo) refinement, named as the m42 file names them. */
export interface DyngoOptions {
  /** `gmax`, Å⁻¹: beams of the matrix. */
  readonly gMax: number;
  /** `sgmax`, Å⁻¹: beams of the matrix, at each tilt. */
  readonly sgMax: number;
  /** `intsteps`. */
  readonly integrationSteps: number;
  /** `thickmodel`: 2 is a wedge whose parameter is the largest thickness; absent in old files, a plate. */
  readonly thicknessModel: number;
  /** Å. */
  readonly thickness: number;
  /** C of `tiltcorr`; 0 or NaN: none. */
  readonly tiltCorrection?: number | undefined;
  /** Variance, degrees², and number of samples of `mosaicity`; 0 or NaN: none. */
  readonly mosaicityDeg2?: number | undefined;
  readonly mosaicitySamples?: number | undefined;
}

/**
 * Where the normal distribution of mosaic blocks is cut, in σ. Found from alanine's frames 2 and 20: with free positions of the five blocks
 * R(F) is least at ±1.250 and ±0.518 σ, where an uncut distribution has ±1.282 and ±0.524 and one cut here ±1.250 and ±0.516.
 */
const MOSAIC_CUT = 2.45;

/**
 * JANA2020's model of a frame, found by trying variants against the calculated intensities of a published refinement (L-alanine): equal
 * midpoint steps over the sweep, the cut |Sg| < sgmax at every step, no absorption, no surface factor, plate or wedge, mosaic blocks at
 * quantiles of a normal distribution about the axis perpendicular to beam and tilt axis, given as a variance. With `peng1996` as the form factors.
 * @throws unsupported for a thickness model other than plate and wedge
 */
export function dyngoModel(o: DyngoOptions): FrameModel {
  const kinds: Readonly<Record<number, "plate" | "wedge">> = { 0: "plate", 1: "plate", 2: "wedge" };
  const kind = Number.isNaN(o.thicknessModel) ? "plate" : kinds[o.thicknessModel];
  if (!kind)
    return fail("unsupported", { thickmodel: o.thicknessModel }, "thickmodel 2 is a wedge; what the other numbers mean is not published");
  const { mosaicityDeg2 = 0, mosaicitySamples = 1, tiltCorrection = 0 } = o;
  return {
    gMax: o.gMax,
    sMax: o.sgMax,
    thickness: o.thickness,
    thicknessModel: { kind },
    tiltCorrection: Number.isNaN(tiltCorrection) ? 0 : tiltCorrection,
    mosaicity:
      mosaicityDeg2 > 0 && mosaicitySamples > 1
        ? { kind: "quantiles", varianceDeg2: mosaicityDeg2, count: mosaicitySamples, cut: MOSAIC_CUT }
        : { kind: "none" },
    sampling: { sweep: { kind: "midpoint", steps: o.integrationSteps }, azimuths: o.integrationSteps },
  };
}
