import type { UnitCell } from "./cell.js";
import { directBasis, type Mat3, metricTensor, reciprocalMetric } from "./metric.js";

/** U11 U22 U33 U12 U13 U23, Å²: T = exp(−2π² Σ U_ij a*ᵢ a*ⱼ hᵢ hⱼ). */
export type Adp = readonly [number, number, number, number, number, number];

/** Places of the six components in a symmetric tensor: 11 22 33 12 13 23. */
export const tensorPairs = [
  [0, 0],
  [1, 1],
  [2, 2],
  [0, 1],
  [0, 2],
  [1, 2],
] as const;
/** B = 8π² U, both in Å². */
export const bFromU = (u: number): number => 8 * Math.PI * Math.PI * u;
export const uFromB = (b: number): number => b / (8 * Math.PI * Math.PI);

/** a*ᵢ a*ⱼ for the six components. */
function starProducts(cell: UnitCell): number[] {
  const r = reciprocalMetric(cell);
  const s = [Math.sqrt(r[0]), Math.sqrt(r[4]), Math.sqrt(r[8])];
  return tensorPairs.map(([i, j]) => s[i]! * s[j]!);
}
const map6 = (f: (i: number) => number): Adp => [f(0), f(1), f(2), f(3), f(4), f(5)];

/** β = 2π² a*ᵢ a*ⱼ U_ij, no units: T = exp(−(β11 h² + β22 k² + β33 l² + 2β12 hk + 2β13 hl + 2β23 kl)). */
export function betaFromU(cell: UnitCell, u: Adp): Adp {
  const s = starProducts(cell);
  return map6((i) => 2 * Math.PI * Math.PI * s[i]! * u[i]!);
}
export function uFromBeta(cell: UnitCell, beta: Adp): Adp {
  const s = starProducts(cell);
  return map6((i) => beta[i]! / (2 * Math.PI * Math.PI * s[i]!));
}
/** U_eq = ⅓ Σ U_ij a*ᵢ a*ⱼ aᵢ·aⱼ (Fischer & Tillmanns 1988). */
export function equivalentU(cell: UnitCell, u: Adp): number {
  const s = starProducts(cell),
    g = metricTensor(cell);
  const dots = [g[0], g[4], g[8], 2 * g[1], 2 * g[2], 2 * g[5]];
  return tensorPairs.reduce((sum, _, i) => sum + u[i]! * s[i]! * dots[i]!, 0) / 3;
}
/** The tensor of an isotropic displacement on an oblique cell: U_ij = U cos(angle between aᵢ* and aⱼ*). */
export function isotropicAdp(cell: UnitCell, uIso: number): Adp {
  const r = reciprocalMetric(cell),
    s = starProducts(cell);
  const stars = [r[0], r[4], r[8], r[1], r[2], r[5]];
  return map6((i) => (uIso * stars[i]!) / s[i]!);
}
/** Mean square displacement tensor on the crystal's Cartesian axes, Å². */
export function cartesianAdp(cell: UnitCell, u: Adp): Mat3 {
  const s = starProducts(cell),
    a = directBasis(cell);
  const n = [u[0] * s[0]!, u[3] * s[3]!, u[4] * s[4]!, u[3] * s[3]!, u[1] * s[1]!, u[5] * s[5]!, u[4] * s[4]!, u[5] * s[5]!, u[2] * s[2]!];
  const out = new Array<number>(9).fill(0);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      for (let k = 0; k < 3; k++) for (let l = 0; l < 3; l++) out[3 * i + j]! += a[(3 * i + k) as 0] * n[3 * k + l]! * a[(3 * j + l) as 0];
  return out as unknown as Mat3;
}
/** Is the tensor an ellipsoid (positive definite)? */
export function isPositiveAdp(cell: UnitCell, u: Adp): boolean {
  const m = cartesianAdp(cell, u);
  const minor = m[0] * m[4] - m[1] * m[3];
  const det = m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
  return m[0] > 0 && minor > 0 && det > 0;
}
