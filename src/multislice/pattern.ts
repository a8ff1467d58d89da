import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import type { Beam } from "../geometry/beam.js";
import type { PatternResult } from "./cbed.js";
import { reciprocalGrid, reciprocalVectors } from "./grid.js";

/**
 * A pattern as a picture on square pixels: q_x to the right, q_y down the rows (box axes), the direct beam in the middle. Intensities per bin of the
 * simulation are carried over by bilinear interpolation, so skew boxes look as they should; they are divided by the area of a bin: parts of the beam per Å⁻².
 * @param range - half width of the picture, Å⁻¹
 */
export function patternImage(
  r: Pick<PatternResult, "grid" | "intensity">,
  range: number,
  { depthIndex = 0, pixels = 0 }: { readonly depthIndex?: number; readonly pixels?: number } = {},
): Image<Float32Array> & { readonly invAngstromPerPixel: number } {
  const { grid: g } = r,
    { aStar, bStar } = reciprocalVectors(g),
    n = g.nx * g.ny;
  const bin = Math.abs(aStar[0] * bStar[1] - aStar[1] * bStar[0]),
    step = pixels ? range / Math.floor(pixels / 2) : Math.min(Math.hypot(...aStar), Math.hypot(...bStar));
  const half = Math.floor(range / step + 1e-9),
    size = 2 * half + 1;
  if (!(half >= 1 && size <= 8192))
    fail("out-of-range", { range, pixels: size }, "the range is a half width in Å⁻¹ of at least one bin of the simulation");
  const data = new Float32Array(size * size),
    from = r.intensity.subarray(depthIndex * n, (depthIndex + 1) * n);
  const at = (h: number, k: number): number =>
    Math.abs(h) < g.nx / 2 && Math.abs(k) < g.ny / 2 ? from[((k + g.ny) % g.ny) * g.nx + ((h + g.nx) % g.nx)]! : 0;
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      const x = (j - half) * step,
        y = (i - half) * step;
      // Components on a*, b* are products with a, b.
      const u = x * g.a[0] + y * g.a[1],
        v = x * g.b[0] + y * g.b[1],
        h = Math.floor(u + 1e-9),
        k = Math.floor(v + 1e-9),
        s = Math.max(0, u - h),
        t = Math.max(0, v - k);
      data[i * size + j] =
        ((1 - s) * (1 - t) * at(h, k) + s * (1 - t) * at(h + 1, k) + (1 - s) * t * at(h, k + 1) + s * t * at(h + 1, k + 1)) / bin;
    }
  return { data, shape: [size, size], invAngstromPerPixel: step };
}

/** Where the beam went, at the last depth: parts of 1. */
export function patternTotals(r: PatternResult, beam: Pick<Beam, "wavelength">, semiangle: number): Readonly<Record<string, number>> {
  const { q2 } = reciprocalGrid(r.grid),
    n = q2.length,
    last = r.intensity.length - n;
  let onGrid = 0,
    bright = 0,
    high = 0;
  for (let i = 0; i < n; i++) {
    const v = r.intensity[last + i]!,
      alpha = Math.sqrt(q2[i]!) * beam.wavelength;
    onGrid += v;
    if (alpha <= semiangle) bright += v;
    if (alpha > 0.6 * r.maxAngle) high += v;
  }
  return {
    thickness: r.depths.at(-1)!,
    snapshots: r.snapshots,
    onGrid,
    brightField: bright,
    darkFieldOuter40: high,
    ...(r.snapshots > 1 ? { diffuse: r.diffuse.at(-1)! } : {}),
    maxAngleMrad: 1000 * r.maxAngle,
  };
}
