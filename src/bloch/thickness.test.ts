import { describe, expect, test } from "vitest";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { beamPool, selectBeams } from "./beams.js";
import { incidenceOnZone } from "./incidence.js";
import { crystalPotential } from "./potential.js";
import { propagate } from "./propagate.js";
import { structureMatrix } from "./structure-matrix.js";
import { meanThickness, type ThicknessModel, thicknessNodes } from "./thickness.js";
import { characteristic, closedFormAverage } from "./thickness-closed.js";
import { blochIntensities } from "./waves.js";

const kinds = ["plate", "wedge", "cylinder", "sphere"] as const;

describe("thickness distributions", () => {
  test.each(kinds)("%s: quadrature gives the characteristic function", (kind) => {
    for (const x of [-40, -3, -0.049, 0, 0.01, 0.051, 1, 12.3, 80]) {
      const { t, weights } = thicknessNodes({ kind }, 1, 2 * Math.abs(x));
      const re = t.reduce((s, y, i) => s + weights[i]! * Math.cos(x * y), 0),
        im = t.reduce((s, y, i) => s + weights[i]! * Math.sin(x * y), 0);
      const [a, b] = characteristic(kind, x);
      expect(Math.abs(re - a), `re ${x}`).toBeLessThan(2e-13);
      expect(Math.abs(im - b), `im ${x}`).toBeLessThan(2e-13);
    }
  });
  test("means, and the lens between wedge and sphere", () => {
    const models: ThicknessModel[] = [
      ...kinds.map((kind) => ({ kind })),
      ...[0, 0.4, 1].map((sagitta) => ({ kind: "lens" as const, sagitta })),
    ];
    for (const m of models) {
      const { t, weights } = thicknessNodes(m, 100, 10);
      expect(weights.reduce((s, w) => s + w, 0)).toBeCloseTo(1, 13);
      expect(t.reduce((s, x, i) => s + x * weights[i]!, 0)).toBeCloseTo(100 * meanThickness(m), 10);
    }
    expect(meanThickness({ kind: "lens", sagitta: 0 })).toBeCloseTo(0.5, 12);
    expect(meanThickness({ kind: "lens", sagitta: 1 })).toBeCloseTo(2 / 3, 12);
  });
  test("closed form and nodes agree on a crystal", () => {
    const b = beam(200),
      s = structure(unitCell(4.913, 4.913, 5.405, 90, 90, 120), spaceGroup("P 32 2 1"), [
        atom({ element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.006 }),
        atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.01 }),
      ]);
    const inc = incidenceOnZone(s.cell, b, [3, 1, 5], [0.31, 0.12, -0.2]);
    const { strong } = selectBeams(beamPool(s.cell, s.spaceGroup, 1.6), inc, { sMax: 0.02 });
    const m = structureMatrix(crystalPotential(s, b, { reach: 3.2 }), strong, inc);
    const width = (2 * Math.PI * 900 * 0.02 * 2) / 1;
    for (const kind of kinds) {
      const { t, weights } = thicknessNodes({ kind }, 900, width);
      const I = blochIntensities(propagate(m, t)),
        closed = closedFormAverage(m, kind, 900);
      for (let g = 0; g < m.size; g++) {
        const sum = weights.reduce((p, w, i) => p + w * I[i * m.size + g]!, 0);
        expect(Math.abs(sum - closed[g]!), `${kind} ${g}`).toBeLessThan(1e-11);
      }
    }
  });
  test("bad thicknesses are refused", () => {
    for (const t of [0, -5, Number.NaN]) expect(() => thicknessNodes({ kind: "wedge" }, t, 1)).toThrow("out-of-range");
    expect(() => thicknessNodes({ kind: "free", fractions: [1], weights: [-1] }, 100, 1)).toThrow("bad-value");
  });
});
