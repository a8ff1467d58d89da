import { fail } from "../core/errors.js";
import { type FormFactor, ionFactor, ionName } from "./form-factor.js";
import { itc1992 } from "./tables/itc1992.js";
import { waasmaierKirfel1995 } from "./tables/waasmaier-kirfel1995.js";
import { mottBetheConstant } from "./units.js";

/** X-ray form factor f_x(s) = c + Σ aᵢ exp(−bᵢ s²), electrons. */
export interface XrayFactor {
  readonly name: string;
  readonly z: number;
  readonly charge: number;
  readonly source: string;
  readonly sMax: number;
  readonly c: number;
  readonly a: readonly number[];
  readonly b: readonly number[];
  f(s: number): number;
}
function gaussians(row: readonly number[] | undefined, name: string, source: string, sMax: number): XrayFactor {
  if (!row) fail("not-found", { name }, "no such atom or ion in the table; ions read Fe3+, O2-, Na1+");
  const n = (row.length - 3) / 2;
  const a = row.slice(3, 3 + n),
    b = row.slice(3 + n),
    c = row[2]!;
  return {
    name,
    z: row[0]!,
    charge: row[1]!,
    source,
    sMax,
    c,
    a,
    b,
    f: (s) => {
      let f = c;
      for (let i = 0; i < n; i++) f += a[i]! * Math.exp(-b[i]! * s * s);
      return f;
    },
  };
}

/** Waasmaier & Kirfel: 212 atoms and ions, s <= 6 Å⁻¹ (never beyond: two ions have growing terms). H is the free atom. Names Si, Fe3+, Cval. */
export function waasmaierKirfel(element: string, charge = 0): XrayFactor {
  const name = ionName(element, charge);
  return gaussians(waasmaierKirfel1995[name], name, "D. Waasmaier, A. Kirfel (1995) Acta Cryst. A51, 416-431", 6);
}
/** International Tables C (1992), Table 6.1.1.4: 213 atoms and ions, s <= 2 Å⁻¹. H is the bonded atom, Hiso the free one. */
export function internationalTables(element: string, charge = 0): XrayFactor {
  const name = ionName(element, charge);
  return gaussians(itc1992[name], name, "International Tables for Crystallography C (1992), Table 6.1.1.4", 2);
}

/**
 * Electron factor of an X-ray factor by Mott and Bethe, f_e = C (Z − f_x)/s², normalised: f_x(0), which the fits miss by up to 0.03
 * electrons, is replaced by Z − charge, so that f_e = C [charge + Σ aᵢ (1 − exp(−bᵢ s²))]/s² without cancellation at small s.
 * The change is C·0.03/s² at most: 0.1 % of a heavy atom's f_e at s = 1 Å⁻¹.
 */
export function electronFromXray(x: XrayFactor, element: string = x.name.replace(/[\d+-].*$/, "")): FormFactor {
  return ionFactor(element, x.charge, `Mott-Bethe of ${x.source}`, x.sMax, (s) => {
    const s2 = s * s;
    let f = 0;
    for (let i = 0; i < x.a.length; i++) f += s2 === 0 ? x.a[i]! * x.b[i]! : (-x.a[i]! * Math.expm1(-x.b[i]! * s2)) / s2;
    return mottBetheConstant * f;
  });
}
/** Electron factors of atoms and ions from Waasmaier & Kirfel's X-ray factors. */
export function mottBethe(element: string, charge = 0): FormFactor {
  return electronFromXray(waasmaierKirfel(element, charge), element);
}
