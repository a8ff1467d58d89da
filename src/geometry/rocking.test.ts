import { expect, test } from "vitest";
import { describeData, readDataText } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { bell, bellIntegral, camel, partiality, rockingWeight, rockingWidth } from "./rocking.js";

const num = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const integrate = (f: (x: number) => number, a: number, b: number, n = 4000): number => {
  let sum = 0;
  for (let i = 0; i <= n; i++) sum += (i === 0 || i === n ? 1 : i % 2 ? 4 : 2) * f(a + ((b - a) * i) / n);
  return (sum * (b - a)) / (3 * n);
};

prop("the integral of the bell is the integral of the bell", [num(-0.01, 0.01), num(0.0005, 0.004), num(0, 1)], (s, sigma, eta) => {
  expect(bellIntegral(s, sigma, eta) - bellIntegral(-0.012, sigma, eta)).toBeCloseTo(
    integrate((x) => bell(x, sigma, eta), -0.012, s),
    8,
  );
});

prop("half maximum of Gaussian and Lorentzian is at the same place", [num(0.0005, 0.01), num(0, 1)], (sigma, eta) => {
  const half = Math.sqrt(2 * Math.LN2) * sigma;
  expect(bell(half, sigma, eta) / bell(0, sigma, eta)).toBeCloseTo(0.5, 12);
});

prop(
  "camel is the circular mean of bells; its Lorentzian part in closed form agrees with the sum",
  [num(-0.03, 0.03), num(0, 0.02), num(0.0008, 0.004), num(0, 1)],
  (s, a, sigma, eta) => {
    const n = 4096;
    let sum = 0;
    for (let i = 0; i < n; i++) sum += bell(s - a * Math.cos((2 * Math.PI * (i + 0.5)) / n), sigma, eta) / n;
    expect(camel(s, a, sigma, eta)).toBeCloseTo(sum, 8);
  },
);

test("camel has unit area and two humps near ±a", () => {
  expect(integrate((s) => camel(s, 0.015, 0.001), -0.03, 0.03)).toBeCloseTo(1, 9);
  expect(camel(0.0145, 0.015, 0.001)).toBeGreaterThan(2 * camel(0, 0.015, 0.001));
});

prop(
  "continuous weight is the mean of the bell over the sweep, for short and long sweeps",
  [num(-0.01, 0.01), num(1e-6, 0.01), num(0.0008, 0.004), num(0, 1)],
  (s, half, sigma, eta) => {
    const mean = integrate((x) => bell(x, sigma, eta), s - half, s + half, 2000) / (2 * half);
    expect(rockingWeight(s, half, sigma, "continuous", eta) / mean).toBeCloseTo(1, 6);
  },
);

test("partialities of a sweep cut in ten add up to that of the whole", () => {
  let sum = 0;
  for (let i = 0; i < 10; i++) sum += partiality(0.001 + (i - 4.5) * 0.001, 0.0005, 0.0015);
  expect(sum).toBeCloseTo(partiality(0.001, 0.005, 0.0015), 12);
  expect(partiality(0, 1, 0.001)).toBeCloseTo(1, 12);
  expect(rockingWeight(0.001, 0, 0.001, "static")).toBe(bell(0.001, 0.001));
});

describeData("glycine rocking curves", ["3ded/glycine_pets/glycine.cml"], () => {
  test("the fitted curves of PETS2 are bells of σ = σ0 + g·mosaicity", () => {
    const rows = readDataText("3ded/glycine_pets/glycine.cml")
      .split("\n")
      .map((l) => l.trim().split(/\s+/).map(Number))
      .filter((r) => r.length === 5 && r.every(Number.isFinite));
    const points: [number, number][] = [];
    for (const g of new Set(rows.map((r) => r[0]!))) {
      const list = rows.filter((r) => r[0] === g);
      // ln of a Gaussian is a parabola: the slope of ln y over s² between the strong points is −1/2σ². The file names each bin by
      // its lower edge: the curves are symmetric about minus half a step.
      const step = list[1]![1]! - list[0]![1]!;
      const centre = (r: readonly number[]): number => r[1]! + step / 2;
      const strong = list.filter((r) => r[4]! > 0.05);
      if (strong.length < 3) continue;
      const mx = strong.reduce((sum, r) => sum + centre(r) ** 2, 0) / strong.length,
        my = strong.reduce((sum, r) => sum + Math.log(r[4]!), 0) / strong.length;
      const xy = strong.reduce((sum, r) => sum + (centre(r) ** 2 - mx) * (Math.log(r[4]!) - my), 0),
        xx = strong.reduce((sum, r) => sum + (centre(r) ** 2 - mx) ** 2, 0);
      points.push([g, Math.sqrt(-xx / (2 * xy))]);
    }
    const model = { rcWidth: 0.0013675, mosaicityDeg: (0.0037633 * 180) / Math.PI };
    expect(points.length).toBeGreaterThanOrEqual(15);
    for (const [g, sigma] of points) expect(Math.abs(sigma - rockingWidth(model, g))).toBeLessThan(1.5e-5);
  });
});
