import { type FormFactor, neutralFactor, neutralRow } from "./form-factor.js";
import { kirkland2010 } from "./tables/kirkland2010.js";

const source = "E. J. Kirkland (2010) Advanced Computing in Electron Microscopy, 2nd ed., Springer, Appendix C";

/** f_e(q) = Σ₃ aᵢ/(q² + bᵢ) + Σ₃ cᵢ exp(−dᵢ q²), q = 2s <= 12 Å⁻¹. Neutral atoms Z = 1–103. */
export function kirkland(element: string, charge = 0): FormFactor {
  const row = neutralRow(kirkland2010, "kirkland2010", element, charge);
  return neutralFactor(element, source, 6, (s) => {
    const q2 = 4 * s * s;
    let f = 0;
    for (let i = 0; i < 3; i++) f += row[i]! / (q2 + row[3 + i]!) + row[6 + i]! * Math.exp(-row[9 + i]! * q2);
    return f;
  });
}
