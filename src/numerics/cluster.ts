import { fail } from "../core/errors.js";
import { kdTree } from "./cluster-kdtree.js";
import { unionFind } from "./union-find.js";

/** Labels 0 … count − 1 of every point, in order of first appearance; −1 is noise where a method has such. */
export interface Clusters {
  readonly labels: Int32Array;
  readonly count: number;
}

/** Connected parts of a graph on n nodes. @param edges - shape [m, 2] */
export function clusterGraph(n: number, edges: ArrayLike<number>): Clusters {
  if (edges.length % 2 !== 0) fail("bad-shape", { length: edges.length }, "edges are pairs of node numbers, [m, 2]");
  const sets = unionFind(n);
  for (let k = 0; k < edges.length; k += 2) {
    const i = edges[k]!,
      j = edges[k + 1]!;
    if (!(i >= 0 && i < n && j >= 0 && j < n)) fail("out-of-range", { edge: [i, j], n }, "nodes are numbered from 0 to n − 1");
    sets.union(i, j);
  }
  return sets.labels();
}

/** Points joined by chains of steps no longer than `radius`: single linkage cut at that distance. @param points - [n, dim] */
export function clusterWithin(points: Float64Array, dim: number, radius: number): Clusters {
  const tree = kdTree(points, dim),
    sets = unionFind(tree.size);
  for (let i = 0; i < tree.size; i++) tree.within(points.subarray(i * dim, (i + 1) * dim), radius, (j) => void (j > i && sets.union(i, j)));
  return sets.labels();
}

/** One merge of a dendrogram: clusters a and b (0 … n−1 are points, n + k is the k-th merge) joined at a distance. */
export interface Merge {
  readonly a: number;
  readonly b: number;
  readonly distance: number;
  readonly size: number;
}

/**
 * Single-linkage hierarchy: minimum spanning tree by Prim's algorithm, O(n²) time and O(n) memory, merges in order of distance.
 * The merges are numbered as scipy.cluster.hierarchy does.
 */
export function singleLinkage(points: Float64Array, dim: number): readonly Merge[] {
  if (points.length % dim !== 0) fail("bad-shape", { length: points.length, dim }, "points are [n, dim] row-major");
  const n = points.length / dim,
    near = new Float64Array(n).fill(Number.POSITIVE_INFINITY),
    from = new Int32Array(n),
    done = new Uint8Array(n);
  const edges: { i: number; j: number; d: number }[] = [];
  for (let k = 1, at = 0; k < n; k++) {
    done[at] = 1;
    let next = -1,
      least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < n; j++) {
      if (done[j]) continue;
      let d = 0;
      for (let c = 0; c < dim; c++) d += (points[at * dim + c]! - points[j * dim + c]!) ** 2;
      if (d < near[j]!) {
        near[j] = d;
        from[j] = at;
      }
      if (near[j]! < least) {
        least = near[j]!;
        next = j;
      }
    }
    if (next < 0) fail("bad-value", {}, "distances are not finite; select the measured points first");
    edges.push({ i: from[next]!, j: next, d: Math.sqrt(least) });
    at = next;
  }
  edges.sort((a, b) => a.d - b.d);
  const sets = unionFind(n),
    name = Int32Array.from({ length: n }, (_, i) => i);
  return edges.map(({ i, j, d }, k) => {
    const p = name[sets.find(i)]!,
      q = name[sets.find(j)]!;
    sets.union(i, j);
    name[sets.find(i)] = n + k;
    return { a: Math.min(p, q), b: Math.max(p, q), distance: d, size: sets.count(i) };
  });
}

/** Clusters of a dendrogram of n points, cut at a distance (merges up to it are made). */
export function cutLinkage(n: number, merges: readonly Merge[], distance: number): Clusters {
  const sets = unionFind(n),
    member = new Int32Array(n + merges.length);
  for (let i = 0; i < n; i++) member[i] = i;
  merges.forEach((m, k) => {
    member[n + k] = member[m.a]!;
    if (m.distance <= distance) sets.union(member[m.a]!, member[m.b]!);
  });
  return sets.labels();
}
