import { fail } from "../core/errors.js";
import { type Adp, equivalentU } from "../geometry/adp.js";
import { adpConstraint, type Constraint, positionConstraint, type Site, siteSymmetry, symmetriseAdp } from "../geometry/site-symmetry.js";
import type { Atom, Structure } from "../geometry/structure.js";
import type { Tie } from "../numerics/parameters.js";

export type AtomParameter = "x" | "y" | "z" | "occupancy" | "u" | "u11" | "u22" | "u33" | "u12" | "u13" | "u23";
export const coordinateNames = ["x", "y", "z"] as const;
export const adpNames = ["u11", "u22", "u33", "u12", "u13", "u23"] as const;

/** One number of the atom list. All numbers of all atoms, in order, are the raw vector of a structure. */
export interface RawParameter {
  /** "Si1.x", "Si1.u11", "O2.u" (isotropic), "Na1.occupancy". */
  readonly name: string;
  readonly atom: number;
  readonly kind: AtomParameter;
}
/** The atom list as a vector, atom by atom: x y z occupancy, then u or the six u_ij. */
export interface RawStructure {
  /** Atoms moved onto their sites, tensors averaged over the site's symmetry. */
  readonly structure: Structure;
  readonly sites: readonly Site[];
  readonly parameters: readonly RawParameter[];
  readonly values: Float64Array;
  /** First parameter of every atom. */
  readonly offset: readonly number[];
  readonly index: ReadonlyMap<string, number>;
}

/** Labels made unique: a second "O1" is "O1~2". */
export function uniqueLabels(atoms: readonly Atom[]): string[] {
  const seen = new Map<string, number>();
  return atoms.map((a) => {
    const n = (seen.get(a.label) ?? 0) + 1;
    seen.set(a.label, n);
    return n === 1 ? a.label : `${a.label}~${n}`;
  });
}

export function rawStructure(s: Structure): RawStructure {
  const sites = s.atoms.map((a) => siteSymmetry(s.spaceGroup, s.cell, a.xyz));
  const atoms = s.atoms.map((a, i): Atom => {
    const uAniso = a.uAniso && (symmetriseAdp(a.uAniso, sites[i]!, s.cell) as unknown as Adp);
    return { ...a, xyz: sites[i]!.xyz, uAniso, uIso: uAniso ? equivalentU(s.cell, uAniso) : a.uIso };
  });
  const labels = uniqueLabels(s.atoms);
  const parameters: RawParameter[] = [],
    values: number[] = [],
    offset: number[] = [];
  atoms.forEach((a, atom) => {
    offset.push(parameters.length);
    const add = (kind: AtomParameter, value: number): void => {
      parameters.push({ name: `${labels[atom]}.${kind}`, atom, kind });
      values.push(value);
    };
    coordinateNames.forEach((k, i) => {
      add(k, a.xyz[i as 0]);
    });
    add("occupancy", a.occupancy);
    if (a.uAniso)
      adpNames.forEach((k, i) => {
        add(k, a.uAniso![i as 0]);
      });
    else add("u", a.uIso);
  });
  return {
    structure: { ...s, atoms },
    sites,
    parameters,
    values: Float64Array.from(values),
    offset,
    index: new Map(parameters.map((p, i) => [p.name, i])),
  };
}

/** The structure of a raw vector; `su` (raw too) become the atoms' standard uncertainties, NaN where 0. */
export function structureOfRaw(raw: RawStructure, values: ArrayLike<number>, su?: ArrayLike<number>): Structure {
  const known = (v: number): number => (v > 0 ? v : Number.NaN);
  const atoms = raw.structure.atoms.map((a, i): Atom => {
    const o = raw.offset[i]!;
    const take = (from: ArrayLike<number>, at: number, n: number): number[] => Array.from({ length: n }, (_, k) => from[o + at + k]!);
    const uAniso = a.uAniso && (take(values, 4, 6) as unknown as Adp);
    return {
      ...a,
      xyz: take(values, 0, 3) as unknown as Atom["xyz"],
      occupancy: values[o + 3]!,
      uIso: uAniso ? equivalentU(raw.structure.cell, uAniso) : values[o + 4]!,
      uAniso,
      su: su && {
        xyz: take(su, 0, 3).map(known) as unknown as Atom["xyz"],
        occupancy: known(su[o + 3]!),
        uIso: uAniso ? Number.NaN : known(su[o + 4]!),
        uAniso: uAniso && (take(su, 4, 6).map(known) as unknown as Adp),
      },
    };
  });
  return { ...raw.structure, atoms };
}

/** Constraints of the sites as ties and fixed values of the raw vector, with a line for people for each special position. */
export function siteConstraints(raw: RawStructure): { readonly ties: Tie[]; readonly fixed: number[]; readonly text: string[] } {
  const ties: Tie[] = [],
    fixed: number[] = [],
    text: string[] = [];
  const add = (c: Constraint, o: number): void => {
    const lead = c.basis.map((b) => b.findIndex((v) => v !== 0));
    c.origin.forEach((constant, i) => {
      if (lead.includes(i)) return;
      const terms = c.basis.map((b, k) => [o + lead[k]!, b[i]!] as const).filter(([, v]) => v !== 0);
      if (terms.length > 0) ties.push({ index: o + i, terms, constant });
      else fixed.push(o + i);
    });
  };
  raw.structure.atoms.forEach((a, i) => {
    const site = raw.sites[i]!;
    if (site.stabiliser.length === 1) return;
    const position = positionConstraint(site);
    add(position, raw.offset[i]!);
    let line = `${a.label} (${site.pointGroup}): ${position.text}`;
    if (a.uAniso) {
      const adp = adpConstraint(site, raw.structure.cell);
      add(adp, raw.offset[i]! + 4);
      line += `; ${adp.text}`;
    }
    text.push(line);
  });
  return { ties, fixed, text };
}

/** U_eq as a linear form of the raw displacement parameters of an atom: pairs [index, coefficient]. */
export function equivalentUTerms(raw: RawStructure, atom: number, factor = 1): readonly (readonly [number, number])[] {
  const o = raw.offset[atom]! + 4;
  if (!raw.structure.atoms[atom]!.uAniso) return [[o, factor]];
  const { cell } = raw.structure;
  return adpNames.map((_, k) => [o + k, factor * equivalentU(cell, unit(k))] as const).filter(([, c]) => Math.abs(c) > 1e-14);
}
const unit = (k: number): Adp => [0, 1, 2, 3, 4, 5].map((i) => Number(i === k)) as unknown as Adp;

/** Index of an atom by its unique label. @throws not-found with the labels that exist */
export function atomIndex(raw: RawStructure, label: string): number {
  const i = raw.parameters.find((p) => p.kind === "x" && p.name === `${label}.x`)?.atom;
  return i ?? fail("not-found", { label, atoms: uniqueLabels(raw.structure.atoms) }, "no atom of the structure has this label");
}
