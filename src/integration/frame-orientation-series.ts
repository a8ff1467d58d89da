import { compose } from "../core/frames.js";
import type { Steps } from "../core/job.js";
import type { FrameGeometry, Instrument, RockingModel } from "../geometry/index.js";
import { rockingWidth } from "../geometry/rocking.js";
import { type CellRefineOptions, type RefinedLattice, refineLattice } from "./cell-refine.js";
import {
  correctionsFrom,
  type FrameOrientationOptions,
  type FrameOrientationResult,
  frameOrientationSteps,
  weakPrior,
} from "./frame-orientation.js";
import type { FrameParameter } from "./frame-orientation-fit.js";
import { learnedSpread, regauge } from "./frame-orientation-gauge.js";
import { pointsOf } from "./frame-orientation-noise.js";
import { excitationOf, type FrameReflections, frameReflections } from "./frame-orientation-table.js";
import { indexVectors, type Orientation } from "./index-lattice.js";
import type { PeakTable } from "./peak-table.js";
import { sampleVectors, spotPositions } from "./peaks3d-vectors.js";
import { fitRockingWidth, groupMaxima } from "./rocking-width.js";
import { rockingProfile, rockingProfileGradient } from "./rocking-width-profile.js";
import { overlapTest } from "./twins-spots.js";

export interface SeriesFramesOptions extends FrameOrientationOptions {
  /** Rocking width to start from; default: found from the spots. */
  readonly rocking?: RockingModel;
  /** Symmetry of the cell when UB is refined between the rounds. */
  readonly lattice?: Pick<CellRefineOptions, "system" | "cell">;
  /** Further lattices in the series (twins): reflections that theirs disturb are left out. */
  readonly others?: readonly Orientation[];
  /** Times that frames and lattice are refined in turn. */
  readonly rounds?: number;
}

export interface SeriesFrames extends FrameOrientationResult {
  readonly ub: Orientation;
  /** Lattice refined on the spots with the frames' own geometry. */
  readonly lattice: RefinedLattice;
  readonly reflections: FrameReflections;
  /** The further lattices in the sample frame of `ub`. */
  readonly others: readonly Orientation[];
  /** Size of the errors of the angles and of the frame scales that the series shows, or as given: the prior that was used, s.d. in degrees. */
  readonly prior: Readonly<Record<FrameParameter, number>>;
}

/** A learned prior does not fall below this: angles in degrees. */
const SMALLEST_SPREAD = 0.003;

/**
 * Geometry of every frame and the lattice, refined in turn from the spots of an indexed series. The lattice is refined on spot positions and,
 * through each spot's excitation error weighted by its share of the rocking curve, on the tilt; the frames by {@link frameOrientationSteps}.
 * Between the rounds the turn that crystal and frames have in common is taken out ({@link regauge}), and the priors of the angles that are not given are
 * learned from the corrections found ({@link learnedSpread}): a frame that says little about an angle then keeps close to the nominal one.
 */
export function* seriesFramesSteps(
  peaks: PeakTable,
  ub: Orientation,
  instrument: Instrument,
  start: readonly FrameGeometry[],
  options: SeriesFramesOptions = {},
): Steps<SeriesFrames> {
  const { rounds = 5, cycles = 4, others: given = [], ...rest } = options;
  let others = given;
  let rocking = options.rocking ?? rockingFromSpots(peaks, ub, instrument, start);
  let frames = start,
    origin = start,
    orientation = ub,
    prior: Readonly<Record<FrameParameter, number>> = { ...weakPrior, ...options.prior };
  const angles = ["alpha", "beta", "omega"] as const,
    whole = angles.every((a) => (options.refine ?? angles).includes(a));
  let result: FrameOrientationResult | undefined, lattice: RefinedLattice | undefined, reflections: FrameReflections | undefined;
  for (let round = 0; round < rounds; round++) {
    const disturbed = others.length ? overlapTest(others, instrument, frames, { depth: (g) => 4 * rockingWidth(rocking, g) }) : undefined;
    reflections = frameReflections(peaks, orientation, instrument, frames, (g) => rockingWidth(rocking, g), { disturbed });
    // Corrections are always counted from the start, so that the prior holds the sum of all rounds.
    const steps = frameOrientationSteps(reflections, orientation, instrument, frames, rocking, {
      ...rest,
      cycles,
      prior,
      origin,
      generous: round === 0,
    });
    for (;;) {
      const s = steps.next();
      if (s.done) {
        result = s.value;
        break;
      }
      yield { done: round * cycles + s.value.done, total: rounds * cycles, note: s.value.note };
    }
    ({ frames, rocking } = result);
    if (whole) {
      const c = result.corrections;
      const sigma = { alpha: c.sigmaAlphaDeg, beta: c.sigmaBetaDeg, omega: c.sigmaOmegaDeg };
      const fixed = regauge(orientation, frames, origin, prior, sigma);
      ({ frames, ub: orientation } = fixed);
      others = others.map((m) => compose(fixed.turn, m));
      origin = origin.map((f) => ({ ...f, omegaDeg: f.omegaDeg + fixed.omegaShiftDeg }));
      const corrections = correctionsFrom(c, frames, origin, instrument);
      result = { ...result, frames, corrections };
      const found = { alpha: corrections.deltaAlphaDeg, beta: corrections.deltaBetaDeg, omega: corrections.deltaOmegaDeg };
      if (round < rounds - 1)
        for (const a of angles)
          if (options.prior?.[a] === undefined) prior = { ...prior, [a]: learnedSpread(found[a], sigma[a], prior[a], SMALLEST_SPREAD) };
    }
    lattice = refineOnCurves(reflections, orientation, instrument, result, options.lattice);
    if (round < rounds - 1) orientation = lattice.ub;
  }
  return { ...result!, ub: orientation, lattice: lattice!, reflections: reflections!, others, prior };
}

/**
 * The lattice on the spots' positions and on the rocking curves: with J_h known, the intensity of a reflection on a frame is a measurement of
 * its excitation error, s + (I_obs − J·P(s))/(J·P'(s)) with the variance (σ_I/(J·P'))²; on a flat or far part of the curve it weighs nothing.
 */
function refineOnCurves(
  r: FrameReflections,
  ub: Orientation,
  instrument: Instrument,
  result: FrameOrientationResult,
  options?: SeriesFramesOptions["lattice"],
): RefinedLattice {
  const { frames, rocking, integrated, modelError } = result,
    points = pointsOf(r, ub, instrument, frames),
    top = groupMaxima(points);
  const excitation = new Float64Array(r.size),
    excitationWeight = new Float64Array(r.size);
  for (let i = 0; i < r.size; i++) {
    const width = rockingWidth(rocking, points.g[i]!),
      J = integrated[r.group[i]!]!;
    const expected = J * rockingProfile(points.s[i]!, width, points.sweep[i]!, points.kind),
      slope = J * rockingProfileGradient(points.s[i]!, width, points.sweep[i]!, points.kind)[0];
    const noise = result.noiseFactor * Math.hypot(points.sigma[i]!, modelError * top[r.group[i]!]!),
      z = (points.intensity[i]! - expected) / noise;
    const robust = Math.min(1, 3 / Math.max(1e-9, Math.abs(z))); // Huber: beyond 3 σ the pull stays constant
    // Levenberg's guard: a step longer than the width of the curve is outside of the linear range.
    const w = (slope / noise) ** 2 + 1e-12;
    excitation[i] = points.s[i]! + Math.max(-width, Math.min(width, (z * robust * (slope / noise)) / w));
    excitationWeight[i] = w;
  }
  const data = {
    size: r.size,
    px: r.px,
    py: r.py,
    frame: r.frame,
    hkl: r.hkl,
    atCondition: new Uint8Array(r.size).fill(1),
    excitation,
    excitationWeight,
  }; // prettier-ignore
  return refineLattice(data, ub, instrument, frames, { ...options, rejectSigma: 5 });
}

/** A first rocking width: the spots' own, with a generous limit for which spot belongs to which reflection. */
export function rockingFromSpots(
  peaks: PeakTable,
  ub: Orientation,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
): RockingModel {
  const found = indexVectors(sampleVectors(spotPositions(peaks), instrument, frames), ub, { tolerance: 0.25 });
  const e = excitationOf(ub, instrument, frames);
  const s: number[] = [];
  for (let i = 0; i < peaks.size; i++) {
    if (!found.indexed[i]) continue;
    const x = e(peaks.frame[i]!, found.hkl[3 * i]!, found.hkl[3 * i + 1]!, found.hkl[3 * i + 2]!);
    // The exposure itself spreads s over ± sweep; what lies beyond is the width of the curve.
    if (Math.abs(x.s) > x.sweep) s.push((Math.abs(x.s) - x.sweep) / (0.5 + x.g));
  }
  s.sort((a, b) => a - b);
  const guess = 1.4826 * (s[s.length >> 1] ?? 0.002);
  const start: RockingModel = { rcWidth: Math.max(3e-4, guess / 2), mosaicityDeg: Math.max(0.02, (guess * 180) / Math.PI) };
  const table = frameReflections(peaks, ub, instrument, frames, (g) => rockingWidth(start, g));
  const { rcWidth, mosaicityDeg } = fitRockingWidth(pointsOf(table, ub, instrument, frames), { start, modelError: 0.1 });
  return { rcWidth, mosaicityDeg };
}
