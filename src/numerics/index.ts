/** Numerics: dense algebra, optimisers, transforms, statistics, filters and clustering on plain arrays. No physics. */

export { correlationMatrix, type TriangleCovariance, triangleCovariance } from "./covariance.js";
export { type DifferenceOptions, type Differences, differenceGradient, differenceJacobianInto, gradientError } from "./gradient.js";
export { type LeastSquaresProblem, type LeastSquaresResult, leastSquares, leastSquaresSteps } from "./least-squares.js";
export type { Loss } from "./least-squares-loss.js";
export type { SolverStatus } from "./outcome.js";
export { type ParameterMap, type ParameterOptions, parameterMap, type Tie } from "./parameters.js";
