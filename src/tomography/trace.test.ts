import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { scoreAtoms } from "../testing/atoms-score.js";
import { traceAtoms } from "./trace.js";
import { otsuThreshold, twoGaussians, valleyThreshold } from "./trace-threshold.js";

/** Gaussian atoms on a disturbed fcc lattice in a noisy volume. */
function volume(noise: number) {
  const random = rng("trace"),
    n = 44,
    pixel = 0.4,
    data = new Float32Array(n ** 3),
    truth: number[] = [];
  const a = 3.9;
  for (let k = -3; k <= 3; k++)
    for (let j = -3; j <= 3; j++)
      for (let i = -3; i <= 3; i++)
        if (((i + j + k) & 1) === 0 && Math.hypot(i, j, k) < 3.4) truth.push(...[i, j, k].map((v) => (v * a) / 2 + 0.1 * random.normal()));
  for (let m = 0; m < truth.length; m += 3) {
    const h = random.uniform() < 0.5 ? 1 : 2.2;
    const c = [0, 1, 2].map((k) => truth[m + k]! / pixel + n / 2);
    for (let z = Math.max(0, Math.floor(c[2]! - 6)); z < Math.min(n, c[2]! + 6); z++)
      for (let y = Math.max(0, Math.floor(c[1]! - 6)); y < Math.min(n, c[1]! + 6); y++)
        for (let x = Math.max(0, Math.floor(c[0]! - 6)); x < Math.min(n, c[0]! + 6); x++)
          data[(z * n + y) * n + x]! += h * Math.exp(-((x - c[0]!) ** 2 + (y - c[1]!) ** 2 + (z - c[2]!) ** 2) / (2 * 1.35 ** 2));
  }
  for (let i = 0; i < data.length; i++) data[i]! += noise * random.normal();
  return { volume: { data, shape: [n, n, n] as const }, truth: Float64Array.from(truth), pixel };
}

describe("tracing", () => {
  test.each(["joint", "polynomial", "gaussian"] as const)("%s fits find all atoms without help", (method) => {
    const { volume: v, truth, pixel } = volume(0.05);
    const traced = traceAtoms(v, { pixel, method });
    const s = scoreAtoms(traced.positions, truth);
    expect(s.found).toBe(1);
    expect(s.falseFraction).toBe(0);
    expect(traced.separated).toBe(true);
    expect(s.rmsdPm).toBeLessThan(4);
    expect(Math.hypot(...s.shift)).toBeLessThan(0.01);
    expect(traced.width).toBeGreaterThan(0.45);
    expect(traced.width).toBeLessThan(0.7);
  });
  test("overlapping Gaussians fitted together are found exactly, with their width, on a background; alone they are drawn to each other", () => {
    const n = 32,
      truth = [
        [12.3, 15.8, 16.1, 10],
        [17.4, 16.2, 15.7, 6],
        [15.1, 20.6, 17.2, 8],
      ];
    const data = new Float32Array(n ** 3).fill(0.7);
    for (let z = 0, i = 0; z < n; z++)
      for (let y = 0; y < n; y++)
        for (let x = 0; x < n; x++, i++)
          for (const [a, b, c, h] of truth) data[i]! += h! * Math.exp(-((x - a!) ** 2 + (y - b!) ** 2 + (z - c!) ** 2) / (2 * 1.9 ** 2));
    const worst = (method: "joint" | "polynomial"): number => {
      const t = traceAtoms({ data, shape: [n, n, n] }, { pixel: 1, threshold: 2, minDistance: 3, method });
      expect(t.size).toBe(3);
      if (method === "joint") {
        expect(t.width).toBeCloseTo(1.9, 2);
        expect(Math.abs(t.heights[0]! - 10)).toBeLessThan(0.1);
      }
      return Math.max(
        ...truth.map((p) => Math.min(...[0, 1, 2].map((a) => Math.hypot(...[0, 1, 2].map((k) => t.positions[3 * a + k]! + 16 - p[k]!))))),
      );
    };
    expect(worst("joint")).toBeLessThan(0.01);
    expect(worst("polynomial")).toBeGreaterThan(0.05);
  });
  test("a quartic is found exactly", () => {
    const n = 20,
      data = new Float32Array(n ** 3),
      c = [9.7, 10.3, 9.9];
    for (let z = 0, i = 0; z < n; z++)
      for (let y = 0; y < n; y++)
        for (let x = 0; x < n; x++, i++) {
          const [u, v, w] = [x - c[0]!, y - c[1]!, z - c[2]!];
          data[i] = 50 - u * u - 2 * v * v - w * w - 0.5 * u * v + 0.1 * u * w - 0.05 * u ** 4 - 0.02 * v * v * w * w - 0.03 * w ** 4;
        }
    const t = traceAtoms({ data, shape: [n, n, n] }, { pixel: 1, threshold: 49, minDistance: 3, method: "polynomial" });
    expect(t.size).toBe(1);
    for (let k = 0; k < 3; k++) expect(t.positions[k]! + 10).toBeCloseTo(c[k]!, 5);
    expect(t.heights[0]).toBeCloseTo(50, 4);
  });
  test("support, threshold and distance are obeyed", () => {
    const { volume: v, pixel } = volume(0.05),
      n = v.shape[0];
    const half = Uint8Array.from({ length: v.data.length }, (_, i) => (i % n < n / 2 ? 1 : 0));
    const t = traceAtoms(v, { pixel, support: half });
    expect(t.size).toBeGreaterThan(20);
    for (let a = 0; a < t.size; a++) expect(t.positions[3 * a]!).toBeLessThan(pixel);
    expect(traceAtoms(v, { pixel, threshold: 1.6 }).size).toBeLessThan(traceAtoms(v, { pixel }).size);
    expect(traceAtoms(v, { pixel, minDistance: 5 }).size).toBeLessThan(30);
    const within = traceAtoms(v, { pixel, margin: [n / 2 - 3, 0, 0] });
    expect(within.size).toBeGreaterThan(10);
    for (let a = 0; a < within.size; a++) expect(Math.abs(within.positions[3 * a + 2]! + pixel / 2)).toBeLessThan(4 * pixel);
    expect(() => traceAtoms(v, { pixel, margin: [0.5, 0, 0] })).toThrow("margin");
    expect(() => traceAtoms({ data: v.data.slice(1), shape: v.shape }, { pixel })).toThrow("bad-shape");
    expect(() => traceAtoms(v, { pixel: 0 })).toThrow("pixel");
    expect(traceAtoms({ data: new Float32Array(1000), shape: [10, 10, 10] }, { pixel }).size).toBe(0);
  });
});

describe("thresholds", () => {
  const random = rng("thresholds");
  const crowd = (n: number, m: number, s: number) => Array.from({ length: n }, () => m + s * random.normal());
  test("Otsu and two Gaussians part two crowds", () => {
    const v = [...crowd(400, 1, 0.2), ...crowd(300, 4, 0.4)];
    expect(otsuThreshold(v)).toBeGreaterThan(1.55);
    expect(otsuThreshold(v)).toBeLessThan(3);
    const g = twoGaussians(v);
    expect(g.means[0]).toBeCloseTo(1, 1);
    expect(g.means[1]).toBeCloseTo(4, 0);
    expect(g.weights[0]).toBeCloseTo(4 / 7, 2);
    expect(g.threshold).toBeGreaterThan(1.5);
    expect(g.threshold).toBeLessThan(3);
  });
  test("the valley lies below the lightest species", () => {
    const noise = Array.from({ length: 3000 }, () => -0.15 * Math.log(1 - random.uniform()));
    const { threshold, middle, found } = valleyThreshold([...noise, ...crowd(500, 2, 0.15), ...crowd(900, 4.5, 0.3)]);
    expect(found).toBe(true);
    expect(middle).toBeGreaterThan(threshold);
    expect(middle).toBeLessThan(1.65);
    expect(threshold).toBeGreaterThan(0.7);
    expect(threshold).toBeLessThan(1.65);
  });
});
