import { constants } from "../geometry/constants.js";
import { type FormFactor, neutralFactor, neutralRow } from "./form-factor.js";
import { lobato2014 } from "./tables/lobato2014.js";

const source = "I. Lobato, D. Van Dyck (2014) Acta Cryst. A70, 636-649";

/** f_e(g) = Σ aᵢ (2 + bᵢ g²)/(1 + bᵢ g²)², g = 2s. Neutral atoms Z = 1–103, right at all g including the 1/g² tail. */
export function lobato(element: string, charge = 0): FormFactor {
  const row = neutralRow(lobato2014, "lobato2014", element, charge);
  return neutralFactor(element, source, Number.POSITIVE_INFINITY, (s) => {
    const g2 = 4 * s * s;
    let f = 0;
    for (let i = 0; i < 5; i++) {
      const d = 1 + row[5 + i]! * g2;
      f += (row[i]! * (1 + d)) / (d * d);
    }
    return f;
  });
}

/** X-ray form factor of the same parametrisation, electrons: f_x(g) = Σ 2π²a₀ aᵢ/(bᵢ (1 + bᵢ g²)²), f_x(0) = Z exactly. */
export function lobatoXray(element: string): (s: number) => number {
  const row = neutralRow(lobato2014, "lobato2014", element, 0);
  return (s) => {
    const g2 = 4 * s * s;
    let f = 0;
    for (let i = 0; i < 5; i++) f += row[i]! / (row[5 + i]! * (1 + row[5 + i]! * g2) ** 2);
    return 2 * Math.PI * Math.PI * constants.bohrAngstrom * f;
  };
}
