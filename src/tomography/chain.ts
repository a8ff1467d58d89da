import { fail } from "../core/errors.js";
import type { Progress } from "../core/job.js";
import { alignSeries } from "./align.js";
import { type AtomModel, atomModel } from "./atom-model.js";
import type { AtomClasses } from "./classify.js";
import { classifyIntensities, countClasses } from "./classify.js";
import { filmAtoms } from "./film-atoms.js";
import { inspectSeries } from "./inspect-series.js";
import { resire } from "./iterative.js";
import { type ModelledAtoms, modelAtoms } from "./model-atoms.js";
import { poseDoubts } from "./pose-doubts.js";
import { repairPixels } from "./prepare.js";
import type { Reconstruction } from "./reconstruction.js";
import { type TiltSeries, tiltSeries } from "./tilt-series.js";
import { type TracedAtoms, traceAtoms } from "./trace.js";
import { viewRims } from "./view-rims.js";

export interface AtomTomographyOptions {
  /** Number of species; found from the intensities when not given. */
  readonly classes?: number | undefined;
  /** Align the views first, with their angles as far as the volume tells them, and refine shift and angles of every view with the atoms (default false). */
  readonly align?: boolean | undefined;
  /** Iterations of the reconstruction (default 100; where the object is extended 40 with momentum, and 24 more that begin with atoms). */
  readonly iterations?: number | undefined;
  /** The object continues outside the field; default: what the rim of the views says. */
  readonly extended?: boolean | undefined;
  /** Atoms nearer than this are one, Å (default 2 when tracing, 1.9 in an extended object, 1.6 when refining). */
  readonly minDistance?: number | undefined;
  readonly workers?: number | undefined;
  readonly seed?: number | string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
  /** Clock for the times of the stages, ms. */
  readonly now?: (() => number) | undefined;
}

export interface AtomTomography {
  /** Of the projections alone. */
  readonly reconstruction: Reconstruction;
  /** Of an extended object, begun again with its atoms ({@link filmAtoms}): where they were traced at last. */
  readonly completed: Reconstruction | undefined;
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

/**
 * From projections to atoms, unattended: background, alignment if asked, RESIRE, tracing, species, refinement against the raw projections
 * with removal and addition of atoms. An extended object (a film cut out of a larger field) is reconstructed in the box of
 * all that the views cross, again from the atoms traced in it, and its atoms are traced in the field only: projections that hold matter from outside cannot be explained by atoms of the field.
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
  if (!extended) warnings.push(...inspectSeries(clean).warnings);
  let ready = clean,
    shifts = series.shifts?.slice();
  if (options.align) {
    if (extended) warnings.push("an extended object has no centre of mass: the views were not aligned");
    else {
      // Masked pixels take the median of what is around them: a hole would pull on the centre of mass.
      const { mask, ...unmasked } = clean,
        whole = mask
          ? { ...unmasked, projections: repairPixels(clean.projections, series.shape, { mask, sigmas: Infinity }).projections }
          : clean;
      // Large errors of the angles are taken down to where the atoms take over: from a blurred volume at low dose these fall into wrong minima.
      const aligned = await alignSeries(whole, {
        workers,
        signal,
        matching: 3,
        angleStepDeg: 1.5,
        angleToleranceDeg: 0.15,
        leastAngleDeg: 0.65,
        onProgress,
      });
      ready = tiltSeries(aligned.series.projections, series.shape, aligned.series.poses, { pixelAngstrom: series.pixelAngstrom });
      // Views were moved by s: the object stood at −s.
      shifts = aligned.shifts.map((v) => -v);
    }
    lap("align");
  }
  if (!extended) {
    // The list as given is in doubt, not what alignment made of it.
    warnings.push(...(await poseDoubts({ ...ready, poses: series.poses }, { workers, signal })).warnings);
    lap("poses");
  }
  const { seed, minDistance } = options,
    common = {
      seed,
      workers,
      signal,
      onProgress: (p: Progress): void => onProgress?.({ done: p.done, total: p.total, note: `reconstruction: ${p.note}` }),
    };
  let reconstruction: Reconstruction, completed: Reconstruction | undefined, traced: TracedAtoms;
  if (extended) {
    const { iterations } = options;
    ({ reconstruction, completed, traced } = await filmAtoms(ready, { ...common, pixel, minDistance, iterations, withhold: 0.005 }));
    lap("reconstruct and trace");
  } else {
    reconstruction = await resire(ready, { ...common, iterations: options.iterations ?? 100, step: 1.5 });
    lap("reconstruct");
    traced = traceAtoms({ data: reconstruction.volume, shape: reconstruction.shape }, { pixel, minDistance, field: [ny, nx] });
    lap("trace");
  }
  if (!traced.separated) warnings.push("the heights of the maxima have no valley between noise and atoms: look at their histogram");
  if (traced.size === 0) warnings.push("no atoms were found");
  let modelled: ModelledAtoms | undefined;
  const start = atomModel(traced.positions, traced.integrated, Number.isFinite(traced.width) ? traced.width : 1);
  if (!extended && traced.size > 0) {
    modelled = await modelAtoms({ ...series, poses: ready.poses, shifts }, start, {
      classes: options.classes,
      minDistance,
      shifts: options.align === true,
      angles: options.align === true,
      workers,
      signal,
      seed,
      onProgress,
    });
    lap("refine");
  } else if (extended) warnings.push("the object continues outside the field: atoms were traced, not refined");
  const k = Math.max(1, Math.min(options.classes ?? countClasses(start.intensities), start.size));
  const classes = modelled?.classes ?? (start.size ? classifyIntensities(start.intensities, k) : none(k));
  return {
    reconstruction,
    completed,
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
