import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { defaultImageKernels, type ImageKernels } from "../kernels/images.js";
import { checkImage } from "./filters.js";

/** Peaks as columns; positions in pixels, x along the rows, integer values at pixel centres. */
export interface PeakTable {
  readonly size: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Pixel value at the peak. */
  readonly value: Float64Array;
}
export interface MaximaOptions {
  /** Only maxima above this value. */
  readonly threshold?: number | undefined;
  /** Half size of the square within which a maximum has no greater (or, by order, equal) neighbour, 1. */
  readonly half?: number | undefined;
  /** Pixels at the edge that cannot be maxima, 0. */
  readonly border?: number | undefined;
  /** u8 [ny, nx], not 0 = bad: never a maximum, and its value does not count. */
  readonly mask?: Uint8Array | undefined;
  /** Keep at most this many, the highest. */
  readonly limit?: number | undefined;
  readonly kernels?: ImageKernels | undefined;
}

/** Local maxima, highest first; of equal pixels that touch the first in row order stands for all. */
export function localMaxima(image: Image, options: MaximaOptions = {}): PeakTable {
  checkImage(image);
  const { threshold = Number.NEGATIVE_INFINITY, half = 1, border = 0, mask, limit, kernels = defaultImageKernels() } = options;
  const [ny, nx] = image.shape,
    low = Number.NEGATIVE_INFINITY;
  if (!(Number.isInteger(half) && half >= 1)) fail("bad-value", { half }, "half is a whole number of pixels, at least 1");
  if (mask && mask.length !== image.data.length)
    fail("bad-shape", { mask: mask.length, image: image.data.length }, "a mask has one byte per pixel");
  const data = image.data.map((v, i) => (mask?.[i] || Number.isNaN(v) ? low : v)),
    top = kernels.extreme(data, ny, nx, half, half, true);
  const found: number[] = [],
    taken = new Uint8Array(data.length);
  for (let y = border; y < ny - border; y++)
    for (let x = border; x < nx - border; x++) {
      const i = y * nx + x,
        v = data[i]!;
      if (!(v > threshold) || v !== top[i] || v === low) continue;
      // A plateau: an equal pixel earlier in row order that is a maximum itself goes first.
      let first = true;
      for (let j = Math.max(0, y - half); first && j <= y; j++)
        for (let k = Math.max(0, x - half); k <= Math.min(nx - 1, x + half); k++) {
          const at = j * nx + k;
          if (at >= i) break;
          if (taken[at] && data[at] === v) {
            first = false;
            break;
          }
        }
      taken[i] = 1;
      if (first) found.push(i);
    }
  found.sort((a, b) => data[b]! - data[a]! || a - b);
  if (limit !== undefined) found.length = Math.min(found.length, limit);
  return {
    size: found.length,
    x: Float64Array.from(found, (i) => i % nx),
    y: Float64Array.from(found, (i) => Math.floor(i / nx)),
    value: Float64Array.from(found, (i) => data[i]!),
  };
}

/** Maxima of a curve, as indices, highest first: above `threshold` and greater than all within `half` points. */
export function localMaxima1d(
  values: ArrayLike<number>,
  { threshold = Number.NEGATIVE_INFINITY, half = 1 }: { threshold?: number; half?: number } = {},
): number[] {
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const v = values[i]!;
    let top = v > threshold;
    for (let k = Math.max(0, i - half); top && k <= Math.min(values.length - 1, i + half); k++)
      top = k < i ? values[k]! < v : !(values[k]! > v);
    if (top) found.push(i);
  }
  return found.sort((a, b) => values[b]! - values[a]! || a - b);
}
