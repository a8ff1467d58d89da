/** Relative tolerances by kind of computation; a test that needs another says why. */
export const tolerances = {
  exact: 0,
  closedForm: 1e-13,
  iterative: 1e-9,
  float32: 1e-6,
  stochastic: 5e-2,
} as const;

/** Predicate: |value − expected| <= tolerance · max(1, |expected|). */
export function closeTo(expected: number, tolerance: number): (value: number) => boolean {
  return (value) => Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected));
}

/** Largest |a − b| over two arrays, relative to the largest |b|. NaN in either gives NaN. */
export function maxRelative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.NaN;
  let worst = 0,
    scale = 0;
  for (let i = 0; i < b.length; i++) {
    const d = Math.abs(a[i]! - b[i]!);
    if (Number.isNaN(d)) return Number.NaN;
    worst = Math.max(worst, d);
    scale = Math.max(scale, Math.abs(b[i]!));
  }
  return worst / (scale || 1);
}
