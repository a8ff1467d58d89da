import type { Progress } from "../core/job.js";
import { median } from "../numerics/stats-select.js";
import { type AtomModel, atomModel, joinAtoms, type PosedProjections, selectAtoms } from "./atom-model.js";
import { type AtomClasses, classifyIntensities, countClasses } from "./classify.js";
import { type RefineAtomsOptions, type RefinedAtoms, refineAtoms } from "./refine-atoms.js";
import { falseAtoms, residualPeaks } from "./refine-atoms-edit.js";

export interface ModelAtomsOptions extends RefineAtomsOptions {
  /** Number of species; found from the intensities (1 to 3) when not given. */
  readonly classes?: number | undefined;
  /** Atoms nearer than this are one, Å (default 1.6). */
  readonly minDistance?: number | undefined;
  /** Rounds of removal and addition (default 4). */
  readonly rounds?: number | undefined;
  /** Significance that an added atom needs, standard deviations (default: what noise exceeds in a tenth of the searches, 4.7 to 5.3). */
  readonly significance?: number | undefined;
}

export interface ModelledAtoms {
  readonly refined: RefinedAtoms;
  readonly classes: AtomClasses;
  /** What every round changed. */
  readonly rounds: readonly { readonly atoms: number; readonly removed: number; readonly added: number; readonly reducedChi2: number }[];
}

/**
 * From traced positions to a model that explains the projections, unattended: refine, remove atoms that the projections do not support,
 * add those that the residual asks for, until nothing changes; then refine to the end with error bars.
 */
export async function modelAtoms(series: PosedProjections, start: AtomModel, options: ModelAtomsOptions = {}): Promise<ModelledAtoms> {
  const { rounds = 4, minDistance = 1.6, significance } = options,
    log: { atoms: number; removed: number; added: number; reducedChi2: number }[] = [];
  const report = (done: number, note: string): void => options.onProgress?.({ done, total: rounds + 1, note } satisfies Progress);
  let model = start,
    current = series;
  for (let round = 0; round < rounds; round++) {
    report(round, `round ${round + 1}: ${model.size} atoms`);
    const refined = await refineAtoms(current, model, {
      ...options,
      widths: options.widths === "fixed" ? "fixed" : "common",
      iterations: round === 0 ? 6 : 4,
      tolerance: 0.01,
      probes: 0,
      withheld: 0,
      linearFirst: true,
      onProgress: undefined,
    });
    // Poses that were refined are where the next round begins.
    current = { ...series, poses: refined.poses, shifts: refined.shifts };
    const { remove, least } = falseAtoms(refined.model, { minDistance, classes: options.classes });
    const kept = selectAtoms(
      refined.model,
      Array.from({ length: model.size }, (_, a) => a).filter((a) => !remove[a]),
    );
    const peaks = residualPeaks(current, refined, { significance, minDistance, intensity: 0.8 * least });
    const removed = model.size - kept.size,
      added = peaks.intensities.length;
    log.push({ atoms: kept.size + added, removed, added, reducedChi2: refined.reducedChi2 });
    model = added ? joinAtoms(kept, atomModel(peaks.positions, peaks.intensities, median(refined.model.widths.slice()))) : kept;
    if (removed === 0 && added === 0) break;
  }
  const k = options.classes ?? countClasses(model.intensities),
    labelled = { ...model, species: classifyIntensities(model.intensities, Math.min(k, model.size)).species };
  report(rounds, `${model.size} atoms, ${k} species`);
  let refined = await refineAtoms(current, labelled, {
    ...options,
    widths: options.widths ?? (k > 1 ? "species" : "common"),
    linearFirst: false,
  });
  // A last look: what full refinement shows to be false goes, with one more refinement if there was any.
  const { remove } = falseAtoms(refined.model, { minDistance, classes: options.classes });
  if (remove.some((v) => v)) {
    const kept = selectAtoms(
      refined.model,
      Array.from({ length: refined.model.size }, (_, a) => a).filter((a) => !remove[a]),
    );
    const species = classifyIntensities(kept.intensities, Math.min(k, kept.size)).species;
    log.push({ atoms: kept.size, removed: refined.model.size - kept.size, added: 0, reducedChi2: refined.reducedChi2 });
    refined = await refineAtoms(
      { ...series, poses: refined.poses, shifts: refined.shifts },
      { ...kept, species },
      { ...options, linearFirst: false },
    );
  }
  const classes = classifyIntensities(refined.model.intensities, Math.min(k, refined.model.size));
  return { refined: { ...refined, model: { ...refined.model, species: classes.species } }, classes, rounds: log };
}
