import { isotropicAdp, isPositiveAdp } from "../geometry/adp.js";
import { type Structure, structure } from "../geometry/structure.js";
import { refineDynamical } from "../refine/dynamical.js";
import type { DynamicalData, DynamicalOptions, DynamicalResult, DynamicalStage } from "../refine/dynamical-types.js";
import { structureModel } from "../refine/model.js";

/** Whether displacements became tensors, and why or why not. */
export interface AnisotropicChoice {
  readonly anisotropic: boolean;
  readonly reason: string;
  /** Free parameters of the structure with tensors, and unique observed reflections. */
  readonly parameters: number;
  readonly reflections: number;
}

/** Fewest unique observed reflections for each parameter: what checkCIF asks for (PLAT088). */
const RATIO = 8;
/** χ² that each further parameter must take, in units of the reduced χ²: 1 is chance; model errors are not noise, hence more than tables of F have. */
const WORTH = 4;

const stages: readonly DynamicalStage[] = [
  { name: "anisotropic", thickness: true, orientations: true, structure: true, gradient: "exact", maxCycles: 3 },
];

/** Every atom but hydrogen with a tensor, at first that of its U. */
export function withTensors(s: Structure): Structure {
  return structure(
    s.cell,
    s.spaceGroup,
    s.atoms.map((a) => (a.element === "H" || a.uAniso ? a : { ...a, uAniso: isotropicAdp(s.cell, a.uIso), su: undefined })),
    s.cellSu,
  );
}

/**
 * Displacement tensors for a structure that is refined with isotropic ones, where the data allow it: eight unique observed reflections a parameter,
 * a fit that is better by more than chance (Hamilton) than that of the same stage without tensors, and tensors that are ellipsoids. Otherwise the given result is kept and the reason named.
 */
export async function refineAnisotropic(
  given: DynamicalResult,
  data: DynamicalData,
  options: Pick<DynamicalOptions, "workers" | "signal" | "onProgress" | "on"> = {},
): Promise<{ readonly result: DynamicalResult; readonly choice: AnisotropicChoice }> {
  const start = withTensors(given.structure),
    before = structureModel(given.structure).names.length,
    parameters = structureModel(start).names.length,
    reflections = given.merged.nObs;
  const keep = (reason: string) => ({ result: given, choice: { anisotropic: false, reason, parameters, reflections } });
  const fixed = (x: number): string => x.toFixed(1);
  if (parameters === before) return keep("no displacement is left to free");
  if (reflections < RATIO * parameters)
    return keep(`${reflections} unique observed reflections for ${parameters} parameters: fewer than ${RATIO} each`);
  const result = await refineDynamical(start, data, { ...options, stages });
  const bad = result.structure.atoms.filter((a) => a.uAniso && !isPositiveAdp(result.structure.cell, a.uAniso)).map((a) => a.label);
  if (bad.length > 0) return keep(`the tensors of ${bad.join(", ")} became no ellipsoids`);
  const chi2 = (r: DynamicalResult): number => r.residuals.gofAll ** 2 * (r.residuals.nAll - r.refinedParameters);
  const over = (plain: DynamicalResult): number => (chi2(plain) - chi2(result)) / (parameters - before) / result.residuals.gofAll ** 2;
  let worth = over(given);
  // Turns of frames and the thickness went on as well: what they took is not the tensors'.
  if (worth > WORTH) worth = Math.min(worth, over(await refineDynamical(given.structure, data, { ...options, stages })));
  if (!(worth > WORTH))
    return keep(`each further parameter takes ${fixed(worth)} of the reduced χ², fewer than ${WORTH}: the data do not ask for tensors`);
  return {
    result,
    choice: {
      anisotropic: true,
      reason: `${fixed(reflections / parameters)} unique observed reflections a parameter; each further one takes ${fixed(worth)} of the reduced χ²`,
      parameters,
      reflections,
    },
  };
}
