import { expect, test } from "vitest";
import { cellParameters, unitCell } from "./cell.js";
import { ubMatrix } from "./orientation.js";
import { petsCellProblem } from "./pets-cell.js";

test("the cell of a .cif_pets file against its orientation matrix", () => {
  const cell = unitCell(5.4, 6.37, 5.007, 90, 103, 90),
    ub = ubMatrix([0, 0, 1, 1, 0, 0, 0, 1, 0] as never, cell);
  const stated = (...change: readonly number[]) => cellParameters(cell).map((x, i) => x * (change[i] ?? 1));
  expect(petsCellProblem(stated(), ub)).toBeUndefined();
  expect(petsCellProblem(stated(1, 1.005), ub)).toBeUndefined();
  expect(petsCellProblem(stated(1, 1.02), ub)).toMatch(/differ by 2\.0 %/);
  expect(petsCellProblem(stated(1, 1, 1, 1, 1.02), ub)).toMatch(/differ by 3\.6 %/);
  expect(petsCellProblem(stated(10), undefined)).toBeUndefined();
  expect(() => petsCellProblem(stated(0), ub)).toThrow(/bad-cell/);
});
