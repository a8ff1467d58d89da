import { fail } from "../core/errors.js";
import type { BlochKernels } from "../kernels/bloch.js";
import { scoped } from "../numerics/matrix-scope.js";
import { absorptionCentre, chebyshevCapacity, spectralMargins } from "./spectrum.js";
import type { StructureMatrix } from "./structure-matrix.js";

/** Writes the Chebyshev vectors of (A − shift − i·decay)/rho; made for one matrix, called for one or more widths of the spectrum. */
export type VectorWriter = (shift: number, decay: number, rho: number, terms: number, v: number) => void;

/** Deviation of a norm from 1 that is put down to rounding; anything above says that the spectrum was taken too narrow. */
const NORM = 4e-13;

/**
 * exp(iτA)e₀ = e^{iτc} Σ_k (2 − δ_k0) i^k J_k(τρ) T_k((A − c)/ρ) e₀ for all τ from the same vectors; c is complex with absorption.
 * @param write - what makes the vectors (dense or structured)
 * @returns amplitudes before the factor M, shape [count, n, 2], phases included
 */
export function chebyshevColumns(
  m: StructureMatrix,
  tau: Float64Array,
  kernels: BlochKernels,
  write: VectorWriter,
  pairs: boolean,
): Float64Array {
  const n = m.size,
    count = tau.length,
    { arena } = kernels;
  const d = m.twoKs.map((x, i) => x / m.surface[i]!);
  const lo = d.reduce((p, x) => Math.min(p, x), Number.POSITIVE_INFINITY),
    hi = d.reduce((p, x) => Math.max(p, x), Number.NEGATIVE_INFINITY);
  let { below, above } = spectralMargins(m, m.absorbing);
  const decay = absorptionCentre(m);
  const longest = tau.reduce((p, x) => Math.max(p, x), 0);
  const width = pairs ? 2 * n : (n + 1) & ~1;
  for (let attempt = 0; attempt < 8; attempt++) {
    const shift = (lo - below + hi + above) / 2,
      rho = Math.max(1e-9, (hi + above - lo + below) / 2);
    const capacity = chebyshevCapacity(rho * longest);
    const sizes = [24 * count, 8 * count * capacity, 8 * capacity * width, 8 * count * width, 8 * count * width, 16 * count * n];
    const out = scoped(arena, [...sizes, kernels.gemmWork() + 32 * n], ([pTau, pJ, pV, pEven, pOdd, pPsi, pWork]) => {
      arena.f64(pTau!, count).set(tau);
      const turn = pTau! + 8 * count;
      arena
        .f64(turn, 2 * count)
        .set(Array.from(tau).flatMap((t) => [Math.exp(-decay * t) * Math.cos(t * shift), Math.exp(-decay * t) * Math.sin(t * shift)]));
      const terms = kernels.bessel(count, pTau!, rho, capacity, pJ!);
      if (terms < 0) fail("no-convergence", { rho, longest }, "the Bessel functions need more terms than planned; please report this case");
      write(shift, decay, rho, terms, pV!);
      kernels.combine(count, terms, width, pJ!, capacity, pV!, pEven!, pOdd!, pWork!);
      kernels.waves(count, n, width, pairs ? 1 : 0, turn, pEven!, pOdd!, pPsi!);
      return arena.f64(pPsi!, 2 * n * count).slice();
    });
    let worst = 0;
    for (let t = 0; t < count; t++) {
      let norm = 0;
      for (let i = 2 * t * n; i < 2 * (t + 1) * n; i++) norm += out[i]! * out[i]!;
      worst = Math.max(
        worst,
        Number.isFinite(norm) ? (m.absorbing ? Math.max(0, norm - 1) : Math.abs(norm - 1)) : Number.POSITIVE_INFINITY,
      );
    }
    if (worst <= NORM + 1e-15 * rho * longest) return out;
    below = 1.5 * below + 0.02 * (hi - lo) + 1e-6;
    above = 1.5 * above + 0.02 * (hi - lo) + 1e-6;
  }
  return fail(
    "no-convergence",
    { beams: n, longest },
    "the norm of the wave function is not conserved: the matrix is not Hermitian, or the absorption is negative",
  );
}

/** f·(A − shift − i·decay) to kernel memory: real rows of an even length with a zero tail, or complex rows. */
export function placeMatrix(m: StructureMatrix, kernels: BlochKernels, f: number, shift: number, decay: number, to: number): void {
  const n = m.size,
    width = m.real ? (n + 1) & ~1 : 2 * n,
    a = kernels.arena.f64(to, n * width);
  if (m.a.length === a.length) a.set(m.a);
  else {
    a.fill(0);
    for (let i = 0; i < n; i++) a.set(m.a.subarray(i * n, (i + 1) * n), i * width);
  }
  kernels.rescale(n, width, m.real ? 0 : 1, f, shift, decay, to);
}

/** The vectors from the dense matrix. */
export function denseChebyshev(m: StructureMatrix, tau: Float64Array, kernels: BlochKernels): Float64Array {
  const n = m.size,
    ld = (n + 1) & ~1;
  return scoped(kernels.arena, [m.real ? 8 * n * ld : 16 * n * n, 32 * n], ([pA, pWork]) => {
    const write: VectorWriter = (shift, decay, rho, terms, v) => {
      placeMatrix(m, kernels, 2 / rho, shift, decay, pA!);
      if (m.real) kernels.vectorsReal(n, pA!, ld, terms, v);
      else kernels.vectorsComplex(n, pA!, terms, v, pWork!);
    };
    return chebyshevColumns(m, tau, kernels, write, !m.real);
  });
}
