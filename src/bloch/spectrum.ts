import { potentialLayout } from "./potential.js";
import type { StructureMatrix } from "./structure-matrix.js";

/** How far the spectrum may reach beyond the smallest and the largest diagonal entry, Å⁻². */
export interface SpectralMargins {
  readonly below: number;
  readonly above: number;
}

/** Rows examined at each end of the spectrum. */
const ROWS = 8;

/**
 * Margins by perturbation: row i moves its level by Σ_j |A_ij|²/|d_i − d_j| towards the outside, or by |A_ij| where the levels are closer
 * than that. For windows of excitation errors much wider than the coupling this is a few per cent of the width, where Gershgorin's bound is
 * a half; it is no bound, so the norm of the result is checked. `safe` sums |A_ij| over every row instead: Gershgorin, always valid.
 */
export function spectralMargins(
  m: Pick<StructureMatrix, "size" | "hkl" | "twoKs" | "surface" | "potential">,
  safe = false,
): SpectralMargins {
  const n = m.size,
    { table, real, span } = m.potential;
  const { sh, sk, centre } = potentialLayout(span);
  const d = m.twoKs.map((x, i) => x / m.surface[i]!);
  const key = Int32Array.from({ length: n }, (_, i) => m.hkl[3 * i]! * sh + m.hkl[3 * i + 1]! * sk + m.hkl[3 * i + 2]!);
  const q = m.surface.map((x) => 1 / Math.sqrt(x));
  const sorted = d.slice().sort();
  const lo = sorted[0]!,
    hi = sorted[n - 1]!;
  const low = sorted[Math.min(ROWS, n) - 1]!,
    high = sorted[Math.max(0, n - ROWS)]!;
  const modulus = (i: number, j: number): number => {
    const at = centre + key[i]! - key[j]!;
    return q[i]! * q[j]! * (real ? Math.abs(table[at]!) : Math.sqrt(table[2 * at]! ** 2 + table[2 * at + 1]! ** 2));
  };
  let above = 0,
    below = 0;
  for (let i = 0; i < n; i++) {
    if (!safe && d[i]! > low && d[i]! < high) continue;
    let up = 0,
      down = 0;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const v = modulus(i, j),
        gap = d[i]! - d[j]!;
      const shift = safe ? v : Math.min(v, (v * v) / Math.max(Math.abs(gap), 1e-300));
      if (safe || gap >= -v) up += shift;
      if (safe || gap <= v) down += shift;
    }
    above = Math.max(above, d[i]! + up - hi);
    below = Math.max(below, lo - d[i]! + down);
  }
  const slack = 0.01 * (hi - lo) + 1e-6;
  return { below: below + slack, above: above + slack };
}

/**
 * About half of the largest eigenvalue of the anti-Hermitian part of A (the row of the direct beam summed), Å⁻². With absorption the
 * polynomials are taken about this imaginary centre, so that neither they nor the factor that is taken out grows; about a real centre
 * a thick, strongly absorbing crystal loses digits as exp(τ‖A'‖).
 */
export function absorptionCentre({ potential: p, hkl }: Pick<StructureMatrix, "potential" | "hkl">): number {
  if (!p.absorbing) return 0;
  const { sh, sk, centre, size } = potentialLayout(p.span);
  let sum = p.w0[1];
  for (let i = 3; i < hkl.length; i += 3) {
    const at = centre + hkl[i]! * sh + hkl[i + 1]! * sk + hkl[i + 2]!,
      back = size - 1 - at;
    sum += Math.hypot(p.table[2 * at]! - p.table[2 * back]!, p.table[2 * at + 1]! + p.table[2 * back + 1]!) / 2;
  }
  return sum / 2;
}

/** Terms of the Chebyshev sum for half-width rho and longest time, with room for the table of Bessel functions. */
export const chebyshevCapacity = (x: number): number => Math.ceil(x + 16 * Math.cbrt(x) + 48);
