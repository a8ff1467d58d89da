import { determinant, inverse, type Map3 } from "../core/frames.js";
import { cellFromUB, type Mat3, transformUB } from "../geometry/metric.js";
import { niggliCell } from "../geometry/niggli.js";
import type { DifferenceCluster } from "./difference-vectors.js";
import { indexVectors, type Orientation, polishOrientation } from "./index-lattice.js";

/** A lattice found in a set of 3-D vectors: the Niggli-reduced primitive cell as an orientation matrix. */
export interface FoundLattice {
  readonly ub: Orientation;
  /** Volume of the cell, Å³. */
  readonly volume: number;
  /** Fraction of the vectors within the tolerance, less what a random set would give: (f − p)/(1 − p), p = (2·tolerance)³. */
  readonly score: number;
}

export interface LatticeOptions {
  /** Largest deviation from whole indices for a vector to count. */
  readonly tolerance?: number;
  /** Difference clusters from which bases are made. */
  readonly maxCandidates?: number;
  /** Largest cell volume allowed, Å³. */
  readonly maxVolume?: number;
  /** Vectors used to score (the first ones of the list). */
  readonly maxVectors?: number;
}

/**
 * Lattices that explain a set of 3-D vectors, best first: every triple of short, frequent difference vectors is a trial basis; each is
 * scored by how many vectors it indexes beyond chance. Among trials that index nearly as many as the best the smallest volume wins
 * (a supercell indexes everything that its cell does), index-2 and -3 supercells are removed by parity, and the result is Niggli reduced.
 * @param r - vectors, Å⁻¹, shape [n, 3], the most trustworthy first
 * @param clusters - from `differenceVectors` of the same vectors
 */
export function findLattice(
  r: Float64Array,
  clusters: readonly DifferenceCluster[],
  options: LatticeOptions = {},
): FoundLattice | undefined {
  const { tolerance = 0.2, maxCandidates = 36, maxVolume = 60_000, maxVectors = 400 } = options;
  const sample = r.subarray(0, 3 * Math.min(maxVectors, r.length / 3));
  const candidates = pickCandidates(clusters, maxCandidates);
  const trials: { ub: Orientation; volume: number; score: number }[] = [];
  for (let a = 0; a < candidates.length; a++)
    for (let b = a + 1; b < candidates.length; b++)
      for (let c = b + 1; c < candidates.length; c++) {
        const ub = columns(candidates[a]!.v, candidates[b]!.v, candidates[c]!.v);
        const det = Math.abs(determinant(ub));
        const size = candidates[a]!.length * candidates[b]!.length * candidates[c]!.length;
        if (det < 0.12 * size || 1 / det > maxVolume) continue; // nearly coplanar, or absurd
        trials.push({ ub, volume: 1 / det, score: quickScore(sample, ub, tolerance) });
      }
  if (trials.length === 0) return undefined;
  trials.sort((p, q) => q.score - p.score);
  const polished = trials.slice(0, 60).map((t) => {
    const ub = withoutSupercell(sample, polishOrientation(sample, t.ub, { tolerance }), tolerance);
    return { ub, volume: 1 / Math.abs(determinant(ub)), score: quickScore(sample, ub, tolerance) };
  });
  const top = polished.reduce((m, t) => Math.max(m, t.score), 0);
  const good = polished.filter((t) => t.score >= 0.95 * top && t.volume <= maxVolume);
  if (good.length === 0) return undefined;
  const smallest = good.reduce((m, t) => Math.min(m, t.volume), Number.POSITIVE_INFINITY);
  const best = good.filter((t) => t.volume < 1.2 * smallest).reduce((m, t) => (t.score > m.score ? t : m));
  const ub = polishOrientation(r, reduceOrientation(best.ub), { tolerance });
  return { ub, volume: 1 / Math.abs(determinant(ub)), score: quickScore(r, ub, tolerance) };
}

/** Short and frequent vectors, no exact multiples of one already taken: by count over length, which favours basis vectors over their sums. */
function pickCandidates(clusters: readonly DifferenceCluster[], max: number): readonly DifferenceCluster[] {
  const top = clusters.length ? clusters[0]!.count : 0;
  const frequent = clusters.filter((c) => c.count >= 0.12 * top);
  const byLength = [...frequent].sort((a, b) => a.length - b.length).slice(0, Math.ceil(max / 2));
  const byCount = frequent.slice(0, max);
  const out: DifferenceCluster[] = [];
  for (const c of [...byLength, ...byCount]) {
    if (out.length >= max) break;
    if (!out.includes(c)) out.push(c);
  }
  return out;
}

const columns = (a: readonly number[], b: readonly number[], c: readonly number[]): Orientation => [
  a[0]!,
  b[0]!,
  c[0]!,
  a[1]!,
  b[1]!,
  c[1]!,
  a[2]!,
  b[2]!,
  c[2]!,
]; // prettier-ignore

/** Indexed fraction beyond chance. */
function quickScore(r: Float64Array, ub: Orientation, tolerance: number): number {
  const m = inverse(ub),
    n = r.length / 3,
    p = (2 * tolerance) ** 3;
  let hit = 0;
  for (let i = 0; i < r.length; i += 3) {
    const x = r[i]!,
      y = r[i + 1]!,
      z = r[i + 2]!;
    const h = m[0] * x + m[1] * y + m[2] * z;
    if (Math.abs(h - Math.round(h)) > tolerance) continue;
    const k = m[3] * x + m[4] * y + m[5] * z;
    if (Math.abs(k - Math.round(k)) > tolerance) continue;
    const l = m[6] * x + m[7] * y + m[8] * z;
    if (Math.abs(l - Math.round(l)) <= tolerance) hit++;
  }
  return n ? (hit / n - p) / (1 - p) : 0;
}

/** The same lattice on its Niggli-reduced, right-handed basis. */
export function reduceOrientation(ub: Orientation): Orientation {
  const right: Orientation = determinant(ub) < 0 ? (ub.map((v) => -v) as unknown as Orientation) : ub;
  return transformUB(right, niggliCell(cellFromUB(right)).basis);
}

/** Row-reduced matrices of the sublattices of index 2 and 3 in hkl space: the real cells of half and a third of the volume. */
export const sublattices: readonly Mat3[] = [2, 3].flatMap((n) => {
  const out: Mat3[] = [];
  for (let x = 0; x < n; x++)
    for (let y = 0; y < n; y++) {
      out.push([n, x, y, 0, 1, 0, 0, 0, 1]);
      if (y === 0) out.push([1, 0, 0, 0, n, x, 0, 0, 1]);
    }
  out.push([1, 0, 0, 0, 1, 0, 0, 0, n]);
  return out;
});

/**
 * While at least 96 % of the indexed vectors lie on a sublattice of index 2 or 3, the cell is a supercell: take the sublattice's basis.
 * Columns of S are the new reciprocal basis on the old one, UB' = UB·S.
 */
export function withoutSupercell(r: Float64Array, start: Orientation, tolerance: number, share = 0.96): Orientation {
  let ub = start;
  for (let round = 0; round < 6; round++) {
    const found = indexVectors(r, ub, { tolerance });
    if (found.count < 6) return ub;
    const s = sublattices.find((m) => {
      const inv = inverse(m as Map3);
      let on = 0;
      for (let i = 0; i < found.size; i++) {
        if (!found.indexed[i]) continue;
        const h = found.hkl[3 * i]!,
          k = found.hkl[3 * i + 1]!,
          l = found.hkl[3 * i + 2]!;
        const whole = (v: number): boolean => Math.abs(v - Math.round(v)) < 1e-6;
        if (
          whole(inv[0] * h + inv[1] * k + inv[2] * l) &&
          whole(inv[3] * h + inv[4] * k + inv[5] * l) &&
          whole(inv[6] * h + inv[7] * k + inv[8] * l)
        )
          on++;
      }
      return on >= share * found.count;
    });
    if (!s) return ub;
    const product = (i: number, j: number): number =>
      ub[(3 * i) as 0]! * s[j as 0]! + ub[(3 * i + 1) as 1]! * s[(3 + j) as 3]! + ub[(3 * i + 2) as 2]! * s[(6 + j) as 6]!;
    ub = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => product(i, j))) as unknown as Orientation;
  }
  return ub;
}
