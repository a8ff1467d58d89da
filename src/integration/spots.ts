import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { defaultSpotKernels, type SpotKernels } from "../kernels/spots.js";
import { localBackground } from "./background.js";
import { withSaturation } from "./mask.js";
import type { NoiseModel } from "./noise.js";

/** Spots of one frame: a struct of columns, row i of each is one spot; strongest first. */
export interface SpotTable {
  readonly size: number;
  /** Centroid, px; an integer is the centre of a pixel, zero-based, x along columns. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Counts above background inside the box, and their standard deviation by the noise model. */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Background, counts a pixel. */
  readonly background: Float64Array;
  /** Highest pixel, counts. */
  readonly peak: Float64Array;
  /** Pixels that stand out of the background. */
  readonly pixels: Int32Array;
  /** Second moments of the spot about its centroid, px²: xx, xy, yy. */
  readonly momentXx: Float64Array;
  readonly momentXy: Float64Array;
  readonly momentYy: Float64Array;
  /** 1 when a pixel of the box is saturated or masked, so that intensity and centroid are not to be trusted. */
  readonly flagged: Uint8Array;
}

export interface SpotOptions {
  readonly noise: NoiseModel;
  /** Zero where a pixel is good, shape [ny, nx]. */
  readonly mask?: Uint8Array | undefined;
  /** Diameter of the box, px (PETS2 `reflectionsize`). */
  readonly diameter?: number;
  /** Least I/σ. */
  readonly minSnr?: number;
  /** Least significance of a single pixel (after a 3 × 3 mean), σ. */
  readonly pixelSigma?: number;
  /** Counts at and above which a pixel is saturated. */
  readonly saturation?: number;
  /** Leave out spots nearer to the direct beam than this, px; needs `centre`. */
  readonly minRadius?: number;
  readonly maxRadius?: number;
  readonly centre?: readonly [x: number, y: number];
  /** Smallest count of pixels that stand out. */
  readonly minPixels?: number;
  /** Half width of the background window, px. */
  readonly halfWindow?: number;
  readonly kernels?: SpotKernels;
}

interface Found {
  x: number;
  y: number;
  intensity: number;
  sigma: number;
  background: number;
  peak: number;
  pixels: number;
  xx: number;
  xy: number;
  yy: number;
  flagged: boolean;
}

/**
 * Spots of a frame: local background, local maxima of the 3 × 3 mean above it, then centroid and box sum in a disc of `diameter`.
 * I/σ is judged by the noise model, σ² = gain·Σcounts + n·psi + n²·σ²(background). One spot per `diameter`/2.
 * Time is linear in the pixels; memory is a few frames.
 * @throws bad-shape, out-of-range
 */
export function findSpots(frame: Image, options: SpotOptions): SpotTable {
  const [ny, nx] = frame.shape,
    { data } = frame;
  if (data.length !== ny * nx) fail("bad-shape", { length: data.length, shape: [ny, nx] }, "data must hold ny·nx values");
  if (options.mask && options.mask.length !== data.length)
    fail("bad-shape", { mask: options.mask.length, frame: data.length }, "the mask must have the shape of the frame");
  const {
    noise,
    diameter = 8,
    minSnr = 7,
    pixelSigma = 3,
    saturation = Number.POSITIVE_INFINITY,
    minPixels = 3,
    kernels = defaultSpotKernels(),
  } = options;
  if (!(diameter >= 3 && diameter <= Math.min(nx, ny) / 2))
    fail("out-of-range", { diameter }, "the spot diameter is in pixels, at least 3");
  if ((options.minRadius || options.maxRadius) && !options.centre)
    fail(
      "bad-value",
      { minRadius: options.minRadius, maxRadius: options.maxRadius },
      "radii are measured from the direct beam: give centre as well",
    );
  const mask = Number.isFinite(saturation) ? withSaturation(frame, saturation, options.mask) : options.mask;
  const halfWindow = options.halfWindow ?? Math.max(6, Math.round(1.3 * diameter));
  // Saturated pixels belong to spots: they must not be hidden from the search, only from the background.
  const { level, excluded } = localBackground(frame, noise, { mask, halfWindow, kernels });
  const [cx, cy] = options.centre ?? [Number.NaN, Number.NaN];
  const minR2 = (options.minRadius ?? 0) ** 2,
    maxR2 = (options.maxRadius ?? Number.POSITIVE_INFINITY) ** 2;
  const { excess, indices } = kernels.candidates(
    data,
    level,
    excluded,
    options.mask,
    ny,
    nx,
    pixelSigma * pixelSigma,
    noise.gain,
    noise.psi,
  );
  const found: Found[] = [];
  for (const i of indices) {
    const x = i % nx,
      y = (i - x) / nx,
      r2 = (x - cx) ** 2 + (y - cy) ** 2;
    if (r2 < minR2 || r2 > maxR2) continue;
    const spot = measure(data, excess, level, excluded, mask, ny, nx, x, y, diameter / 2, noise);
    if (spot && spot.intensity >= minSnr * spot.sigma && spot.pixels >= minPixels) found.push(spot);
  }
  return spotTable(distinct(found, diameter / 2));
}

/** Centroid (iterated), sum, moments and their errors in a disc about (x0, y0). */
function measure(
  data: Float32Array,
  excess: Float32Array,
  level: Float32Array,
  excluded: Uint8Array,
  mask: Uint8Array | undefined,
  ny: number,
  nx: number,
  x0: number,
  y0: number,
  radius: number,
  noise: NoiseModel,
): Found | undefined {
  let cx = x0,
    cy = y0;
  // The centroid uses a smaller disc first, so that a neighbour or a tail does not pull it.
  for (let round = 0; round < 4; round++) {
    const r = round < 3 ? Math.max(2, 0.6 * radius) : radius;
    let w = 0,
      wx = 0,
      wy = 0;
    for (let y = Math.max(0, Math.ceil(cy - r)); y <= Math.min(ny - 1, cy + r); y++)
      for (let x = Math.max(0, Math.ceil(cx - r)); x <= Math.min(nx - 1, cx + r); x++) {
        const e = excess[y * nx + x]!;
        if (e <= 0 || (x - cx) ** 2 + (y - cy) ** 2 > r * r || (round === 3 && excluded[y * nx + x] === 0)) continue;
        w += e;
        wx += e * x;
        wy += e * y;
      }
    if (w <= 0) return undefined;
    const mx = wx / w,
      my = wy / w;
    if (Math.hypot(mx - x0, my - y0) > radius) return undefined;
    cx = mx;
    cy = my;
  }
  let n = 0,
    sum = 0,
    counts = 0,
    bg = 0,
    peak = 0,
    pixels = 0,
    flagged = false,
    xx = 0,
    xy = 0,
    yy = 0,
    w = 0;
  for (let y = Math.ceil(cy - radius); y <= cy + radius; y++)
    for (let x = Math.ceil(cx - radius); x <= cx + radius; x++) {
      const dx = x - cx,
        dy = y - cy;
      if (dx * dx + dy * dy > radius * radius) continue;
      if (x < 0 || y < 0 || x >= nx || y >= ny) {
        flagged = true;
        continue;
      }
      const i = y * nx + x;
      if (mask !== undefined && mask[i] !== 0) flagged = true;
      const e = excess[i]!;
      n++;
      sum += e;
      counts += data[i]!;
      bg += level[i]!;
      if (data[i]! > peak) peak = data[i]!;
      if (excluded[i] !== 0) pixels++;
      if (e > 0) {
        w += e;
        xx += e * dx * dx;
        xy += e * dx * dy;
        yy += e * dy * dy;
      }
    }
  if (n === 0 || w <= 0) return undefined;
  // The background is the mean of about a thousand pixels around; a tenth of the box count is a safe figure for its share.
  const variance = noise.gain * Math.max(counts, 0) + n * noise.psi + 0.1 * n * (noise.gain * Math.max(bg / n, 0) + noise.psi);
  return {
    x: cx,
    y: cy,
    intensity: sum,
    sigma: Math.sqrt(Math.max(variance, 1e-12)),
    background: bg / n,
    peak,
    pixels,
    xx: xx / w,
    xy: xy / w,
    yy: yy / w,
    flagged,
  };
}

/** Drop spots within `distance` of a stronger one. */
function distinct(found: Found[], distance: number): Found[] {
  found.sort((a, b) => b.intensity - a.intensity || a.y - b.y || a.x - b.x);
  const grid = new Map<number, Found[]>(),
    kept: Found[] = [],
    d2 = distance * distance;
  const key = (gx: number, gy: number): number => gy * 65536 + gx;
  for (const f of found) {
    const gx = Math.floor(f.x / distance),
      gy = Math.floor(f.y / distance);
    let near = false;
    for (let j = -1; j <= 1 && !near; j++)
      for (let i = -1; i <= 1 && !near; i++)
        near = (grid.get(key(gx + i, gy + j)) ?? []).some((k) => (k.x - f.x) ** 2 + (k.y - f.y) ** 2 < d2);
    if (near) continue;
    kept.push(f);
    const k = key(gx, gy),
      cell = grid.get(k);
    if (cell) cell.push(f);
    else grid.set(k, [f]);
  }
  return kept;
}

function spotTable(spots: readonly Found[]): SpotTable {
  const column = (pick: (s: Found) => number): Float64Array => Float64Array.from(spots, pick);
  return {
    size: spots.length,
    x: column((s) => s.x),
    y: column((s) => s.y),
    intensity: column((s) => s.intensity),
    sigma: column((s) => s.sigma),
    background: column((s) => s.background),
    peak: column((s) => s.peak),
    pixels: Int32Array.from(spots, (s) => s.pixels),
    momentXx: column((s) => s.xx),
    momentXy: column((s) => s.xy),
    momentYy: column((s) => s.yy),
    flagged: Uint8Array.from(spots, (s) => (s.flagged ? 1 : 0)),
  };
}
