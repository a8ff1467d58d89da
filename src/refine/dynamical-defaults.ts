import type { FrameModel } from "../bloch/frames.js";
import type { ThicknessModel } from "../bloch/thickness.js";
import { fail } from "../core/errors.js";
import { radians } from "../geometry/rotation.js";
import type { Structure } from "../geometry/structure.js";
import type { RefinedFrameData } from "./dynamical-types.js";

export interface ModelDefaults {
  /** Å⁻¹; default what the observed data reach and 0.1 more, at most 2.4. */
  readonly gMax?: number | undefined;
  /** Å⁻¹, default 0.01. */
  readonly sMax?: number | undefined;
  /** Å, as far as it is known; default 400. Sampling follows from it. */
  readonly thickness?: number | undefined;
  readonly thicknessModel?: ThicknessModel | undefined;
  readonly tiltCorrection?: number | undefined;
  /** Standard deviation of mosaic blocks, degrees; default none. */
  readonly mosaicityDeg?: number | undefined;
  /** Samples of a sweep or azimuths of a cone; default {@link exposureSteps}. */
  readonly steps?: number | undefined;
}

/**
 * Equal samples of the widest exposure: as a function of the angle in radians an intensity at the distance g oscillates with up to g·t cycles, and one sample
 * a cycle is enough where the cut |Sg| < sMax and a distribution of thicknesses leave little of the fastest. Errors of F by a wedge (urea 2270 Å,
 * glycine 670 Å): 22 % at 0.15 samples a cycle, 5 % at 0.35, 0.4 % at 0.6, 0.02 to 0.09 % at 0.95. 32 to 256.
 */
export function exposureSteps(frames: readonly Pick<RefinedFrameData, "exposure">[], gMax: number, thickness: number): number {
  const width = ({ exposure: e }: Pick<RefinedFrameData, "exposure">): number =>
    e.kind === "continuous" ? 2 * e.halfWidthDeg : e.kind === "precession" ? 2 * Math.PI * e.semiAngleDeg : 0;
  const widest = frames.reduce((m, f) => Math.max(m, width(f)), 0);
  return Math.max(32, Math.min(256, Math.ceil(radians(widest) * gMax * thickness)));
}

/** A model to start from for frames of which little is known, with the settings that dynamical refinements commonly use. @throws bad-value without reflections */
export function defaultFrameModel(s: Structure, frames: readonly RefinedFrameData[], options: ModelDefaults = {}): FrameModel {
  const { sMax = 0.01, thickness = 400, thicknessModel = { kind: "plate" }, tiltCorrection = 0, mosaicityDeg = 0 } = options;
  const usable = frames.filter((f) => f.problem === undefined);
  const reach: number[] = [];
  for (const f of usable)
    for (let i = 0; i < f.intensity.length; i++) {
      if (!(f.sigma[i]! > 0 && f.intensity[i]! > 3 * f.sigma[i]!)) continue;
      const [h, k, l] = [f.hkl[3 * i]!, f.hkl[3 * i + 1]!, f.hkl[3 * i + 2]!];
      reach.push(Math.hypot(...[0, 3, 6].map((r) => f.ub[r as 0] * h + f.ub[(r + 1) as 0] * k + f.ub[(r + 2) as 0] * l)));
    }
  if (reach.length === 0)
    fail(
      "bad-value",
      { frames: frames.length, usable: usable.length, atoms: s.atoms.length, firstProblem: frames.find((f) => f.problem)?.problem },
      "no usable frame has a reflection above 3 sigma",
    );
  reach.sort((a, b) => a - b);
  // Some strays reach further than the data do.
  const gMax = options.gMax ?? Math.min(2.4, reach[Math.floor(0.98 * (reach.length - 1))]! + 0.1);
  const steps = options.steps ?? exposureSteps(usable, gMax, thickness);
  return {
    gMax,
    sMax,
    thickness,
    thicknessModel,
    tiltCorrection,
    mosaicity: mosaicityDeg > 0 ? { kind: "quantiles", varianceDeg2: mosaicityDeg ** 2, count: 5 } : { kind: "none" },
    sampling: { sweep: { kind: "midpoint", steps }, azimuths: steps },
  };
}
