import { fail } from "../core/errors.js";
import { printable } from "../core/inspect.js";
import { type Adp, equivalentU } from "./adp.js";
import { cellParameters, type UnitCell } from "./cell.js";
import { element } from "./elements.js";
import { cellFromMetric, type Fractional, metricTensor, transformMetric } from "./metric.js";
import { rotateAdp, siteSymmetry, symmetriseAdp } from "./site-symmetry.js";
import type { SpaceGroup } from "./space-groups.js";

/** Standard uncertainties, in the units of the values; NaN where none was given. */
export interface AtomSu {
  readonly xyz: Fractional;
  readonly occupancy: number;
  readonly uIso: number;
  readonly uAniso?: Adp | undefined;
}
/** One independent atom. */
export interface Atom {
  readonly label: string;
  /** Element symbol, e.g. "Si". */
  readonly element: string;
  /** Formal charge of the scattering factor; 0 for neutral. */
  readonly charge: number;
  readonly xyz: Fractional;
  /** Chemical occupancy: 1 for a full site, on a special position too. */
  readonly occupancy: number;
  /** Isotropic or equivalent displacement parameter, Å². */
  readonly uIso: number;
  /** U11 U22 U33 U12 U13 U23, Å²; undefined for an isotropic atom. */
  readonly uAniso?: Adp | undefined;
  readonly su?: AtomSu | undefined;
  /** Assembly and group of a disordered atom, as the CIF names them. */
  readonly disorder?: { readonly assembly: string; readonly group: string } | undefined;
}
/** A crystal structure: cell, symmetry and the independent atoms. */
export interface Structure {
  readonly cell: UnitCell;
  readonly spaceGroup: SpaceGroup;
  readonly atoms: readonly Atom[];
  /** s.u. of a b c (Å) α β γ (degrees); NaN where none was given. */
  readonly cellSu?: readonly number[] | undefined;
}

/** An atom from what is known of it; the rest is neutral, fully occupied and at rest. */
export function atom(given: Pick<Atom, "element" | "xyz"> & Partial<Atom>): Atom {
  return { label: given.element, charge: 0, occupancy: 1, uIso: 0, ...given };
}

/**
 * A structure. Anisotropic atoms get U_eq as `uIso` when it is missing.
 * @throws bad-value for an unknown element, non-finite coordinates or an occupancy outside 0…1 (1.001 is taken for rounding)
 */
export function structure(cell: UnitCell, spaceGroup: SpaceGroup, atoms: readonly Atom[], cellSu?: readonly number[]): Structure {
  for (const a of atoms) {
    if (!element(a.element))
      fail("bad-value", { label: a.label, element: a.element }, "element is a symbol such as Si; a charge goes into `charge`");
    if (!a.xyz.every(Number.isFinite)) fail("bad-value", { label: a.label, xyz: a.xyz }, "fractional coordinates must be finite numbers");
    if (!(a.occupancy >= 0 && a.occupancy <= 1.001))
      fail("bad-value", { label: a.label, occupancy: a.occupancy }, "occupancy runs from 0 to 1");
  }
  const filled = atoms.map((a) => (a.uAniso && !(a.uIso > 0) ? { ...a, uIso: equivalentU(cell, a.uAniso) } : a));
  return printable(
    { cell, spaceGroup, atoms: filled, cellSu },
    (s) => `Structure(${formula(s)}, ${s.spaceGroup.hm}, ${s.atoms.length} atoms, ${s.cell.volume.toFixed(1)} Å³)`,
  );
}

/** An atom of the unit cell: which independent atom it is, by which operation, and where. */
export interface AtomImage {
  readonly atom: number;
  /** Index into `spaceGroup.ops`. */
  readonly op: number;
  /** In [0, 1)³. */
  readonly xyz: Fractional;
  readonly uAniso?: Adp | undefined;
}

/** All atoms of the unit cell; special positions once. `tolerance` (Å): images closer than this are one atom. */
export function expandToP1(s: Structure, tolerance = 0.05): readonly AtomImage[] {
  return s.atoms.flatMap((a, index) => {
    const site = siteSymmetry(s.spaceGroup, s.cell, a.xyz, tolerance);
    const u = a.uAniso && symmetriseAdp(a.uAniso, site, s.cell);
    return site.positions.map((xyz, k) => ({
      atom: index,
      op: site.ops[k]!,
      xyz,
      uAniso: u && (rotateAdp(u, s.spaceGroup.ops[site.ops[k]!]!.rotation, s.cell) as unknown as Adp),
    }));
  });
}
/** Multiplicity of each independent atom's site. */
export function multiplicities(s: Structure): number[] {
  return s.atoms.map((a) => siteSymmetry(s.spaceGroup, s.cell, a.xyz).multiplicity);
}
/** Atoms of each element in the unit cell, occupancies counted; carbon and hydrogen first, then by symbol (Hill). */
export function composition(s: Structure): ReadonlyMap<string, number> {
  const n = multiplicities(s);
  const sums = new Map<string, number>();
  s.atoms.forEach((a, i) => {
    sums.set(a.element, (sums.get(a.element) ?? 0) + a.occupancy * n[i]!);
  });
  const carbon = sums.has("C");
  const rank = (e: string): string => (carbon && e === "C" ? "0" : carbon && e === "H" ? "1" : `2${e}`);
  return new Map([...sums].sort((p, q) => (rank(p[0]) < rank(q[0]) ? -1 : 1)));
}
/** Content of the unit cell as "C8 H20 N4 O8". */
export function formula(s: Structure): string {
  return [...composition(s)].map(([e, n]) => `${e}${Number(n.toFixed(3)) === 1 ? "" : Number(n.toFixed(3))}`).join(" ");
}
/** Mass of the unit cell, u. */
export function cellMass(s: Structure): number {
  return [...composition(s)].reduce((m, [e, n]) => m + n * element(e)!.mass, 0);
}
/** g/cm³: 1 u/Å³ = 1.66053906892 g/cm³ (CODATA 2022). */
export function density(s: Structure): number {
  return (1.66053906892 * cellMass(s)) / s.cell.volume;
}

/** The disagreement of a cell with a group in words, when it exceeds the limits (relative length, degrees); undefined when it does not. */
export function cellProblem(cell: UnitCell, group: SpaceGroup, length = 1e-3, angleDeg = 0.05): string | undefined {
  const m = cellMismatch(cell, group);
  if (m.length <= length && m.angleDeg <= angleDeg) return undefined;
  return `the cell does not obey ${group.hm}: lengths differ by ${(100 * m.length).toFixed(2)} %, angles by ${m.angleDeg.toFixed(2)}° under its operations`;
}

/** How far the cell is from the symmetry: largest relative length and angle (degrees) change under any operation. */
export function cellMismatch(cell: UnitCell, group: SpaceGroup): { readonly length: number; readonly angleDeg: number } {
  const g = metricTensor(cell),
    p = cellParameters(cell);
  let length = 0,
    angleDeg = 0;
  for (const op of group.ops.slice(0, group.primitiveOrder)) {
    const q = cellParameters(cellFromMetric(transformMetric(g, op.rotation)));
    for (let i = 0; i < 3; i++) {
      length = Math.max(length, Math.abs(q[i]! / p[i]! - 1));
      angleDeg = Math.max(angleDeg, Math.abs(q[i + 3]! - p[i + 3]!));
    }
  }
  return { length, angleDeg };
}
