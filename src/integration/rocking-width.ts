import { fail } from "../core/errors.js";
import { type Exposure, type RockingModel, rockingWidth } from "../geometry/index.js";
import { leastSquares, type SolverStatus } from "../numerics/index.js";
import { rockingProfile, rockingProfileGradient } from "./rocking-width-profile.js";

/** Points on rocking curves: row i is one reflection on one frame. */
export interface RockingPoints {
  readonly size: number;
  /** How the frames were exposed, default continuous; a sweep of 0 is static in any case. */
  readonly kind?: Exposure["kind"];
  /** Excitation error and half sweep of the exposure, Å⁻¹; |g|, Å⁻¹. */
  readonly s: Float64Array;
  readonly sweep: Float64Array;
  readonly g: Float64Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Which reflection, 0 … groups − 1: rows of one share an integrated intensity. */
  readonly group: Int32Array;
  readonly groups: number;
}

export interface RockingWidth extends RockingModel {
  readonly status: SolverStatus;
  /** Standard uncertainties of rcWidth (Å⁻¹) and mosaicity (degrees), and the correlation of the two. */
  readonly rcWidthSigma: number;
  readonly mosaicitySigmaDeg: number;
  readonly correlation: number;
  /** Integrated intensity of every reflection, [groups]; NaN where it is not measured. */
  readonly integrated: Float64Array;
  readonly reducedChi2: number;
}

export interface RockingWidthOptions {
  readonly start?: RockingModel;
  /** Error of the model as a fraction of the highest point of each curve, added to sigma in quadrature: dynamical effects, 0.1. */
  readonly modelError?: number;
}

/**
 * RC width and mosaicity from the data: the intensities of each reflection on its frames are its integrated intensity times the rocking
 * profile of width σ(g) = RCwidth + |g|·mosaicity; the integrated intensities are linear and solved for inside (variable projection), so
 * that the fit has two parameters however many reflections there are. Spots below the detection limit must be in the data with their
 * limit as sigma, or the widths come out too small.
 * @throws bad-value for fewer than 30 points or no reflection on two frames
 */
export function fitRockingWidth(
  points: RockingPoints,
  { start = { rcWidth: 0.0015, mosaicityDeg: 0.15 }, modelError = 0.1 }: RockingWidthOptions = {},
): RockingWidth {
  const n = points.size;
  const perGroup = new Int32Array(points.groups);
  for (const g of points.group) perGroup[g]!++;
  if (n < 30 || !perGroup.some((c) => c > 1))
    fail("bad-value", { points: n }, "the rocking width needs reflections on two and more frames, 30 points in all");
  const profile = new Float64Array(n),
    weight = new Float64Array(n),
    integrated = new Float64Array(points.groups);
  const top = groupMaxima(points);
  for (let i = 0; i < n; i++) weight[i] = 1 / Math.hypot(points.sigma[i]!, modelError * top[points.group[i]!]!);
  const at = (p: Float64Array): RockingModel => ({ rcWidth: p[0]! * 1e-3, mosaicityDeg: p[1]! });
  const residuals = (p: Float64Array, out: Float64Array): void => {
    const model = at(p);
    for (let i = 0; i < n; i++) profile[i] = rockingProfile(points.s[i]!, rockingWidth(model, points.g[i]!), points.sweep[i]!, points.kind);
    integratedInto(integrated, points, profile, weight);
    for (let i = 0; i < n; i++) out[i] = (points.intensity[i]! - integrated[points.group[i]!]! * profile[i]!) * weight[i]!;
  };
  const slopes = new Float64Array(2 * n),
    sums = new Float64Array(3 * points.groups);
  // J of a curve moves with the widths too: J = Σw²pI/Σw²p², dJ = Σw²(I − 2Jp)dp/Σw²p²; where it is held at 0 it does not.
  const jacobian = (p: Float64Array, out: Float64Array): void => {
    residuals(p, out.subarray(0, n));
    const model = at(p);
    sums.fill(0);
    for (let i = 0; i < n; i++) {
      const g = points.g[i]!,
        k = points.group[i]!,
        w2 = weight[i]! ** 2,
        [, slope] = rockingProfileGradient(points.s[i]!, rockingWidth(model, g), points.sweep[i]!, points.kind),
        pull = w2 * (points.intensity[i]! - 2 * integrated[k]! * profile[i]!);
      slopes[2 * i] = 1e-3 * slope;
      slopes[2 * i + 1] = ((g * Math.PI) / 180) * slope;
      sums[3 * k]! += pull * slopes[2 * i]!;
      sums[3 * k + 1]! += pull * slopes[2 * i + 1]!;
      sums[3 * k + 2]! += w2 * profile[i]! ** 2;
    }
    for (let i = 0; i < n; i++) {
      const k = points.group[i]!,
        J = integrated[k]!;
      for (let a = 0; a < 2; a++) {
        const dJ = J > 0 ? sums[3 * k + a]! / sums[3 * k + 2]! : 0;
        out[2 * i + a] = -weight[i]! * (dJ * profile[i]! + J * slopes[2 * i + a]!);
      }
    }
  };
  const fit = leastSquares({
    residuals,
    jacobian,
    count: n,
    start: [start.rcWidth * 1e3, start.mosaicityDeg],
    lower: [1e-2, 0],
    upper: [20, 3], // wider than any crystal that gives spots
    loss: { kind: "huber", scale: 3 },
    maxIterations: 60,
    costTolerance: 1e-8,
  });
  residuals(fit.x, new Float64Array(n));
  const c = fit.covariance;
  return {
    status: fit.status,
    rcWidth: fit.x[0]! * 1e-3,
    mosaicityDeg: fit.x[1]!,
    rcWidthSigma: fit.sigma[0]! * 1e-3,
    mosaicitySigmaDeg: fit.sigma[1]!,
    correlation: c[1]! / Math.sqrt(c[0]! * c[3]!),
    integrated: integrated.map((v, k) => (perGroup[k] ? v : Number.NaN)),
    reducedChi2: fit.reducedChi2,
  };
}

/**
 * Highest intensity of every group. The model error is a fraction of this and not of the single point: a fraction of the point itself
 * would make weak points heavy and draw every curve down to them.
 */
export function groupMaxima(points: Pick<RockingPoints, "size" | "group" | "groups" | "intensity">): Float64Array {
  const top = new Float64Array(points.groups);
  for (let i = 0; i < points.size; i++) top[points.group[i]!] = Math.max(top[points.group[i]!]!, points.intensity[i]!);
  return top;
}

/** Weighted least-squares integrated intensity of every reflection for given profiles, not below 0. */
export function integratedInto(
  out: Float64Array,
  points: Pick<RockingPoints, "size" | "group" | "intensity">,
  profile: Float64Array,
  rootWeight: Float64Array,
): void {
  const top = new Float64Array(out.length),
    bottom = new Float64Array(out.length);
  for (let i = 0; i < points.size; i++) {
    const w = rootWeight[i]! ** 2 * profile[i]!;
    top[points.group[i]!]! += w * points.intensity[i]!;
    bottom[points.group[i]!]! += w * profile[i]!;
  }
  for (let k = 0; k < out.length; k++) out[k] = bottom[k]! > 0 ? Math.max(0, top[k]! / bottom[k]!) : 0;
}
