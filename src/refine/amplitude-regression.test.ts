import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { amplitudeRegression, bandScale, linearised, outliersOfBand, regressionAt } from "./amplitude-regression.js";

/** √I_calc = x − 1e-7·x³ of exact amplitudes x up to 1000, with noise in the measured ones. */
const curved = (noise: number) => {
  const r = rng(4);
  const x = Float64Array.from({ length: 800 }, () => 1000 * r.uniform() ** 2);
  const sigma = x.map((v) => 2 * v * noise + 20);
  const measured = x.map((v, i) => v * v + sigma[i]! * r.normal());
  return { x, measured, sigma, calculated: x.map((v) => (v - 1e-7 * v ** 3) ** 2) };
};

test("the cubic comes back with its s.u., and strong outliers do not move it", () => {
  const { measured, sigma, calculated } = curved(3);
  for (let i = 0; i < 800; i += 40) calculated[i]! *= 3;
  const fit = amplitudeRegression(measured, sigma, calculated);
  expect(fit.count).toBeGreaterThan(500);
  [1, 0, -1e-7].forEach((v, k) => {
    expect(Math.abs(fit.coefficients[k]! - v)).toBeLessThan(4 * fit.su[k]! + 1e-9);
  });
  expect(fit.su[0]).toBeLessThan(0.02);
  expect(regressionAt(fit, 500).value).toBeCloseTo(500 - 1e-7 * 500 ** 3, -1);
});

test("linearised intensities are those of the model; their σ follow the slope", () => {
  const { measured, sigma, calculated } = curved(1e-3);
  const fit = amplitudeRegression(measured, sigma, calculated);
  const straight = linearised(fit, measured, sigma);
  const again = amplitudeRegression(straight.intensity, straight.sigma, calculated);
  expect(Math.abs(again.coefficients[0] / fit.coefficients[0] - 1)).toBeLessThan(0.01);
  expect(Math.abs(again.coefficients[2])).toBeLessThan(0.1 * 1e-7);
  const k = measured.reduce((m, v, i) => (v > measured[m]! ? i : m), 0),
    x = Math.sqrt(measured[k]!);
  const step = 1e-3 * measured[k]!;
  const moved = linearised(
    fit,
    measured.map((v, i) => (i === k ? v + step : v)),
    sigma,
  ).intensity[k]!;
  expect((moved - straight.intensity[k]!) / step).toBeCloseTo(straight.sigma[k]! / sigma[k]!, 2);
  expect(straight.intensity[k]!).toBeLessThan(x * x);
  const negative = linearised(fit, Float64Array.of(-5), Float64Array.of(3));
  expect([negative.intensity[0], negative.sigma[0]]).toEqual([-5, 3]);
});

test("the band of the ceramics paper: 15 + 0.1·√I_obs on amplitudes of some hundreds", () => {
  const measured = Float64Array.of(100 ** 2, 100 ** 2, 400 ** 2, 0),
    calculated = Float64Array.of(124 ** 2, 126 ** 2, 340 ** 2, 14 ** 2);
  const found = outliersOfBand(measured, calculated);
  expect(found.map((f) => f.row)).toEqual([2, 1]);
  expect(found[0]!.excess).toBeCloseTo(-60 / 55, 10);
  expect(outliersOfBand(measured, calculated, { scale: 0.1 })).toEqual([]);
  expect(bandScale(Float64Array.from({ length: 1000 }, (_, i) => i * i))).toBeCloseTo(1000 / 995, 2);
});

test("too few reflections, a curve that falls", () => {
  expect(() => amplitudeRegression(Float64Array.of(1), Float64Array.of(0.1), Float64Array.of(1))).toThrow(/ten reflections/);
  const falling = { coefficients: [1, 0, -1e-5] as const, su: [0, 0, 0] as const, variance: 0, range: 1000, count: 50 };
  expect(() => linearised(falling, Float64Array.of(1), Float64Array.of(1))).toThrow(/does not rise/);
});
