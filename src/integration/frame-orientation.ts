import { fail } from "../core/errors.js";
import type { Steps } from "../core/job.js";
import type { FrameGeometry, Instrument, RockingModel } from "../geometry/index.js";
import { type FrameParameter, frameParameters, positionSpread, refineFrame } from "./frame-orientation-fit.js";
import { curveNoise } from "./frame-orientation-noise.js";
import type { FrameReflections } from "./frame-orientation-table.js";
import type { Orientation } from "./index-lattice.js";
import { fitRockingWidth } from "./rocking-width.js";

export interface FrameOrientationOptions {
  /** Default: alpha, beta, omega, scale and the centre. */
  readonly refine?: readonly FrameParameter[];
  readonly cycles?: number;
  /** Expected size of the corrections (standard deviations of a weak prior): 0.3° for the angles, 0.5 in ln of the scale, 3 px for the centre. */
  readonly prior?: Partial<Record<FrameParameter, number>>;
  /** Error of the kinematical model as a fraction of the highest point of each rocking curve. Default: found from what the curves leave ({@link curveNoise}). */
  readonly modelError?: number;
  /** Standard deviation of a spot position, Å⁻¹; estimated from the residuals when absent. */
  readonly positionSigma?: number;
  /** Refine RC width and mosaicity along with the frames. */
  readonly refineRocking?: boolean;
  /** Frames with fewer reflections than this keep their geometry. */
  readonly minReflections?: number;
  /** Before the first cycle, try Δα from −scanDeg to +scanDeg on every frame: for angles that may be badly wrong. Default 0: no scan. */
  readonly scanDeg?: number;
  /** Start with a model error of 0.3, so that a bad start does not matter. Default true; false when continuing a refinement. */
  readonly generous?: boolean;
  /** Geometry from which the corrections are counted; default: the start. Give the nominal frames when continuing an earlier run. */
  readonly origin?: readonly FrameGeometry[];
}

/** Corrections of all frames, arrays by frame: the data of the tilt-correction plot. NaN s.u. marks a frame that was not refined. */
export interface FrameCorrections {
  readonly alphaDeg: Float64Array;
  readonly deltaAlphaDeg: Float64Array;
  readonly deltaBetaDeg: Float64Array;
  readonly deltaOmegaDeg: Float64Array;
  readonly scale: Float64Array;
  readonly magnification: Float64Array;
  readonly centreShiftPx: Float64Array;
  readonly sigmaAlphaDeg: Float64Array;
  readonly sigmaBetaDeg: Float64Array;
  readonly sigmaOmegaDeg: Float64Array;
  /** Reflections used, and the weighted R of intensities before and after. */
  readonly count: Int32Array;
  readonly wrBefore: Float64Array;
  readonly wrAfter: Float64Array;
}

export interface FrameOrientationResult {
  readonly frames: readonly FrameGeometry[];
  readonly corrections: FrameCorrections;
  readonly rocking: RockingModel;
  /** Integrated intensity of every reflection group. */
  readonly integrated: Float64Array;
  /**
   * Robust spread of the intensity residuals over the noise assumed, at least 1, degrees of freedom allowed for: the noise is taken to be larger by
   * this factor, so that the standard uncertainties are those that the data show.
   */
  readonly noiseFactor: number;
  /** Error of the kinematical curves that was found or given, as a fraction of their highest points. */
  readonly modelError: number;
  /** Root mean square change of (α, β) in the last cycle, degrees. */
  readonly lastChangeDeg: number;
}

/** Standard deviations of the corrections before anything is known: degrees, ln of the scale, relative magnification, px. */
export const weakPrior: Readonly<Record<FrameParameter, number>> = {
  alpha: 0.3,
  beta: 0.3,
  omega: 0.3,
  scale: 0.5,
  magnification: 0.01,
  centreX: 3,
  centreY: 3,
};

/**
 * Optimise the geometry of each frame by itself. Each pattern is simulated from UB and the rocking curve: spot positions, and intensities
 * S_f·J_h·P(s; σ(g), sweep) with the integrated intensity J_h of the reflection shared by all its frames. Positions determine ω, the magnification and
 * the centre; α and β change positions only in second order and are seen in how the intensities are distributed over the frames of each rocking
 * curve, δs = ∂s/∂α·δα + ∂s/∂β·δβ. Frames and integrated intensities (and the rocking width) are improved in turn; a weak prior holds what a frame does
 * not determine and fixes the freedom to turn UB against all frames together.
 * @see Palatinus et al., Acta Cryst. B75 (2019) 512
 */
export function* frameOrientationSteps(
  data: FrameReflections,
  ub: Orientation,
  instrument: Instrument,
  start: readonly FrameGeometry[],
  rocking: RockingModel,
  options: FrameOrientationOptions = {},
): Steps<FrameOrientationResult> {
  const {
    refine = ["alpha", "beta", "omega", "scale", "centreX", "centreY"],
    cycles = 10,
    refineRocking = true,
    minReflections = 8,
  } = options;
  const prior: Record<FrameParameter, number> = { ...weakPrior, ...options.prior };
  for (const p of refine) if (!frameParameters.includes(p)) fail("bad-value", { p }, `refine lists any of ${frameParameters.join(", ")}`);
  const origin = options.origin ?? start;
  const rows = byFrame(data, start.length);
  let frames = start,
    model = rocking,
    change = Number.NaN,
    curves: ReturnType<typeof curveNoise> | undefined;
  const n = start.length,
    before = new Float64Array(n).fill(Number.NaN);
  const out = emptyCorrections(origin);
  for (let cycle = 0; cycle < cycles; cycle++) {
    const generous = cycle === 0 && (options.generous ?? true) ? Math.max(0.3, options.modelError ?? 0) : options.modelError;
    curves = curveNoise(data, ub, instrument, frames, model, generous, 3 * n);
    const { points, integrated, noise } = curves;
    if (refineRocking) model = { ...model, ...pick(fitRockingWidth(points, { start: model, modelError: 0 })) };
    const sigmaXy =
      options.positionSigma === undefined
        ? positionSpread(data, ub, instrument, frames)
        : new Float64Array(data.size).fill(options.positionSigma);
    let moved = 0,
      counted = 0;
    const next = [...frames];
    for (let f = 0; f < n; f++) {
      const list = rows[f]!;
      const result =
        list.length < minReflections
          ? undefined
          : refineFrame({
              data,
              list,
              ub,
              instrument,
              frame: frames[f]!,
              origin: origin[f]!,
              model,
              integrated,
              noise,
              sigmaXy,
              refine,
              prior,
              reach: weakPrior,
              scanDeg: cycle === 0 ? (options.scanDeg ?? 0) : 0,
            });
      if (!result) continue;
      moved += (result.frame.alphaDeg - frames[f]!.alphaDeg) ** 2 + (result.frame.betaDeg - frames[f]!.betaDeg) ** 2;
      counted++;
      next[f] = result.frame;
      if (cycle === 0) before[f] = result.wrBefore;
      out.wrAfter[f] = result.wrAfter;
      out.count[f] = list.length;
      out.sigmaAlphaDeg[f] = result.sigma[0]!;
      out.sigmaBetaDeg[f] = result.sigma[1]!;
      out.sigmaOmegaDeg[f] = result.sigma[2]!;
    }
    frames = next;
    change = Math.sqrt(moved / Math.max(1, counted));
    yield { done: cycle + 1, total: cycles, note: `frames moved ${change.toFixed(4)}°` };
    if (change < 5e-4) break;
  }
  out.wrBefore.set(before);
  return {
    frames,
    corrections: correctionsFrom(out, frames, origin, instrument),
    rocking: model,
    integrated: curves?.integrated ?? new Float64Array(data.groups),
    noiseFactor: curves?.factor ?? 1,
    modelError: curves?.modelError ?? options.modelError ?? 0.1,
    lastChangeDeg: change,
  };
}

/** The same corrections for (other) frames: their differences from the origin. */
export function correctionsFrom(
  like: FrameCorrections,
  frames: readonly FrameGeometry[],
  origin: readonly FrameGeometry[],
  instrument: Instrument,
): FrameCorrections {
  const out = { ...emptyCorrections(origin), ...pickStatistics(like) };
  frames.forEach((f, i) => {
    const s = origin[i]!,
      c = f.centrePx ?? instrument.detector.centrePx,
      c0 = s.centrePx ?? instrument.detector.centrePx;
    out.deltaAlphaDeg[i] = f.alphaDeg - s.alphaDeg;
    out.deltaBetaDeg[i] = f.betaDeg - s.betaDeg;
    out.deltaOmegaDeg[i] = f.omegaDeg - s.omegaDeg;
    out.scale[i] = f.scale ?? 1;
    out.magnification[i] = f.magnification ?? 0;
    out.centreShiftPx[2 * i] = c[0] - c0[0];
    out.centreShiftPx[2 * i + 1] = c[1] - c0[1];
  });
  return out;
}

const pickStatistics = ({ sigmaAlphaDeg, sigmaBetaDeg, sigmaOmegaDeg, count, wrBefore, wrAfter }: FrameCorrections) => ({
  sigmaAlphaDeg,
  sigmaBetaDeg,
  sigmaOmegaDeg,
  count,
  wrBefore,
  wrAfter,
});

const pick = ({ rcWidth, mosaicityDeg }: RockingModel): RockingModel => ({ rcWidth, mosaicityDeg });

function byFrame(data: FrameReflections, frames: number): number[][] {
  const rows: number[][] = Array.from({ length: frames }, () => []);
  for (let i = 0; i < data.size; i++)
    (rows[data.frame[i]!] ?? fail("out-of-range", { frame: data.frame[i], frames }, "every reflection lies on a frame of the list")).push(
      i,
    );
  return rows;
}

function emptyCorrections(start: readonly FrameGeometry[]): FrameCorrections {
  const n = start.length,
    nan = (): Float64Array => new Float64Array(n).fill(Number.NaN);
  return {
    alphaDeg: Float64Array.from(start, (f) => f.alphaDeg),
    deltaAlphaDeg: new Float64Array(n),
    deltaBetaDeg: new Float64Array(n),
    deltaOmegaDeg: new Float64Array(n),
    scale: new Float64Array(n).fill(1),
    magnification: new Float64Array(n),
    centreShiftPx: new Float64Array(2 * n),
    sigmaAlphaDeg: nan(),
    sigmaBetaDeg: nan(),
    sigmaOmegaDeg: nan(),
    count: new Int32Array(n),
    wrBefore: nan(),
    wrAfter: nan(),
  }; // prettier-ignore
}
