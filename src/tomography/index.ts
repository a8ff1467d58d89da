/** Tomography: tilt series, alignment, reconstruction, atoms. Volumes [nz, ny, nx], stacks [views, ny, nx], x fastest. */

export { type Alignment, type AlignOptions, alignSeries } from "./align.js";
export { commonRotation, turnPoses } from "./align-gauge.js";
export { centreOfMass } from "./align-profiles.js";
export { anscombe, estimateNoise, inverseAnscombe, type NoiseModel } from "./anscombe.js";
export { type AtomModel, atomModel, joinAtoms, type PosedProjections, selectAtoms } from "./atom-model.js";
export { atomsCif } from "./atoms-cif.js";
export { type AtomFileColumns, atomsOutput, atomsPage, atomsPdb, atomsRecord, atomsXyz, elementsByNumber } from "./atoms-files.js";
export { blockMatching } from "./block-matching.js";
export { type AtomTomography, type AtomTomographyOptions, atomTomography } from "./chain.js";
export { type AtomClasses, classifyIntensities, countClasses } from "./classify.js";
export { classifyProfiles, type ProfileOptions } from "./classify-profile.js";
export { averageFrames, denoiseSteps, type FrameAverage } from "./denoise.js";
export { type EqualSlopeOptions, equalSlope } from "./equal-slope.js";
export type { SlopeWeighting } from "./equal-slope-data.js";
export { type ConventionTrial, findConvention, readSeriesAnyConvention } from "./euler-convention.js";
export { extendedVolume, middleColumns } from "./extended.js";
export { type FbpOptions, fbp } from "./fbp.js";
export { type FilmAtoms, type FilmAtomsOptions, filmAtoms } from "./film-atoms.js";
export type { Gridding } from "./fourier-grid.js";
export { type GenfireOptions, genfire } from "./genfire.js";
export { inspectSeries, type SeriesReport } from "./inspect-series.js";
export { type ResireOptions, resire, type SirtOptions, sart, sirt, type TvOptions, tv } from "./iterative.js";
export { centreIndex, reverseAxes } from "./layout.js";
export { type ModelAtomsOptions, type ModelledAtoms, modelAtoms } from "./model-atoms.js";
export { moveVolume, type RigidMotion } from "./move-volume.js";
export { type NucleiChange, type NucleusLink, nucleiByOrder, nucleiChange } from "./nuclei.js";
export { type BondOrder, bondOrder, crystalBondOrder, type NeighbourLists, neighbourLists } from "./order-bond.js";
export { type ChemicalOrder, chemicalOrder, type OrderVariant, orderVariants, variantSpecies } from "./order-chemical.js";
export { type FccLattice, fccNeighbours, fitLattice } from "./order-lattice.js";
export { pairCounts, shortRangeOrder } from "./order-short-range.js";
export { type PoseDoubts, poseDifference, poseDoubts } from "./pose-doubts.js";
export {
  type PoseConvention,
  type Poses,
  poseAngles,
  poseMatrix,
  posesFromEuler,
  posesFromMatrices,
  posesFromQuaternions,
  posesFromTilts,
  tiltsOf,
} from "./poses.js";
export { type BackgroundOptions, normaliseDose, removeBackground, repairPixels } from "./prepare.js";
export { type Projector, type ProjectorOptions, projector } from "./project.js";
export { type ReadSeriesOptions, readTiltSeries } from "./read-series.js";
export { type HalfSetResult, halfSetFsc, type ReconstructMethod, reconstruct, reconstructMethods } from "./reconstruct.js";
export type { Figures, Reconstruction, ReconstructionProgress, ReconstructOptions } from "./reconstruction.js";
export { type RefineAtomsOptions, type RefinedAtoms, refineAtoms } from "./refine-atoms.js";
export { falseAtoms, type ResidualPeakOptions, type ResidualPeaks, residualPeaks } from "./refine-atoms-edit.js";
export type { AtomErrors } from "./refine-atoms-errors.js";
export type { AtomParameters } from "./refine-atoms-layout.js";
export type { CountNoise } from "./refine-atoms-noise.js";
export { type RefinedPoses, type RefinePosesOptions, refinePoses } from "./refine-poses.js";
export { type MatchedAtoms, matchAtoms } from "./register.js";
export { type RegisteredVolumes, type RegisterVolumesOptions, registerVolumes } from "./register-volumes.js";
export { curvesSvg, reconstructionRecord, reconstructionSummary, slicesPng } from "./report.js";
export {
  type DistortionOptions,
  distortionAt,
  type ScanDistortion,
  scanDistortion,
  undistortImage,
  undistortSeries,
} from "./scan-distortion.js";
export type { StackLayout } from "./series-layout.js";
export { crossing, fourierShellCorrelation, powerSpectrum, type ShellCurve } from "./shells.js";
export { shiftViews } from "./shift.js";
export { type ParticleOptions, particleDomains, type SimulatedParticle, simulateParticle } from "./simulate-particle.js";
export { type CountsOptions, disturbedPoses, type ProjectionFrame, projectAtoms, simulateCounts, tiltPoses } from "./simulate-project.js";
export { reconstructSlabs, type SlabSource } from "./slabs.js";
export { equalSlopeAngles } from "./slopes.js";
export { type DisplacementField, displacementField, type StrainField, strainField } from "./strain.js";
export { selectViews, type TiltSeries, type TiltSeriesOptions, tiltSeries } from "./tilt-series.js";
export { type TracedAtoms, type TraceOptions, traceAtoms } from "./trace.js";
export { type VolumeOf, volumeMaxima } from "./trace-maxima.js";
export { otsuThreshold, type TwoGaussians, twoGaussians, valleyThreshold } from "./trace-threshold.js";
export { type ViewNeighbours, viewNeighbours } from "./view-neighbours.js";
export { viewRims } from "./view-rims.js";
export { type VoronoiCells, voronoiCells, voronoiIndex, voronoiNeighbours } from "./voronoi.js";
