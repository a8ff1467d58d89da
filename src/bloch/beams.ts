import { fail } from "../core/errors.js";
import type { UnitCell } from "../geometry/cell.js";
import { isCentringAbsent } from "../geometry/extinctions.js";
import { quadratic, reciprocalMetric } from "../geometry/metric.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import { type Incidence, star3 } from "./incidence.js";
import { type CrystalPotential, potentialLayout } from "./potential.js";

/** Every lattice point with |g| <= gMax that the centring allows, 0 0 0 first, then by |g|; made once, filtered for each orientation. */
export interface BeamPool {
  readonly cell: UnitCell;
  readonly gMax: number;
  readonly size: number;
  /** Shape [size, 3]. */
  readonly hkl: Int32Array;
  /** |g|², Å⁻², shape [size]. */
  readonly g2: Float64Array;
}

/** @throws out-of-range, too-large */
export function beamPool(cell: UnitCell, group: SpaceGroup, gMax: number): BeamPool {
  if (!(gMax > 0 && Number.isFinite(gMax))) fail("out-of-range", { gMax }, "gMax is the largest |g| of a beam, in Å⁻¹, for example 2");
  const star = reciprocalMetric(cell);
  const [hm, km, lm] = [cell.a, cell.b, cell.c].map((x) => Math.floor(gMax * x + 1e-9)) as [number, number, number];
  if (8 * hm * km * lm > 2e7) fail("too-large", { gMax }, "more than 10⁷ reflections: gMax is in Å⁻¹ and the cell in Å");
  const list: { h: number; k: number; l: number; g2: number }[] = [];
  for (let h = -hm; h <= hm; h++)
    for (let k = -km; k <= km; k++)
      for (let l = -lm; l <= lm; l++) {
        const g2 = quadratic(star, [h, k, l]);
        if (g2 <= gMax * gMax * (1 + 1e-12) && !isCentringAbsent(group, [h, k, l])) list.push({ h, k, l, g2 });
      }
  list.sort((p, q) => (Math.abs(p.g2 - q.g2) > 1e-10 ? p.g2 - q.g2 : p.h - q.h || p.k - q.k || p.l - q.l));
  return {
    cell,
    gMax,
    size: list.length,
    hkl: Int32Array.from(list.flatMap(({ h, k, l }) => [h, k, l])),
    g2: Float64Array.from(list, (b) => b.g2),
  };
}

/** 2Ks_g = K² − |K+g|² = −(2K·g + g²) for each beam, Å⁻²; positive inside the Ewald sphere. */
export function twoKs(cell: UnitCell, hkl: Int32Array, inc: Incidence): Float64Array {
  const d = star3(cell, inc.k),
    s = reciprocalMetric(cell);
  const out = new Float64Array(hkl.length / 3);
  for (let i = 0; i < out.length; i++) {
    const h = hkl[3 * i]!,
      k = hkl[3 * i + 1]!,
      l = hkl[3 * i + 2]!;
    const g2 = s[0] * h * h + s[4] * k * k + s[8] * l * l + 2 * (s[1] * h * k + s[2] * h * l + s[5] * k * l);
    out[i] = -(2 * (d[0] * h + d[1] * k + d[2] * l) + g2);
  }
  return out;
}

/**
 * Which beams enter the matrix. A beam is strong when |s| <= sMax, or when |U_g| >= strength · 2K|s_g| (its coupling to the direct beam);
 * one criterion alone or both together (either suffices). Beams that are not strong but pass the limits in `bethe` are weak: they go
 * into the matrix of the strong ones by second-order perturbation. A beam beyond gMax but within sMax of the sphere is neither: its small
 * denominator would spoil the perturbation (quartz, precession 1°: R1 5 % instead of 0.5 %).
 */
export interface BeamSelection {
  /** Å⁻¹. */
  readonly sMax?: number | undefined;
  /** No unit; 0.01 to 0.0025. Needs the potential. */
  readonly strength?: number | undefined;
  /** Weak beams: those with |s| up to this sMax, but above that of the strong ones, and |g| <= gMax (default: the pool's). */
  readonly bethe?: { readonly sMax: number; readonly gMax?: number | undefined } | undefined;
  /** Largest |g| of strong beams, Å⁻¹; the pool's own when not given. */
  readonly gMax?: number | undefined;
}
export interface SelectedBeams {
  /** 0 0 0 first, then by |g|, shape [n, 3]. */
  readonly strong: Int32Array;
  readonly weak: Int32Array;
}

/**
 * Beams of one orientation.
 * @throws bad-value without a criterion, for NaN limits, or when strength is asked for without a potential
 */
export function selectBeams(pool: BeamPool, inc: Incidence, selection: BeamSelection, potential?: CrystalPotential): SelectedBeams {
  const { sMax, strength, bethe, gMax = pool.gMax } = selection;
  if (sMax === undefined && strength === undefined)
    fail("bad-value", {}, "give sMax (Å⁻¹, for example 0.01), strength (for example 0.005), or both");
  for (const [name, value] of Object.entries({ sMax, strength, betheSMax: bethe?.sMax }))
    if (value !== undefined && !(value > 0)) fail("bad-value", { [name]: value }, "limits of the beam selection are positive numbers");
  if (strength !== undefined && !potential) fail("bad-value", { strength }, "the strength criterion needs the crystal potential");
  const { hkl, g2, size, cell } = pool;
  const d = star3(cell, inc.k);
  const k = Math.sqrt(inc.k[0] * d[0] + inc.k[1] * d[1] + inc.k[2] * d[2]);
  const window = sMax === undefined ? 0 : 2 * k * sMax,
    weakWindow = bethe ? 2 * k * bethe.sMax : 0;
  const g2Max = gMax * gMax * (1 + 1e-12),
    g2Weak = (bethe?.gMax ?? pool.gMax) ** 2 * (1 + 1e-12);
  const layout = potential && potentialLayout(potential.span);
  const modulus = (i: number): number => {
    const { table, real, span } = potential!;
    const [h, kk, l] = [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!];
    if (Math.abs(h) > span[0] || Math.abs(kk) > span[1] || Math.abs(l) > span[2]) return 0;
    const at = layout!.centre + h * layout!.sh + kk * layout!.sk + l;
    return real ? Math.abs(table[at]!) : Math.hypot(table[2 * at]!, table[2 * at + 1]!);
  };
  const strong: number[] = [],
    weak: number[] = [];
  for (let i = 0; i < size; i++) {
    const h = hkl[3 * i]!,
      kk = hkl[3 * i + 1]!,
      l = hkl[3 * i + 2]!;
    const s = Math.abs(2 * (d[0] * h + d[1] * kk + d[2] * l) + g2[i]!);
    const inside = g2[i]! <= g2Max && (s <= window || (strength !== undefined && modulus(i) >= strength * s));
    if (inside || i === 0) strong.push(h, kk, l);
    else if (bethe && s > window && s <= weakWindow && g2[i]! <= g2Weak) weak.push(h, kk, l);
  }
  return { strong: Int32Array.from(strong), weak: Int32Array.from(weak) };
}
