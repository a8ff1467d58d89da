import { compose, type Frame, type Map3 } from "../core/frames.js";
import { degrees, radians, rotationAbout } from "./rotation.js";

/** Order of three intrinsic (turning with the body) Euler rotations; read left to right it is also the order of the matrices. */
export type EulerOrder = "zxz" | "zyz" | "xyx" | "xzx" | "yxy" | "yzy" | "xyz" | "xzy" | "yxz" | "yzx" | "zxy" | "zyx";

const axisOf = { x: 0, y: 1, z: 2 } as const;
const unit = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
] as const;
const axes = (order: EulerOrder): readonly [number, number, number] =>
  [...order].map((c) => axisOf[c as "x"]) as unknown as readonly [number, number, number];

/**
 * R = Rot(first, a)·Rot(second, b)·Rot(third, c), angles in degrees, right-handed, acting on vectors (active). With "zxz" these are
 * Bunge's angles of the transposed matrix: Bunge (MTEX, orix) writes the passive rotation, sample to crystal, g = Rᵀ.
 */
export function eulerRotation<To extends Frame = Frame, From extends Frame = Frame>(
  order: EulerOrder,
  anglesDeg: readonly [number, number, number],
): Map3<To, From> {
  const [r0, r1, r2] = axes(order).map((axis, i) => rotationAbout(unit[axis]!, radians(anglesDeg[i]!)));
  return compose(compose(r0!, r1!), r2!) as Map3<To, From>;
}

/**
 * Angles of {@link eulerRotation}, degrees. The middle angle lies in [0, 180] for orders that repeat an axis and in [−90, 90]
 * otherwise; where it makes the outer two degenerate, the third is 0.
 */
export function eulerAngles(order: EulerOrder, r: Map3): readonly [number, number, number] {
  const [i, j, last] = axes(order);
  const k = 3 - i - j;
  const sign = (j - i + 3) % 3 === 1 ? 1 : -1; // is (i, j, k) a cyclic order?
  const m = (a: number, b: number): number => r[(3 * a + b) as 0];
  if (last === i) {
    const s = Math.hypot(m(i, j), m(i, k));
    if (s < 1e-12) return [degrees(sign * Math.atan2(m(k, j), m(j, j))), m(i, i) > 0 ? 0 : 180, 0];
    return [degrees(Math.atan2(m(j, i), -sign * m(k, i))), degrees(Math.atan2(s, m(i, i))), degrees(Math.atan2(m(i, j), sign * m(i, k)))];
  }
  const c = Math.hypot(m(i, i), m(i, j));
  const middle = degrees(Math.atan2(sign * m(i, k), c));
  if (c < 1e-12) return [degrees(sign * Math.atan2(m(k, j), m(j, j))), middle, 0];
  return [degrees(Math.atan2(-sign * m(j, k), m(k, k))), middle, degrees(Math.atan2(-sign * m(i, j), m(i, i)))];
}
