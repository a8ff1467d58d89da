import { expect, test } from "vitest";
import { rng } from "./rng.js";

test("forks depend on keys, not on what was drawn before", () => {
  const a = rng(7),
    b = rng(7);
  b.uniform();
  expect(a.fork("frame").fork(3).uniform()).toBe(b.fork("frame").fork(3).uniform());
  expect(a.fork(1).uniform()).not.toBe(a.fork(2).uniform());
});

test.each([0.5, 5, 29.9, 30.1, 1000])("Poisson(%d) has the right mean and variance", (mean) => {
  const g = rng(mean),
    n = 40_000;
  let sum = 0,
    sq = 0;
  for (let i = 0; i < n; i++) {
    const k = g.poisson(mean);
    sum += k;
    sq += k * k;
  }
  const m = sum / n;
  expect(Math.abs(m - mean) / Math.sqrt(mean / n)).toBeLessThan(4);
  expect(sq / n - m * m).toBeCloseTo(mean, -Math.log10(mean * 0.1));
});

test("normal: mean 0, variance 1, fourth moment 3", () => {
  const g = rng("normal"),
    n = 100_000;
  let s1 = 0,
    s2 = 0,
    s4 = 0;
  for (let i = 0; i < n; i++) {
    const x = g.normal();
    s1 += x;
    s2 += x * x;
    s4 += x ** 4;
  }
  expect(Math.abs(s1 / n)).toBeLessThan(0.013);
  expect(s2 / n).toBeCloseTo(1, 1);
  expect(Math.abs(s4 / n - 3)).toBeLessThan(0.1);
});
