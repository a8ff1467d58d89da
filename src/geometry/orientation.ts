import { fail } from "../core/errors.js";
import { compose, determinant, inverse, type Map3, transpose } from "../core/frames.js";
import type { UnitCell } from "./cell.js";
import { reciprocalBasis } from "./metric.js";
import { radians } from "./rotation.js";
import { nearestRotation, rotationAngle } from "./rotation-forms.js";

/** Orientation matrix UB: columns are a*, b*, c* in the sample frame, Å⁻¹ (no 2π); g = UB·h. */
export type OrientationMatrix = Map3<"sample", "hkl">;

/** UB of an orientation U and a cell. */
export function ubMatrix(u: Map3<"sample", "crystal">, cell: UnitCell): OrientationMatrix {
  return compose(u, reciprocalBasis(cell));
}

/**
 * U of an orientation matrix: the rotation nearest to UB·B⁻¹. With the cell of UB itself it is exact; with a constrained cell it is
 * the least-squares orientation.
 * @throws bad-value when UB is left-handed, which no rotation of a right-handed cell gives
 */
export function orientationOf(ub: OrientationMatrix, cell: UnitCell): Map3<"sample", "crystal"> {
  if (!(determinant(ub) > 0))
    fail(
      "bad-value",
      { determinant: determinant(ub) },
      "UB is left-handed or singular: its columns must be a*, b*, c* of a right-handed cell",
    );
  return nearestRotation(compose(ub, inverse(reciprocalBasis(cell))));
}

/** Angle between two orientations, radians, 0 to π. */
export function misorientation(a: Map3<"sample", "crystal">, b: Map3<"sample", "crystal">): number {
  return rotationAngle(compose(a, transpose(b) as Map3<"crystal", "sample">));
}

/**
 * Smallest angle between two orientation matrices over changes of indexing h' = M·h, radians: the angle of the rotation nearest to
 * UB₁·M·UB₂⁻¹ for the best M. Give the rotations of the lattice on reciprocal axes, or nothing for M = 1.
 */
export function ubMisorientation(
  a: OrientationMatrix,
  b: OrientationMatrix,
  indexings: readonly Map3<"hkl", "hkl">[] = [[1, 0, 0, 0, 1, 0, 0, 0, 1]],
): number {
  return Math.min(...indexings.map((m) => rotationAngle(nearestRotation(compose(compose(a, m), inverse(b))))));
}

/**
 * Derivatives of B ({@link reciprocalBasis}) with respect to a, b, c (per Å) and alpha, beta, gamma (per degree): six maps.
 * B is the upper triangular factor of the reciprocal metric, BᵀB = G* = G⁻¹, hence dB = −Φ(B·dG·Bᵀ)·B, where Φ keeps the upper
 * triangle and half of the diagonal (the derivative of a Cholesky factor; Murray, arXiv:1602.07527).
 */
export function reciprocalBasisDerivatives(cell: UnitCell): readonly Map3<"crystal", "hkl">[] {
  const b = reciprocalBasis(cell);
  return metricDerivatives(cell).map((dG) => {
    const m = compose(compose(b as Map3, dG), transpose(b) as Map3);
    const phi: Map3 = [-m[0] / 2, -m[1], -m[2], 0, -m[4] / 2, -m[5], 0, 0, -m[8] / 2];
    return compose(phi, b as Map3) as Map3<"crystal", "hkl">;
  });
}

/** dG/da, dG/db, dG/dc (per Å) and dG/dα, dG/dβ, dG/dγ (per degree) of the metric tensor. */
function metricDerivatives(cell: UnitCell): readonly Map3[] {
  const { a, b, c } = cell;
  const [ca, cb, cg] = [cell.alphaDeg, cell.betaDeg, cell.gammaDeg].map((x) => Math.cos(radians(x))) as [number, number, number];
  const [sa, sb, sg] = [cell.alphaDeg, cell.betaDeg, cell.gammaDeg].map((x) => Math.sin(radians(x)) * radians(1)) as [
    number,
    number,
    number,
  ];
  return [
    [2 * a, b * cg, c * cb, b * cg, 0, 0, c * cb, 0, 0],
    [0, a * cg, 0, a * cg, 2 * b, c * ca, 0, c * ca, 0],
    [0, 0, a * cb, 0, 0, b * ca, a * cb, b * ca, 2 * c],
    [0, 0, 0, 0, 0, -b * c * sa, 0, -b * c * sa, 0],
    [0, 0, -a * c * sb, 0, 0, 0, -a * c * sb, 0, 0],
    [0, -a * b * sg, 0, -a * b * sg, 0, 0, 0, 0, 0],
  ];
}
