import type { DynamicalFrame, FrameModel } from "../bloch/frames.js";
import type { SweepRun } from "../bloch/integrate.js";
import type { Progress } from "../core/job.js";
import type { Beam } from "../geometry/beam.js";
import type { Structure } from "../geometry/structure.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import type { WeightOptions } from "./amplitudes.js";
import type { ModelOptions } from "./model.js";
import type { Residuals } from "./residuals.js";
import type { Restraint } from "./restraints.js";

/** A frame with what was measured on it; rows belong to those of `hkl`. */
export interface RefinedFrameData extends DynamicalFrame {
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Why the frame cannot be used; it is then named and left out. */
  readonly problem?: string | undefined;
}
/** One crystal: its frames, and the model that the refinement starts from. */
export interface DynamicalData {
  readonly name?: string | undefined;
  readonly beam: Beam;
  readonly frames: readonly RefinedFrameData[];
  readonly model: FrameModel;
}
/** What a stage refines; scales of frames always are. */
export interface DynamicalStage {
  readonly name: string;
  readonly thickness?: boolean | undefined;
  /** C of {@link FrameModel}. */
  readonly tiltCorrection?: boolean | undefined;
  /** Variance or σ, whichever the model has. */
  readonly mosaicity?: boolean | undefined;
  /** Two turns of every frame. */
  readonly orientations?: boolean | undefined;
  /** Free parameters of the structure: all, or those whose names match. */
  readonly structure?: boolean | RegExp | undefined;
  /**
   * `exact`: the gradient of the whole model (about three forward passes); `rows`: from the approximate rows alone. Default: rows until no
   * parameter moves by more than its s.u., exact from there on.
   */
  readonly gradient?: "exact" | "rows" | undefined;
  readonly maxCycles?: number | undefined;
}
/**
 * Rows dI/dp are followed in a smaller matrix and near the Bragg condition alone: they shape the step, not the solution (decision 190).
 */
export interface RowModel {
  /** |Sg| limit of beams, Å⁻¹. Default 7/thickness, between 0.3 and 0.6 of the model's. */
  readonly sMax?: number | undefined;
  /** A reflection is followed where |Sg| is below this, Å⁻¹. Default half of it. */
  readonly window?: number | undefined;
}
export interface DynamicalOptions extends WeightOptions, Pick<SweepRun, "on" | "signal"> {
  readonly model?: ModelOptions | undefined;
  /** By default peng1996, neutral whatever the charge. */
  readonly factors?: FormFactorSource | undefined;
  readonly restraints?: readonly Restraint[] | undefined;
  /** Default {@link dynamicalStages}. */
  readonly stages?: readonly DynamicalStage[] | undefined;
  /** Skip reflections with |Fo − Fc| > this · σ(F), as decided at the start of every stage that refines the structure (JANA: 15; default none). */
  readonly outlierSigma?: number | undefined;
  /** Stop a stage when no parameter would move by more than this part of its s.u. Default 0.1. */
  readonly tolerance?: number | undefined;
  readonly rows?: RowModel | undefined;
  /** Threads, when no pool is given in `on`. Default: as many as the machine has; 1 stays in this thread. */
  readonly workers?: number | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
  /** Called after every cycle with all that a resumed run needs; plain JSON. */
  readonly onCheckpoint?: ((c: DynamicalCheckpoint) => void) | undefined;
  /** Go on from here: the run then ends as one that was never stopped. */
  readonly resume?: DynamicalCheckpoint | undefined;
}
/** State after a cycle, plain JSON. */
export interface DynamicalCheckpoint {
  readonly kind: "ewald-dynamical";
  readonly version: 1;
  readonly stage: number;
  /** Cycles of that stage that are done, and whether it has ended. */
  readonly cycle: number;
  readonly ended: boolean;
  readonly status: DynamicalResult["status"];
  /** Exact gradients from here on. */
  readonly near: boolean;
  readonly damping: number;
  /** Names of the structure's parameters, to recognise the model. */
  readonly names: readonly string[];
  readonly q: readonly number[];
  readonly instruments: readonly InstrumentState[];
  /** UB of every frame of every set. */
  readonly ub: readonly (readonly (readonly number[])[])[];
  /** Rows left out as outliers: [set, frame, row]. */
  readonly outliers: readonly (readonly [number, number, number])[];
  readonly history: readonly DynamicalCycle[];
}
export interface InstrumentState {
  readonly thickness: number;
  readonly tiltCorrection: number;
  /** Of the model's kind; NaN is written as null where there is none. */
  readonly mosaicity: number | null;
}
export interface DynamicalCycle {
  readonly stage: string;
  readonly cycle: number;
  readonly rObs: number;
  readonly wrAll: number;
  readonly chi2: number;
  readonly damping: number;
  readonly maxShiftOverSu: number;
}
export interface RefinedFrame {
  readonly set: number;
  readonly id: string;
  readonly status: "refined" | "excluded";
  readonly reason?: string | undefined;
  /** F_obs = scale · √(mean |ψ|²). */
  readonly scale: number;
  readonly scaleSu: number;
  /** Turn from the given orientation about lab x and y, degrees. */
  readonly turnDeg: readonly [number, number];
  readonly turnSuDeg: readonly [number, number];
  readonly residuals: Residuals | undefined;
  readonly frame: RefinedFrameData;
  /** On the scale of the measured intensities; NaN where not calculated. */
  readonly calculated: Float64Array;
}
export interface DynamicalParameter {
  readonly name: string;
  readonly value: number;
  readonly su: number;
}
export interface DynamicalResult {
  readonly status: "converged" | "max-iterations" | "stalled";
  /** With standard uncertainties. */
  readonly structure: Structure;
  /** Refined instrument of every set, as a model to go on with. */
  readonly models: readonly FrameModel[];
  /** Free parameters of the structure, then thickness, tilt correction and mosaicity of every set. */
  readonly parameters: readonly DynamicalParameter[];
  /** Of `parameters`, scaled by GoF² (all); scales and orientations are accounted for. Shape [n, n]. */
  readonly covariance: Float64Array;
  readonly correlations: readonly { readonly first: string; readonly second: string; readonly value: number }[];
  readonly residuals: Residuals;
  /** Equivalents merged under the point group (Friedel mates apart without an inversion). */
  readonly merged: Residuals;
  readonly frames: readonly RefinedFrame[];
  readonly refinedParameters: number;
  readonly maxShiftOverSu: number;
  readonly cycles: number;
  readonly history: readonly DynamicalCycle[];
  readonly restraints: readonly number[];
  readonly constraints: readonly string[];
  readonly outliers: number;
  readonly warnings: readonly string[];
}
