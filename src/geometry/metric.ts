import { fail } from "../core/errors.js";
import { apply, compose, determinant, inverse, type Map3, transpose, type Vec3 } from "../core/frames.js";
import { cosDeg, type UnitCell, unitCell } from "./cell.js";

/** A plain row-major 3×3 matrix: metric tensors, changes of basis, rotation parts. */
export type Mat3 = readonly [number, number, number, number, number, number, number, number, number];
/** Fractional coordinates, or components [u v w] of a lattice direction, on a, b, c. */
export type Fractional = readonly [number, number, number];
/** Miller indices. */
export type Hkl = Vec3<"hkl">;

export const identity3: Mat3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];
/** Product of two plain 3×3 matrices. */
export function multiply3(a: Mat3, b: Mat3): Mat3 {
  return compose(a as Map3<"crystal", "crystal">, b as Map3<"crystal", "crystal">) as Mat3;
}
const asMat = (m: Map3): Mat3 => m as Mat3;
const degrees = (cosine: number): number => (Math.acos(Math.max(-1, Math.min(1, cosine))) * 180) / Math.PI;

/** Metric tensor G, G_ij = a_i · a_j, Å²: |u|² = uᵀ G u for fractional u. */
export function metricTensor(cell: UnitCell): Mat3 {
  const { a, b, c } = cell;
  const ab = a * b * cosDeg(cell.gammaDeg),
    ac = a * c * cosDeg(cell.betaDeg),
    bc = b * c * cosDeg(cell.alphaDeg);
  return [a * a, ab, ac, ab, b * b, bc, ac, bc, c * c];
}

/** @throws bad-cell when G is not positive definite. */
export function cellFromMetric(g: Mat3): UnitCell {
  const a = Math.sqrt(g[0]),
    b = Math.sqrt(g[4]),
    c = Math.sqrt(g[8]);
  if (!(determinant(g) > 0 && a > 0 && b > 0 && c > 0)) fail("bad-cell", { metric: g }, "the metric tensor must be positive definite");
  // 90 − asin is exact at 90° where acos is not.
  const angle = (dot: number, p: number, q: number): number =>
    dot === 0 ? 90 : 90 - (Math.asin(Math.max(-1, Math.min(1, dot / (p * q)))) * 180) / Math.PI;
  return unitCell(a, b, c, angle((g[5] + g[7]) / 2, b, c), angle((g[2] + g[6]) / 2, a, c), angle((g[1] + g[3]) / 2, a, b));
}

/** Metric tensor of the reciprocal lattice, G* = G⁻¹, Å⁻²: 1/d² = hᵀ G* h. */
export function reciprocalMetric(cell: UnitCell): Mat3 {
  return inverse(metricTensor(cell)).map((x) => x + 0) as unknown as Mat3; // + 0: no negative zeros
}

/** Reciprocal cell: a* b* c* in Å⁻¹ (no 2π), angles in degrees, volume in Å⁻³. */
export function reciprocalCell(cell: UnitCell): UnitCell {
  return cellFromMetric(reciprocalMetric(cell));
}

/**
 * B of Busing & Levy (1967) Acta Cryst. 22, 457: columns are a*, b*, c* in Å⁻¹ on the crystal's Cartesian axes x ∥ a*, y in the
 * plane of a* and b*, z ∥ c (so that z completes a right-handed set). |B h| = 1/d, no 2π.
 */
export function reciprocalBasis(cell: UnitCell): Map3<"crystal", "hkl"> {
  const r = reciprocalMetric(cell);
  const as = Math.sqrt(r[0]),
    by = Math.sqrt(r[4] - (r[1] * r[1]) / r[0]);
  const bx = r[1] / as,
    cx = r[2] / as,
    cy = (r[5] - bx * cx) / by;
  return [as, bx, cx, 0, by, cy, 0, 0, 1 / cell.c];
}

/** Columns a, b, c in Å on the Cartesian axes of {@link reciprocalBasis}: A = B⁻ᵀ, r = A x. */
export function directBasis(cell: UnitCell): Mat3 {
  return asMat(transpose(inverse(reciprocalBasis(cell))));
}

/** 1/d of one reflection, Å⁻¹. */
export function dStar(cell: UnitCell, hkl: Hkl): number {
  return Math.sqrt(quadratic(reciprocalMetric(cell), hkl));
}
/** Interplanar spacing, Å; Infinity for 0 0 0. */
export function dSpacing(cell: UnitCell, hkl: Hkl): number {
  return 1 / dStar(cell, hkl);
}
/** vᵀ M v. */
export function quadratic(m: Mat3, v: readonly [number, number, number]): number {
  const [x, y, z] = v;
  return m[0] * x * x + m[4] * y * y + m[8] * z * z + (m[1] + m[3]) * x * y + (m[2] + m[6]) * x * z + (m[5] + m[7]) * y * z;
}
/** uᵀ M v. */
export function bilinear(m: Mat3, u: readonly [number, number, number], v: readonly [number, number, number]): number {
  const w = apply(m as Map3<"hkl", "hkl">, v);
  return u[0] * w[0] + u[1] * w[1] + u[2] * w[2];
}
/** Angle between two vectors given on the axes whose metric tensor is m, degrees. */
export function angleDeg(m: Mat3, u: readonly [number, number, number], v: readonly [number, number, number]): number {
  return degrees(bilinear(m, u, v) / Math.sqrt(quadratic(m, u) * quadratic(m, v)));
}
/** Angle between lattice direction [u v w] and the normal of (h k l), degrees, 0…180. */
export function directionNormalAngleDeg(cell: UnitCell, uvw: Fractional, hkl: Hkl): number {
  const g = metricTensor(cell);
  const dot = uvw[0] * hkl[0] + uvw[1] * hkl[1] + uvw[2] * hkl[2];
  return degrees(dot / Math.sqrt(quadratic(g, uvw) * quadratic(reciprocalMetric(cell), hkl)));
}

/** Cell of an orientation matrix whose columns are a*, b*, c* in Å⁻¹ on any Cartesian axes. @throws bad-cell for a singular UB. */
export function cellFromUB(ub: Map3): UnitCell {
  if (!(Math.abs(determinant(ub)) > 0)) fail("bad-cell", { ub }, "UB is singular: its columns a*, b*, c* must not lie in one plane");
  const star = compose(transpose(ub) as Map3<"hkl", "lab">, ub as Map3<"lab", "hkl">);
  return cellFromMetric(asMat(inverse(star)));
}

/**
 * Cell on new axes (a' b' c') = (a b c) P, the convention of International Tables A: columns of P are the new axes on the old ones.
 * Coordinates change as x' = P⁻¹ x, indices as h' = h P (row).
 */
export function transformCell(cell: UnitCell, p: Mat3): UnitCell {
  return cellFromMetric(transformMetric(metricTensor(cell), p));
}
/** G' = Pᵀ G P. */
export function transformMetric(g: Mat3, p: Mat3): Mat3 {
  return multiply3(multiply3(asMat(transpose(p)), g), p);
}
/** h' = h P, the indices on the new axes. */
export function transformHkl(hkl: Hkl, p: Mat3): Hkl {
  return apply(transpose(p) as Map3<"hkl", "hkl">, hkl);
}
/** x' = P⁻¹ x, the coordinates on the new axes. */
export function transformFractional(x: Fractional, p: Mat3): Fractional {
  return apply(inverse(p) as Map3<"hkl", "hkl">, x) as Fractional;
}
/** UB on the new axes: UB' = UB · P⁻ᵀ. */
export function transformUB<F extends "crystal" | "sample" | "lab" | "detector" | "scan" | "hkl">(
  ub: Map3<F, "hkl">,
  p: Mat3,
): Map3<F, "hkl"> {
  return compose(ub, transpose(inverse(p)) as Map3<"hkl", "hkl">);
}
/** Fractional coordinates to Å on the crystal axes. */
export function fractionalToCartesian(cell: UnitCell, x: Fractional): Vec3<"crystal"> {
  return apply(directBasis(cell) as Map3<"crystal", "hkl">, x as Hkl);
}
/** Å on the crystal axes to fractional coordinates: x = Bᵀ r. */
export function cartesianToFractional(cell: UnitCell, r: Vec3<"crystal">): Fractional {
  return apply(transpose(reciprocalBasis(cell)), r) as Fractional;
}
