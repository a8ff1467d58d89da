import { fail } from "../core/errors.js";
import type { Rng } from "../core/rng.js";

export interface KMeansOptions {
  readonly rng: Rng;
  readonly maxIterations?: number;
  /** Independent starts; the one with the least inertia wins. */
  readonly starts?: number;
}
export interface KMeansResult {
  readonly status: "converged" | "max-iterations";
  readonly labels: Int32Array;
  /** Shape [k, dim]. */
  readonly centres: Float64Array;
  /** Σ squared distances to the own centre. */
  readonly inertia: number;
  readonly iterations: number;
}

/**
 * k-means by Lloyd's iteration from k-means++ starts.
 * @param points - shape [n, dim], n >= k
 * @see Arthur & Vassilvitskii (2007) Proc. SODA, 1027
 */
export function kMeans(
  points: Float64Array,
  dim: number,
  k: number,
  { rng, maxIterations = 300, starts = 8 }: KMeansOptions,
): KMeansResult {
  const n = points.length / dim;
  if (!(Number.isInteger(n) && Number.isInteger(k) && k >= 1 && n >= k))
    fail("bad-shape", { length: points.length, dim, k }, "points are [n, dim], and there are at least as many of them as clusters");
  let best: KMeansResult | undefined;
  for (let s = 0; s < starts; s++) {
    const r = lloyd(points, dim, plusPlus(points, dim, k, rng.fork(s)), maxIterations);
    if (!best || r.inertia < best.inertia) best = r;
  }
  return best!;
}

function distance2(a: Float64Array, i: number, b: Float64Array, j: number, dim: number): number {
  let s = 0;
  for (let c = 0; c < dim; c++) s += (a[i * dim + c]! - b[j * dim + c]!) ** 2;
  return s;
}

function plusPlus(points: Float64Array, dim: number, k: number, rng: Rng): Float64Array {
  const n = points.length / dim,
    centres = new Float64Array(k * dim),
    near = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  let chosen = rng.integer(n);
  for (let j = 0; j < k; j++) {
    centres.set(points.subarray(chosen * dim, (chosen + 1) * dim), j * dim);
    let total = 0;
    for (let i = 0; i < n; i++) {
      near[i] = Math.min(near[i]!, distance2(points, i, centres, j, dim));
      total += near[i]!;
    }
    let u = rng.uniform() * total;
    chosen = n - 1;
    for (let i = 0; i < n; i++) {
      u -= near[i]!;
      if (u < 0) {
        chosen = i;
        break;
      }
    }
  }
  return centres;
}

function lloyd(points: Float64Array, dim: number, start: Float64Array, maxIterations: number): KMeansResult {
  const n = points.length / dim,
    k = start.length / dim,
    labels = new Int32Array(n).fill(-1),
    centres = start;
  let inertia = 0,
    iterations = 0,
    changed = true;
  while (changed && iterations < maxIterations) {
    iterations++;
    changed = false;
    inertia = 0;
    const sums = new Float64Array(k * dim),
      counts = new Int32Array(k);
    let far = 0,
      farthest = -1;
    for (let i = 0; i < n; i++) {
      let best = Number.POSITIVE_INFINITY,
        own = 0;
      for (let j = 0; j < k; j++) {
        const d = distance2(points, i, centres, j, dim);
        if (d < best) {
          best = d;
          own = j;
        }
      }
      if (labels[i] !== own) {
        labels[i] = own;
        changed = true;
      }
      inertia += best;
      if (best > farthest) {
        farthest = best;
        far = i;
      }
      counts[own]!++;
      for (let c = 0; c < dim; c++) sums[own * dim + c]! += points[i * dim + c]!;
    }
    for (let j = 0; j < k; j++)
      for (let c = 0; c < dim; c++) {
        // An empty cluster starts anew at the point that fits worst.
        centres[j * dim + c] = counts[j]! > 0 ? sums[j * dim + c]! / counts[j]! : points[far * dim + c]!;
        if (counts[j] === 0) changed = farthest > 0;
      }
  }
  return { status: changed ? "max-iterations" : "converged", labels, centres, inertia, iterations };
}
