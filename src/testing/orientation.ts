import { compose, inverse, type Map3, transpose } from "../core/frames.js";
import { type FrameGeometry, petsRotation } from "../geometry/index.js";
import { splitOrientation } from "../integration/constraints.js";
import type { Orientation } from "../integration/index-lattice.js";

/** Angle of a small rotation between two orientations, degrees. */
export function angleBetween(a: Map3, b: Map3): number {
  const m = compose(a as Map3<"lab", "crystal">, transpose(b as Map3<"crystal", "lab">) as Map3<"crystal", "lab">);
  const sine = Math.hypot(m[7] - m[5], m[2] - m[6], m[3] - m[1]) / 2;
  return (Math.atan2(sine, (m[0] + m[4] + m[8] - 1) / 2) * 180) / Math.PI;
}

/** The found orientation on the axes of the true one: found · P, P the whole-number change of basis between the two lattices. */
export function onTrueAxes(found: Orientation, truth: Orientation): Orientation {
  const p = compose(inverse(found) as Map3<"hkl", "sample">, truth).map(Math.round) as unknown as Map3<"hkl", "hkl">;
  return compose(found, p);
}

/** Root mean square angle over all frames between found and true crystal orientations in the lab, degrees. */
export function frameOrientationError(
  found: { readonly ub: Orientation; readonly frames: readonly FrameGeometry[] },
  truth: { readonly ub: Orientation; readonly frames: readonly FrameGeometry[] },
): number {
  const u = splitOrientation(onTrueAxes(found.ub, truth.ub)),
    v = splitOrientation(truth.ub);
  const lab = (f: FrameGeometry, m: Map3<"sample", "crystal">): Map3 => compose(petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg), m);
  const sum = found.frames.reduce((s, f, i) => s + angleBetween(lab(f, u), lab(truth.frames[i]!, v)) ** 2, 0);
  return Math.sqrt(sum / found.frames.length);
}
