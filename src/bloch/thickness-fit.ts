import { fail } from "../core/errors.js";
import { cholesky, choleskySolve } from "../numerics/cholesky.js";
import { type Matrix, matrix } from "../numerics/matrix.js";

export interface ThicknessFitOptions {
  /** Standard deviations of the observations; 1 when not given. */
  readonly sigma?: ArrayLike<number> | undefined;
  /** Weight of the squared second differences of p, relative to the mean diagonal of the normal matrix: 0 leaves the histogram free. */
  readonly smoothness?: number | undefined;
}
export interface ThicknessFit {
  readonly status: "converged" | "max-iterations";
  /** p_k >= 0 of each thickness node, normalised to sum 1: the weights of a free {@link ThicknessModel}. */
  readonly weights: Float64Array;
  /** Scale of the observations: Σ of the unnormalised p. */
  readonly scale: number;
  /** Σ w (I_obs − I_calc)². */
  readonly chi2: number;
}

/**
 * The thickness distribution that fits intensities best at a fixed structure: I_obs = Σ_k p_k I(t_k) is linear in p, so it is solved as
 * non-negative least squares (active sets), with a smoothness term on request.
 * @param series - I_g(t_k), shape [observations, nodes]; as `blochIntensities` gives for one orientation, transposed
 * @throws bad-shape, bad-value when nothing can be fitted
 * @see Lawson & Hanson, Solving Least Squares Problems (1974), ch. 23
 */
export function fitThickness(series: Matrix, observed: ArrayLike<number>, options: ThicknessFitOptions = {}): ThicknessFit {
  const { rows, cols: n, data } = series,
    { sigma, smoothness = 0 } = options;
  if (observed.length !== rows || (sigma && sigma.length !== rows))
    fail("bad-shape", { rows, observed: observed.length, sigma: sigma?.length }, "one observation (and s.d.) for each row of the series");
  const normal = new Float64Array(n * n),
    right = new Float64Array(n);
  let total = 0;
  for (let r = 0; r < rows; r++) {
    const w = 1 / (sigma?.[r] ?? 1) ** 2,
      y = observed[r]!;
    if (!Number.isFinite(w * y))
      fail("bad-value", { row: r, observed: y, sigma: sigma?.[r] }, "observations and their s.d. are finite, the s.d. positive");
    total += w * y * y;
    for (let i = 0; i < n; i++) {
      const x = w * data[r * n + i]!;
      right[i]! += x * y;
      for (let j = 0; j <= i; j++) normal[i * n + j]! += x * data[r * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) normal[j * n + i] = normal[i * n + j]!;
  let trace = 0;
  for (let i = 0; i < n; i++) trace += normal[i * n + i]! / n;
  if (!(trace > 0)) fail("bad-value", { rows, nodes: n }, "the calculated intensities are all zero");
  const data2 = normal.slice();
  for (let k = 1; k < n - 1; k++)
    for (const [i, a] of [
      [k - 1, 1],
      [k, -2],
      [k + 1, 1],
    ] as const)
      for (const [j, b] of [
        [k - 1, 1],
        [k, -2],
        [k + 1, 1],
      ] as const)
        normal[i * n + j]! += smoothness * trace * a * b;
  for (let i = 0; i < n; i++) normal[i * n + i]! += 1e-13 * trace; // neighbouring thicknesses can be alike to the last digit
  const { p, converged } = nonNegative(normal, right, n, 1e-12 * trace);
  const scale = p.reduce((s, x) => s + x, 0);
  if (!(scale > 0)) fail("bad-value", { rows, nodes: n }, "no positive mixture of these thicknesses is like the observations");
  let chi2 = total;
  for (let i = 0; i < n; i++) {
    chi2 -= 2 * p[i]! * right[i]!;
    for (let j = 0; j < n; j++) chi2 += p[i]! * p[j]! * data2[i * n + j]!;
  }
  return { status: converged ? "converged" : "max-iterations", weights: p.map((x) => x / scale), scale, chi2: Math.max(0, chi2) };
}

/** min ½pᵀNp − rᵀp over p >= 0 by active sets. */
function nonNegative(normal: Float64Array, right: Float64Array, n: number, tolerance: number): { p: Float64Array; converged: boolean } {
  const p = new Float64Array(n),
    free = new Set<number>();
  const gradient = (i: number): number => {
    let g = right[i]!;
    for (const j of free) g -= normal[i * n + j]! * p[j]!;
    return g;
  };
  for (let step = 0; step < 6 * n + 20; step++) {
    let best = -1,
      size = tolerance;
    for (let i = 0; i < n; i++) {
      if (free.has(i)) continue;
      const g = gradient(i);
      if (g > size) {
        size = g;
        best = i;
      }
    }
    if (best < 0) return { p, converged: true };
    free.add(best);
    for (;;) {
      const list = [...free],
        m = list.length;
      const a = matrix(m, m),
        b = matrix(m, 1);
      list.forEach((i, r) => {
        b.data[r] = right[i]!;
        list.forEach((j, c) => {
          a.data[r * m + c] = normal[i * n + j]!;
        });
      });
      const x = choleskySolve(cholesky(a), b).data;
      // Walk towards the solution of the free set until the first weight would turn negative.
      let reach = 1;
      list.forEach((i, r) => {
        if (x[r]! <= 0) reach = Math.min(reach, p[i]! / (p[i]! - x[r]!));
      });
      list.forEach((i, r) => {
        p[i]! += reach * (x[r]! - p[i]!);
      });
      if (reach === 1) break;
      for (const i of list)
        if (!(p[i]! > 1e-15)) {
          p[i] = 0;
          free.delete(i);
        }
      if (free.size === 0) break;
    }
  }
  return { p, converged: false };
}
