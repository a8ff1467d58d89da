/** Numerics: dense algebra, optimisers, transforms, statistics, filters and clustering on plain arrays. No physics. */

export type { Edge } from "../kernels/images.js";
export { cholesky, choleskySolve, type LdltFactors, ldlt, ldltSolve } from "./cholesky.js";
export { complexCholesky, complexCholeskySolve } from "./cholesky-complex.js";
export { type Clusters, clusterGraph, clusterWithin, cutLinkage, type Merge, singleLinkage } from "./cluster.js";
export { type KdTree, kdTree } from "./cluster-kdtree.js";
export { correlationMatrix, type TriangleCovariance, triangleCovariance } from "./covariance.js";
export { type DbscanOptions, type DbscanResult, dbscan, dbscanSteps } from "./dbscan.js";
export { eigen, type GeneralEigen } from "./eigen-general.js";
export {
  applyTridiagonalBasis,
  type HermitianEigen,
  hermitianEigen,
  type TridiagonalForm,
  tridiagonalEigen,
  tridiagonalForm,
} from "./eigen-hermitian.js";
export { type SymmetricEigen, symmetricEigen } from "./eigen-symmetric.js";
export { erf, erfc, normalCdf } from "./erf.js";
export { expm } from "./expm.js";
export { type FftOptions, fft, fft2, fftn, ifft, ifft2, ifftn, irfft, irfft2, irfftn, rfft, rfft2, rfftn } from "./fft.js";
export { fftFreq, fftShift, ifftShift, rfftFreq, type ShiftOptions } from "./fft-freq.js";
export { fftPool, runOnPool } from "./fft-parallel.js";
export { type FftKernels, type FftPlan, type FftPlanOptions, type FftRun, fftPlan, type PlanArray } from "./fft-plan.js";
export { type RealFftPlan, type RealFftPlanOptions, rfftPlan } from "./fft-real-plan.js";
export {
  convolveImage,
  correlateImage,
  differenceOfGaussians,
  type FilterOptions,
  gaussianFilter,
  gaussianTaps,
  laplacian,
  maximumFilter,
  medianFilter,
  medianFilterU16,
  medianOfFrames,
  minimumFilter,
  separableFilter,
  sobel,
} from "./filters.js";
export { binImage, type FrameSum, frameSum, imageStatistics, localStatistics, type MaskedOptions, meanFilter } from "./filters-local.js";
export { type DifferenceOptions, type Differences, differenceGradient, differenceJacobianInto, gradientError } from "./gradient.js";
export {
  boxProjection,
  type Proximal,
  type ProximalProblem,
  type ProximalResult,
  proximalGradient,
  proximalGradientSteps,
  simplexProjection,
  softThreshold,
} from "./gradient-proximal.js";
export { binEdges, densityEstimate, type Histogram, histogram, histogramQuantile, lowerBound, silvermanBandwidth } from "./histogram.js";
export { imageSampler, interpolateLinear, type Sampling, sampleImage } from "./interpolate.js";
export {
  type Affine,
  affineImage,
  invertAffine,
  type PolarImage,
  polarImage,
  radialMean,
  resizeImage,
  rotationAbout,
  type WarpOptions,
  warpImage,
} from "./interpolate-warp.js";
export { type KMeansOptions, type KMeansResult, kMeans } from "./kmeans.js";
export { type MinimiseProblem, type MinimiseResult, minimise, minimiseSteps } from "./lbfgs.js";
export { type LeastSquaresProblem, type LeastSquaresResult, leastSquares, leastSquaresSteps } from "./least-squares.js";
export type { Loss } from "./least-squares-loss.js";
export { invert, type LuFactors, lu, luSolve, solve } from "./lu.js";
export { type ComplexLu, complexDeterminant, complexLu, complexLuSolve, complexSolve } from "./lu-complex.js";
export {
  adjoint,
  type ComplexMatrix,
  complexMatrix,
  complexMultiply,
  type DenseOptions,
  identityMatrix,
  type Matrix,
  matrix,
  multiply,
  toComplex,
  transposeMatrix,
} from "./matrix.js";
export { type NmfOptions, type NmfResult, nmf, nmfSteps } from "./nmf.js";
export type { SolverStatus } from "./outcome.js";
export { type ParameterMap, type ParameterOptions, parameterMap, type Tie } from "./parameters.js";
export { localMaxima, localMaxima1d, type MaximaOptions, type PeakTable } from "./peaks.js";
export { type ComponentTable, type Labels, labelComponents, measureComponents, watershed } from "./peaks-components.js";
export { type GaussianFitOptions, type GaussianPeak, gaussianPeak } from "./peaks-gaussian.js";
export { type Shift, templateShift } from "./peaks-match.js";
export { type Centroid, type CentroidOptions, centroidPeak, parabolicOffset, parabolicPeak, type SubPixel } from "./peaks-refine.js";
export { linearLeastSquares, type QrFactors, qr } from "./qr.js";
export { type Line, type LineFit, lineFit, ransacLine, robustLine, theilSenLine } from "./robust-line.js";
export {
  biweightLocation,
  huberLocation,
  type Location,
  MAD_TO_SIGMA,
  medianAbsoluteDeviation,
  sigmaClip,
  trimmedMean,
} from "./robust-location.js";
export { besselJ0, besselJ1, besselY0, besselY1, struveH0, struveH1 } from "./special-bessel.js";
export { gamma, gammaP, gammaQ, lnGamma } from "./special-gamma.js";
export { gaussian, lorentzian, pseudoVoigt, voigtWidths } from "./special-profile.js";
export { type Curve, cubicSpline, type SplineEnds } from "./spline.js";
export { bsplineBasis, bsplineValue, clampedKnots } from "./spline-basis.js";
export { akimaCurve, catmullRomCurve, pchipCurve } from "./spline-local.js";
export { type SmoothingOptions, type SmoothingSpline, smoothingSpline } from "./spline-smooth.js";
export {
  correlation,
  emptyMoments,
  type Moments,
  mean,
  mergeMoments,
  moments,
  rankCorrelation,
  ranks,
  standardDeviation,
  variance,
  type WeightedMean,
  weightedMean,
} from "./stats.js";
export { type KsTest, kolmogorovQ, ksTest, ksTwoSample } from "./stats-ks.js";
export { median, quantile, quantiles, selectInPlace, weightedMedian } from "./stats-select.js";
export { conditionNumber, pseudoInverse, type Svd, svd } from "./svd.js";
export { type ComplexSvd, complexSvd } from "./svd-complex.js";
export { type UnionFind, unionFind } from "./union-find.js";
