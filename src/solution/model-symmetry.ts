import type { Steps } from "../core/job.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { buildModelSteps, candidateCell, contentsOf, modelMerit } from "./build-model.js";
import { type Completed, completeModelSteps } from "./complete.js";
import { symmetricPhases } from "./density.js";
import type { Composition } from "./formula.js";
import { type GroupCandidate, groupCandidates } from "./group-search.js";
import { allowance } from "./judge.js";
import type { Normalised } from "./normalise.js";
import { operatorScores, phasedSet } from "./operators.js";
import { groupIndices, type PhasingData } from "./prepare.js";

/** Data merged in one Laue class, scaled. */
export interface Reading {
  readonly data: PhasingData;
  readonly norm: Normalised;
}
/** A model of a reading in a group. */
export interface Solved extends Reading, Completed {
  readonly candidate: GroupCandidate;
}

/**
 * Symmetry that a model has and its group leaves out: phases of charge flipping obey an operation badly that those of the refined model obey well. Groups of higher order
 * whose operations all reach ⟨cos Δφ⟩ = 0.8 with the calculated phases are built, from the readings of the data in the highest Laue class on; the first that describes
 * the data as well (R within {@link allowance} and 0.01) is taken.
 * @returns the group and its model, or undefined when the model has no more symmetry
 */
export function* higherSymmetrySteps(
  readings: readonly Reading[],
  found: Solved,
  formula: Composition,
  factors: FormFactorSource,
  z?: number,
): Steps<Solved | undefined> {
  const order = ({ group }: GroupCandidate): number => group.primitiveOrder;
  for (const { data, norm } of readings.filter((r) => r.data.laue.order >= found.data.laue.order)) {
    const set = phasedSet(data, norm.sharpened, phasesOf(found, data, factors));
    const higher = groupCandidates(set, operatorScores(set), { minScore: 0.8 }).filter(
      (c) => order(c) > order(found.candidate) && c.weakest >= 0.8 && contentsOf(formula, candidateCell(data, c), c.group, z).length > 0,
    );
    for (const candidate of higher.slice(0, 3)) {
      const model = yield* buildModelSteps(data, norm, symmetricPhases(set, candidate).phase, candidate, formula, factors, { z });
      const limit = allowance(order(candidate), order(found.candidate)) * modelMerit(found.model);
      if (modelMerit(model) > limit + 0.02) continue;
      const done = yield* completeModelSteps(data, model, candidate, factors);
      if (modelMerit(done.model) < limit + 0.01) return { data, norm, candidate, ...done };
    }
  }
  return undefined;
}

/** Phases of the model for the rows of a reading: all readings stand on the same primitive axes. */
function phasesOf({ candidate, model }: Solved, data: PhasingData, factors: FormFactorSource): Float64Array {
  const f = structureFactors(model.fit.structure, groupIndices(data, candidate.basis), factors);
  return Float64Array.from({ length: data.size }, (_, i) => Math.atan2(f[2 * i + 1]!, f[2 * i]!));
}
