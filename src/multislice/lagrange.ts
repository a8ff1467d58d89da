/**
 * Weights of six-point Lagrange interpolation of n >= 6 uniform values at x (in steps); returns the index of the first, which is below 0 near the start of a
 * `mirrored` table: of an even or odd function, whose values at negative indices follow from those at positive ones.
 */
export function lagrangeStencil(weights: Float64Array, n: number, x: number, mirrored: boolean): number {
  const first = Math.min(n - 6, mirrored ? Math.floor(x) - 2 : Math.max(0, Math.floor(x) - 2));
  for (let i = 0; i < 6; i++) {
    let w = 1;
    for (let j = 0; j < 6; j++) if (j !== i) w *= (x - first - j) / (i - j);
    weights[i] = w;
  }
  return first;
}
