import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import {
  antialiasAperture,
  antialiasCutoff,
  goodGridSize,
  gridOfSampling,
  nyquist,
  reciprocalGrid,
  reciprocalVectors,
  waveGrid,
} from "./grid.js";

describe("wave grid", () => {
  const skew = waveGrid(12, 10, [4, 0], [-2, 3.5]);
  test("reciprocal vectors are the dual basis", () => {
    const { aStar, bStar } = reciprocalVectors(skew);
    const dot = (u: readonly [number, number], v: readonly [number, number]): number => u[0] * v[0] + u[1] * v[1];
    expect(
      [dot(skew.a, aStar), dot(skew.a, bStar), dot(skew.b, aStar), dot(skew.b, bStar)].map((v) => Math.round(1e12 * v) / 1e12 + 0),
    ).toEqual([1, 0, 0, 1]);
  });
  test("exp(2πi q·r) of a bin is periodic on the grid and counts its index", () => {
    const { qx, qy } = reciprocalGrid(skew);
    const p = 7 * 12 + 11; // bin (−3, −1)
    expect(qx[p]! * skew.a[0] + qy[p]! * skew.a[1]).toBeCloseTo(-1, 12);
    expect(qx[p]! * skew.b[0] + qy[p]! * skew.b[1]).toBeCloseTo(-3, 12);
  });
  test("the antialias circle lies inside the zone of a skew cell and depends on |q| alone", () => {
    const { q2 } = reciprocalGrid(skew),
      mask = antialiasAperture(skew);
    expect(antialiasCutoff(skew)).toBeCloseTo((2 / 3) * Math.min(12 / 8, 10 / (2 * Math.hypot(2, 3.5))), 6);
    mask.forEach((m, i) => {
      expect(m > 0).toBe(Math.sqrt(q2[i]!) < antialiasCutoff(skew));
    });
    expect(nyquist(waveGrid(64, 64, [5.431, 0], [0, 5.431]))).toBeCloseTo(32 / 5.431, 12);
  });
  test("sizes for the FFT, and bad input", () => {
    expect([7, 11, 127, 128, 251].map(goodGridSize)).toEqual([8, 12, 128, 128, 256]);
    expect(gridOfSampling([10, 0], [0, 7], 0.1)).toMatchObject({ nx: 100, ny: 72 });
    for (const bad of [
      () => waveGrid(3, 8, [1, 0], [0, 1]),
      () => waveGrid(8, 8, [0, 1], [1, 0]),
      () => gridOfSampling([1, 0], [0, 1], -1),
    ])
      expect(bad).toThrow(expect.toSatisfy((e: unknown) => isSdkError(e, "bad-value")));
  });
});
