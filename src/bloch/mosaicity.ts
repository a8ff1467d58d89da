import { fail } from "../core/errors.js";
import { radians } from "../geometry/rotation.js";
import { normalCdf } from "../numerics/erf.js";
import type { Quadrature } from "./integrate-rules.js";

/**
 * Spread of the orientations of mosaic blocks.
 * - `quantiles`: what JANA2020 does: a variance in degrees², `count` equal-weight blocks at the quantiles (i+½)/count of the normal
 *   distribution, turned about the axis perpendicular to beam and tilt axis. With few blocks their own variance is smaller than asked for
 *   (0.73 of it with 5): that is part of the model. With `cut` the quantiles are those of the normal distribution cut off at ±cut σ.
 * - `gaussian`: a normal distribution of standard deviation `sigmaDeg` by Gauss–Hermite quadrature, about the same axis (`transverse`), or
 *   about it and the tilt axis (`both`).
 */
export type Mosaicity =
  | { readonly kind: "none" }
  | { readonly kind: "quantiles"; readonly varianceDeg2: number; readonly count: number; readonly cut?: number | undefined }
  | { readonly kind: "gaussian"; readonly sigmaDeg: number; readonly count: number; readonly axes?: "transverse" | "both" | undefined };

/** Turns of mosaic blocks, radians, about the tilt axis (x of the lab) and the axis perpendicular to it and the beam (y), weights of sum 1. */
export interface MosaicBlocks {
  readonly aboutTilt: Float64Array;
  readonly aboutTransverse: Float64Array;
  readonly weights: Float64Array;
}

/** Inverse of the normal distribution function: bisection on its own function, to the last digits. */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) fail("out-of-range", { p }, "a quantile belongs to a probability between 0 and 1");
  let low = -40,
    high = 40;
  while (high - low > 1e-15 * Math.max(1, Math.abs(low))) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Gauss–Hermite rule of the standard normal distribution (weights of sum 1): roots of He_n by Newton's method with deflation. */
export function gaussHermite(count: number): Quadrature {
  if (!(Number.isInteger(count) && count >= 1 && count <= 100)) fail("bad-value", { count }, "count is a whole number from 1 to 100");
  const nodes = new Float64Array(count),
    weights = new Float64Array(count);
  /** Orthonormal He_n and He_{n−1} at x: He_k/√k! does not overflow. */
  const at = (x: number): readonly [number, number] => {
    let p = 1,
      before = 0;
    for (let k = 1; k <= count; k++) [before, p] = [p, (x * p - Math.sqrt(k - 1) * before) / Math.sqrt(k)];
    return [p, before];
  };
  // The roots lie in ±2√n, simple: a scan finds each change of sign, bisection the root.
  const limit = 2 * Math.sqrt(count) + 1,
    step = limit / (40 * count);
  let found = 0;
  for (let x = -limit; found < count && x < limit; x += step) {
    let low = x,
      high = x + step;
    const sign = at(low)[0] < 0;
    if (at(high)[0] < 0 === sign) continue;
    for (let i = 0; i < 80; i++) {
      const middle = (low + high) / 2;
      if (at(middle)[0] < 0 === sign) low = middle;
      else high = middle;
    }
    const root = Math.abs(low + high) / 2 < 1e-14 ? 0 : (low + high) / 2;
    nodes[found] = root;
    weights[found++] = 1 / (count * at(root)[1] ** 2);
  }
  return { nodes, weights };
}

/** @throws bad-value for a negative or NaN spread */
export function mosaicBlocks(m: Mosaicity): MosaicBlocks {
  const one = Float64Array.of(0);
  if (m.kind === "none") return { aboutTilt: one, aboutTransverse: one, weights: Float64Array.of(1) };
  const spread = m.kind === "quantiles" ? m.varianceDeg2 : m.sigmaDeg;
  if (!(spread >= 0)) fail("bad-value", { ...m }, "mosaicity is a spread of at least 0: a variance in degrees² or a deviation in degrees");
  if (!(Number.isInteger(m.count) && m.count >= 1)) fail("bad-value", { count: m.count }, "count is a whole number of at least 1");
  if (m.kind === "quantiles") {
    const sigma = radians(Math.sqrt(m.varianceDeg2));
    if (m.cut !== undefined && !(m.cut > 0)) fail("bad-value", { cut: m.cut }, "cut is a positive number of standard deviations");
    const tail = m.cut === undefined ? 0 : normalCdf(-m.cut);
    return {
      aboutTilt: new Float64Array(m.count),
      aboutTransverse: Float64Array.from(
        { length: m.count },
        (_, i) => sigma * normalQuantile(tail + ((1 - 2 * tail) * (i + 0.5)) / m.count),
      ),
      weights: new Float64Array(m.count).fill(1 / m.count),
    };
  }
  const sigma = radians(m.sigmaDeg);
  const rule = gaussHermite(m.count);
  if (m.axes !== "both")
    return { aboutTilt: new Float64Array(m.count), aboutTransverse: rule.nodes.map((x) => sigma * x), weights: rule.weights };
  const n = m.count;
  return {
    aboutTilt: Float64Array.from({ length: n * n }, (_, i) => sigma * rule.nodes[Math.floor(i / n)]!),
    aboutTransverse: Float64Array.from({ length: n * n }, (_, i) => sigma * rule.nodes[i % n]!),
    weights: Float64Array.from({ length: n * n }, (_, i) => rule.weights[Math.floor(i / n)]! * rule.weights[i % n]!),
  };
}
