import { fail } from "../core/errors.js";

/**
 * The degree + 1 B-splines that are not 0 at t, by the Cox–de Boor recursion: values of B_{first}, …, B_{first+degree}.
 * @param knots - rising (equal ones allowed), at least 2·degree + 2
 * @see de Boor (1972) J. Approx. Theory 6, 50, doi:10.1016/0021-9045(72)90080-9
 */
export function bsplineBasis(
  knots: ArrayLike<number>,
  degree: number,
  t: number,
): { readonly first: number; readonly values: Float64Array } {
  const n = knots.length - degree - 1;
  if (!(Number.isInteger(degree) && degree >= 0 && n >= degree + 1))
    fail("bad-shape", { knots: knots.length, degree }, "a B-spline of degree k has at least 2k + 2 knots");
  let low = degree,
    high = n;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (knots[mid]! <= t) low = mid;
    else high = mid;
  }
  const values = new Float64Array(degree + 1);
  values[0] = 1;
  for (let d = 1; d <= degree; d++) {
    let saved = 0;
    for (let r = 0; r < d; r++) {
      const right = knots[low + r + 1]! - t,
        left = t - knots[low + 1 - d + r]!,
        term = right + left > 0 ? values[r]! / (right + left) : 0;
      values[r] = saved + right * term;
      saved = left * term;
    }
    values[d] = saved;
  }
  return { first: low - degree, values };
}

/** Value of the spline Σ c_i B_i(t). */
export function bsplineValue(knots: ArrayLike<number>, coefficients: ArrayLike<number>, degree: number, t: number): number {
  if (coefficients.length !== knots.length - degree - 1)
    fail("bad-shape", { coefficients: coefficients.length, knots: knots.length, degree }, "there are knots − degree − 1 coefficients");
  const { first, values } = bsplineBasis(knots, degree, t);
  let s = 0;
  for (let k = 0; k <= degree; k++) s += coefficients[first + k]! * values[k]!;
  return s;
}

/** Knots for `intervals` equal intervals over [low, high], the ends repeated so that the spline begins and ends there. */
export function clampedKnots(low: number, high: number, intervals: number, degree = 3): Float64Array {
  if (!(high > low && Number.isInteger(intervals) && intervals >= 1))
    fail("bad-value", { low, high, intervals }, "knots need a rising range and at least one interval");
  return Float64Array.from(
    { length: intervals + 1 + 2 * degree },
    (_, i) => low + ((high - low) * Math.min(intervals, Math.max(0, i - degree))) / intervals,
  );
}
