import { kdTree } from "../numerics/cluster-kdtree.js";

/** How traced or refined atoms compare with the truth. */
export interface AtomScore {
  /** Matched atoms over true atoms. */
  readonly found: number;
  /** Atoms without a partner over listed atoms. */
  readonly falseFraction: number;
  /** Root mean square length of the errors of matched atoms less their mean, pm. */
  readonly rmsdPm: number;
  /** Index of the true atom of every listed one, or −1. */
  readonly match: Int32Array;
  /** Mean shift that was removed, Å. */
  readonly shift: readonly [number, number, number];
}

/** Match one to one within `cutoff` Å, iterating the mean shift: the accuracy procedure of the AET papers. */
export function scoreAtoms(listed: Float64Array, truth: Float64Array, cutoff = 0.9): AtomScore {
  const n = listed.length / 3,
    tree = kdTree(truth, 3),
    shift: [number, number, number] = [0, 0, 0];
  let match = new Int32Array(n),
    count = 0,
    variance = 0;
  for (let round = 0; round < 30; round++) {
    const pairs: [number, number, number][] = [];
    for (let a = 0; a < n; a++) {
      const p = [0, 1, 2].map((k) => listed[3 * a + k]! - shift[k as 0]!);
      tree.within(p, cutoff, (b, d2) => pairs.push([d2, a, b]));
    }
    pairs.sort((x, y) => x[0] - y[0] || x[1] - y[1] || x[2] - y[2]);
    match = new Int32Array(n).fill(-1);
    const taken = new Set<number>(),
      mean: [number, number, number] = [0, 0, 0];
    let square = 0;
    for (const [d2, a, b] of pairs) {
      if (match[a]! >= 0 || taken.has(b)) continue;
      match[a] = b;
      taken.add(b);
      square += d2;
      for (let k = 0; k < 3; k++) mean[k]! += listed[3 * a + k]! - shift[k]! - truth[3 * b + k]!;
    }
    count = taken.size;
    for (let k = 0; k < 3; k++) mean[k]! /= count;
    variance = square / count - mean[0] ** 2 - mean[1] ** 2 - mean[2] ** 2;
    for (let k = 0; k < 3; k++) shift[k]! += mean[k]!;
    if (Math.hypot(...mean) < 1e-4) break;
  }
  return { found: count / (truth.length / 3), falseFraction: 1 - count / n, rmsdPm: 100 * Math.sqrt(Math.max(0, variance)), match, shift };
}
