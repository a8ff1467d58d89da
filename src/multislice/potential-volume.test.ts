import { expect, test } from "vitest";
import { mrcFrames, writeMrc } from "../io/mrc.js";
import { bytesSource } from "../io/source.js";
import { rfft2 } from "../numerics/fft.js";
import { lobato } from "../scattering/lobato.js";
import { voltPerStructureFactor } from "../scattering/units.js";
import { mottBethe, waasmaierKirfel } from "../scattering/xray.js";
import { atomModel } from "./atoms.js";
import { gridArea, reciprocalGrid, waveGrid } from "./grid.js";
import { potentialPlan } from "./potential.js";
import { potentialVolume, projectedCharge } from "./potential-volume.js";

test("the charge of an atom is Z − f_x at every frequency, and nothing on the whole, in a skew cell", () => {
  const cell = [9, 0, 0, 2, 8, 0, 0, 0, 4];
  const model = atomModel({ cell, atoms: ["C"], positions: [3.3, 2.2, 2] });
  const grid = waveGrid(96, 90, [9, 0], [2, 8]);
  const plan = potentialPlan(model, { grid, sliceThickness: 4, factors: mottBethe });
  const charge = projectedCharge(plan.projected(0), grid);
  const spectrum = rfft2(charge, [90, 96]),
    { q2 } = reciprocalGrid(grid),
    fx = waasmaierKirfel("C");
  const atom = (i: number): number => (gridArea(grid) / (90 * 96)) * Math.hypot(spectrum[2 * i]!, spectrum[2 * i + 1]!);
  expect(atom(0)).toBeLessThan(1e-12);
  // the table's f_x(0) stands for Z: decision 65
  for (const [ky, kx] of [
    [0, 3],
    [5, 0],
    [4, 7],
    [84, 10],
  ] as const) {
    const s = Math.sqrt(q2[ky * 96 + kx]!) / 2;
    expect(Math.abs(atom(ky * 49 + kx) / (fx.f(0) - fx.f(s)) - 1)).toBeLessThan(1e-6);
  }
  plan.free();
  expect(() => projectedCharge(new Float64Array(96 * 90).fill(Number.NaN), grid)).toThrow(/finite/);
});

test("the volume of silicon has its mean inner potential, and is read back as written", async () => {
  const a = 5.431;
  const corners = [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.25, 0.75, 0.75, 0.75, 0.25];
  const model = atomModel({
    cell: [a, 0, 0, 0, a, 0, 0, 0, a],
    atoms: Array.from({ length: 8 }, () => "Si"),
    positions: corners.map((x) => x * a),
  });
  const plan = potentialPlan(model, { grid: waveGrid(64, 64, [a, 0], [0, a]), sliceThickness: a / 4 });
  const { data, shape, thickness, voxelAngstrom } = potentialVolume(plan);
  expect(() => potentialVolume(plan, { maxMemoryMB: 0.01 })).toThrow(/too-large.*thicker slices/);
  plan.free();
  expect(shape).toEqual([thickness.length, 64, 64]);
  expect(thickness.reduce((s, d) => s + d, 0)).toBeCloseTo(a, 12);
  const mean = data.reduce((s, v, i) => s + v * thickness[Math.floor(i / 4096)]!, 0) / (4096 * a);
  expect(mean).toBeCloseTo((voltPerStructureFactor * 8 * lobato("Si").f(0)) / a ** 3, 4);
  expect(mean).toBeGreaterThan(13);
  expect(mean).toBeLessThan(15);
  const file = await mrcFrames(bytesSource(writeMrc(data, shape, { pixelAngstrom: voxelAngstrom, volume: true }), "si.mrc"));
  const second = await file.read(1);
  expect(Array.from(second.data as Float32Array)).toEqual(Array.from(data.subarray(4096, 8192)));
});
