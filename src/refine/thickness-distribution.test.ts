import { expect, test } from "vitest";
import { type FrameModel, frameIntensities } from "../bloch/frames.js";
import type { ThicknessModel } from "../bloch/thickness.js";
import { electrons, measuredFrames, neutralCrystal, rutile } from "../testing/measured-frames.js";
import { runDynamical } from "./dynamical-run.js";
import { thicknessDistribution } from "./thickness-distribution.js";

const crystal = rutile(0.007);
const model: FrameModel = {
  gMax: 1.4,
  sMax: 0.015,
  thickness: 500,
  thicknessModel: { kind: "wedge" },
  tiltCorrection: 0,
  mosaicity: { kind: "none" },
  sampling: { sweep: { kind: "midpoint", steps: 20 } },
};

const measured = (thicknessModel: ThicknessModel, noise: number) =>
  measuredFrames(
    crystal,
    { ...model, thicknessModel },
    {
      anglesDeg: [-50, -38, -26, -14, -3, 9, 20, 31, 43, 55],
      halfWidthDeg: 1,
      rsgMax: 0.7,
      scale: (i) => 2e5 * (1 + i / 3),
      sigma: (v) => noise * v + 1,
    },
  );
/** Largest distance of the distribution function from that of the truth, at the nodes' middles. */
function distance(t: Float64Array, p: Float64Array, truth: (t: number) => number): number {
  let sum = 0,
    worst = 0;
  const half = t[0]! / 2;
  t.forEach((x, i) => {
    sum += p[i]!;
    worst = Math.max(worst, Math.abs(sum - truth(x + half)));
  });
  return worst;
}

test("a wedge comes out flat, with nothing beyond its end", async () => {
  const d = await thicknessDistribution(crystal, {
    beam: electrons,
    frames: await measured({ kind: "wedge" }, 0.01),
    model: { ...model, thickness: 560 },
  });
  expect(d.wr).toBeLessThan(0.02);
  expect(d.wr).toBeLessThan(0.5 * d.wrBefore);
  expect(distance(d.thickness, d.weights, (t) => Math.min(1, t / 500))).toBeLessThan(0.1);
  expect(Math.abs(d.mean / 250 - 1)).toBeLessThan(0.05);
  expect([...d.weights].every((w) => w >= 0)).toBe(true);
});
test("two plates come out as two, from a wedge as the start", async () => {
  const two: ThicknessModel = { kind: "free", fractions: [0.3, 1], weights: [0.6, 0.4] };
  const d = await thicknessDistribution(
    crystal,
    { beam: electrons, frames: await measured(two, 0.005), model },
    { smoothness: 1e-5, nodes: 25, to: 625 },
  );
  const share = (from: number, to: number): number =>
    [...d.weights].filter((_, i) => d.thickness[i]! > from && d.thickness[i]! <= to).reduce((a, b) => a + b, 0);
  expect(share(90, 210)).toBeGreaterThan(0.5);
  expect(share(90, 210)).toBeLessThan(0.7);
  expect(share(440, 560)).toBeGreaterThan(0.3);
  expect(d.wr).toBeLessThan(0.3 * d.wrBefore);
  // The model of frames is the same mixture.
  const factors = neutralCrystal(crystal, model.gMax),
    frame = (await measured(two, 0.005))[3]!,
    [a, b] = await Promise.all([
      frameIntensities(factors, [frame], { ...model, thickness: d.largest, thicknessModel: d.model }),
      frameIntensities(factors, [frame], { ...model, thicknessModel: two }),
    ]);
  let miss = 0,
    sum = 0;
  a[0]!.intensity.forEach((v, i) => {
    miss += Math.abs(v - b[0]!.intensity[i]!);
    sum += b[0]!.intensity[i]!;
  });
  expect(miss / sum).toBeLessThan(0.06);
});
test("a refinement with the free distribution fits better than plate and wedge", async () => {
  const two: ThicknessModel = { kind: "free", fractions: [0.3, 1], weights: [0.6, 0.4] },
    data = { beam: electrons, frames: await measured(two, 0.01) },
    options = {
      gMax: 1.4,
      sMax: 0.015,
      steps: 20,
      orientations: false,
      refineTiltCorrection: false,
      maxCycles: 3,
      thicknessTo: 800,
      workers: 1,
    },
    one = await runDynamical(crystal, data, options),
    free = await runDynamical(crystal, data, { ...options, freeThickness: true });
  expect(one.distribution).toBeUndefined();
  expect(free.result.models[0]!.thicknessModel.kind).toBe("free");
  expect(free.result.residuals.wrAll).toBeLessThan(0.55 * one.result.residuals.wrAll);
  // Thin parts scatter as t² and are hardly seen: what is thick says whether it is right. 40 % are 500 Å thick.
  const last = await thicknessDistribution(free.result.structure, { ...data, model: free.result.models[0]! }, { to: 650 }),
    thick = last.weights.reduce((sum, w, i) => sum + (last.thickness[i]! > 300 ? w : 0), 0);
  expect(Math.abs(thick - 0.4)).toBeLessThan(0.06);
}, 120_000);
test("two nodes are refused", async () => {
  await expect(
    thicknessDistribution(crystal, { beam: electrons, frames: await measured({ kind: "wedge" }, 0.01), model }, { nodes: 2 }),
  ).rejects.toThrow("three nodes");
});
