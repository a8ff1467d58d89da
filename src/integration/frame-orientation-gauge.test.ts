import { expect, test } from "vitest";
import { compose, transpose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { petsAngles } from "../geometry/goniometer.js";
import { type FrameGeometry, petsRotation } from "../geometry/index.js";
import { rotationFromVector } from "../geometry/rotation-forms.js";
import { fc, prop } from "../testing/prop.js";
import { learnedSpread, regauge } from "./frame-orientation-gauge.js";
import type { Orientation } from "./index-lattice.js";

const ub: Orientation = [0.1, 0.01, 0, 0, 0.12, 0.02, 0, 0, 0.09];
const turn = fc.double({ min: -0.4, max: 0.4, noNaN: true });

prop("a turn of crystal against stage goes back into UB, and no prediction moves", [turn, turn, turn], (x, y, z) => {
  const r = rng("gauge"),
    spread = { alpha: 0.05, beta: 0.03, omega: 0.01 };
  const origin: FrameGeometry[] = Array.from({ length: 121 }, (_, i) => ({ alphaDeg: i - 60, betaDeg: 0, omegaDeg: -86 }));
  const truth = origin.map((f) => ({
    alphaDeg: f.alphaDeg + 0.05 * r.normal(),
    betaDeg: 0.03 * r.normal(),
    omegaDeg: 273.9 + 0.01 * r.normal(),
  }));
  const t = rotationFromVector<"sample", "sample">([(x * Math.PI) / 180, (y * Math.PI) / 180, (z * Math.PI) / 180]);
  const seen = truth.map((f) => ({ ...f, ...petsAngles(compose(petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg), transpose(t))) }));
  const su = new Float64Array(121).fill(0.01);
  const fixed = regauge(compose(t, ub), seen, origin, spread, { alpha: su, beta: su, omega: su });
  expect(Math.abs(fixed.omegaShiftDeg + 0.1)).toBeLessThan(0.012); // 273.9° is −86.1°
  fixed.frames.forEach((f, i) => {
    expect(Math.abs(f.alphaDeg - truth[i]!.alphaDeg)).toBeLessThan(0.02);
    expect(Math.abs(f.betaDeg - truth[i]!.betaDeg)).toBeLessThan(0.03); // ± 0.01° of the turn about z, times tan 60°
    expect(Math.abs(f.omegaDeg + 360 - truth[i]!.omegaDeg)).toBeLessThan(0.03);
    const before = compose(petsRotation(seen[i]!.alphaDeg, seen[i]!.betaDeg, seen[i]!.omegaDeg), compose(t, ub));
    const after = compose(petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg), fixed.ub);
    after.forEach((v, k) => {
      expect(v).toBeCloseTo(before[k as 0]!, 10);
    });
  });
});

test("the spread of the errors is learned through the shrinkage of the estimates", () => {
  for (const [tau, noise] of [
    [0.05, 0.01],
    [0.03, 0.03],
    [0.01, 0.02],
  ] as const) {
    const r = rng("spread").fork(tau);
    const seen = Array.from({ length: 2000 }, () => tau * r.normal() + noise * r.normal());
    let prior = 0.3;
    for (let round = 0; round < 60; round++) {
      const shrink = prior ** 2 / (prior ** 2 + noise ** 2);
      prior = learnedSpread(
        seen.map((v) => v * shrink),
        seen.map(() => noise * Math.sqrt(shrink)),
        prior,
        1e-4,
      );
    }
    expect(Math.abs(prior / tau - 1)).toBeLessThan(0.25);
  }
});

test("a prior that decides everything itself is kept", () => {
  const small = new Float64Array(50).fill(1e-3);
  expect(learnedSpread(small, new Float64Array(50).fill(0.3), 0.3, 1e-3)).toBe(0.3);
});
