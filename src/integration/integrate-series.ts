import { fail } from "../core/errors.js";
import { type RunOptions, runAsync } from "../core/job.js";
import type { FrameGeometry, Instrument, RockingModel } from "../geometry/experiment.js";
import { latticePoints } from "../geometry/predict.js";
import { type FrameSource, toFloat32 } from "../io/frames.js";
import type { IntegrateKernels } from "../kernels/integrate.js";
import { centringRule, type LatticeCentring } from "./centring.js";
import { type FrameIntensities, joinIntensities } from "./frame-intensities.js";
import type { FrameShift } from "./frame-shift.js";
import type { Ring } from "./ice.js";
import type { Orientation } from "./index-lattice.js";
import { type FrameTask, integrateFrameWork } from "./integrate-frame.js";
import { type FrameWorkers, frameWorkers } from "./integrate-pool.js";
import { learnProfilesSteps, type SpotStamp } from "./profile-learn.js";
import { gaussianProfiles, type SpotProfiles } from "./profiles.js";
import type { SpotSettings } from "./spot-series.js";

/** Frames that profiles are learnt from are read so many at a time, until there are so many strong spots for each profile. */
const LEARN_AT_ONCE = 8,
  ENOUGH_SPOTS = 12;

/** What must be known to integrate a series: what `processSeries` finds. */
export interface IntegrationExperiment {
  /** Columns a*, b*, c* of the cell that is to be integrated, sample frame, Å⁻¹. */
  readonly ub: Orientation;
  readonly instrument: Instrument;
  /** One for each frame of the source. */
  readonly geometry: readonly FrameGeometry[];
  readonly rocking: RockingModel;
  readonly settings: Pick<SpotSettings, "noise" | "diameter" | "saturation" | "mask" | "minRadius" | "maxRadius">;
  /** Centring of that cell. Default P: every reflection is integrated. */
  readonly centring?: LatticeCentring | undefined;
  /** Further lattices (twins): their spots are fitted as neighbours, overlaps are flagged. */
  readonly others?: readonly Orientation[] | undefined;
}

export interface IntegrateOptions extends RunOptions {
  /** Limit of resolution, Å. Default: the edge of the frame nearest to the direct beam. */
  readonly dMin?: number | undefined;
  /** Diameter of the box that is fitted and summed, in spot diameters. Default 1.5. */
  readonly boxDiameters?: number | undefined;
  /** Reflections are integrated as far as this many widths of the rocking curve from the sphere. Default 3.5. */
  readonly reach?: number | undefined;
  /** Profiles: sectors of the detector and shells of resolution. Default 6 and 3. */
  readonly sectors?: number | undefined;
  readonly shells?: number | undefined;
  /**
   * Frames, spread over the series, from which profiles are learnt: at most so many, fewer where these show strong spots enough.
   * Default 40; 0 uses Gaussians of the spot diameter.
   */
  readonly learnFrames?: number | undefined;
  /** Profiles from elsewhere, which are used as they are. */
  readonly profiles?: SpotProfiles | undefined;
  /** Rings whose reflections are flagged. */
  readonly iceRings?: readonly Ring[] | undefined;
  /** Let strong spots correct the positions of each frame. Default true. */
  readonly recentre?: boolean | undefined;
  readonly kernels?: IntegrateKernels | undefined;
  /** Threads for the kernels (default 1; the same bits for any number). With `kernels` given all stays in this thread. */
  readonly workers?: number | undefined;
}

/** Intensities of a series on its frames, and what they were made with. */
export interface IntegratedSeries {
  readonly intensities: FrameIntensities;
  readonly experiment: IntegrationExperiment;
  readonly profiles: SpotProfiles;
  /** Displacement of every frame's pattern from the prediction. */
  readonly shifts: readonly FrameShift[];
  readonly dMin: number;
  readonly warnings: readonly string[];
}

/**
 * Intensities of all predicted reflections on all frames. First some frames show the mean profiles of spots (per sector and shell, from strong
 * ones); then every frame is fitted by itself: local background, profile times intensity for every spot with its neighbours, box sum beside it.
 * One frame is in memory at a time, with several workers two for each. Frames that cannot be read or are of another shape stop the job with the frame named.
 * @throws bad-shape when geometry and frames disagree, out-of-range for impossible options; rejects with the signal's reason on abort
 */
export async function integrateSeries(
  source: FrameSource,
  experiment: IntegrationExperiment,
  options: IntegrateOptions = {},
): Promise<IntegratedSeries> {
  check(source, experiment, options);
  const threads = await frameWorkers(options.workers ?? 1, options.kernels);
  try {
    return await integrateOn(threads, source, experiment, options);
  } finally {
    await threads.close();
  }
}

async function integrateOn(
  threads: FrameWorkers,
  source: FrameSource,
  experiment: IntegrationExperiment,
  options: IntegrateOptions,
): Promise<IntegratedSeries> {
  const { signal, onProgress, sliceMs = 16, learnFrames = 40, sectors = 6, shells = 3 } = options,
    [frames, ny, nx] = source.shape,
    warnings: string[] = [];
  const { instrument, settings, geometry } = experiment,
    { diameter } = settings;
  const task = frameTask(experiment, options, threads.kernels, [ny, nx]);
  const radius = Math.max(Math.ceil(1.25 * diameter) + 1, Math.ceil(task.fit.box)),
    sigma = diameter / 5;
  let profiles = options.profiles ?? gaussianProfiles(radius, sigma, sectors, shellRadii(instrument, task, shells));
  let due = performance.now() + sliceMs;
  const read = async (i: number) => {
    if (performance.now() >= due) {
      // Frames in memory are read without a pause: let others run, and the signal be heard.
      await new Promise<void>((resume) => setTimeout(resume));
      due = performance.now() + sliceMs;
    }
    signal?.throwIfAborted();
    const image = toFloat32(await source.read(i, signal));
    if (image.shape[0] !== ny || image.shape[1] !== nx)
      fail("bad-shape", { frame: i, shape: image.shape, expected: [ny, nx] }, "all frames of a series have one shape");
    return image;
  };
  const learning = options.profiles ? [] : spread(frames, learnFrames);
  const total = learning.length + frames;
  if (learning.length > 0) {
    const stamps: SpotStamp[] = [];
    let learnt = 0;
    const start = profiles;
    for (const some of interleaved(learning, LEARN_AT_ONCE)) {
      if (stamps.length >= ENOUGH_SPOTS * start.spots.length) break;
      await threads.each(
        some,
        read,
        (image, i) => integrateFrameWork(image, geometry[i]!, i, start, task, true),
        (r) => {
          stamps.push(...r.stamps);
          onProgress?.({ done: ++learnt, total, note: `profiles: ${stamps.length} strong spots` });
        },
        signal,
      );
    }
    const kept = strongestOfCells(stamps, profiles.spots.length, 120);
    if (kept.length < 20)
      warnings.push(`only ${kept.length} strong, single spots to learn profiles from: they stay close to a Gaussian of the spot diameter`);
    profiles = await runAsync(learnProfilesSteps(kept, profiles, sigma), { signal, sliceMs });
  }
  const parts: FrameIntensities[] = [],
    shifts: FrameShift[] = [];
  let strange = 0;
  await threads.each(
    Array.from({ length: frames }, (_, i) => i),
    read,
    (image, i) => integrateFrameWork(image, geometry[i]!, i, profiles, task),
    (result, i) => {
      parts.push(result.intensities);
      shifts.push(result.shift);
      if (Math.hypot(result.shift.dx, result.shift.dy) > diameter / 2) strange++;
      onProgress?.({ done: learning.length + i + 1, total, note: `frame ${i + 1} of ${frames}: ${result.intensities.size} reflections` });
    },
    signal,
  );
  const intensities = joinIntensities(parts);
  if (intensities.size === 0)
    fail(
      "no-convergence",
      { frames, dMin: 1 / gMaxOf(task) },
      "no reflection is predicted on any frame: check UB, angles and the resolution limit",
    );
  if (strange > 0) warnings.push(`${strange} of ${frames} frames are displaced by more than half a spot: check their centres`);
  return { intensities, experiment, profiles, shifts, dMin: 1 / gMaxOf(task), warnings };
}

/** What {@link integrateFrameWork} needs of an experiment and the options. */
function frameTask(
  experiment: IntegrationExperiment,
  options: IntegrateOptions,
  kernels: IntegrateKernels,
  [ny, nx]: readonly [ny: number, nx: number],
): FrameTask {
  const { instrument, settings, rocking } = experiment,
    { noise, diameter } = settings,
    { boxDiameters = 1.5, reach = 3.5 } = options;
  const [cx, cy] = instrument.detector.centrePx,
    edge = Math.min(cx + 0.5, nx - 0.5 - cx, cy + 0.5, ny - 0.5 - cy) * instrument.detector.invAngstromPerPixel,
    gMax = options.dMin !== undefined ? 1 / options.dMin : Math.max(edge, 20 * instrument.detector.invAngstromPerPixel);
  const allowed = centringRule(experiment.centring ?? "P");
  return {
    instrument,
    rocking,
    points: [experiment.ub, ...(experiment.others ?? [])].map((ub) => latticePoints(ub, { gMax, allowed })),
    fit: {
      gain: noise.gain,
      psi: noise.psi,
      box: (boxDiameters * diameter) / 2,
      core: diameter / 2,
      background: Math.max(1.6 * diameter, diameter / 2 + 6),
      clip: 3.5,
      modelError: 0.05,
      reject: 6,
    },
    diameter,
    saturation: settings.saturation,
    mask: settings.mask,
    minRadius: settings.minRadius,
    maxRadius: settings.maxRadius,
    reach,
    iterations: 4,
    iceRings: options.iceRings ?? [],
    recentre: options.recentre ?? true,
    kernels,
  };
}

const gMaxOf = (task: FrameTask): number => Math.sqrt(task.points[0]!.g2.reduce((m: number, v) => Math.max(m, v), 1e-12));

/** Outer radii of the shells, px: equal areas between the innermost and the outermost spots. */
function shellRadii(instrument: Instrument, task: FrameTask, shells: number): Float64Array {
  const outer = gMaxOf(task) / instrument.detector.invAngstromPerPixel;
  return Float64Array.from({ length: shells }, (_, k) => outer * Math.sqrt((k + 1) / shells));
}

/** `count` numbers spread evenly over 0 … n − 1. */
function spread(n: number, count: number): number[] {
  const k = Math.min(n, count);
  return Array.from({ length: k }, (_, i) => Math.floor(((i + 0.5) * n) / k));
}

/** A list in parts of about `size`, each spread over the whole list. */
function interleaved(list: readonly number[], size: number): number[][] {
  const parts = Math.ceil(list.length / size);
  return Array.from({ length: parts }, (_, p) => list.filter((_, i) => i % parts === p));
}

function strongestOfCells(stamps: readonly SpotStamp[], cells: number, most: number): SpotStamp[] {
  const by: SpotStamp[][] = Array.from({ length: cells }, () => []);
  for (const s of stamps) by[s.cell]!.push(s);
  return by.flatMap((list) => list.sort((a, b) => b.intensity - a.intensity).slice(0, most));
}

function check(source: FrameSource, e: IntegrationExperiment, o: IntegrateOptions): void {
  const [frames, ny, nx] = source.shape,
    { detector: d } = e.instrument;
  if (frames === 0) fail("bad-shape", { shape: source.shape }, "the series has no frames");
  if (e.geometry.length !== frames)
    fail(
      "bad-shape",
      { geometry: e.geometry.length, frames },
      "give the geometry of every frame (FrameGeometry[]), in the order of the frames",
    );
  if (d.nx !== nx || d.ny !== ny)
    fail("bad-shape", { detector: [d.ny, d.nx], frames: [ny, nx] }, "the detector and the frames differ in size: is one of them binned?");
  if (e.settings.mask && e.settings.mask.length !== ny * nx)
    fail("bad-shape", { mask: e.settings.mask.length, frame: ny * nx }, "the mask must have the shape of a frame");
  if (!(e.settings.diameter >= 3 && e.settings.diameter <= Math.min(nx, ny) / 4 && e.settings.diameter <= 48))
    fail(
      "out-of-range",
      { diameter: e.settings.diameter },
      "the spot diameter is 3 to 48 px and below a quarter of the frame; bin larger spots",
    );
  if (!e.ub.every(Number.isFinite)) fail("bad-value", { ub: e.ub }, "UB holds nine finite numbers, Å⁻¹");
  e.geometry.forEach((g, frame) => {
    if (![g.alphaDeg, g.betaDeg, g.omegaDeg].every(Number.isFinite))
      fail(
        "bad-value",
        { frame, alphaDeg: g.alphaDeg, betaDeg: g.betaDeg, omegaDeg: g.omegaDeg },
        "a frame has angles that are no numbers",
      );
  });
  if (!(e.rocking.rcWidth > 0 && e.rocking.mosaicityDeg >= 0))
    fail("out-of-range", { rocking: e.rocking }, "RC width (Å⁻¹) is positive and the mosaicity (degrees) not negative");
  if (o.dMin !== undefined && !(o.dMin > 0.1 && o.dMin < 20))
    fail("out-of-range", { dMin: o.dMin }, "dMin is the resolution limit in Å, for example 0.7");
  const { boxDiameters = 1.5, reach = 3.5, sectors = 6, shells = 3, workers = 1 } = o;
  if (!(Number.isInteger(workers) && workers >= 1)) fail("bad-value", { workers }, "workers is a whole number of at least 1");
  if (!(boxDiameters >= 0.5 && boxDiameters <= 5))
    fail("out-of-range", { boxDiameters }, "boxDiameters is the box in spot diameters, 0.5 to 5; usually 1 to 2");
  if (!(reach > 0 && reach <= 10)) fail("out-of-range", { reach }, "reach is in widths of the rocking curve, usually 3 to 4");
  if (!(Number.isInteger(sectors) && sectors >= 1 && Number.isInteger(shells) && shells >= 1 && sectors * shells <= 256))
    fail("out-of-range", { sectors, shells }, "sectors and shells are whole numbers of at least 1, at most 256 profiles in all");
}
