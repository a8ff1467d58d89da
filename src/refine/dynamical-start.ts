import { fail } from "../core/errors.js";
import { cellFromUB } from "../geometry/metric.js";
import type { Structure } from "../geometry/structure.js";
import type { DynamicalData } from "./dynamical-types.js";
import { checkOccupied, spaceGroupProblems, withCellOfData } from "./kinematic-checks.js";

/**
 * What speaks against the input, as warnings, and the structure with the cell of the data where the two differ by more than 1 %.
 * @throws bad-value without frames, or for empty sites alone; bad-cell when the cells differ by more than 6 % or hands differ
 */
export function prepareDynamical(given: Structure, list: readonly Pick<DynamicalData, "name" | "frames">[], warnings: string[]): Structure {
  if (list.length === 0 || list.every((d) => d.frames.length === 0))
    fail("bad-value", { sets: list.length }, "there are no frames to refine against");
  checkOccupied(given);
  let structure = given;
  list.forEach((d, i) => {
    const title = d.name ?? (list.length > 1 ? `set ${i + 1}` : "the data");
    const frame = d.frames.find((f) => f.problem === undefined && f.ub.every(Number.isFinite));
    if (!frame) return;
    structure = withCellOfData(structure, cellFromUB(frame.ub), title, warnings, 0.01);
    const rows = d.frames.filter((f) => f.problem === undefined);
    const data = {
      hkl: Int32Array.from(rows.flatMap((f) => [...f.hkl])),
      intensity: Float64Array.from(rows.flatMap((f) => [...f.intensity])),
      sigma: Float64Array.from(rows.flatMap((f) => [...f.sigma])),
    };
    warnings.push(...spaceGroupProblems(structure.cell, structure.spaceGroup, data));
  });
  return structure;
}
