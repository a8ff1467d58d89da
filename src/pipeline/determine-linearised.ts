import { fail } from "../core/errors.js";
import { type AmplitudeRegression, linearised } from "../refine/amplitude-regression.js";
import { refineDynamical } from "../refine/dynamical.js";
import type { DynamicalData, DynamicalOptions, DynamicalResult, RefinedFrameData } from "../refine/dynamical-types.js";
import { type Diagnosis, diagnosisOf, dynamicalRows } from "./determine-diagnose.js";

/** Frames with the curvature of √I_calc over √I_obs taken out of their intensities. @throws no-convergence where the cubic cannot be inverted */
export function linearisedFrames(frames: readonly RefinedFrameData[], r: AmplitudeRegression): readonly RefinedFrameData[] {
  return frames.map((f) => ({ ...f, ...linearised(r, f.intensity, f.sigma) }));
}

export interface LinearisedRefinement {
  readonly before: Diagnosis;
  readonly after: Diagnosis;
  readonly result: DynamicalResult;
}

/**
 * Linearisation with re-refinement, as in the ceramics paper: the cubic of the finished refinement straightens the intensities, and the structure is
 * refined against these. Compare R and the 3σ level of the difference maps of `before` and `after`.
 * @throws bad-value when the refinement has no regression (too few strong reflections), and what the parts throw
 */
export async function refineLinearised(
  result: DynamicalResult,
  beam: DynamicalData["beam"],
  options: DynamicalOptions = {},
): Promise<LinearisedRefinement> {
  const before = diagnosisOf("dynamical", result.structure, dynamicalRows(result), result.refinedParameters);
  if (!before.regression)
    return fail("bad-value", { rows: before.rows.intensity.length }, "there are too few strong reflections for a regression");
  const frames = linearisedFrames(
    result.frames.map((f) => f.frame),
    before.regression,
  );
  const stages = options.stages ?? [{ name: "linearised", thickness: true, structure: true, gradient: "exact", maxCycles: 2 }];
  const again = await refineDynamical(result.structure, { beam, frames, model: result.models[0]! }, { ...options, stages });
  return { before, after: diagnosisOf("dynamical", again.structure, dynamicalRows(again), again.refinedParameters), result: again };
}
