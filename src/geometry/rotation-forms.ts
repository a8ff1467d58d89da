import { determinant, type Frame, inverse, type Map3, transpose } from "../core/frames.js";
import type { Rng } from "../core/rng.js";
import { identity } from "./rotation.js";

/** Unit quaternion (w, x, y, z) of a rotation by θ about n: (cos θ/2, n·sin θ/2), w >= 0. */
export type Quaternion = readonly [w: number, x: number, y: number, z: number];
/** Rotation vector n·θ, radians. */
export type RotationVector = readonly [number, number, number];

/** exp of a rotation vector: the right-handed rotation by |v| about v. */
export function rotationFromVector<To extends Frame = Frame, From extends Frame = Frame>(v: RotationVector): Map3<To, From> {
  const angle = Math.hypot(v[0], v[1], v[2]);
  const half = angle / 2;
  const s = angle < 1e-8 ? 0.5 - (half * half) / 12 : Math.sin(half) / angle;
  return rotationFromQuaternion([Math.cos(half), v[0] * s, v[1] * s, v[2] * s]);
}

/** log of a rotation: the vector n·θ with 0 <= θ <= π. */
export function rotationVector(r: Map3): RotationVector {
  const [w, x, y, z] = quaternion(r);
  const s = Math.hypot(x, y, z);
  const f = s < 1e-12 ? 2 : (2 * Math.atan2(s, w)) / s;
  return [x * f, y * f, z * f];
}

/** Rotation of a quaternion, which need not be of unit length. */
export function rotationFromQuaternion<To extends Frame = Frame, From extends Frame = Frame>(q: Quaternion): Map3<To, From> {
  const [w, x, y, z] = q;
  const s = 2 / (w * w + x * x + y * y + z * z);
  return [
    1 - s * (y * y + z * z),
    s * (x * y - w * z),
    s * (x * z + w * y),
    s * (x * y + w * z),
    1 - s * (x * x + z * z),
    s * (y * z - w * x),
    s * (x * z - w * y),
    s * (y * z + w * x),
    1 - s * (x * x + y * y),
  ];
}

/** Unit quaternion of a rotation, w >= 0. The largest component is found first, so no digit is lost near 180° (Shepperd 1978). */
export function quaternion(r: Map3): Quaternion {
  const trace = r[0] + r[4] + r[8];
  const diagonal = [trace, r[0], r[4], r[8]];
  const biggest = diagonal.indexOf(Math.max(...diagonal));
  const p = Math.sqrt(1 + 2 * diagonal[biggest]! - trace) / 2,
    f = 1 / (4 * p);
  const wx = (r[7] - r[5]) * f,
    wy = (r[2] - r[6]) * f,
    wz = (r[3] - r[1]) * f,
    xy = (r[1] + r[3]) * f,
    xz = (r[2] + r[6]) * f,
    yz = (r[5] + r[7]) * f;
  const q: Quaternion =
    biggest === 0 ? [p, wx, wy, wz] : biggest === 1 ? [wx, p, xy, xz] : biggest === 2 ? [wy, xy, p, yz] : [wz, xz, yz, p];
  const sign = q[0] < 0 ? -1 : 1;
  return [sign * q[0], sign * q[1], sign * q[2], sign * q[3]];
}

/** Angle of a rotation, radians, 0 to π. */
export function rotationAngle(r: Map3): number {
  const [w, x, y, z] = quaternion(r);
  return 2 * Math.atan2(Math.hypot(x, y, z), w);
}

/** Uniformly random rotation (Shoemake 1992). */
export function randomRotation<To extends Frame = Frame, From extends Frame = Frame>(rng: Rng): Map3<To, From> {
  const u = rng.uniform(),
    a = 2 * Math.PI * rng.uniform(),
    b = 2 * Math.PI * rng.uniform();
  const p = Math.sqrt(1 - u),
    q = Math.sqrt(u);
  return rotationFromQuaternion([q * Math.cos(b), p * Math.sin(a), p * Math.cos(a), q * Math.sin(b)]);
}

/**
 * The rotation nearest to a matrix in the sense of least squares (the orthogonal factor of its polar decomposition), by Newton's
 * iteration M ← (M + M⁻ᵀ)/2 (Higham 1986). A matrix with a negative determinant has no nearby rotation and gives a reflection.
 */
export function nearestRotation<To extends Frame, From extends Frame>(m: Map3<To, From>): Map3<To, From> {
  let r = m;
  for (let i = 0; i < 60; i++) {
    const t = transpose(inverse(r)) as Map3<To, From>;
    const scale = i < 3 ? Math.abs(determinant(r)) ** (-1 / 3) : 1; // scaling makes even a bad start quadratic at once
    const next = r.map((x, j) => (x * scale + t[j]! / scale) / 2) as unknown as Map3<To, From>;
    const change = Math.max(...next.map((x, j) => Math.abs(x - r[j]!)));
    r = next;
    if (change < 1e-15) break;
  }
  return r.some(Number.isNaN) ? identity() : r;
}
