import type { StructureMatrix } from "./structure-matrix.js";

export type SolverName = "chebyshev" | "structured" | "tridiagonal" | "eigen" | "expm";

/** Wave functions at the exit surface for a list of thicknesses. */
export interface BlochWaves {
  readonly matrix: StructureMatrix;
  /** Å along the normal, shape [count]. */
  readonly thicknesses: Float64Array;
  /** ψ_g(t), interleaved, shape [count, beams, 2], phases about the structure's own origin. */
  readonly amplitudes: Float64Array;
  readonly solver: SolverName;
}

/** I_g(t) = |ψ_g|², shape [count, beams]. */
export function blochIntensities({ amplitudes }: BlochWaves): Float64Array {
  const out = new Float64Array(amplitudes.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = amplitudes[2 * i]! ** 2 + amplitudes[2 * i + 1]! ** 2;
  return out;
}

/** Σ_g I_g (1 + g_n/K_n) at each thickness: 1 without absorption. */
export function blochFlux(w: BlochWaves): Float64Array {
  const n = w.matrix.size,
    { surface } = w.matrix,
    intensity = blochIntensities(w);
  return Float64Array.from(w.thicknesses, (_, t) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += intensity[t * n + i]! * surface[i]!;
    return sum;
  });
}

/**
 * From B = M⁻¹ψ to ψ, and from the origin of the potential to that of the structure: ψ_g = q_g B_g exp(−2πi g·origin), in place.
 */
export function finishWaves(m: StructureMatrix, amplitudes: Float64Array, count: number): void {
  const n = m.size,
    { origin } = m.potential;
  const cr = new Float64Array(n),
    ci = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const p = m.hkl[3 * i]! * origin[0] + m.hkl[3 * i + 1]! * origin[1] + m.hkl[3 * i + 2]! * origin[2];
    const q = 1 / Math.sqrt(m.surface[i]!) / (1 / Math.sqrt(m.surface[0]!));
    cr[i] = q * Math.cos(2 * Math.PI * (p - Math.round(p)));
    ci[i] = -q * Math.sin(2 * Math.PI * (p - Math.round(p)));
  }
  for (let t = 0, at = 0; t < count; t++)
    for (let i = 0; i < n; i++, at += 2) {
      const re = amplitudes[at]!,
        im = amplitudes[at + 1]!;
      amplitudes[at] = re * cr[i]! - im * ci[i]!;
      amplitudes[at + 1] = re * ci[i]! + im * cr[i]!;
    }
}
