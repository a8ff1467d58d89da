import { fail } from "../core/errors.js";
import { betaFromU, bFromU } from "../geometry/adp.js";
import { asuReflections } from "../geometry/asu.js";
import { reciprocalMetric } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";
import type { AbsorptiveSource } from "./absorptive.js";
import type { FormFactorSource } from "./form-factor.js";
import { directSum, type Scatterers } from "./structure-sum.js";

/**
 * Structure factors F(h) = Σ occupancy · f(s) · T(h) · exp(−2πi h·x) over the atoms of the cell, Å, complex.
 *
 * T = exp(−8π²U s²) for isotropic and exp(−Σ β_ij hᵢhⱼ) for anisotropic atoms. The opposite sign of the exponent, common for X-rays,
 * gives the complex conjugates. Reflections that symmetry relates are computed once: F(hW) = F(h) exp(2πi h·w) and F(−h) = F(h)*.
 * F(000) of a neutral cell of ions leaves the Coulomb tails out (they cancel); of a charged cell it is infinite.
 * @param hkl - Miller indices, shape [n, 3]
 * @param factors - for example `lobato`, `peng1998`, or any function from element and charge to a form factor
 * @returns shape [n, 2], interleaved (re, im), Å, rest mass: see `potentialUg` and `potentialVolts`
 * @throws bad-shape, and what `factors` throws
 * @see International Tables B, 1.2.3 and 2.5
 */
export function structureFactors(s: Structure, hkl: Int32Array, factors: FormFactorSource): Float64Array {
  const forms = s.atoms.map((a) => factors(a.element, a.charge));
  const groups = new Map<string, number>();
  const type = s.atoms.map((a) => {
    const key = `${a.element} ${a.charge}`;
    if (!groups.has(key)) groups.set(key, groups.size);
    return groups.get(key)!;
  });
  const distinct = [...groups.values()].map((t) => forms[type.indexOf(t)]!);
  const net = expandToP1(s).reduce((sum, image) => sum + s.atoms[image.atom]!.occupancy * forms[image.atom]!.charge, 0);
  const atZero = (t: number): number =>
    Math.abs(net) < 1e-6 ? distinct[t]!.regular(0) : net > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const amplitude = (t: number, g: number): number => (g === 0 && distinct.some((d) => d.charge !== 0) ? atZero(t) : distinct[t]!.f(g / 2));
  return bySymmetry(s, hkl, scatterersOf(s, type, "own"), distinct.length, amplitude);
}

/**
 * Absorptive structure factors F'(h) = Σ occupancy · f'(s, B) exp(−B s²) · exp(−2πi h·x), Å, with B = 8π²U_eq of each atom (the Einstein
 * model is isotropic). Together with {@link structureFactors}: U + iU' = γ/(πV) (F + iF').
 */
export function absorptiveStructureFactors(s: Structure, hkl: Int32Array, factors: AbsorptiveSource): Float64Array {
  const groups = new Map<string, number>();
  const type = s.atoms.map((a) => {
    const key = `${a.element} ${a.uIso}`;
    if (!groups.has(key)) groups.set(key, groups.size);
    return groups.get(key)!;
  });
  const distinct = [...groups.values()].map((t) => {
    const a = s.atoms[type.indexOf(t)]!;
    return factors(a.element, bFromU(a.uIso));
  });
  return bySymmetry(s, hkl, scatterersOf(s, type, "none"), distinct.length, (t, g) => distinct[t]!.damped(g / 2));
}

/** Atoms of the cell, one per centring vector, in pairs ±x where the origin is an inversion. */
function scatterersOf(s: Structure, type: readonly number[], displacement: "own" | "none"): Scatterers {
  const { ops, primitiveOrder, originAtInversion } = s.spaceGroup;
  const centring = ops.length / primitiveOrder;
  const shifts = Array.from({ length: centring }, (_, i) => ops[i * primitiveOrder]!.shift);
  const same = (p: readonly number[], q: readonly number[], sign: number): boolean =>
    shifts.some((t) => p.every((v, i) => Math.abs(v - sign * q[i]! - t[i]! / 24 - Math.round(v - sign * q[i]! - t[i]! / 24)) < 1e-6));
  const images = expandToP1(s);
  const rows: { x: readonly number[]; weight: number; paired: boolean; beta: readonly number[]; atom: number }[] = [];
  for (let a = 0; a < s.atoms.length; a++) {
    const mine = images.filter((i) => i.atom === a);
    const kept: (typeof rows)[number][] = [];
    for (const image of mine) {
      // One of each set of lattice translates; of a pair ±x one with double weight (its displacements are the same).
      if (kept.some((k) => same(k.x, image.xyz, 1))) continue;
      const twin = originAtInversion ? kept.find((k) => same(k.x, image.xyz, -1)) : undefined;
      if (twin) {
        // Its own centring copies come by here again.
        if (!twin.paired) twin.weight *= 2;
        twin.paired = true;
        continue;
      }
      const beta = displacement === "own" && image.uAniso ? betaFromU(s.cell, image.uAniso) : [];
      kept.push({ x: image.xyz, weight: centring * s.atoms[a]!.occupancy, paired: false, beta, atom: a });
    }
    rows.push(...kept);
  }
  // Anisotropic atoms after isotropic ones: two tight loops instead of one with a branch.
  rows.sort((p, q) => Number(p.beta.length > 0) - Number(q.beta.length > 0) || p.atom - q.atom);
  const isotropic = rows.filter((r) => r.beta.length === 0).length;
  const bIso = s.atoms.map((a) => (displacement === "none" || a.uAniso ? 0 : bFromU(a.uIso)));
  return {
    size: rows.length,
    isotropic,
    real: originAtInversion,
    xyz: Float64Array.from(rows.flatMap((r) => [...r.x])),
    weight: Float64Array.from(rows, (r) => r.weight),
    type: Int32Array.from(rows, (r) => type[r.atom]!),
    atom: Int32Array.from(rows, (r) => r.atom),
    atoms: s.atoms.length,
    bIso: Float64Array.from(bIso),
    beta: Float64Array.from(
      rows.slice(isotropic).flatMap((r) => [r.beta[0]!, r.beta[1]!, r.beta[2]!, 2 * r.beta[3]!, 2 * r.beta[4]!, 2 * r.beta[5]!]),
    ),
  };
}

/** Representatives computed once, the rest from their phases; centring absences are zero. */
function bySymmetry(
  s: Structure,
  hkl: Int32Array,
  scatterers: Scatterers,
  types: number,
  amplitude: (type: number, g: number) => number,
): Float64Array {
  if (hkl.length % 3 !== 0) fail("bad-shape", { length: hkl.length }, "pass indices as [n, 3] row-major: h0 k0 l0 h1 k1 l1 …");
  const n = hkl.length / 3;
  const { ops, primitiveOrder } = s.spaceGroup;
  const star = reciprocalMetric(s.cell);
  const map = primitiveOrder > 1 && n > 8 ? asuReflections(s.spaceGroup, hkl) : undefined;
  const source = map?.hkl ?? hkl;
  const unique = new Map<number, number>();
  const list: number[] = [];
  const at = new Int32Array(n);
  const shifts = Array.from({ length: ops.length / primitiveOrder }, (_, i) => ops[i * primitiveOrder]!.shift);
  for (let i = 0; i < n; i++) {
    const h = source[3 * i]!,
      k = source[3 * i + 1]!,
      l = source[3 * i + 2]!;
    if (shifts.some((t) => (h * t[0] + k * t[1] + l * t[2]) % 24 !== 0)) {
      at[i] = -1;
      continue;
    }
    // Indices below 2^16 make one exact integer of 51 bits.
    const key = ((h + 65536) * 131072 + (k + 65536)) * 131072 + (l + 65536);
    let j = unique.get(key);
    if (j === undefined) {
      j = list.length / 3;
      unique.set(key, j);
      list.push(h, k, l);
    }
    at[i] = j;
  }
  const f = directSum(scatterers, Int32Array.from(list), star, types, amplitude);
  const out = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const j = at[i]!;
    if (j < 0) continue;
    const re = f[2 * j]!,
      im = map?.friedel[i] ? -f[2 * j + 1]! : f[2 * j + 1]!;
    const t = map ? ops[map.op[i]!]!.shift : ops[0]!.shift;
    const turns = (((hkl[3 * i]! * t[0] + hkl[3 * i + 1]! * t[1] + hkl[3 * i + 2]! * t[2]) % 24) + 24) % 24;
    const c = cos24[turns]!,
      d = -sin24[turns]!;
    out[2 * i] = turns === 0 ? re : re * c - im * d;
    out[2 * i + 1] = turns === 0 ? im : re * d + im * c;
  }
  return out;
}
const turn = (f: (x: number) => number): number[] =>
  Array.from({ length: 24 }, (_, i) =>
    i % 6 === 0
      ? Math.round(f((i * Math.PI) / 12))
      : i % 2 === 0 && Math.abs(Math.abs(f((i * Math.PI) / 12)) - 0.5) < 1e-9
        ? Math.sign(f((i * Math.PI) / 12)) / 2
        : f((i * Math.PI) / 12),
  );
const cos24 = /* @__PURE__ */ turn(Math.cos);
const sin24 = /* @__PURE__ */ turn(Math.sin);
