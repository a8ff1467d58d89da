import { fail } from "../core/errors.js";
import type { PeakTable } from "./peak-table.js";
import { peakTable } from "./peak-table.js";
import { type Peaks3dOptions, peaks3d } from "./peaks3d.js";

/** How frames are combined: `merge` consecutive ones to one, groups starting `step` frames apart. */
export interface AveragingPlan {
  /** Frame numbers of every group. */
  readonly groups: readonly (readonly number[])[];
}

export interface AveragingOptions {
  /** Frames merged to one. */
  readonly merge: number;
  /** Distance from the start of one group to the start of the next; default `merge` (no overlap). Smaller: virtual frames that overlap. */
  readonly step?: number;
  /** Keep a last group that has fewer frames. Default false: its exposure differs. */
  readonly keepPartial?: boolean;
}

/** @throws bad-value when merge or step is not a whole number >= 1, or merge exceeds the series */
export function averagingPlan(frames: number, { merge, step = merge, keepPartial = false }: AveragingOptions): AveragingPlan {
  if (!(Number.isInteger(merge) && merge >= 1 && Number.isInteger(step) && step >= 1))
    fail("bad-value", { merge, step }, "merge and step are whole numbers of frames, at least 1");
  if (merge > frames && !keepPartial) fail("bad-value", { merge, frames }, "the series is shorter than one averaged frame");
  const groups: number[][] = [];
  for (let f = 0; f < frames; f += step) {
    const group = Array.from({ length: Math.min(merge, frames - f) }, (_, k) => f + k);
    if (group.length === merge || keepPartial) groups.push(group);
    if (f + merge >= frames) break;
  }
  return { groups };
}

/** Every `keep`-th frame of a series, as a plan of single frames: what a coarser step would have recorded. */
export function thinningPlan(frames: number, keep: number): AveragingPlan {
  if (!(Number.isInteger(keep) && keep >= 1)) fail("bad-value", { keep }, "keep every 1st, 2nd, 3rd … frame");
  return { groups: Array.from({ length: Math.ceil(frames / keep) }, (_, k) => [k * keep]) };
}

/** Mean tilt angle of every group, degrees. */
export function averagedAngles(alphaDeg: ArrayLike<number>, { groups }: AveragingPlan): Float64Array {
  return Float64Array.from(
    groups,
    (g) =>
      g.reduce(
        (s, f) =>
          s +
          (alphaDeg[f] ??
            fail("out-of-range", { frame: f, angles: alphaDeg.length }, "the plan names frames that the series does not have")),
        0,
      ) / g.length,
  );
}

/**
 * Sum or mean of the frames of each group, made one at a time so that a single output frame is in memory. Frames are Float32 images of one size.
 * A sum is done in Float64, and saturated pixels (at or above `saturation` on any frame) become NaN: tested before the frames are added.
 */
export function* averagedFrames(
  frame: (index: number) => Float32Array,
  { groups }: AveragingPlan,
  { mode = "mean", saturation = Number.POSITIVE_INFINITY }: { mode?: "mean" | "sum"; saturation?: number } = {},
): Generator<Float32Array, void, void> {
  for (const g of groups) {
    let sum: Float64Array | undefined;
    for (const f of g) {
      const data = frame(f);
      sum ??= new Float64Array(data.length);
      if (data.length !== sum.length)
        fail("bad-shape", { frame: f, pixels: data.length, expected: sum.length }, "all frames of a series have one size");
      for (let i = 0; i < data.length; i++) sum[i]! += data[i]! >= saturation ? Number.NaN : data[i]!;
    }
    const scale = mode === "mean" ? 1 / g.length : 1;
    yield Float32Array.from(sum!, (v) => v * scale);
  }
}

/**
 * Peaks of a series as the averaged frames would show them: spots of one reflection inside a group become one, at the intensity-weighted
 * mean position, with summed (or mean) intensity and sigma. Frames and angles are those of the groups.
 */
export function averagedPeaks(
  peaks: PeakTable,
  alphaDeg: ArrayLike<number>,
  plan: AveragingPlan,
  { mode = "mean", ...merging }: { mode?: "mean" | "sum" } & Peaks3dOptions = {},
): PeakTable {
  const angles = averagedAngles(alphaDeg, plan);
  const member = peaks3d(peaks, merging).member;
  const rows: number[][] = [];
  plan.groups.forEach((g, k) => {
    const inside = new Set(g);
    const sums = new Map<number, { w: number; x: number; y: number; i: number; v: number }>();
    for (let p = 0; p < peaks.size; p++) {
      if (!inside.has(peaks.frame[p]!)) continue;
      const w = Math.max(1e-12, peaks.intensity[p]!);
      const s = sums.get(member[p]!) ?? { w: 0, x: 0, y: 0, i: 0, v: 0 };
      s.w += w;
      s.x += w * peaks.px[p]!;
      s.y += w * peaks.py[p]!;
      s.i += peaks.intensity[p]!;
      s.v += peaks.sigma[p]! ** 2;
      sums.set(member[p]!, s);
    }
    const scale = mode === "mean" ? 1 / g.length : 1;
    for (const s of sums.values()) rows.push([k, s.x / s.w, s.y / s.w, s.i * scale, Math.sqrt(s.v) * scale]);
  });
  const column = (c: number): number[] => rows.map((r) => r[c]!);
  return peakTable({
    frame: column(0),
    px: column(1),
    py: column(2),
    intensity: column(3),
    sigma: column(4),
    alphaDeg: rows.map((r) => angles[r[0]!]!),
  });
}
