import { neutralRow } from "./form-factor.js";
import { kirkland2010 } from "./tables/kirkland2010.js";
import { lobato2014 } from "./tables/lobato2014.js";
import { voltPerStructureFactor } from "./units.js";

/** Electrostatic potential of a neutral atom at rest, volts at r Å from the nucleus: the three-dimensional Fourier transform of its form factor. */
export type AtomPotential = (r: number) => number;

/**
 * V(r) = h²/2πm₀e Σ aᵢ (π/bᵢ) (1/r + π/√bᵢ) exp(−2πr/√bᵢ), the transform of Σ aᵢ (2 + bᵢg²)/(1 + bᵢg²)².
 * @see I. Lobato, D. Van Dyck (2014) Acta Cryst. A70, 636-649
 */
export function lobatoPotential(element: string): AtomPotential {
  const row = neutralRow(lobato2014, "lobato2014", element, 0);
  return (r) => {
    let v = 0;
    for (let i = 0; i < 5; i++) {
      const b = row[5 + i]!,
        k = Math.PI / Math.sqrt(b);
      v += row[i]! * (Math.PI / b) * (1 / r + k) * Math.exp(-2 * k * r);
    }
    return voltPerStructureFactor * v;
  };
}

/**
 * V(r) = h²/2πm₀e [Σ πaᵢ exp(−2πr√bᵢ)/r + Σ cᵢ (π/dᵢ)^(3/2) exp(−π²r²/dᵢ)].
 * @see E. J. Kirkland (2010) Advanced Computing in Electron Microscopy, 2nd ed., Springer, eq. C.19
 */
export function kirklandPotential(element: string): AtomPotential {
  const row = neutralRow(kirkland2010, "kirkland2010", element, 0);
  return (r) => {
    let v = 0;
    for (let i = 0; i < 3; i++) {
      const d = row[9 + i]!;
      v += (Math.PI * row[i]! * Math.exp(-2 * Math.PI * r * Math.sqrt(row[3 + i]!))) / r;
      v += row[6 + i]! * (Math.PI / d) ** 1.5 * Math.exp((-Math.PI * Math.PI * r * r) / d);
    }
    return voltPerStructureFactor * v;
  };
}
