import { fail } from "../core/errors.js";
import type { Frame, Map3, Vec3 } from "../core/frames.js";

/** Radians of degrees. */
export const radians = (deg: number): number => (deg * Math.PI) / 180;
/** Degrees of radians. */
export const degrees = (rad: number): number => (rad * 180) / Math.PI;

/** Identity map. */
export function identity<To extends Frame = Frame, From extends Frame = Frame>(): Map3<To, From> {
  return [1, 0, 0, 0, 1, 0, 0, 0, 1];
}

/**
 * Right-handed rotation by `angle` (radians) about a unit vector: Rodrigues' formula, R = cos·1 + sin·[n]× + (1−cos)·n nᵀ.
 * Looking against the axis, a positive angle turns anticlockwise.
 * @throws bad-value when the axis has no length
 */
export function rotationAbout<To extends Frame = Frame, From extends Frame = Frame>(axis: Vec3, angle: number): Map3<To, From> {
  const length = Math.hypot(axis[0], axis[1], axis[2]);
  if (!(length > 0)) fail("bad-value", { axis: [...axis] }, "a rotation axis is a vector with a length, for example [1, 0, 0]");
  const x = axis[0] / length,
    y = axis[1] / length,
    z = axis[2] / length;
  const s = Math.sin(angle),
    c = Math.cos(angle),
    v = 2 * Math.sin(angle / 2) ** 2; // 1 − cos without cancellation
  return [
    c + v * x * x,
    v * x * y - s * z,
    v * x * z + s * y,
    v * x * y + s * z,
    c + v * y * y,
    v * y * z - s * x,
    v * x * z - s * y,
    v * y * z + s * x,
    c + v * z * z,
  ];
}

/** Derivative of {@link rotationAbout} with respect to the angle, [n]×·R. */
export function rotationDerivative<To extends Frame = Frame, From extends Frame = Frame>(axis: Vec3, angle: number): Map3<To, From> {
  const n = Math.hypot(axis[0], axis[1], axis[2]);
  const x = axis[0] / n,
    y = axis[1] / n,
    z = axis[2] / n;
  const s = Math.sin(angle),
    c = Math.cos(angle);
  return [
    s * (x * x - 1),
    s * x * y - c * z,
    s * x * z + c * y,
    s * x * y + c * z,
    s * (y * y - 1),
    s * y * z - c * x,
    s * x * z - c * y,
    s * y * z + c * x,
    s * (z * z - 1),
  ];
}
