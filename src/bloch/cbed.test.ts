import { expect, test } from "vitest";
import type { Map3 } from "../core/frames.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { ubMatrix } from "../geometry/orientation.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { orientationOnZone } from "../geometry/zone.js";
import { cbedDisks, cbedImage } from "./cbed.js";
import { frameCrystal } from "./frames.js";

const cell = unitCell(3.905, 3.905, 3.905);
const titanate = structure(cell, spaceGroup("P m -3 m"), [
  atom({ element: "Sr", xyz: [0, 0, 0], uIso: 0.005 }),
  atom({ element: "Ti", xyz: [0.5, 0.5, 0.5], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.5, 0.5, 0], uIso: 0.009 }),
]);
const crystal = frameCrystal(titanate, beam(200), 1.6);
const ub = ubMatrix(orientationOnZone(cell, [0, 0, 1], [1, 0, 0]), cell) as unknown as Map3<"lab", "hkl">;
const options = { convergence: 0.004, thickness: 400, pixels: 21, sMax: 0.06 };

test("disks on the zone axis have its symmetry 4mm, and flux", () => {
  const hkl = crystal.pool.hkl;
  const { intensity, pixels: p } = cbedDisks(crystal, ub, hkl, options);
  const at = (i: number, x: number, y: number): number => intensity[(i * p + y) * p + x]!;
  let contrast = 0;
  for (let y = 0; y < p; y++)
    for (let x = 0; x < p; x++) {
      if (Number.isNaN(at(0, x, y))) continue;
      expect(at(0, p - 1 - y, x)).toBeCloseTo(at(0, x, y), 9);
      expect(at(0, p - 1 - x, y)).toBeCloseTo(at(0, x, y), 9);
      contrast = Math.max(contrast, Math.abs(at(0, x, y) - at(0, 10, 10)));
      // without absorption the beams of each direction share one electron
      expect(Array.from({ length: hkl.length / 3 }, (_, i) => at(i, x, y)).reduce((s, v) => s + v, 0)).toBeCloseTo(1, 8);
    }
  expect(contrast).toBeGreaterThan(0.05);
});
test("the picture puts disks where the reflections are", () => {
  const disks = cbedDisks(crystal, ub, Int32Array.of(0, 0, 0, 2, 0, 0), { ...options, pixels: 11 });
  const image = cbedImage(disks, ub, 0.8);
  const [ny, nx] = image.shape;
  expect(ny).toBe(nx);
  const total = image.data.reduce((s, v) => s + v, 0);
  expect(total).toBeCloseTo(
    disks.intensity.reduce((s, v) => s + (Number.isNaN(v) ? 0 : v), 0),
    9,
  );
  expect(() => cbedDisks(crystal, ub, Int32Array.of(0, 0, 0), { ...options, convergence: 4 })).toThrow(/radians/);
  expect(() => cbedDisks(crystal, ub, Int32Array.of(0, 0, 0), { ...options, thickness: 0 })).toThrow(/thicknesses are positive/);
});
