import { fail } from "../core/errors.js";

/**
 * Diffraction spots found on the frames of one tilt series, a struct of columns; row i of every column is one spot.
 * Pixel positions use the origin and directions of the frame they were found on: px to the right, py down, and the beam centre
 * must be given in the same coordinates.
 */
export interface PeakTable {
  readonly size: number;
  /** Row of the series' angle list, counted from 0. */
  readonly frame: Int32Array;
  /** Position, px. */
  readonly px: Float64Array;
  readonly py: Float64Array;
  /** Counts above background and their standard deviation; sigma is NaN where it is not known. */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Nominal tilt angle at mid-exposure, degrees. */
  readonly alphaDeg: Float64Array;
}

/** The columns of a {@link PeakTable} as any array of numbers; sigma may be left out. */
export interface PeakColumns {
  readonly frame: ArrayLike<number>;
  readonly px: ArrayLike<number>;
  readonly py: ArrayLike<number>;
  readonly intensity: ArrayLike<number>;
  readonly sigma?: ArrayLike<number>;
  readonly alphaDeg: ArrayLike<number>;
}

/**
 * Build and check a peak table.
 * @throws bad-shape for columns of unequal length, bad-value for a frame number that is not a whole number >= 0 or a position or intensity that is not finite
 */
export function peakTable(columns: PeakColumns): PeakTable {
  const size = columns.px.length;
  const lengths = Object.fromEntries(Object.entries(columns).map(([k, v]) => [k, (v as ArrayLike<number>).length]));
  if (Object.values(lengths).some((n) => n !== size)) fail("bad-shape", lengths, "every column of a peak table needs one value per spot");
  for (let i = 0; i < size; i++) {
    const f = columns.frame[i]!;
    if (!(Number.isInteger(f) && f >= 0))
      fail("bad-value", { row: i, frame: f }, "frames are counted 0, 1, 2, … into the list of tilt angles");
    if (!Number.isFinite(columns.px[i]!) || !Number.isFinite(columns.py[i]!))
      fail("bad-value", { row: i, px: columns.px[i], py: columns.py[i] }, "spot positions must be finite numbers of pixels");
    if (!(Math.abs(columns.intensity[i]!) < 1e30))
      fail("bad-value", { row: i, intensity: columns.intensity[i] }, "spot intensities are finite numbers of counts");
  }
  return {
    size,
    frame: Int32Array.from(columns.frame),
    px: Float64Array.from(columns.px),
    py: Float64Array.from(columns.py),
    intensity: Float64Array.from(columns.intensity),
    sigma: columns.sigma ? Float64Array.from(columns.sigma) : new Float64Array(size).fill(Number.NaN),
    alphaDeg: Float64Array.from(columns.alphaDeg),
  };
}

/** The rows for which `keep` holds (a predicate of the row number), or the rows listed, in that order. */
export function selectPeaks(peaks: PeakTable, keep: ((row: number) => boolean) | ArrayLike<number>): PeakTable {
  const rows = typeof keep === "function" ? Array.from({ length: peaks.size }, (_, i) => i).filter(keep) : Array.from(keep);
  const pick = (column: Float64Array): Float64Array => Float64Array.from(rows, (i) => column[i]!);
  return {
    size: rows.length,
    frame: Int32Array.from(rows, (i) => peaks.frame[i]!),
    px: pick(peaks.px),
    py: pick(peaks.py),
    intensity: pick(peaks.intensity),
    sigma: pick(peaks.sigma),
    alphaDeg: pick(peaks.alphaDeg),
  };
}

/** Nominal angle of every frame that has a spot, as a list indexed by frame; frames without spots are interpolated along the series. */
export function anglesOfFrames(peaks: PeakTable, frames?: number): Float64Array {
  let n = frames ?? 0;
  for (const f of peaks.frame) n = Math.max(n, f + 1);
  const out = new Float64Array(n).fill(Number.NaN);
  for (let i = 0; i < peaks.size; i++) out[peaks.frame[i]!] = peaks.alphaDeg[i]!;
  const known = Array.from(out.keys()).filter((f) => Number.isFinite(out[f]!));
  if (known.length === 0) fail("bad-value", { peaks: peaks.size }, "the tilt angles are missing: no spot carries a finite angle");
  let k = 0;
  for (let f = 0; f < n; f++) {
    if (Number.isFinite(out[f]!)) continue;
    while (k + 2 < known.length && known[k + 1]! < f) k++;
    const a = known[k]!,
      b = known[Math.min(k + 1, known.length - 1)]!;
    out[f] = a === b ? out[a]! : out[a]! + ((out[b]! - out[a]!) * (f - a)) / (b - a);
  }
  return out;
}
