import { describe, expect, test } from "vitest";
import type { Image } from "../core/image.js";
import { rng } from "../core/rng.js";
import { maxRelative } from "../testing/close.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { imageSampler, interpolateLinear, type Sampling, sampleImage } from "./interpolate.js";
import { affineImage, invertAffine, polarImage, radialMean, resizeImage, rotationAbout, warpImage } from "./interpolate-warp.js";
import { cubicSpline } from "./spline.js";
import { bsplineBasis, bsplineValue, clampedKnots } from "./spline-basis.js";
import { akimaCurve, catmullRomCurve, pchipCurve } from "./spline-local.js";
import { smoothingSpline } from "./spline-smooth.js";

type Row = { name: string } & Record<
  "x" | "y" | "at" | "natural" | "notaknot" | "clamped" | "natural1" | "pchip" | "akima" | "smooth" | "bspline",
  number[]
> & { integral: number };
const c = readGolden<Row>("numerics-scipy").rows.find((r) => r.name === "curves")!;

describe("curves against scipy.interpolate", () => {
  const at = (f: (t: number) => number): number[] => c.at.map(f);
  test("cubic splines", () => {
    const natural = cubicSpline(c.x, c.y, "natural");
    expect(maxRelative(at(natural.value), c.natural)).toBeLessThan(1e-13);
    expect(
      maxRelative(
        at((t) => natural.derivative(t)),
        c.natural1,
      ),
    ).toBeLessThan(1e-13);
    expect(natural.integral(0.3, 5.9)).toBeCloseTo(c.integral, 12);
    expect(maxRelative(at(cubicSpline(c.x, c.y).value), c.notaknot)).toBeLessThan(1e-13);
    expect(maxRelative(at(cubicSpline(c.x, c.y, { startSlope: 0, endSlope: 0 }).value), c.clamped)).toBeLessThan(1e-13);
  });
  test("PCHIP and Akima", () => {
    expect(maxRelative(at(pchipCurve(c.x, c.y).value), c.pchip)).toBeLessThan(1e-13);
    expect(maxRelative(at(akimaCurve(c.x, c.y).value), c.akima)).toBeLessThan(1e-13);
  });
  test("smoothing spline of given penalty", () =>
    expect(maxRelative(at(smoothingSpline(c.x, c.y, { lambda: 0.3 }).value), c.smooth)).toBeLessThan(1e-11));
  test("B-spline", () => {
    const knots = [0, 0, 0, 0, 1, 2.5, 4, 6, 6, 6, 6];
    expect(
      maxRelative(
        [0, 0.5, 1, 2.4, 3.9, 5, 6].map((t) => bsplineValue(knots, [1, -1, 2, 0.5, 3, 1, 0], 3, t)),
        c.bspline,
      ),
    ).toBeLessThan(1e-13);
  });
});

const knots = fc.array(fc.double({ min: 0.05, max: 3, noNaN: true }), { minLength: 5, maxLength: 12 });
prop("a spline with true end slopes, or without a knot, reproduces a cubic", [knots], (steps) => {
  let t = 0;
  const x = steps.map((s) => (t += s)),
    f = (v: number): number => 0.3 * v ** 3 - v * v + 2 * v - 1,
    d = (v: number): number => 0.9 * v * v - 2 * v + 2;
  const y = x.map(f),
    last = x.at(-1)!;
  for (const s of [cubicSpline(x, y), cubicSpline(x, y, { startSlope: d(x[0]!), endSlope: d(last) })])
    for (const v of [x[0]!, (x[1]! + x[2]!) / 2, last - 0.01, last + 0.5])
      expect(Math.abs(s.value(v) - f(v))).toBeLessThan(1e-8 * (1 + Math.abs(f(last + 1))));
});
prop(
  "PCHIP stays between monotone data",
  [knots, fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 12, maxLength: 12 })],
  (steps, rises) => {
    let t = 0,
      v = 0;
    const x = steps.map((s) => (t += s)),
      y = x.map((_, k) => (v += rises[k]!)),
      curve = pchipCurve(x, y);
    let before = y[0]!;
    for (let k = 0; k <= 200; k++) {
      const now = curve.value(x[0]! + ((x.at(-1)! - x[0]!) * k) / 200);
      expect(now).toBeGreaterThanOrEqual(before - 1e-9);
      before = now;
    }
  },
);
test("all curves pass through their knots; wrong knots are named", () => {
  for (const make of [cubicSpline, pchipCurve, akimaCurve, catmullRomCurve]) {
    const curve = make(c.x, c.y);
    expect(maxRelative(c.x.map(curve.value), c.y)).toBeLessThan(1e-14);
  }
  expect(() => cubicSpline([0, 1, 1], [1, 2, 3])).toThrow(/rises strictly/);
  expect(interpolateLinear([0, 1, 3], [0, 2, 6], 2)).toBe(4);
  expect([interpolateLinear([0, 1], [5, 6], -1), interpolateLinear([0, 1], [5, 6], 2, 0)]).toEqual([5, 0]);
});
test("smoothing: limits and cross-validation", () => {
  const g = rng(5),
    x = Array.from({ length: 80 }, (_, i) => i / 10),
    truth = x.map((v) => Math.sin(v)),
    y = truth.map((v) => v + 0.2 * g.normal());
  const stiff = smoothingSpline(x, y, { lambda: 1e9 });
  expect(stiff.freedom).toBeCloseTo(2, 3);
  expect(Math.abs(stiff.derivative(4, 2))).toBeLessThan(1e-6);
  const loose = smoothingSpline(x, y, { lambda: 0 });
  expect(loose.freedom).toBeCloseTo(80, 9);
  expect(maxRelative(loose.y, y)).toBeLessThan(1e-12);
  const s = smoothingSpline(x, y);
  const rms = Math.sqrt(truth.reduce((a, v, i) => a + (v - s.y[i]!) ** 2, 0) / 80);
  expect(rms).toBeLessThan(0.1);
  expect(s.freedom).toBeGreaterThan(4);
  expect(s.freedom).toBeLessThan(20);
  // The trace by brute force: response of each fitted value to its own datum.
  let trace = 0;
  for (let i = 0; i < 80; i++) {
    const moved = y.slice();
    moved[i]! += 1;
    trace += smoothingSpline(x, moved, { lambda: s.lambda }).y[i]! - s.y[i]!;
  }
  expect(trace).toBeCloseTo(s.freedom, 6);
});
prop(
  "B-splines sum to one and are not negative",
  [fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 1, noNaN: true })],
  (degree, t) => {
    const { values } = bsplineBasis(clampedKnots(0, 1, 7, degree), degree, t);
    expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(values.every((v) => v >= -1e-15)).toBe(true);
  },
);

const ramp: Image = { data: Float32Array.from({ length: 20 * 30 }, (_, i) => 2 * (i % 30) - 3 * Math.floor(i / 30)), shape: [20, 30] };
const wave: Image = {
  data: Float32Array.from({ length: 60 * 60 }, (_, i) => Math.sin((i % 60) / 5) * Math.cos(Math.floor(i / 60) / 6)),
  shape: [60, 60],
};
describe("images", () => {
  test.each(["linear", "cubic", "lanczos3"] as Sampling[])("%s: exact at pixels, good between", (sampling) => {
    expect(sampleImage(wave, 7, 9, sampling)).toBeCloseTo(wave.data[9 * 60 + 7]!, 12);
    let worst = 0;
    const at = imageSampler(wave, { sampling });
    for (let k = 0; k < 200; k++) {
      const x = 10 + 0.2 * k,
        y = 50 - 0.19 * k;
      worst = Math.max(worst, Math.abs(at(x, y) - Math.sin(x / 5) * Math.cos(y / 6)));
    }
    expect(worst).toBeLessThan({ linear: 0.012, cubic: 1.5e-3, lanczos3: 8e-3, nearest: 1 }[sampling]);
    expect(at(-1, 5)).toBeNaN();
  });
  test("cubic and linear sampling reproduce a ramp", () => {
    for (const s of ["linear", "cubic"] as const) expect(sampleImage(ramp, 10.3, 8.7, s)).toBeCloseTo(2 * 10.3 - 3 * 8.7, 10);
    expect(sampleImage(ramp, 10.4, 8.6, "nearest")).toBe(2 * 10 - 3 * 9);
  });
  test("affine maps move content where they say, and back", () => {
    const map = rotationAbout(29.5, 29.5, 0.3, 1.1),
      there = affineImage(wave, map, { sampling: "cubic" }),
      back = affineImage(there, invertAffine(map), { sampling: "cubic" });
    const [a, b, e, d, f, h] = map;
    expect(sampleImage(there, a * 30 + b * 22 + e, d * 30 + f * 22 + h, "cubic")).toBeCloseTo(wave.data[22 * 60 + 30]!, 2);
    let worst = 0;
    for (let y = 20; y < 40; y++)
      for (let x = 20; x < 40; x++) worst = Math.max(worst, Math.abs(back.data[y * 60 + x]! - wave.data[y * 60 + x]!));
    expect(worst).toBeLessThan(0.01);
    expect(warpImage(ramp, (x, y) => [x + 1, y]).data[0]).toBe(2);
    expect(() => invertAffine([1, 2, 0, 2, 4, 0])).toThrow(/no inverse/);
  });
  test("resizing keeps constants, ramps and, shrinking, the mean", () => {
    const flat: Image = { data: new Float32Array(100).fill(7), shape: [10, 10] };
    expect(resizeImage(flat, [7, 23]).data.every((v) => Math.abs(v - 7) < 1e-5)).toBe(true);
    const big = resizeImage(ramp, [40, 60]);
    expect(big.data[20 * 60 + 30]).toBeCloseTo(2 * (30.5 / 2 - 0.5) - 3 * (20.5 / 2 - 0.5), 1);
    const small = resizeImage(wave, [15, 15]),
      mean = (a: Float32Array): number => a.reduce((s, v) => s + v, 0) / a.length;
    expect(mean(small.data)).toBeCloseTo(mean(wave.data), 2);
  });
  test("polar transform and radial mean of a round function", () => {
    const round: Image = {
      data: Float32Array.from({ length: 81 * 81 }, (_, i) => Math.exp(-(((i % 81) - 40.3) ** 2 + (Math.floor(i / 81) - 39.6) ** 2) / 200)),
      shape: [81, 81],
    };
    const p = polarImage(round, [40.3, 39.6], { maxRadius: 30, angularSteps: 90, sampling: "cubic" });
    expect(p.shape).toEqual([90, 31]);
    for (let j = 0; j < 90; j += 7)
      for (let i = 0; i < 31; i += 5) expect(p.data[j * 31 + i]).toBeCloseTo(Math.exp(-(p.radii[i]! ** 2) / 200), 3);
    const r = radialMean(round, [40.3, 39.6]);
    expect(r.mean[10]).toBeCloseTo(Math.exp(-(10.5 ** 2) / 200), 1);
    expect(r.count.reduce((a, b) => a + b, 0)).toBe(81 * 81);
  });
});
