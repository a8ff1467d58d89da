import type { Exposure, FrameGeometry, Instrument } from "../geometry/index.js";
import { petsRotation } from "../geometry/index.js";
import { indexVectors, type Orientation } from "./index-lattice.js";
import type { PeakTable } from "./peak-table.js";
import { sampleVectors, spotPositions } from "./peaks3d-vectors.js";

/** Intensities of reflections on single frames, with positions where a spot was found. A struct of columns. */
export interface FrameReflections {
  readonly size: number;
  readonly frame: Int32Array;
  /** Miller indices [n, 3], and the row's reflection as a number 0 … groups − 1. */
  readonly hkl: Int32Array;
  readonly group: Int32Array;
  readonly groups: number;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Found position, px; NaN where the reflection was expected and not found. */
  readonly px: Float64Array;
  readonly py: Float64Array;
}

/**
 * Half the range of excitation errors that a reflection at lab (x, y) sweeps in one exposure, Å⁻¹: for continuous rotation by ±φ its distance from the
 * tilt axis times φ, for precession by φ its distance from the beam times sin φ, 0 for a still.
 */
export function halfSweepOf(exposure: Exposure, x: number, y: number, axisX: number, axisY: number): number {
  switch (exposure.kind) {
    case "static":
      return 0;
    case "continuous":
      return (Math.abs(axisX * y - axisY * x) * exposure.halfWidthDeg * Math.PI) / 180;
    case "precession":
      return Math.hypot(x, y) * Math.sin((exposure.semiAngleDeg * Math.PI) / 180);
  }
}

export interface ReflectionTableOptions {
  readonly tolerance?: number;
  readonly reach?: number;
  readonly maxExcitation?: number;
  /** Reflections to leave out, given a frame and a vector of the sample frame: those that a second lattice disturbs. */
  readonly disturbed?: ((frame: number, x: number, y: number, z: number) => boolean) | undefined;
}

/**
 * The spots of a series as reflections on frames, completed by the frames on which a reflection was expected near its maximum but no spot
 * was listed: there the intensity is known to be below the limit of detection, which says as much about the tilt as a spot does.
 * @param reach - frames are expected where the excitation error is within `reach` widths (Å⁻¹ as a function of |g|) plus the sweep
 */
export function frameReflections(
  peaks: PeakTable,
  ub: Orientation,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  width: (g: number) => number,
  { tolerance = 0.3, reach = 2.5, maxExcitation = 6, disturbed }: ReflectionTableOptions = {},
): FrameReflections {
  const found = indexVectors(sampleVectors(spotPositions(peaks), instrument, frames), ub, { tolerance });
  const groups = new Map<string, number>();
  const seen = new Map<string, number>();
  const rows: number[][] = [],
    hkl: number[] = [];
  const excitation = excitationOf(ub, instrument, frames);
  const out = (f: number, h: number, k: number, l: number): boolean =>
    disturbed?.(f, ub[0] * h + ub[1] * k + ub[2] * l, ub[3] * h + ub[4] * k + ub[5] * l, ub[6] * h + ub[7] * k + ub[8] * l) ?? false;
  for (let i = 0; i < peaks.size; i++) {
    if (!found.indexed[i]) continue;
    const [h, k, l] = [found.hkl[3 * i]!, found.hkl[3 * i + 1]!, found.hkl[3 * i + 2]!];
    const f = peaks.frame[i]!;
    const e = excitation(f, h, k, l);
    if (Math.abs(e.s) > maxExcitation * width(e.g) + e.sweep || out(f, h, k, l)) continue;
    const key = `${h},${k},${l}`;
    const group = groups.get(key) ?? groups.size;
    groups.set(key, group);
    const at = seen.get(`${f}:${key}`);
    const sigma = Number.isFinite(peaks.sigma[i]!) ? peaks.sigma[i]! : Math.sqrt(Math.max(1, peaks.intensity[i]!));
    const row = [f, group, peaks.intensity[i]!, sigma, peaks.px[i]!, peaks.py[i]!];
    if (at === undefined) {
      seen.set(`${f}:${key}`, rows.length);
      rows.push(row);
      hkl.push(h, k, l);
    } else if (rows[at]![2]! < peaks.intensity[i]!) rows[at] = row;
  }
  const listed = rows.map((r) => r[2]!).sort((a, b) => a - b);
  const limit = listed[Math.floor(0.05 * listed.length)] ?? 0;
  for (const [key, group] of groups) {
    const [h, k, l] = key.split(",").map(Number) as [number, number, number];
    for (let f = 0; f < frames.length; f++) {
      const e = excitation(f, h, k, l);
      if (Math.abs(e.s) > reach * width(e.g) + e.sweep || seen.has(`${f}:${key}`) || out(f, h, k, l)) continue;
      rows.push([f, group, limit / 2, limit / 2, Number.NaN, Number.NaN]);
      hkl.push(h, k, l);
    }
  }
  const column = (c: number): Float64Array => Float64Array.from(rows, (r) => r[c]!);
  return {
    size: rows.length,
    frame: Int32Array.from(rows, (r) => r[0]!),
    group: Int32Array.from(rows, (r) => r[1]!),
    groups: groups.size,
    hkl: Int32Array.from(hkl),
    intensity: column(2),
    sigma: column(3),
    px: column(4),
    py: column(5),
  };
}

/** Excitation error (Å⁻¹, along the beam), half sweep (Å⁻¹) and |g| of a reflection on a frame. */
export function excitationOf(
  ub: Orientation,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
): (frame: number, h: number, k: number, l: number) => { s: number; sweep: number; g: number } {
  const rot = frames.map((f) => petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg));
  const axis = frames.map((f) => [Math.cos((f.omegaDeg * Math.PI) / 180), Math.sin((f.omegaDeg * Math.PI) / 180)] as const);
  const K = instrument.beam.k;
  return (f, h, k, l) => {
    const a = ub[0] * h + ub[1] * k + ub[2] * l,
      b = ub[3] * h + ub[4] * k + ub[5] * l,
      c = ub[6] * h + ub[7] * k + ub[8] * l;
    const r = rot[f]!;
    const x = r[0] * a + r[1] * b + r[2] * c,
      y = r[3] * a + r[4] * b + r[5] * c,
      z = r[6] * a + r[7] * b + r[8] * c,
      q2 = x * x + y * y;
    const s = z - q2 / (K + Math.sqrt(Math.max(0, K * K - q2)));
    return { s, sweep: halfSweepOf(instrument.exposure, x, y, axis[f]![0], axis[f]![1]), g: Math.hypot(a, b, c) };
  };
}
