import { expect, test } from "vitest";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { matrix, transposeMatrix } from "../numerics/matrix.js";
import { beamPool, selectBeams } from "./beams.js";
import { incidenceOnZone } from "./incidence.js";
import { crystalPotential } from "./potential.js";
import { propagate } from "./propagate.js";
import { structureMatrix } from "./structure-matrix.js";
import { fitThickness } from "./thickness-fit.js";
import { blochIntensities } from "./waves.js";

const b = beam(200),
  s = structure(unitCell(3.905, 3.905, 3.905), spaceGroup("P m -3 m"), [
    atom({ element: "Sr", xyz: [0, 0, 0], uIso: 0.006 }),
    atom({ element: "Ti", xyz: [0.5, 0.5, 0.5], uIso: 0.005 }),
    atom({ element: "O", xyz: [0, 0.5, 0.5], uIso: 0.009 }),
  ]);
const inc = incidenceOnZone(s.cell, b, [0, 0, 1], [0.13, 0.07, 0]);
const m = structureMatrix(
  crystalPotential(s, b, { reach: 3 }),
  selectBeams(beamPool(s.cell, s.spaceGroup, 1.5), inc, { sMax: 0.03 }).strong,
  inc,
);
const t = Array.from({ length: 12 }, (_, k) => 40 + 60 * k);
const series = transposeMatrix(matrix(t.length, m.size, blochIntensities(propagate(m, t))));

test("a histogram of thicknesses is recovered, zeros and all", () => {
  const p: number[] = t.map((_, k) => (k === 3 ? 0.5 : k === 4 ? 0.3 : k === 9 ? 0.2 : 0));
  const observed = Float64Array.from(
    { length: m.size },
    (_, g) => 250 * p.reduce((sum, x, k) => sum + x * series.data[g * t.length + k]!, 0),
  );
  const fit = fitThickness(series, observed);
  expect(fit.status).toBe("converged");
  expect(fit.scale).toBeCloseTo(250, 5);
  fit.weights.forEach((w, k) => {
    expect(Math.abs(w - p[k]!)).toBeLessThan(1e-6);
    expect(w).toBeGreaterThanOrEqual(0);
  });
});
test("the optimum: no weight can be raised or moved with profit", () => {
  const observed = Float64Array.from({ length: m.size }, (_, g) => Math.abs(Math.sin(7 * g)) * 0.02);
  const fit = fitThickness(series, observed, { smoothness: 1e-3 });
  const rough = fitThickness(series, observed);
  expect(fit.status).toBe("converged");
  expect(rough.chi2).toBeLessThanOrEqual(fit.chi2);
  const chi2 = (w: Float64Array, scale: number): number => {
    let sum = 0;
    for (let g = 0; g < m.size; g++) {
      let calc = 0;
      for (let k = 0; k < t.length; k++) calc += scale * w[k]! * series.data[g * t.length + k]!;
      sum += (observed[g]! - calc) ** 2;
    }
    return sum;
  };
  expect(rough.chi2).toBeCloseTo(chi2(rough.weights, rough.scale), 10);
  for (let k = 0; k < t.length; k++)
    for (const e of [0.01, -0.01]) {
      const w = rough.weights.slice();
      w[k] = Math.max(0, w[k]! + e);
      expect(chi2(w, rough.scale)).toBeGreaterThanOrEqual(rough.chi2 - 1e-14);
    }
  expect(() => fitThickness(series, [1])).toThrow("bad-shape");
});
