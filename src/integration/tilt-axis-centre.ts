import type { Vec2 } from "../geometry/index.js";

/** A beam centre found from Friedel pairs, and the evidence. */
export interface PairCentre {
  readonly centrePx: Vec2;
  /** Summed weight of the midpoints within the search radius, and of the next best place on the frame. */
  readonly weight: number;
  readonly runnerUp: number;
}

export interface PairCentreOptions {
  readonly radiusPx?: number;
  /** Largest difference of tilt angle in a pair, degrees. */
  readonly windowDeg?: number;
  /** Strongest reflections used. */
  readonly maxReflections?: number;
}

/**
 * Beam centre of a series from its 3-D maxima alone: g and −g have the centre as their midpoint, other pairs have midpoints all over the
 * frame. The Ewald sphere reaches −g a few tenths of a degree after g, hence pairs within a window of tilt angles, each weighted by the
 * likeness of the two intensities (Friedel's law). The densest place of all midpoints is found on a grid of 2 px and refined by their
 * weighted mean. Needs no tilt axis and no lattice; single maxima rather than spots keep a long-lived reflection from counting many times.
 */
export function centreFromPairs(
  maxima: {
    readonly size: number;
    readonly px: Float64Array;
    readonly py: Float64Array;
    readonly alphaDeg: Float64Array;
    readonly intensity: Float64Array;
  },
  { radiusPx = 2.5, windowDeg = 3, maxReflections = 2000 }: PairCentreOptions = {},
): PairCentre {
  const { mids, box } = midpoints(maxima, windowDeg, maxReflections);
  const n = mids.length / 3,
    bin = 2,
    { x0, y0, x1, y1 } = box;
  if (n === 0) return { centrePx: [(x0 + x1) / 2, (y0 + y1) / 2], weight: 0, runnerUp: 0 };
  const nx = Math.ceil((x1 - x0) / bin) + 3,
    ny = Math.ceil((y1 - y0) / bin) + 3;
  const grid = new Float64Array(nx * ny);
  for (let k = 0; k < n; k++)
    grid[(1 + Math.floor((mids[3 * k + 1]! - y0) / bin)) * nx + 1 + Math.floor((mids[3 * k]! - x0) / bin)]! += mids[3 * k + 2]!;
  const block = new Float64Array(nx * ny);
  let at = 0;
  for (let j = 1; j < ny - 1; j++)
    for (let i = 1; i < nx - 1; i++) {
      let sum = 0;
      for (let dj = -1; dj <= 1; dj++) for (let di = -1; di <= 1; di++) sum += grid[(j + dj) * nx + i + di]!;
      block[j * nx + i] = sum;
      if (sum > block[at]!) at = j * nx + i;
    }
  const bx = at % nx,
    by = Math.floor(at / nx);
  let runnerUp = 0;
  for (let j = 0; j < ny; j++)
    for (let i = 0; i < nx; i++) if (Math.max(Math.abs(i - bx), Math.abs(j - by)) > 4) runnerUp = Math.max(runnerUp, block[j * nx + i]!);
  let cx = x0 + (bx - 0.5) * bin,
    cy = y0 + (by - 0.5) * bin,
    weight = 0;
  for (let round = 0; round < 30; round++) {
    const r = Math.max(radiusPx, 6 * 0.8 ** round);
    let sx = 0,
      sy = 0,
      sw = 0;
    weight = 0;
    for (let k = 0; k < n; k++) {
      const dx = mids[3 * k]! - cx,
        dy = mids[3 * k + 1]! - cy,
        d2 = (dx * dx + dy * dy) / (r * r);
      if (d2 > 1) continue;
      const w = mids[3 * k + 2]! * (1 - d2) ** 2;
      weight += mids[3 * k + 2]!;
      sw += w;
      sx += w * dx;
      sy += w * dy;
    }
    if (sw === 0) break;
    cx += sx / sw;
    cy += sy / sw;
  }
  return { centrePx: [cx, cy], weight, runnerUp };
}

interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Midpoints with weights, [n, 3], of all pairs within the window of tilt angles, and the box that holds all maxima. */
function midpoints(maxima: Parameters<typeof centreFromPairs>[0], windowDeg: number, most: number): { mids: Float64Array; box: Box } {
  const rows = Array.from(maxima.px.keys())
    .sort((a, b) => maxima.intensity[b]! - maxima.intensity[a]! || a - b)
    .slice(0, most)
    .sort((a, b) => maxima.alphaDeg[a]! - maxima.alphaDeg[b]! || a - b);
  const out: number[] = [];
  let x0 = Number.POSITIVE_INFINITY,
    y0 = x0,
    x1 = -x0,
    y1 = -x0;
  rows.forEach((i, at) => {
    const x = maxima.px[i]!,
      y = maxima.py[i]!,
      v = maxima.intensity[i]!;
    x0 = Math.min(x0, x);
    x1 = Math.max(x1, x);
    y0 = Math.min(y0, y);
    y1 = Math.max(y1, y);
    for (let b = at + 1; b < rows.length && maxima.alphaDeg[rows[b]!]! - maxima.alphaDeg[i]! <= windowDeg; b++) {
      const j = rows[b]!;
      const dx = maxima.px[j]! - x,
        dy = maxima.py[j]! - y;
      if (dx * dx + dy * dy < 100) continue; // one spot found twice, or flares of the direct beam
      const u = maxima.intensity[j]!;
      out.push(x + dx / 2, y + dy / 2, Math.max(0, Math.min(u, v) / Math.max(u, v)) ** 2);
    }
  });
  return { mids: Float64Array.from(out), box: { x0, y0, x1, y1 } };
}
