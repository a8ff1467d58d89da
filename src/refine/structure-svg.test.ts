import { expect, test } from "vitest";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { ellipsoidRadius, projectedEllipse, structureSvg } from "./structure-svg.js";

const quartz = structure(unitCell(4.9137, 4.9137, 5.4047, 90, 90, 120), spaceGroup("P 32 2 1"), [
  atom({ label: "Si1", element: "Si", xyz: [0.4697, 0, 2 / 3], uAniso: [0.008, 0.007, 0.006, 0.0035, 0, 0] }),
  atom({ label: "O1", element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.015, occupancy: 0.9 }),
]);

test("half of a normal distribution lies within 1.5382 σ (ORTEP)", () => {
  expect(ellipsoidRadius(0.5)).toBeCloseTo(1.5382, 4);
  expect(() => ellipsoidRadius(1.2)).toThrow(/between 0 and 1/);
});

test("the outline of an ellipsoid: half axes and direction of the projected tensor", () => {
  const plane = { right: [1, 0, 0], up: [0, 1, 0] } as const;
  const e = projectedEllipse([0.04, 0, 0, 0, 0.01, 0, 0, 0, 0.09], plane);
  expect([e.major, e.minor, e.angle]).toEqual([expect.closeTo(0.2, 12), expect.closeTo(0.1, 12), expect.closeTo(0, 12)]);
  const turned = projectedEllipse([0.025, 0.015, 0, 0.015, 0.025, 0, 0, 0, 1], plane);
  expect([turned.major, turned.minor, turned.angle]).toEqual([
    expect.closeTo(0.2, 12),
    expect.closeTo(0.1, 12),
    expect.closeTo(Math.PI / 4, 12),
  ]);
});

test("quartz: every atom of the cell, ellipsoids and balls, sticks, cell, labels; no NaN, the same twice", () => {
  const svg = structureSvg(quartz);
  expect(svg.startsWith("<svg")).toBe(true);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(svg.match(/<ellipse/g)!.length).toBeGreaterThanOrEqual(3);
  expect(svg.match(/<line/g)!.length).toBeGreaterThan(12 + 12);
  expect(svg).toContain(">Si1<");
  expect(structureSvg(quartz)).toBe(svg);
  expect(structureSvg(quartz, { probability: "balls", view: [0, 0, 1] })).not.toContain("<ellipse");
  // flawed tensors are dashed, not hidden
  const flawed = structure(quartz.cell, quartz.spaceGroup, [{ ...quartz.atoms[0]!, uAniso: [-0.01, 0.01, 0.01, 0, 0, 0] }]);
  expect(structureSvg(flawed)).toContain("stroke-dasharray");
  expect(() => structureSvg(structure(quartz.cell, quartz.spaceGroup, []))).toThrow(/needs atoms/);
});
