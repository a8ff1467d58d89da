import type { Image } from "../core/image.js";
import type { SpotTable } from "./spots.js";

/** Where the direct beam hits the frame. */
export interface CentreEstimate {
  /** px; an integer is the centre of a pixel. NaN when nothing was found. */
  readonly x: number;
  readonly y: number;
  /** Standard deviation, px. */
  readonly sigma: number;
  /** Friedel pairs used, or pixels of the direct beam. */
  readonly count: number;
  readonly method: "direct-beam" | "friedel-pairs" | "none";
}

const nowhere: CentreEstimate = { x: Number.NaN, y: Number.NaN, sigma: Number.NaN, count: 0, method: "none" };

/**
 * Centroid of the direct beam: the brightest smooth region within `radius` of the guess (whole frame when there is none), weighted
 * above half of its height, so that a saturated top or a flat disc does not pull it. Behind a beam stop use `centreFromFriedelPairs`.
 */
export function centreFromDirectBeam(
  frame: Image,
  { guess, radius = Number.POSITIVE_INFINITY, mask }: { guess?: readonly [number, number]; radius?: number; mask?: Uint8Array } = {},
): CentreEstimate {
  const [ny, nx] = frame.shape,
    { data } = frame,
    h = 2;
  let best = Number.NEGATIVE_INFINITY,
    bx = -1,
    by = -1;
  for (let y = h; y < ny - h; y++)
    for (let x = h; x < nx - h; x++) {
      if (guess && (x - guess[0]) ** 2 + (y - guess[1]) ** 2 > radius * radius) continue;
      if (data[y * nx + x]! * 25 <= best * 0.2) continue; // cannot win: far below a fifth of the best mean
      let s = 0;
      for (let j = -h; j <= h; j++) for (let i = -h; i <= h; i++) s += mask?.[(y + j) * nx + x + i] ? 0 : data[(y + j) * nx + x + i]!;
      if (s > best) {
        best = s;
        bx = x;
        by = y;
      }
    }
  if (bx < 0 || best <= 0) return nowhere;
  const top = best / (2 * h + 1) ** 2;
  // Flood the pixels above half height that hang together with the top.
  const seen = new Set<number>([by * nx + bx]),
    queue = [by * nx + bx];
  let w = 0,
    wx = 0,
    wy = 0,
    wxx = 0;
  while (queue.length > 0 && seen.size < 20_000) {
    const i = queue.pop()!,
      x = i % nx,
      y = (i - x) / nx,
      v = data[i]! - top / 2;
    if (v <= 0) continue;
    w += v;
    wx += v * x;
    wy += v * y;
    wxx += v * ((x - bx) ** 2 + (y - by) ** 2);
    for (const j of [x > 0 ? i - 1 : -1, x + 1 < nx ? i + 1 : -1, y > 0 ? i - nx : -1, y + 1 < ny ? i + nx : -1])
      if (j >= 0 && !seen.has(j) && !mask?.[j]) {
        seen.add(j);
        queue.push(j);
      }
  }
  if (w <= 0) return nowhere;
  return { x: wx / w, y: wy / w, sigma: Math.sqrt(wxx / w / Math.max(1, w)), count: seen.size, method: "direct-beam" };
}

/**
 * Centre from Friedel pairs: spots p and q of one frame with p + q = 2·centre. The midpoints of all pairs are counted on a grid about
 * the guess; the densest place is refined by the mean of the pairs that agree within `tolerance`. For flat Ewald spheres g and −g
 * are seen together on frames near a zone axis or thanks to mosaicity, spot size and the width of the frame.
 * @param guess - px; the search covers `radius` around it
 */
export function centreFromFriedelPairs(
  spots: Pick<SpotTable, "size" | "x" | "y" | "intensity">,
  guess: readonly [x: number, y: number],
  {
    radius = 15,
    tolerance = 1,
    minPairs = 4,
    maxSpots = 400,
  }: { radius?: number; tolerance?: number; minPairs?: number; maxSpots?: number } = {},
): CentreEstimate {
  const n = Math.min(spots.size, maxSpots),
    cell = tolerance / 2,
    side = 2 * Math.ceil(radius / cell) + 1,
    half = side >> 1;
  const grid = new Float32Array(side * side),
    mids: number[] = [];
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const mx = (spots.x[i]! + spots.x[j]!) / 2 - guess[0],
        my = (spots.y[i]! + spots.y[j]!) / 2 - guess[1];
      if (Math.abs(mx) > radius || Math.abs(my) > radius) continue;
      // Pairs closer than a few pixels are one spot found twice.
      if (Math.hypot(spots.x[i]! - spots.x[j]!, spots.y[i]! - spots.y[j]!) < 8) continue;
      mids.push(mx, my);
      grid[(Math.round(my / cell) + half) * side + Math.round(mx / cell) + half]!++;
    }
  let best = 0,
    gx = 0,
    gy = 0;
  for (let y = 1; y < side - 1; y++)
    for (let x = 1; x < side - 1; x++) {
      let s = 0;
      for (let j = -1; j <= 1; j++) for (let i = -1; i <= 1; i++) s += grid[(y + j) * side + x + i]!;
      if (s > best) {
        best = s;
        gx = (x - half) * cell;
        gy = (y - half) * cell;
      }
    }
  if (best < minPairs) return nowhere;
  let count = 0,
    variance = 0;
  for (let round = 0; round < 8; round++) {
    let sx = 0,
      sy = 0,
      s2 = 0;
    count = 0;
    for (let k = 0; k < mids.length; k += 2) {
      const d2 = (mids[k]! - gx) ** 2 + (mids[k + 1]! - gy) ** 2;
      if (d2 > tolerance * tolerance) continue;
      count++;
      sx += mids[k]!;
      sy += mids[k + 1]!;
      s2 += d2;
    }
    if (count < minPairs) return nowhere;
    gx = sx / count;
    gy = sy / count;
    variance = s2 / (2 * count);
  }
  return { x: guess[0] + gx, y: guess[1] + gy, sigma: Math.sqrt(variance / count), count, method: "friedel-pairs" };
}

/** Centre of every frame after smoothing. */
export interface CentreDrift {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Frames whose own estimate was missing or an outlier, so that the value is interpolated. */
  readonly interpolated: Uint8Array;
}

/**
 * Drift of the centre through a series: outliers (more than `clip` robust deviations from the running median) and gaps are replaced
 * by linear interpolation between good frames; nothing else is smoothed, because beam jumps from frame to frame are real.
 */
export function centreDrift(
  estimates: readonly CentreEstimate[],
  { halfWindow = 7, clip = 6, floorPx = 0.3 }: { halfWindow?: number; clip?: number; floorPx?: number } = {},
): CentreDrift {
  const n = estimates.length,
    interpolated = new Uint8Array(n);
  const column = (pick: (c: CentreEstimate) => number): Float64Array => {
    const raw = Float64Array.from(estimates, pick),
      out = raw.slice();
    const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
    for (let i = 0; i < n; i++) {
      const near: number[] = [];
      for (let j = Math.max(0, i - halfWindow); j <= Math.min(n - 1, i + halfWindow); j++) if (Number.isFinite(raw[j]!)) near.push(raw[j]!);
      const m = median(near.slice()),
        mad = 1.4826 * median(near.map((v) => Math.abs(v - m)));
      if (!(Math.abs(raw[i]! - m) <= clip * Math.max(mad, floorPx))) out[i] = Number.NaN;
    }
    let last = -1;
    for (let i = 0; i <= n; i++) {
      if (i < n && !Number.isFinite(out[i]!)) continue;
      for (let j = last + 1; j < i; j++) {
        interpolated[j] = 1;
        const a = last >= 0 ? out[last]! : i < n ? out[i]! : Number.NaN,
          b = i < n ? out[i]! : a;
        out[j] = last < 0 || i >= n ? (last < 0 ? b : a) : a + ((b - a) * (j - last)) / (i - last);
      }
      last = i;
    }
    return out;
  };
  return { x: column((c) => c.x), y: column((c) => c.y), interpolated };
}
