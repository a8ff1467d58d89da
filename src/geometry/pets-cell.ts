import type { Map3 } from "../core/frames.js";
import { cellDifference, cellParameters, unitCell } from "./cell.js";
import { cellFromUB } from "./metric.js";

/**
 * What speaks against the cell that a `.cif_pets` file states, by its own orientation matrix; undefined when nothing does. Kinematical programs
 * take the cell, dynamical ones the matrix. @throws bad-cell for a cell that cannot be, or a singular matrix
 */
export function petsCellProblem(stated: readonly number[], ub: readonly number[] | undefined): string | undefined {
  const cell = unitCell(...(stated as [number, number, number, number, number, number]));
  if (!ub) return undefined;
  const own = cellFromUB(ub as unknown as Map3),
    off = cellDifference(own, cell);
  const text = cellParameters(own)
    .map((v) => +v.toFixed(4))
    .join(" ");
  return off > 0.01
    ? `the stated cell (${stated.join(" ")}) and that of the orientation matrix (${text}) differ by ${(100 * off).toFixed(1)} %: one of them is wrong`
    : undefined;
}
