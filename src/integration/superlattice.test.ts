import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { cellParameters, unitCell } from "../geometry/cell.js";
import { cellFromUB, reciprocalBasis } from "../geometry/metric.js";
import type { Orientation } from "./index-lattice.js";
import { superlattice } from "./superlattice.js";

const basis = (...p: [number, number, number, number?, number?, number?]): Orientation =>
  reciprocalBasis(unitCell(...p)) as unknown as Orientation;
/** Lattice points with an error of 3e-4 Å⁻¹, within a sphere, that `keep` lets through, and a fifth of vectors anywhere. */
function points(ub: Orientation, gMax: number, keep: (h: number, k: number, l: number) => boolean): Float64Array {
  const r = rng(3),
    out: number[] = [];
  const n = [0, 1, 2].map((j) => Math.ceil(gMax / Math.hypot(ub[j as 0], ub[(3 + j) as 3], ub[(6 + j) as 6])) + 2);
  for (let h = -n[0]!; h <= n[0]!; h++)
    for (let k = -n[1]!; k <= n[1]!; k++)
      for (let l = -n[2]!; l <= n[2]!; l++) {
        const g = [0, 3, 6].map((i) => ub[i as 0] * h + ub[(i + 1) as 1] * k + ub[(i + 2) as 2] * l);
        if (Math.hypot(...g) < gMax && (h || k || l) && keep(h, k, l) && r.uniform() < 0.5)
          out.push(...g.map((x) => x + 3e-4 * r.normal()));
      }
  const stray = out.length / 15;
  for (let i = 0; i < stray; i++) out.push(...[0, 1, 2].map(() => gMax * (2 * r.uniform() - 1)));
  return Float64Array.from(out);
}
const all = (): boolean => true;

test("a halved or quartered long axis is found again, a right one stays", () => {
  const truth = basis(28, 42, 58),
    vectors = points(truth, 0.25, all);
  const sorted = (ub: Orientation): number[] =>
    cellParameters(cellFromUB(ub))
      .slice(0, 3)
      .sort((p, q) => p - q);
  for (const given of [basis(28, 21, 58), basis(28, 42, 14.5)]) {
    const found = superlattice(vectors, given)!;
    [28, 42, 58].forEach((x, i) => {
      expect(sorted(found)[i]).toBeCloseTo(x, 2);
    });
  }
  expect(superlattice(vectors, truth)).toBeUndefined();
  expect(superlattice(points(basis(5.2, 5.2, 60.5, 90, 90, 120), 0.8, all), basis(5.2, 5.2, 60.5, 90, 90, 120))).toBeUndefined();
});

test("the two settings of an obverse–reverse twin stay two lattices", () => {
  const hexagonal = basis(8.2, 8.2, 22.1, 90, 90, 120);
  const obverse = (h: number, k: number, l: number): boolean => (-h + k + l) % 3 === 0;
  const twin = points(hexagonal, 0.8, (h, k, l) => obverse(h, k, l) || (h - k + l) % 3 === 0);
  // primitive axes of the obverse setting: (2,1,1), (−1,1,1), (−1,−2,1) over three, so that a*' = a* + c*, …
  const [a, b, c] = [0, 1, 2].map((j) => [0, 3, 6].map((i) => hexagonal[(i + j) as 0])) as [number[], number[], number[]];
  const columns = [a.map((x, i) => x + c[i]!), a.map((x, i) => b[i]! - x + c[i]!), b.map((x, i) => c[i]! - x)];
  const given = [0, 1, 2].flatMap((i) => columns.map((v) => v[i]!)) as unknown as Orientation;
  expect(cellFromUB(given).volume).toBeCloseTo(cellFromUB(hexagonal).volume / 3, 6);
  expect(superlattice(twin, given)).toBeUndefined();
});
