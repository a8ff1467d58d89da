import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import type { SpotTable } from "./spots.js";

/** How the counts of strong, single spots grow with the disc that is summed. */
export interface SpotGrowth {
  /** Diameters of the discs, in spot diameters. */
  readonly discs: Float64Array;
  /** Counts in each disc over those in a disc of one spot diameter, median of the spots; NaN without spots. */
  readonly share: Float64Array;
  readonly spots: number;
}

export interface SpotGrowthOptions {
  /** Spot diameter, px. */
  readonly diameter: number;
  /** Default 0.5, 1, 1.5, 2, 2.5. */
  readonly discs?: readonly number[] | undefined;
  /** Least I/σ of a spot. Default 25. */
  readonly minSnr?: number | undefined;
}

/** Ring of the background, in spot diameters from the centre; tails that reach it are missing from the shares. */
const RING = [1.3, 1.8] as const;

/**
 * Growth of box sums on a frame, straight from its pixels: the tails of the point spread function as they are. Used are spots without a fault that have
 * no neighbour of 2 % of their counts within 2.2 diameters; background is the mean of a ring without its highest and lowest 2 %.
 * @throws out-of-range for discs that reach into the ring
 */
export function spotGrowth({ data, shape: [ny, nx] }: Image, spots: SpotTable, options: SpotGrowthOptions): SpotGrowth {
  const { diameter, discs = [0.5, 1, 1.5, 2, 2.5], minSnr = 25 } = options;
  if (!(diameter > 0 && discs.every((d) => d > 0 && d <= 2 * RING[0])))
    fail("out-of-range", { diameter, discs }, "discs are in spot diameters, above 0 and up to 2.6");
  const reach = RING[1] * diameter,
    shares = discs.map((): number[] => []);
  for (let i = 0; i < spots.size; i++) {
    const x = spots.x[i]!,
      y = spots.y[i]!;
    if (spots.flagged[i] || !(spots.intensity[i]! > minSnr * spots.sigma[i]!)) continue;
    if (!(x > reach + 1 && y > reach + 1 && x < nx - reach - 2 && y < ny - reach - 2)) continue;
    const disturbed = spots.intensity.some(
      (v, j) => j !== i && v > 0.02 * spots.intensity[i]! && Math.hypot(spots.x[j]! - x, spots.y[j]! - y) < 2.2 * diameter,
    );
    if (disturbed) continue;
    const sums = discSums(
      data,
      nx,
      x,
      y,
      [1, ...discs].map((d) => (d * diameter) / 2),
      RING[0] * diameter,
      reach,
    );
    if (sums[0]! > 0) for (let k = 0; k < discs.length; k++) shares[k]!.push(sums[k + 1]! / sums[0]!);
  }
  return {
    discs: Float64Array.from(discs),
    share: Float64Array.from(shares, (s) => s.sort((a, b) => a - b)[s.length >> 1] ?? Number.NaN),
    spots: shares[0]?.length ?? 0,
  };
}

/** Counts above background inside radii, px; pixels on a rim are shared by 5 × 5 parts. */
function discSums(
  data: ArrayLike<number>,
  nx: number,
  x: number,
  y: number,
  radii: readonly number[],
  inner: number,
  outer: number,
): Float64Array {
  const ring: number[] = [],
    sums = new Float64Array(radii.length),
    parts = new Float64Array(radii.length);
  for (let py = Math.ceil(y - outer); py <= y + outer; py++)
    for (let px = Math.ceil(x - outer); px <= x + outer; px++) {
      const v = data[py * nx + px]!,
        r = Math.hypot(px - x, py - y);
      if (r > outer) continue;
      if (r > inner) ring.push(v);
      for (let k = 0; k < radii.length; k++) {
        if (r > radii[k]! + 1) continue;
        let inside = 0;
        for (let b = -2; b <= 2; b++) for (let a = -2; a <= 2; a++) if (Math.hypot(px + a / 5 - x, py + b / 5 - y) <= radii[k]!) inside++;
        sums[k]! += (v * inside) / 25;
        parts[k]! += inside / 25;
      }
    }
  ring.sort((a, b) => a - b);
  const cut = Math.floor(0.02 * ring.length),
    kept = ring.slice(cut, ring.length - cut),
    level = kept.reduce((s, v) => s + v, 0) / kept.length;
  return sums.map((s, k) => s - level * parts[k]!);
}
