import { fail } from "../core/errors.js";
import { besselJ1, struveH1 } from "../numerics/special-bessel.js";
import { blochEigen } from "./propagate-dense.js";
import type { StructureMatrix } from "./structure-matrix.js";

/**
 * Characteristic function ⟨exp(ixτ)⟩ of τ = t/t_max, as (re, im): plate e^{ix}; wedge (e^{ix} − 1)/ix; cylinder
 * 1 − (π/2)H₁(x) + i(π/2)J₁(x); sphere 2[e^{ix}(1 − ix) − 1]/x².
 */
export function characteristic(kind: "plate" | "wedge" | "cylinder" | "sphere", x: number): readonly [number, number] {
  const c = Math.cos(x),
    s = Math.sin(x),
    small = Math.abs(x) < 0.05;
  if (kind === "plate") return [c, s];
  if (kind === "wedge") {
    const half = Math.sin(x / 2);
    return x === 0 ? [1, 0] : [s / x, (2 * half * half) / x];
  }
  if (kind === "cylinder") {
    const y = Math.abs(x);
    return [1 - (Math.PI / 2) * struveH1(y), Math.sign(x) * (Math.PI / 2) * besselJ1(y)];
  }
  // 2 Σ (ix)^k/(k!(k + 2)) where the closed form cancels
  if (small) {
    const x2 = x * x;
    return [1 - x2 / 4 + x2 ** 2 / 72 - x2 ** 3 / 2880, (2 * x) / 3 - (x * x2) / 15 + (x * x2 ** 2) / 420 - (x * x2 ** 3) / 22680];
  }
  return [(2 * (c + x * s - 1)) / (x * x), (2 * (s - x * c)) / (x * x)];
}

/**
 * ⟨I_g⟩ over a thickness distribution in closed form from the eigenvectors, shape [beams]:
 * M_g² Σ_jk C_gj α_j (C_gk α_k)* Φ(π t_max (λ_j − λ_k)/K_n). Exact, without nodes; n² products for each beam.
 * @throws bad-value with absorption, out-of-range
 */
export function closedFormAverage(m: StructureMatrix, kind: "plate" | "wedge" | "cylinder" | "sphere", tMax: number): Float64Array {
  if (m.absorbing) fail("bad-value", { absorbing: true }, "the closed form needs real eigenvalues: use thicknessNodes with absorption");
  if (!(tMax > 0 && Number.isFinite(tMax))) fail("out-of-range", { thickness: tMax }, "the thickness is a positive number, in Å");
  const n = m.size,
    { values, vectors, excitation } = blochEigen(m);
  const phi = new Float64Array(2 * n * n);
  for (let j = 0; j < n; j++)
    for (let k = 0; k < n; k++) {
      const [re, im] = characteristic(kind, (Math.PI * tMax * (values[2 * j]! - values[2 * k]!)) / m.kn);
      phi[2 * (j * n + k)] = re;
      phi[2 * (j * n + k) + 1] = im;
    }
  const out = new Float64Array(n),
    b = new Float64Array(2 * n);
  for (let g = 0; g < n; g++) {
    for (let j = 0; j < n; j++) {
      const at = 2 * (g * n + j),
        re = vectors.data[at]!,
        im = vectors.data[at + 1]!,
        c = excitation[2 * j]!,
        d = excitation[2 * j + 1]!;
      b[2 * j] = re * c - im * d;
      b[2 * j + 1] = re * d + im * c;
    }
    let sum = 0;
    for (let j = 0; j < n; j++) {
      let re = 0,
        im = 0;
      for (let k = 0; k < n; k++) {
        const at = 2 * (j * n + k);
        re += phi[at]! * b[2 * k]! + phi[at + 1]! * b[2 * k + 1]!;
        im += phi[at + 1]! * b[2 * k]! - phi[at]! * b[2 * k + 1]!;
      }
      sum += b[2 * j]! * re - b[2 * j + 1]! * im;
    }
    out[g] = sum / m.surface[g]!;
  }
  return out;
}
