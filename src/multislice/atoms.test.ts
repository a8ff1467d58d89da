import { expect, test } from "vitest";
import { inverse } from "../core/frames.js";
import { unitCell } from "../geometry/cell.js";
import { dSpacing, type Mat3, metricTensor } from "../geometry/metric.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { neutralFactor } from "../scattering/form-factor.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { fc, prop } from "../testing/prop.js";
import { atomModel, boxAxes, thicknessOf } from "./atoms.js";
import { atomsFromStructure, repeatAtoms, rotateTensor, wrapAtoms } from "./atoms-build.js";

const angle = fc.double({ min: 65, max: 115, noNaN: true });
const length = fc.double({ min: 3, max: 12, noNaN: true });
const fraction = fc.double({ min: 0, max: 0.999, noNaN: true });

prop("any cell becomes a box of the same metric", [length, length, length, angle, angle, angle], (a, b, c, al, be, ga) => {
  const cell = unitCell(a, b, c, al, be, ga);
  const m = atomsFromStructure(structure(cell, spaceGroup(1), [atom({ element: "Si", xyz: [0.1, 0.2, 0.3] })]));
  const k = m.cell;
  const dot = (i: number, j: number): number => [0, 1, 2].reduce((s, x) => s + k[3 * i + x]! * k[3 * j + x]!, 0);
  const g = metricTensor(cell);
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) expect(dot(i, j)).toBeCloseTo(g[(3 * i + j) as 0], 9);
  expect([k[1], k[2], k[5]]).toEqual([0, 0, 0]);
  expect(thicknessOf(m)).toBeCloseTo(dSpacing(cell, [0, 0, 1]), 10);
});

prop(
  "structure factors from the box, tensors included, are those of the crystal",
  [
    angle,
    angle,
    angle,
    fraction,
    fraction,
    fraction,
    fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), { minLength: 3, maxLength: 3 }),
  ],
  (al, be, ga, x, y, z, off) => {
    const cell = unitCell(5, 6, 7, al, be, ga);
    const u = [0.02, 0.03, 0.04, 0.01 * off[0]!, 0.01 * off[1]!, 0.01 * off[2]!] as const;
    const s = structure(cell, spaceGroup("P -1"), [atom({ element: "O", xyz: [x, y, z], uAniso: u, occupancy: 0.7 })]);
    const m = atomsFromStructure(s);
    const inv = inverse([...m.cell] as unknown as Mat3); // columns are the reciprocal vectors
    for (const hkl of [
      [1, 0, 0],
      [0, 2, -1],
      [-1, 1, 3],
    ] as const) {
      const g = [0, 1, 2].map((i) => inv[(3 * i) as 0] * hkl[0] + inv[(3 * i + 1) as 0] * hkl[1] + inv[(3 * i + 2) as 0] * hkl[2]);
      let re = 0,
        im = 0;
      for (let i = 0; i < m.atomicNumbers.length; i++) {
        const p = m.positions.subarray(3 * i, 3 * i + 3),
          t = m.displacement!.subarray(6 * i, 6 * i + 6);
        const phase = -2 * Math.PI * (g[0]! * p[0]! + g[1]! * p[1]! + g[2]! * p[2]!);
        const q =
          g[0]! ** 2 * t[0]! +
          g[1]! ** 2 * t[1]! +
          g[2]! ** 2 * t[2]! +
          2 * (g[1]! * g[2]! * t[3]! + g[0]! * g[2]! * t[4]! + g[0]! * g[1]! * t[5]!);
        const w = m.occupancy![i]! * Math.exp(-2 * Math.PI ** 2 * q);
        re += w * Math.cos(phase);
        im += w * Math.sin(phase);
      }
      const f = structureFactors(s, Int32Array.from(hkl), (e) => neutralFactor(e, "one", 9, () => 1));
      expect(re).toBeCloseTo(f[0]!, 10);
      expect(im).toBeCloseTo(f[1]!, 10);
    }
  },
  { runs: 20 },
);

test("repetitions and folding keep the crystal", () => {
  const m = atomModel({ cell: [4, 0, 0, 1, 5, 0, 0.5, 0.3, 6], atoms: ["Ti", "O"], positions: [0, 0, 0, -1, 7, 3] });
  const r = repeatAtoms(m, [2, 3, 2]);
  expect(r.atomicNumbers.length).toBe(24);
  expect([...r.cell]).toEqual([8, 0, 0, 3, 15, 0, 1, 0.6, 12]);
  expect([...r.positions.slice(-3)]).toEqual([-1 + 4 + 2 + 0.5, 7 + 10 + 0.3, 9]);
  const w = wrapAtoms(m);
  expect(w.positions[3]).toBeCloseTo(2, 12);
  expect(w.positions[4]).toBeCloseTo(2, 12);
  expect(String(r)).toContain("Ti12 O12");
});

test("a rotated tensor keeps its trace and turns with the atom", () => {
  const out = new Float64Array(6);
  rotateTensor([1, 2, 3, 0, 0, 0], 0, [0, -1, 0, 1, 0, 0, 0, 0, 1], out, 0);
  expect([...out]).toEqual([2, 1, 3, 0, 0, 0]);
});

test("what is wrong is said", () => {
  const good = { cell: [4, 0, 0, 0, 4, 0, 0, 0, 4], atoms: [14], positions: [0, 0, 0] };
  expect(() => atomModel({ ...good, cell: [4, 0, 0, 0, 4, 0, 0, 0, -4] })).toThrow(/bad-cell/);
  expect(() => atomModel({ ...good, cell: [4, 0, 1, 0, 4, 0, 0, 0, 4] })).toThrow(/boxAxes/);
  expect(() => atomModel({ ...good, atoms: ["Xx"] })).toThrow(/element/);
  expect(() => atomModel({ ...good, atoms: [0] })).toThrow(/element/);
  expect(() => atomModel({ ...good, positions: [0, 0, Number.NaN] })).toThrow(/positions/);
  expect(() => atomModel({ ...good, positions: [0, 0] })).toThrow(/bad-shape/);
  expect(() => atomModel({ ...good, occupancy: [1.2] })).toThrow(/occupancy/);
  expect(() => atomModel({ ...good, displacement: [0.1, 0.1, 0.1, 0.2, 0, 0] })).toThrow(/ellipsoid/);
  expect(() => atomModel({ ...good, displacement: [-0.1] })).toThrow(/ellipsoid/);
  expect(() => boxAxes([1, 0, 0, 0, 1, 0, 0, 0, -1])).toThrow(/right-handed/);
  expect(() => repeatAtoms(atomModel(good), [0, 1, 1])).toThrow(/repetitions/);
});
