import { expect, test } from "vitest";
import { fft2 } from "../numerics/fft.js";
import { lobato } from "../scattering/lobato.js";
import { voltPerStructureFactor } from "../scattering/units.js";
import { type AtomModel, atomModel } from "./atoms.js";
import { repeatAtoms } from "./atoms-build.js";
import { gridArea, nyquist, reciprocalGrid, waveGrid } from "./grid.js";
import { potentialPlan } from "./potential.js";

const cell = [4, 0, 0, -1, 4.5, 0, 0.7, 0.4, 5] as const;
const grid = waveGrid(48, 48, [4, 0], [-1, 4.5]);
const model = atomModel({
  cell,
  atoms: ["Si", "O", "Au"],
  positions: [0.3, 0.4, 0.2, 1.9, 2.2, 3.1, 2.5, 1, 4.95],
  displacement: [0.004, 0.01, 0.006],
});
const spectrum = (v: Float64Array): Float64Array =>
  fft2(
    Float64Array.from({ length: 2 * v.length }, (_, i) => (i % 2 ? 0 : v[i / 2]!)),
    [48, 48],
  );

/** ∫V dz over [z0, z1) of a crystal that repeats along a leaning c, by its Fourier series along the beam: k = (l − q·c)/c_z. */
function series(m: AtomModel, z0: number, z1: number, qx: number, qy: number): [number, number] {
  const height = cell[8],
    unit = (voltPerStructureFactor / gridArea(grid) / height) * 48 * 48;
  let re = 0,
    im = 0;
  for (let l = -100; l <= 100; l++) {
    const k = (l - qx * cell[6] - qy * cell[7]) / height,
      x = Math.PI * k * (z1 - z0),
      width = (z1 - z0) * (Math.abs(x) < 1e-9 ? 1 : Math.sin(x) / x);
    for (let j = 0; j < 3; j++) {
      const [px, py, pz] = m.positions.subarray(3 * j, 3 * j + 3) as unknown as [number, number, number],
        u = m.displacement![6 * j]!,
        q2 = qx * qx + qy * qy + k * k;
      const f = unit * width * lobato(["Si", "O", "Au"][j]!).f(Math.sqrt(q2) / 2) * Math.exp(-2 * Math.PI ** 2 * u * q2),
        t = -2 * Math.PI * (qx * px + qy * py + k * (pz - (z0 + z1) / 2));
      re += f * Math.cos(t);
      im += f * Math.sin(t);
    }
  }
  return [re, im];
}

test("finite slices equal the crystal's Fourier series along the beam, integrated: 1e-6 of the maximum", () => {
  const plan = potentialPlan(model, { grid, bounds: [0, 0.3, 0.9, 2.4, 4.1, 5], projection: "finite", periodicZ: true, debyeWaller: true });
  const { qx, qy, q2 } = reciprocalGrid(grid),
    band = (0.75 * nyquist(grid)) ** 2;
  let worst = 0,
    largest = 0;
  for (let i = 0; i < plan.slices.count; i++) {
    const ours = spectrum(plan.projected(i));
    for (let p = 0; p < q2.length; p += 7) {
      if (q2[p]! > band) continue;
      const [re, im] = series(model, plan.slices.bounds[i]!, plan.slices.bounds[i + 1]!, qx[p]!, qy[p]!);
      worst = Math.max(worst, Math.hypot(ours[2 * p]! - re, ours[2 * p + 1]! - im));
      largest = Math.max(largest, Math.hypot(re, im));
    }
  }
  plan.free();
  expect(worst / largest).toBeLessThan(1e-6);
});

test("a slice has the same bits whatever was made before, and slices of a perfect crystal share a key", () => {
  const still = repeatAtoms(atomModel({ cell: [4, 0, 0, 0, 4.5, 0, 0, 0, 2], atoms: ["Si"], positions: [1, 1, 0] }), [1, 1, 20]);
  const plan = potentialPlan(still, { grid: waveGrid(48, 48, [4, 0], [0, 4.5]), sliceThickness: 1, projection: "finite" });
  const ordered = [10, 11, 12].map((i) => plan.projected(i));
  for (const i of [2, 1, 0]) expect(plan.projected(10 + i)).toEqual(ordered[i]);
  expect(plan.key(18)).toBe(plan.key(20));
  expect(plan.key(18)).not.toBe(plan.key(19));
  expect(new Set([0, 1, 2, 39].map((i) => plan.key(i))).size).toBe(4);
  const difference = Math.max(...plan.projected(18).map((v, i) => Math.abs(v - plan.projected(20)[i]!)));
  expect(difference).toBeLessThan(1e-9);
  plan.free();
});

test("a smear that leans against the slices is refused by name, with the ways out", () => {
  const leaning = { ...model, displacement: Float64Array.from(model.displacement!, (u, i) => (i % 6 === 4 ? 0.002 : u)) };
  expect(() => potentialPlan(leaning, { grid, projection: "finite", debyeWaller: true })).toThrow(/U13.*frozenPhonons/);
  potentialPlan(leaning, { grid, projection: "finite" }).free();
  potentialPlan(leaning, { grid, debyeWaller: true }).free();
});
