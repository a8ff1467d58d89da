import { inverse, type Map3 } from "../core/frames.js";
import { type FrameGeometry, type Instrument, petsRotation } from "../geometry/index.js";
import { halfSweepOf } from "./frame-orientation-table.js";
import { indexVectors, type Orientation } from "./index-lattice.js";
import { type PeakTable, selectPeaks } from "./peak-table.js";
import type { Peaks3d } from "./peaks3d.js";
import { sampleVectors, spotPositions } from "./peaks3d-vectors.js";

export interface OverlapOptions {
  /** Spots closer than this on the detector disturb each other, px: the width of a spot with its background. */
  readonly separationPx?: number;
  /** Half width of the rocking curve as a function of |g|, Å⁻¹: a reflection further from the Ewald sphere is not seen. */
  readonly depth?: (g: number) => number;
}

/** Four standard deviations of an ordinary rocking curve. */
const ordinaryDepth = (g: number): number => 4 * (0.0015 + 0.0025 * g);

/**
 * Whether a reflection of one of the `others` would be seen beside a given lattice point on a frame, so that the spot there is not of one lattice
 * alone. Points that coincide (the common plane of a twin) do not disturb each other's position or rocking curve: they do not count.
 * @returns predicate of a frame and a lattice point in the sample frame, Å⁻¹
 */
export function overlapTest(
  others: readonly Orientation[],
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  { separationPx = 6, depth = ordinaryDepth }: OverlapOptions = {},
): (frame: number, x: number, y: number, z: number) => boolean {
  const rot = frames.map((f) => petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg));
  const axis = frames.map((f) => [Math.cos((f.omegaDeg * Math.PI) / 180), Math.sin((f.omegaDeg * Math.PI) / 180)] as const);
  const near = separationPx * instrument.detector.invAngstromPerPixel,
    same = near / 20,
    K = instrument.beam.k;
  const lattices = others.map((ub) => ({ ub, inv: inverse(ub) as Map3 }));
  return (frame, x, y, z) => {
    const r = rot[frame]!,
      g = Math.hypot(x, y, z);
    for (const { ub, inv } of lattices) {
      const h = Math.round(inv[0] * x + inv[1] * y + inv[2] * z),
        k = Math.round(inv[3] * x + inv[4] * y + inv[5] * z),
        l = Math.round(inv[6] * x + inv[7] * y + inv[8] * z);
      const bx = ub[0] * h + ub[1] * k + ub[2] * l,
        by = ub[3] * h + ub[4] * k + ub[5] * l,
        bz = ub[6] * h + ub[7] * k + ub[8] * l;
      const dx = bx - x,
        dy = by - y,
        dz = bz - z;
      const apart = Math.hypot(r[0] * dx + r[1] * dy + r[2] * dz, r[3] * dx + r[4] * dy + r[5] * dz);
      if (apart > near || Math.hypot(dx, dy, dz) < same) continue;
      const X = r[0] * bx + r[1] * by + r[2] * bz,
        Y = r[3] * bx + r[4] * by + r[5] * bz,
        Z = r[6] * bx + r[7] * by + r[8] * bz,
        q2 = X * X + Y * Y;
      const s = Z - q2 / (K + Math.sqrt(Math.max(0, K * K - q2)));
      if (Math.abs(s) < depth(g) + halfSweepOf(instrument.exposure, X, Y, axis[frame]![0], axis[frame]![1])) return true;
    }
    return false;
  };
}

/**
 * Spots that belong to one lattice alone: found where it predicts one (within five robust standard deviations of such distances on the detector, at least
 * 1 px) and undisturbed by the other lattices.
 * @returns 1 for each spot of the table that does, shape [peaks.size]
 */
export function ownSpots(
  peaks: PeakTable,
  ub: Orientation,
  others: readonly Orientation[],
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  options: OverlapOptions = {},
): Uint8Array {
  const r = sampleVectors(spotPositions(peaks), instrument, frames);
  const f = indexVectors(r, ub, { tolerance: 0.3 });
  const overlapped = overlapTest(others, instrument, frames, options);
  const rot = frames.map((p) => petsRotation(p.alphaDeg, p.betaDeg, p.omegaDeg));
  const off = new Float64Array(peaks.size).fill(Number.POSITIVE_INFINITY);
  const size: number[] = [];
  for (let i = 0; i < peaks.size; i++) {
    if (!f.indexed[i]) continue;
    const [h, k, l] = [f.hkl[3 * i]!, f.hkl[3 * i + 1]!, f.hkl[3 * i + 2]!];
    const x = ub[0] * h + ub[1] * k + ub[2] * l,
      y = ub[3] * h + ub[4] * k + ub[5] * l,
      z = ub[6] * h + ub[7] * k + ub[8] * l;
    const frame = peaks.frame[i]!;
    if (overlapped(frame, x, y, z)) continue;
    const m = rot[frame]!,
      dx = r[3 * i]! - x,
      dy = r[3 * i + 1]! - y,
      dz = r[3 * i + 2]! - z;
    off[i] = Math.hypot(m[0] * dx + m[1] * dy + m[2] * dz, m[3] * dx + m[4] * dy + m[5] * dz);
    size.push(off[i]!);
  }
  size.sort((a, b) => a - b);
  // The median distance of a normal cloud in two dimensions is 1.177 σ.
  const limit = Math.max(instrument.detector.invAngstromPerPixel, (5 * (size[size.length >> 1] ?? 0)) / 1.177);
  return Uint8Array.from(off, (d) => (d <= limit ? 1 : 0));
}

/** The marked spots, and the 3-D maxima nine tenths of whose intensity is in them: input for what refines a single lattice. */
export function selectOwn(
  peaks: PeakTable,
  maxima: Peaks3d,
  own: ArrayLike<number>,
): { readonly peaks: PeakTable; readonly maxima: Peaks3d } {
  const share = new Float64Array(maxima.size),
    whole = new Float64Array(maxima.size);
  const kept: number[] = [];
  for (let i = 0; i < peaks.size; i++) {
    if (own[i]) kept.push(i);
    const m = maxima.member[i]!;
    if (m < 0) continue;
    whole[m]! += Math.max(peaks.intensity[i]!, 1e-12);
    if (own[i]) share[m]! += Math.max(peaks.intensity[i]!, 1e-12);
  }
  const rows = Array.from(share.keys()).filter((m) => share[m]! >= 0.9 * whole[m]! && whole[m]! > 0);
  const renumbered = new Int32Array(maxima.size).fill(-1);
  rows.forEach((m, k) => {
    renumbered[m] = k;
  });
  const pick = (c: Float64Array): Float64Array => Float64Array.from(rows, (m) => c[m]!);
  return {
    peaks: selectPeaks(peaks, kept),
    maxima: {
      size: rows.length,
      px: pick(maxima.px),
      py: pick(maxima.py),
      frame: pick(maxima.frame),
      alphaDeg: pick(maxima.alphaDeg),
      intensity: pick(maxima.intensity),
      peakIntensity: pick(maxima.peakIntensity),
      spots: Int32Array.from(rows, (m) => maxima.spots[m]!),
      widthDeg: pick(maxima.widthDeg),
      truncated: Uint8Array.from(rows, (m) => maxima.truncated[m]!),
      member: Int32Array.from(kept, (i) => (maxima.member[i]! < 0 ? -1 : renumbered[maxima.member[i]!]!)),
    },
  };
}
