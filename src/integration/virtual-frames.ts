import { fail } from "../core/errors.js";
import { apply } from "../core/frames.js";
import { excitationHalfRange } from "../geometry/excitation.js";
import type { Exposure, FrameGeometry } from "../geometry/experiment.js";
import { petsRotation, tiltAxisDirection } from "../geometry/goniometer.js";
import type { Fractional } from "../geometry/metric.js";
import { rockingWidth } from "../geometry/rocking.js";
import { zoneAxis } from "../geometry/zone.js";
import { type AveragingOptions, averagingPlan } from "./averaging.js";
import type { IntegratedSeries } from "./integrate-series.js";
import { unusable } from "./rocking-curves.js";

export interface VirtualFrame {
  /** Frames merged, from 0. */
  readonly frames: readonly number[];
  /** Middle of the virtual frame. */
  readonly geometry: FrameGeometry;
  /** What it sweeps: rotation by half the whole range, or the precession of its frames. */
  readonly exposure: Exposure;
  /** Direction of the beam on the direct axes, largest component ±1. */
  readonly uvw: Fractional;
}

/** Intensities on overlapping virtual frames for dynamical refinement: row i is one reflection on one virtual frame. */
export interface VirtualIntensities {
  readonly frames: readonly VirtualFrame[];
  readonly size: number;
  /** Shape [size, 3]. */
  readonly hkl: Int32Array;
  /** Virtual frame, from 0. */
  readonly frame: Int32Array;
  /** Mean over the frames merged, counts a frame on the scale of frame scale 1, and its s.u. */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** |Sg|/ΔSg at the middle of the virtual frame. */
  readonly rsg: Float64Array;
  /** ΔSg − |Sg|, Å⁻¹. */
  readonly dsg: Float64Array;
  /** Reflections left out because a frame of theirs is masked, saturated, at the edge or overlapped. */
  readonly disturbed: number;
}

export interface VirtualFrameOptions extends AveragingOptions {
  /** Reflections are listed up to this RSg. Default 1: those that pass the sphere during the virtual frame. */
  readonly rsgMax?: number | undefined;
  /** Default profile-fitted. */
  readonly use?: "profile" | "box" | undefined;
  readonly scales?: ArrayLike<number> | undefined;
  /** Flags that make a frame of a reflection unusable. */
  readonly exclude?: number | undefined;
}

/**
 * Overlapping virtual frames: n consecutive frames are summed to one, the next starts m frames later. A reflection is listed on a virtual frame
 * when it passes the sphere there (RSg), with the sum over all its frames; where one of these is unusable the sum would be wrong and it is left out.
 * A single precession frame is its own virtual frame (merge 1).
 * @throws bad-value for impossible n, m or scales
 * @see Klar et al., Nat. Chem. 15 (2023) 848
 */
export function virtualFrames(series: IntegratedSeries, options: VirtualFrameOptions): VirtualIntensities {
  const { intensities: t, experiment: e } = series,
    { rsgMax = 1, use = "profile", exclude = unusable } = options;
  const value = use === "box" ? t.sum : t.intensity,
    error = use === "box" ? t.sumSigma : t.sigma;
  const scale = (f: number): number => options.scales?.[f] ?? e.geometry[f]!.scale ?? 1;
  e.geometry.forEach((_, f) => {
    if (!(scale(f) > 0)) fail("bad-value", { frame: f, scale: scale(f) }, "the scale of a frame is a positive number");
  });
  const { groups } = averagingPlan(e.geometry.length, options);
  const start = new Int32Array(e.geometry.length + 1);
  for (let i = 0; i < t.size; i++) start[t.frame[i]! + 1]!++;
  for (let f = 0; f < e.geometry.length; f++) start[f + 1]! += start[f]!;
  const hkl: number[] = [],
    frame: number[] = [],
    intensity: number[] = [],
    sigma: number[] = [],
    rsg: number[] = [],
    dsg: number[] = [];
  let disturbed = 0;
  const frames = groups.map((group, v): VirtualFrame => {
    const geometry = middle(group.map((f) => e.geometry[f]!)),
      exposure = together(e.instrument.exposure, group, e.geometry),
      r = petsRotation(geometry.alphaDeg, geometry.betaDeg, geometry.omegaDeg),
      axis = tiltAxisDirection(geometry.omegaDeg);
    const sums = new Map<string, { h: readonly [number, number, number]; I: number; v: number; bad: boolean }>();
    for (const f of group)
      for (let i = start[f]!; i < start[f + 1]!; i++) {
        const h = [t.hkl[3 * i]!, t.hkl[3 * i + 1]!, t.hkl[3 * i + 2]!] as const,
          key = h.join();
        const s = sums.get(key) ?? { h, I: 0, v: 0, bad: false };
        if ((t.flags[i]! & exclude) !== 0 || !Number.isFinite(value[i]!) || !(error[i]! > 0)) {
          // Where it is hardly excited nothing is missing.
          if (Math.abs(t.sg[i]!) <= t.halfRange[i]! + 2 * rockingWidth(e.rocking, t.g[i]!)) s.bad = true;
        } else {
          s.I += value[i]! / scale(f);
          s.v += (error[i]! / scale(f)) ** 2;
        }
        sums.set(key, s);
      }
    for (const { h, I, v: variance, bad } of sums.values()) {
      const [a, b, c] = h,
        { ub } = e,
        q = apply(r, [ub[0] * a + ub[1] * b + ub[2] * c, ub[3] * a + ub[4] * b + ub[5] * c, ub[6] * a + ub[7] * b + ub[8] * c]),
        g2 = q[0] * q[0] + q[1] * q[1] + q[2] * q[2],
        sg = q[2] - g2 / (2 * e.instrument.beam.k),
        half = excitationHalfRange(q[0], q[1], exposure, axis);
      if (!(Math.abs(sg) <= rsgMax * half)) continue;
      if (bad || !(variance > 0)) {
        disturbed++;
        continue;
      }
      hkl.push(a, b, c);
      frame.push(v);
      intensity.push(I / group.length);
      sigma.push(Math.sqrt(variance) / group.length);
      rsg.push(Math.abs(sg) / half);
      dsg.push(half - Math.abs(sg));
    }
    return { frames: group, geometry, exposure, uvw: zoneAxis(r, e.ub) };
  });
  return {
    frames,
    size: frame.length,
    hkl: Int32Array.from(hkl),
    frame: Int32Array.from(frame),
    intensity: Float64Array.from(intensity),
    sigma: Float64Array.from(sigma),
    rsg: Float64Array.from(rsg),
    dsg: Float64Array.from(dsg),
    disturbed,
  };
}

function middle(frames: readonly FrameGeometry[]): FrameGeometry {
  const mean = (f: (g: FrameGeometry) => number): number => frames.reduce((s, g) => s + f(g), 0) / frames.length,
    omega = frames[0]!.omegaDeg;
  return {
    alphaDeg: mean((g) => g.alphaDeg),
    betaDeg: mean((g) => g.betaDeg),
    // Angles of one series differ little, but may lie on both sides of the cut at 360°.
    omegaDeg: omega + mean((g) => ((g.omegaDeg - omega + 540) % 360) - 180),
  };
}

/** Exposure of a group: steps of the stage join to a rotation, whether the beam was still or the stage turned; precession stays what it is. */
function together(e: Exposure, group: readonly number[], geometry: readonly FrameGeometry[]): Exposure {
  if (group.length === 1 || e.kind === "precession") return e;
  const alpha = group.map((f) => geometry[f]!.alphaDeg),
    span = Math.max(...alpha) - Math.min(...alpha),
    step = span / (group.length - 1);
  return { kind: "continuous", halfWidthDeg: (span + step) / 2 };
}
