import { describe, expect, test } from "vitest";
import { determinant } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { bravaisCandidates } from "./bravais.js";
import { type CellParameters, cellParameters, type UnitCell, unitCell } from "./cell.js";
import { delaunayCell } from "./delaunay.js";
import { cellFromMetric, type Mat3, metricTensor, multiply3, transformCell, transformMetric } from "./metric.js";
import { niggliCell } from "./niggli.js";

/** Primitive axes on the conventional ones. */
const primitive: Record<string, Mat3> = {
  P: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  C: [0.5, -0.5, 0, 0.5, 0.5, 0, 0, 0, 1],
  I: [-0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, -0.5],
  F: [0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0],
  R: [2 / 3, -1 / 3, -1 / 3, 1 / 3, 1 / 3, -2 / 3, 1 / 3, 1 / 3, 1 / 3],
};
/** A random unimodular matrix: a product of shears and permutations. */
function scramble(seed: number): Mat3 {
  const g = rng(seed);
  let m: Mat3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  for (let k = 0; k < 5; k++) {
    const s = [1, 0, 0, 0, 1, 0, 0, 0, 1];
    const i = g.integer(3),
      j = (i + 1 + g.integer(2)) % 3;
    s[3 * i + j] = g.integer(5) - 2;
    m = multiply3(multiply3(m, s as unknown as Mat3), [0, 0, 1, 1, 0, 0, 0, 1, 0]);
  }
  return m;
}
const cases: [string, UnitCell][] = [
  ["aP", unitCell(6.1, 7.3, 8.9, 83, 77, 71)],
  ["mP", unitCell(5.1, 11.9, 5.46, 90, 111.8)],
  ["mC", unitCell(12.3, 7.1, 9.4, 90, 104.2)],
  ["oP", unitCell(5.77, 5.95, 12.25)],
  ["oC", unitCell(7.7, 9.9, 6.1)],
  ["oI", unitCell(6.3, 7.9, 11.1)],
  ["oF", unitCell(6.6, 18.3, 18.6)],
  ["tP", unitCell(5.6, 5.6, 4.7)],
  ["tI", unitCell(3.8, 3.8, 9.5)],
  ["tI", unitCell(9.5, 9.5, 3.8)],
  ["hP", unitCell(4.91, 4.91, 5.4, 90, 90, 120)],
  ["hR", unitCell(5.14, 5.14, 13.85, 90, 90, 120)],
  ["hR", unitCell(9.2, 9.2, 4.1, 90, 90, 120)],
  ["cP", unitCell(3.9, 3.9, 3.9)],
  ["cI", unitCell(2.87, 2.87, 2.87)],
  ["cF", unitCell(5.43, 5.43, 5.43)],
];

describe("the right Bravais lattice comes first from any primitive basis", () => {
  test.each(cases.flatMap((c, i) => [0, 1, 2, 3].map((k) => [c[0], c[1], 10 * i + k] as const)))("%s %s, basis %d", (type, cell, seed) => {
    const start = transformCell(cell, multiply3(primitive[type[1]!]!, scramble(seed)));
    const [best] = bravaisCandidates(start, { maxAngleDeg: 0.05, maxLength: 0.0005 });
    expect(best!.bravais).toBe(type);
    expect(best!.strain).toBeLessThan(1e-5);
    expect(best!.cell.volume / cell.volume).toBeCloseTo(1, 8);
    const want = cellParameters(cell),
      got = cellParameters(best!.cell);
    // Triclinic, and monoclinic beyond the unique axis, may choose other axes; the others are unique.
    if (type[0] !== "a" && type[0] !== "m") expect([...got].map((x) => +x.toFixed(6))).toEqual([...want].map((x) => +x.toFixed(6)));
    if (type[0] === "m") expect(got[1]).toBeCloseTo(want[1], 6);
    // The matrix is what it says: it takes the input axes to the measured conventional cell.
    const again = cellFromMetric(transformMetric(metricTensor(start), best!.basis));
    expect(cellParameters(again).every((x, i) => Math.abs(x - cellParameters(best!.measured)[i]!) < 1e-6)).toBe(true);
    expect(determinant(best!.basis)).toBeGreaterThan(0);
    expect(best!.basis.every(Number.isInteger)).toBe(true);
  });
});

test("a lattice measured with 0.5 % and 0.4° errors keeps its candidates, with the truth among the best", () => {
  for (const [type, cell] of cases) {
    const p = cellParameters(cell);
    const g = rng(`noise ${type}`);
    const e = (): number => 2 * g.uniform() - 1;
    const noisy = unitCell(
      p[0] * (1 + 0.005 * e()),
      p[1] * (1 + 0.005 * e()),
      p[2] * (1 + 0.005 * e()),
      p[3] + 0.4 * e(),
      p[4] + 0.4 * e(),
      p[5] + 0.4 * e(),
    );
    const found = bravaisCandidates(transformCell(noisy, primitive[type[1]!]!), { maxAngleDeg: 1.2, maxLength: 0.015 });
    expect(found.map((c) => c.bravais)).toContain(type);
    expect(found.at(-1)!.bravais).toBe("aP");
  }
});

const length = fc.double({ min: 2, max: 40, noNaN: true });
const angle = fc.double({ min: 50, max: 130, noNaN: true });
const cellArb = fc
  .tuple(length, length, length, angle, angle, angle)
  .filter(([, , , al, be, ga]) => {
    const [x, y, z] = [al, be, ga].map((d) => Math.cos((d * Math.PI) / 180)) as [number, number, number];
    return 1 - x * x - y * y - z * z + 2 * x * y * z > 0.02;
  })
  .map((p) => unitCell(...p));

prop(
  "Niggli: same lattice, the defining inequalities, and independent of the starting basis",
  [cellArb, fc.integer({ min: 0, max: 999 })],
  (cell, seed) => {
    const r = niggliCell(cell);
    expect(determinant(r.basis)).toBe(1);
    expect(r.cell.volume / cell.volume).toBeCloseTo(1, 9);
    const g = metricTensor(r.cell),
      eps = 3e-5 * cell.volume ** (2 / 3);
    const [a, b, c, xi, eta, zeta] = [g[0], g[4], g[8], 2 * g[5], 2 * g[2], 2 * g[1]];
    expect(a).toBeLessThanOrEqual(b + eps);
    expect(b).toBeLessThanOrEqual(c + eps);
    expect(Math.abs(xi)).toBeLessThanOrEqual(b + eps);
    expect(Math.max(Math.abs(eta), Math.abs(zeta))).toBeLessThanOrEqual(a + eps);
    const positive = xi > -eps && eta > -eps && zeta > -eps,
      negative = xi < eps && eta < eps && zeta < eps;
    expect(positive || negative).toBe(true);
    if (!positive) expect(xi + eta + zeta + a + b).toBeGreaterThan(-eps);
    const other = niggliCell(transformCell(cell, scramble(seed)));
    cellParameters(other.cell).forEach((x, i) => {
      expect(Math.abs(x - cellParameters(r.cell)[i]!)).toBeLessThan(1e-3);
    });
  },
);

prop("Delaunay: obtuse superbase, same lattice, shortest axis as Niggli's", [cellArb], (cell) => {
  const r = delaunayCell(cell);
  expect(determinant(r.basis)).toBe(1);
  expect(r.selling.every((s) => s >= 0)).toBe(true);
  const g = metricTensor(cell);
  const sum = r.superbase.reduce((s, v) => [s[0] + v[0], s[1] + v[1], s[2] + v[2]] as const, [0, 0, 0] as const);
  expect([...sum].map(Math.abs)).toEqual([0, 0, 0]);
  // Trace of the Selling parameters against the metric: Σ|bᵢ|² = 2 Σ s.
  const squares = r.superbase.reduce((s, v) => s + (transformMetric(g, [v[0], 0, 0, v[1], 0, 0, v[2], 0, 0])[0] ?? 0), 0);
  expect(squares / (2 * r.selling.reduce((s, x) => s + x, 0))).toBeCloseTo(1, 9);
  expect(r.cell.a).toBeCloseTo(niggliCell(cell).cell.a, 3);
});

test("the Niggli example of Křivý & Gruber (1976)", () => {
  const r = niggliCell(cellFromMetric([9, -11, -2, -11, 27, -2.5, -2, -2.5, 4]));
  expect(metricTensor(r.cell).map((x) => +x.toFixed(6))).toEqual([4, 2, 1.5, 2, 9, 4.5, 1.5, 4.5, 9]);
});

test.each(readGolden<{ cell: CellParameters; niggli: CellParameters }>("niggli").rows)(
  "gemmi reduces $cell to the same cell",
  ({ cell, niggli }) => {
    cellParameters(niggliCell(unitCell(...cell)).cell).forEach((x, i) => {
      expect(Math.abs(x - niggli[i]!)).toBeLessThan(2e-5);
    });
  },
);
