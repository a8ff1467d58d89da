import { fail } from "../core/errors.js";
import { apply, cross, dot, norm, type Vec3 } from "../core/frames.js";
import { rotationAbout } from "./rotation.js";

/**
 * Angles at which a turning reflection crosses the Ewald sphere: solutions φ of |K + Rot(axis, φ)·g| = |K|. With g split along the
 * axis e, this is K·(g − e(e·g))·cos φ + K·(e × g)·sin φ = −|g|²/2 − (e·g)(e·K).
 * @param g - diffraction vector at φ = 0, lab frame, Å⁻¹
 * @param axis - rotation axis, lab frame
 * @param k - incident wave vector, lab frame, Å⁻¹
 * @returns the two angles in radians, −π to π, in increasing order; empty in the blind region, where the reflection never crosses
 */
export function crossingAngles(g: Vec3<"lab">, axis: Vec3<"lab">, k: Vec3<"lab">): readonly number[] {
  const length = norm(axis);
  if (!(length > 0)) fail("bad-value", { axis }, "the rotation axis is a vector with a length");
  const e: Vec3<"lab"> = [axis[0] / length, axis[1] / length, axis[2] / length];
  const along = dot(e, g);
  const across: Vec3<"lab"> = [g[0] - along * e[0], g[1] - along * e[1], g[2] - along * e[2]];
  const c = dot(k, across),
    s = dot(k, cross(e, g));
  const amplitude = Math.hypot(c, s),
    t = (-dot(g, g) / 2 - along * dot(e, k)) / amplitude;
  if (!(Math.abs(t) <= 1)) return [];
  const middle = Math.atan2(s, c),
    half = Math.acos(t);
  const wrap = (x: number): number => x - 2 * Math.PI * Math.round(x / (2 * Math.PI));
  return [wrap(middle - half), wrap(middle + half)].sort((p, q) => p - q);
}

/** Diffracted wave vector K + Rot(axis, φ)·g, lab frame, Å⁻¹. */
export function diffractedVector(g: Vec3<"lab">, axis: Vec3<"lab">, angle: number, k: Vec3<"lab">): Vec3<"lab"> {
  const turned = apply(rotationAbout<"lab", "lab">(axis, angle), g);
  return [k[0] + turned[0], k[1] + turned[1], k[2] + turned[2]];
}
