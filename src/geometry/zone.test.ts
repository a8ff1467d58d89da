import { expect, test } from "vitest";
import { apply, compose } from "../core/frames.js";
import { alanine, alanineFile } from "../testing/alanine.js";
import { describeData } from "../testing/data.js";
import { unitCell } from "./cell.js";
import { petsRotation } from "./goniometer.js";
import { reciprocalBasis } from "./metric.js";
import { ubMatrix } from "./orientation.js";
import { orientationOnZone, zoneAxis, zoneSpots } from "./zone.js";

test("an orientation on [u v w] has that zone axis", () => {
  const cell = unitCell(5, 6, 7, 80, 95, 105);
  const ub = ubMatrix(orientationOnZone(cell, [1, 2, -3], [2, -1, 0]), cell);
  zoneAxis(petsRotation(0, 0, 0), ub).forEach((x, i) => {
    expect(x).toBeCloseTo([1 / 3, 2 / 3, -1][i]!, 12);
  });
  const g = apply(ub, [2, -1, 0]);
  expect(g[0]).toBeGreaterThan(0);
  expect(g[1]).toBeCloseTo(0, 12);
  expect(g[2]).toBeCloseTo(0, 12);
  expect(() => orientationOnZone(cell, [0, 0, 1], [0, 0, 0])).toThrow(/bad-value/);
});

test("spots of silicon [1 1 0]: distances and angles by the metric, first higher-order zone offset by 1/|uvw|", () => {
  const a = 5.431,
    cell = unitCell(a, a, a);
  const spots = zoneSpots(cell, [1, 1, 0], 0.9, [0, 0, 1]);
  expect(spots.size).toBeGreaterThan(20);
  for (let i = 0; i < spots.size; i++) {
    const [h, k, l] = [spots.hkl[3 * i]!, spots.hkl[3 * i + 1]!, spots.hkl[3 * i + 2]!];
    expect(h + k).toBe(0);
    expect(Math.hypot(spots.xy[2 * i]!, spots.xy[2 * i + 1]!)).toBeCloseTo(Math.sqrt(h * h + k * k + l * l) / a, 12);
    expect(spots.xy[2 * i]).toBeCloseTo(l / a, 12);
  }
  const holz = zoneSpots(cell, [1, 1, 0], 0.9, [0, 0, 1], 1);
  for (let i = 0; i < holz.size; i++) {
    const g = Math.hypot(...apply(reciprocalBasis(cell), [holz.hkl[3 * i]!, holz.hkl[3 * i + 1]!, holz.hkl[3 * i + 2]!]));
    expect(Math.sqrt(g * g - holz.xy[2 * i]! ** 2 - holz.xy[2 * i + 1]! ** 2)).toBeCloseTo(1 / (a * Math.SQRT2), 10);
  }
  expect(() => zoneSpots(cell, [0.5, 1, 0], 1, [0, 0, 1])).toThrow(/integer/);
});

describeData("zones of the alanine m42", [alanineFile], () => {
  test("u v w of all 61 zones follow from α, β and UB", () => {
    const { ub, zones } = alanine();
    let worst = 0;
    for (const z of zones) {
      const uvw = zoneAxis(petsRotation(z.alphaDeg, z.betaDeg, 123), ub);
      const sign = Math.sign(uvw[0] * z.uvw[0] + uvw[1] * z.uvw[1] + uvw[2] * z.uvw[2]);
      expect(sign).toBe(1);
      worst = Math.max(worst, ...uvw.map((x, i) => Math.abs(x - z.uvw[i as 0])));
      expect(Math.abs(apply(compose(petsRotation(z.alphaDeg, z.betaDeg, 0), ub), [0, 0, 1])[0])).toBeLessThan(1);
    }
    console.log(`alanine zone axes: largest difference ${worst.toExponential(1)} over ${zones.length} zones`);
    expect(zones).toHaveLength(61);
    expect(worst).toBeLessThan(3e-4);
  });
});
