import { element } from "../geometry/elements.js";
import type { Structure } from "../geometry/structure.js";
import { contacts } from "../geometry/structure-bonds.js";
import type { Composition } from "./formula.js";

/** Whether distances make sense. */
export interface Connectivity {
  /** Pairs of independent atoms nearer than 0.75 of the sum of their covalent radii, as "Si1–O3 0.91 Å". */
  readonly tooShort: readonly string[];
  /** Labels of atoms without any neighbour at bonding distance (sum of radii + 0.5 Å). */
  readonly isolated: readonly string[];
}

/** Distances of a structure against covalent radii; an honest solution has no pair too near and no atom alone. */
export function connectivity(s: Structure): Connectivity {
  const found = contacts(s, { slack: 0.5 });
  const radius = (e: string): number => element(e)?.covalentRadius || 1.5;
  const tooShort = found
    .filter((c) => c.from <= c.to && c.distance < 0.75 * (radius(s.atoms[c.from]!.element) + radius(s.atoms[c.to]!.element)))
    .map((c) => `${s.atoms[c.from]!.label}–${s.atoms[c.to]!.label} ${c.distance.toFixed(2)} Å`);
  const bonded = new Set(found.map((c) => c.from));
  return { tooShort: [...new Set(tooShort)], isolated: s.atoms.filter((_, i) => !bonded.has(i)).map((a) => a.label) };
}

/** Electrons of the atoms that found no peak over those of the whole cell, hydrogen aside. */
export function missingShare(missing: Composition, content: Composition): number {
  const electrons = (c: Composition): number => [...c].reduce((s, [e, n]) => s + (e === "H" ? 0 : n * (element(e)?.z ?? 0)), 0);
  return electrons(missing) / Math.max(1, electrons(content));
}
