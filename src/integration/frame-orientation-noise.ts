import type { FrameGeometry, Instrument, RockingModel } from "../geometry/index.js";
import { rockingWidth } from "../geometry/rocking.js";
import { excitationOf, type FrameReflections } from "./frame-orientation-table.js";
import type { Orientation } from "./index-lattice.js";
import { groupMaxima, integratedInto, type RockingPoints } from "./rocking-width.js";
import { rockingProfile } from "./rocking-width-profile.js";

/** What the frames of a series say about the integrated intensities, and what noise that leaves. */
export interface CurveNoise {
  /** The rows with the frame scales divided out; `sigma` with the model error and the excess in it. */
  readonly points: RockingPoints;
  /** J by all frames of a reflection, not below 0; shape [groups]. */
  readonly integrated: Float64Array;
  /**
   * Standard deviation of the counts of a row, shape [size], divided by √(1 − h): h is the share that the row has in J itself. A reflection that
   * only this frame has (h = 1) agrees with it however it stands and says nothing; counted in full such rows held each other
   * in place (the last frame of a precession series, two frames a curve, settled 0.8° off with an s.u. of 0.002°).
   */
  readonly noise: Float64Array;
  /** Error of the kinematical curve, as a fraction of its highest point. */
  readonly modelError: number;
  /** Robust spread of what is left over the noise, at least 1. */
  readonly factor: number;
}

/** Signal to noise of a curve from which on its shape tells the model error; share of a row in J above which it tells nothing. */
const STRONG = 10,
  OWN = 0.9;
/** Limits of the model error, and its value where the curves are too few to tell. */
const SMALLEST = 0.02,
  LARGEST = 0.5,
  UNKNOWN = 0.1;

/**
 * Noise of the rows: σ² = σ_I² + (m·top)² with m given or found. What a row leaves, d = I − J·P(s), has the variance σ²(1 − h); m is the value for which
 * 1.4826·median|d|/(σ√(1 − h)) of the found spots of strong curves is 1, the `free` parameters of the frames allowed for.
 */
export function curveNoise(
  data: FrameReflections,
  ub: Orientation,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  model: RockingModel,
  given: number | undefined,
  free: number,
): CurveNoise {
  const points = pointsOf(data, ub, instrument, frames),
    top = groupMaxima(points),
    profile = points.s.map((s, i) => rockingProfile(s, rockingWidth(model, points.g[i]!), points.sweep[i]!, points.kind));
  const seen = [...data.px.keys()].filter((i) => Number.isFinite(data.px[i]!)),
    strong = seen.filter((i) => top[data.group[i]!]! > STRONG * points.sigma[i]!),
    dof = Math.sqrt(Math.max(0.3, 1 - free / Math.max(1, data.size)));
  const spread = (rows: readonly number[], { sigma, integrated, share }: Weighed): number => {
    const z: number[] = [];
    for (const i of rows)
      if (share[i]! < OWN)
        z.push(Math.abs(points.intensity[i]! - integrated[data.group[i]!]! * profile[i]!) / (sigma[i]! * Math.sqrt(1 - share[i]!)));
    return z.length < 30 ? Number.NaN : (1.4826 * z.sort((a, b) => a - b)[z.length >> 1]!) / dof;
  };
  let modelError = given ?? UNKNOWN;
  if (given === undefined && strong.length >= 30) {
    let low = Math.log(SMALLEST),
      high = Math.log(LARGEST);
    for (let step = 0; step < 9; step++) {
      const middle = (low + high) / 2;
      if (spread(strong, weighed(points, profile, top, Math.exp(middle))) > 1) low = middle;
      else high = middle;
    }
    modelError = Math.exp((low + high) / 2);
  }
  const found = weighed(points, profile, top, modelError),
    excess = spread(seen, found),
    factor = Number.isFinite(excess) ? Math.max(1, Math.min(10, excess)) : 1;
  return {
    points: { ...points, sigma: found.sigma.map((v) => v * factor) },
    integrated: found.integrated,
    noise: found.sigma.map((v, i) => (v * factor * (frames[data.frame[i]!]!.scale ?? 1)) / Math.sqrt(Math.max(0, 1 - found.share[i]!))),
    modelError,
    factor,
  };
}

interface Weighed {
  readonly sigma: Float64Array;
  readonly integrated: Float64Array;
  readonly share: Float64Array;
}

/** J of every reflection for a model error m, and the share of every row in it. */
function weighed(points: RockingPoints, profile: Float64Array, top: Float64Array, m: number): Weighed {
  const { size, groups, group } = points,
    sigma = points.sigma.map((v, i) => Math.hypot(v, m * top[group[i]!]!)),
    integrated = new Float64Array(groups),
    bottom = new Float64Array(groups);
  integratedInto(
    integrated,
    points,
    profile,
    sigma.map((v) => 1 / v),
  );
  for (let i = 0; i < size; i++) bottom[group[i]!]! += (profile[i]! / sigma[i]!) ** 2;
  const share = sigma.map((v, i) => (bottom[group[i]!]! > 0 ? (profile[i]! / v) ** 2 / bottom[group[i]!]! : 0));
  return { sigma, integrated, share };
}

/** Reflections on frames as points of rocking curves, the scales of the frames divided out. */
export function pointsOf(r: FrameReflections, ub: Orientation, instrument: Instrument, frames: readonly FrameGeometry[]): RockingPoints {
  const e = excitationOf(ub, instrument, frames),
    column = (): Float64Array => new Float64Array(r.size);
  const out = { s: column(), sweep: column(), g: column(), intensity: column(), sigma: column() };
  for (let i = 0; i < r.size; i++) {
    const x = e(r.frame[i]!, r.hkl[3 * i]!, r.hkl[3 * i + 1]!, r.hkl[3 * i + 2]!),
      scale = frames[r.frame[i]!]!.scale ?? 1;
    out.s[i] = x.s;
    out.sweep[i] = x.sweep;
    out.g[i] = x.g;
    out.intensity[i] = r.intensity[i]! / scale;
    out.sigma[i] = r.sigma[i]! / scale;
  }
  return { kind: instrument.exposure.kind, size: r.size, ...out, group: r.group, groups: r.groups };
}
