import { fail } from "../core/errors.js";
import { type BlochKernels, blochKernels } from "../kernels/bloch.js";
import { denseKernels } from "../kernels/dense.js";
import { blocks } from "../numerics/matrix-scope.js";
import { chebyshevSeries, denseWriter } from "./chebyshev-series.js";
import type { DifferenceIndex } from "./differences.js";
import { potentialLayout } from "./potential.js";
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
  /** dL/d ln t with all nodes scaled alike: what scaling A does. Divide by t_max for the derivative in t_max. */
  readonly logThickness: number;
}

/** Where the gradient of each pair of beams goes, in the interleaved array over the index, shape [n, n]. @throws bad-value */
function pairTargets(m: StructureMatrix, { map }: DifferenceIndex, out: Int32Array): void {
  const n = m.size,
    { sh, sk, centre } = potentialLayout(m.potential.span);
  const key = Int32Array.from({ length: n }, (_, i) => m.hkl[3 * i]! * sh + m.hkl[3 * i + 1]! * sk + m.hkl[3 * i + 2]!);
  for (let i = 0, at = 0; i < n; i++) {
    const from = centre + key[i]!;
    for (let j = 0; j < n; j++) {
      const to = map[from - key[j]!]!;
      if (to < 0) fail("bad-value", { beams: n }, "the index does not hold the differences of these beams: make it from their lists");
      out[at++] = 2 * to;
    }
  }
}

/** One solved orientation, from which gradients are pulled back. Free it when done: it holds kernel memory. */
export interface AdjointSolution {
  /** ⟨I_g⟩ over the thickness nodes, shape [beams]. */
  readonly intensities: Float64Array;
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
    ld = real ? (n + 1) & ~1 : n,
    width = real ? ld : 2 * n;
  const { alloc, free } = blocks(arena);
  try {
    const pA = alloc(8 * n * width),
      pWork = alloc(kernels.gemmWork() + 32 * n + 64);
    const {
      terms,
      f,
      decay,
      j: pJ,
      capacity,
      v: pV,
      psi: pPsi,
    } = chebyshevSeries(m, tau, kernels, alloc, denseWriter(m, kernels, pA, pWork), {
      pairs: !real,
      phases: false,
      vectors: true,
    });
    // the factor exp(−decay·τ) of the waves, taken into the weights of their squares
    const weight = nodes.weights.map((w, t) => w * Math.exp(-2 * decay * tau[t]!));
    const psi = arena.f64(pPsi, 2 * times * n).slice();
    /** (2 − δ)(−1)^⌊k/2⌋ J_k: the coefficients without the factor i of the odd ones. */
    const coefficient = arena.f64(pJ, times * capacity).slice();
    const q2 = m.surface.map((s) => 1 / s);
    const intensities = new Float64Array(n);
    for (let t = 0; t < times; t++)
      for (let i = 0; i < n; i++) intensities[i]! += weight[t]! * q2[i]! * (psi[2 * (t * n + i)]! ** 2 + psi[2 * (t * n + i) + 1]! ** 2);
    // d ln(1 + g_n/K_n)/dK_n = −(1 − 1/S)/K_n enters A_ij by −½ for each of its two beams
    const slope = q2.map((x) => (1 - x) / m.kn);
    const pTarget = alloc(4 * n * n),
      pBeams = alloc(16 * n);
    pairTargets(m, index, arena.i32(pTarget, n * n));
    arena.f64(pBeams, n).set(q2.map(Math.sqrt));
    arena.f64(pBeams + 8 * n, n).set(slope);

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
              const s = coefficient[t * capacity + k]! * weight[t]!;
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
        odd = arena.f64(pP2, times * width).fill(0);
      const factor = c.map((x, i) => 2 * x * q2[i]!);
      for (let t = 0, from = 0; t < times; t++)
        for (let i = 0, to = t * width; i < n; i++, from += 2) {
          const s = factor[i]! * weight[t]!,
            re = s * psi[from]!,
            im = s * psi[from + 1]!;
          even[to] = re;
          odd[to++] = im;
          if (real) continue;
          even[to] = im;
          odd[to++] = -re;
        }
      dense.dgemm((terms + 1) >> 1, width, times, 1, pJ, 2, capacity, pP, width, 1, pY, 2 * width);
      dense.dgemm(terms >> 1, width, times, 1, pJ + 8, 2, capacity, pP2, width, 1, pY + 8 * width, 2 * width);
    };
    const pull = (c: Float64Array, into = new Float64Array(2 * index.size)): MatrixGradient => {
      if (c.length !== n) fail("bad-shape", { length: c.length, beams: n }, "one factor for each beam");
      const { alloc: take, free: drop } = blocks(arena);
      try {
        const pY = take(8 * terms * width),
          pG = take(8 * n * width),
          pP = take(8 * times * width),
          pP2 = take(8 * times * width);
        seed(c, pY, pP, pP2);
        kernels.reverse(n, ld, real ? 0 : 1, m.absorbing ? 0 : 1, terms, pA, pY, pWork);
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
        const pU = take(16 * index.size + 16),
          pSums = pU + 16 * index.size;
        arena.f64(pU, 2 * index.size).fill(0);
        kernels.collect(n, ld, real ? 0 : 1, pG, pA, pBeams, pBeams + 8 * n, pTarget, f, pU, pSums);
        const u = arena.f64(pU, 2 * index.size),
          [total, sloped] = arena.f64(pSums, 2) as unknown as [number, number],
          G = arena.f64(pG, n * width);
        for (let k = 0; k < u.length; k++) into[k]! += u[k]!;
        const twoKs = new Float64Array(n);
        let logThickness = total,
          kn = sloped / 2;
        for (let i = 0; i < n; i++) {
          const at = real ? i * ld + i : 2 * (i * n + i),
            p = real ? i * n + i : at;
          twoKs[i] = f * G[at]! * q2[i]!;
          let byScale = f * G[at]! * m.a[p]!;
          if (!real) {
            // dL = Re(conj(G) i dU'₀): the imaginary part
            into[2 * index.zero]! += twoKs[i]!;
            into[2 * index.zero + 1]! += f * G[at + 1]! * q2[i]!;
            byScale += f * G[at + 1]! * m.a[p + 1]!;
          }
          logThickness += byScale;
          kn += (byScale + c[i]! * intensities[i]!) * slope[i]!;
        }
        return { u: into, twoKs, kn: kn - logThickness / m.kn, logThickness };
      } finally {
        drop();
      }
    };
    return { intensities, pull, free };
  } catch (e) {
    free();
    throw e;
  }
}
