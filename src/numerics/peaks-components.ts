import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { unionFind } from "./union-find.js";

/** Label image: 0 outside, 1 … count inside, numbered by each component's first pixel in row order. */
export interface Labels {
  readonly labels: Int32Array;
  readonly shape: readonly [number, number];
  readonly count: number;
}

/** Connected components of the pixels that are not 0; neighbours share a side (4) or also a corner (8). */
export function labelComponents({ data, shape: [ny, nx] }: Image<TypedArray>, connectivity: 4 | 8 = 4): Labels {
  if (data.length !== ny * nx) fail("bad-shape", { length: data.length, shape: [ny, nx] }, "an image holds ny·nx values");
  // First pass: provisional labels and their equivalences; second pass: final numbers.
  const labels = new Int32Array(data.length),
    parents: number[] = [0];
  const find = (start: number): number => {
    let i = start;
    while (parents[i] !== i) {
      parents[i] = parents[parents[i]!]!;
      i = parents[i]!;
    }
    return i;
  };
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) {
      if (!data[i]) continue;
      let own = 0;
      const meet = (l: number): void => {
        if (l === 0) return;
        const r = find(l);
        if (own === 0) own = r;
        else if (r !== own) {
          const [a, b] = r < own ? [r, own] : [own, r];
          parents[b] = a;
          own = a;
        }
      };
      if (x > 0) meet(labels[i - 1]!);
      if (y > 0) {
        meet(labels[i - nx]!);
        if (connectivity === 8) {
          if (x > 0) meet(labels[i - nx - 1]!);
          if (x < nx - 1) meet(labels[i - nx + 1]!);
        }
      }
      if (own === 0) {
        own = parents.length;
        parents.push(own);
      }
      labels[i] = own;
    }
  const final = new Int32Array(parents.length);
  let count = 0;
  for (let i = 0; i < labels.length; i++) {
    const l = labels[i]!;
    if (l === 0) continue;
    const r = find(l);
    if (final[r] === 0) final[r] = ++count;
    labels[i] = final[r]!;
  }
  return { labels, shape: [ny, nx], count };
}

/** Properties of components as columns; row k − 1 belongs to label k. Weighted by the image's values when one is given. */
export interface ComponentTable {
  readonly size: number;
  /** Number of pixels. */
  readonly area: Int32Array;
  /** Sum of the weights (the area when there is no image). */
  readonly sum: Float64Array;
  readonly max: Float64Array;
  /** Centre of mass, pixels. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Second central moments, pixels². */
  readonly varX: Float64Array;
  readonly varY: Float64Array;
  readonly covXY: Float64Array;
  /** Bounding box [x0, y0, x1, y1] inclusive, shape [size, 4]. */
  readonly box: Int32Array;
}

export function measureComponents({ labels, shape: [ny, nx], count }: Labels, weights?: Image): ComponentTable {
  if (weights && weights.data.length !== labels.length)
    fail("bad-shape", { weights: weights.shape, labels: [ny, nx] }, "image and labels have one shape");
  const f = (): Float64Array => new Float64Array(count);
  const t = {
    size: count,
    area: new Int32Array(count),
    sum: f(),
    max: f().fill(Number.NEGATIVE_INFINITY),
    x: f(),
    y: f(),
    varX: f(),
    varY: f(),
    covXY: f(),
    box: new Int32Array(4 * count),
  };
  for (let k = 0; k < count; k++) t.box.set([nx, ny, -1, -1], 4 * k);
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) {
      const k = labels[i]! - 1;
      if (k < 0) continue;
      const w = weights ? weights.data[i]! : 1,
        b = 4 * k;
      t.area[k]!++;
      if (w > t.max[k]!) t.max[k] = w;
      if (x < t.box[b]!) t.box[b] = x;
      if (y < t.box[b + 1]!) t.box[b + 1] = y;
      if (x > t.box[b + 2]!) t.box[b + 2] = x;
      if (y > t.box[b + 3]!) t.box[b + 3] = y;
      // Weighted running moments (West's update): no cancellation far from the origin.
      const total = t.sum[k]! + w;
      t.sum[k] = total;
      if (total === 0) continue;
      const dx = x - t.x[k]!,
        dy = y - t.y[k]!;
      t.x[k]! += (dx * w) / total;
      t.y[k]! += (dy * w) / total;
      t.varX[k]! += w * dx * (x - t.x[k]!);
      t.varY[k]! += w * dy * (y - t.y[k]!);
      t.covXY[k]! += w * dx * (y - t.y[k]!);
    }
  for (let k = 0; k < count; k++) for (const column of [t.varX, t.varY, t.covXY]) column[k]! /= t.sum[k]!;
  return t;
}

/**
 * Watershed of the image's hills: pixels above `threshold` in order of falling value join the hill of their higher neighbours; where two
 * hills meet, they merge if the lower of the two rises less than `depth` above the meeting point, else the border stays.
 * @see Vincent & Soille (1991) IEEE Trans. PAMI 13, 583, doi:10.1109/34.87344 (flooding); merging by dynamics: Grimaud (1992)
 */
export function watershed(
  image: Image,
  { threshold, depth = 0, connectivity = 8 }: { readonly threshold: number; readonly depth?: number; readonly connectivity?: 4 | 8 },
): Labels {
  const { data } = image,
    [ny, nx] = image.shape;
  const order: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i]! > threshold) order.push(i);
  order.sort((a, b) => data[b]! - data[a]! || a - b);
  const hill = new Int32Array(data.length).fill(-1),
    peak: number[] = [];
  const sets = unionFind(order.length),
    summit = new Int32Array(order.length); // by set representative: the hill's highest hill number
  for (const i of order) {
    const x = i % nx,
      y = (i - x) / nx,
      near: number[] = [];
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        if ((dx === 0 && dy === 0) || (connectivity === 4 && dx !== 0 && dy !== 0)) continue;
        if (x + dx < 0 || x + dx >= nx || y + dy < 0 || y + dy >= ny) continue;
        const h = hill[i + dy * nx + dx]!;
        if (h >= 0 && !near.includes(summit[sets.find(h)]!)) near.push(summit[sets.find(h)]!);
      }
    if (near.length === 0) {
      const h = peak.length;
      peak.push(data[i]!);
      summit[h] = h;
      hill[i] = h;
      continue;
    }
    near.sort((a, b) => a - b); // hills are numbered by falling summit
    const own = near[0]!;
    hill[i] = own;
    for (const other of near.slice(1))
      if (peak[other]! - data[i]! < depth) {
        sets.union(own, other);
        summit[sets.find(own)] = own;
      }
  }
  const labels = new Int32Array(data.length),
    of = new Map<number, number>();
  for (let i = 0; i < data.length; i++) {
    if (hill[i]! < 0) continue;
    const h = summit[sets.find(hill[i]!)]!;
    if (!of.has(h)) of.set(h, of.size + 1);
    labels[i] = of.get(h)!;
  }
  return { labels, shape: [ny, nx], count: of.size };
}
