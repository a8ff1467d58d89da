import type { Beam } from "./beam.js";
import type { Detector, Vec2 } from "./detector.js";
import type { Distortion } from "./distortion.js";

/**
 * How one frame is exposed. `halfWidthDeg`: half of the rotation during the exposure (PETS2 `phi` of continuous data), read-out gap
 * left out. `semiAngleDeg`: half opening angle of the precession cone.
 */
export type Exposure =
  | { readonly kind: "static" }
  | { readonly kind: "continuous"; readonly halfWidthDeg: number }
  | { readonly kind: "precession"; readonly semiAngleDeg: number };

/** Width of the rocking curve. The curve of a reflection at |g| is a bell of σ = rcWidth + |g|·mosaicity (mosaicity in radians). */
export interface RockingModel {
  /** Width that does not depend on g, Å⁻¹ (PETS2 `RC width`). */
  readonly rcWidth: number;
  /** Apparent mosaicity, degrees (PETS2 `mosaicity`). */
  readonly mosaicityDeg: number;
  /** Lorentzian fraction of the pseudo-Voigt, 0 (Gaussian) to 1. Default 0. */
  readonly lorentzian?: number | undefined;
}

/** What stays the same over a tilt series. */
export interface Instrument {
  readonly beam: Beam;
  readonly detector: Detector;
  readonly distortion: Distortion;
  readonly exposure: Exposure;
}

/** What belongs to one frame: the goniometer at the middle of the exposure, and the centre if it drifts. */
export interface FrameGeometry {
  /** Tilt about the tilt axis, degrees. */
  readonly alphaDeg: number;
  /** Second tilt, degrees. */
  readonly betaDeg: number;
  /** Angle of the tilt axis on the frame, degrees, anticlockwise from image +x with y up. ω+180° is the opposite sense of rotation. */
  readonly omegaDeg: number;
  /** Direct beam on this frame, pixels; the detector's own centre when absent. */
  readonly centrePx?: Vec2 | undefined;
  /** Relative change of the magnification of this frame: positions grow by 1 + magnification. Default 0. */
  readonly magnification?: number | undefined;
  /** Scale of the intensities of this frame. Default 1. */
  readonly scale?: number | undefined;
}
