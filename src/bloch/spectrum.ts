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
 * The entries are those of `a`, or those of the potential where the matrix is not made yet.
 */
export function spectralMargins(
  m: Pick<StructureMatrix, "size" | "hkl" | "twoKs" | "surface" | "potential"> & { readonly a?: Float64Array | undefined },
  safe = false,
): SpectralMargins {
  const n = m.size,
    { table, real, span } = m.potential,
    { sh, sk, centre } = potentialLayout(span);
  const d = new Float64Array(n),
    share = new Float64Array(n),
    key = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    share[i] = 1 / m.surface[i]!;
    d[i] = m.twoKs[i]! * share[i]!;
    key[i] = m.hkl[3 * i]! * sh + m.hkl[3 * i + 1]! * sk + m.hkl[3 * i + 2]!;
  }
  const entries = m.a ?? table;
  const sorted = d.slice().sort();
  const lo = sorted[0]!,
    hi = sorted[n - 1]!;
  const low = sorted[Math.min(ROWS, n) - 1]!,
    high = sorted[Math.max(0, n - ROWS)]!;
  let above = 0,
    below = 0;
  for (let i = 0; i < n; i++) {
    const here = d[i]!;
    if (!safe && here > low && here < high) continue;
    let up = 0,
      down = 0;
    for (let j = 0; j < n; j++) {
      if (j === i) continue;
      const at = m.a ? i * n + j : centre + key[i]! - key[j]!,
        gap = here - d[j]!;
      const square = real ? entries[at]! ** 2 : entries[2 * at]! ** 2 + entries[2 * at + 1]! ** 2;
      const w2 = m.a ? square : share[i]! * share[j]! * square;
      if (safe || gap * gap <= w2) {
        const w = Math.sqrt(w2);
        up += w;
        down += w;
      } else if (gap > 0) up += w2 / gap;
      else down -= w2 / gap;
    }
    above = Math.max(above, here + up - hi);
    below = Math.max(below, lo - here + down);
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
