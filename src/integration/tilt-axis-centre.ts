import type { Vec2 } from "../geometry/detector.js";
import type { PeakTable } from "./peak-table.js";

/** A beam centre found from Friedel pairs, and the evidence. */
export interface PairCentre {
  readonly centrePx: Vec2;
  /** Spot pairs whose midpoint lies within the search radius, and how many are expected there by chance. */
  readonly pairs: number;
  readonly chance: number;
}

/**
 * Beam centre of a series from its spots alone: g and −g of one frame have the centre as their midpoint, other pairs have midpoints
 * all over the frame. The densest place of all midpoints is found on a grid of 2 px, then refined by the mean of the midpoints within
 * `radiusPx`, with the smooth background of chance pairs leaving it unbiased by symmetry. Needs no intensity model, no tilt axis, no lattice.
 */
export function centreFromPairs(peaks: PeakTable, { radiusPx = 2, maxPerFrame = 400 } = {}): PairCentre {
  const mids = midpoints(peaks, maxPerFrame);
  const n = mids.length / 2,
    bin = 2;
  let x0 = Number.POSITIVE_INFINITY,
    y0 = x0,
    x1 = -x0,
    y1 = -x0;
  for (let i = 0; i < peaks.size; i++) {
    x0 = Math.min(x0, peaks.px[i]!);
    x1 = Math.max(x1, peaks.px[i]!);
    y0 = Math.min(y0, peaks.py[i]!);
    y1 = Math.max(y1, peaks.py[i]!);
  }
  if (n === 0) return { centrePx: [(x0 + x1) / 2, (y0 + y1) / 2], pairs: 0, chance: 0 };
  const nx = Math.ceil((x1 - x0) / bin) + 3,
    ny = Math.ceil((y1 - y0) / bin) + 3;
  const grid = new Float64Array(nx * ny);
  for (let k = 0; k < n; k++) grid[(1 + Math.floor((mids[2 * k + 1]! - y0) / bin)) * nx + 1 + Math.floor((mids[2 * k]! - x0) / bin)]! += 1;
  // The densest 3×3 block of bins.
  let best = -1,
    at = 0;
  for (let j = 1; j < ny - 1; j++)
    for (let i = 1; i < nx - 1; i++) {
      let sum = 0;
      for (let dj = -1; dj <= 1; dj++) for (let di = -1; di <= 1; di++) sum += grid[(j + dj) * nx + i + di]!;
      if (sum > best) [best, at] = [sum, j * nx + i];
    }
  let cx = x0 + ((at % nx) - 0.5) * bin,
    cy = y0 + (Math.floor(at / nx) - 0.5) * bin,
    pairs = 0;
  for (let round = 0; round < 30; round++) {
    let sx = 0,
      sy = 0,
      wide = 0;
    pairs = 0;
    const r = Math.max(radiusPx, 6 * 0.7 ** round);
    for (let k = 0; k < n; k++) {
      const dx = mids[2 * k]! - cx,
        dy = mids[2 * k + 1]! - cy,
        d2 = (dx * dx + dy * dy) / (r * r);
      if (d2 > 1) continue;
      const w = (1 - d2) ** 2;
      wide += w;
      sx += w * dx;
      sy += w * dy;
      pairs++;
    }
    if (wide === 0) break;
    cx += sx / wide;
    cy += sy / wide;
  }
  return { centrePx: [cx, cy], pairs, chance: chancePairs(mids, cx, cy, radiusPx) };
}

/** Midpoints of all pairs of spots of each frame, [n, 2]; crowded frames contribute their strongest spots. */
function midpoints(peaks: PeakTable, maxPerFrame: number): Float64Array {
  const byFrame = new Map<number, number[]>();
  for (let i = 0; i < peaks.size; i++) {
    const list = byFrame.get(peaks.frame[i]!);
    if (list) list.push(i);
    else byFrame.set(peaks.frame[i]!, [i]);
  }
  const out: number[] = [];
  for (const list of byFrame.values()) {
    const use = list.length <= maxPerFrame ? list : list.sort((a, b) => peaks.intensity[b]! - peaks.intensity[a]!).slice(0, maxPerFrame);
    for (let a = 0; a < use.length; a++)
      for (let b = a + 1; b < use.length; b++) {
        const i = use[a]!,
          j = use[b]!;
        if (Math.hypot(peaks.px[i]! - peaks.px[j]!, peaks.py[i]! - peaks.py[j]!) < 10) continue; // one spot found twice
        out.push((peaks.px[i]! + peaks.px[j]!) / 2, (peaks.py[i]! + peaks.py[j]!) / 2);
      }
  }
  return Float64Array.from(out);
}

/** Midpoints in a ring around the centre, scaled to the area of the search disk. */
function chancePairs(mids: Float64Array, cx: number, cy: number, r: number): number {
  const inner = 3 * r,
    outer = 8 * r;
  let count = 0;
  for (let k = 0; k < mids.length; k += 2) {
    const d = Math.hypot(mids[k]! - cx, mids[k + 1]! - cy);
    if (d > inner && d < outer) count++;
  }
  return (count * r * r) / (outer * outer - inner * inner);
}
