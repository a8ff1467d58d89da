import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import type { Fractional, Mat3 } from "./metric.js";
import { multiply3 } from "./metric.js";
import { groupKey, spaceGroupByHallNumber, spaceGroupByNumber } from "./space-groups.js";
import { identifySpaceGroup, primitiveAxes, transformOps } from "./space-groups-identify.js";
import { parseOp } from "./symop.js";

const shear: Mat3 = [1, 1, 0, 0, 1, 0, 0, -1, 1];

test("all 230 types are found again on a primitive or sheared cell with a moved origin", () => {
  const g = rng("origins");
  const wrong: string[] = [];
  for (let n = 1; n <= 230; n++) {
    const group = spaceGroupByNumber(n);
    // Cubic and hexagonal groups on their primitive axes, the others on a sheared primitive cell as well.
    const p = n < 75 ? multiply3(primitiveAxes(group.centring), shear) : primitiveAxes(group.centring);
    // Steps that stay on the 1/24 grid of the conventional axes.
    const n0 = group.centring === "R" ? 8 : 12;
    const v: Fractional = [g.integer(n0) / n0, g.integer(n0) / n0, g.integer(n0) / n0];
    const moved = transformOps(group.ops, p, v)!;
    const found = identifySpaceGroup(moved);
    if (found?.group.number !== n) {
      wrong.push(`${n} → ${found?.group.number}`);
      continue;
    }
    // The change of basis does what it says.
    expect(groupKey(transformOps(moved, found.basis, found.shift)!)).toBe(groupKey(found.group.ops));
  }
  expect(wrong).toEqual([]);
});

test("axes permuted and origin moved in the same cell", () => {
  for (const hallNumber of [9, 61, 112, 116, 227, 290, 334, 353, 418, 447, 500, 525]) {
    const group = spaceGroupByHallNumber(hallNumber);
    const moved = transformOps(group.ops, [0, 0, 1, 1, 0, 0, 0, 1, 0], [1 / 8, 1 / 24, 1 / 3])!;
    expect(identifySpaceGroup(moved)?.group.number).toBe(group.number);
  }
});

test("a tabulated setting is exact; an incomplete list gives undefined or another group, never the wrong cell", () => {
  expect(identifySpaceGroup(["x,y,z", "-x,y+1/2,-z"].map(parseOp))).toMatchObject({ exact: true, group: { number: 4 } });
  expect(identifySpaceGroup(["x,y,z", "-x+1/4,y+1/2,-z+1/4"].map(parseOp))).toMatchObject({ exact: false, group: { number: 4 } });
});
