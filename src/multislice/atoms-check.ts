import { fail } from "../core/errors.js";
import { element } from "../geometry/elements.js";
import type { AtomModel } from "./atoms.js";

/** Two atoms that are too close. */
export interface Overlap {
  readonly atoms: readonly [number, number];
  readonly elements: readonly [string, string];
  /** Å. */
  readonly distance: number;
  /** Smallest distance that was allowed, Å. */
  readonly allowed: number;
}

/**
 * Pairs of atoms closer than `fraction` of the sum of their covalent radii, periodic in the plane, closest first. Atoms that share a site (occupancies
 * that add up to no more than 1) may. Linear in the number of atoms: a list of boxes.
 */
export function overlaps(m: AtomModel, fraction = 0.5): readonly Overlap[] {
  const n = m.atomicNumbers.length;
  const radii = Array.from(m.atomicNumbers, (z) => {
    const r = element(z)?.covalentRadius ?? Number.NaN;
    return Number.isFinite(r) ? r : 1.5;
  });
  const reach = 2 * fraction * radii.reduce((a, b) => Math.max(a, b), 0.3);
  const { cell, positions } = m;
  const area = cell[0]! * cell[4]! - cell[1]! * cell[3]!;
  const heightA = area / Math.hypot(cell[3]!, cell[4]!),
    heightB = area / Math.hypot(cell[0]!, cell[1]!);
  const na = Math.max(1, Math.floor(heightA / reach)),
    nb = Math.max(1, Math.floor(heightB / reach));
  const bins = new Map<number, number[]>();
  const where = (i: number): [number, number, number] => {
    const x = positions[3 * i]!,
      y = positions[3 * i + 1]!;
    const u = (x * cell[4]! - y * cell[3]!) / area,
      v = (y * cell[0]! - x * cell[1]!) / area;
    return [
      Math.min(na - 1, Math.floor((u - Math.floor(u)) * na)),
      Math.min(nb - 1, Math.floor((v - Math.floor(v)) * nb)),
      Math.floor(positions[3 * i + 2]! / reach),
    ];
  };
  const key = (i: number, j: number, k: number): number => (k + 1048576) * na * nb + j * na + i;
  for (let i = 0; i < n; i++) {
    const at = key(...where(i)),
      list = bins.get(at);
    if (list) list.push(i);
    else bins.set(at, [i]);
  }
  const out: Overlap[] = [];
  // With fewer than three boxes along an axis the neighbours repeat; look at each box once and at all images of its atoms.
  const around = (count: number, i: number): number[] => [...new Set([i - 1, i, i + 1].map((k) => ((k % count) + count) % count))];
  for (let p = 0; p < n; p++) {
    const [i, j, k] = where(p);
    for (const kk of [k - 1, k, k + 1])
      for (const jj of around(nb, j))
        for (const ii of around(na, i))
          for (const q of bins.get(key(ii, jj, kk)) ?? []) {
            if (q < p) continue;
            const allowed = fraction * (radii[p]! + radii[q]!);
            const distance = nearest(m, p, q, area);
            if (distance >= allowed || (q === p && distance === 0)) continue;
            if (q !== p && (m.occupancy?.[p] ?? 1) + (m.occupancy?.[q] ?? 1) <= 1.001) continue;
            out.push({
              atoms: [p, q],
              elements: [element(m.atomicNumbers[p]!)!.symbol, element(m.atomicNumbers[q]!)!.symbol],
              distance,
              allowed,
            });
            if (out.length >= 1000) return out.sort((a, b) => a.distance - b.distance);
          }
  }
  return out.sort((a, b) => a.distance - b.distance);
}
/** Shortest distance over the images in the plane; of an atom to its own images for p = q. */
function nearest({ cell, positions }: AtomModel, p: number, q: number, area: number): number {
  const dx = positions[3 * q]! - positions[3 * p]!,
    dy = positions[3 * q + 1]! - positions[3 * p + 1]!,
    dz = positions[3 * q + 2]! - positions[3 * p + 2]!;
  const u = Math.round((dx * cell[4]! - dy * cell[3]!) / area),
    v = Math.round((dy * cell[0]! - dx * cell[1]!) / area);
  let best = Number.POSITIVE_INFINITY;
  for (let i = -1; i <= 1; i++)
    for (let j = -1; j <= 1; j++) {
      if (p === q && i === 0 && j === 0) continue;
      best = Math.min(best, Math.hypot(dx - (u + i) * cell[0]! - (v + j) * cell[3]!, dy - (u + i) * cell[1]! - (v + j) * cell[4]!, dz));
    }
  return best;
}

/**
 * Refuse a model that no crystal is: atoms on top of each other, atoms outside the box along the beam.
 * @param slack - how far atoms may reach out of the box along the beam, Å (thermal displacements)
 * @throws bad-value, with the atoms and distances
 */
export function checkAtoms(
  m: AtomModel,
  { fraction = 0.5, slack = 1e-6 }: { readonly fraction?: number; readonly slack?: number } = {},
): void {
  const n = m.atomicNumbers.length;
  if (n === 0) fail("bad-value", { atoms: 0 }, "the model holds no atoms");
  const list = overlaps(m, fraction);
  const worst = list[0];
  if (worst)
    fail(
      "bad-value",
      {
        pairs: list.length >= 1000 ? "1000 or more" : list.length,
        atoms: worst.atoms,
        elements: worst.elements.join(" and "),
        distance: Number(worst.distance.toFixed(3)),
        allowed: Number(worst.allowed.toFixed(3)),
      },
      "atoms overlap: check the positions, the units (Å), the box, and occupancies of disordered sites; atoms closer than half the sum of their covalent radii are refused",
    );
  const thickness = m.cell[8]!;
  for (let i = 0; i < n; i++) {
    const z = m.positions[3 * i + 2]!;
    if (!(z >= -slack && z <= thickness + slack))
      fail(
        "bad-value",
        { atom: i, z, thickness },
        "an atom lies outside the box along the beam: make the box thicker (padAtoms) or shift the atoms",
      );
  }
}
