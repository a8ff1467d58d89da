import { projectionFactor } from "../geometry/detector.js";
import { distortionJacobian, distortPoint } from "../geometry/distortion.js";
import { distortionVector, type FrameGeometry, type Instrument, petsRotation, type RockingModel } from "../geometry/index.js";
import { rockingWidth } from "../geometry/rocking.js";
import { leastSquares } from "../numerics/index.js";
import { type FrameReflections, halfSweepOf } from "./frame-orientation-table.js";
import type { Orientation } from "./index-lattice.js";
import { rockingProfile, rockingProfileGradient } from "./rocking-width-profile.js";

/** What is refined on every frame. */
export const frameParameters = ["alpha", "beta", "omega", "scale", "magnification", "centreX", "centreY"] as const;
export type FrameParameter = (typeof frameParameters)[number];

export interface FrameTask {
  readonly data: FrameReflections;
  readonly list: readonly number[];
  readonly ub: Orientation;
  readonly instrument: Instrument;
  readonly frame: FrameGeometry;
  readonly origin: FrameGeometry;
  readonly model: RockingModel;
  readonly integrated: Float64Array;
  readonly noise: Float64Array;
  /** Standard deviation of every row's position, Å⁻¹ per coordinate. */
  readonly sigmaXy: Float64Array;
  readonly refine: readonly FrameParameter[];
  readonly prior: Readonly<Record<FrameParameter, number>>;
  /** No correction goes beyond four times this (or the prior). */
  readonly reach: Readonly<Record<FrameParameter, number>>;
  readonly scanDeg: number;
}

/** One frame: least squares on intensities and positions with the prior as further rows. Parameters are the total corrections from `origin`. */
export function refineFrame(task: FrameTask): { frame: FrameGeometry; sigma: Float64Array; wrBefore: number; wrAfter: number } | undefined {
  const { data, list, ub, instrument, frame, origin, model, integrated, noise, refine, prior } = task;
  const m = list.length,
    P = frameParameters.length,
    count = 3 * m + P;
  const d = instrument.detector,
    k = instrument.beam.k,
    warp = distortionVector(instrument.distortion),
    exposure = instrument.exposure,
    rad = Math.PI / 180;
  const c0 = origin.centrePx ?? d.centrePx,
    c1 = frame.centrePx ?? d.centrePx;
  const start = [
    frame.alphaDeg - origin.alphaDeg,
    frame.betaDeg - origin.betaDeg,
    frame.omegaDeg - origin.omegaDeg,
    Math.log(frame.scale ?? 1),
    (frame.magnification ?? 0) - (origin.magnification ?? 0),
    c1[0] - c0[0],
    c1[1] - c0[1],
  ]; // prettier-ignore
  const priorScale = frameParameters.map((name) => prior[name]);
  const walk = (p: Float64Array, out: Float64Array | undefined, jac: Float64Array | undefined): void => {
    const alpha = origin.alphaDeg + p[0]!,
      beta = origin.betaDeg + p[1]!,
      omega = origin.omegaDeg + p[2]!;
    const r = petsRotation(alpha, beta, omega);
    const co = Math.cos(omega * rad),
      so = Math.sin(omega * rad),
      ca = Math.cos(alpha * rad),
      sa = Math.sin(alpha * rad);
    const bx = -so * ca,
      by = co * ca,
      bz = sa; // the β axis in the lab
    const scale = Math.exp(p[3]!),
      mag = 1 + (origin.magnification ?? 0) + p[4]!;
    for (let row = 0; row < m; row++) {
      const i = list[row]!;
      const h = data.hkl[3 * i]!,
        kk = data.hkl[3 * i + 1]!,
        l = data.hkl[3 * i + 2]!;
      const ga = ub[0] * h + ub[1] * kk + ub[2] * l,
        gb = ub[3] * h + ub[4] * kk + ub[5] * l,
        gc = ub[6] * h + ub[7] * kk + ub[8] * l;
      const x = r[0] * ga + r[1] * gb + r[2] * gc,
        y = r[3] * ga + r[4] * gb + r[5] * gc,
        z = r[6] * ga + r[7] * gb + r[8] * gc,
        q2 = x * x + y * y,
        root = Math.sqrt(k * k - q2);
      const s = z - q2 / (k + root),
        sigma = rockingWidth(model, Math.hypot(ga, gb, gc)),
        sweep = halfSweepOf(exposure, x, y, co, so);
      const sigmaXy = task.sigmaXy[i]!;
      const J = integrated[data.group[i]!]! * scale,
        w = 1 / noise[i]!;
      const f = projectionFactor(d.projection, k, q2);
      const seen = Number.isFinite(data.px[i]!);
      if (out) {
        out[3 * row] = (J * rockingProfile(s, sigma, sweep, exposure.kind) - data.intensity[i]!) * w;
        if (seen) {
          const [X, Y] = distortPoint(warp, f * x, f * y);
          const t = mag / d.invAngstromPerPixel;
          const ex = (c0[0] + p[5]! + (X * d.fast[0] + Y * d.fast[1]) * t - data.px[i]!) * d.invAngstromPerPixel,
            ey = (c0[1] + p[6]! + (X * d.slow[0] + Y * d.slow[1]) * t - data.py[i]!) * d.invAngstromPerPixel;
          out[3 * row + 1] = ex / sigmaXy;
          out[3 * row + 2] = ey / sigmaXy;
        } else out[3 * row + 1] = out[3 * row + 2] = 0;
      }
      if (!jac) continue;
      const [ds] = rockingProfileGradient(s, sigma, sweep, exposure.kind);
      const at = 3 * row * P;
      // Axis × g for α (axis (co, so, 0)), β and ω.
      const turns = [
        [so * z, -co * z, co * y - so * x],
        [by * z - bz * y, bz * x - bx * z, bx * y - by * x],
        [-y, x, 0],
      ] as const;
      const [jxx, jxy, jyx, jyy] = distortionJacobian(warp, f * x, f * y);
      for (let a = 0; a < 3; a++) {
        const [dx, dy, dz] = turns[a]!;
        jac[at + a] = J * ds * w * (dz - (x * dx + y * dy) / root) * rad;
        if (!seen) continue;
        const X = f * (jxx * dx + jxy * dy) * mag * rad,
          Y = f * (jyx * dx + jyy * dy) * mag * rad;
        jac[at + P + a] = (X * d.fast[0] + Y * d.fast[1]) / sigmaXy;
        jac[at + 2 * P + a] = (X * d.slow[0] + Y * d.slow[1]) / sigmaXy;
      }
      jac[at + 3] = J * rockingProfile(s, sigma, sweep, exposure.kind) * w;
      if (!seen) continue;
      const [X, Y] = distortPoint(warp, f * x, f * y);
      jac[at + P + 4] = (X * d.fast[0] + Y * d.fast[1]) / sigmaXy;
      jac[at + 2 * P + 4] = (X * d.slow[0] + Y * d.slow[1]) / sigmaXy;
      jac[at + P + 5] = d.invAngstromPerPixel / sigmaXy;
      jac[at + 2 * P + 6] = d.invAngstromPerPixel / sigmaXy;
    }
    for (let a = 0; a < P; a++) {
      if (out) out[3 * m + a] = p[a]! / priorScale[a]!;
      if (jac) jac[(3 * m + a) * P + a] = 1 / priorScale[a]!;
    }
  };
  const found = new Float64Array(count);
  walk(Float64Array.from(start), found, undefined);
  const wrBefore = weightedR(found, data, list, noise);
  if (task.scanDeg > 0) start[0] = scanned(start, task.scanDeg, walk, count);
  // The loss is linear for far points, the prior's too: bounds keep a frame without information from running away.
  const reach = frameParameters.map((name) => 4 * Math.max(prior[name], task.reach[name]));
  const fit = leastSquares({
    lower: reach.map((v) => -v),
    upper: reach,
    residuals: (p, out) => walk(p, out, undefined),
    jacobian: (p, jac) => {
      jac.fill(0);
      walk(p, undefined, jac);
    },
    count,
    start,
    fixed: frameParameters.flatMap((name, i) => (refine.includes(name) ? [] : [i])),
    loss: { kind: "huber", scale: 3 },
    maxIterations: 30,
    costTolerance: 1e-7,
    covarianceScale: "none",
  });
  const p = fit.x;
  walk(p, found, undefined);
  return {
    frame: {
      ...frame,
      alphaDeg: origin.alphaDeg + p[0]!,
      betaDeg: origin.betaDeg + p[1]!,
      omegaDeg: origin.omegaDeg + p[2]!,
      scale: Math.exp(p[3]!),
      magnification: (origin.magnification ?? 0) + p[4]!,
      centrePx: [c0[0] + p[5]!, c0[1] + p[6]!],
    },
    sigma: fit.sigma,
    wrBefore,
    wrAfter: weightedR(found, data, list, noise),
  };
}

/** Best Δα of a grid of 0.1°, by the robust cost. */
function scanned(
  start: readonly number[],
  range: number,
  walk: (p: Float64Array, out: Float64Array, jac: undefined) => void,
  count: number,
): number {
  const out = new Float64Array(count);
  let best = start[0]!,
    least = Number.POSITIVE_INFINITY;
  for (let d = -range; d <= range + 1e-9; d += 0.1) {
    const p = Float64Array.from(start);
    p[0]! += d;
    walk(p, out, undefined);
    let cost = 0;
    for (const v of out) cost += Math.abs(v) < 3 ? v * v : 6 * Math.abs(v) - 9;
    if (cost < least) [best, least] = [p[0]!, cost];
  }
  return best;
}

/** √(Σ w(I_o − I_c)² / Σ w I_o²) over the intensities of one frame. */
function weightedR(residuals: Float64Array, data: FrameReflections, list: readonly number[], noise: Float64Array): number {
  let top = 0,
    bottom = 0;
  list.forEach((i, row) => {
    top += residuals[3 * row]! ** 2;
    bottom += (data.intensity[i]! / noise[i]!) ** 2;
  });
  return bottom > 0 ? Math.sqrt(top / bottom) : Number.NaN;
}

/**
 * Standard deviation of each found position, Å⁻¹ per coordinate: σ² = σ₀² + (c·σ_I/I)², a part common to all spots and the noise of the centroid, which
 * goes with the width of the spot over its signal. σ₀ and c follow from the residuals (1.4826 × median) of the stronger and the weaker half of the spots.
 */
export function positionSpread(
  data: FrameReflections,
  ub: Orientation,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
): Float64Array {
  const d = instrument.detector,
    warp = distortionVector(instrument.distortion),
    all: { readonly off: number; readonly noise: number }[] = [];
  const rot = frames.map((f) => petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg));
  for (let i = 0; i < data.size; i++) {
    if (!Number.isFinite(data.px[i]!)) continue;
    const f = frames[data.frame[i]!]!,
      r = rot[data.frame[i]!]!,
      c = f.centrePx ?? d.centrePx;
    const h = data.hkl[3 * i]!,
      k = data.hkl[3 * i + 1]!,
      l = data.hkl[3 * i + 2]!;
    const a = ub[0] * h + ub[1] * k + ub[2] * l,
      b = ub[3] * h + ub[4] * k + ub[5] * l,
      e = ub[6] * h + ub[7] * k + ub[8] * l;
    const x = r[0] * a + r[1] * b + r[2] * e,
      y = r[3] * a + r[4] * b + r[5] * e,
      s = projectionFactor(d.projection, instrument.beam.k, x * x + y * y);
    const [X, Y] = distortPoint(warp, s * x, s * y);
    const t = 1 + (f.magnification ?? 0);
    const noise = Math.min(1, data.sigma[i]! / Math.max(1e-9, data.intensity[i]!));
    all.push(
      { noise, off: Math.abs((data.px[i]! - c[0]) * d.invAngstromPerPixel - (X * d.fast[0] + Y * d.fast[1]) * t) },
      { noise, off: Math.abs((data.py[i]! - c[1]) * d.invAngstromPerPixel - (X * d.slow[0] + Y * d.slow[1]) * t) },
    );
  }
  all.sort((a, b) => a.noise - b.noise);
  const half = (list: typeof all): readonly [variance: number, noise2: number] => {
    const off = list.map((v) => v.off).sort((a, b) => a - b);
    return [(1.4826 * (off[off.length >> 1] ?? 1e-3)) ** 2, list.reduce((s, v) => s + v.noise ** 2, 0) / Math.max(1, list.length)];
  };
  const [v0, n0] = half(all.slice(0, all.length >> 1)),
    [v1, n1] = half(all.slice(all.length >> 1));
  // The straight line through the two halves, neither of its terms negative.
  const slope = n1 > 1.2 * n0 ? Math.min(Math.max(0, (v1 - v0) / (n1 - n0)), v0 / n0) : 0,
    common = Math.max(1e-12, slope > 0 ? v0 - slope * n0 : (v0 + v1) / 2);
  return data.intensity.map((v, i) => Math.sqrt(common + slope * Math.min(1, data.sigma[i]! / Math.max(1e-9, v)) ** 2));
}
