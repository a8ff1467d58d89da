/** Refinement: residuals, parameters, kinematical least squares, difference maps, comparison of structures. */

export type { AbsoluteStructure } from "./absolute-structure.js";
export { absoluteStructure } from "./absolute-structure.js";
export type { AmplitudeRegression, Outlier, ToleranceBand } from "./amplitude-regression.js";
export { amplitudeRegression, bandScale, ceramicsBand, linearised, outliersOfBand, regressionAt } from "./amplitude-regression.js";
export type { Amplitudes, WeightOptions } from "./amplitudes.js";
export { amplitudes, sigmaOfAmplitude } from "./amplitudes.js";
export type { CompareOptions, StructureMatch } from "./compare.js";
export { compareStructures } from "./compare.js";
export { dynamicalStages, refineDynamical } from "./dynamical.js";
export type { ModelDefaults } from "./dynamical-defaults.js";
export { defaultFrameModel } from "./dynamical-defaults.js";
export type { HandResult } from "./dynamical-hand.js";
export { dynamicalHand, invertedStructure } from "./dynamical-hand.js";
export type { ReportExtras } from "./dynamical-report.js";
export { describeDynamical, dynamicalReport, kinematicalResiduals } from "./dynamical-report.js";
export type { DynamicalRun, DynamicalRunOptions } from "./dynamical-run.js";
export { runDynamical } from "./dynamical-run.js";
export type { DynamicalStart, ScanOptions, StartOptions, ThicknessScan } from "./dynamical-scan.js";
export { scanThickness, startDynamical } from "./dynamical-scan.js";
export type {
  DynamicalCheckpoint,
  DynamicalCycle,
  DynamicalData,
  DynamicalOptions,
  DynamicalParameter,
  DynamicalResult,
  DynamicalStage,
  InstrumentState,
  RefinedFrame,
  RefinedFrameData,
  RowModel,
} from "./dynamical-types.js";
export { extinctionDerivatives, extinctionGeometry, extinctionY } from "./extinction.js";
export { refineKinematic, refineKinematicSteps } from "./kinematic.js";
export { spaceGroupProblems } from "./kinematic-checks.js";
export { restraintsFromCif, ridingHydrogens } from "./kinematic-cif.js";
export type { StartingStructure } from "./kinematic-run.js";
export { differenceMapOf, hasExtinction, kinematicData, startingStructure } from "./kinematic-run.js";
export type { KinematicData, KinematicOptions, KinematicResult, RefinedParameter } from "./kinematic-types.js";
export type { MapPeak, MapPeakOptions } from "./map-peaks.js";
export { mapPeaks } from "./map-peaks.js";
export type { MapSection, SectionOptions } from "./map-section.js";
export { mapSection, sectionSvg } from "./map-section.js";
export type { MapStatistics } from "./map-statistics.js";
export { mapStatistics } from "./map-statistics.js";
export type { ModelOptions, Riding, SparseRows, StructureModel } from "./model.js";
export { structureModel } from "./model.js";
export { perturbStructure } from "./perturb.js";
export type { MapOptions, PotentialMap } from "./potential-map.js";
export { differenceCoefficients, mapValue, potentialMap, voltPerElectronAngstrom } from "./potential-map.js";
export type { MergedPairs, ObservedCalculated, ResidualOptions, Residuals } from "./residuals.js";
export { mergedResiduals, mergePairs, residuals } from "./residuals.js";
export type { CifResiduals } from "./residuals-cif.js";
export { indicesOf, intensitiesOf, residualsOfBlock, residualsOfCif, unusedReflectionLists, withExtinction } from "./residuals-cif.js";
export type { AtomRef, Restraint, RestraintSet } from "./restraints.js";
export { restraintSet } from "./restraints.js";
export type { GradientVisitor, StructureFactorKernel } from "./structure-gradient.js";
export { structureFactorKernel } from "./structure-gradient.js";
export type { AtomParameter, RawParameter, RawStructure } from "./structure-parameters.js";
export { rawStructure, structureOfRaw } from "./structure-parameters.js";
export type { StructurePictureOptions } from "./structure-svg.js";
export { elementColor, ellipsoidRadius, projectedEllipse, structureSvg } from "./structure-svg.js";
export type { DistributionOptions, ThicknessDistribution } from "./thickness-distribution.js";
export { thicknessDistribution } from "./thickness-distribution.js";
