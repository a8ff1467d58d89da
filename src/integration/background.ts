import type { Image } from "../core/image.js";
import { defaultSpotKernels, type SpotKernels } from "../kernels/spots.js";
import type { NoiseModel } from "./noise.js";

/** Local background of a frame and what it was made from. */
export interface Background {
  /** Expected background, counts, shape [ny, nx]. */
  readonly level: Float32Array;
  /** 1 where a pixel stands out of the background (spots, hot pixels) or is masked, shape [ny, nx]. */
  readonly excluded: Uint8Array;
}

/**
 * Local background: mean over a window of the pixels that do not stand out, found in three rounds. A pixel stands out when it
 * exceeds the level by `clip` standard deviations of the noise model. Cost is linear in the pixels and independent of the window.
 * @param frame - counts, shape [ny, nx]
 * @param mask - zero where a pixel is good
 * @param halfWindow - half width of the window, px; about one and a half spot diameters
 */
export function localBackground(
  frame: Image,
  noise: NoiseModel,
  {
    mask,
    halfWindow = 10,
    clip = 3.5,
    rounds = 3,
    kernels = defaultSpotKernels(),
  }: { mask?: Uint8Array | undefined; halfWindow?: number; clip?: number; rounds?: number; kernels?: SpotKernels } = {},
): Background {
  const [ny, nx] = frame.shape,
    c2 = clip * clip;
  return kernels.background(frame.data, mask, ny, nx, halfWindow, rounds, c2 * noise.gain, c2 * noise.psi);
}

/**
 * Median of the counts at each radius about a centre, in rings of one pixel: the inelastic halo, spots ignored.
 * @returns counts per ring, shape [rings]; NaN where a ring has no good pixel
 */
export function radialMedian(frame: Image, centre: readonly [x: number, y: number], mask?: Uint8Array): Float64Array {
  const [ny, nx] = frame.shape,
    [cx, cy] = centre;
  const reach = Math.ceil(Math.max(Math.hypot(cx, cy), Math.hypot(nx - cx, cy), Math.hypot(cx, ny - cy), Math.hypot(nx - cx, ny - cy))) + 1;
  const count = new Int32Array(reach + 1),
    ring = new Int32Array(ny * nx);
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) {
      const r = mask?.[i] ? -1 : Math.min(reach - 1, Math.round(Math.hypot(x - cx, y - cy)));
      ring[i] = r;
      if (r >= 0) count[r + 1]!++;
    }
  for (let r = 0; r < reach; r++) count[r + 1]! += count[r]!;
  const at = count.slice(),
    sorted = new Float32Array(count[reach]!);
  for (let i = 0; i < ring.length; i++) if (ring[i]! >= 0) sorted[at[ring[i]!]!++] = frame.data[i]!;
  return Float64Array.from({ length: reach }, (_, r) => {
    const values = sorted.subarray(count[r]!, count[r + 1]!).sort();
    return values.length ? (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2 : Number.NaN;
  });
}
