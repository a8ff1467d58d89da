import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import type { RunOptions } from "../core/job.js";
import type { UnitCell } from "../geometry/cell.js";
import type { Instrument } from "../geometry/experiment.js";
import { cellFromUB } from "../geometry/metric.js";
import { type BeamStop, findBeamStop, joinMasks } from "../integration/beam-stop.js";
import type { IntegratedSeries } from "../integration/integrate-series.js";
import type { LaueChoice } from "../integration/laue-choice.js";
import type { MergedObservations } from "../integration/merge.js";
import type { RockingCurves } from "../integration/rocking-curves.js";
import type { VirtualIntensities } from "../integration/virtual-frames.js";
import type { FrameSource } from "../io/frames.js";
import { integrationExperiment } from "./integrate.js";
import type { ProcessingRecord } from "./process.js";
import { reduceSeries } from "./reduce.js";

export interface MeasureOptions extends RunOptions {
  /** Limit of resolution, Å; found from the frames when not given. */
  readonly dMin?: number | undefined;
  /** Virtual frames: frames merged and distance of their starts. Default 2° and 1.5° of rotation; precession frames stay single. */
  readonly virtual?: { readonly merge: number; readonly step: number } | undefined;
  /** Threads of the integration. Default 1. */
  readonly workers?: number | undefined;
}

/** A series as intensities. Axes are those of the cell that the processing found. */
export interface MeasuredSeries {
  readonly ub: Map3<"sample", "hkl">;
  readonly cell: UnitCell;
  readonly instrument: Instrument;
  /** Shadow of the beam stop that was found in the frames and left out. */
  readonly beamStop: BeamStop | undefined;
  readonly integrated: IntegratedSeries;
  readonly curves: RockingCurves;
  readonly laue: LaueChoice;
  readonly merged: MergedObservations;
  readonly virtual: VirtualIntensities;
  readonly virtualPlan: { readonly merge: number; readonly step: number };
}

/** Profiles and intensities on every frame, rocking curves, Laue class, frame scales, merging, virtual frames. */
export async function measureSeries(source: FrameSource, record: ProcessingRecord, options: MeasureOptions = {}): Promise<MeasuredSeries> {
  const { ub, instrument, settings } = record,
    cell = cellFromUB(ub);
  const [x, y] = [record.centres.x, record.centres.y].map((c) => c.reduce((sum, v) => sum + v, 0) / c.length) as [number, number];
  const beamStop = await findBeamStop(source, [x, y], { signal: options.signal });
  const experiment = integrationExperiment(record, { rcWidth: 0.0015, mosaicityDeg: 0.1 }),
    virtualPlan = options.virtual ?? planOf(record);
  const reduced = await reduceSeries(
    source,
    { ...experiment, settings: { ...settings, mask: joinMasks(settings.mask, beamStop?.mask) } },
    { ...options, bravais: record.lattice.bravais, virtual: virtualPlan },
  );
  const { integrated, curves, merged, virtual } = reduced;
  const laue =
    reduced.laue[0] ??
    fail(
      "bad-value",
      { observations: merged.observations.size, frames: record.geometry.length },
      "fewer than 30 reflections were recorded completely, which is too few to tell the Laue group: give a longer series",
    );
  if (!virtual)
    return fail(
      "bad-value",
      { ...virtualPlan, frames: record.geometry.length },
      "the series is shorter than one virtual frame: merge fewer",
    );
  return { ub, cell, instrument, beamStop, integrated, curves, laue, merged, virtual, virtualPlan };
}

function planOf(r: ProcessingRecord): { merge: number; step: number } {
  const { alphaDeg, exposure } = r.series,
    n = alphaDeg.length;
  if (exposure.kind === "precession" || n < 2) return { merge: 1, step: 1 };
  const angle = Math.abs(alphaDeg[n - 1]! - alphaDeg[0]!) / (n - 1);
  const merge = Math.max(1, Math.min(n, Math.round(2 / Math.max(angle, 1e-3))));
  return { merge, step: Math.max(1, Math.round(0.75 * merge)) };
}
