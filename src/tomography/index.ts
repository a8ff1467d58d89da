/** Tomography: tilt series, alignment, reconstruction, atoms. Volumes [nz, ny, nx], stacks [views, ny, nx], x fastest. */

export { type FbpOptions, fbp } from "./fbp.js";
export type { Gridding } from "./fourier-grid.js";
export { type GenfireOptions, genfire } from "./genfire.js";
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
export { type Projector, type ProjectorOptions, projector } from "./project.js";
export { type HalfSetResult, halfSetFsc, type ReconstructMethod, reconstruct, reconstructMethods } from "./reconstruct.js";
export type { Figures, Reconstruction, ReconstructionProgress, ReconstructOptions } from "./reconstruction.js";
export { crossing, fourierShellCorrelation, powerSpectrum, type ShellCurve } from "./shells.js";
export { selectViews, type TiltSeries, type TiltSeriesOptions, tiltSeries } from "./tilt-series.js";
