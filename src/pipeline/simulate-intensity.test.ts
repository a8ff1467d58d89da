import { expect, test } from "vitest";
import { isAbsent } from "../geometry/extinctions.js";
import { ubMatrix } from "../geometry/orientation.js";
import { latticePoints } from "../geometry/predict.js";
import { expandToP1 } from "../geometry/structure.js";
import { lobato2014 } from "../scattering/tables/lobato2014.js";
import { albite, glycine, luag, natrolite, quartz } from "./simulate-crystals.js";
import { blackman, j0, kinematical, kinematicalIntensities, pointIntensities } from "./simulate-intensity.js";

test.each([
  [0, 1],
  [1, 0.7651976865579666],
  [2.404825557695773, 0],
  [10, -0.2459357644513483],
])("J0(%d)", (x, value) => {
  expect(j0(x)).toBeCloseTo(value, 13);
});

test("Blackman's factor: 1 − A²/3 for a weak reflection, 1/2A for a strong one", () => {
  const f = blackman(60);
  expect(f(0)).toBe(1);
  expect(f(0.05)).toBeCloseTo(1 - 0.05 ** 2 / 3, 5);
  expect(f(50) * 100).toBeGreaterThan(0.9);
  expect(f(50) * 100).toBeLessThan(1.1);
});

// Two routes: the structure factors of the scattering module, and a plain sum over every atom of the cell written out here.
test.each([luag, quartz, natrolite, glycine, albite])(
  "|F|² of the model crystals is a plain sum over the cell, absences included (%#)",
  (make) => {
    const { structure, group, cell } = make();
    const points = latticePoints(ubMatrix([1, 0, 0, 0, 1, 0, 0, 0, 1], cell), { gMax: 0.5 });
    const intensity = kinematicalIntensities(points, structure);
    const images = expandToP1(structure);
    let absent = 0;
    for (let i = 0; i < points.size; i++) {
      const h: [number, number, number] = [points.hkl[3 * i]!, points.hkl[3 * i + 1]!, points.hkl[3 * i + 2]!];
      let re = 0,
        im = 0;
      for (const { atom, xyz } of images) {
        const a = structure.atoms[atom]!,
          t = lobato2014[a.element]!,
          g2 = points.g2[i]!;
        let f = 0;
        for (let k = 0; k < 5; k++) f += (t[k]! * (2 + t[5 + k]! * g2)) / (1 + t[5 + k]! * g2) ** 2;
        f *= Math.exp(-2 * Math.PI ** 2 * a.uIso * g2);
        const phase = -2 * Math.PI * (h[0] * xyz[0] + h[1] * xyz[1] + h[2] * xyz[2]);
        re += f * Math.cos(phase);
        im += f * Math.sin(phase);
      }
      const direct = re * re + im * im;
      expect(Math.abs(intensity[i]! - direct)).toBeLessThan(1e-6 * (1 + direct));
      if (!isAbsent(group, h)) continue;
      absent++;
      expect(direct).toBeLessThan(1e-9);
    }
    expect(intensity.reduce((a, b) => Math.max(a, b))).toBeGreaterThan(50);
    if (group.ops.length > 2) expect(absent).toBeGreaterThan(0);
  },
);

test("damping brings strong and weak together; multiple scattering lifts the absent", () => {
  const crystal = glycine();
  const points = latticePoints(ubMatrix([1, 0, 0, 0, 1, 0, 0, 0, 1], crystal.cell), { gMax: 1 });
  const intensity = crystal.structure;
  const plain = pointIntensities(points, intensity, kinematical),
    damped = pointIntensities(points, intensity, { strongestA: 5, scatter: 0, umweg: 0.001 }),
    faded = pointIntensities(points, intensity, kinematical, 4);
  const mean = (v: Float64Array) => v.reduce((a, b) => a + b, 0) / v.length;
  expect(plain.reduce((a, b) => Math.max(a, b))).toBe(1);
  expect(damped.reduce((a, b) => Math.max(a, b))).toBe(1);
  expect(mean(damped)).toBeGreaterThan(2 * mean(plain));
  expect(mean(faded)).toBeLessThan(mean(plain));
  expect(plain.reduce((a, b) => Math.min(a, b))).toBeLessThan(1e-20); // absent: zero but for rounding
  expect(damped.reduce((a, b) => Math.min(a, b))).toBeGreaterThan(0);
});
