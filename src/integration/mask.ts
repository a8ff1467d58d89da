import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";

/** Why a pixel is not used, as bits of a mask value; zero is a good pixel. */
export const maskBits = { bad: 1, saturated: 2, beamStop: 4, iceRing: 8, outside: 16 } as const;

/** Polygon in pixel coordinates, vertices (x, y); an integer is the centre of a pixel. */
export type Polygon = readonly (readonly [x: number, y: number])[];

export interface MaskOptions {
  /** Pixels [x, y] that are dead, hot or otherwise wrong. */
  readonly badPixels?: readonly (readonly [x: number, y: number])[];
  /** Shadows of the beam stop and the like. */
  readonly polygons?: readonly Polygon[];
  /** Rows and columns to leave out, e.g. the seams of a tiled detector. */
  readonly rows?: readonly number[];
  readonly columns?: readonly number[];
  /** A disc around (x, y) to leave out. */
  readonly discs?: readonly { readonly x: number; readonly y: number; readonly radius: number }[];
}

/** True where (x, y) is inside the polygon (even-odd rule). */
export function insidePolygon(polygon: Polygon, x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i]!,
      [xj, yj] = polygon[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/**
 * Fixed mask of a detector, shape [ny, nx].
 * @throws out-of-range for a bad pixel outside the detector
 */
export function detectorMask(shape: readonly [ny: number, nx: number], options: MaskOptions = {}): Uint8Array {
  const [ny, nx] = shape,
    mask = new Uint8Array(ny * nx);
  for (const [x, y] of options.badPixels ?? []) {
    if (!(x >= 0 && x < nx && y >= 0 && y < ny))
      fail("out-of-range", { x, y, nx, ny }, "a bad pixel lies outside the frame; give [x, y], zero-based");
    mask[y * nx + x]! |= maskBits.bad;
  }
  for (const y of options.rows ?? []) if (y >= 0 && y < ny) for (let x = 0; x < nx; x++) mask[y * nx + x]! |= maskBits.bad;
  for (const x of options.columns ?? []) if (x >= 0 && x < nx) for (let y = 0; y < ny; y++) mask[y * nx + x]! |= maskBits.bad;
  for (const p of options.polygons ?? []) {
    if (p.length < 3) fail("bad-value", { vertices: p.length }, "a polygon needs at least three vertices");
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) if (insidePolygon(p, x, y)) mask[y * nx + x]! |= maskBits.beamStop;
  }
  for (const d of options.discs ?? []) {
    const y0 = Math.max(0, Math.floor(d.y - d.radius)),
      y1 = Math.min(ny - 1, Math.ceil(d.y + d.radius));
    for (let y = y0; y <= y1; y++)
      for (let x = Math.max(0, Math.floor(d.x - d.radius)); x <= Math.min(nx - 1, Math.ceil(d.x + d.radius)); x++)
        if ((x - d.x) ** 2 + (y - d.y) ** 2 <= d.radius * d.radius) mask[y * nx + x]! |= maskBits.beamStop;
  }
  return mask;
}

/** Fixed mask plus the saturated pixels of one frame (counts >= limit). Returns the fixed mask itself when nothing is saturated. */
export function withSaturation(frame: Image, limit: number, fixed?: Uint8Array): Uint8Array {
  let out: Uint8Array | undefined;
  for (let i = 0; i < frame.data.length; i++)
    if (frame.data[i]! >= limit) {
      out ??= fixed ? Uint8Array.from(fixed) : new Uint8Array(frame.data.length);
      out[i]! |= maskBits.saturated;
    }
  return out ?? fixed ?? new Uint8Array(frame.data.length);
}

/**
 * Bin n × n by summation. Saturation and bad pixels are tested on the original pixels, before the sum hides them: one such pixel
 * marks the whole binned pixel. Rows and columns that do not fill a bin are dropped.
 */
export function binFrame(
  frame: Image,
  mask: Uint8Array | undefined,
  n: number,
  saturation = Number.POSITIVE_INFINITY,
): { frame: Image; mask: Uint8Array } {
  const [ny, nx] = frame.shape;
  if (!(Number.isInteger(n) && n >= 1 && n <= Math.min(ny, nx)))
    fail("out-of-range", { n, ny, nx }, "binning is a whole number of pixels, from 1 to the frame size");
  const my = Math.floor(ny / n),
    mx = Math.floor(nx / n);
  const data = new Float32Array(my * mx),
    out = new Uint8Array(my * mx);
  for (let y = 0; y < my * n; y++) {
    const row = Math.floor(y / n) * mx;
    for (let x = 0; x < mx * n; x++) {
      const i = y * nx + x,
        o = row + Math.floor(x / n),
        v = frame.data[i]!;
      data[o]! += v;
      if (mask) out[o]! |= mask[i]!;
      if (v >= saturation) out[o]! |= maskBits.saturated;
    }
  }
  return { frame: { data, shape: [my, mx] }, mask: out };
}

/**
 * Pixels that misbehave over a series: dead (never anything where neighbours count) or hot (far above their neighbours in every
 * frame). Needs the sum of many frames, in which spots are spread out.
 * @param sum - sum of the frames, counts, shape [ny, nx]
 * @returns pixels [x, y]
 */
export function findBadPixels(
  sum: Image,
  { hotFactor = 8, deadFactor = 0.02 }: { hotFactor?: number; deadFactor?: number } = {},
): [x: number, y: number][] {
  const [ny, nx] = sum.shape,
    bad: [number, number][] = [];
  const ring: number[] = [];
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      ring.length = 0;
      for (let dy = -2; dy <= 2; dy++)
        for (let dx = -2; dx <= 2; dx++) {
          const yy = y + dy,
            xx = x + dx;
          if ((dx || dy) && yy >= 0 && yy < ny && xx >= 0 && xx < nx) ring.push(sum.data[yy * nx + xx]!);
        }
      ring.sort((a, b) => a - b);
      const high = ring[Math.floor(ring.length * 0.9)]!,
        middle = ring[ring.length >> 1]!,
        v = sum.data[y * nx + x]!;
      const spread = 6 * Math.sqrt(Math.max(middle, 1));
      if (v > hotFactor * Math.max(high, 1) + spread || (v < deadFactor * middle && middle > 4 * spread)) bad.push([x, y]);
    }
  return bad;
}
