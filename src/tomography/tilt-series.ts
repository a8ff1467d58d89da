import { fail } from "../core/errors.js";
import type { Poses } from "./poses.js";

/** Views of one object. Intensities are linear in thickness (ADF-STEM, background removed) where a reconstruction is meant. */
export interface TiltSeries {
  /** [P, ny, nx], x fastest. */
  readonly projections: Float32Array;
  readonly shape: readonly [views: number, ny: number, nx: number];
  /** Rotation of each view, flat [P, 9]; see `Poses`. */
  readonly poses: Poses;
  /** Å per pixel; undefined when unknown. */
  readonly pixelAngstrom?: number | undefined;
  /** 1 where a pixel must not be used, [P, ny, nx]. */
  readonly mask?: Uint8Array | undefined;
  /** Where the centre of the object appears, pixels from the centre of the view (x, y), flat [P, 2]; absent when aligned. */
  readonly shifts?: Float64Array | undefined;
}

export interface TiltSeriesOptions {
  readonly pixelAngstrom?: number | undefined;
  readonly mask?: Uint8Array | undefined;
  readonly shifts?: ArrayLike<number> | undefined;
}

/**
 * A checked series.
 * @throws bad-shape when poses and views differ in number, bad-value for pixels that are not finite and not masked or for views without any signal
 */
export function tiltSeries(
  projections: ArrayLike<number>,
  shape: readonly [views: number, ny: number, nx: number],
  poses: Poses,
  { pixelAngstrom, mask, shifts }: TiltSeriesOptions = {},
): TiltSeries {
  const [views, ny, nx] = shape,
    size = ny * nx;
  if (shape.some((n) => !(Number.isInteger(n) && n >= 1)) || projections.length !== views * size)
    fail("bad-shape", { length: projections.length, shape }, "projections are [views, ny, nx], x fastest");
  if (poses.length !== 9 * views)
    fail(
      "bad-shape",
      { views, poses: poses.length / 9 },
      "as many poses as views are needed: check that the angle file belongs to this stack and that no line is missing",
    );
  if (mask && mask.length !== projections.length) fail("bad-shape", { mask: mask.length, shape }, "the mask has one byte for every pixel");
  if (shifts && shifts.length !== 2 * views) fail("bad-shape", { shifts: shifts.length, views }, "shifts are flat [views, 2]");
  if (pixelAngstrom !== undefined && !(pixelAngstrom > 0 && Number.isFinite(pixelAngstrom)))
    fail("bad-value", { pixelAngstrom }, "the pixel size is a positive number of Å");
  const data = projections instanceof Float32Array ? projections : Float32Array.from(projections);
  for (let p = 0; p < views; p++) {
    let low = Number.POSITIVE_INFINITY,
      high = Number.NEGATIVE_INFINITY;
    for (let i = p * size; i < (p + 1) * size; i++) {
      if (mask?.[i]) continue;
      const v = data[i]!;
      if (!Number.isFinite(v))
        fail(
          "bad-value",
          { view: p, y: Math.floor((i % size) / nx), x: i % nx, value: v },
          "a pixel is not finite: mask it, repair it (`repairPixels`), or leave the view out",
        );
      if (v < low) low = v;
      if (v > high) high = v;
    }
    if (!(high > low))
      fail("bad-value", { view: p, value: low }, "a view is empty (all pixels equal or masked): leave it and its pose out");
  }
  return {
    projections: data,
    shape: [views, ny, nx],
    poses,
    ...(pixelAngstrom === undefined ? {} : { pixelAngstrom }),
    ...(mask ? { mask } : {}),
    ...(shifts ? { shifts: Float64Array.from(shifts) } : {}),
  };
}

/** Some of the views, in the order given. @throws out-of-range */
export function selectViews(series: TiltSeries, views: readonly number[]): TiltSeries {
  const [n, ny, nx] = series.shape,
    size = ny * nx;
  for (const v of views)
    if (!(Number.isInteger(v) && v >= 0 && v < n)) fail("out-of-range", { view: v, views: n }, "views are counted from 0");
  if (views.length === 0) fail("bad-value", { views: 0 }, "keep at least one view");
  const take = <T extends Float32Array | Float64Array | Uint8Array>(a: T, per: number): T => {
    const out = new (a.constructor as new (n: number) => T)(per * views.length);
    views.forEach((v, i) => {
      out.set(a.subarray(v * per, (v + 1) * per), i * per);
    });
    return out;
  };
  return {
    ...series,
    projections: take(series.projections, size),
    shape: [views.length, ny, nx],
    poses: take(series.poses, 9),
    ...(series.mask ? { mask: take(series.mask, size) } : {}),
    ...(series.shifts ? { shifts: take(series.shifts, 2) } : {}),
  };
}

/** Pixels with 0 where masked: masked ones may hold anything, also NaN. */
export function withoutMasked({ projections, mask }: TiltSeries): Float32Array {
  return mask ? projections.map((v, i) => (mask[i] ? 0 : v)) : projections;
}
