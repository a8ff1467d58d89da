import { fail } from "../core/errors.js";

/**
 * Atoms as normalised Gaussians: row i of every column is one atom. Positions in Å from the centre of the volume (voxel n//2 of each axis),
 * x fastest, y the tilt axis, z the beam at zero tilt.
 */
export interface AtomModel {
  readonly size: number;
  /** x y z, Å, shape [n, 3]. */
  readonly positions: Float64Array;
  /** Sum over the pixels of a projection, in the unit of the projections, shape [n]. */
  readonly intensities: Float64Array;
  /** Standard deviation of the Gaussian, Å, shape [n]; B = 8π²σ². */
  readonly widths: Float64Array;
  /** Class from 0 in order of intensity, shape [n]. */
  readonly species: Uint8Array;
}

/** Projections of one object with their poses: a `TiltSeries` whose pixel size is known. */
export interface PosedProjections {
  /** Intensities, shape [views, ny, nx]. */
  readonly projections: Float32Array;
  readonly shape: readonly [views: number, ny: number, nx: number];
  /** Å per pixel; needed here. */
  readonly pixelAngstrom?: number | undefined;
  /** 1 where a pixel must not be used, [views, ny, nx]. */
  readonly mask?: Uint8Array | undefined;
  /** Rotation of every view, row by row, shape [views, 9]: p(u, v) = Σ_w volume(R (u, v, w)ᵀ). */
  readonly poses: Float64Array;
  /** Where the object's centre lies from pixel n//2, pixels (u, v), shape [views, 2]; default 0. */
  readonly shifts?: Float64Array | undefined;
}

/** A model of n atoms of one width; missing columns are filled. @throws bad-shape, bad-value */
export function atomModel(
  positions: ArrayLike<number>,
  intensities: ArrayLike<number> | number,
  widths: ArrayLike<number> | number,
  species?: ArrayLike<number>,
): AtomModel {
  const size = positions.length / 3;
  if (!Number.isInteger(size)) fail("bad-shape", { length: positions.length }, "positions are [n, 3] row-major: x0 y0 z0 x1 y1 z1 …");
  const column = (name: string, v: ArrayLike<number> | number): Float64Array => {
    if (typeof v === "number") return new Float64Array(size).fill(v);
    if (v.length !== size) fail("bad-shape", { column: name, length: v.length, atoms: size }, "one value per atom");
    return Float64Array.from(v);
  };
  const model = {
    size,
    positions: Float64Array.from(positions),
    intensities: column("intensities", intensities),
    widths: column("widths", widths),
    species: species ? Uint8Array.from(column("species", species)) : new Uint8Array(size),
  };
  for (const [name, values] of [
    ["positions", model.positions],
    ["intensities", model.intensities],
    ["widths", model.widths],
  ] as const) {
    const i = values.findIndex((v) => !Number.isFinite(v) || (name === "widths" && v <= 0));
    if (i >= 0) fail("bad-value", { column: name, index: i, value: values[i] }, "atoms need finite numbers and widths above 0, in Å");
  }
  return model;
}

/** The atoms whose indices are given, in that order. */
export function selectAtoms(model: AtomModel, indices: ArrayLike<number>): AtomModel {
  const rows = Array.from(indices);
  return {
    size: rows.length,
    positions: Float64Array.from(rows.flatMap((i) => Array.from(model.positions.subarray(3 * i, 3 * i + 3)))),
    intensities: Float64Array.from(rows, (i) => model.intensities[i]!),
    widths: Float64Array.from(rows, (i) => model.widths[i]!),
    species: Uint8Array.from(rows, (i) => model.species[i]!),
  };
}

/** Both lists, the first one first. */
export function joinAtoms(a: AtomModel, b: AtomModel): AtomModel {
  return {
    size: a.size + b.size,
    positions: concat(a.positions, b.positions),
    intensities: concat(a.intensities, b.intensities),
    widths: concat(a.widths, b.widths),
    species: Uint8Array.from([...a.species, ...b.species]),
  };
}

function concat(a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** Pixel size of checked projections. @throws bad-shape, bad-value: what a refinement would otherwise turn into NaN */
export function checkProjections({
  projections,
  shape: [views, ny, nx],
  pixelAngstrom: pixel,
  poses,
  shifts,
  mask,
}: PosedProjections): number {
  if (projections.length !== views * ny * nx || views < 1)
    fail("bad-shape", { length: projections.length, shape: [views, ny, nx] }, "projections are [views, ny, nx]");
  if (poses.length !== 9 * views)
    fail("bad-shape", { poses: poses.length / 9, views }, "one rotation (nine numbers) per view: the angle list and the stack disagree");
  if (shifts && shifts.length !== 2 * views) fail("bad-shape", { shifts: shifts.length, views }, "shifts are [views, 2], pixels");
  if (mask && mask.length !== projections.length) fail("bad-shape", { mask: mask.length }, "the mask has one byte for every pixel");
  for (let i = 0; i < projections.length; i++)
    if (!Number.isFinite(projections[i]!) && !mask?.[i])
      fail(
        "bad-value",
        { view: Math.floor(i / (ny * nx)), value: projections[i] },
        "projections must be finite: mask these pixels or leave the view out",
      );
  return pixel !== undefined && pixel > 0 && Number.isFinite(pixel)
    ? pixel
    : fail("bad-value", { pixelAngstrom: pixel }, "pixelAngstrom is the size of a pixel in Å, above 0: atoms are refined in Å");
}
