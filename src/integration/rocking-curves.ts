import { fail } from "../core/errors.js";
import type { RockingModel } from "../geometry/experiment.js";
import { rockingWidth } from "../geometry/rocking.js";
import { type FrameIntensities, intensityFlags } from "./frame-intensities.js";
import type { IntegratedSeries } from "./integrate-series.js";
import { fitRockingWidth, type RockingPoints, type RockingWidth } from "./rocking-width.js";
import { rockingProfile } from "./rocking-width-profile.js";

/** Integrated (kinematical) intensities: row i of every column is one passage of a reflection through the sphere. */
export interface RockingCurves {
  readonly size: number;
  /** Shape [size, 3]. */
  readonly hkl: Int32Array;
  readonly g: Float64Array;
  /** Frame at which the reflection is strongest by its curve: mean of the frames weighted with the profile. */
  readonly frame: Float64Array;
  /** Integrated intensity, counts·Å⁻¹ on the scale of frame scale 1, and its s.u.; negative ones are kept, NaN is not measured. */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Share of the rocking curve that was recorded on usable frames; about 1 for a complete one. */
  readonly coverage: Float64Array;
  /** χ² of the curve per degree of freedom, by the noise alone; NaN for a single frame. */
  readonly chi2: Float64Array;
  /** Bits of `intensityFlags` of any of its frames near the maximum, and `partial`. */
  readonly flags: Uint16Array;
  /** Rows of the frame intensities of passage i: rows[starts[i]] … rows[starts[i + 1] − 1], by frame. */
  readonly starts: Int32Array;
  readonly rows: Int32Array;
  /** The width of the curves, refined or given. */
  readonly rocking: RockingModel & Partial<Pick<RockingWidth, "rcWidthSigma" | "mosaicitySigmaDeg">>;
  /** Scale of every frame that was divided by. */
  readonly scales: Float64Array;
}

export interface RockingCurveOptions {
  /** Profile-fitted intensities (default) or box sums. */
  readonly use?: "profile" | "box" | undefined;
  /** Fit of the curve's shape (default), or sum over the frames divided by the share recorded. */
  readonly method?: "fit" | "sum" | undefined;
  /** Width of the curves: "refine" (default) or fixed. */
  readonly rocking?: RockingModel | "refine" | undefined;
  /** Scale of every frame; default that of its geometry. */
  readonly scales?: ArrayLike<number> | undefined;
  /** Frames with these flags are left out of a curve. Default masked, saturated, edge, overlap, noBackground. */
  readonly exclude?: number | undefined;
  /** Curves recorded to less than this share are flagged `partial`. Default 0.6. */
  readonly minCoverage?: number | undefined;
  /** Error of the shape as a fraction of the highest point of a curve: what dynamical scattering does. Default 0.1. */
  readonly modelError?: number | undefined;
}

/** Flags that keep an intensity out of curves and sums unless told otherwise. */
export const unusable: number =
  intensityFlags.masked | intensityFlags.saturated | intensityFlags.edge | intensityFlags.overlap | intensityFlags.noBackground;

/**
 * Integrated intensities from the rocking curves: I(frame) = scale·J·P(Sg), P the bell (static), the bell averaged over the frame (rotation) or
 * the camel (precession) of width σ(g) = RC width + |g|·mosaicity; J by weighted least squares. A reflection that passes the sphere twice gives
 * two rows. The s.u. is that of the noise or of the scatter about the curve, whichever is larger.
 * @throws bad-shape when there is not one scale per frame, bad-value when a scale is not positive
 */
export function fitRockingCurves(series: IntegratedSeries, options: RockingCurveOptions = {}): RockingCurves {
  const { intensities: t, experiment: e } = series,
    { use = "profile", method = "fit", exclude = unusable, minCoverage = 0.6, modelError = 0.1 } = options;
  const scales = Float64Array.from(options.scales ?? e.geometry.map((f) => f.scale ?? 1));
  if (scales.length !== e.geometry.length)
    fail("bad-shape", { scales: scales.length, frames: e.geometry.length }, "give one scale for every frame");
  scales.forEach((k, frame) => {
    if (!(k > 0 && Number.isFinite(k))) fail("bad-value", { frame, scale: k }, "the scale of a frame is a positive number");
  });
  const value = use === "box" ? t.sum : t.intensity,
    error = use === "box" ? t.sumSigma : t.sigma,
    kind = e.instrument.exposure.kind;
  const usable = (r: number): boolean => (t.flags[r]! & exclude) === 0 && Number.isFinite(value[r]!) && error[r]! > 0;
  const { starts, rows } = passages(t);
  const given = options.rocking ?? "refine";
  const rocking = given === "refine" ? (refined(series, starts, rows, value, error, scales, usable) ?? e.rocking) : given;

  const n = starts.length - 1,
    out = {
      hkl: new Int32Array(3 * n),
      g: new Float64Array(n),
      frame: new Float64Array(n),
      intensity: new Float64Array(n).fill(Number.NaN),
      sigma: new Float64Array(n).fill(Number.NaN),
      coverage: new Float64Array(n),
      chi2: new Float64Array(n).fill(Number.NaN),
      flags: new Uint16Array(n),
    };
  for (let k = 0; k < n; k++) {
    const list = rows.subarray(starts[k]!, starts[k + 1]!),
      first = list[0]!,
      width = rockingWidth(rocking, t.g[first]!);
    out.hkl.set(t.hkl.subarray(3 * first, 3 * first + 3), 3 * k);
    out.g[k] = t.g[first]!;
    const p = Float64Array.from(list, (r) => rockingProfile(t.sg[r]!, width, t.halfRange[r]!, kind)),
      ds = spacing(t, list, kind);
    let most = 0,
      top = 0,
      pf = 0,
      ps = 0;
    list.forEach((r, i) => {
      most = Math.max(most, p[i]!);
      pf += p[i]! * t.frame[r]!;
      ps += p[i]!;
      if (usable(r)) top = Math.max(top, value[r]! / scales[t.frame[r]!]!);
    });
    out.frame[k] = ps > 0 ? pf / ps : t.frame[first]!;
    let a = 0,
      b = 0,
      c = 0,
      summed = 0,
      summedVariance = 0,
      used = 0;
    const w = new Float64Array(list.length);
    list.forEach((r, i) => {
      if (p[i]! > 0.1 * most) out.flags[k]! |= t.flags[r]!;
      if (!usable(r)) return;
      const s = scales[t.frame[r]!]!,
        I = value[r]! / s,
        sigma = error[r]! / s;
      w[i] = 1 / (sigma * sigma + (modelError * top) ** 2);
      a += w[i]! * p[i]! * I;
      b += w[i]! * p[i]! * p[i]!;
      c += (w[i]! * p[i]! * sigma) ** 2;
      out.coverage[k]! += p[i]! * ds[i]!;
      summed += I * ds[i]!;
      summedVariance += (sigma * ds[i]!) ** 2;
      used++;
    });
    if (used === 0 || !(b > 0) || !(out.coverage[k]! > 0)) {
      out.flags[k]! |= intensityFlags.partial;
      continue;
    }
    const J = a / b;
    let scatter = 0,
      chi = 0;
    list.forEach((r, i) => {
      if (w[i] === 0) return;
      const s = scales[t.frame[r]!]!,
        d = value[r]! / s - J * p[i]!;
      scatter += (w[i]! * p[i]! * d) ** 2;
      chi += (d / (error[r]! / s)) ** 2;
    });
    const noise = Math.sqrt(c) / b,
      external = used > 2 ? (Math.sqrt(scatter) / b) * Math.sqrt(used / (used - 1)) : 0;
    out.intensity[k] = method === "fit" ? J : summed / out.coverage[k]!;
    out.sigma[k] = Math.max(method === "fit" ? noise : Math.sqrt(summedVariance) / out.coverage[k]!, external);
    if (used > 1) out.chi2[k] = chi / (used - 1);
    if (out.coverage[k]! < minCoverage) out.flags[k]! |= intensityFlags.partial;
  }
  return { size: n, ...out, starts, rows, rocking, scales };
}

/** Rows of each reflection in the order of frames, cut where three frames and more are missing. */
function passages(t: FrameIntensities): { starts: Int32Array; rows: Int32Array } {
  const order = Int32Array.from({ length: t.size }, (_, i) => i).sort((a, b) => {
    for (let c = 0; c < 3; c++) {
      const d = t.hkl[3 * a + c]! - t.hkl[3 * b + c]!;
      if (d !== 0) return d;
    }
    return t.frame[a]! - t.frame[b]!;
  });
  const starts: number[] = [];
  for (let i = 0; i < order.length; i++) {
    const a = order[i - 1],
      b = order[i]!;
    const same = a !== undefined && [0, 1, 2].every((c) => t.hkl[3 * a + c] === t.hkl[3 * b + c]);
    if (!same || t.frame[b]! - t.frame[a!]! > 3) starts.push(i);
  }
  starts.push(order.length);
  return { starts: Int32Array.from(starts), rows: order };
}

/** Range of Sg that each frame of a passage stands for, Å⁻¹: the exposure itself in rotation, else half the way to both neighbours. */
function spacing(t: FrameIntensities, list: Int32Array, kind: string): Float64Array {
  const n = list.length;
  return Float64Array.from(list, (r, i) => {
    if (n === 1) return 2 * t.halfRange[r]!;
    const step = (a: number, b: number): number =>
      Math.abs(t.sg[list[b]!]! - t.sg[list[a]!]!) / Math.max(1, t.frame[list[b]!]! - t.frame[list[a]!]!);
    const mean = i === 0 ? step(0, 1) : i === n - 1 ? step(n - 2, n - 1) : (step(i - 1, i) + step(i, i + 1)) / 2;
    // With a dead time between the frames the exposure is shorter than the step, and the step is what the frame stands for.
    return mean > 0 || kind !== "continuous" ? mean : 2 * t.halfRange[r]!;
  });
}

/** Width of the curves from the strong passages; undefined when they are too few. */
function refined(
  { intensities: t, experiment: e }: IntegratedSeries,
  starts: Int32Array,
  rows: Int32Array,
  value: Float64Array,
  error: Float64Array,
  scales: Float64Array,
  usable: (r: number) => boolean,
): RockingWidth | undefined {
  const strong: { list: number[]; snr: number }[] = [];
  for (let k = 0; k < starts.length - 1; k++) {
    const list = [...rows.subarray(starts[k]!, starts[k + 1]!)];
    if (list.length < 2 || !list.every(usable)) continue;
    const snr = list.reduce((m, r) => Math.max(m, value[r]! / error[r]!), 0);
    if (snr > 8) strong.push({ list, snr });
  }
  strong.sort((a, b) => b.snr - a.snr);
  const used = strong.slice(0, 1500),
    all = used.flatMap((s) => s.list);
  if (used.length < 30 || all.length < 90) return undefined;
  const column = (f: (r: number) => number): Float64Array => Float64Array.from(all, f);
  const points: RockingPoints = {
    size: all.length,
    kind: e.instrument.exposure.kind,
    s: column((r) => t.sg[r]!),
    sweep: column((r) => t.halfRange[r]!),
    g: column((r) => t.g[r]!),
    intensity: column((r) => value[r]! / scales[t.frame[r]!]!),
    sigma: column((r) => error[r]! / scales[t.frame[r]!]!),
    group: Int32Array.from(used.flatMap((s, k) => s.list.map(() => k))),
    groups: used.length,
  };
  const fit = fitRockingWidth(points, { start: e.rocking, modelError: 0.1 });
  return fit.status !== "max-iterations" && fit.rcWidth > 0 ? fit : undefined;
}
