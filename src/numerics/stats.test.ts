import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { maxRelative } from "../testing/close.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { normalCdf } from "./erf.js";
import { binEdges, densityEstimate, histogram, histogramQuantile } from "./histogram.js";
import { lineFit, ransacLine, robustLine, theilSenLine } from "./robust-line.js";
import { biweightLocation, huberLocation, MAD_TO_SIGMA, medianAbsoluteDeviation, sigmaClip, trimmedMean } from "./robust-location.js";
import { correlation, emptyMoments, mean, mergeMoments, moments, rankCorrelation, ranks, variance, weightedMean } from "./stats.js";
import { kolmogorovQ, ksTest, ksTwoSample } from "./stats-ks.js";
import { median, quantile, quantiles, selectInPlace, weightedMedian } from "./stats-select.js";

type Row = { name: string } & Record<string, number[]> & { variance: number };
const rows = readGolden<Row>("numerics-scipy").rows;
const s = rows.find((r) => r.name === "sample")! as unknown as Record<
  "v" | "w" | "u" | "quantiles" | "theil" | "line" | "kde" | "hist",
  number[]
> &
  Record<"median" | "variance" | "mad" | "trimmed" | "wmean" | "pearson" | "spearman" | "ks1" | "ks2", number>;

describe("against NumPy and scipy.stats", () => {
  test("location and spread", () => {
    expect(median(s.v)).toBe(s.median);
    expect(maxRelative(quantiles(s.v, [0, 0.1, 0.25, 0.333, 0.9, 1]), s.quantiles)).toBeLessThan(1e-14);
    expect(variance(s.v)).toBeCloseTo(s.variance, 13);
    expect(medianAbsoluteDeviation(s.v)).toBeCloseTo(s.mad, 14);
    expect(trimmedMean(s.v, 0.1)).toBeCloseTo(s.trimmed, 13);
    expect(weightedMean(s.v, s.w).mean).toBeCloseTo(s.wmean, 13);
  });
  test("correlation and lines", () => {
    expect(correlation(s.v, s.u)).toBeCloseTo(s.pearson, 13);
    expect(rankCorrelation(s.v, s.u)).toBeCloseTo(s.spearman, 13);
    const t = theilSenLine(s.v, s.u);
    expect(t.slope).toBeCloseTo(s.theil[0]!, 13);
    const l = lineFit(s.v, s.u);
    expect(maxRelative([l.slope, l.intercept, l.sigmaSlope, l.sigmaIntercept], s.line)).toBeLessThan(1e-12);
  });
  test("distributions", () => {
    expect(ksTwoSample(s.v, s.u).statistic).toBeCloseTo(s.ks2, 14);
    expect(ksTest(s.v, (x) => normalCdf((x - 5) / 2)).statistic).toBeCloseTo(s.ks1, 13);
    const k = rows.find((r) => r.name === "kolmogorov")!;
    expect(maxRelative(k.x!.map(kolmogorovQ), k.y!)).toBeLessThan(1e-14);
    expect(maxRelative(densityEstimate(s.v, [2, 5, 8], 0.4), s.kde)).toBeLessThan(1e-12);
    expect([...histogram(s.v, { bins: 7 }).counts]).toEqual(s.hist);
  });
});

prop(
  "selection agrees with sorting",
  [fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 200 }), fc.nat()],
  (a, seed) => {
    const k = seed % a.length,
      x = Float64Array.from(a);
    expect(selectInPlace(x, k)).toBe(Float64Array.from(a).sort()[k]);
    for (let i = 0; i < a.length; i++) expect(i < k ? x[i]! <= x[k]! : x[i]! >= x[k]!).toBe(true);
  },
);
prop(
  "moments of parts merge to the moments of the whole",
  [fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 2 }), fc.nat()],
  (a, at) => {
    const k = at % a.length,
      all = moments(a),
      two = mergeMoments(moments(a.slice(0, k)), mergeMoments(emptyMoments, moments(a.slice(k))));
    expect(two.count).toBe(all.count);
    expect([two.min, two.max]).toEqual([all.min, all.max]);
    expect(Math.abs(two.mean - all.mean)).toBeLessThan(1e-10);
    expect(Math.abs(two.m2 - all.m2)).toBeLessThan(1e-8 * (1 + all.m2));
  },
);

test("NaN means not measured", () => {
  expect(median([Number.NaN, 3, 1, Number.NaN, 2])).toBe(2);
  expect(mean([Number.NaN, 1, 3])).toBe(2);
  expect(median([])).toBeNaN();
  expect(weightedMean([1, Number.NaN, 3], [1, 9, 1]).mean).toBe(2);
  expect(weightedMedian([1, 2, 100], [1, 1, 5])).toBe(100);
  expect(histogram([0, 1, 2, Number.NaN, 9], { bins: 2, range: [0, 2] })).toMatchObject({
    counts: Float64Array.of(1, 2),
    above: 1,
    notMeasured: 1,
  });
  expect(() => quantile([1], 50)).toThrow(/percentage/);
  expect([...ranks([3, 1, 3, 2])]).toEqual([3.5, 1, 3.5, 2]);
  expect([...binEdges(histogram([0, 1], { bins: 2 }))]).toEqual([0, 0.5, 1]);
  expect(
    histogramQuantile(
      histogram(
        Array.from({ length: 1001 }, (_, i) => i),
        { bins: 10 },
      ),
      0.5,
    ),
  ).toBeCloseTo(500, -1);
});

describe("wild values", () => {
  const g = rng("robust");
  const clean = Float64Array.from({ length: 2000 }, () => 10 + 2 * g.normal());
  const dirty = Float64Array.from(clean, (v, i) => (i % 10 === 0 ? 200 + g.uniform() : v));
  test.each([
    ["sigma clip", sigmaClip],
    ["Huber", huberLocation],
    ["biweight", biweightLocation],
  ] as const)("%s keeps the location with 10 % at +95 σ", (name, f) => {
    // Huber's bounded but not redescending influence is biased by about k·ε/(1−ε)·σ.
    expect(Math.abs(f(dirty).location - 10)).toBeLessThan(name === "Huber" ? 0.5 : 0.15);
    expect(Math.abs(f(clean).location - 10)).toBeLessThan(0.15);
  });
  test("scale by MAD and by clipping", () => {
    expect(MAD_TO_SIGMA * medianAbsoluteDeviation(clean)).toBeCloseTo(2, 0);
    expect(sigmaClip(dirty).scale).toBeCloseTo(2, 0);
    expect(sigmaClip(dirty).count).toBeGreaterThan(1780);
  });
  test("sparse counts, mostly zero, keep their mean", () => {
    const sparse = Float64Array.from({ length: 5000 }, (_, i) => (i % 1000 === 7 ? 500 : g.poisson(0.1)));
    expect(medianAbsoluteDeviation(sparse)).toBe(0);
    expect(sigmaClip(sparse, { low: 5 }).location).toBeGreaterThan(0.05);
    expect(sigmaClip(sparse, { low: 5 }).location).toBeLessThan(0.11);
    expect(sigmaClip([4, 4, 4])).toMatchObject({ location: 4, scale: 0, count: 3 });
  });
  test("lines with 25 % wild points", () => {
    const x = Float64Array.from({ length: 80 }, (_, i) => i / 8),
      y = x.map((v, i) => (i % 4 === 1 ? 30 + 5 * g.normal() : 1 + 0.5 * v + 0.05 * g.normal()));
    expect(theilSenLine(x, y).slope).toBeCloseTo(0.5, 0);
    const r = robustLine(x, y);
    expect(Math.abs(r.slope - 0.5)).toBeLessThan(0.02);
    expect(Math.abs(r.intercept - 1)).toBeLessThan(0.06);
    expect(r.weights.filter((w) => w === 0).length).toBe(20);
    const q = ransacLine(x, y, { rng: rng(1), tolerance: 0.2 });
    expect(q.inliers.length).toBe(60);
    expect(Math.abs(q.slope - 0.5)).toBeLessThan(0.02);
    const exact = robustLine([0, 1, 2, 3, 4, 5], [1, 3, 5, 7, 9, 90]);
    expect([exact.slope, exact.intercept]).toEqual([expect.closeTo(2, 10), expect.closeTo(1, 10)]);
  });
});
