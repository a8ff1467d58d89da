import { describe, expect, test } from "vitest";
import type { Image } from "../core/image.js";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { localMaxima, localMaxima1d } from "./peaks.js";
import { labelComponents, measureComponents, watershed } from "./peaks-components.js";
import { gaussianPeak } from "./peaks-gaussian.js";
import { templateShift } from "./peaks-match.js";
import { centroidPeak, parabolicOffset, parabolicPeak } from "./peaks-refine.js";

const blob = (
  ny: number,
  nx: number,
  peaks: readonly (readonly [x: number, y: number, height: number, sx: number, sy: number, angle: number])[],
  level = 0,
): Image => {
  const data = new Float32Array(ny * nx).fill(level);
  for (const [px, py, h, sx, sy, angle] of peaks)
    for (let i = 0; i < data.length; i++) {
      const dx = (i % nx) - px,
        dy = Math.floor(i / nx) - py,
        u = (Math.cos(angle) * dx + Math.sin(angle) * dy) / sx,
        v = (-Math.sin(angle) * dx + Math.cos(angle) * dy) / sy;
      data[i]! += h * Math.exp(-0.5 * (u * u + v * v));
    }
  return { data, shape: [ny, nx] };
};
const g = rng("peaks");

describe("local maxima", () => {
  const image = blob(
    40,
    50,
    [
      [10, 12, 100, 2, 2, 0],
      [30.4, 25.6, 50, 1.5, 2, 0],
      [33, 27, 20, 1, 1, 0],
    ],
    3,
  );
  test("highest first, thinned by distance and threshold", () => {
    const p = localMaxima(image, { threshold: 10, half: 1 });
    expect([p.x[0], p.y[0]]).toEqual([10, 12]);
    expect([p.x[1], p.y[1]]).toEqual([30, 26]);
    expect(localMaxima(image, { threshold: 10, half: 5 }).size).toBe(2);
    expect(localMaxima(image, { threshold: 90 }).size).toBe(1);
    expect(localMaxima(image, { threshold: 10, half: 3, limit: 1 }).size).toBe(1);
  });
  test("a plateau counts once; masks and borders hide", () => {
    const flat: Image = { data: Float32Array.of(0, 0, 0, 0, 0, 5, 5, 0, 0, 5, 5, 0, 0, 0, 0, 0), shape: [4, 4] };
    expect(localMaxima(flat, { threshold: 1 })).toMatchObject({ size: 1, x: Float64Array.of(1), y: Float64Array.of(1) });
    const mask = new Uint8Array(2000);
    mask[12 * 50 + 10] = 1;
    expect(localMaxima(image, { threshold: 90, mask }).size).toBe(1);
    expect(localMaxima(image, { threshold: 10, half: 5, border: 13 }).size).toBe(1);
  });
  test("curves", () => expect(localMaxima1d([0, 2, 1, 5, 5, 1, 3], { threshold: 1 })).toEqual([3, 6, 1]));
});

prop(
  "a paraboloid's vertex is exact",
  [
    fc.double({ min: -0.49, max: 0.49, noNaN: true }),
    fc.double({ min: -0.49, max: 0.49, noNaN: true }),
    fc.double({ min: -0.9, max: 0.9, noNaN: true }),
  ],
  (dx, dy, c) => {
    const data = Float32Array.from({ length: 25 }, (_, i) => {
      const x = (i % 5) - 2 - dx,
        y = Math.floor(i / 5) - 2 - dy;
      return 10 - x * x - 0.8 * y * y + c * x * y;
    });
    const p = parabolicPeak({ data, shape: [5, 5] }, 2, 2);
    expect(Math.abs(p.x - 2 - dx)).toBeLessThan(1e-5);
    expect(Math.abs(p.y - 2 - dy)).toBeLessThan(1e-5);
    expect(p.height).toBeCloseTo(10, 4);
  },
);

prop(
  "centroid and Gaussian fit find a Gaussian spot",
  [
    fc.double({ min: 13, max: 17, noNaN: true }),
    fc.double({ min: 13, max: 17, noNaN: true }),
    fc.double({ min: -1.5, max: 1.5, noNaN: true }),
  ],
  (x, y, angle) => {
    const image = blob(31, 31, [[x, y, 200, 2, 1.2, angle]], 20);
    const c = centroidPeak(image, Math.round(x), Math.round(y), { radius: 7, background: 20 });
    expect(Math.hypot(c.x - x, c.y - y)).toBeLessThan(0.02);
    expect(c.sum / (2 * Math.PI * 200 * 2 * 1.2)).toBeCloseTo(1, 1);
    const f = gaussianPeak(image, Math.round(x), Math.round(y), { half: 7 });
    expect(f.status).toBe("converged");
    expect(Math.hypot(f.x - x, f.y - y)).toBeLessThan(1e-4);
    expect([f.sigmaMajor, f.sigmaMinor, f.height, f.background].map((v) => v.toFixed(2))).toEqual(["2.00", "1.20", "200.00", "20.00"]);
    expect(Math.abs(Math.sin(f.angle - angle))).toBeLessThan(1e-3);
  },
  { runs: 30 },
);

test("uncertainties of the Gaussian fit cover the truth", () => {
  let pull = 0;
  const clean = blob(21, 21, [[10.3, 9.8, 100, 1.6, 1.6, 0]], 10);
  for (let k = 0; k < 60; k++) {
    const noisy: Image = { data: clean.data.map((v) => g.poisson(v)), shape: clean.shape };
    const f = gaussianPeak(noisy, 10, 10, { half: 7, variance: (v) => Math.max(v, 1) });
    pull += ((f.x - 10.3) / f.xSu) ** 2 + ((f.y - 9.8) / f.ySu) ** 2;
  }
  expect(pull / 120).toBeGreaterThan(0.6);
  expect(pull / 120).toBeLessThan(1.6);
});

describe("components", () => {
  const image: Image = { data: Float32Array.of(1, 1, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 2), shape: [4, 5] };
  test("4 and 8 neighbours", () => {
    expect([...labelComponents(image, 4).labels]).toEqual([1, 1, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 4]);
    expect([...labelComponents(image, 8).labels]).toEqual([1, 1, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 2]);
  });
  test("area, sum, moments, box", () => {
    const t = measureComponents(labelComponents(image, 8), image);
    expect([...t.area]).toEqual([3, 3, 1]);
    expect([...t.sum]).toEqual([3, 6, 3]);
    expect(t.x[1]).toBeCloseTo(10 / 3, 12);
    expect(t.varY[1]).toBeCloseTo(2 / 3, 12);
    expect([...t.box.slice(4, 8)]).toEqual([3, 1, 4, 3]);
  });
  prop("labels are constant on, and differ between, components", [fc.array(fc.boolean(), { minLength: 60, maxLength: 60 })], (bits) => {
    const r = labelComponents({ data: Uint8Array.from(bits, Number), shape: [6, 10] }, 4);
    const seen = new Map<number, number>();
    const fill = (i: number, from: number): void => {
      if (i < 0 || i >= 60 || !bits[i] || seen.has(i)) return;
      seen.set(i, from);
      if (i % 10 > 0) fill(i - 1, from);
      if (i % 10 < 9) fill(i + 1, from);
      fill(i - 10, from);
      fill(i + 10, from);
    };
    for (let i = 0; i < 60; i++) fill(i, i);
    expect(new Set(seen.values()).size).toBe(r.count);
    for (const [i, root] of seen) expect(r.labels[i]).toBe(r.labels[root]);
  });
  test("watershed parts touching spots and merges shallow ones", () => {
    const two = blob(30, 40, [
      [14, 15, 100, 3, 3, 0],
      [24, 15, 80, 3, 3, 0],
    ]);
    const w = watershed(two, { threshold: 5, depth: 5 });
    expect(w.count).toBe(2);
    expect(w.labels[15 * 40 + 14]).not.toBe(w.labels[15 * 40 + 24]);
    expect(watershed(two, { threshold: 5, depth: 70 }).count).toBe(1);
    expect(labelComponents({ data: two.data.map((v) => (v > 5 ? 1 : 0)), shape: two.shape }).count).toBe(1);
  });
});

test("a template is found where it was put, to a twentieth of a pixel", () => {
  const image = blob(60, 70, [[35.3, 28.6, 100, 3, 2, 0.5]], 10),
    template = blob(21, 21, [[10, 10, 40, 3, 2, 0.5]], 0);
  const s = templateShift(image, template, [20, 23], 6);
  expect(s.status).toBe("refined");
  expect(Math.abs(23 + 10 + s.dx - 35.3)).toBeLessThan(0.05);
  expect(Math.abs(20 + 10 + s.dy - 28.6)).toBeLessThan(0.05);
  expect(s.score).toBeGreaterThan(0.98);
  expect(() => templateShift(image, template, [0, 0], 6)).toThrow(/inside the image/);
  expect(parabolicOffset(1, 3, 2)).toBeCloseTo(1 / 6, 14);
});
