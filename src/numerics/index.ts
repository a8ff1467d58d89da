/** Numerics: dense algebra, optimisers, transforms, statistics, filters and clustering on plain arrays. No physics. */

export { correlationMatrix, type TriangleCovariance, triangleCovariance } from "./covariance.js";
export { type FftOptions, fft, fft2, fftn, ifft, ifft2, ifftn, irfft, irfft2, irfftn, rfft, rfft2, rfftn } from "./fft.js";
export { fftFreq, fftShift, ifftShift, rfftFreq, type ShiftOptions } from "./fft-freq.js";
export { type FftKernels, type FftPlan, type FftPlanOptions, type FftRun, fftPlan, type PlanArray } from "./fft-plan.js";
export { type RealFftPlan, type RealFftPlanOptions, rfftPlan } from "./fft-real-plan.js";
export { type DifferenceOptions, type Differences, differenceGradient, differenceJacobianInto, gradientError } from "./gradient.js";
export { type LeastSquaresProblem, type LeastSquaresResult, leastSquares, leastSquaresSteps } from "./least-squares.js";
export type { Loss } from "./least-squares-loss.js";
export type { SolverStatus } from "./outcome.js";
export { type ParameterMap, type ParameterOptions, parameterMap, type Tie } from "./parameters.js";
