import { describe, expect, test } from "vitest";
import type { Image } from "../core/image.js";
import { rng } from "../core/rng.js";
import { maxRelative } from "../testing/close.js";
import { readGolden } from "../testing/golden.js";
import * as f from "./filters.js";
import { binImage, frameSum, imageStatistics, localStatistics, meanFilter } from "./filters-local.js";

type Row = { name: string } & Record<string, number[]>;
const gold = readGolden<Row>("numerics-scipy").rows.find((r) => r.name === "filters")!;
const image: Image = { data: Float32Array.from(gold.image!), shape: [7, 9] };
const k: Image = { data: Float32Array.from({ length: 9 }, (_, i) => i), shape: [3, 3] };

const cases: [string, Image, string][] = [
  ["Gaussian", f.gaussianFilter(image, 1.3, { truncate: 5 / 1.3 }), "gaussian"],
  ["Gaussian, nearest edge", f.gaussianFilter(image, 1.3, { edge: "nearest", truncate: 5 / 1.3 }), "nearest"],
  ["mean", meanFilter(image, 2, { edge: "mirror" }), "uniform"],
  ["median", f.medianFilter(image, [1, 2]), "median"],
  ["maximum", f.maximumFilter(image, [2, 1]), "maximum"],
  ["minimum", f.minimumFilter(image, 1), "minimum"],
  ["convolution", f.convolveImage(image, k, { edge: "zero" }), "convolve"],
  ["correlation", f.correlateImage(image, k), "correlate"],
  ["Laplacian", f.laplacian(image), "laplace"],
  ["Sobel y", f.sobel(image).dy, "sobely"],
  ["Sobel x", f.sobel(image).dx, "sobelx"],
];
test.each(cases)("%s against scipy.ndimage", (_, ours, name) => expect(maxRelative(ours.data, gold[name]!)).toBeLessThan(1e-6));

const g = rng("filters");
const counts: Image = { data: Float32Array.from({ length: 40 * 50 }, () => g.poisson(8)), shape: [40, 50] };
const mask = Uint8Array.from(counts.data, () => (g.uniform() < 0.3 ? 1 : 0));

test("masked local statistics are those of the good pixels of each window", () => {
  const r = localStatistics(counts, [3, 2], { mask });
  for (const [y, x] of [
    [0, 0],
    [5, 49],
    [20, 20],
    [39, 1],
  ] as const) {
    const v: number[] = [];
    for (let j = Math.max(0, y - 3); j <= Math.min(39, y + 3); j++)
      for (let i = Math.max(0, x - 2); i <= Math.min(49, x + 2); i++) if (!mask[j * 50 + i]) v.push(counts.data[j * 50 + i]!);
    const m = v.reduce((a, b) => a + b, 0) / v.length;
    expect(r.count.data[y * 50 + x]).toBe(v.length);
    expect(r.mean.data[y * 50 + x]).toBeCloseTo(m, 5);
    expect(r.variance.data[y * 50 + x]).toBeCloseTo(v.reduce((a, b) => a + (b - m) ** 2, 0) / v.length, 4);
  }
});

test("Gaussian derivatives of a paraboloid are exact inside", () => {
  const p: Image = {
    data: Float32Array.from({ length: 41 * 41 }, (_, i) => 0.5 * ((i % 41) - 20) ** 2 + 3 * (Math.floor(i / 41) - 20)),
    shape: [41, 41],
  };
  const mid = 20 * 41 + 20;
  expect(f.gaussianFilter(p, 2, { order: [0, 2] }).data[mid]).toBeCloseTo(1, 3);
  expect(f.gaussianFilter(p, 2, { order: [1, 0] }).data[mid]).toBeCloseTo(3, 3);
  expect(f.gaussianFilter(p, 2, { order: [0, 1] }).data[mid + 5]).toBeCloseTo(5, 3);
});

test("median of 16-bit counts agrees with the float median away from the edges", () => {
  const u = { data: Uint16Array.from(counts.data), shape: counts.shape };
  const a = f.medianFilterU16(u, 2).data,
    b = f.medianFilter(counts, 2).data;
  for (let y = 2; y < 38; y++) for (let x = 2; x < 48; x++) expect(a[y * 50 + x]).toBe(b[y * 50 + x]);
});

describe("binning", () => {
  const small: Image = { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), shape: [3, 5] };
  test("drops what fills no block, scales for masked pixels", () => {
    expect(binImage(small, 2).image).toEqual({ data: Float32Array.of(16, 24), shape: [1, 2] });
    const m = new Uint8Array(15);
    m[0] = 1;
    expect(binImage(small, 2, { mask: m }).image.data[0]).toBeCloseTo(((2 + 6 + 7) * 4) / 3, 5);
  });
  test("one saturated pixel spoils its block, though the sum is small", () =>
    expect([...binImage(small, 2, { saturation: 9 }).mask]).toEqual([0, 1]));
  test("counts are conserved", () => {
    const sum = (a: Image): number => a.data.reduce((x, y) => x + y, 0);
    expect(sum(binImage(counts, 5).image)).toBe(sum(counts));
  });
});

test("frame sums, statistics and the pixel-wise median", () => {
  const frames = Array.from({ length: 5 }, (_, i): Image => ({ data: counts.data.map((v) => v + i * i), shape: counts.shape }));
  const s = frameSum(counts.shape);
  for (const a of frames) s.add(a);
  expect(s.count).toBe(5);
  expect(s.mean().data[7]).toBe(counts.data[7]! + 6);
  expect(s.variance().data[9]).toBeCloseTo(43.5, 4);
  expect(f.medianOfFrames(frames).data[3]).toBe(counts.data[3]! + 4);
  const st = imageStatistics(counts, { mask });
  expect(st.count).toBe(mask.filter((m) => m === 0).length);
  expect(st.mean).toBeGreaterThan(7.5);
  expect(() => s.add(image)).toThrow(/one shape/);
});

test("wrong calls are named", () => {
  expect(() => f.gaussianFilter({ data: new Float32Array(5), shape: [2, 3] }, 1)).toThrow(/bad-shape/);
  expect(() => f.gaussianFilter(image, 0)).toThrow(/positive/);
  expect(() => f.medianFilter(image, 1.5)).toThrow(/half size/);
  expect(() => binImage(image, 0)).toThrow(/factor/);
});
