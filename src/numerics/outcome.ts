/**
 * How a solver ended. A wrong call throws; an outcome does not.
 * - `converged`: a tolerance was met.
 * - `stalled`: no step lowers the cost although the gradient says one should (noise, a wrong Jacobian, a kink).
 * - `max-iterations`: stopped by the iteration limit; the best point so far is returned.
 */
export type SolverStatus = "converged" | "stalled" | "max-iterations";
