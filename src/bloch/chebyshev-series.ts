import { fail } from "../core/errors.js";
import type { BlochKernels } from "../kernels/bloch.js";
import { absorptionCentre, chebyshevCapacity, spectralMargins } from "./spectrum.js";
import type { StructureMatrix } from "./structure-matrix.js";

/** Writes the Chebyshev vectors of (A − shift − i·decay)/rho; made for one matrix, called for one or more widths of the spectrum. */
export type VectorWriter = (shift: number, decay: number, rho: number, terms: number, v: number) => void;

/** Deviation of a norm from 1 that is put down to rounding; anything above says that the spectrum was taken too narrow. */
const NORM = 4e-13;
/** The same of |v_k|²: what a level outside does to the vectors is largest at the last one. */
const GROWTH = 1e-9;

/** A solved sum in kernel memory: vectors v_k = T_k(X)e₀, 2X = f·(A − shift − i·decay), and the waves. */
export interface ChebyshevSeries {
  readonly terms: number;
  readonly f: number;
  readonly decay: number;
  /** Coefficients (2 − δ)(−1)^⌊k/2⌋ J_k, rows of `capacity`. */
  readonly j: number;
  readonly capacity: number;
  /** Rows of an even length with a zero tail, or of pairs. */
  readonly v: number;
  /** Shape [count, n, 2]. */
  readonly psi: number;
}
export interface SeriesOptions {
  /** Complex vectors. */
  readonly pairs: boolean;
  /** The factor e^{iτc} is part of the waves. */
  readonly phases: boolean;
  /** Check the vectors too: the way back multiplies what is not seen in the waves. */
  readonly vectors: boolean;
}

/**
 * exp(iτA)e₀ = e^{iτc} Σ_k (2 − δ_k0) i^k J_k(τρ) T_k((A − c)/ρ) e₀ for all τ from the same vectors; c is complex with absorption. The bounds of the spectrum are
 * estimates, which norms check; with absorption they are Gershgorin's.
 * @param alloc - kernel memory that the caller frees
 * @param write - what makes the vectors (dense or structured)
 * @throws no-convergence
 */
export function chebyshevSeries(
  m: StructureMatrix,
  tau: Float64Array,
  kernels: BlochKernels,
  alloc: (bytes: number) => number,
  write: VectorWriter,
  { pairs, phases, vectors }: SeriesOptions,
): ChebyshevSeries {
  const n = m.size,
    count = tau.length,
    { arena } = kernels,
    { absorbing } = m;
  const d = m.twoKs.map((x, i) => x / m.surface[i]!);
  const lo = d.reduce((p, x) => Math.min(p, x), Number.POSITIVE_INFINITY),
    hi = d.reduce((p, x) => Math.max(p, x), Number.NEGATIVE_INFINITY);
  const decay = absorptionCentre(m),
    longest = tau.reduce((p, x) => Math.max(p, x), 0),
    width = pairs ? 2 * n : (n + 1) & ~1;
  const pTau = alloc(24 * count),
    turn = pTau + 8 * count,
    even = alloc(16 * count * width),
    odd = even + 8 * count * width,
    psi = alloc(16 * count * n),
    work = alloc(kernels.gemmWork() + 32 * n);
  arena.f64(pTau, count).set(tau);
  let { below, above } = spectralMargins(m, absorbing);
  for (let attempt = 0; attempt < 8; attempt++) {
    const shift = (lo - below + hi + above) / 2,
      rho = Math.max(1e-9, (hi + above - lo + below) / 2),
      capacity = chebyshevCapacity(rho * longest);
    const j = alloc(8 * count * capacity),
      terms = kernels.bessel(count, pTau, rho, capacity, j);
    if (terms < 0) fail("no-convergence", { rho, longest }, "the Bessel functions need more terms than planned; please report this case");
    const v = alloc(8 * terms * width);
    write(shift, decay, rho, terms, v);
    kernels.combine(count, terms, width, j, capacity, v, even, odd, work);
    if (phases) {
      const c = arena.f64(turn, 2 * count);
      for (let t = 0; t < count; t++) {
        const size = Math.exp(-decay * tau[t]!);
        c[2 * t] = size * Math.cos(tau[t]! * shift);
        c[2 * t + 1] = size * Math.sin(tau[t]! * shift);
      }
    }
    kernels.waves(count, n, width, pairs ? 1 : 0, phases ? turn : 0, even, odd, psi);
    const flux = excess(arena.f64(psi, 2 * n * count), 2 * n, !absorbing) <= NORM + 1e-15 * rho * longest;
    const good = absorbing ? !phases || flux : flux && (!vectors || excess(arena.f64(v, terms * width), width, false) <= GROWTH);
    if (good) return { terms, f: 2 / rho, decay, j, capacity, v, psi };
    below = 1.5 * below + 0.02 * (hi - lo) + 1e-6;
    above = 1.5 * above + 0.02 * (hi - lo) + 1e-6;
  }
  return fail(
    "no-convergence",
    { beams: n, longest },
    "the norm of the wave function is not conserved: the matrix is not Hermitian, or the absorption is negative",
  );
}

/** Largest Σ|x|² − 1 of the rows (`both`: of its modulus); NaN where one is not finite. */
function excess(x: Float64Array, width: number, both: boolean): number {
  let most = 0;
  for (let from = 0; from < x.length; from += width) {
    let sum = -1;
    for (let i = from; i < from + width; i++) sum += x[i]! * x[i]!;
    if (both) sum = Math.abs(sum);
    if (!(sum <= most)) most = sum;
  }
  return most;
}

/** What writes the vectors of the dense matrix; 2X stands at `a`: real rows of an even length with a zero tail, or complex rows. */
export function denseWriter(m: StructureMatrix, kernels: BlochKernels, a: number, work: number): VectorWriter {
  const n = m.size,
    ld = (n + 1) & ~1,
    width = m.real ? ld : 2 * n;
  return (shift, decay, rho, terms, v) => {
    const to = kernels.arena.f64(a, n * width);
    if (m.a.length === to.length) to.set(m.a);
    else {
      to.fill(0);
      for (let i = 0; i < n; i++) to.set(m.a.subarray(i * n, (i + 1) * n), i * width);
    }
    kernels.rescale(n, width, m.real ? 0 : 1, 2 / rho, shift, decay, a);
    if (m.real) kernels.vectorsReal(n, a, ld, terms, v);
    else kernels.vectorsComplex(n, a, terms, v, work);
  };
}
