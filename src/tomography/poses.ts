import { fail } from "../core/errors.js";
import type { Map3, Vec3 } from "../core/frames.js";
import { degrees, radians, rotationAbout } from "../geometry/rotation.js";
import { eulerAngles, eulerRotation } from "../geometry/rotation-euler.js";
import { rotationFromQuaternion } from "../geometry/rotation-forms.js";

/**
 * Order of three angles φ, θ, ψ: "ZYZ" is Rz(φ)·Ry(θ)·Rz(ψ) (GENFIRE), "ZYX" is Rz(φ)·Ry(θ)·Rx(ψ) (RESIRE and its successors). The two agree
 * for tilts about y alone and nowhere else, so it must always be said.
 */
export type PoseConvention = "ZYZ" | "ZYX";

/**
 * Poses of P views as rotation matrices, flat [P, 9], row-major. R takes view coordinates to the object: a view is
 * p(u, v) = Σ_w object(R·(u, v, w)), all measured from the centre (index ⌊n/2⌋). R is active and right-handed; at a tilt θ about y,
 * R = Ry(θ) and u = x·cos θ − z·sin θ.
 */
export type Poses = Float64Array;

const order = { ZYZ: "zyz", ZYX: "zyx" } as const;

function finite(values: ArrayLike<number>, what: string, per: number): number {
  const n = values.length / per;
  if (!(Number.isInteger(n) && n > 0)) fail("bad-shape", { length: values.length }, `${what} come ${per} a view, at least one view`);
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]!))
      fail("bad-value", { view: Math.floor(i / per), value: values[i] }, `${what} are finite numbers: mend the list or leave the view out`);
  return n;
}

/** Poses of angles φ, θ, ψ in degrees, flat [P, 3]. @throws bad-shape, bad-value */
export function posesFromEuler(anglesDeg: ArrayLike<number>, convention: PoseConvention): Poses {
  const n = finite(anglesDeg, "angles φ θ ψ", 3);
  if (!(convention in order)) fail("bad-value", { convention }, 'say which angles these are: "ZYZ" (GENFIRE) or "ZYX" (RESIRE)');
  const out = new Float64Array(9 * n);
  for (let p = 0; p < n; p++)
    out.set(eulerRotation(order[convention], [anglesDeg[3 * p]!, anglesDeg[3 * p + 1]!, anglesDeg[3 * p + 2]!]), 9 * p);
  return out;
}

/** Angles φ, θ, ψ of poses, degrees, flat [P, 3]; for ZYX −90 <= θ <= 90, for ZYZ 0 <= θ <= 180. */
export function poseAngles(poses: Poses, convention: PoseConvention): Float64Array {
  const out = new Float64Array(poses.length / 3);
  for (let p = 0; 9 * p < poses.length; p++) out.set(eulerAngles(order[convention], poseMatrix(poses, p)), 3 * p);
  return out;
}

/**
 * Poses of tilts in degrees about one axis in the image plane.
 * @param options.axisDeg - direction of the tilt axis from the image's x towards its y; 90 (default) is y
 */
export function posesFromTilts(tiltsDeg: ArrayLike<number>, { axisDeg = 90 }: { readonly axisDeg?: number | undefined } = {}): Poses {
  const n = finite(tiltsDeg, "tilts", 1);
  finite([axisDeg], "the direction of the tilt axis", 1);
  // Exact along the edges of the image: a fast and an exact path depend on it.
  const quarter = axisDeg / 90;
  const axis: Vec3<"lab"> = Number.isInteger(quarter)
    ? (
        [
          [1, 0, 0],
          [0, 1, 0],
          [-1, 0, 0],
          [0, -1, 0],
        ] as const
      )[((quarter % 4) + 4) % 4]!
    : [Math.cos(radians(axisDeg)), Math.sin(radians(axisDeg)), 0];
  const out = new Float64Array(9 * n);
  for (let p = 0; p < n; p++) out.set(rotationAbout(axis, radians(tiltsDeg[p]!)), 9 * p);
  return out;
}

/** Poses of quaternions (w, x, y, z), flat [P, 4]; they need not be normalised. */
export function posesFromQuaternions(quaternions: ArrayLike<number>): Poses {
  const n = finite(quaternions, "quaternions w x y z", 4);
  const out = new Float64Array(9 * n);
  for (let p = 0; p < n; p++) {
    const q = [0, 1, 2, 3].map((k) => quaternions[4 * p + k]!) as [number, number, number, number];
    if (!(Math.hypot(...q) > 1e-9)) fail("bad-value", { view: p, quaternion: q }, "a quaternion of no length is no rotation");
    out.set(rotationFromQuaternion(q), 9 * p);
  }
  return out;
}

/** Check flat [P, 9] matrices: proper rotations to 1e-6. @throws bad-shape, bad-value */
export function posesFromMatrices(matrices: ArrayLike<number>): Poses {
  const n = finite(matrices, "rotation matrices", 9);
  const out = Float64Array.from(matrices);
  for (let p = 0; p < n; p++) {
    const m = poseMatrix(out, p);
    let worst = 0;
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) {
        let s = i === j ? -1 : 0;
        for (let k = 0; k < 3; k++) s += m[(3 * i + k) as 0] * m[(3 * j + k) as 0];
        worst = Math.max(worst, Math.abs(s));
      }
    const det = m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
    if (worst > 1e-6 || det < 0)
      fail("bad-value", { view: p, deviation: worst, determinant: det }, "a pose is a proper rotation: rows orthonormal, determinant +1");
  }
  return out;
}

/** Matrix of view p. */
export function poseMatrix(poses: Poses, p: number): Map3 {
  return Array.from(poses.subarray(9 * p, 9 * p + 9)) as unknown as Map3;
}

/**
 * The one axis in the image plane about which all views are tilted, and the tilts, degrees; undefined where poses are more general.
 * The direction is that of {@link posesFromTilts}, −90 < axisDeg <= 90.
 */
export function tiltsOf(poses: Poses, toleranceDeg = 1e-4): { readonly axisDeg: number; readonly tiltsDeg: Float64Array } | undefined {
  const n = poses.length / 9;
  // The axis of the view with the largest tilt; R − Rᵀ = 2 sin θ [axis]×.
  let best: Vec3<"lab"> = [0, 1, 0],
    size = 1e-9;
  for (let p = 0; p < n; p++) {
    const m = poseMatrix(poses, p);
    const v = [m[7] - m[5], m[2] - m[6], m[3] - m[1]] as const,
      s = Math.hypot(...v);
    if (s > size) [best, size] = [[v[0] / s, v[1] / s, v[2] / s], s];
  }
  if (best[1] < -1e-12 || (Math.abs(best[1]) <= 1e-12 && best[0] < 0)) best = [-best[0], -best[1], -best[2]];
  const tolerance = radians(toleranceDeg),
    tiltsDeg = new Float64Array(n);
  for (let p = 0; p < n; p++) {
    const m = poseMatrix(poses, p);
    const sine = ((m[7] - m[5]) * best[0] + (m[2] - m[6]) * best[1] + (m[3] - m[1]) * best[2]) / 2;
    const angle = Math.atan2(sine, (m[0] + m[4] + m[8] - 1) / 2);
    const model = rotationAbout(best, angle);
    if (model.some((x, i) => Math.abs(x - m[i as 0]) > tolerance)) return undefined;
    tiltsDeg[p] = degrees(angle);
  }
  if (Math.abs(best[2]) > tolerance) return undefined;
  return { axisDeg: degrees(Math.atan2(best[1], best[0])), tiltsDeg };
}
