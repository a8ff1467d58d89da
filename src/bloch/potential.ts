import { fail } from "../core/errors.js";
import type { Beam } from "../geometry/beam.js";
import type { UnitCell } from "../geometry/cell.js";
import { type Fractional, quadratic, reciprocalMetric } from "../geometry/metric.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import type { Structure } from "../geometry/structure.js";
import type { AbsorptiveSource } from "../scattering/absorptive.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { lobato } from "../scattering/lobato.js";
import { absorptiveStructureFactors, structureFactors } from "../scattering/structure-factors.js";
import { potentialUg } from "../scattering/units.js";
import { inversionCentre } from "./potential-origin.js";

/** No absorption, absorptive factors (U'_g from f'), or U' = ratio · U for every g. */
export type Absorption =
  | { readonly kind: "none" }
  | { readonly kind: "factors"; readonly source: AbsorptiveSource }
  | { readonly kind: "ratio"; readonly ratio: number };

export interface PotentialOptions {
  /** Longest difference vector |g − h| that will be asked for, Å⁻¹: twice the largest |g| of the beams. */
  readonly reach: number;
  /** Elastic form factors; Lobato & Van Dyck (2014) when not given, which keep the 1/g² tail. */
  readonly factors?: FormFactorSource | undefined;
  readonly absorption?: Absorption | undefined;
  /** Move the origin to a centre of inversion where there is one: real matrices, a quarter of the work. Default true. */
  readonly useInversion?: boolean | undefined;
}

/**
 * Fourier coefficients W_g = U_g + iU'_g of the optical potential, Å⁻², on a box of indices; made once for a crystal and shared by every
 * orientation. U(r) = Σ U_g exp(2πi g·r), U_g = γ/(πV) Σ f T exp(−2πi g·r).
 */
export interface CrystalPotential {
  readonly cell: UnitCell;
  readonly spaceGroup: SpaceGroup;
  readonly beam: Beam;
  readonly reach: number;
  /** Indices run from −span to span on each axis. */
  readonly span: readonly [number, number, number];
  /** Every coefficient is real: a centre of inversion at the origin and no absorption. */
  readonly real: boolean;
  readonly absorbing: boolean;
  /** Origin of the coefficients in the crystal's own coordinates: W_g here is W_g exp(2πi g·origin) of the structure as given. */
  readonly origin: Fractional;
  /** Coefficients over the box, h slowest; interleaved (re, im), or one number each when `real`. Zero beyond `reach`, and at 0 0 0. */
  readonly table: Float64Array;
  /** U₀ + iU'₀, Å⁻². Infinite for a cell with a net charge. */
  readonly w0: readonly [number, number];
  /** γ/(πV), Å⁻³: U = this · F. */
  readonly scale: number;
}

/** Strides of the box: key(h) = h·strides, and W_{g−h} stands at centre + key(g) − key(h). */
export function potentialLayout(span: readonly [number, number, number]): { sh: number; sk: number; centre: number; size: number } {
  const [a, b, c] = span,
    sk = 2 * c + 1,
    sh = (2 * b + 1) * sk;
  return { sh, sk, centre: a * sh + b * sk + c, size: (2 * a + 1) * sh };
}

/**
 * Coefficients of a structure for a beam.
 * @throws out-of-range when `reach` is not positive, too-large when the box passes 4·10⁷ coefficients, and what the form factors throw
 */
export function crystalPotential(s: Structure, beam: Beam, options: PotentialOptions): CrystalPotential {
  const { reach, factors = lobato, absorption = { kind: "none" }, useInversion = true } = options;
  if (!(reach > 0 && Number.isFinite(reach))) fail("out-of-range", { reach }, "reach is twice the largest |g| of the beams, in Å⁻¹");
  if (s.atoms.length === 0) fail("bad-value", { atoms: 0 }, "the structure has no atoms");
  const { hkl, keys, span } = sphere(s.cell, reach);
  const { size } = potentialLayout(span);
  const scale = beam.gamma / (Math.PI * s.cell.volume);
  const u = potentialUg(structureFactors(s, hkl, factors), s.cell, beam);
  const up =
    absorption.kind === "factors"
      ? potentialUg(absorptiveStructureFactors(s, hkl, absorption.source), s.cell, beam)
      : absorption.kind === "ratio"
        ? u.map((x) => absorption.ratio * x)
        : undefined;
  const zero = keys.indexOf(potentialLayout(span).centre);
  const w0 = [u[2 * zero]!, up ? up[2 * zero]! : 0] as const;
  const origin = (useInversion ? inversionCentre(s) : undefined) ?? ([0, 0, 0] as const);
  const moved = origin.some((x) => x !== 0);
  const centric = useInversion && inversionCentre(s) !== undefined;
  const real = centric && !up;
  const table = new Float64Array(real ? size : 2 * size);
  for (let i = 0; i < keys.length; i++) {
    if (i === zero) continue;
    let c = 1,
      d = 0;
    if (moved) {
      const p = hkl[3 * i]! * origin[0] + hkl[3 * i + 1]! * origin[1] + hkl[3 * i + 2]! * origin[2];
      const angle = 2 * Math.PI * (p - Math.round(p));
      c = Math.cos(angle);
      d = Math.sin(angle);
    }
    const turn = (x: Float64Array): readonly [number, number] => {
      const re = x[2 * i]! * c - x[2 * i + 1]! * d,
        im = x[2 * i]! * d + x[2 * i + 1]! * c;
      return centric ? [re, 0] : [re, im];
    };
    const [re, im] = turn(u);
    if (real) {
      table[keys[i]!] = re;
      continue;
    }
    const [pr, pi] = up ? turn(up) : [0, 0];
    table[2 * keys[i]!] = re - pi;
    table[2 * keys[i]! + 1] = im + pr;
  }
  const { cell, spaceGroup } = s;
  return { cell, spaceGroup, beam, reach, span, real, absorbing: up !== undefined, origin, table, w0, scale };
}

/** All indices with |g| <= reach and their places in the box. */
function sphere(cell: UnitCell, reach: number): { hkl: Int32Array; keys: Int32Array; span: readonly [number, number, number] } {
  const span = [cell.a, cell.b, cell.c].map((length) => Math.floor(reach * length + 1e-9)) as unknown as readonly [number, number, number];
  const { sh, sk, centre, size } = potentialLayout(span);
  if (size > 4e7) fail("too-large", { reach, coefficients: size }, "the box of coefficients is too large: lower g_max, or check the cell");
  const star = reciprocalMetric(cell),
    limit = reach * reach * (1 + 1e-12);
  const hkl: number[] = [],
    keys: number[] = [];
  for (let h = -span[0]; h <= span[0]; h++)
    for (let k = -span[1]; k <= span[1]; k++)
      for (let l = -span[2]; l <= span[2]; l++) {
        if (quadratic(star, [h, k, l]) > limit) continue;
        hkl.push(h, k, l);
        keys.push(centre + h * sh + k * sk + l);
      }
  return { hkl: Int32Array.from(hkl), keys: Int32Array.from(keys), span };
}

/** U_g + iU'_g at an index, about the structure's own origin; 0 beyond the reach, and `w0` at 0 0 0. */
export function potentialAt(p: CrystalPotential, h: number, k: number, l: number): readonly [number, number] {
  if (h === 0 && k === 0 && l === 0) return p.w0;
  if (Math.abs(h) > p.span[0] || Math.abs(k) > p.span[1] || Math.abs(l) > p.span[2]) return [0, 0];
  const { sh, sk, centre } = potentialLayout(p.span);
  const at = centre + h * sh + k * sk + l;
  const re = p.real ? p.table[at]! : p.table[2 * at]!,
    im = p.real ? 0 : p.table[2 * at + 1]!;
  const t = -2 * Math.PI * (h * p.origin[0] + k * p.origin[1] + l * p.origin[2]);
  return [re * Math.cos(t) - im * Math.sin(t), re * Math.sin(t) + im * Math.cos(t)];
}
