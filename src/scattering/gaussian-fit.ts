import { fail } from "../core/errors.js";
import { runSync } from "../core/job.js";
import { leastSquaresSteps } from "../numerics/least-squares.js";
import type { FormFactor } from "./form-factor.js";

/** f(s) ≈ Σ a·exp(−b s²) + c, Å and Å². */
export interface GaussianFit {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly c: number;
  /** Largest deviation over the range, as a share of f(0). */
  readonly worst: number;
}

/**
 * A form factor as the few Gaussians and the constant that programs such as SHELX take, by least squares on 0 … sMax. A neutral atom's f goes to 0
 * as 1/s²: within the range the constant stands for that tail.
 * @throws out-of-range, and unsupported for ions, whose f is infinite at s = 0
 */
export function fitGaussians(factor: FormFactor, count = 4, sMax = 1.2): GaussianFit {
  if (factor.charge !== 0)
    fail("unsupported", { element: factor.element, charge: factor.charge }, "Gaussians cannot hold the Coulomb tail of an ion");
  if (!(Number.isInteger(count) && count >= 1 && sMax > 0))
    fail("out-of-range", { count, sMax }, "count is a whole number from 1, sMax positive");
  const n = 121,
    s2 = Float64Array.from({ length: n }, (_, i) => ((sMax * i) / (n - 1)) ** 2),
    f = s2.map((x) => factor.f(Math.sqrt(x)));
  const f0 = f[0]!;
  // widths in a geometric row; heights and widths as logarithms would lose sign changes, so only b is a logarithm
  const start = Float64Array.from([
    ...Array.from({ length: count }, () => f0 / count),
    ...Array.from({ length: count }, (_, i) => Math.log(1.2 * 4.2 ** i)),
    0,
  ]);
  const value = (p: Float64Array, x: number): number => {
    let sum = p[2 * count]!;
    for (let j = 0; j < count; j++) sum += p[j]! * Math.exp(-Math.exp(p[count + j]!) * x);
    return sum;
  };
  const { x: p } = runSync(
    leastSquaresSteps({
      count: n,
      start,
      maxIterations: 400,
      residuals: (q, out) => {
        for (let i = 0; i < n; i++) out[i] = (value(q, s2[i]!) - f[i]!) / f0;
      },
    }),
  );
  const worst = f.reduce((m, v, i) => Math.max(m, Math.abs(value(p, s2[i]!) - v)), 0) / f0;
  const order = Array.from({ length: count }, (_, i) => i).sort((i, j) => p[count + j]! - p[count + i]!);
  return { a: order.map((i) => p[i]!), b: order.map((i) => Math.exp(p[count + i]!)), c: p[2 * count]!, worst };
}
