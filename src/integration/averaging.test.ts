import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { simulatePeaks, testCells } from "../testing/peaks.js";
import { averagedAngles, averagedFrames, averagedPeaks, averagingPlan, thinningPlan } from "./averaging.js";

test("groups: plain, overlapping, with and without a remainder", () => {
  expect(averagingPlan(7, { merge: 3 }).groups).toEqual([
    [0, 1, 2],
    [3, 4, 5],
  ]); // prettier-ignore
  expect(averagingPlan(7, { merge: 3, keepPartial: true }).groups.at(-1)).toEqual([6]);
  expect(averagingPlan(159, { merge: 7, step: 5 }).groups.length).toBe(31); // PETS2's virtualframes 7 5 of 159 frames
  expect(thinningPlan(7, 3).groups).toEqual([[0], [3], [6]]);
  expect([...averagedAngles([0, 1, 2, 3, 4, 5, 6], averagingPlan(7, { merge: 3 }))]).toEqual([1, 4]);
  expect(() => averagingPlan(3, { merge: 5 })).toThrow("shorter");
  expect(() => averagingPlan(3, { merge: 0 })).toThrow("at least 1");
});

test("the noise of averaged frames falls with the root of their number, and saturation is tested before", () => {
  const r = rng("average"),
    size = 4096;
  const frames = Array.from({ length: 16 }, () => Float32Array.from({ length: size }, () => r.poisson(50)));
  frames[2]![7] = 60000;
  const [mean] = [...averagedFrames((i) => frames[i]!, averagingPlan(16, { merge: 16 }), { saturation: 50000 })];
  expect(mean![7]).toBeNaN();
  let sum = 0,
    sq = 0;
  for (let i = 8; i < size; i++) {
    sum += mean![i]!;
    sq += mean![i]! ** 2;
  }
  const m = sum / (size - 8);
  expect(Math.abs(m - 50)).toBeLessThan(0.15);
  expect(Math.sqrt(sq / (size - 8) - m * m) / (Math.sqrt(50) / 4)).toBeCloseTo(1, 1);
  const [total] = [...averagedFrames((i) => frames[i]!, averagingPlan(16, { merge: 16 }), { mode: "sum" })];
  expect(total![20]! / 16).toBeCloseTo(mean![20]!, 3);
});

test("averaged peaks keep the summed intensity and join the spots of a reflection", () => {
  const s = simulatePeaks({ cell: testCells.orthorhombic, rng: rng("thin"), fromDeg: -10, toDeg: 10, stepDeg: 0.25 });
  const plan = averagingPlan(s.frames.length, { merge: 5, keepPartial: true });
  const a = averagedPeaks(s.peaks, s.nominalDeg, plan, { mode: "sum" });
  expect(a.size).toBeLessThan(s.peaks.size);
  const total = (v: Float64Array): number => v.reduce((x, y) => x + y, 0);
  expect(total(a.intensity) / total(s.peaks.intensity)).toBeCloseTo(1, 12);
  expect(Math.max(...a.frame)).toBe(plan.groups.length - 1);
});
