import { fail } from "../core/errors.js";

/** A k-d tree over points [n, dim]: neighbours within a radius and nearest neighbours, Euclidean. */
export interface KdTree {
  readonly size: number;
  readonly dim: number;
  /** Call `visit` with the index and squared distance of every point within `radius` (inclusive) of `point`, in no given order. */
  within(point: ArrayLike<number>, radius: number, visit: (index: number, distance2: number) => void): void;
  /** The `count` nearest points, nearest first; ties by the tree's order. */
  nearest(point: ArrayLike<number>, count?: number): { readonly index: Int32Array; readonly distance: Float64Array };
}

const LEAF = 12;

/**
 * Build a tree in O(n log n). Points are copied in tree order, so queries walk through memory.
 * @param points - shape [n, dim], row-major; must be finite
 * @see Bentley (1975) Commun. ACM 18, 509, doi:10.1145/361002.361007
 */
export function kdTree(points: Float64Array | Float32Array, dim: number): KdTree {
  if (!(Number.isInteger(dim) && dim > 0 && points.length % dim === 0))
    fail("bad-shape", { length: points.length, dim }, "points are [n, dim] row-major: x0 y0 z0 x1 y1 z1 …");
  for (let i = 0; i < points.length; i++)
    if (!Number.isFinite(points[i]!))
      fail("bad-value", { index: Math.floor(i / dim), value: points[i] }, "a tree holds finite points; select the measured rows first");
  const n = points.length / dim;
  const order = Int32Array.from({ length: n }, (_, i) => i),
    axes = new Uint16Array(n);
  const at = (i: number, k: number): number => points[order[i]! * dim + k]!;
  const widest = (lo: number, hi: number): number => {
    let best = 0,
      spread = -1;
    for (let k = 0; k < dim; k++) {
      let a = Number.POSITIVE_INFINITY,
        b = Number.NEGATIVE_INFINITY;
      for (let i = lo; i < hi; i++) {
        const v = at(i, k);
        if (v < a) a = v;
        if (v > b) b = v;
      }
      if (b - a > spread) {
        spread = b - a;
        best = k;
      }
    }
    return best;
  };
  const select = (from: number, to: number, k: number, axis: number): void => {
    let lo = from,
      hi = to - 1;
    while (lo < hi) {
      const pivot = at((lo + hi) >> 1, axis);
      let i = lo,
        j = hi;
      while (i <= j) {
        while (at(i, axis) < pivot) i++;
        while (at(j, axis) > pivot) j--;
        if (i <= j) {
          const t = order[i]!;
          order[i++] = order[j]!;
          order[j--] = t;
        }
      }
      if (k <= j) hi = j;
      else if (k >= i) lo = i;
      else return;
    }
  };
  const build = (lo: number, hi: number): void => {
    if (hi - lo <= LEAF) return;
    const mid = (lo + hi) >> 1,
      axis = widest(lo, hi);
    select(lo, hi, mid, axis);
    axes[mid] = axis;
    build(lo, mid);
    build(mid + 1, hi);
  };
  build(0, n);
  const p = new Float64Array(points.length);
  for (let i = 0; i < n; i++) for (let k = 0; k < dim; k++) p[i * dim + k] = at(i, k);

  const distance2 = (i: number, q: ArrayLike<number>): number => {
    let s = 0;
    for (let k = 0, o = i * dim; k < dim; k++, o++) {
      const d = p[o]! - q[k]!;
      s += d * d;
    }
    return s;
  };
  const search = (
    lo: number,
    hi: number,
    q: ArrayLike<number>,
    r: number,
    r2: number,
    visit: (index: number, d2: number) => void,
  ): void => {
    if (hi - lo <= LEAF) {
      for (let i = lo; i < hi; i++) {
        const d = distance2(i, q);
        if (d <= r2) visit(order[i]!, d);
      }
      return;
    }
    const mid = (lo + hi) >> 1,
      axis = axes[mid]!,
      gap = q[axis]! - p[mid * dim + axis]!;
    if (gap <= r) search(lo, mid, q, r, r2, visit);
    const d = distance2(mid, q);
    if (d <= r2) visit(order[mid]!, d);
    if (gap >= -r) search(mid + 1, hi, q, r, r2, visit);
  };
  return {
    size: n,
    dim,
    within: (q, radius, visit) => search(0, n, q, radius, radius * radius, visit),
    nearest(q, count = 1) {
      const want = Math.min(count, n),
        index = new Int32Array(want),
        best = new Float64Array(want).fill(Number.POSITIVE_INFINITY);
      const offer = (i: number): void => {
        const d = distance2(i, q);
        if (!(d < best[want - 1]!)) return;
        let k = want - 1;
        for (; k > 0 && best[k - 1]! > d; k--) {
          best[k] = best[k - 1]!;
          index[k] = index[k - 1]!;
        }
        best[k] = d;
        index[k] = order[i]!;
      };
      const walk = (lo: number, hi: number): void => {
        if (hi - lo <= LEAF) {
          for (let i = lo; i < hi; i++) offer(i);
          return;
        }
        const mid = (lo + hi) >> 1,
          axis = axes[mid]!,
          gap = q[axis]! - p[mid * dim + axis]!;
        if (gap <= 0) walk(lo, mid);
        else walk(mid + 1, hi);
        offer(mid);
        if (gap * gap < best[want - 1]!) {
          if (gap <= 0) walk(mid + 1, hi);
          else walk(lo, mid);
        }
      };
      if (want > 0) walk(0, n);
      return { index, distance: best.map(Math.sqrt) };
    },
  };
}
