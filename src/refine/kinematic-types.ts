import type { Structure } from "../geometry/structure.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import type { WeightOptions } from "./amplitudes.js";
import type { ModelOptions } from "./model.js";
import type { Residuals } from "./residuals.js";
import type { Restraint } from "./restraints.js";

/** One set of measured intensities (or F²) on one scale. */
export interface KinematicData {
  readonly name?: string | undefined;
  /** Shape [n, 3]. */
  readonly hkl: Int32Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
}
export interface KinematicOptions extends WeightOptions {
  /** What of the structure is refined; see {@link ModelOptions}. */
  readonly model?: ModelOptions | undefined;
  /** Form factors; by default peng1996, neutral whatever the charge. */
  readonly factors?: FormFactorSource | undefined;
  /** SHELXL's extinction with this wavelength, Å; without it none is refined. */
  readonly extinction?: { readonly wavelength: number; readonly start?: number | undefined } | undefined;
  readonly restraints?: readonly Restraint[] | undefined;
  /** Skip reflections with |Fo − Fc| > this · σ(F) in a stage, as decided at its start (default none). */
  readonly outlierSigma?: number | undefined;
  /** First the coordinates alone to these spacings (Å), then everything. Default: straight to everything. */
  readonly positionsTo?: readonly number[] | undefined;
  /**
   * Refine everything on F² before F (default true). |F| has a kink where F passes through zero, so weak reflections hold signs and phases
   * fast; F² lets them pass, and fewer starts end in a false minimum (decision 141). The result is always the minimum on F.
   */
  readonly intensityStage?: boolean | undefined;
  readonly maxCycles?: number | undefined;
}
export interface RefinedParameter {
  readonly name: string;
  readonly value: number;
  readonly su: number;
}
export interface KinematicResult {
  /** "converged" when the last full step would move no parameter by more than 0.05 of its s.u. */
  readonly status: "converged" | "max-iterations" | "stalled";
  /** With standard uncertainties; constrained values carry those of what they follow. */
  readonly structure: Structure;
  /** Free parameters: of the structure, then scales (on F) and extinction. */
  readonly parameters: readonly RefinedParameter[];
  /** Covariance of the free parameters, scaled by GoF² (all), shape [n, n]. */
  readonly covariance: Float64Array;
  /** Largest correlations (|r| ≥ 0.5), strongest first. */
  readonly correlations: readonly { readonly first: string; readonly second: string; readonly value: number }[];
  readonly residuals: Residuals;
  /** F² on the scale of the data of each set, extinction included, in the order of its reflections. */
  readonly calculated: readonly Float64Array[];
  /** Complex F (Å, no extinction, no scale) of each set, interleaved. */
  readonly structureFactors: readonly Float64Array[];
  /** k·y that turns |F| (Å) into the scale of the data, shape [n] for each set. */
  readonly factors: readonly Float64Array[];
  readonly maxShiftOverSu: number;
  readonly cycles: number;
  /** wR(all) at the start and after every stage. */
  readonly history: readonly { readonly stage: string; readonly wrAll: number; readonly cycles: number }[];
  /** (value − target)/σ of every restraint row. */
  readonly restraints: readonly number[];
  readonly constraints: readonly string[];
  readonly outliers: number;
  readonly warnings: readonly string[];
}
