import { fail } from "../core/errors.js";
import { twoKs } from "./beams.js";
import type { Incidence } from "./incidence.js";
import { type CrystalPotential, potentialLayout } from "./potential.js";

/**
 * Add the second-order effect of weak beams to the matrix of strong ones, in place (before the excitation errors are put in):
 * U_gh += −Σ_w U_{g−w} U_{w−h}/(2Ks_w), the diagonal included. The factors 1 + w_n/K_n of the weak beams cancel.
 * @param q - (1 + g_n/K_n)^(−1/2) of the strong beams
 * @param a - [n, n], real or interleaved like the potential
 * @throws bad-value when a weak beam is at its Bragg position, where the perturbation has no sense
 * @see Bethe (1928) Ann. Phys. 392, 55; Zuo & Weickenmeier (1995) Ultramicroscopy 57, 375
 */
export function betheCorrection(
  p: CrystalPotential,
  strong: Int32Array,
  weak: Int32Array,
  inc: Incidence,
  q: Float64Array,
  a: Float64Array,
): void {
  const n = strong.length / 3,
    m = weak.length / 3,
    { table, real, span } = p;
  const { sh, sk, centre, size } = potentialLayout(span);
  const s = twoKs(p.cell, weak, inc);
  const column = new Float64Array(real ? n : 4 * n);
  for (let w = 0; w < m; w++) {
    if (!(Math.abs(s[w]!) > 1e-9))
      fail(
        "bad-value",
        { hkl: Array.from(weak.subarray(3 * w, 3 * w + 3)) },
        "a beam at its Bragg position cannot be eliminated: keep it among the strong ones",
      );
    const f = -1 / s[w]!;
    for (let i = 0; i < n; i++) {
      const d = [0, 1, 2].map((x) => strong[3 * i + x]! - weak[3 * w + x]!) as [number, number, number];
      const inside = d.every((x, axis) => Math.abs(x) <= span[axis]!);
      const at = centre + d[0] * sh + d[1] * sk + d[2],
        back = size - 1 - at; // the box is symmetric: −d stands at the mirrored place
      if (real) column[i] = inside ? q[i]! * table[at]! : 0;
      else {
        column[4 * i] = inside ? q[i]! * table[2 * at]! : 0; // W_{g−w}
        column[4 * i + 1] = inside ? q[i]! * table[2 * at + 1]! : 0;
        column[4 * i + 2] = inside ? q[i]! * table[2 * back]! : 0; // W_{w−g}
        column[4 * i + 3] = inside ? q[i]! * table[2 * back + 1]! : 0;
      }
    }
    if (real)
      for (let i = 0; i < n; i++) {
        const c = f * column[i]!;
        for (let j = 0; j < n; j++) a[i * n + j]! += c * column[j]!;
      }
    else
      for (let i = 0; i < n; i++) {
        const re = f * column[4 * i]!,
          im = f * column[4 * i + 1]!;
        for (let j = 0; j < n; j++) {
          const x = column[4 * j + 2]!,
            y = column[4 * j + 3]!;
          a[2 * (i * n + j)]! += re * x - im * y;
          a[2 * (i * n + j) + 1]! += re * y + im * x;
        }
      }
  }
}
