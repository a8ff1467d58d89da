import { fail } from "../core/errors.js";
import { kdTree } from "../numerics/cluster-kdtree.js";

/**
 * Nuclei by pointers: every atom with an order of at least `threshold` points to the atom of highest order within `radius` (itself when
 * it is that), pointers are followed to their roots. Order above 1 is reflected (2 − order).
 * @returns index of the root of every atom, −1 where the order is below the threshold
 * @see Zhou et al. (2019) Nature 570, 500; the published HEA nuclei are reproduced
 */
export function nucleiByOrder(
  positions: Float64Array,
  order: Float64Array,
  { threshold = 0.5, radius = 4 }: { readonly threshold?: number; readonly radius?: number } = {},
): Int32Array {
  const n = order.length;
  if (positions.length !== 3 * n) fail("bad-shape", { positions: positions.length, order: n }, "one order parameter per atom");
  const value = order.map((v) => (v > 1 ? 2 - v : v)),
    tree = kdTree(positions, 3),
    root = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    if (!(value[i]! >= threshold)) continue;
    let best = i;
    tree.within(positions.subarray(3 * i, 3 * i + 3), radius, (j) => {
      if (value[j]! > value[best]! || (value[j]! === value[best]! && j < best)) best = j;
    });
    root[i] = best;
  }
  for (let i = 0; i < n; i++) {
    if (root[i]! < 0) continue;
    let r = root[i]!;
    while (root[r]! !== r) r = root[r]!;
    root[i] = r;
  }
  return root;
}

/** A nucleus of one time and one of the next that share atoms. */
export interface NucleusLink {
  readonly before: number;
  readonly after: number;
  readonly shared: number;
  /** Shared atoms over all atoms of both. */
  readonly jaccard: number;
}
export interface NucleiChange {
  readonly links: readonly NucleusLink[];
  readonly kept: readonly (NucleusLink & { readonly change: "growth" | "shrinkage" | "fluctuation" })[];
  readonly dissolved: readonly number[];
  readonly born: readonly number[];
  /** Several nuclei that became one, and one that became several. */
  readonly merged: readonly { readonly before: readonly number[]; readonly after: number }[];
  readonly divided: readonly { readonly before: number; readonly after: readonly number[] }[];
}

/**
 * Nuclei of two times as a bipartite graph: an edge where at least `least` atoms are shared and either the Jaccard index is `jaccard` or
 * more, or `contained` of the smaller one lies in the other. The rule of the publications is not stated; it is a parameter here.
 * @param before - root of every atom of the first model, −1: none
 * @param after - of the second model
 * @param partner - atom of the second model for every atom of the first, −1: none (see `matchAtoms`)
 */
export function nucleiChange(
  before: Int32Array,
  after: Int32Array,
  partner: Int32Array,
  {
    jaccard = 0.3,
    contained = 0.5,
    least = 5,
    minAtoms = 13,
    steady = 0.15,
  }: {
    readonly jaccard?: number;
    readonly contained?: number;
    readonly least?: number;
    readonly minAtoms?: number;
    readonly steady?: number;
  } = {},
): NucleiChange {
  if (partner.length !== before.length)
    fail("bad-shape", { partner: partner.length, atoms: before.length }, "one partner (or −1) per atom of the first model");
  const sizes = (root: Int32Array): Map<number, number> => {
    const m = new Map<number, number>();
    for (const r of root) if (r >= 0) m.set(r, (m.get(r) ?? 0) + 1);
    for (const [r, s] of m) if (s < minAtoms) m.delete(r);
    return m;
  };
  const a = sizes(before),
    b = sizes(after),
    shared = new Map<string, number>();
  before.forEach((r, i) => {
    const j = partner[i]!,
      s = j >= 0 ? after[j]! : -1;
    if (a.has(r) && b.has(s)) shared.set(`${r} ${s}`, (shared.get(`${r} ${s}`) ?? 0) + 1);
  });
  const links: NucleusLink[] = [];
  for (const [key, count] of shared) {
    const [r, s] = key.split(" ").map(Number) as [number, number],
      index = count / (a.get(r)! + b.get(s)! - count);
    if (count >= least && (index >= jaccard || count >= contained * Math.min(a.get(r)!, b.get(s)!)))
      links.push({ before: r, after: s, shared: count, jaccard: index });
  }
  links.sort((x, y) => x.before - y.before || x.after - y.after);
  const of = (r: number): NucleusLink[] => links.filter((l) => l.before === r),
    to = (s: number): NucleusLink[] => links.filter((l) => l.after === s);
  const keys = (m: Map<number, number>): number[] => [...m.keys()].sort((x, y) => x - y);
  return {
    links,
    kept: links
      .filter((l) => of(l.before).length === 1 && to(l.after).length === 1)
      .map((l) => {
        const ratio = b.get(l.after)! / a.get(l.before)!;
        return { ...l, change: ratio > 1 + steady ? "growth" : ratio < 1 - steady ? "shrinkage" : "fluctuation" } as const;
      }),
    dissolved: keys(a).filter((r) => of(r).length === 0),
    born: keys(b).filter((s) => to(s).length === 0),
    merged: keys(b)
      .filter((s) => to(s).length > 1)
      .map((s) => ({ before: to(s).map((l) => l.before), after: s })),
    divided: keys(a)
      .filter((r) => of(r).length > 1)
      .map((r) => ({ before: r, after: of(r).map((l) => l.after) })),
  };
}
