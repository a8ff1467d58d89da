import { fail } from "../core/errors.js";
import type { Progress } from "../core/job.js";
import { median, quantile } from "../numerics/stats-select.js";
import { alignSeries } from "./align.js";
import { type AtomModel, atomModel } from "./atom-model.js";
import type { AtomClasses } from "./classify.js";
import { classifyIntensities, countClasses } from "./classify.js";
import { extendedVolume, middleColumns } from "./extended.js";
import { resire } from "./iterative.js";
import { type ModelledAtoms, modelAtoms } from "./model-atoms.js";
import type { Reconstruction } from "./reconstruction.js";
import { type TiltSeries, tiltSeries } from "./tilt-series.js";
import { type TracedAtoms, traceAtoms } from "./trace.js";

export interface AtomTomographyOptions {
  /** Number of species; found from the intensities when not given. */
  readonly classes?: number | undefined;
  /** Align the views first, and refine shift and angles of every view with the atoms (default false). */
  readonly align?: boolean | undefined;
  /** Iterations of the reconstruction (default 100; 40 with momentum where the object is extended). */
  readonly iterations?: number | undefined;
  /** The object continues outside the field; default: what the rim of the views says. */
  readonly extended?: boolean | undefined;
  /** Atoms nearer than this are one, Å (default 2 when tracing, 1.6 when refining). */
  readonly minDistance?: number | undefined;
  readonly workers?: number | undefined;
  readonly seed?: number | string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
  /** Clock for the times of the stages, ms. */
  readonly now?: (() => number) | undefined;
}

export interface AtomTomography {
  readonly reconstruction: Reconstruction;
  readonly traced: TracedAtoms;
  /** Refined atoms; those traced when the object is extended and the projections hold more than the field. */
  readonly model: AtomModel;
  readonly classes: AtomClasses;
  /** Undefined for extended objects. */
  readonly modelled: ModelledAtoms | undefined;
  readonly extended: boolean;
  /** Background that was taken off every view for the reconstruction. */
  readonly background: Float64Array;
  /** ms per stage, when a clock is given. */
  readonly times: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

/** Median of the outermost pixels of every view, and whether an object is there: a side of a cut-out is nearly as bright as its middle. */
export function viewRims(series: TiltSeries): { readonly levels: Float64Array; readonly extended: boolean } {
  const [views, ny, nx] = series.shape,
    width = Math.max(2, Math.round(0.03 * Math.min(ny, nx))),
    levels = new Float64Array(views),
    ratios: number[] = [];
  for (let i = 0; i < views; i++) {
    const rim: number[] = [];
    for (let y = 0, j = i * ny * nx; y < ny; y++)
      for (let x = 0; x < nx; x++, j++) {
        if (series.mask?.[j]) continue;
        if (y < width || x < width || y >= ny - width || x >= nx - width) rim.push(series.projections[j]!);
      }
    levels[i] = rim.length ? median(rim) : 0;
    // Means of blocks and of the four sides, so that noise of few counts does not pass for an object.
    const view = series.projections.subarray(i * ny * nx, (i + 1) * ny * nx),
      mean = (y0: number, y1: number, x0: number, x1: number): number => {
        let sum = 0,
          count = 0;
        for (let y = y0; y < y1; y++)
          for (let x = x0; x < x1; x++)
            if (!series.mask?.[i * ny * nx + y * nx + x]) {
              sum += view[y * nx + x]!;
              count++;
            }
        return count ? sum / count : levels[i]!;
      },
      blocks: number[] = [];
    for (let y = 0; y + 4 <= ny; y += 4) for (let x = 0; x + 4 <= nx; x += 4) blocks.push(mean(y, y + 4, x, x + 4));
    const dark = quantile(blocks, 0.01),
      bright = quantile(blocks, 0.99),
      side = Math.max(mean(0, width, 0, nx), mean(ny - width, ny, 0, nx), mean(0, ny, 0, width), mean(0, ny, nx - width, nx));
    ratios.push(bright > dark ? (side - dark) / (bright - dark) : 0);
  }
  return { levels, extended: median(ratios) > 0.4 };
}

/**
 * From projections to atoms, unattended: background, alignment if asked, RESIRE, tracing, species, refinement against the raw projections
 * with removal and addition of atoms. An extended object (a film cut out of a larger field) is reconstructed in the box of
 * all that the views cross and its atoms are traced in the field only: projections that hold matter from outside cannot be explained by atoms of the field.
 * @throws bad-value when the pixel size is not known or cannot show atoms
 */
export async function atomTomography(series: TiltSeries, options: AtomTomographyOptions = {}): Promise<AtomTomography> {
  const { workers, signal, onProgress } = options,
    warnings: string[] = [],
    times: Record<string, number> = {};
  const pixel = series.pixelAngstrom ?? Number.NaN;
  // Atoms are 0.4 to 0.8 Å wide in the views and 2 to 3 Å apart.
  if (!(pixel >= 0.08 && pixel <= 1.2))
    fail(
      "bad-value",
      { pixelAngstrom: series.pixelAngstrom },
      "views that show atoms have pixels of 0.08 to 1.2 Å: is it in Å, not in nm or pm?",
    );
  let last = options.now?.() ?? 0;
  const lap = (name: string): void => {
    const now = options.now?.() ?? 0;
    times[name] = (times[name] ?? 0) + now - last;
    last = now;
  };
  const [views, ny, nx] = series.shape,
    { levels, extended: seen } = viewRims(series),
    extended = options.extended ?? seen;
  const background = extended ? new Float64Array(views) : levels;
  const clean: TiltSeries = {
    ...series,
    projections: series.projections.map((v, i) => (series.mask?.[i] ? 0 : v - background[Math.floor(i / (ny * nx))]!)),
  };
  let ready = clean,
    shifts = series.shifts?.slice();
  if (options.align) {
    if (extended) warnings.push("an extended object has no centre of mass: the views were not aligned");
    else {
      const { mask: _, ...unmasked } = clean;
      const aligned = await alignSeries(unmasked, { workers, signal, matching: 3, onProgress });
      ready = tiltSeries(aligned.series.projections, series.shape, aligned.series.poses, { pixelAngstrom: series.pixelAngstrom });
      // Views were moved by s: the object stood at −s.
      shifts = aligned.shifts.map((v) => -v);
    }
    lap("align");
  }
  const reconstruction = await resire(ready, {
    // Momentum: as good as three times as many plain steps.
    ...(extended
      ? {
          iterations: options.iterations ?? 40,
          step: 1,
          momentum: true,
          withhold: 0.005,
          volume: extendedVolume(ready.poses, [ny, nx], nx),
        }
      : { iterations: options.iterations ?? 100, step: 1.5 }),
    seed: options.seed,
    workers,
    signal,
    onProgress: (p) => onProgress?.({ done: p.done, total: p.total, note: `reconstruction: ${p.note}` }),
  });
  lap("reconstruct");
  // Atoms just outside the field belong to the fits of those at its rim.
  const field = extended ? middleColumns(reconstruction, [ny + 16, nx + 16]) : { data: reconstruction.volume, shape: reconstruction.shape };
  const traced = traceAtoms(field, { pixel, minDistance: options.minDistance, field: [ny, nx] });
  lap("trace");
  if (!traced.separated) warnings.push("the heights of the maxima have no valley between noise and atoms: look at their histogram");
  if (traced.size === 0) warnings.push("no atoms were found");
  let modelled: ModelledAtoms | undefined;
  const start = atomModel(traced.positions, traced.integrated, Number.isFinite(traced.width) ? traced.width : 1);
  if (!extended && traced.size > 0) {
    modelled = await modelAtoms({ ...series, poses: ready.poses, shifts }, start, {
      classes: options.classes,
      minDistance: options.minDistance,
      shifts: options.align === true,
      angles: options.align === true,
      workers,
      signal,
      seed: options.seed,
      onProgress,
    });
    lap("refine");
  } else if (extended) warnings.push("the object continues outside the field: atoms were traced, not refined");
  const k = Math.max(1, Math.min(options.classes ?? countClasses(start.intensities), start.size));
  const classes = modelled?.classes ?? (start.size ? classifyIntensities(start.intensities, k) : none(k));
  return {
    reconstruction,
    traced,
    model: modelled?.refined.model ?? { ...start, species: classes.species },
    classes,
    modelled,
    extended,
    background,
    times,
    warnings,
  };
}

const none = (k: number): AtomClasses => ({
  species: new Uint8Array(0),
  probability: new Float64Array(0),
  means: new Float64Array(k),
  sigmas: new Float64Array(k),
});
