import type { Beam } from "../geometry/beam.js";
import type { UnitCell } from "../geometry/cell.js";
import { constants } from "../geometry/constants.js";

/** C = 1/(8π²a₀) = 0.023934 Å⁻¹ in f_e(s) = C (Z − f_x(s))/s², f_e in Å, s = sinθ/λ in Å⁻¹ (Mott 1930, Bethe 1930). */
export const mottBetheConstant: number = 1 / (8 * Math.PI * Math.PI * constants.bohrAngstrom);
/** h²/(2π m₀ e) = 47.8776 V Å²: V_g = this · F_e / V_cell. */
export const voltPerStructureFactor: number = (1e20 * constants.h ** 2) / (2 * Math.PI * constants.m0 * constants.e);

/** F (Å) to V_g (V): the Fourier coefficient of the electrostatic potential. Any sequence of numbers, complex pairs too; a new array. */
export function potentialVolts(f: Float64Array, cell: UnitCell): Float64Array {
  return f.map((x) => (voltPerStructureFactor * x) / cell.volume);
}
/** F (Å) to U_g (Å⁻²) = γ F/(π V): what the Bloch matrix holds, 2me V_g/h² with the relativistic mass. A new array. */
export function potentialUg(f: Float64Array, cell: UnitCell, beam: Pick<Beam, "gamma">): Float64Array {
  return f.map((x) => (beam.gamma * x) / (Math.PI * cell.volume));
}
