import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { apply, compose, determinant, type Map3, norm, transpose } from "../core/frames.js";
import { fc, prop } from "../testing/prop.js";
import { cellParameters, unitCell } from "./cell.js";
import {
  angleDeg,
  cartesianToFractional,
  cellFromMetric,
  cellFromUB,
  directBasis,
  directionNormalAngleDeg,
  dSpacing,
  fractionalToCartesian,
  metricTensor,
  multiply3,
  reciprocalBasis,
  reciprocalCell,
  transformCell,
  transformFractional,
  transformHkl,
  transformUB,
} from "./metric.js";

const length = fc.double({ min: 2, max: 40, noNaN: true });
const angle = fc.double({ min: 60, max: 115, noNaN: true });
const cellArb = fc.tuple(length, length, length, angle, angle, angle).map((p) => unitCell(...p));
const h = fc.integer({ min: -9, max: 9 });

prop("B: |B h| = 1/d, columns rebuild the cell, and a·a* = 1", [cellArb, h, h, h], (cell, i, j, k) => {
  const b = reciprocalBasis(cell);
  const back = cellParameters(cellFromUB(b));
  cellParameters(cell).forEach((x, n) => {
    expect(back[n]).toBeCloseTo(x, 7);
  });
  if (i || j || k) expect(norm(apply(b, [i, j, k])) * dSpacing(cell, [i, j, k])).toBeCloseTo(1, 11);
  const one = compose(transpose(b) as Map3<"hkl", "crystal">, directBasis(cell) as Map3<"crystal", "hkl">);
  one.forEach((x, n) => {
    expect(x).toBeCloseTo(n % 4 === 0 ? 1 : 0, 9);
  });
  expect(b[3]).toBe(0);
  expect(determinant(b)).toBeGreaterThan(0);
});

prop("reciprocal of the reciprocal, and lengths in both spaces", [cellArb, h, h, h], (cell, i, j, k) => {
  const twice = cellParameters(reciprocalCell(reciprocalCell(cell)));
  cellParameters(cell).forEach((x, n) => {
    expect(twice[n]).toBeCloseTo(x, 7);
  });
  const x = [i / 7, j / 5, k / 3] as const;
  const r = fractionalToCartesian(cell, x);
  if (i || j || k) expect(norm(r)).toBeCloseTo(Math.hypot(...r), 12);
  cartesianToFractional(cell, r).forEach((v, n) => {
    expect(v).toBeCloseTo(x[n]!, 10);
  });
});

prop("a change of basis keeps lengths, spacings, phases and the lattice of UB", [cellArb, h, h, h], (cell, i, j, k) => {
  const p = multiply3([1, 1, 0, 0, 1, -1, 0, 0, 1], [0, 0, 1, 1, 0, 2, 0, 1, 0]);
  const other = transformCell(cell, p);
  if (i || j || k) expect(dSpacing(other, transformHkl([i, j, k], p)) / dSpacing(cell, [i, j, k])).toBeCloseTo(1, 9);
  const x = [0.1, 0.2, -0.3] as const,
    y = transformFractional(x, p),
    g = transformHkl([i, j, k], p);
  expect(g[0] * y[0] + g[1] * y[1] + g[2] * y[2]).toBeCloseTo(i * x[0] + j * x[1] + k * x[2], 10);
  const ub = transformUB(reciprocalBasis(cell), p);
  cellParameters(cellFromUB(ub)).forEach((v, n) => {
    expect(v).toBeCloseTo(cellParameters(other)[n]!, 5);
  });
});

test("exact right angles stay exact", () => {
  expect(cellFromMetric(metricTensor(unitCell(5, 6, 7, 90, 90, 120))).alphaDeg).toBe(90);
  expect(reciprocalBasis(unitCell(5, 8, 4))).toEqual([0.2, 0, 0, 0, 1 / 8, 0, 0, 0, 1 / 4]);
  expect(reciprocalCell(unitCell(4, 4, 5, 90, 90, 120)).gammaDeg).toBeCloseTo(60, 12);
});

test("angles: [111] to (111) is zero in a cube, a to a* is not in a triclinic cell", () => {
  const cube = unitCell(4, 4, 4);
  expect(directionNormalAngleDeg(cube, [1, 1, 1], [1, 1, 1])).toBeCloseTo(0, 5);
  expect(angleDeg(metricTensor(cube), [1, 0, 0], [1, 1, 1])).toBeCloseTo(54.7356, 4);
  const beta = unitCell(5, 6, 7, 90, 110);
  expect(directionNormalAngleDeg(beta, [1, 0, 0], [1, 0, 0])).toBeCloseTo(20, 10);
});

test("a cell in radians, or one that cannot close, is refused with a hint", () => {
  const message = (body: () => unknown): string => {
    try {
      body();
    } catch (e) {
      return isSdkError(e, "bad-cell") ? e.hint : "";
    }
    return "";
  };
  expect(message(() => unitCell(5, 5, 5, 1.57, 1.57, 2.09))).toMatch(/radians/);
  expect(message(() => unitCell(5, 5, 5, 60, 60, 130))).toMatch(/close/);
  expect(message(() => unitCell(5, -5, 5))).toMatch(/positive/);
  expect(message(() => cellFromUB([1, 0, 0, 0, 1, 0, 0, 0, 0]))).toMatch(/singular/);
});
