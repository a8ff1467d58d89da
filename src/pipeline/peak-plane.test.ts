import { expect, test } from "vitest";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { peakPlane } from "./peak-plane.js";

const salt = structure(unitCell(5.64, 5.64, 5.64), spaceGroup("F m -3 m"), [
  atom({ label: "Na", element: "Na", xyz: [0, 0, 0], uIso: 0.01 }),
  atom({ label: "Cl", element: "Cl", xyz: [0.5, 0.5, 0.5], uIso: 0.01 }),
]);
const peak = (xyz: readonly [number, number, number], height: number) => ({ xyz, height, overSigma: 5, nearest: "", distance: Number.NaN });

test("the plane holds the highest peak and its two nearest atoms, across the border of the cell", () => {
  const found = peakPlane(salt, [peak([0.5, 0.1, 0.2], 1), peak([0.98, 0.02, 0.1], 2), peak([0.3, 0.3, 0.3], -9)])!;
  expect(found.peak.height).toBe(2);
  expect(found.points[0]).toEqual([0.98, 0.02, 0.1]);
  expect(found.points[1].map((x) => Math.round(1e9 * x) / 1e9 + 0)).toEqual([1, 0, 0]);
  expect(found.labels).toEqual(["Na", "Cl"]);
  expect(found.points[2].map((x) => Math.round(1e9 * x) / 1e9 + 0)).toEqual([1, 0, 0.5]);
});

test("an atom on the peak or on one line with it gives no plane; without a positive peak there is none", () => {
  const on = peakPlane(salt, [peak([0, 0, 0], 1)])!;
  expect(on.labels).toEqual(["Cl", "Cl"]);
  expect(peakPlane(salt, [peak([0.1, 0.1, 0.1], -1)])).toBeUndefined();
  expect(peakPlane(salt, [])).toBeUndefined();
});
