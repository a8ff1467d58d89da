/** Tomography: tilt series, alignment, reconstruction, atoms. Volumes [nz, ny, nx], stacks [views, ny, nx], x fastest. */

export { type Alignment, type AlignOptions, alignSeries, centreOfMass } from "./align.js";
export { type FbpOptions, fbp } from "./fbp.js";
export type { Gridding } from "./fourier-grid.js";
export { type GenfireOptions, genfire } from "./genfire.js";
export { inspectSeries, type SeriesReport } from "./inspect-series.js";
export { type ResireOptions, resire, type SirtOptions, sart, sirt, type TvOptions, tv } from "./iterative.js";
export { centreIndex, reverseAxes } from "./layout.js";
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
export { curvesSvg, reconstructionRecord, reconstructionSummary, slicesPng } from "./report.js";
export { crossing, fourierShellCorrelation, powerSpectrum, type ShellCurve } from "./shells.js";
export { shiftViews } from "./shift.js";
export { selectViews, type TiltSeries, type TiltSeriesOptions, tiltSeries } from "./tilt-series.js";
