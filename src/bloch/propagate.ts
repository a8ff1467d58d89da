import { fail } from "../core/errors.js";
import { type BlochKernels, blochKernels } from "../kernels/bloch.js";
import { denseKernels } from "../kernels/dense.js";
import { type BeamGrid, beamGrid, coplanar } from "./grid.js";
import { denseChebyshev } from "./propagate-chebyshev.js";
import { eigenColumns, expmColumns, tridiagonalColumns } from "./propagate-dense.js";
import { structuredChebyshev, structuredCost } from "./propagate-structured.js";
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
  const { solver, grid } = options.solver ? { solver: options.solver, grid: undefined } : choose(m, tau);
  const dense = denseKernels(kernels.arena, kernels.name);
  let amplitudes: Float64Array;
  if (solver === "chebyshev") amplitudes = denseChebyshev(m, tau, kernels);
  else if (solver === "structured") amplitudes = structuredChebyshev(m, tau, kernels, grid ?? beamGrid(m.potential, m.hkl));
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

/** Counted operations. The reduction to tridiagonal form runs at a third of the speed of the products; a grid is looked for only where it can pay. */
function choose(m: StructureMatrix, tau: Float64Array): { solver: SolverName; grid: BeamGrid | undefined } {
  const n = m.size;
  let lo = Number.POSITIVE_INFINITY,
    hi = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const d = m.twoKs[i]! / m.surface[i]!;
    lo = Math.min(lo, d);
    hi = Math.max(hi, d);
  }
  const rho = 0.55 * (hi - lo) * tau.reduce((p, x) => Math.max(p, x), 0);
  const terms = rho + 12 * Math.cbrt(rho) + 8;
  const dense = (m.real ? 2 : 8) * n * n;
  // In space the grid has at least eight times as many points as beams.
  const grid = (n >= 60 && coplanar(m.hkl)) || n >= 400 ? beamGrid(m.potential, m.hkl) : undefined;
  const product = grid ? Math.min(dense, structuredCost(grid)) : dense;
  if (!m.absorbing && terms * product > 20 * n ** 3) return { solver: "tridiagonal", grid };
  return { solver: product < dense ? "structured" : "chebyshev", grid };
}
