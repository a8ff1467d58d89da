import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import type { Clusters } from "./cluster.js";
import { kdTree } from "./cluster-kdtree.js";
import { unionFind } from "./union-find.js";

/** Clusters, with the core points marked (1). Labels of noise are −1. */
export interface DbscanResult extends Clusters {
  readonly core: Uint8Array;
}
export interface DbscanOptions {
  /** Neighbourhood radius, in the points' unit. */
  readonly radius: number;
  /** Least number of points within the radius, the point itself counted, that make a core point. */
  readonly minPoints: number;
}

/**
 * Density-based clusters. Core points within the radius of each other are one cluster; a border point joins the cluster of its nearest
 * core point (so that the result does not depend on the order of the points); the rest is noise. As a generator, for long lists.
 * @param points - shape [n, dim], row-major
 * @see Ester, Kriegel, Sander & Xu (1996) Proc. KDD-96, 226
 */
export function* dbscanSteps(points: Float64Array, dim: number, { radius, minPoints }: DbscanOptions): Steps<DbscanResult> {
  if (!(radius > 0 && minPoints >= 1)) fail("bad-value", { radius, minPoints }, "radius is positive and minPoints at least 1");
  const tree = kdTree(points, dim),
    n = tree.size,
    core = new Uint8Array(n),
    sets = unionFind(n);
  const row = (i: number): Float64Array => points.subarray(i * dim, (i + 1) * dim);
  for (let i = 0; i < n; i++) {
    let count = 0;
    tree.within(row(i), radius, () => void count++);
    core[i] = count >= minPoints ? 1 : 0;
    if (i % 4096 === 4095) yield { done: i + 1, total: 2 * n, note: "neighbours counted" };
  }
  const host = new Int32Array(n).fill(-1);
  for (let i = 0; i < n; i++) {
    if (core[i]) tree.within(row(i), radius, (j) => void (j > i && core[j] && sets.union(i, j)));
    else {
      let best = Number.POSITIVE_INFINITY;
      tree.within(row(i), radius, (j, d) => {
        if (core[j] && (d < best || (d === best && j < host[i]!))) {
          best = d;
          host[i] = j;
        }
      });
    }
    if (i % 4096 === 4095) yield { done: n + i + 1, total: 2 * n, note: "clusters joined" };
  }
  const labels = new Int32Array(n).fill(-1),
    of = new Int32Array(n).fill(-1);
  let count = 0;
  for (let i = 0; i < n; i++) {
    const h = core[i] ? i : host[i]!;
    if (h < 0) continue;
    const r = sets.find(h);
    if (of[r]! < 0) of[r] = count++;
    labels[i] = of[r]!;
  }
  return { labels, count, core };
}

/** {@link dbscanSteps}, run to the end. */
export function dbscan(points: Float64Array, dim: number, options: DbscanOptions): DbscanResult {
  return runSync(dbscanSteps(points, dim, options));
}
