import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import { type UnitCell, unitCell } from "../geometry/cell.js";
import type { Structure } from "../geometry/structure.js";
import type { DynamicalData } from "./dynamical-types.js";
import { spaceGroupProblems, withCellOfData } from "./kinematic-checks.js";

/** The cell that an orientation matrix implies. @throws bad-cell for a singular one */
export function cellOfOrientation(ub: Map3<"lab", "hkl">): UnitCell {
  const column = (i: number): readonly [number, number, number] => [ub[i as 0], ub[(3 + i) as 0], ub[(6 + i) as 0]];
  const dot = (a: readonly number[], b: readonly number[]): number => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
  const cross = (a: readonly number[], b: readonly number[]): number[] => [
    a[1]! * b[2]! - a[2]! * b[1]!,
    a[2]! * b[0]! - a[0]! * b[2]!,
    a[0]! * b[1]! - a[1]! * b[0]!,
  ];
  const [a, b, c] = [column(0), column(1), column(2)];
  const v = dot(a, cross(b, c));
  if (!(Math.abs(v) > 0) || !Number.isFinite(v)) fail("bad-cell", { ub }, "the orientation matrix is singular or not finite");
  const direct = [cross(b, c), cross(c, a), cross(a, b)].map((x) => x.map((y) => y / v));
  const length = direct.map((x) => Math.sqrt(dot(x, x)));
  const angle = (i: number, j: number): number =>
    (Math.acos(Math.max(-1, Math.min(1, dot(direct[i]!, direct[j]!) / (length[i]! * length[j]!)))) * 180) / Math.PI;
  return unitCell(length[0]!, length[1]!, length[2]!, angle(1, 2), angle(0, 2), angle(0, 1));
}

/**
 * What speaks against the input, as warnings, and the structure with the cell of the data where the two differ by more than 1 %.
 * @throws bad-value without frames; bad-cell when the cells differ by more than 6 % or hands differ
 */
export function prepareDynamical(given: Structure, list: readonly Pick<DynamicalData, "name" | "frames">[], warnings: string[]): Structure {
  if (list.length === 0 || list.every((d) => d.frames.length === 0))
    fail("bad-value", { sets: list.length }, "there are no frames to refine against");
  let structure = given;
  list.forEach((d, i) => {
    const title = d.name ?? (list.length > 1 ? `set ${i + 1}` : "the data");
    const frame = d.frames.find((f) => f.problem === undefined && f.ub.every(Number.isFinite));
    if (!frame) return;
    structure = withCellOfData(structure, cellOfOrientation(frame.ub), title, warnings, 0.01);
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
