import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import type { RunOptions } from "../core/job.js";
import { type FrameSource, toFloat32 } from "../io/frames.js";
import { type CentreEstimate, centreFromDirectBeam, centreFromFriedelPairs } from "./centre.js";
import { detectorMask } from "./mask.js";
import { estimateNoise, type NoiseModel } from "./noise.js";
import { type PeakTable, peakTable } from "./peak-table.js";
import { findSeams } from "./seams.js";
import { findSpots, type SpotTable } from "./spots.js";

/** How the spots of a series are searched; whatever is left out is found from the frames (`suggestSpotSettings`). */
export interface SpotSettings {
  readonly noise: NoiseModel;
  /** Diameter of the box, px. */
  readonly diameter: number;
  /** Least I/σ. */
  readonly minSnr: number;
  /** Counts at and above which a pixel is saturated; Infinity when unknown. */
  readonly saturation: number;
  /** Fixed mask of the detector; by default its seams, when the frames show any. */
  readonly mask?: Uint8Array | undefined;
  /** Nearest and farthest spots from the direct beam, px. */
  readonly minRadius: number;
  readonly maxRadius: number;
}

/** Spots and centre of one frame. */
export interface FrameSpots {
  readonly spots: SpotTable;
  readonly centre: CentreEstimate;
  /** Mean counts a pixel, and how many pixels are saturated. */
  readonly meanCounts: number;
  readonly saturatedPixels: number;
}

/** Frames spread evenly over a source, as f32. */
async function sample(source: FrameSource, count: number, signal?: AbortSignal): Promise<Image[]> {
  const n = source.shape[0],
    k = Math.min(count, n),
    out: Image[] = [];
  for (let i = 0; i < k; i++) out.push(toFloat32(await source.read(Math.floor(((i + 0.5) * n) / k), signal)));
  return out;
}

/** Mask of the seams in the mean of some frames; undefined when there is none. */
function seamMask(frames: readonly Image[]): Uint8Array | undefined {
  const { shape } = frames[0]!,
    data = new Float32Array(shape[0] * shape[1]);
  for (const f of frames) for (let i = 0; i < data.length; i++) data[i]! += f.data[i]! / frames.length;
  const { rows, columns } = findSeams({ data, shape });
  return rows.length + columns.length > 0 ? detectorMask(shape, { rows, columns }) : undefined;
}

/**
 * Settings from a few frames of the series: seams, noise by photon transfer (gain not below 1), spot diameter from the second moments of
 * strong spots, saturation from the file's own facts. Given values win.
 */
export async function suggestSpotSettings(
  source: FrameSource,
  given: Partial<SpotSettings> = {},
  signal?: AbortSignal,
): Promise<SpotSettings> {
  const frames = await sample(source, 5, signal);
  const mask = given.mask ?? seamMask(frames);
  const fitted = estimateNoise(frames, mask).model;
  const noise = given.noise ?? { gain: Math.max(1, fitted.gain), psi: fitted.psi };
  const saturation = given.saturation ?? source.facts.saturation ?? Number.POSITIVE_INFINITY;
  const minRadius = given.minRadius ?? Math.round(Math.min(source.shape[1], source.shape[2]) / 40) + 4; // beyond the flank of the direct beam
  let diameter = given.diameter;
  if (diameter === undefined) {
    const widths: number[] = [];
    for (const frame of frames) {
      const beam = centreFromDirectBeam(frame, mask ? { mask } : {}),
        t = findSpots(frame, { noise, diameter: 16, minSnr: 12, mask, saturation });
      for (let i = 0; i < t.size; i++)
        if (!t.flagged[i] && !(Math.hypot(t.x[i]! - beam.x, t.y[i]! - beam.y) < 2 * minRadius))
          widths.push(Math.sqrt((t.momentXx[i]! + t.momentYy[i]!) / 2));
    }
    widths.sort((a, b) => a - b);
    // A disc of five standard deviations across holds 96 % of a Gaussian spot; the lower quartile avoids pairs and tails.
    diameter = widths.length < 5 ? 8 : Math.min(24, Math.max(5, Math.round(5 * widths[widths.length >> 2]!)));
  }
  return {
    noise,
    diameter,
    saturation,
    minRadius,
    minSnr: given.minSnr ?? 6,
    mask,
    maxRadius: given.maxRadius ?? Number.POSITIVE_INFINITY,
  };
}

/**
 * Spots and centres of every frame, read one at a time: memory is a few frames whatever the length of the series. Returns to the event
 * loop every `sliceMs`.
 * @param guess - centre of the first frame, px; the direct beam is searched when it is not given
 * @param onFrame - called with each frame's result, e.g. to draw it
 * @throws bad-shape, bad-file from the source; rejects with the signal's reason on abort
 */
export async function findSeriesSpots(
  source: FrameSource,
  settings: SpotSettings,
  {
    guess,
    onFrame,
    signal,
    onProgress,
    sliceMs = 16,
  }: RunOptions & { guess?: readonly [number, number]; onFrame?: (i: number, frame: Image, found: FrameSpots) => void } = {},
): Promise<FrameSpots[]> {
  const n = source.shape[0],
    results: FrameSpots[] = [];
  if (n === 0) fail("bad-shape", { shape: source.shape }, "the series has no frames");
  let last = guess,
    due = performance.now() + sliceMs;
  for (let i = 0; i < n; i++) {
    if (performance.now() >= due) {
      // Frames in memory are read without a pause: let others run, and the signal be heard.
      await new Promise<void>((resume) => setTimeout(resume));
      due = performance.now() + sliceMs;
    }
    signal?.throwIfAborted();
    const frame = toFloat32(await source.read(i, signal));
    const beam = centreFromDirectBeam(frame, {
      ...(last ? { guess: last, radius: 25 } : {}),
      ...(settings.mask ? { mask: settings.mask } : {}),
    });
    const about: readonly [number, number] =
      beam.method === "none" ? (last ?? [(source.shape[2] - 1) / 2, (source.shape[1] - 1) / 2]) : [beam.x, beam.y];
    const spots = findSpots(frame, {
      noise: settings.noise,
      diameter: settings.diameter,
      minSnr: settings.minSnr,
      saturation: settings.saturation,
      mask: settings.mask,
      centre: about,
      minRadius: settings.minRadius,
      maxRadius: settings.maxRadius,
    });
    const pairs = centreFromFriedelPairs(spots, about, { radius: 6, tolerance: 0.8 });
    let sum = 0,
      saturatedPixels = 0;
    for (const v of frame.data) {
      sum += v;
      if (v >= settings.saturation) saturatedPixels++;
    }
    // The pairs see the origin of the lattice, the direct beam only its own shape: pairs win when there are enough.
    const found: FrameSpots = { spots, centre: pairs.count >= 8 ? pairs : beam, meanCounts: sum / frame.data.length, saturatedPixels };
    results.push(found);
    onFrame?.(i, frame, found);
    last = about;
    onProgress?.({ done: i + 1, total: n, note: `${spots.size} spots` });
  }
  return results;
}

/**
 * All spots of a series as one peak table. Flagged spots stay out unless `keepFlagged`; so do spots that stand still: hot pixels and edges of the beam
 * stop are found at the same place on many frames, while reflections pass within a degree or two.
 * @param stationary - share of the frames on which a place must be hit to be left out; 1 keeps all
 */
export function seriesPeaks(
  frames: readonly Pick<FrameSpots, "spots">[],
  alphaDeg: ArrayLike<number>,
  { keepFlagged = false, stationary = 0.12 } = {},
): PeakTable {
  if (alphaDeg.length !== frames.length)
    fail("bad-shape", { angles: alphaDeg.length, frames: frames.length }, "give one tilt angle per frame");
  const still = stationaryPlaces(frames, Math.max(12, stationary * frames.length));
  const rows: [frame: number, row: number][] = [];
  frames.forEach(({ spots }, f) => {
    for (let i = 0; i < spots.size; i++) if ((keepFlagged || !spots.flagged[i]) && !still(spots.x[i]!, spots.y[i]!)) rows.push([f, i]);
  });
  const pick = (column: (s: SpotTable) => Float64Array): number[] => rows.map(([f, i]) => column(frames[f]!.spots)[i]!);
  return peakTable({
    frame: rows.map(([f]) => f),
    px: pick((s) => s.x),
    py: pick((s) => s.y),
    intensity: pick((s) => s.intensity),
    sigma: pick((s) => s.sigma),
    alphaDeg: rows.map(([f]) => alphaDeg[f]!),
  });
}

/** Places, on a grid of two pixels with their neighbours, that at least `hits` frames have a spot on. */
function stationaryPlaces(frames: readonly Pick<FrameSpots, "spots">[], hits: number): (x: number, y: number) => boolean {
  const count = new Map<number, number>(),
    cell = (x: number, y: number): number => Math.round(y / 2) * 65536 + Math.round(x / 2);
  for (const { spots } of frames)
    for (let i = 0; i < spots.size; i++) {
      const k = cell(spots.x[i]!, spots.y[i]!);
      count.set(k, (count.get(k) ?? 0) + 1);
    }
  return (x, y) => {
    let n = 0;
    for (const dy of [-2, 0, 2]) for (const dx of [-2, 0, 2]) n += count.get(cell(x + dx, y + dy)) ?? 0;
    return n >= hits;
  };
}
