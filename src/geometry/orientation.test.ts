import { expect, test } from "vitest";
import { apply, compose, type Map3, transpose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { describeData, readDataText } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { unitCell } from "./cell.js";
import { cellFromUB, reciprocalBasis } from "./metric.js";
import { misorientation, orientationOf, reciprocalBasisDerivatives, ubMatrix, ubMisorientation } from "./orientation.js";
import { radians } from "./rotation.js";
import { randomRotation, rotationFromVector } from "./rotation-forms.js";

const cells = fc.tuple(
  fc.double({ min: 3, max: 30, noNaN: true }),
  fc.double({ min: 3, max: 30, noNaN: true }),
  fc.double({ min: 3, max: 30, noNaN: true }),
  fc.double({ min: 75, max: 105, noNaN: true }),
  fc.double({ min: 75, max: 105, noNaN: true }),
  fc.double({ min: 75, max: 105, noNaN: true }),
);

prop("U comes back from UB", [cells, fc.integer()], (p, seed) => {
  const cell = unitCell(...p),
    u = randomRotation<"sample", "crystal">(rng(seed));
  const back = orientationOf(ubMatrix(u, cell), cell);
  expect(misorientation(u, back)).toBeLessThan(1e-12);
  const again = cellFromUB(ubMatrix(u, cell));
  expect(again.betaDeg).toBeCloseTo(cell.betaDeg, 8);
});

prop("derivatives of B agree with central differences", [cells], (p) => {
  const d = reciprocalBasisDerivatives(unitCell(...p)),
    h = 1e-4;
  for (let i = 0; i < 6; i++) {
    const step = (s: number) => reciprocalBasis(unitCell(...(p.map((x, j) => (j === i ? x + s * h : x)) as typeof p)));
    const plus = step(1),
      minus = step(-1);
    d[i]!.forEach((x, j) => {
      expect(x).toBeCloseTo((plus[j as 0] - minus[j as 0]) / (2 * h), 7);
    });
  }
});

prop("misorientation is the angle that was put in", [fc.integer(), fc.double({ min: 0, max: 3, noNaN: true })], (seed, angle) => {
  const g = rng(seed),
    u = randomRotation<"sample", "crystal">(g);
  const n = [g.normal(), g.normal(), g.normal()],
    l = Math.hypot(...n);
  const turn = rotationFromVector<"sample", "sample">([(n[0]! / l) * angle, (n[1]! / l) * angle, (n[2]! / l) * angle]);
  expect(misorientation(compose(turn, u), u)).toBeCloseTo(angle, 10);
  const cell = unitCell(5, 7, 9, 90, 100, 90);
  expect(ubMisorientation(ubMatrix(compose(turn, u), cell), ubMatrix(u, cell))).toBeCloseTo(angle, 10);
});

test("an indexing that differs by a rotation of the lattice is no misorientation", () => {
  const cell = unitCell(5, 5, 5),
    ub = ubMatrix(randomRotation(rng(1)), cell);
  const quarter: Map3<"hkl", "hkl"> = [0, -1, 0, 1, 0, 0, 0, 0, 1];
  const other = compose(ub, quarter);
  expect(ubMisorientation(ub, other)).toBeCloseTo(Math.PI / 2, 10);
  expect(ubMisorientation(ub, other, [[1, 0, 0, 0, 1, 0, 0, 0, 1], quarter])).toBeLessThan(1e-10);
});

test("a left-handed UB is named", () => {
  expect(() => orientationOf([0.1, 0, 0, 0, 0.1, 0, 0, 0, -0.1], unitCell(10, 10, 10))).toThrow(/left-handed/);
});

describeData("glycine UB", ["3ded/glycine_pets/glycine.celllist"], () => {
  test("cell of PETS2's UB is PETS2's cell; celldir holds the unit vectors along a, b, c as columns", () => {
    const text = readDataText("3ded/glycine_pets/glycine.celllist").split("\n");
    const rows = (key: string): number[] => {
      const i = text.findIndex((l) => l.startsWith(key));
      return text.slice(i + 1, i + 4).flatMap((l) => l.trim().split(/\s+/).map(Number));
    };
    const ub = rows("ubmatrix") as unknown as Map3<"sample", "hkl">;
    const cell = cellFromUB(ub);
    const [a, b, c, al, be, ga] = text
      .find((l) => l.startsWith("cell "))!
      .trim()
      .split(/\s+/)
      .slice(1)
      .map(Number);
    // UB is printed with six decimals: 1e-6 of 0.2 Å⁻¹
    expect(cell.a).toBeCloseTo(a!, 3);
    expect(Math.abs(cell.b - b!)).toBeLessThan(0.001);
    expect(cell.c).toBeCloseTo(c!, 3);
    expect(cell.alphaDeg).toBeCloseTo(al!, 2);
    expect(cell.betaDeg).toBeCloseTo(be!, 2);
    expect(cell.gammaDeg).toBeCloseTo(ga!, 2);
    const dir = rows("celldir") as unknown as Map3<"sample", "sample">;
    for (let j = 0; j < 3; j++) {
      const axis = [dir[j as 0], dir[(j + 3) as 3], dir[(j + 6) as 6]] as const;
      const components = apply(transpose(ub), axis);
      components.forEach((x, i) => {
        expect(x).toBeCloseTo(i === j ? 1 / [cell.a, cell.b, cell.c][j]! : 0, 4);
      });
    }
    expect(misorientation(orientationOf(ub, cell), orientationOf(ub, cell))).toBeLessThan(radians(1e-6));
  });
});
