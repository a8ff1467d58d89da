import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { erfc } from "../numerics/erf.js";
import { fastNormal, fastPoisson } from "./simulate-noise.js";

test.each([0.05, 0.7, 3, 9.5, 11.9, 12.1, 40])("Poisson of mean %d: every frequency is that of the distribution (χ²)", (mean) => {
  const r = rng(17),
    n = 200_000,
    seen = new Float64Array(120);
  for (let i = 0; i < n; i++) seen[fastPoisson(mean, r)]!++;
  let p = Math.exp(-mean),
    chi2 = 0,
    bins = 0;
  for (let k = 0; k < 119; k++) {
    if (n * p > 10) {
      chi2 += (seen[k]! - n * p) ** 2 / (n * p);
      bins++;
    }
    p *= mean / (k + 1);
  }
  expect(bins).toBeGreaterThan(2);
  expect(Math.abs(chi2 - bins)).toBeLessThan(4.5 * Math.sqrt(2 * bins) + 2);
  expect(fastPoisson(0, r)).toBe(0);
});

test("normal: the frequencies of 40 classes and both tails are those of the distribution (χ²)", () => {
  const normal = fastNormal(),
    r = rng(5),
    n = 1_000_000,
    seen = new Float64Array(42);
  const edge = (i: number): number => -4 + 0.2 * i;
  for (let i = 0; i < n; i++) seen[Math.max(0, Math.min(41, Math.floor((normal(r) + 4) / 0.2) + 1))]!++;
  let chi2 = 0;
  for (let i = 0; i < 42; i++) {
    const low = i === 0 ? 1 : erfc(edge(i - 1) / Math.SQRT2) / 2,
      high = i === 41 ? 0 : erfc(edge(i) / Math.SQRT2) / 2;
    const expected = n * (low - high);
    chi2 += (seen[i]! - expected) ** 2 / expected;
  }
  expect(chi2).toBeLessThan(41 + 4.5 * Math.sqrt(82));
});
