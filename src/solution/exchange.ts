import { element } from "../geometry/elements.js";
import { siteSymmetry } from "../geometry/site-symmetry.js";
import type { Atom, Structure } from "../geometry/structure.js";
import { contacts } from "../geometry/structure-bonds.js";
import { isAnion, radius } from "./assign.js";

/** Two atoms that may have each other's element. */
export interface Exchange {
  readonly i: number;
  readonly j: number;
  /** How R1 of the exchange, refined, must compare to that of the model: distances speak for it, displacements do, or nothing does. */
  readonly atMost: number;
}

/**
 * Pairs of atoms of elements that scatter alike (atomic numbers within a quarter; a half where the heavier vibrates more), on sites of one multiplicity; those first for which something speaks. Distances
 * speak where the four nearest anions are further from the smaller of two cations, by 0.06 Å on the average: calcium and titanium scatter alike, but do not bond alike.
 */
export function exchanges(s: Structure): Exchange[] {
  const z = (a: Atom): number => element(a.element)?.z ?? 0;
  const multiplicity = s.atoms.map((a) => siteSymmetry(s.spaceGroup, s.cell, a.xyz).multiplicity);
  const near = contacts(s, { maxDistance: 3.2 });
  const toAnions = s.atoms.map((_, i) => {
    const d = near.filter((c) => c.from === i && isAnion(s.atoms[c.to]!.element)).slice(0, 4);
    return d.reduce((t, c) => t + c.distance, 0) / d.length;
  });
  const out: Exchange[] = [];
  for (let i = 0; i < s.atoms.length; i++)
    for (let j = 0; j < i; j++) {
      const [p, q] = [s.atoms[i]!, s.atoms[j]!];
      if (p.element === q.element || multiplicity[i] !== multiplicity[j] || Math.abs(p.occupancy - q.occupancy) > 1e-6) continue;
      const [heavy, light] = z(p) > z(q) ? [p, q] : [q, p],
        ratio = z(heavy) / z(light);
      const shaken = heavy.uIso > light.uIso + 0.003;
      if (ratio > (shaken ? 1.5 : 1.25)) continue;
      const larger = radius(p.element) - radius(q.element),
        further = toAnions[i]! - toAnions[j]!;
      const cations = !isAnion(p.element) && !isAnion(q.element) && Math.abs(larger) > 0.05 && Math.abs(further) > 0.06;
      const contrary = cations && Math.sign(larger) !== Math.sign(further);
      // What distances have settled is left alone.
      if (!cations || contrary) out.push({ i, j, atMost: contrary ? 1.1 : 0.995 });
    }
  return out.sort((a, b) => b.atMost - a.atMost);
}
