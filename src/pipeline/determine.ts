import { isSdkError } from "../core/errors.js";
import { type Progress, type RunOptions, runAsync } from "../core/job.js";
import { identity3, type Mat3 } from "../geometry/metric.js";
import type { Structure } from "../geometry/structure.js";
import type { FrameSource } from "../io/frames.js";
import { refineDynamical } from "../refine/dynamical.js";
import { defaultFrameModel } from "../refine/dynamical-defaults.js";
import { dynamicalHand, type HandResult, invertedStructure } from "../refine/dynamical-hand.js";
import { scanThickness, type ThicknessScan } from "../refine/dynamical-scan.js";
import type { DynamicalData, DynamicalResult, DynamicalStage } from "../refine/dynamical-types.js";
import { refineKinematicSteps } from "../refine/kinematic.js";
import type { KinematicResult } from "../refine/kinematic-types.js";
import { type ThicknessDistribution, thicknessDistribution } from "../refine/thickness-distribution.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { type Solution, solveStructure } from "../solution/solve.js";
import { type AnisotropicChoice, refineAnisotropic } from "./determine-anisotropic.js";
import { type Diagnosis, diagnose } from "./determine-diagnose.js";
import { type MeasuredSeries, type MeasureOptions, measureSeries } from "./determine-measure.js";
import { type CrystalData, dataOnAxes, readyModel } from "./determine-model.js";
import type { ProcessingRecord } from "./process.js";
import { type ThicknessProfile, thicknessProfile } from "./thickness-profile.js";

export interface DetermineOptions extends MeasureOptions {
  /** Chemical formula, e.g. "Na Al Si3 O8"; without it the chain ends with the intensities. */
  readonly composition?: string | undefined;
  /** A known structure on the axes of the cell: no solution is sought. */
  readonly structure?: Structure | undefined;
  readonly seed?: number | undefined;
  readonly trials?: number | undefined;
  /** Stop before the dynamical refinement. Default true: go on. */
  readonly dynamical?: boolean | undefined;
  /** Largest RSg of reflections in the dynamical refinement. Default 0.66. */
  readonly rsgMax?: number | undefined;
  /** Threads of the integration (default 1) and of the dynamical refinement (default as many as the machine has). */
  readonly workers?: number | undefined;
}

/** How far a determination came: a part is there when its step ended. */
export interface Determination {
  readonly measured?: MeasuredSeries | undefined;
  readonly solution?: Solution | undefined;
  /** Intensities on the axes of the structure. */
  readonly data?: CrystalData | undefined;
  readonly kinematical?: KinematicResult | undefined;
  readonly thickness?: ThicknessScan | undefined;
  readonly dynamical?: DynamicalResult | undefined;
  /**
   * Both hands against the same frames, where the group has no inversion. `given` is the hand that the solution happened to have; when the other one wins
   * by z < −3 the results here are those of the inverted structure.
   */
  readonly hand?: HandResult | undefined;
  /** Whether displacements became tensors, and why. */
  readonly displacements?: AnisotropicChoice | undefined;
  /** Free distribution of thicknesses at the final structure. */
  readonly distribution?: ThicknessDistribution | undefined;
  /** R and residual density of the final structure against the thickness. */
  readonly profile?: ThicknessProfile | undefined;
  readonly diagnosis?: Diagnosis | undefined;
  /** The step that could not be done and why; undefined when all were. */
  readonly stopped?: { readonly step: string; readonly reason: string } | undefined;
}

/** The thickness comes from the scan, so the structure moves at once; orientations join when it is near. */
const chainStages: readonly DynamicalStage[] = [
  { name: "structure", thickness: true, structure: true, gradient: "exact", maxCycles: 2 },
  { name: "all", thickness: true, orientations: true, structure: true, gradient: "exact", maxCycles: 3 },
];

/**
 * From the frames of a processed series to a refined structure: intensities, ab initio solution, kinematical and dynamical least squares, diagnostics.
 * A step that the data do not allow ends the chain with its reason, and everything before it is returned; only an abort rejects.
 */
export async function determineStructure(
  source: FrameSource,
  record: ProcessingRecord,
  options: DetermineOptions = {},
): Promise<Determination> {
  const { signal, composition, workers, rsgMax = 0.66 } = options;
  const out: { -readonly [K in keyof Determination]: Determination[K] } = {};
  let step = "intensities",
    reached = 0;
  const part = (name: string, from: number, to: number): RunOptions => {
    step = name;
    const onProgress = (p: Progress): void => {
      reached = Math.max(reached, from + (to - from) * Math.min(1, p.total > 0 ? p.done / p.total : 0)); // parts count their stages anew
      options.onProgress?.({ done: reached, total: 100, note: `${name}: ${p.note}` });
    };
    onProgress({ done: 0, total: 1, note: "" });
    return { signal, sliceMs: options.sliceMs, onProgress };
  };
  try {
    const measured = await measureSeries(source, record, { ...options, ...part("intensities", 0, 22) });
    out.measured = measured;
    let model: { readonly structure: Structure; readonly axes: Mat3 } | undefined = options.structure && {
      structure: options.structure,
      axes: identity3,
    };
    if (!model) {
      const { seed, trials } = options,
        run = part("solution", 22, 35);
      if (!composition) return { ...out, stopped: { step, reason: 'no composition: give --composition "Na Al Si3 O8"' } };
      out.solution = await solveStructure(measured.merged.observations, measured.cell, composition, { seed, trials, ...run });
      if (out.solution.status === "failed")
        return { ...out, stopped: { step, reason: `no model explains the intensities (best R1 ${(100 * out.solution.r1).toFixed(0)} %)` } };
      model = out.solution;
    }
    const data = dataOnAxes(measured, model, rsgMax);
    out.data = data;
    const { wavelength } = record.series,
      { merged } = data.merged;
    const steps = refineKinematicSteps(readyModel(model.structure), merged, {
      extinction: { wavelength },
      factors: ignoreCharge(peng1996),
    });
    out.kinematical = await runAsync(steps, part("kinematical refinement", 35, 38));
    if (options.dynamical !== false) {
      const start = readyModel(out.kinematical.structure),
        { beam } = measured.instrument,
        { frames } = data;
      out.thickness = await scanThickness(
        start,
        { beam, frames, model: defaultFrameModel(start, frames, { thickness: 2000 }) },
        part("thickness", 38, 42),
      );
      const { model: thicknessModel, thickness } = out.thickness;
      out.dynamical = await refineDynamical(
        start,
        { beam, frames, model: defaultFrameModel(start, frames, { thickness, thicknessModel }) },
        { workers, stages: chainStages, ...part("dynamical refinement", 42, 74) },
      );
      if (!out.dynamical.structure.spaceGroup.centrosymmetric) {
        const { frames, models, structure } = out.dynamical;
        const refined = { beam, frames: frames.map((f) => f.frame), model: models[0]! };
        out.hand = await dynamicalHand(structure, refined, { workers, ...part("absolute structure", 74, 80) });
        if (out.hand.z < -3) {
          const run = part("dynamical refinement of the other hand", 80, 85);
          out.dynamical = await refineDynamical(invertedStructure(structure), refined, { workers, stages: chainStages.slice(1), ...run });
        }
      }
      const dataOf = ({ frames, models }: DynamicalResult): DynamicalData => ({
        beam,
        frames: frames.map((f) => f.frame),
        model: models[0]!,
      });
      const tensors = await refineAnisotropic(out.dynamical, dataOf(out.dynamical), {
        workers,
        ...part("anisotropic displacements", 85, 95),
      });
      out.displacements = tensors.choice;
      out.dynamical = tensors.result;
      const { structure } = out.dynamical,
        final = dataOf(out.dynamical);
      out.distribution = await thicknessDistribution(structure, final, part("thickness distribution", 95, 96));
      out.profile = await thicknessProfile(structure, final, part("thickness profile", 96, 99));
    }
    part("maps and diagnostics", 99, 100);
    out.diagnosis = diagnose(out);
    return out;
  } catch (e) {
    signal?.throwIfAborted();
    if (!isSdkError(e)) throw e;
    return { ...out, stopped: { step, reason: e.message } };
  }
}
