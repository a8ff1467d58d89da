import { fail } from "../core/errors.js";
import { inverse, type Map3 } from "../core/frames.js";
import { printable } from "../core/inspect.js";
import { type RunOptions, runAsync, type Steps } from "../core/job.js";
import type { UnitCell } from "../geometry/cell.js";
import { type Mat3, multiply3 } from "../geometry/metric.js";
import type { ReflectionList } from "../geometry/reflection-list.js";
import { formula, type Structure } from "../geometry/structure.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { lobato } from "../scattering/lobato.js";
import { assembled } from "./assemble.js";
import { centringIsOpen } from "./centring.js";
import type { FlipOptions } from "./charge-flipping.js";
import { cellContent } from "./composition.js";
import type { DensityMap } from "./density.js";
import { type Composition, parseComposition } from "./formula.js";
import type { GroupCandidate } from "./group-search.js";
import { type Connectivity, connectivity, doubtsOf, rivalTrial } from "./judge.js";
import { higherSymmetrySteps } from "./model-symmetry.js";
import { type Normalised, normalise } from "./normalise.js";
import type { OperatorScore } from "./operators.js";
import { onPrimitiveAxes, type PhasingData, type PrepareOptions, preparePhasing } from "./prepare.js";
import { laueOrder, limitFor, meritOf, type TrialResult, trialSteps, withProgress } from "./trial.js";

export interface SolveOptions extends PrepareOptions, Omit<FlipOptions, "kernels"> {
  /** Seed of the random phases; trial n draws from the stream (seed, n). Default 1. */
  readonly seed?: number | undefined;
  /** Most trials. Default 12; the first convincing one ends the search. */
  readonly trials?: number | undefined;
  /** Formula units in the cell of the space group; found from volume and multiplicities otherwise. */
  readonly z?: number | undefined;
  /** Only this space-group number. */
  readonly spaceGroup?: number | undefined;
  /** Exponent on the normalised intensities, 0.5 … 1: below 1 undoes some of the levelling of dynamical data. Default: 1 in most trials, 0.75 in some. */
  readonly power?: number | undefined;
  /** What is flipped: |E|, or |F| at rest. Default: mostly E. */
  readonly amplitudes?: "e" | "f" | undefined;
  /** Least ⟨cos Δφ⟩ that an operation needs. Default 0.5. */
  readonly minScore?: number | undefined;
  readonly factors?: FormFactorSource | undefined;
}
/** One trial in figures. */
export interface TrialFigures {
  readonly trial: number;
  readonly amplitudes: "e" | "f";
  readonly power: number;
  readonly kEd: number;
  readonly cycles: number;
  readonly convergedAt: number;
  readonly flipR: number;
  readonly skewness: number;
  readonly group: string;
  /** Operations of the group, lattice translations aside. */
  readonly order: number;
  readonly weakest: number;
  readonly r1: number;
}
/** A solved structure and what speaks for it. */
export interface Solution {
  /** solved: nothing in {@link doubtsOf}, and no trial in another group fits much better. doubtful: R1 ≤ 0.5. failed: neither; the best trial is returned all the same. */
  readonly status: "solved" | "doubtful" | "failed";
  readonly structure: Structure;
  /** Map of the best trial on the primitive axes, with the group's origin. */
  readonly map: DensityMap;
  /** (a b c)structure = (a b c)map · basis. */
  readonly basis: Mat3;
  /** (a b c)structure = (a b c)input · axes: indices of the input become h · axes (rows times matrix). Identity when the axes are those of the input. */
  readonly axes: Mat3;
  readonly group: GroupCandidate;
  /** Other groups that reached the threshold, best first. */
  readonly otherGroups: readonly GroupCandidate[];
  readonly operators: readonly OperatorScore[];
  readonly r1: number;
  readonly observed: number;
  readonly z: number;
  readonly connectivity: Connectivity;
  /** Height of every atom's peak over what its element should have, in the order of the atoms. */
  readonly heightRatios: readonly number[];
  readonly normalised: Pick<Normalised, "b" | "scale" | "e2Minus1" | "shells">;
  readonly completeness: number;
  readonly dMin: number;
  readonly trials: readonly TrialFigures[];
  readonly seed: number;
  readonly warnings: readonly string[];
}

/** Ways to flip, tried in turn. */
const schedule: readonly { amplitudes: "e" | "f"; power: number; kEd: number }[] = [
  { amplitudes: "e", power: 1, kEd: 1.1 },
  { amplitudes: "e", power: 1, kEd: 1 },
  { amplitudes: "f", power: 1, kEd: 1.1 },
  { amplitudes: "e", power: 0.75, kEd: 1.1 },
  { amplitudes: "e", power: 1, kEd: 1.2 },
  { amplitudes: "f", power: 0.75, kEd: 1.05 },
];
/**
 * Structure from intensities, unattended: lattice centring, Laue group, Wilson scaling, charge flipping in P1, space group and origin from the phases, symmetrised
 * map, peaks, elements, a short least squares; repeated with other random phases and settings until a model convinces (R1 ≤ 0.30, no atoms in each other) or the trials are spent.
 * The hand of a chiral structure is left as it fell: kinematical intensities do not know it.
 * @param composition - formula, as text or as counts, without regard to Z
 * @throws not-found without reflections; bad-value for a missing or unreadable composition, or intensities that are nearly all negative; bad-cell when
 *   the cell contradicts the list or the composition
 */
export function* solveStructureSteps(
  reflections: ReflectionList,
  cell: UnitCell,
  composition: Composition | string,
  options: SolveOptions = {},
): Steps<Solution> {
  const { seed = 1, trials = 12, factors = lobato, minScore } = options;
  const wanted = typeof composition === "string" ? parseComposition(composition) : composition;
  if (!wanted || wanted.size === 0)
    fail("bad-value", { composition: String(composition) }, 'a composition is needed, e.g. "Na2 Al2 Si3 O12 H4"');
  const readings = readingsOf(reflections, cell, wanted, factors, options);
  const figures: TrialFigures[] = [];
  let best: (TrialResult & { readonly merit: number }) | undefined;
  // Twice as many where merging speaks for the lower class.
  const [top, bottom] = [readings[0]!, readings.at(-1)!].map((r) => r.data.laue.figures.rInt);
  const least = readings.length * (top! > 1.5 * bottom! ? 2 : 1);
  let settled = false;
  for (let trial = 0; trial < trials; trial++) {
    const reading = readings[trial % readings.length]!,
      { data } = reading;
    const plan = schedule[Math.floor(trial / readings.length) % schedule.length]!;
    const way = { amplitudes: options.amplitudes ?? plan.amplitudes, power: options.power ?? plan.power, kEd: options.kEd ?? plan.kEd };
    const { z, spaceGroup } = options;
    const steps = trialSteps(reading, { seed, trial, way, flip: options, wanted, factors, z, spaceGroup, minScore });
    const result = yield* withProgress(steps, trial, trials, 1, `trial ${trial + 1}: `);
    const { candidate, model, flip } = result;
    figures.push({
      trial,
      ...way,
      cycles: flip.cycles.length,
      convergedAt: flip.convergedAt,
      flipR: flip.r,
      skewness: flip.skewness,
      group: candidate.group.hm,
      order: candidate.group.primitiveOrder,
      weakest: candidate.weakest,
      r1: model.fit.r1,
    });
    // A group below the Laue class of the data wants better evidence: its model has more parameters, and merging says the class is there.
    const full = laueOrder(candidate) === data.laue.order || spaceGroup !== undefined;
    const lower = data.laue.order < readings[0]!.data.laue.order;
    const merit = meritOf(result, limitFor(data, 0.35)) + (full ? 0 : 0.1) + (lower ? 0.02 + 0.1 * model.fit.r1 : 0);
    if (!best || merit < best.merit) best = { ...result, merit };
    // Two trials that end in the same model need no third.
    const again = figures.filter((f) => f.group === candidate.group.hm && Math.abs(f.r1 - model.fit.r1) < 0.01).length > 1;
    settled ||= doubtsOf(result, limitFor(data, again ? 0.35 : 0.3)).length === 0 && (full || again);
    // Where the Laue class is open, every reading of it has its trials: R tells them apart, the merging did not.
    if (settled && (trial + 1 >= least || best.merit < 0.04)) break;
  }
  if (!best) return fail("out-of-range", { trials }, "at least one trial is needed");
  const more = options.spaceGroup === undefined ? higherSymmetrySteps(readings, best, wanted, factors, options.z) : undefined;
  const higher = more && (yield* withProgress(more, figures.length, figures.length, 0, "symmetry of the model: "));
  if (higher) best = { ...best, ...higher, good: [best.candidate, ...best.good] };
  const { data, norm, model, candidate } = best;
  const sane = connectivity(model.fit.structure);
  const { r1, observed } = model.fit;
  const rival =
    options.spaceGroup === undefined
      ? rivalTrial(figures, { group: candidate.group.hm, order: candidate.group.primitiveOrder, r1 })
      : undefined;
  const doubts = [...doubtsOf(best, limitFor(data, 0.35)), ...(rival ? [rival] : [])];
  const status = doubts.length === 0 ? "solved" : r1 <= 0.5 ? "doubtful" : "failed";
  const warnings = [...data.warnings, ...doubts];
  if (sane.isolated.length > 0) warnings.push(`atoms without a neighbour at bonding distance: ${sane.isolated.slice(0, 10).join(", ")}`);
  if (!doubts.some((d) => d.includes("missing")))
    for (const [e, n] of model.assignment.missing) warnings.push(`${Number(n.toFixed(2))} ${e} of the cell found no peak`);
  if (model.assignment.left.length > 0)
    warnings.push(`${model.assignment.left.length} high peaks found no element: the composition or Z may be too small`);
  if ([...wanted.keys()].includes("H") && wanted.size > 1) warnings.push("hydrogen is not placed");
  if (!candidate.group.centrosymmetric) warnings.push("the hand is arbitrary: kinematical intensities do not determine it");
  const value: Solution = {
    status,
    structure: assembled(model.fit.structure),
    map: model.map,
    basis: candidate.basis,
    axes: onWholeNumbers(multiply3(inverse(data.inputBasis as Map3) as Mat3, candidate.basis)),
    group: candidate,
    otherGroups: best.good.filter((c) => c !== candidate),
    operators: best.scores,
    r1,
    observed,
    z: model.content.z,
    connectivity: sane,
    heightRatios: model.assignment.atoms.map((a) => a.heightRatio),
    normalised: norm,
    completeness: data.completeness,
    dMin: data.dMin,
    trials: figures,
    seed,
    warnings,
  };
  return printable(value, (s) => `Solution(${s.status}, ${s.structure.spaceGroup.hm}, ${formula(s.structure)}, R1 ${s.r1.toFixed(3)})`);
}

/**
 * The data merged in the highest Laue group that may be true, and, where those are others, in the highest ones that are likely and beyond doubt: merging in too high a group
 * spoils the intensities, in too low a one hides symmetry. The trials take them in turn.
 */
function readingsOf(
  reflections: ReflectionList,
  cell: UnitCell,
  wanted: Composition,
  factors: FormFactorSource,
  options: SolveOptions,
): { readonly data: PhasingData; readonly norm: Normalised }[] {
  const first = preparePhasing(reflections, cell, options);
  const stricter =
    options.laue || options.laueRatio ? [] : [0.7, 0.93].map((laueRatio) => preparePhasing(reflections, cell, { ...options, laueRatio }));
  const all = [first, ...stricter].filter((d, i, list) => i === list.findIndex((x) => x.rotations.length === d.rotations.length));
  const onInput = first.rotations.map((w) => onPrimitiveAxes(w, inverse(first.inputBasis as Map3) as Mat3));
  if (options.centring === undefined && centringIsOpen(reflections, first.centring, onInput))
    all.push(preparePhasing(reflections, cell, { ...options, centring: "P" }));
  return all.map((data) => ({ data, norm: normalise(data, cellContent(wanted, data.cell.volume).content, factors) }));
}

/** Entries of changes of basis are whole numbers or simple fractions: rounding is taken off them. */
const onWholeNumbers = (m: Mat3): Mat3 => m.map((x) => Math.round(x * 72) / 72 + 0) as unknown as Mat3;
/** {@link solveStructureSteps} with progress, abort and returns to the event loop. */
export function solveStructure(
  reflections: ReflectionList,
  cell: UnitCell,
  composition: Composition | string,
  { signal, onProgress, sliceMs, ...options }: SolveOptions & RunOptions = {},
): Promise<Solution> {
  return runAsync(solveStructureSteps(reflections, cell, composition, options), { signal, onProgress, sliceMs });
}
