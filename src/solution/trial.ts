import type { Steps } from "../core/job.js";
import { rng } from "../core/rng.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { type BuiltModel, buildModelSteps, candidateCell, contentsOf, modelMerit } from "./build-model.js";
import { type FlipOptions, type FlipResult, flipper } from "./charge-flipping.js";
import { type Completed, completeModelSteps } from "./complete.js";
import { symmetricPhases } from "./density.js";
import type { Composition } from "./formula.js";
import { type GroupCandidate, groupCandidates, trivialGroup } from "./group-search.js";
import { doubtsOf } from "./judge.js";
import type { Reading } from "./model-symmetry.js";
import { type OperatorScore, operatorScores, phasedSet } from "./operators.js";
import type { PhasingData } from "./prepare.js";

/** One way to flip. */
export interface FlipWay {
  readonly amplitudes: "e" | "f";
  readonly power: number;
  readonly kEd: number;
}
export interface TrialTask {
  readonly seed: number;
  readonly trial: number;
  readonly way: FlipWay;
  readonly flip: FlipOptions;
  readonly wanted: Composition;
  readonly factors: FormFactorSource;
  readonly z?: number | undefined;
  readonly spaceGroup?: number | undefined;
  readonly minScore?: number | undefined;
}
/** What a trial ends with: the best model of its phases. */
export interface TrialResult extends Reading, Completed {
  readonly flip: FlipResult;
  readonly candidate: GroupCandidate;
  /** Groups that the phases obey. */
  readonly good: readonly GroupCandidate[];
  readonly scores: readonly OperatorScore[];
}

export const laueOrder = (c: GroupCandidate): number => c.group.primitiveOrder * (c.group.centrosymmetric ? 1 : 2);
/** R1 that convinces: intensities that merge well owe a low one. Lists merged before, and dynamical ones, keep the limit. */
export const limitFor = ({ laue }: PhasingData, limit: number): number =>
  laue.figures.merged > 100 ? Math.min(limit, 0.14 + laue.figures.rInt) : limit;

/** Phases from one set of random ones, space group, model; other groups where the first leaves doubts. */
export function* trialSteps({ data, norm }: Reading, task: TrialTask): Steps<TrialResult> {
  const { wanted, factors, z, minScore = 0.5 } = task;
  const flip = yield* withProgress(flipSteps({ data, norm }, task), 0, 1, 0.7);
  const set = phasedSet(data, norm.sharpened, flip.phase);
  const scores = operatorScores(set);
  yield { done: 0.7, total: 1, note: "space group" };
  // A group whose sites the composition cannot fill is no candidate.
  const holds = (c: GroupCandidate): boolean => contentsOf(wanted, candidateCell(data, c), c.group, z).length > 0;
  const candidates = (least: number | undefined, number?: number) =>
    groupCandidates(set, scores, { minScore: least, number }).filter(holds);
  const good = candidates(task.minScore, task.spaceGroup).filter((c) => c.weakest >= minScore || c.group.number === task.spaceGroup);
  let at = 0.8; // progress: every further model takes half of what is left
  const half = function* <T>(steps: Steps<T>): Steps<T> {
    const share = (1 - at) / 2;
    const value = yield* withProgress(steps, at, 1, share);
    at += share;
    return value;
  };
  const build = (c: GroupCandidate): Steps<BuiltModel> =>
    half(buildModelSteps(data, norm, symmetricPhases(set, c).phase, c, wanted, factors, { z }));
  const complete = (m: BuiltModel, c: GroupCandidate): Steps<Completed> => half(completeModelSteps(data, m, c, factors));

  let candidate = good[0] ?? trivialGroup(set);
  let model = yield* build(candidate);
  // Dynamical phases obey their symmetry badly: where the Laue class asks for more, the group nearest to it may win by its model.
  if (laueOrder(candidate) < data.laue.order && task.spaceGroup === undefined) {
    const higher = candidates(0.3).filter((c) => laueOrder(c) === data.laue.order && c.weakest >= 0.3);
    let allowance = 0.05;
    for (const c of higher.slice(0, 3)) {
      const other = yield* build(c);
      if (modelMerit(other) < modelMerit(model) + allowance) [candidate, model, allowance] = [c, other, 0];
    }
  }
  // A heavy atom lends its phases a centre of symmetry that the light ones do not have: the group without it, where R falls by a third.
  if (candidate.group.centrosymmetric && model.fit.r1 > 0.06 && task.spaceGroup === undefined)
    for (const polar of good.filter((c) => !c.group.centrosymmetric && laueOrder(c) === laueOrder(candidate)).slice(0, 3)) {
      const other = yield* build(polar);
      if (modelMerit(other) < 0.67 * modelMerit(model)) [candidate, model] = [polar, other];
    }
  // Only what may be right is worth completing.
  if (model.fit.r1 > 0.5) return { data, norm, flip, candidate, good, scores, model, evidence: [] };
  let best = yield* complete(model, candidate);
  // A model that leaves doubts: other groups of the class, completed.
  const limit = limitFor(data, 0.3);
  if (task.spaceGroup === undefined)
    for (const c of good.filter((g) => g !== candidate && laueOrder(g) === laueOrder(candidate)).slice(0, 4)) {
      if (doubtsOf(best, limit).length === 0) break;
      const other = yield* complete(yield* build(c), c);
      if (meritOf(other, limit) < meritOf(best, limit)) [best, candidate] = [other, c];
    }
  return { data, norm, flip, candidate, good, scores, ...best };
}
/** R1 with prices on atoms missing, peaks left over and every doubt. */
export const meritOf = (c: Completed, limit: number): number => modelMerit(c.model) + 0.02 * doubtsOf(c, limit).length;

function* flipSteps({ data, norm }: Reading, { way, flip, seed, trial }: TrialTask): Steps<FlipResult> {
  const source = way.amplitudes === "e" ? norm.e : norm.sharpened;
  const amplitude = way.power === 1 ? source : source.map((a) => a ** way.power);
  const engine = flipper(data, amplitude, flip);
  try {
    return yield* engine.trial(rng(seed).fork(trial), { kEd: way.kEd });
  } finally {
    engine.free();
  }
}

/** Steps as a share of larger ones, their notes behind a prefix. */
export function* withProgress<T>(steps: Steps<T>, from: number, total: number, share: number, prefix = ""): Steps<T> {
  try {
    for (;;) {
      const r = steps.next();
      if (r.done) return r.value;
      yield { done: from + share * Math.min(1, r.value.done / r.value.total), total, note: prefix + r.value.note };
    }
  } finally {
    steps.return(undefined as T);
  }
}
