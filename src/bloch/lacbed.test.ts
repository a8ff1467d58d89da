import { expect, test } from "vitest";
import { describeData } from "../testing/data.js";
import { lithiumNiobate, measuredNiobate, niobatePatterns } from "../testing/lacbed.js";
import { fitPatterns, lacbedPatterns, zeroMeanCorrelation } from "./lacbed.js";

const pixels = 21;
const options = {
  zone: [1, -1, 0],
  right: [1, 1, 0],
  down: [0, 0, 1],
  halfRange: 0.725,
  pixels,
  selection: { strength: 0.02, sMax: 0.006 },
} as const;

describeData("LiNbO3, measured digital LACBED", ["3ded/lacbed_dm3/LiNbO3/LiNbO3_+0+0+0.dm3"], () => {
  test("the thickness comes out, and every pattern agrees", async () => {
    const thickness = Float64Array.from({ length: 14 }, (_, i) => 940 + 40 * i);
    const disks = lacbedPatterns(lithiumNiobate(1.9), Int32Array.from(niobatePatterns.flat()), { ...options, thickness });
    const fit = fitPatterns(disks, await measuredNiobate(pixels));
    expect(fit.thickness).toBeGreaterThan(1120);
    expect(fit.thickness).toBeLessThan(1260);
    expect(fit.mean[fit.index]!).toBeGreaterThan(0.85);
    expect(Math.min(...fit.each)).toBeGreaterThan(0.75);
    // one direction a pixel against means over 8 × 8 pixels: 0.864 here, 0.905 with 42 pixels (lacbed.validate.ts)
    expect(fit.mean[0]!).toBeLessThan(fit.mean[fit.index]! - 0.1);
  });
});
test("correlation", () => {
  const a = [1, 2, 3, 4, Number.NaN];
  expect(zeroMeanCorrelation(a, [10, 20, 30, 40, 0])).toBeCloseTo(1, 14);
  expect(zeroMeanCorrelation(a, [4, 3, 2, 1, 5])).toBeCloseTo(-1, 14);
  expect(zeroMeanCorrelation(a, [1, 1, 1, 1, 1])).toBeNaN();
  expect(() => zeroMeanCorrelation(a, [1])).toThrow("bad-shape");
});
test("bad ranges are refused", () => {
  const crystal = lithiumNiobate(0.5),
    hkl = Int32Array.of(0, 0, 0),
    thickness = Float64Array.of(100);
  expect(() => lacbedPatterns(crystal, hkl, { ...options, thickness, halfRange: -1 })).toThrow("halfRange");
  expect(() => lacbedPatterns(crystal, hkl, { ...options, thickness, right: [0, 0, 0] })).toThrow("axis");
  expect(() => lacbedPatterns(crystal, hkl, { ...options, thickness: Float64Array.of(Number.NaN) })).toThrow("thickness");
  expect(() => fitPatterns(lacbedPatterns(crystal, hkl, { ...options, thickness, pixels: 2 }), new Float64Array(1))).toThrow("picture");
});
