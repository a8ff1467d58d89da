import type { Beam } from "../geometry/beam.js";
import type { Structure } from "../geometry/structure.js";
import { dynamicalStages, refineDynamical } from "./dynamical.js";
import { defaultFrameModel, type ModelDefaults } from "./dynamical-defaults.js";
import { dynamicalHand, type HandResult } from "./dynamical-hand.js";
import { kinematicalResiduals } from "./dynamical-report.js";
import { type DynamicalStart, scanThickness, startDynamical } from "./dynamical-scan.js";
import type { DynamicalData, DynamicalOptions, DynamicalResult, RefinedFrameData } from "./dynamical-types.js";
import { ridingHydrogens } from "./kinematic-cif.js";
import type { Residuals } from "./residuals.js";
import { type ThicknessDistribution, thicknessDistribution } from "./thickness-distribution.js";

export interface DynamicalRunOptions extends Omit<DynamicalOptions, "stages">, ModelDefaults {
  /** Largest thickness of the scan, Å; a given `thickness` needs none. Default 2000. */
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
}

/**
 * The whole way for one crystal: a model from defaults, thickness scan, orientations, staged least squares, both hands where asked for.
 * @throws as {@link refineDynamical} and {@link startDynamical}
 */
export async function runDynamical(
  given: Structure,
  data: { readonly beam: Beam; readonly frames: readonly RefinedFrameData[]; readonly name?: string | undefined },
  options: DynamicalRunOptions = {},
): Promise<DynamicalRun> {
  const { orientations = true, thickness, thicknessModel, thicknessTo = 2000, signal, onProgress, factors } = options;
  const range = [50, thicknessTo, 25] as const;
  // A resumed run makes its start again (the model's kind is chosen there), and takes everything refined from the checkpoint.
  const model = defaultFrameModel(given, data.frames, { ...options, thickness: thickness ?? thicknessTo });
  const start = await startDynamical(
    given,
    { ...data, model },
    {
      range,
      thickness,
      models: thicknessModel && [thicknessModel],
      orientations,
      signal,
      onProgress,
      factors,
    },
  );
  // The scan looked as deep as it may go; a thinner crystal needs fewer steps.
  const { sampling } = defaultFrameModel(given, data.frames, { ...options, thickness: start.data.model.thickness });
  const from = { ...start.data, model: { ...start.data.model, sampling } };
  const tilts = data.frames.filter((f) => f.problem === undefined).map((f) => f.alphaDeg);
  const span = Math.max(...tilts) - Math.min(...tilts);
  const tiltCorrection = options.refineTiltCorrection ?? span > 40;
  const all = dynamicalStages({ orientations, tiltCorrection });
  const stages = options.startOnly ? all.slice(0, 1) : all.map((s) => (s.structure ? { ...s, maxCycles: options.maxCycles ?? 20 } : s));
  const riding = options.freeHydrogens ? [] : ridingHydrogens(start.structure, true);
  const settings = { ...options, model: { riding, ...options.model } },
    once = { ...settings, resume: undefined, onCheckpoint: undefined };
  const dataOf = (r: DynamicalResult): DynamicalData => ({ ...from, model: r.models[0]!, frames: r.frames.map((f) => f.frame) });
  let result = await refineDynamical(start.structure, from, { ...settings, stages }),
    distribution: ThicknessDistribution | undefined;
  if (!options.startOnly && thickness === undefined && !thicknessModel) {
    // A structure that is a little wrong may make the scan prefer the wrong shape: it looks again at the refined one.
    const first = dataOf(result),
      { model: shape, thickness: t } = await scanThickness(result.structure, first, { range, signal, onProgress, factors });
    if (shape.kind !== first.model.thicknessModel.kind) {
      const model = { ...first.model, thickness: t, thicknessModel: shape };
      const other = await refineDynamical(result.structure, { ...first, model }, { ...once, stages: stages.slice(-1) });
      if (other.residuals.wrAll < result.residuals.wrAll) result = other;
    }
  }
  if (options.freeThickness) {
    const first = dataOf(result);
    distribution = await thicknessDistribution(result.structure, first, { signal, onProgress, factors });
    const model = { ...first.model, thickness: distribution.largest, thicknessModel: distribution.model };
    result = await refineDynamical(result.structure, { ...first, model }, { ...once, stages: stages.slice(-1) });
  }
  const refined = dataOf(result);
  const hand = options.hand ? await dynamicalHand(result.structure, refined, { ...once, stages: undefined }) : undefined;
  return { start, result, hand, distribution, kinematical: kinematicalResiduals(start.structure, data.frames, { model: settings.model }) };
}
