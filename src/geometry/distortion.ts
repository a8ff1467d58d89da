import type { Vec2 } from "./detector.js";
import { degrees, radians } from "./rotation.js";

/**
 * Geometrical distortions of a diffraction pattern, as displacements of a point u = (x, y) = r(cos φ, sin φ), in Å⁻¹ from the direct
 * beam, lab x and y (image y up). Circular harmonics in φ times powers of r:
 *
 *   magnification           Δr = m r
 *   elliptical              Δr = e r cos 2(φ−φe), Δt = −e r sin 2(φ−φe)   (a pure strain: longest along φe, no rotation)
 *   barrel (−), pincushion  Δr = b r³
 *   spiral                  Δt = s r³
 *   parabolic               Δr = p r² cos(φ−φp), Δt = −p r² sin(φ−φp)     (a shift by p r² towards φp: straight rows become parabolas)
 *
 * m and e are numbers; p is in Å; b and s are in Å² (the displacement in Å⁻¹ at r = 1 Å⁻¹).
 * @see Brázda, Klementová, Krysiak & Palatinus, IUCrJ 9 (2022) 735
 */
export interface Distortion {
  readonly magnification: number;
  readonly ellipticalAmplitude: number;
  readonly ellipticalPhaseDeg: number;
  readonly barrel: number;
  readonly spiral: number;
  readonly parabolicAmplitude: number;
  readonly parabolicPhaseDeg: number;
}

/** No distortion. */
export const noDistortion: Distortion = {
  magnification: 0,
  ellipticalAmplitude: 0,
  ellipticalPhaseDeg: 0,
  barrel: 0,
  spiral: 0,
  parabolicAmplitude: 0,
  parabolicPhaseDeg: 0,
};

/** Names of the seven linear parameters: amplitudes with a phase enter as cosine and sine components, so the model is linear in them. */
export const distortionParameters = [
  "magnification",
  "ellipticalCos",
  "ellipticalSin",
  "barrel",
  "spiral",
  "parabolicX",
  "parabolicY",
] as const;
export type DistortionParameter = (typeof distortionParameters)[number];

/** The linear parameters of a distortion, in the order of {@link distortionParameters}. */
export function distortionVector(d: Distortion): Float64Array {
  const e = radians(2 * d.ellipticalPhaseDeg),
    p = radians(d.parabolicPhaseDeg);
  return Float64Array.of(
    d.magnification,
    d.ellipticalAmplitude * Math.cos(e),
    d.ellipticalAmplitude * Math.sin(e),
    d.barrel,
    d.spiral,
    d.parabolicAmplitude * Math.cos(p),
    d.parabolicAmplitude * Math.sin(p),
  );
}

/** Inverse of {@link distortionVector}; amplitudes come out positive, phases in (−90, 90] and (−180, 180]. */
export function distortionFromVector(v: ArrayLike<number>): Distortion {
  return {
    magnification: v[0]!,
    ellipticalAmplitude: Math.hypot(v[1]!, v[2]!),
    ellipticalPhaseDeg: degrees(Math.atan2(v[2]!, v[1]!)) / 2,
    barrel: v[3]!,
    spiral: v[4]!,
    parabolicAmplitude: Math.hypot(v[5]!, v[6]!),
    parabolicPhaseDeg: degrees(Math.atan2(v[6]!, v[5]!)),
  };
}

/** Displaced point of the ideal point (x, y), all in Å⁻¹; `v` is a {@link distortionVector}. */
export function distortPoint(v: ArrayLike<number>, x: number, y: number): Vec2 {
  const r2 = x * x + y * y,
    radial = 1 + v[0]! + v[3]! * r2,
    turn = v[4]! * r2;
  return [radial * x + v[1]! * x + v[2]! * y - turn * y + v[5]! * r2, radial * y + v[2]! * x - v[1]! * y + turn * x + v[6]! * r2];
}

/** Jacobian of {@link distortPoint} with respect to (x, y): [dX/dx, dX/dy, dY/dx, dY/dy]. */
export function distortionJacobian(v: ArrayLike<number>, x: number, y: number): readonly [number, number, number, number] {
  const r2 = x * x + y * y,
    m = v[0]!,
    ec = v[1]!,
    es = v[2]!,
    b = v[3]!,
    s = v[4]!;
  return [
    1 + m + ec + b * (r2 + 2 * x * x) - 2 * s * x * y + 2 * v[5]! * x,
    es + 2 * b * x * y - s * (r2 + 2 * y * y) + 2 * v[5]! * y,
    es + 2 * b * x * y + s * (r2 + 2 * x * x) + 2 * v[6]! * x,
    1 + m - ec + b * (r2 + 2 * y * y) + 2 * s * x * y + 2 * v[6]! * y,
  ];
}

/** Derivatives of the displaced point with respect to the seven parameters, (X, Y) pairs: shape [7, 2]. They do not depend on the parameters. */
export function distortionGradient(x: number, y: number): Float64Array {
  const r2 = x * x + y * y;
  return Float64Array.of(x, y, x, -y, y, x, r2 * x, r2 * y, -r2 * y, r2 * x, r2, 0, 0, r2);
}

/**
 * Ideal point of a displaced point: Newton's method on {@link distortPoint}, to rounding in three or four steps for any distortion
 * that leaves the pattern one to one. NaN where the displacement folds and no solution is found.
 */
export function undistortPoint(v: ArrayLike<number>, X: number, Y: number): Vec2 {
  let x = X,
    y = Y;
  for (let i = 0; i < 20; i++) {
    const [fx, fy] = distortPoint(v, x, y);
    const ex = fx - X,
      ey = fy - Y;
    if (ex * ex + ey * ey < 1e-30 * (1 + X * X + Y * Y)) return [x, y];
    const [a, b, c, d] = distortionJacobian(v, x, y);
    const det = a * d - b * c;
    x -= (d * ex - b * ey) / det;
    y -= (a * ey - c * ex) / det;
  }
  return [Number.NaN, Number.NaN];
}

/** {@link distortPoint} of many points, [n, 2] to [n, 2]. */
export function distortPoints(d: Distortion, points: Float64Array): Float64Array {
  return eachPoint(distortPoint, d, points);
}

/** {@link undistortPoint} of many points, [n, 2] to [n, 2]. */
export function undistortPoints(d: Distortion, points: Float64Array): Float64Array {
  return eachPoint(undistortPoint, d, points);
}

function eachPoint(f: (v: ArrayLike<number>, x: number, y: number) => Vec2, d: Distortion, points: Float64Array): Float64Array {
  const v = distortionVector(d),
    out = new Float64Array(points.length);
  for (let i = 0; i + 1 < points.length; i += 2) {
    const [x, y] = f(v, points[i]!, points[i + 1]!);
    out[i] = x;
    out[i + 1] = y;
  }
  return out;
}
