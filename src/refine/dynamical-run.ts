import { fail } from "../core/errors.js";
import type { Beam } from "../geometry/beam.js";
import type { Structure } from "../geometry/structure.js";
import { dynamicalStages, refineDynamical } from "./dynamical.js";
import { lookAgain } from "./dynamical-again.js";
import { defaultFrameModel, type ModelDefaults } from "./dynamical-defaults.js";
import { dynamicalHand, type HandResult } from "./dynamical-hand.js";
import { kinematicalResiduals } from "./dynamical-report.js";
import { type DynamicalStart, type StartOptions, startDynamical } from "./dynamical-scan.js";
import type { DynamicalData, DynamicalOptions, DynamicalResult, RefinedFrameData } from "./dynamical-types.js";
import { ridingHydrogens } from "./kinematic-cif.js";
import type { Residuals } from "./residuals.js";
import { type ThicknessDistribution, thicknessDistribution } from "./thickness-distribution.js";

export interface DynamicalRunOptions extends Omit<DynamicalOptions, "stages">, ModelDefaults {
  /** Largest thickness of the scan, Å. A given `thickness` keeps it near that; with a `thicknessModel` besides there is none. Default 2000. */
  readonly thicknessTo?: number | undefined;
  /** Refine orientations of frames, C, hydrogen atoms freely (defaults: yes, yes where the tilts span 40°, no: they ride). */
  readonly orientations?: boolean | undefined;
  readonly refineTiltCorrection?: boolean | undefined;
  readonly freeHydrogens?: boolean | undefined;
  /**
   * At the end fit a free distribution of thicknesses and refine with it once more (the last stage; not part of a checkpoint). Default false.
   */
  readonly freeThickness?: boolean | undefined;
  /** Stop after scales and thickness. */
  readonly startOnly?: boolean | undefined;
  /** Test both hands at the end. */
  readonly hand?: boolean | undefined;
  /** Of the last stage. Default 20; most crystals converge in 6 to 12. */
  readonly maxCycles?: number | undefined;
}
export interface DynamicalRun {
  readonly start: DynamicalStart;
  readonly result: DynamicalResult;
  readonly hand: HandResult | undefined;
  readonly distribution: ThicknessDistribution | undefined;
  /** The same frames merged, refined kinematically, for comparison. */
  readonly kinematical: Residuals | undefined;
  /** What second looks at shape and orientations changed, for people. */
  readonly notes: readonly string[];
}

/**
 * The whole way for one crystal: a model from defaults, thickness scan, orientations, staged least squares, a second look at shape and
 * orientations with the refined structure, both hands where asked for.
 * @throws out-of-range for numbers that cannot be, before anything is calculated; as {@link refineDynamical} and {@link startDynamical}
 */
export async function runDynamical(
  given: Structure,
  data: { readonly beam: Beam; readonly frames: readonly RefinedFrameData[]; readonly name?: string | undefined },
  options: DynamicalRunOptions = {},
): Promise<DynamicalRun> {
  const { orientations = true, thickness, thicknessModel, thicknessTo = 2000, signal, onProgress, factors } = options;
  checkNumbers(options);
  const range = [50, thicknessTo, 25] as const;
  // A resumed run makes its start again (the model's kind is chosen there), and takes everything refined from the checkpoint.
  const model = defaultFrameModel(given, data.frames, { ...options, thickness: thickness ?? thicknessTo });
  const tilts = data.frames.filter((f) => f.problem === undefined).map((f) => f.alphaDeg);
  const refineTilt = options.refineTiltCorrection ?? Math.max(...tilts) - Math.min(...tilts) > 40;
  const starting: StartOptions = {
    range,
    thickness,
    models: thicknessModel && [thicknessModel],
    // A plate across the beam and one that tilts look like different distributions otherwise.
    tilts: options.tiltCorrection === undefined && refineTilt && !(thickness && thicknessModel) ? [0, 1] : undefined,
    orientations,
    signal,
    onProgress,
    factors,
  };
  const start = await startDynamical(given, { ...data, model }, starting);
  // The scan looked as deep as it may go; a thinner crystal needs fewer steps.
  const { sampling } = defaultFrameModel(given, data.frames, { ...options, thickness: start.data.model.thickness });
  const from = { ...start.data, model: { ...start.data.model, sampling } };
  const all = dynamicalStages({ orientations, tiltCorrection: refineTilt });
  const stages = options.startOnly ? all.slice(0, 1) : all.map((s) => (s.structure ? { ...s, maxCycles: options.maxCycles ?? 20 } : s));
  const riding = options.freeHydrogens ? [] : ridingHydrogens(start.structure, true);
  const settings = { ...options, model: { riding, ...options.model } },
    once = { ...settings, resume: undefined, onCheckpoint: undefined };
  const dataOf = (r: DynamicalResult): DynamicalData => ({ ...from, model: r.models[0]!, frames: r.frames.map((f) => f.frame) });
  let result = await refineDynamical(start.structure, from, { ...settings, stages }),
    distribution: ThicknessDistribution | undefined;
  const notes: string[] = [];
  for (let looks = 0; looks < LOOKS && !options.startOnly; looks++) {
    const before = result,
      look = await lookAgain(result, { ...data, model: from.model }, starting);
    for (const [what, again] of Object.entries(look)) {
      if (!again) continue;
      const { sampling: sampled } = defaultFrameModel(given, data.frames, { ...options, thickness: again.model.thickness });
      const other = await refineDynamical(
        before.structure,
        { ...again, model: { ...again.model, sampling: sampled } },
        { ...once, stages: stages.slice(-1) },
      );
      if (!(other.residuals.wrAll < 0.999 * result.residuals.wrAll)) continue;
      notes.push(betterStart(result, other, what === "given" ? "the orientations of the file" : "another shape"));
      result = other;
    }
    // Once more only where much has changed.
    if (!(result.residuals.wrAll < 0.9 * before.residuals.wrAll)) break;
  }
  if (options.freeThickness) {
    const first = dataOf(result);
    distribution = await thicknessDistribution(result.structure, first, { signal, onProgress, factors });
    const model = { ...first.model, thickness: distribution.largest, thicknessModel: distribution.model };
    result = await refineDynamical(result.structure, { ...first, model }, { ...once, stages: stages.slice(-1) });
  }
  const refined = dataOf(result);
  const hand = options.hand ? await dynamicalHand(result.structure, refined, { ...once, stages: undefined }) : undefined;
  return {
    start,
    result,
    hand,
    distribution,
    kinematical: kinematicalResiduals(start.structure, data.frames, { model: settings.model }),
    notes,
  };
}

/** Second looks at most. */
const LOOKS = 2;
function betterStart(from: DynamicalResult, to: DynamicalResult, what: string): string {
  const text = (r: DynamicalResult): string => `${r.models[0]!.thicknessModel.kind}, wR ${(100 * r.residuals.wrAll).toFixed(2)} %`;
  return `refined again from ${what} with the refined structure, which fits better: ${text(to)} instead of ${text(from)}`;
}

/** A scan takes minutes: what cannot be is refused before. */
function checkNumbers(o: DynamicalRunOptions): void {
  const { thickness, thicknessTo, gMax, sMax, outlierSigma, steps, maxCycles, workers, mosaicityDeg, tiltCorrection } = o;
  for (const [name, v] of Object.entries({ thickness, thicknessTo, gMax, sMax, outlierSigma }))
    if (v !== undefined && !(v > 0 && Number.isFinite(v))) fail("out-of-range", { [name]: v }, `${name} is a number above 0`);
  for (const [name, v] of Object.entries({ steps, maxCycles, workers }))
    if (v !== undefined && !(Number.isInteger(v) && v >= 1)) fail("out-of-range", { [name]: v }, `${name} is a whole number of at least 1`);
  if (thicknessTo !== undefined && thicknessTo < 50) fail("out-of-range", { thicknessTo }, "the scan begins at 50 Å");
  if (mosaicityDeg !== undefined && !(mosaicityDeg >= 0 && mosaicityDeg < 5))
    fail("out-of-range", { mosaicityDeg }, "mosaicityDeg is a standard deviation in degrees, 0 to 5");
  if (tiltCorrection !== undefined && !(Math.abs(tiltCorrection) <= 2))
    fail("out-of-range", { tiltCorrection }, "the tilt correction C lies near 0 (thickness along the beam) to 1 (a foil that tilts)");
}
