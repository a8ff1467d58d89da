import { expect, test } from "vitest";
import { intervalRule, sweepRule } from "./integrate-rules.js";
import { gaussHermite, mosaicBlocks, normalQuantile } from "./mosaicity.js";
import { exposureDirections } from "./rotation.js";

test("blocks of JANA2020: quantiles of a normal distribution, given as a variance in degrees²", () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
  const b = mosaicBlocks({ kind: "quantiles", varianceDeg2: 0.01836, count: 5 });
  const sigma = (Math.sqrt(0.01836) * Math.PI) / 180;
  expect(Array.from(b.aboutTransverse, (x) => Number((x / sigma).toFixed(4)))).toEqual([
    -1.2816,
    -0.5244,
    expect.closeTo(0, 12),
    0.5244,
    1.2816,
  ]);
  expect(b.weights).toEqual(new Float64Array(5).fill(0.2));
  expect(() => mosaicBlocks({ kind: "quantiles", varianceDeg2: Number.NaN, count: 5 })).toThrow(/variance in degrees²/);
});
test("the true Gaussian: moments of the normal distribution", () => {
  for (const n of [1, 2, 5, 12]) {
    const { nodes, weights } = gaussHermite(n);
    const moment = (k: number): number => nodes.reduce((s, x, i) => s + weights[i]! * x ** k, 0);
    expect(moment(0)).toBeCloseTo(1, 12);
    for (let k = 2, double = 1; k < 2 * n && k <= 12; double *= ++k, k++) expect(moment(k) / double).toBeCloseTo(1, 9);
  }
  const both = mosaicBlocks({ kind: "gaussian", sigmaDeg: 0.2, count: 3, axes: "both" });
  expect(both.weights).toHaveLength(9);
  expect(both.weights.reduce((s, w) => s + w, 0)).toBeCloseTo(1, 12);
});
test("rules of a sweep integrate a wave, panels much better than midpoints", () => {
  const half = 0.025,
    cycles = 590.3;
  const exact = Math.sin(2 * Math.PI * cycles * half) / (2 * Math.PI * cycles * half);
  const of = (rule: Parameters<typeof intervalRule>[0]): number => {
    const { nodes, weights } = intervalRule(rule, half);
    return nodes.reduce((s, x, i) => s + weights[i]! * Math.cos(2 * Math.PI * cycles * x), 0);
  };
  const rule = sweepRule(2, 300, half);
  expect(Math.abs(of(rule) - exact)).toBeLessThan(1e-5);
  const points = rule.kind === "gauss" ? rule.panels * rule.points : 0;
  expect(Math.abs(of({ kind: "midpoint", steps: points }) - exact)).toBeGreaterThan(10 * Math.abs(of(rule) - exact));
});
test("directions are unit vectors of total weight 1, mosaic blocks across the axis", () => {
  const d = exposureDirections(
    { kind: "continuous", halfWidthDeg: 1 },
    { kind: "quantiles", varianceDeg2: 0.04, count: 3 },
    { sweep: { kind: "midpoint", steps: 4 } },
    { gMax: 2, thickness: 100 },
  );
  expect(d.size).toBe(12);
  expect(d.weight.reduce((s, w) => s + w, 0)).toBeCloseTo(1, 14);
  for (let i = 0; i < d.size; i++) expect(Math.hypot(d.kappa[3 * i]!, d.kappa[3 * i + 1]!, d.kappa[3 * i + 2]!)).toBeCloseTo(1, 14);
  const cone = exposureDirections({ kind: "precession", semiAngleDeg: 1 }, { kind: "none" }, {}, { gMax: 2, thickness: 300 });
  expect(cone.size).toBe(86);
  expect(() =>
    exposureDirections({ kind: "continuous", halfWidthDeg: Number.NaN }, { kind: "none" }, {}, { gMax: 2, thickness: 1 }),
  ).toThrow(/half width/);
});
