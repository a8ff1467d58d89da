import type { BlochKernels } from "../kernels/bloch.js";
import { blocks, scoped } from "../numerics/matrix-scope.js";
import { chebyshevSeries, denseWriter, type VectorWriter } from "./chebyshev-series.js";
import type { StructureMatrix } from "./structure-matrix.js";

/** Amplitudes before the factor M for all τ, shape [count, n, 2], phases included. */
export function chebyshevColumns(
  m: StructureMatrix,
  tau: Float64Array,
  kernels: BlochKernels,
  write: VectorWriter,
  pairs: boolean,
): Float64Array {
  const memory = blocks(kernels.arena);
  try {
    const { psi } = chebyshevSeries(m, tau, kernels, memory.alloc, write, { pairs, phases: true, vectors: false });
    return kernels.arena.f64(psi, 2 * m.size * tau.length).slice();
  } finally {
    memory.free();
  }
}

/** The vectors from the dense matrix. */
export function denseChebyshev(m: StructureMatrix, tau: Float64Array, kernels: BlochKernels): Float64Array {
  const n = m.size;
  return scoped(kernels.arena, [m.real ? 8 * n * ((n + 1) & ~1) : 16 * n * n, 32 * n], ([a, work]) =>
    chebyshevColumns(m, tau, kernels, denseWriter(m, kernels, a!, work!), !m.real),
  );
}
