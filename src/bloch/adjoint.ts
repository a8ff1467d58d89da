import { fail } from "../core/errors.js";
import { type BlochKernels, blochKernels } from "../kernels/bloch.js";
import { denseKernels } from "../kernels/dense.js";
import type { DifferenceIndex } from "./differences.js";
import { potentialLayout } from "./potential.js";
import { placeMatrix } from "./propagate-chebyshev.js";
import { absorptionCentre, chebyshevCapacity, spectralMargins } from "./spectrum.js";
import type { StructureMatrix } from "./structure-matrix.js";
import type { ThicknessNodes } from "./thickness.js";

/** Derivatives of a weighted sum of intensities, Σ_g c_g ⟨I_g⟩, in the space of the matrix. */
export interface MatrixGradient {
  /** dL = Re Σ_k conj(u_k) dW_k over the coefficients of the index, interleaved; the entry of 0 0 0 multiplies iU'₀. */
  readonly u: Float64Array;
  /** dL/d(2Ks_g), shape [beams]: what a change of the incident direction does, apart from the surface. */
  readonly twoKs: Float64Array;
  /** dL/dK_n, the 2Ks_g held fixed: through the depth π t/K_n and through 1 + g_n/K_n. */
  readonly kn: number;
}

/** Where the gradient of each pair of beams goes, in the interleaved array over the index, shape [n, n]. @throws bad-value */
function pairTargets(m: StructureMatrix, index: DifferenceIndex): Int32Array {
  const n = m.size,
    { sh, sk, centre } = potentialLayout(m.potential.span),
    out = new Int32Array(n * n);
  const key = Int32Array.from({ length: n }, (_, i) => m.hkl[3 * i]! * sh + m.hkl[3 * i + 1]! * sk + m.hkl[3 * i + 2]!);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const to = index.map[centre + key[i]! - key[j]!]!;
      if (to < 0) fail("bad-value", { beams: n }, "the index does not hold the differences of these beams: make it from their lists");
      out[i * n + j] = 2 * to;
    }
  return out;
}

/** One solved orientation, from which gradients are pulled back. Free it when done: it holds kernel memory. */
export interface AdjointSolution {
  /** ⟨I_g⟩ over the thickness nodes, shape [beams]. */
  readonly intensities: Float64Array;
  /** t·d⟨I_g⟩/dt with all nodes scaled alike, Å⁰, shape [beams]: divide by t_max for the derivative in t_max. */
  readonly byLogThickness: Float64Array;
  /** Gradient of Σ c_g ⟨I_g⟩: two forward solutions, for any number of parameters. @param into - added to, to sum over orientations */
  pull(c: Float64Array, into?: Float64Array): MatrixGradient;
  free(): void;
}

/**
 * Solve and keep what the adjoint needs. Chebyshev vectors v_{k+1} = 2X v_k − v_{k−1} forward; their adjoint y_k = r_k + 2Xᴴ y_{k+1} − y_{k+2}
 * backward with r_k = Σ_t conj(a_k(t)) ∂L/∂ψ(t); then dL/dX = Σ_k 2 y_{k+1} v_kᴴ. This is the exact derivative of the sum that is computed:
 * no eigenvectors, so nothing happens at degeneracies, and absorption is no exception.
 * @param index - coefficients to which gradients are summed
 * @throws out-of-range, bad-value
 */
export function adjointSolution(
  m: StructureMatrix,
  nodes: ThicknessNodes,
  index: DifferenceIndex,
  kernels: BlochKernels = blochKernels(),
): AdjointSolution {
  const n = m.size,
    { arena } = kernels,
    dense = denseKernels(arena, kernels.name),
    { real } = m,
    times = nodes.t.length;
  if (times === 0 || !nodes.t.every((t) => t >= 0 && Number.isFinite(t)))
    fail("out-of-range", { thickness: nodes.t[0] }, "thicknesses are positive numbers, in Å");
  const tau = nodes.t.map((t) => (Math.PI * t) / m.kn),
    longest = tau.reduce((p, x) => Math.max(p, x), 0);
  const d = m.twoKs.map((x, i) => x / m.surface[i]!);
  const lo = d.reduce((p, x) => Math.min(p, x), 1e300),
    hi = d.reduce((p, x) => Math.max(p, x), -1e300);
  const { below, above } = spectralMargins(m, true); // Gershgorin: always valid, no second try
  const shift = (lo - below + hi + above) / 2,
    rho = Math.max(1e-9, (hi + above - lo + below) / 2),
    f = 2 / rho;
  const decay = absorptionCentre(m),
    // the factor exp(−decay·τ) of the waves, taken into the weights of their squares
    weight = nodes.weights.map((w, t) => w * Math.exp(-2 * decay * tau[t]!));
  const ld = real ? (n + 1) & ~1 : n,
    width = real ? ld : 2 * n,
    capacity = chebyshevCapacity(rho * longest);
  const blocks: number[] = [];
  const alloc = (bytes: number): number => {
    const p = arena.alloc(bytes);
    blocks.push(p);
    return p;
  };
  const free = (): void => {
    for (const b of blocks.splice(0)) arena.free(b);
  };
  try {
    const pA = alloc(8 * n * width),
      pTau = alloc(8 * times),
      pJ = alloc(8 * times * capacity);
    arena.f64(pTau, times).set(tau);
    const terms = kernels.bessel(times, pTau, rho, capacity, pJ);
    if (terms < 0) fail("no-convergence", { rho, longest }, "the Bessel functions need more terms than planned; please report this case");
    const pV = alloc(8 * terms * width),
      pE = alloc(8 * times * width),
      pO = alloc(8 * times * width),
      pPsi = alloc(16 * times * n),
      pWork = alloc(kernels.gemmWork() + 32 * n + 64);
    placeMatrix(m, kernels, f, shift, decay, pA);
    if (real) kernels.vectorsReal(n, pA, ld, terms, pV);
    else kernels.vectorsComplex(n, pA, terms, pV, pWork);
    kernels.combine(times, terms, width, pJ, capacity, pV, pE, pO, pWork);
    kernels.waves(times, n, width, real ? 0 : 1, 0, pE, pO, pPsi);
    const psi = arena.f64(pPsi, 2 * times * n).slice();
    /** (2 − δ)(−1)^⌊k/2⌋ J_k: the coefficients without the factor i of the odd ones. */
    const coefficient = arena.f64(pJ, times * capacity).slice();
    const q2 = m.surface.map((s) => 1 / s);
    /** Σ_t w τ dI_g/dτ: the same sum with J'_k = (J_{k−1} − J_{k+1})/2, since dψ/dτ = iAψ and the phase of the shift drops out. */
    const logThickness = (): Float64Array => {
      const J = arena.f64(pJ, times * capacity);
      for (let t = 0; t < times; t++) {
        let before = 0; // J_{k−1}
        for (let k = 0, at = t * capacity; k < terms; k++, at++) {
          // undo the factors (2 − δ)(−1)^⌊k/2⌋ of the neighbours
          const here = (coefficient[at]! * (k & 2 ? -1 : 1)) / (k === 0 ? 1 : 2),
            after = k + 1 < terms ? (coefficient[at + 1]! * ((k + 1) & 2 ? -1 : 1)) / 2 : 0;
          J[at] = rho * (k === 0 ? -after : (before - after) / 2);
          before = here;
        }
      }
      kernels.combine(times, terms, width, pJ, capacity, pV, pE, pO, pWork);
      kernels.waves(times, n, width, real ? 0 : 1, 0, pE, pO, pPsi);
      const slope = arena.f64(pPsi, 2 * times * n),
        out = new Float64Array(n);
      for (let t = 0; t < times; t++) {
        const f = 2 * weight[t]! * tau[t]!;
        for (let i = 0, at = 2 * t * n; i < n; i++, at += 2)
          out[i]! += f * q2[i]! * (psi[at]! * (slope[at]! - decay * psi[at]!) + psi[at + 1]! * (slope[at + 1]! - decay * psi[at + 1]!));
      }
      return out;
    };
    /** The coefficients again, [terms, times], for the adjoint. */
    const pC = alloc(8 * terms * times),
      C = new Float64Array(terms * times);
    for (let k = 0; k < terms; k++) for (let t = 0; t < times; t++) C[k * times + t] = coefficient[t * capacity + k]!;
    const intensities = new Float64Array(n);
    for (let t = 0; t < times; t++)
      for (let i = 0; i < n; i++) intensities[i]! += weight[t]! * q2[i]! * (psi[2 * (t * n + i)]! ** 2 + psi[2 * (t * n + i) + 1]! ** 2);
    const target = pairTargets(m, index),
      q = q2.map(Math.sqrt);
    const byLogThickness = logThickness();

    /** r_k = Σ_t conj(a_k) p(t), p = dL/dψ = 2 c w q² ψ: even rows take p, odd rows −i p; real vectors need the real parts alone. */
    const seed = (c: Float64Array, pY: number, pP: number, pP2: number): void => {
      const some = Array.from(c.keys()).filter((i) => c[i] !== 0);
      const Y = arena.f64(pY, terms * width).fill(0);
      if (some.length <= 4) {
        for (const i of some)
          for (let k = 0; k < terms; k++) {
            let re = 0,
              im = 0;
            for (let t = 0, at = 2 * i; t < times; t++, at += 2 * n) {
              const s = C[k * times + t]! * weight[t]!;
              re += s * psi[at]!;
              im += s * psi[at + 1]!;
            }
            const s = 2 * c[i]! * q2[i]!;
            if (real) Y[k * width + i] = s * (k & 1 ? im : re);
            else {
              Y[k * width + 2 * i] = s * (k & 1 ? im : re);
              Y[k * width + 2 * i + 1] = s * (k & 1 ? -re : im);
            }
          }
        return;
      }
      const even = arena.f64(pP, times * width).fill(0),
        odd = real ? arena.f64(pP2, times * width).fill(0) : undefined;
      for (let t = 0; t < times; t++)
        for (let i = 0; i < n; i++) {
          const s = 2 * c[i]! * weight[t]! * q2[i]!,
            re = s * psi[2 * (t * n + i)]!,
            im = s * psi[2 * (t * n + i) + 1]!;
          if (odd) {
            even[t * width + i] = re;
            odd[t * width + i] = im;
          } else {
            even[t * width + 2 * i] = re;
            even[t * width + 2 * i + 1] = im;
          }
        }
      arena.f64(pC, terms * times).set(C);
      dense.dgemm((terms + 1) >> 1, width, times, 1, pC, 2 * times, 1, pP, width, 1, pY, 2 * width);
      dense.dgemm(terms >> 1, width, times, 1, pC + 8 * times, 2 * times, 1, pP2 || pP, width, 1, pY + 8 * width, 2 * width);
      if (real) return;
      for (let k = 1; k < terms; k += 2)
        for (let i = 0; i < 2 * n; i += 2) {
          const at = k * width + i,
            re = Y[at]!;
          Y[at] = Y[at + 1]!; // −i (re + i im) = im − i re
          Y[at + 1] = -re;
        }
    };
    const pull = (c: Float64Array, into = new Float64Array(2 * index.size)): MatrixGradient => {
      if (c.length !== n) fail("bad-shape", { length: c.length, beams: n }, "one factor for each beam");
      const local: number[] = [];
      const take = (bytes: number): number => {
        const p = arena.alloc(bytes);
        local.push(p);
        return p;
      };
      try {
        const pY = take(8 * terms * width),
          pG = take(8 * n * width),
          pP = take(8 * times * width),
          pP2 = real ? take(8 * times * width) : 0;
        seed(c, pY, pP, pP2);
        if (real) kernels.reverseReal(n, pA, ld, terms, pY, pWork);
        else kernels.reverseComplex(n, pA, m.absorbing ? 0 : 1, terms, pY, pWork);
        // G = y₁ v₀ᴴ + 2 Σ_{k≥1} y_{k+1} v_kᴴ: v₀ = e₀ is halved for one product with a factor 2.
        const v0 = arena.f64(pV, 1);
        v0[0] = 0.5;
        arena.f64(pG, n * width).fill(0);
        if (terms > 1) {
          if (real) dense.dgemm(n, n, terms - 1, 1, pY + 8 * width, 1, width, pV, width, 1, pG, ld);
          else dense.zgemm(n, n, terms - 1, 1, pY + 8 * width, 1, n, false, pV, n, 1, true, pG, n);
        }
        arena.f64(pV, 1)[0] = 1;
        // dX = dA/rho: G_A = 2 G/rho = f G
        const G = arena.f64(pG, n * width);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            if (i === j) continue;
            const to = target[i * n + j]!,
              w = f * q[i]! * q[j]!;
            if (real) into[to]! += w * G[i * ld + j]!;
            else {
              into[to]! += w * G[2 * (i * n + j)]!;
              into[to + 1]! += w * G[2 * (i * n + j) + 1]!;
            }
          }
        const twoKs = new Float64Array(n);
        let surface = 0;
        for (let i = 0; i < n; i++) {
          const at = real ? i * ld + i : 2 * (i * n + i);
          twoKs[i] = f * G[at]! * q2[i]!;
          // dL = Re(conj(G) i dU'₀): the imaginary part
          if (!real) {
            into[2 * index.zero]! += f * G[at]! * q2[i]!;
            into[2 * index.zero + 1]! += f * G[at + 1]! * q2[i]!;
          }
          // d ln(1 + g_n/K_n)/dK_n = −(1 − 1/S)/K_n enters A_ij by −½ for each of its two beams
          const si = (1 - q2[i]!) / m.kn;
          for (let j = 0; j < n; j++) {
            const sj = (1 - q2[j]!) / m.kn,
              p = i * n + j;
            const product = real ? G[i * ld + j]! * m.a[p]! : G[2 * p]! * m.a[2 * p]! + G[2 * p + 1]! * m.a[2 * p + 1]!;
            surface += 0.5 * f * product * (si + sj);
          }
          surface += c[i]! * intensities[i]! * si;
          surface -= (c[i]! * byLogThickness[i]!) / m.kn;
        }
        return { u: into, twoKs, kn: surface };
      } finally {
        for (const b of local) arena.free(b);
      }
    };
    return { intensities, byLogThickness, pull, free };
  } catch (e) {
    free();
    throw e;
  }
}
