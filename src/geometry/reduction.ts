import type { UnitCell } from "./cell.js";
import type { Mat3 } from "./metric.js";

/** A reduced cell and how it was reached: (a' b' c') = (a b c) P with P integer, det P = +1; h' = h P, x' = P⁻¹ x. */
export interface Reduction {
  readonly cell: UnitCell;
  readonly basis: Mat3;
  /** Rounds used; a reduction that does not settle throws. */
  readonly steps: number;
}

/** Greatest common divisor of absolute values; gcd(0, 0) = 0. */
export function gcd(a: number, b: number): number {
  let x = Math.abs(a),
    y = Math.abs(b);
  while (y) [x, y] = [y, x % y];
  return x;
}
/** The vector divided by the gcd of its components, first nonzero component positive. */
export function primitiveVector(v: readonly [number, number, number]): readonly [number, number, number] {
  const d = gcd(gcd(v[0], v[1]), v[2]) || 1;
  const first = v[0] || v[1] || v[2];
  const s = first < 0 ? -d : d;
  return [v[0] / s + 0, v[1] / s + 0, v[2] / s + 0];
}
/** The 3×3 matrix with these columns. */
export function fromColumns(
  a: readonly [number, number, number],
  b: readonly [number, number, number],
  c: readonly [number, number, number],
): Mat3 {
  return [a[0], b[0], c[0], a[1], b[1], c[1], a[2], b[2], c[2]];
}
/** Column k of a 3×3 matrix. */
export function column(m: Mat3, k: 0 | 1 | 2): readonly [number, number, number] {
  return [m[k], m[(k + 3) as 3], m[(k + 6) as 6]];
}
