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
  const known = Float64Array.from({ length: 256 }, (_, z) => element(z)?.covalentRadius ?? Number.NaN).map((r) =>
    Number.isFinite(r) ? r : 1.5,
  );
  const radii = Float64Array.from(m.atomicNumbers, (z) => known[z]!);
  const widest = radii.reduce((a, b) => Math.max(a, b), 0.3);
  const { cell, positions } = m;
  const area = cell[0]! * cell[4]! - cell[1]! * cell[3]!;
  const heightA = area / Math.hypot(cell[3]!, cell[4]!),
    heightB = area / Math.hypot(cell[0]!, cell[1]!);
  let low = Number.POSITIVE_INFINITY,
    high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    low = Math.min(low, positions[3 * i + 2]!);
    high = Math.max(high, positions[3 * i + 2]!);
  }
  // Boxes at least as wide as the longest distance asked for, and not many more of them than atoms.
  let reach = 2 * fraction * widest,
    na = 1,
    nb = 1,
    nz = 1;
  for (; ; reach *= 1.5) {
    na = Math.max(1, Math.floor(heightA / reach));
    nb = Math.max(1, Math.floor(heightB / reach));
    nz = Math.max(1, Math.ceil((high - low) / reach + 1e-9));
    if (na * nb * nz <= 8 * n + 64) break;
  }
  const head = new Int32Array(na * nb * nz).fill(-1),
    next = new Int32Array(n),
    box = new Int32Array(3 * n);
  for (let i = n - 1; i >= 0; i--) {
    const x = positions[3 * i]!,
      y = positions[3 * i + 1]!;
    const u = (x * cell[4]! - y * cell[3]!) / area,
      v = (y * cell[0]! - x * cell[1]!) / area;
    box[3 * i] = Math.min(na - 1, Math.floor((u - Math.floor(u)) * na));
    box[3 * i + 1] = Math.min(nb - 1, Math.floor((v - Math.floor(v)) * nb));
    box[3 * i + 2] = Math.min(nz - 1, Math.floor((positions[3 * i + 2]! - low) / reach));
    const at = (box[3 * i + 2]! * nb + box[3 * i + 1]!) * na + box[3 * i]!;
    next[i] = head[at]!;
    head[at] = i;
  }
  const out: Overlap[] = [];
  // With fewer than three boxes along an axis the neighbours repeat; look at each box once and at all images of its atoms.
  const around = (count: number): number[][] =>
    Array.from({ length: count }, (_, i) => [...new Set([i - 1, i, i + 1].map((k) => (k + count) % count))]);
  const aroundA = around(na),
    aroundB = around(nb);
  for (let p = 0; p < n; p++) {
    const k = box[3 * p + 2]!;
    for (let kk = Math.max(0, k - 1); kk <= Math.min(nz - 1, k + 1); kk++)
      for (const jj of aroundB[box[3 * p + 1]!]!)
        for (const ii of aroundA[box[3 * p]!]!)
          for (let q = head[(kk * nb + jj) * na + ii]!; q >= 0; q = next[q]!) {
            if (q < p) continue;
            const allowed = fraction * (radii[p]! + radii[q]!);
            if (Math.abs(positions[3 * q + 2]! - positions[3 * p + 2]!) >= allowed) continue;
            const distance = nearest(m, p, q, area);
            if (distance >= allowed) continue;
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
      const x = dx - (u + i) * cell[0]! - (v + j) * cell[3]!,
        y = dy - (u + i) * cell[1]! - (v + j) * cell[4]!;
      best = Math.min(best, x * x + y * y + dz * dz);
    }
  return Math.sqrt(best);
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
