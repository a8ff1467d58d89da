import type { DenseKernels } from "../kernels/dense.js";
import { besselRow } from "../kernels/js/bloch-bessel.js";
import { eigen } from "../numerics/eigen-general.js";
import { applyTridiagonalBasis, hermitianEigen, tridiagonalForm } from "../numerics/eigen-hermitian.js";
import { symmetricEigen } from "../numerics/eigen-symmetric.js";
import { expm } from "../numerics/expm.js";
import { complexSolve } from "../numerics/lu-complex.js";
import { type ComplexMatrix, complexMatrix, complexMultiply, matrix, toComplex } from "../numerics/matrix.js";
import type { StructureMatrix } from "./structure-matrix.js";

/** A as a complex matrix. */
export function complexOf(m: StructureMatrix): ComplexMatrix {
  return m.real ? toComplex(matrix(m.size, m.size, m.a)) : complexMatrix(m.size, m.size, m.a);
}

/** Eigenvalues (interleaved), eigenvectors in columns, and the excitations α = C⁻¹e₀ (interleaved). */
export interface BlochEigen {
  readonly values: Float64Array;
  readonly vectors: ComplexMatrix;
  readonly excitation: Float64Array;
}

/** A = C Λ C⁻¹: Hermitian, real symmetric or, with absorption, general. */
export function blochEigen(m: StructureMatrix, kernels?: DenseKernels): BlochEigen {
  const n = m.size;
  if (m.absorbing) {
    const { values, vectors } = eigen(complexOf(m), { kernels });
    const e0 = complexMatrix(n, 1);
    e0.data[0] = 1;
    return { values, vectors, excitation: complexSolve(vectors, e0, { kernels }).data };
  }
  const real = m.real ? symmetricEigen(matrix(n, n, m.a), { kernels }) : undefined;
  const { values, vectors } = real ? { values: real.values, vectors: toComplex(real.vectors) } : hermitianEigen(complexOf(m), { kernels });
  const pairs = new Float64Array(2 * n),
    excitation = new Float64Array(2 * n);
  for (let j = 0; j < n; j++) {
    pairs[2 * j] = values[j]!;
    excitation[2 * j] = vectors.data[2 * j]!;
    excitation[2 * j + 1] = -vectors.data[2 * j + 1]!;
  }
  return { values: pairs, vectors, excitation };
}

/** Σ_j C_gj α_j exp(iτλ_j) for each τ, shape [count, n, 2]. */
export function eigenColumns(m: StructureMatrix, tau: Float64Array, kernels?: DenseKernels): Float64Array {
  const n = m.size,
    { values, vectors, excitation } = blochEigen(m, kernels);
  const x = complexMatrix(n, tau.length);
  for (let j = 0; j < n; j++)
    for (let t = 0; t < tau.length; t++) {
      const decay = Math.exp(-tau[t]! * values[2 * j + 1]!),
        angle = tau[t]! * values[2 * j]!;
      const c = decay * Math.cos(angle),
        s = decay * Math.sin(angle);
      const at = 2 * (j * tau.length + t);
      x.data[at] = excitation[2 * j]! * c - excitation[2 * j + 1]! * s;
      x.data[at + 1] = excitation[2 * j]! * s + excitation[2 * j + 1]! * c;
    }
  return transposed(complexMultiply(vectors, x, { kernels }));
}

/** exp(iτA) e₀ by the matrix exponential, one for each τ: the check of the others. */
export function expmColumns(m: StructureMatrix, tau: Float64Array, kernels?: DenseKernels): Float64Array {
  const n = m.size,
    a = complexOf(m);
  const out = new Float64Array(2 * n * tau.length);
  tau.forEach((f, t) => {
    const x = complexMatrix(n, n);
    for (let i = 0; i < a.data.length; i += 2) {
      x.data[i] = -f * a.data[i + 1]!;
      x.data[i + 1] = f * a.data[i]!;
    }
    const s = expm(x, { kernels });
    for (let i = 0; i < n; i++) {
      out[2 * (t * n + i)] = s.data[2 * i * n]!;
      out[2 * (t * n + i) + 1] = s.data[2 * i * n + 1]!;
    }
  });
  return out;
}

/**
 * A = Q T Qᴴ with Qe₀ = e₀, then exp(iτT)e₀ by Chebyshev polynomials of the tridiagonal T (3n operations a term): exact for every
 * thickness at the cost of one reduction. Hermitian matrices only.
 */
export function tridiagonalColumns(m: StructureMatrix, tau: Float64Array, kernels?: DenseKernels): Float64Array {
  const n = m.size,
    form = tridiagonalForm(complexOf(m), { kernels }),
    { diagonal: d, offDiagonal: e } = form;
  let lo = Number.POSITIVE_INFINITY,
    hi = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const r = Math.abs(e[i - 1] ?? 0) + Math.abs(e[i] ?? 0);
    lo = Math.min(lo, d[i]! - r);
    hi = Math.max(hi, d[i]! + r);
  }
  const half = Math.max((hi - lo) / 2, 1e-9),
    mid = (hi + lo) / 2;
  const most = half * tau.reduce((p, x) => Math.max(p, x), 0),
    capacity = Math.ceil(most + 16 * Math.cbrt(most) + 48);
  const J = new Float64Array(capacity * tau.length);
  let terms = 1;
  tau.forEach((x, t) => {
    terms = Math.max(terms, besselRow(half * x, capacity, J, t * capacity));
  });
  const z = complexMatrix(n, tau.length);
  let v = new Float64Array(n),
    before = new Float64Array(n);
  v[0] = 1;
  for (let k = 0; k < terms; k++) {
    for (let t = 0; t < tau.length; t++) {
      const c = J[t * capacity + k]! * (k === 0 ? 1 : 2) * (k & 2 ? -1 : 1);
      if (Math.abs(c) < 1e-17) continue;
      for (let i = 0, at = 2 * t + (k & 1); i < n; i++, at += 2 * tau.length) z.data[at]! += c * v[i]!;
    }
    const next = before,
      f = k === 0 ? 1 / half : 2 / half;
    for (let i = 0; i < n; i++) {
      let s = (d[i]! - mid) * v[i]!;
      if (i > 0) s += e[i - 1]! * v[i - 1]!;
      if (i < n - 1) s += e[i]! * v[i + 1]!;
      next[i] = f * s - (k === 0 ? 0 : before[i]!);
    }
    before = v;
    v = next;
  }
  for (let t = 0; t < tau.length; t++) {
    const c = Math.cos(tau[t]! * mid),
      s = Math.sin(tau[t]! * mid);
    for (let i = 0; i < n; i++) {
      const at = 2 * (i * tau.length + t),
        re = z.data[at]!,
        im = z.data[at + 1]!;
      z.data[at] = re * c - im * s;
      z.data[at + 1] = re * s + im * c;
    }
  }
  return transposed(applyTridiagonalBasis(form, z, { kernels }));
}

function transposed({ rows, cols, data }: ComplexMatrix): Float64Array {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      out[2 * (j * rows + i)] = data[2 * (i * cols + j)]!;
      out[2 * (j * rows + i) + 1] = data[2 * (i * cols + j) + 1]!;
    }
  return out;
}
