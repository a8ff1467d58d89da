import { fail } from "../core/errors.js";
import { type Poses, tiltsOf } from "./poses.js";
import { type ReconstructMethod, reconstruct } from "./reconstruct.js";
import type { Reconstruction } from "./reconstruction.js";
import { tiltSeries } from "./tilt-series.js";

/** A series tilted about y whose rows are read when they are needed. */
export interface SlabSource {
  readonly shape: readonly [views: number, ny: number, nx: number];
  readonly poses: Poses;
  /** Rows y0 … y1 − 1 of all views, [views, y1 − y0, nx]. */
  read(y0: number, y1: number): Float32Array | Promise<Float32Array>;
}

/**
 * A volume larger than memory: with one tilt axis along y, rows are independent, so slabs [nz, rows, nx] are reconstructed one after the other and handed
 * to `write` with their first row. The slabs are the rows of the whole reconstruction. For FBP, SIRT, SART, RESIRE and equal slopes.
 * @throws unsupported for other methods and for poses out of one axis along y
 */
export async function reconstructSlabs(
  source: SlabSource,
  options: ReconstructMethod,
  rows: number,
  write: (slab: Reconstruction, y0: number) => void | Promise<void>,
): Promise<void> {
  const [views, ny, nx] = source.shape;
  if (options.method === "genfire" || options.method === "tv")
    fail(
      "unsupported",
      { method: options.method },
      "this method joins the rows of the volume; in slabs take fbp, sirt, sart, resire or equal-slope",
    );
  const axis = tiltsOf(source.poses);
  if (!axis || Math.abs(axis.axisDeg - 90) > 1e-6)
    fail(
      "unsupported",
      { axisDeg: axis?.axisDeg },
      "slabs need all views tilted about y: turn the images, or refine angles on a binned volume",
    );
  if (!(Number.isInteger(rows) && rows >= 1)) fail("bad-value", { rows }, "rows of a slab are a whole number of at least 1");
  const given = "volume" in options ? options.volume : undefined;
  for (let y0 = 0; y0 < ny; y0 += rows) {
    const y1 = Math.min(ny, y0 + rows);
    const series = tiltSeries(await source.read(y0, y1), [views, y1 - y0, nx], source.poses);
    const slab = { ...options, volume: [given?.[0] ?? nx, y1 - y0, given?.[2] ?? nx] } as ReconstructMethod;
    await write(await reconstruct(series, slab), y0);
  }
}
