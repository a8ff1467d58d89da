import type { FrameGeometry, Instrument } from "../geometry/index.js";
import { latticeCentreDrift } from "./cell-refine-drift.js";
import { type DistortionRefineOptions, type DistortionResult, refineDistortions } from "./distortion-refine.js";
import type { Orientation } from "./index-lattice.js";
import { observations } from "./indexing.js";
import type { PeakTable } from "./peak-table.js";
import type { Peaks3d } from "./peaks3d.js";
import { sampleVectors } from "./peaks3d-vectors.js";

/** An indexed series, as far as the distortions are concerned; an `IndexingResult` with UB on the wanted axes will do. */
export interface IndexedSeries {
  readonly maxima: Peaks3d;
  /** Spots of single frames; with them the centre may drift. */
  readonly peaks?: PeakTable | undefined;
  readonly ub: Orientation;
  readonly instrument: Instrument;
  readonly frames: readonly FrameGeometry[];
}

/**
 * {@link refineDistortions} for a whole series, with the drift of the centre. A drift found while the distortions are unknown has taken up a
 * part of them (each frame shows another side of the pattern), so both are found in turn: the drift is reset to a constant first and estimated anew
 * with the distortions of the cycle before.
 */
export function refineSeriesDistortions(
  series: IndexedSeries,
  options: DistortionRefineOptions & { readonly cycles?: number } = {},
): DistortionResult {
  const { cycles = series.peaks ? 6 : 2, ...rest } = options;
  let { ub, instrument, frames } = series;
  const n = Math.max(1, frames.length);
  const mean = [0, 1].map((k) => frames.reduce((s, f) => s + (f.centrePx ?? instrument.detector.centrePx)[k as 0]!, 0) / n) as [
    number,
    number,
  ];
  frames = frames.map((f) => ({ ...f, centrePx: mean }));
  let result: DistortionResult | undefined;
  for (let cycle = 0; cycle < cycles; cycle++) {
    if (series.peaks && cycle > 0) {
      const centre = frames.reduce((s, f) => [s[0]! + f.centrePx![0] / n, s[1]! + f.centrePx![1] / n], [0, 0]) as [number, number];
      frames = latticeCentreDrift(
        series.peaks,
        ub,
        instrument,
        frames.map((f) => ({ ...f, centrePx: centre })),
        { halfWidth: 12 },
      ); // prettier-ignore
    }
    const data = observations(series.maxima, sampleVectors(series.maxima, instrument, frames), ub, 0.3);
    result = refineDistortions(data, ub, instrument, frames, {
      ...rest,
      before: rest.before ?? series.instrument.distortion,
      compare: cycle === cycles - 1,
    });
    ({ ub, instrument, frames } = result.lattice);
  }
  return result!;
}
