import { fail } from "../core/errors.js";

/** What is wrong or special with an intensity, as bits; 0 is a good one. */
export const intensityFlags = {
  /** A bad pixel or the beam stop in the core of the spot. */
  masked: 1,
  /** A pixel at or above the saturation limit: the fit uses the flanks, the box sum is too low. */
  saturated: 2,
  /** The core leaves the frame. */
  edge: 4,
  /** A spot of this or another lattice within half a diameter, not weak beside this one. */
  overlap: 8,
  /** On a ring of ice. */
  iceRing: 16,
  /** Fewer than 25 pixels of background around. */
  noBackground: 32,
  /** Strong, but not like its profile: a split spot, a streak, a stray peak. */
  misfit: 64,
  /** Rocking curve: not all of it was recorded. */
  partial: 128,
} as const;

/** Intensities of predicted reflections on single frames: row i of every column is one reflection on one frame, sorted by frame. */
export interface FrameIntensities {
  readonly size: number;
  /** Frame, from 0. */
  readonly frame: Int32Array;
  /** Miller indices, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** Centre of the spot after the corrections of its frame, px, shape [size, 2]. */
  readonly px: Float64Array;
  /** |g|, Å⁻¹; excitation error at the middle of the exposure and half its range during the exposure, Å⁻¹. */
  readonly g: Float64Array;
  readonly sg: Float64Array;
  readonly halfRange: Float64Array;
  /** Profile-fitted intensity, counts, and its s.u. by the noise model; negative ones are kept, NaN is not measured. */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Box sum and its s.u., counts. */
  readonly sum: Float64Array;
  readonly sumSigma: Float64Array;
  /** Background, counts a pixel. */
  readonly background: Float64Array;
  /** Share of the profile that fell on good pixels, 0 to 1. */
  readonly coverage: Float64Array;
  /** Correlation of the counts with the profile. */
  readonly correlation: Float64Array;
  /** Bits of {@link intensityFlags}. */
  readonly flags: Uint16Array;
}

type Columns = Omit<FrameIntensities, "size">;
const widths: Readonly<Record<keyof Columns, number>> = {
  frame: 1,
  hkl: 3,
  px: 2,
  g: 1,
  sg: 1,
  halfRange: 1,
  intensity: 1,
  sigma: 1,
  sum: 1,
  sumSigma: 1,
  background: 1,
  coverage: 1,
  correlation: 1,
  flags: 1,
};
const names = Object.keys(widths) as (keyof Columns)[];
const emptyColumn = (name: keyof Columns, rows: number) =>
  new (name === "frame" || name === "hkl" ? Int32Array : name === "flags" ? Uint16Array : Float64Array)(widths[name] * rows);

/** Tables one after the other. */
export function joinIntensities(parts: readonly FrameIntensities[]): FrameIntensities {
  const size = parts.reduce((n, p) => n + p.size, 0);
  const columns = names.map((name) => {
    const out = emptyColumn(name, size);
    let at = 0;
    for (const p of parts) {
      out.set(p[name] as never, at);
      at += p[name].length;
    }
    return [name, out] as const;
  });
  return { size, ...Object.fromEntries(columns) } as unknown as FrameIntensities;
}

/** Rows by number. @throws out-of-range for a row that is not there */
export function takeIntensities(table: FrameIntensities, rows: ArrayLike<number>): FrameIntensities {
  for (let i = 0; i < rows.length; i++)
    if (!(rows[i]! >= 0 && rows[i]! < table.size))
      fail("out-of-range", { row: rows[i], size: table.size }, "rows are counted from 0 to size − 1");
  const columns = names.map((name) => {
    const w = widths[name],
      out = emptyColumn(name, rows.length);
    for (let i = 0; i < rows.length; i++) for (let c = 0; c < w; c++) out[w * i + c] = table[name][w * rows[i]! + c]!;
    return [name, out] as const;
  });
  return { size: rows.length, ...Object.fromEntries(columns) } as unknown as FrameIntensities;
}
