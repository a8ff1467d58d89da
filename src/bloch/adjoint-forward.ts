import { fail } from "../core/errors.js";
import type { BlochKernels } from "../kernels/bloch.js";
import { placeMatrix } from "./propagate-chebyshev.js";
import { absorptionCentre, chebyshevCapacity, spectralMargins } from "./spectrum.js";
import type { StructureMatrix } from "./structure-matrix.js";
import type { ThicknessNodes } from "./thickness.js";

/** Growth of |v_k|² that rounding may cause; with more the spectrum was taken too narrow, and the vectors grow exponentially. */
const GROWTH = 1e-9;

/** The forward half of an adjoint solution, in kernel memory: 2X = f·(A − shift − i·decay), v_k = T_k(X)e₀ and ψ of the nodes. */
export interface AdjointForward {
  /** Numbers in a row of a real matrix, and in a row of vectors. */
  readonly ld: number;
  readonly width: number;
  readonly terms: number;
  readonly capacity: number;
  readonly f: number;
  readonly decay: number;
  /** π t/K_n of the nodes. */
  readonly tau: Float64Array;
  readonly a: number;
  readonly v: number;
  /** Coefficients (2 − δ)(−1)^⌊k/2⌋ J_k, rows of `capacity`. */
  readonly j: number;
  readonly psi: number;
  readonly work: number;
}

/**
 * Bounds of the spectrum are those of the propagation, checked by what grows: by Σ|ψ|² and by the vectors themselves (what a level outside does to them is
 * largest at the last one); with absorption Gershgorin's.
 * @param alloc - kernel memory that the caller frees
 * @throws out-of-range, no-convergence
 */
export function adjointForward(
  m: StructureMatrix,
  nodes: ThicknessNodes,
  kernels: BlochKernels,
  alloc: (bytes: number) => number,
): AdjointForward {
  const n = m.size,
    { arena } = kernels,
    { real } = m,
    times = nodes.t.length;
  if (times === 0 || !nodes.t.every((t) => t >= 0 && Number.isFinite(t)))
    fail("out-of-range", { thickness: nodes.t[0] }, "thicknesses are positive numbers, in Å");
  const tau = nodes.t.map((t) => (Math.PI * t) / m.kn),
    longest = tau.reduce((p, x) => Math.max(p, x), 0);
  const d = m.twoKs.map((x, i) => x / m.surface[i]!);
  const lo = d.reduce((p, x) => Math.min(p, x), Number.POSITIVE_INFINITY),
    hi = d.reduce((p, x) => Math.max(p, x), Number.NEGATIVE_INFINITY);
  const decay = absorptionCentre(m),
    ld = real ? (n + 1) & ~1 : n,
    width = real ? ld : 2 * n;
  const a = alloc(8 * n * width),
    pTau = alloc(8 * times),
    even = alloc(8 * times * width),
    odd = alloc(8 * times * width),
    psi = alloc(16 * times * n),
    work = alloc(kernels.gemmWork() + 32 * n + 64);
  arena.f64(pTau, times).set(tau);
  let { below, above } = spectralMargins(m, m.absorbing);
  for (let attempt = 0; attempt < 8; attempt++) {
    const shift = (lo - below + hi + above) / 2,
      rho = Math.max(1e-9, (hi + above - lo + below) / 2),
      f = 2 / rho,
      capacity = chebyshevCapacity(rho * longest);
    const j = alloc(8 * times * capacity),
      terms = kernels.bessel(times, pTau, rho, capacity, j);
    if (terms < 0) fail("no-convergence", { rho, longest }, "the Bessel functions need more terms than planned; please report this case");
    const v = alloc(8 * terms * width);
    placeMatrix(m, kernels, f, shift, decay, a);
    if (real) kernels.vectorsReal(n, a, ld, terms, v);
    else kernels.vectorsComplex(n, a, terms, v, work);
    kernels.combine(times, terms, width, j, capacity, v, even, odd, work);
    kernels.waves(times, n, width, real ? 0 : 1, 0, even, odd, psi);
    if (m.absorbing || (squares(arena.f64(v, terms * width), width) <= 1 + GROWTH && fluxError(arena.f64(psi, 2 * times * n), n) <= 1e-12))
      return { ld, width, terms, capacity, f, decay, tau, a, v, j, psi, work };
    below = 1.5 * below + 0.02 * (hi - lo) + 1e-6;
    above = 1.5 * above + 0.02 * (hi - lo) + 1e-6;
  }
  return fail("no-convergence", { beams: n, longest }, "the spectrum of the Bloch matrix could not be bounded: is the potential finite?");
}

/** Largest square of a row of vectors; NaN where one is not finite. */
function squares(v: Float64Array, width: number): number {
  let most = 0;
  for (let from = 0; from < v.length; from += width) {
    let sum = 0;
    for (let i = from; i < from + width; i++) sum += v[i]! * v[i]!;
    if (!(sum <= most)) most = sum;
  }
  return most;
}

/** Largest |Σ|ψ|² − 1| of the thicknesses. */
function fluxError(psi: Float64Array, n: number): number {
  let most = 0;
  for (let from = 0; from < psi.length; from += 2 * n) {
    let sum = -1;
    for (let i = from; i < from + 2 * n; i++) sum += psi[i]! * psi[i]!;
    if (!(Math.abs(sum) <= most)) most = Math.abs(sum);
  }
  return most;
}
