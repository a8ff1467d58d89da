import { type FormFactor, neutralFactor, neutralRow } from "./form-factor.js";
import { weickenmeierKohl1991 } from "./tables/weickenmeier-kohl1991.js";

const source = "A. Weickenmeier, H. Kohl (1991) Acta Cryst. A47, 590-597 (four-term revision of 1993)";

/** f_e(s) = s⁻² Σ₄ Aᵢ (1 − exp(−Bᵢ s²)), s <= 6 Å⁻¹; f(0) = Σ AᵢBᵢ. Neutral atoms Z = 1–98. */
export function weickenmeierKohl(element: string, charge = 0): FormFactor {
  const row = neutralRow(weickenmeierKohl1991, "weickenmeier-kohl1991", element, charge);
  return neutralFactor(element, source, 6, (s) => {
    const s2 = s * s;
    let f = 0;
    for (let i = 0; i < 4; i++) f += s2 === 0 ? row[i]! * row[4 + i]! : (-row[i]! * Math.expm1(-row[4 + i]! * s2)) / s2;
    return f;
  });
}
