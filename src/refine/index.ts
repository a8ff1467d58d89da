/** Refinement: residuals, parameters, kinematical least squares, difference maps, comparison of structures. */

export type { Amplitudes, WeightOptions } from "./amplitudes.js";
export { amplitudes, sigmaOfAmplitude } from "./amplitudes.js";
export { extinctionDerivatives, extinctionGeometry, extinctionY } from "./extinction.js";
export type { MergedPairs, ObservedCalculated, ResidualOptions, Residuals } from "./residuals.js";
export { mergedResiduals, mergePairs, residuals } from "./residuals.js";
export type { CifResiduals } from "./residuals-cif.js";
export { indicesOf, intensitiesOf, residualsOfBlock, residualsOfCif, withExtinction } from "./residuals-cif.js";
