import { expect, test } from "vitest";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { measuredRows } from "./kinematic-rows.js";
import { startingStructure } from "./kinematic-run.js";

const data = (...rows: readonly (readonly [number, number, number, number, number])[]) => ({
  hkl: Int32Array.from(rows.flatMap((r) => r.slice(0, 3))),
  intensity: Float64Array.from(rows, (r) => r[3]),
  sigma: Float64Array.from(rows, (r) => r[4]),
});

test("the same measurement twice counts once, absurd numbers not at all, and both are said", () => {
  const notes: string[] = [];
  const kept = measuredRows(
    data([1, 0, 0, 9, 1], [1, 0, 0, 9, 1], [1, 0, 0, 9.5, 1], [0, 1, 0, 1e308, 1], [0, 1, 0, 0, 2], [0, 1, 0, 0, 2], [0, 0, 2, 4, 0]),
    notes,
  );
  expect([...kept.intensity]).toEqual([9, 9.5, 0, 0, 4]);
  expect([...kept.hkl.subarray(0, 9)]).toEqual([1, 0, 0, 1, 0, 0, 0, 1, 0]);
  expect(notes).toEqual([
    "1 reflections have intensities or sigmas beyond 1e+30 and are left out",
    "1 rows repeat another one in indices, intensity and sigma and are left out",
  ]);
  const clean = data([1, 0, 0, 9, 1], [0, 1, 0, -1, 1]);
  expect(measuredRows(clean, notes)).toBe(clean);
});
test("nothing measured, and nothing that scatters, are refused by name", () => {
  expect(() => measuredRows(data([1, 0, 0, 0, 1], [0, 1, 0, -4, 1]), [])).toThrow(/bad-value.*no intensity is above zero/);
  const empty = structure(unitCell(4, 5, 6), spaceGroup("P 1"), [atom({ element: "O", xyz: [0, 0, 0], occupancy: 0 })]);
  expect(() => startingStructure(empty, {}, [])).toThrow(/bad-value.*occupancy 0/);
});
