import { differenceVectors } from "./difference-vectors.js";
import { indexVectors, type Orientation } from "./index-lattice.js";
import { findLattice, type LatticeOptions } from "./lattice.js";

/** One lattice of several in a series. */
export interface LatticeShare {
  readonly ub: Orientation;
  /** Vectors within the tolerance of this lattice, and of those the ones that no other lattice of the list explains. */
  readonly explained: number;
  readonly own: number;
}

export interface TwinOptions extends LatticeOptions {
  readonly maxLattices?: number;
  /** A further lattice must explain at least this many, and this fraction, of the vectors left over. */
  readonly minOwn?: number;
  readonly minShare?: number;
  /** Vectors closer to a lattice than this are explained by it, Å⁻¹. Default four times the rms of the first lattice's close vectors. */
  readonly distance?: number;
}

/**
 * Find several lattices in one set of vectors (twins, intergrown crystals): the first lattice's vectors are set aside, the search runs
 * again on the rest, and so on; then every lattice counts what it explains of the whole set. Sorted by the number explained.
 * @param r - vectors, Å⁻¹, [n, 3], the most trustworthy first
 * @param first - a lattice already found and refined, if there is one
 */
export function findLattices(r: Float64Array, first?: Orientation, options: TwinOptions = {}): readonly LatticeShare[] {
  const { maxLattices = 3, minOwn = 20, minShare = 0.5, tolerance = 0.2 } = options;
  const start = first ?? findLattice(r, differenceVectors(r), options)?.ub;
  if (!start) return [];
  const limit = options.distance ?? 4 * closeRms(r, start, tolerance);
  const found: Orientation[] = [start];
  let rest = outside(r, start, limit);
  while (found.length < maxLattices && rest.length / 3 >= minOwn) {
    const next = findLattice(rest, differenceVectors(rest, { minCount: 3 }), { tolerance: 0.15, ...options });
    if (!next) break;
    const left = outside(rest, next.ub, limit);
    const own = (rest.length - left.length) / 3;
    if (own < minOwn || own < (minShare * rest.length) / 3) break;
    found.push(next.ub);
    rest = left;
  }
  return latticeShares(r, found, limit).sort((a, b) => b.explained - a.explained);
}

/** What each of several lattices explains of a set of vectors, within a distance (default: four times the rms of the first lattice's), in the order given. */
export function latticeShares(r: Float64Array, lattices: readonly Orientation[], distance?: number): LatticeShare[] {
  const limit = distance ?? 4 * closeRms(r, lattices[0]!, 0.2);
  const on = lattices.map((ub) => indexVectors(r, ub, { tolerance: 0.5 }).distance);
  return lattices.map((ub, k) => {
    let explained = 0,
      own = 0;
    for (let i = 0; i < r.length / 3; i++) {
      if (on[k]![i]! > limit) continue;
      explained++;
      if (on.every((d, m) => m === k || d[i]! > limit)) own++;
    }
    return { ub, explained, own };
  });
}

/** Robust rms distance: 1.4826 × median over √(median of χ₃)… of the vectors within the index tolerance. */
export function closeRms(r: Float64Array, ub: Orientation, tolerance: number): number {
  const f = indexVectors(r, ub, { tolerance });
  const d = Array.from(f.distance)
    .filter((_, i) => f.indexed[i])
    .sort((a, b) => a - b);
  // The median distance of an isotropic normal cloud is 1.538 σ per axis, its rms √3 σ.
  return d.length ? (d[d.length >> 1]! * Math.sqrt(3)) / 1.538 : 0;
}

/** The vectors farther than the limit from every lattice point. */
export function outside(r: Float64Array, ub: Orientation, limit: number): Float64Array {
  const d = indexVectors(r, ub, { tolerance: 0.5 }).distance;
  const keep: number[] = [];
  for (let i = 0; i < d.length; i++) if (d[i]! > limit) keep.push(r[3 * i]!, r[3 * i + 1]!, r[3 * i + 2]!);
  return Float64Array.from(keep);
}
