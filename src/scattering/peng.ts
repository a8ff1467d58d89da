import { fail } from "../core/errors.js";
import { type FormFactor, ionFactor, ionName, neutralFactor, neutralRow } from "./form-factor.js";
import { peng1996High } from "./tables/peng1996-high.js";
import { peng1996Low } from "./tables/peng1996-low.js";
import { peng1998Ions } from "./tables/peng1998-ions.js";

const five = (row: readonly number[], at: number, s: number): number => {
  const s2 = s * s;
  let f = 0;
  for (let i = at; i < at + 5; i++) f += row[i]! * Math.exp(-row[i + 5]! * s2);
  return f;
};

/**
 * Five Gaussians for s <= 6 Å⁻¹, neutral atoms Z = 1–98: the "International Tables" factors of JANA2020. Relative error 1 % at s = 1 Å⁻¹,
 * 3 % at 2 and 10 % at 3: prefer lobato or kirkland where large s matters.
 */
export function peng1996(element: string, charge = 0): FormFactor {
  const row = neutralRow(peng1996High, "peng1996 (0-6)", element, charge);
  const source = "L.-M. Peng et al. (1996) Acta Cryst. A52, 257-276; Int. Tables C, Table 4.3.2.3";
  return neutralFactor(element, source, 6, (s) => five(row, 0, s));
}
/** Five Gaussians for s <= 2 Å⁻¹, neutral atoms Z = 1–98 (Int. Tables C, 4.3.2.2); useless beyond. */
export function peng1996LowAngle(element: string, charge = 0): FormFactor {
  const row = neutralRow(peng1996Low, "peng1996 (0-2)", element, charge);
  const source = "L.-M. Peng et al. (1996) Acta Cryst. A52, 257-276; Int. Tables C, Table 4.3.2.2";
  return neutralFactor(element, source, 2, (s) => five(row, 0, s));
}
/**
 * Ions, f = C·charge/s² + five Gaussians, s <= 1.5 Å⁻¹; a neutral atom is taken from peng1996.
 * Ba2+ is 3–5 % low at s = 0.2–0.3; O−, Ti2+ and Pd2+ are off by more than 2 % above s = 1.5 (against Waasmaier–Kirfel).
 * @throws not-found when the ion is not among the 106
 */
export function peng1998(element: string, charge = 0): FormFactor {
  if (charge === 0) return peng1996(element);
  const row = peng1998Ions[ionName(element, charge)];
  if (!row)
    fail("not-found", { element, charge }, "Peng's ions do not hold this charge; use mottBethe, or ignoreCharge(…) with a neutral table");
  return ionFactor(element, charge, "L.-M. Peng (1998) Acta Cryst. A54, 481-485", 1.5, (s) => five(row, 1, s));
}
