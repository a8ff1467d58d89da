import { fail } from "../core/errors.js";
import { mottBetheConstant } from "./units.js";

/**
 * Electron form factor of one atom, Born approximation, rest mass; a value, so that anyone may hand in a modified one.
 * s = sinθ/λ = 1/(2d), Å⁻¹; f in Å (multiply by γ for the accelerated electron: `potentialUg` does).
 */
export interface FormFactor {
  readonly element: string;
  /** Net charge of the ion; its Coulomb tail C·charge/s² makes f(0) infinite. */
  readonly charge: number;
  /** Citation of the numbers. */
  readonly source: string;
  /** Largest s, Å⁻¹, for which the source vouches. */
  readonly sMax: number;
  f(s: number): number;
  /** f(s) − C·charge/s²: finite at s = 0. Equal to f for neutral atoms. */
  regular(s: number): number;
}
/** Finds the form factor of an element and charge. */
export type FormFactorSource = (element: string, charge?: number) => FormFactor;

/** A neutral atom's form factor from its function. */
export function neutralFactor(element: string, source: string, sMax: number, f: (s: number) => number): FormFactor {
  return { element, charge: 0, source, sMax, f, regular: f };
}
/** An ion's form factor from its part without the Coulomb tail. */
export function ionFactor(element: string, charge: number, source: string, sMax: number, regular: (s: number) => number): FormFactor {
  return {
    element,
    charge,
    source,
    sMax,
    regular,
    f: (s) => (charge === 0 ? regular(s) : regular(s) + (mottBetheConstant * charge) / (s * s)),
  };
}

/** Take the neutral atom whatever the charge: what most refinement programs do for "O2-" with a table of neutral atoms. */
export function ignoreCharge(source: FormFactorSource): FormFactorSource {
  return (element) => source(element, 0);
}
/** The row of a table of neutral atoms. @throws unsupported for an ion, not-found for an element that is not in the table */
export function neutralRow(
  table: Readonly<Record<string, readonly number[]>>,
  name: string,
  element: string,
  charge: number,
): readonly number[] {
  if (charge !== 0)
    fail(
      "unsupported",
      { element, charge, table: name },
      "this table holds neutral atoms; use peng1998 or mottBethe for ions, or ignoreCharge(…)",
    );
  return table[element] ?? fail("not-found", { element, table: name }, "the table has no such element; symbols read Si, not SI or silicon");
}
/** "Fe3+", "O2-", "Na1+": how the tables name an ion. */
export function ionName(element: string, charge: number): string {
  return charge === 0 ? element : `${element}${Math.abs(charge)}${charge > 0 ? "+" : "-"}`;
}
