import { fail } from "../core/errors.js";
import { type NeighbourLists, neighbourLists } from "./order-bond.js";

/**
 * Warren–Cowley parameters α_ij = (p_ij − C_j)/(δ_ij − C_j), p_ij the fraction of j among the neighbours of i, made symmetric.
 * 0: random; for i ≠ j below 0: unlike neighbours sought.
 * @param species - 0 … k − 1
 * @param neighbours - lists, of `voronoiNeighbours` or any other; or a distance in Å: all that are nearer
 * @returns k × k
 * @see Cowley (1950) J. Appl. Phys. 21, 24; de Fontaine (1971) J. Appl. Cryst. 4, 15
 */
export function shortRangeOrder(positions: Float64Array, species: ArrayLike<number>, neighbours: NeighbourLists | number): Float64Array {
  const n = positions.length / 3;
  if (species.length !== n) fail("bad-shape", { species: species.length, atoms: n }, "one species per atom");
  if (typeof neighbours !== "number" && neighbours.start.length !== n + 1)
    fail("bad-shape", { lists: neighbours.start.length - 1, atoms: n }, "one list of neighbours per atom");
  let k = 0;
  for (let i = 0; i < n; i++) k = Math.max(k, species[i]! + 1);
  const { start, index } = typeof neighbours === "number" ? neighbourLists(positions, neighbours) : neighbours,
    pairs = new Float64Array(k * k),
    c = new Float64Array(k);
  for (let i = 0; i < n; i++) {
    c[species[i]!]! += 1 / n;
    for (let t = start[i]!; t < start[i + 1]!; t++) pairs[species[i]! * k + species[index[t]!]!]!++;
  }
  const alpha = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    const total = pairs.subarray(i * k, (i + 1) * k).reduce((s, v) => s + v, 0);
    for (let j = 0; j < k; j++) alpha[i * k + j] = (pairs[i * k + j]! / total - c[j]!) / ((i === j ? 1 : 0) - c[j]!);
  }
  return alpha.map((v, t) => 0.5 * (v + alpha[(t % k) * k + Math.floor(t / k)]!));
}

/** Number of ordered pairs (i, j) with distance in each bin of `step` Å from 0 to `most`: a radial distribution before any normalisation. */
export function pairCounts(
  positions: Float64Array,
  { step = 0.1, most = 10 }: { readonly step?: number; readonly most?: number } = {},
): {
  readonly radius: Float64Array;
  readonly counts: Float64Array;
} {
  const bins = Math.ceil(most / step),
    counts = new Float64Array(bins),
    { index, start } = neighbourLists(positions, bins * step);
  for (let i = 0; i < start.length - 1; i++)
    for (let t = start[i]!; t < start[i + 1]!; t++) {
      const j = index[t]!;
      const d = Math.hypot(...[0, 1, 2].map((k) => positions[3 * i + k]! - positions[3 * j + k]!));
      counts[Math.min(bins - 1, Math.floor(d / step))]!++;
    }
  return { radius: Float64Array.from({ length: bins }, (_, b) => (b + 0.5) * step), counts };
}
