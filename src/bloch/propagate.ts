import { fail } from "../core/errors.js";
import { type BlochKernels, blochKernels } from "../kernels/bloch.js";
import { denseKernels } from "../kernels/dense.js";
import { beamGrid } from "./grid.js";
import { denseChebyshev } from "./propagate-chebyshev.js";
import { eigenColumns, expmColumns, tridiagonalColumns } from "./propagate-dense.js";
import { structuredChebyshev, structuredCost } from "./propagate-structured.js";
import { chebyshevCapacity } from "./spectrum.js";
import type { StructureMatrix } from "./structure-matrix.js";
import { type BlochWaves, finishWaves, type SolverName } from "./waves.js";

export interface PropagateOptions {
  /** Force a solver; the cheapest one is taken when not given. All give the same waves within 1e-11. */
  readonly solver?: SolverName | undefined;
  readonly kernels?: BlochKernels | undefined;
}

/**
 * ψ(t) for one incident beam and every thickness.
 * @param thicknesses - Å along the foil normal, positive (0 is allowed: the incident wave)
 * @throws out-of-range for a thickness that is negative or not a number, bad-value when a solver cannot take the matrix
 */
export function propagate(m: StructureMatrix, thicknesses: ArrayLike<number>, options: PropagateOptions = {}): BlochWaves {
  const { kernels = blochKernels() } = options;
  const t = checkThicknesses(thicknesses);
  const tau = t.map((x) => (Math.PI * x) / m.kn);
  const grid = options.solver === undefined || options.solver === "structured" ? beamGrid(m.potential, m.hkl) : undefined;
  const solver = options.solver ?? cheapest(m, tau, grid ? structuredCost(grid) : Number.POSITIVE_INFINITY);
  const dense = denseKernels(kernels.arena, kernels.name);
  let amplitudes: Float64Array;
  if (solver === "chebyshev") amplitudes = denseChebyshev(m, tau, kernels);
  else if (solver === "structured") amplitudes = structuredChebyshev(m, tau, kernels, grid);
  else if (solver === "eigen") amplitudes = eigenColumns(m, tau, dense);
  else if (solver === "expm") amplitudes = expmColumns(m, tau, dense);
  else {
    if (m.absorbing) fail("bad-value", { solver }, "the tridiagonal solver needs a Hermitian matrix: use chebyshev with absorption");
    amplitudes = tridiagonalColumns(m, tau, dense);
  }
  finishWaves(m, amplitudes, t.length);
  return { matrix: m, thicknesses: t, amplitudes, solver };
}

/** @throws bad-value for an empty list, out-of-range for negative numbers and NaN */
export function checkThicknesses(thicknesses: ArrayLike<number>): Float64Array {
  const t = Float64Array.from(thicknesses);
  if (t.length === 0) fail("bad-value", { thicknesses: 0 }, "give at least one thickness, in Å");
  for (const x of t)
    if (!(x >= 0 && Number.isFinite(x))) fail("out-of-range", { thickness: x }, "thicknesses are positive numbers, in Å along the normal");
  return t;
}

/** Counted operations; a structured product is only asked about where there is a grid. */
function cheapest(m: StructureMatrix, tau: Float64Array, structured: number): SolverName {
  const n = m.size,
    d = m.twoKs.map((x, i) => x / m.surface[i]!);
  const half = (d.reduce((p, x) => Math.max(p, x), -1e300) - d.reduce((p, x) => Math.min(p, x), 1e300)) / 2;
  const terms = chebyshevCapacity(1.1 * half * tau.reduce((p, x) => Math.max(p, x), 0)) - 20;
  const dense = (m.real ? 2 : 8) * n * n;
  const chebyshev = terms * Math.min(dense, structured);
  if (m.absorbing || chebyshev <= 9 * n ** 3) return structured < dense ? "structured" : "chebyshev";
  return "tridiagonal";
}
