import { fail } from "../core/errors.js";
import { type RunOptions, runAsync, type Steps } from "../core/job.js";
import type { BravaisCandidate, BravaisType } from "../geometry/bravais.js";
import type { UnitCell } from "../geometry/cell.js";
import type { Exposure, FrameGeometry, Instrument } from "../geometry/experiment.js";
import { transformUB } from "../geometry/metric.js";
import { type CentreDrift, centreDrift } from "../integration/centre.js";
import { systemOfBravais } from "../integration/constraints.js";
import type { DistortionResult } from "../integration/distortion-refine.js";
import { type SeriesFrames, seriesFramesSteps } from "../integration/frame-orientation-series.js";
import { type Indexed, indexVectors, type Orientation } from "../integration/index-lattice.js";
import { type IndexingOptions, type IndexingResult, indexingSteps } from "../integration/indexing.js";
import type { PeakTable } from "../integration/peak-table.js";
import { checkSeries } from "../integration/peak-table-series.js";
import { sampleVectors } from "../integration/peaks3d-vectors.js";
import { type FrameSpots, findSeriesSpots, type SpotSettings, seriesPeaks, suggestSpotSettings } from "../integration/spot-series.js";
import type { FrameSource } from "../io/frames.js";
import { chooseLatticeSteps, latticeNamed } from "./choose-lattice.js";
import { candidateOfCell } from "./match-cell.js";
import { type LatticeRecord, ownData, refineOthers, separateLattices } from "./twin-lattices.js";

/** What must be known about a tilt series besides its frames. */
export interface SeriesDescription {
  /** Electron wavelength, Å. */
  readonly wavelength: number;
  /** Reciprocal size of a pixel, Å⁻¹ per px. */
  readonly invAngstromPerPixel: number;
  /** Nominal tilt angle of every frame at mid-exposure, degrees; the sense of rotation is found. */
  readonly alphaDeg: readonly number[];
  readonly exposure: Exposure;
}

export interface ProcessOptions extends RunOptions {
  /** Whatever is given here is not searched. */
  readonly spots?: Partial<SpotSettings>;
  readonly indexing?: Partial<IndexingOptions>;
  /** Bravais lattice to use instead of the most symmetric one that fits. */
  readonly bravais?: BravaisType;
  /** A cell known from elsewhere; lets the magnification and, in any Laue class, the elliptical distortion be refined. */
  readonly knownCell?: UnitCell;
  /** Distortions: refined and kept when they explain the positions better ("auto"), or left out. */
  readonly distortions?: "auto" | "none";
  /** Frame-by-frame orientations. Default true. */
  readonly refineFrames?: boolean;
}

/** Everything that a processing run found: plain data, ready to draw, to write and to continue from. */
export interface ProcessingRecord {
  readonly series: SeriesDescription;
  readonly shape: readonly [frames: number, ny: number, nx: number];
  readonly settings: SpotSettings;
  readonly frames: readonly FrameSpots[];
  readonly centres: CentreDrift;
  readonly peaks: PeakTable;
  readonly indexing: IndexingResult;
  /** The Bravais lattice used, with its change of basis from the reduced cell. */
  readonly lattice: BravaisCandidate;
  /** Undefined when they were not asked for. `kept` says whether the instrument below has them. */
  readonly distortion: { readonly result: DistortionResult; readonly kept: boolean } | undefined;
  readonly orientations: SeriesFrames | undefined;
  /** All lattices of the series, the one above first: more than one for a twin. */
  readonly lattices: readonly LatticeRecord[];
  /** Final lattice: UB (Å⁻¹, columns a*, b*, c*, sample frame), cell with s.u., instrument and geometry of every frame. */
  readonly ub: Orientation;
  readonly cell: UnitCell;
  readonly cellSigma: readonly number[];
  readonly instrument: Instrument;
  readonly geometry: readonly FrameGeometry[];
  /** Position of the tilt axis, mean of the frames, degrees in [0, 360). */
  readonly omegaDeg: number;
  /** Vectors of the 3-D maxima with the final geometry, Å⁻¹, sample frame, and their indices. */
  readonly vectors: Float64Array;
  readonly indexed: Indexed;
  readonly warnings: readonly string[];
}

/**
 * From frames to a refined cell and refined frame orientations: spots and centres frame by frame (bounded memory), tilt axis and sense,
 * lattice and twins, Bravais type, distortions, then every frame's own angles, scale and centre together with the lattice.
 * @throws bad-shape when angles and frames disagree; bad-value for contradictory metadata; no-convergence when nothing indexes; rejects on abort
 */
export async function processSeries(
  source: FrameSource,
  series: SeriesDescription,
  options: ProcessOptions = {},
): Promise<ProcessingRecord> {
  const { signal, onProgress } = options,
    n = source.shape[0];
  if (series.alphaDeg.length !== n) fail("bad-shape", { angles: series.alphaDeg.length, frames: n }, "give one tilt angle per frame");
  checkSeries({ wavelength: series.wavelength, aperpixel: series.invAngstromPerPixel, alphaDeg: series.alphaDeg });
  const settings = await suggestSpotSettings(source, options.spots, signal);
  const frames = await findSeriesSpots(source, settings, {
    signal,
    onProgress:
      onProgress &&
      ((p) => onProgress({ done: (50 * p.done) / p.total, total: 100, note: `spots of frame ${p.done} of ${p.total}: ${p.note}` })),
  });
  const record = await runAsync(processSpotsSteps(frames, source.shape, settings, series, options), {
    signal,
    sliceMs: options.sliceMs,
    onProgress: onProgress && ((p) => onProgress({ done: 50 + p.done / 2, total: 100, note: p.note })),
  });
  return { ...record, warnings: [...source.warnings, ...record.warnings] };
}

/** The part after the spot search; sync and async drivers run the same steps. */
export function* processSpotsSteps(
  frames: readonly FrameSpots[],
  shape: readonly [frames: number, ny: number, nx: number],
  settings: SpotSettings,
  series: SeriesDescription,
  options: ProcessOptions = {},
): Steps<ProcessingRecord> {
  const centres = centreDrift(frames.map((f) => f.centre)),
    peaks = seriesPeaks(frames, series.alphaDeg);
  const indexing = yield* scaled(
    indexingSteps(peaks, {
      wavelength: series.wavelength,
      aperpixel: series.invAngstromPerPixel,
      alphaDeg: series.alphaDeg,
      size: [shape[2], shape[1]],
      ...options.indexing,
    }),
    0,
    45,
  );
  // What follows refines the first lattice on the spots that are its own.
  const single = separateLattices(indexing, peaks);
  let ub: Orientation,
    instrument: Instrument = { ...single.indexing.instrument, exposure: series.exposure },
    geometry = single.indexing.frames;
  let cell: UnitCell, cellSigma: readonly number[], lattice: BravaisCandidate;
  let distortion: ProcessingRecord["distortion"];
  const warnings: string[] = [];
  if ((options.distortions ?? "auto") === "auto") {
    yield { done: 47, total: 100, note: "lattice symmetry and distortions" };
    const chosen = yield* chooseLatticeSteps({
      indexing: single.indexing,
      peaks: single.peaks,
      instrument,
      bravais: options.bravais,
      knownCell: options.knownCell,
    });
    ({ lattice, distortion } = chosen);
    warnings.push(...indexing.warnings.filter((w) => !w.includes("Pass bravais")));
    ({ ub, cell, cellSigma } = chosen);
    if (distortion.kept) ({ instrument, frames: geometry } = distortion.result.lattice);
  } else {
    const { suggested, reduced, constrained } = single.indexing;
    lattice = options.knownCell
      ? candidateOfCell(indexing.candidates, options.knownCell)
      : (latticeNamed(indexing, options.bravais) ?? suggested);
    warnings.push(...indexing.warnings);
    ub = lattice === suggested ? constrained.ub : transformUB(reduced.ub, lattice.basis);
    ({ cell, cellSigma } = constrained);
  }
  const system = systemOfBravais(lattice.bravais),
    known = options.knownCell ? { cell: options.knownCell } : {};
  let orientations: SeriesFrames | undefined,
    others = single.others;
  if (options.refineFrames ?? true) {
    const own = others.length ? ownData(peaks, indexing.maxima, [ub, ...others], 0, instrument, geometry).peaks : peaks;
    orientations = yield* scaled(seriesFramesSteps(own, ub, instrument, geometry, { lattice: { system, ...known }, others }), 55, 95);
    ({ ub, frames: geometry, others } = orientations);
    ({ cell, cellSigma } = orientations.lattice);
  }
  const vectors = sampleVectors(indexing.maxima, instrument, geometry),
    omegaDeg = meanAngle(geometry.map((f) => f.omegaDeg));
  yield { done: 97, total: 100, note: others.length ? "the other lattices" : "final indexing" };
  const lattices = refineOthers(peaks, indexing.maxima, { ub, cell, cellSigma }, others, instrument, geometry, system, lattice.basis);
  yield { done: 99, total: 100, note: "final indexing" };
  return {
    series,
    shape,
    settings,
    frames,
    centres,
    peaks,
    indexing,
    lattice,
    distortion,
    orientations,
    lattices,
    ub,
    cell,
    cellSigma,
    instrument,
    geometry,
    omegaDeg,
    vectors,
    indexed: indexVectors(vectors, ub),
    warnings,
  };
}

/** Mean direction, degrees in [0, 360). */
function meanAngle(deg: readonly number[]): number {
  const sum = (f: (x: number) => number): number => deg.reduce((s, d) => s + f((d * Math.PI) / 180), 0);
  return ((Math.atan2(sum(Math.sin), sum(Math.cos)) * 180) / Math.PI + 360) % 360;
}

/** Progress of a part as a share [from, to] of a hundred. */
function* scaled<T>(steps: Steps<T>, from: number, to: number): Steps<T> {
  for (;;) {
    const s = steps.next();
    if (s.done) return s.value;
    yield { done: from + ((to - from) * s.value.done) / s.value.total, total: 100, note: s.value.note };
  }
}
