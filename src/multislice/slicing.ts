import { fail } from "../core/errors.js";
import type { AtomModel } from "./atoms.js";

/** Cuts of the box normal to the beam. */
export interface Slices {
  /** Boundaries from 0 to the thickness, Å, shape [count + 1]. */
  readonly bounds: Float64Array;
  readonly count: number;
}

/**
 * Equal slices no thicker than `sliceThickness` Å, or slices at given boundaries.
 * @throws bad-value for boundaries that do not rise from 0 to the thickness
 */
export function slices(
  model: AtomModel,
  cut: { readonly sliceThickness?: number | undefined; readonly bounds?: ArrayLike<number> | undefined } = {},
): Slices {
  const height = model.cell[8]!;
  if (cut.bounds) {
    const bounds = Float64Array.from(cut.bounds),
      last = bounds.length - 1;
    const close = (p: number, q: number): boolean => Math.abs(p - q) <= 1e-6 * height;
    if (!(last >= 1 && close(bounds[0]!, 0) && close(bounds[last]!, height) && bounds.every((z, i) => i === 0 || z > bounds[i - 1]!)))
      fail(
        "bad-value",
        { first: bounds[0], last: bounds[last], thickness: height },
        "boundaries rise from 0 to the thickness of the box, in Å",
      );
    return { bounds, count: last };
  }
  const { sliceThickness = 1 } = cut;
  if (!(sliceThickness > 0)) fail("bad-value", { sliceThickness }, "slices have a thickness in Å, for example 1 or 2");
  const count = Math.max(1, Math.ceil(height / sliceThickness - 1e-6));
  if (count > 1e6) fail("too-large", { slices: count, sliceThickness }, "sliceThickness is in Å: thicker slices, please");
  return { bounds: Float64Array.from({ length: count + 1 }, (_, i) => (i === count ? height : (height * i) / count)), count };
}

/**
 * Boundaries that keep lattice planes whole: halfway between groups of atoms that are more than `tolerance` Å apart along the beam; groups
 * further apart than `sliceThickness` get empty slices between them.
 */
export function planeSlices(
  model: AtomModel,
  { tolerance = 0.2, sliceThickness = 2 }: { readonly tolerance?: number; readonly sliceThickness?: number } = {},
): Slices {
  const height = model.cell[8]!,
    z = Float64Array.from({ length: model.atomicNumbers.length }, (_, i) => model.positions[3 * i + 2]!).sort();
  const cuts = [0];
  for (let i = 1; i < z.length; i++) {
    const gap = z[i]! - z[i - 1]!;
    if (gap <= tolerance) continue;
    const mid = z[i - 1]! + gap / 2;
    if (mid > cuts.at(-1)! + 1e-6 && mid < height - 1e-6) cuts.push(mid);
  }
  cuts.push(height);
  const bounds = cuts.flatMap((c, i) => {
    if (i === 0) return [c];
    const parts = Math.max(1, Math.ceil((c - cuts[i - 1]!) / (1.5 * sliceThickness)));
    return Array.from({ length: parts }, (_, k) => cuts[i - 1]! + ((c - cuts[i - 1]!) * (k + 1)) / parts);
  });
  return slices(model, { bounds });
}

/** Atoms further than this outside the box belong somewhere else; nearer ones (thermal displacements) count for the end slices. */
const OUTSIDE = 1;

/**
 * Slice of every atom, [n]: the one whose half-open interval [z₁, z₂) holds it. No atom is dropped: rounding at a boundary is forgiven (an atom
 * up to 1e-6 Å below one belongs to the upper slice) and the end slices reach 1 Å out of the box.
 * @throws out-of-range for atoms further outside
 */
export function sliceOfAtoms(model: AtomModel, { bounds, count }: Slices): Int32Array {
  const height = bounds[count]!,
    n = model.atomicNumbers.length;
  const equal = height / count,
    regular = bounds.every((b, i) => Math.abs(b - i * equal) < 1e-9 * height);
  return Int32Array.from({ length: n }, (_, i) => {
    const z = model.positions[3 * i + 2]! + 1e-6;
    if (z < -OUTSIDE || z > height + OUTSIDE)
      fail(
        "out-of-range",
        { atom: i, z, thickness: height },
        "this atom lies outside the box along the beam: shift the atoms, or make the box thicker",
      );
    if (regular) return Math.max(0, Math.min(count - 1, Math.floor(z / equal)));
    let lo = 0,
      hi = count - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (bounds[mid]! <= z) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  });
}

/** Slices of the atoms of snapshots by their rest positions, for `sliceOfAtom`; undefined where the snapshots have none. */
export function restSlices(
  snapshots: { readonly rest?: AtomModel | undefined },
  cut: { readonly sliceThickness?: number | undefined; readonly bounds?: ArrayLike<number> | undefined } = {},
): Int32Array | undefined {
  return snapshots.rest && sliceOfAtoms(snapshots.rest, slices(snapshots.rest, cut));
}
