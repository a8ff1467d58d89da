import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import { fc, prop } from "../testing/prop.js";
import { readDetectors } from "./detector-read.js";
import { compileDetectors } from "./detectors.js";
import { antialiasCutoff, reciprocalGrid, waveGrid } from "./grid.js";
import { integratedCenterOfMass, poissonDose, sourceBlur, sumRings } from "./measurements.js";

const b200 = beam(200);
const skew = waveGrid(48, 40, [9, 0], [-3, 8]);
/** A wave of random phases with |ψ|² = 1/N inside the band limit: every detector then counts pixels. */
const flat = (grid: typeof skew): { wave: Float64Array; inside: number } => {
  const { q2 } = reciprocalGrid(grid),
    g = rng("flat");
  const cut = antialiasCutoff(grid) ** 2;
  const inside = q2.reduce((s, v) => s + (v < cut ? 1 : 0), 0);
  const wave = new Float64Array(2 * q2.length);
  q2.forEach((v, i) => {
    if (v >= cut) return;
    const t = 2 * Math.PI * g.uniform();
    wave[2 * i] = Math.cos(t) / Math.sqrt(inside);
    wave[2 * i + 1] = Math.sin(t) / Math.sqrt(inside);
  });
  return { wave, inside };
};

test("annuli, rings, sectors and patterns share out the same electrons", () => {
  const { wave } = flat(skew);
  const limit = 1e3 * antialiasCutoff(skew) * b200.wavelength,
    cut = Math.floor(limit);
  const d = compileDetectors(
    [
      { kind: "annular", innerMrad: 0, outerMrad: cut },
      { kind: "radial", stepMrad: 0.5, outerMrad: cut },
      { kind: "segmented", innerMrad: 0, outerMrad: cut, rings: 2, sectors: 5, rotation: 0.3 },
      { kind: "pixelated" },
      { kind: "pixelated", maxMrad: "full" },
      { kind: "annular", innerMrad: 0, outerMrad: cut },
    ],
    skew,
    b200,
  );
  const r = readDetectors(d, wave);
  const sum = (i: number): number => (r[i]!.data as Float64Array).reduce((s, v) => s + v, 0);
  expect(sum(1)).toBeCloseTo(sum(0), 12);
  expect(sum(2)).toBeCloseTo(sum(0), 12);
  expect(sum(3)).toBeCloseTo(1, 6);
  expect(sum(4)).toBeCloseTo(1, 6);
  expect(r[2]!.shape).toEqual([2, 5]);
  expect(r.map((x) => x.name)).toEqual([`BF 0-${cut}`, `radial 0-${cut}`, `segments 0-${cut}`, "patterns", "patterns 2", `BF 0-${cut} 2`]);
});

prop(
  "an annulus counts the pixels of its definition, on a skew grid and off axis",
  [
    fc.double({ min: 0, max: 8, noNaN: true }),
    fc.double({ min: 0.5, max: 20, noNaN: true }),
    fc.double({ min: -5, max: 5, noNaN: true }),
    fc.double({ min: -5, max: 5, noNaN: true }),
  ],
  (inner, width, ox, oy) => {
    const { wave } = flat(skew),
      { qx, qy } = reciprocalGrid(skew),
      outer = inner + width;
    const d = compileDetectors([{ kind: "annular", innerMrad: inner, outerMrad: outer, offsetMrad: [ox, oy] }], skew, b200);
    let wanted = 0;
    for (let i = 0; i < qx.length; i++) {
      const a = Math.hypot(1e3 * b200.wavelength * qx[i]! - ox, 1e3 * b200.wavelength * qy[i]! - oy);
      if (a >= inner && a < outer) wanted += wave[2 * i]! ** 2 + wave[2 * i + 1]! ** 2;
    }
    expect(readDetectors(d, wave)[0]!.data[0]).toBeCloseTo(wanted, 12);
  },
  { runs: 30 },
);

test("sectors turn with the rotation, centre of mass points to the spot", () => {
  const grid = waveGrid(64, 64, [12, 0], [0, 12]);
  const wave = new Float64Array(2 * 64 * 64);
  wave[2 * (3 * 64 + 0)] = 1; // (h, k) = (0, 3): along +y
  const specs = (rotation: number) => ({ kind: "segmented", innerMrad: 1, outerMrad: 30, rotation }) as const;
  const read = (rotation: number): number[] => [...readDetectors(compileDetectors([specs(rotation)], grid, b200), wave)[0]!.data];
  expect(read(0)).toEqual([0, 1, 0, 0]);
  expect(read(Math.PI / 4)).toEqual([1, 0, 0, 0]);
  expect(read(-0.75 * Math.PI)).toEqual([0, 0, 1, 0]);
  const com = readDetectors(compileDetectors([{ kind: "centerOfMass" }], grid, b200), wave)[0]!.data;
  expect(com[0]).toBeCloseTo(0, 6);
  expect(com[1]).toBeCloseTo((3 / 12) * b200.wavelength * 1e3, 4);
});

test("a cut pattern is the middle of the whole one", () => {
  const { wave } = flat(skew);
  const [full, cut] = readDetectors(compileDetectors([{ kind: "pixelated", maxMrad: "full" }, { kind: "pixelated", maxMrad: 12 }], skew, b200), wave); // biome-ignore format: short
  const [my, mx] = cut!.shape as [number, number];
  expect([my % 2, mx % 2]).toEqual([1, 1]);
  expect(cut!.data[(my >> 1) * mx + (mx >> 1)]).toBe(full!.data[20 * 48 + 24]);
  expect(cut!.data[0]).toBe(full!.data[(20 - (my >> 1)) * 48 + 24 - (mx >> 1)]);
  // The circle of 12 mrad fits: |h| <= q|a|.
  expect(mx >> 1).toBe(Math.floor((12e-3 / b200.wavelength) * 9));
});

describe("blur", () => {
  const grid = waveGrid(64, 64, [24, 0], [0, 24]);
  test("a spot becomes the Gaussian, and weights blur as patterns do", () => {
    const wave = new Float64Array(2 * 64 * 64);
    wave[0] = 1;
    const step = (1e3 * b200.wavelength) / 24,
      sigmaMrad = 1.7 * step;
    const blur = { kind: "gaussian", sigmaMrad } as const;
    const outer = 9.5 * step;
    const d = compileDetectors([{ kind: "pixelated", blur }, { kind: "annular", innerMrad: 2.5 * step, outerMrad: outer, blur }, { kind: "radial", outerMrad: outer, stepMrad: outer, blur }], grid, b200); // biome-ignore format: short
    const [p, a, all] = readDetectors(d, wave);
    const [, mx] = p!.shape as [number, number];
    const at = (y: number, x: number): number => p!.data[(y + (mx >> 1)) * mx + x + (mx >> 1)]!;
    for (const [y, x] of [[0, 0], [1, 0], [2, -3], [0, 4]] as const) expect(at(y, x)).toBeCloseTo(Math.exp(-(x * x + y * y) / (2 * 1.7 ** 2)) / (2 * Math.PI * 1.7 ** 2), 6); // biome-ignore format: a table
    let ring = 0;
    for (let y = -10; y <= 10; y++) for (let x = -10; x <= 10; x++) if (Math.hypot(x, y) >= 2.5 && Math.hypot(x, y) < 9.5) ring += at(y, x);
    expect(a!.data[0]).toBeCloseTo(ring, 6);
    expect(all!.data[0]).toBeCloseTo(1, 5);
  });
  test("an MTF of 1 changes nothing; one that is no number is told", () => {
    const { wave } = flat(grid);
    const plain = readDetectors(compileDetectors([{ kind: "annular", innerMrad: 5, outerMrad: 15 }], grid, b200), wave)[0]!.data[0];
    const same = { kind: "mtf", pixelMrad: 1, mtf: () => 1 } as const;
    expect(
      readDetectors(compileDetectors([{ kind: "annular", innerMrad: 5, outerMrad: 15, blur: same }], grid, b200), wave)[0]!.data[0],
    ).toBeCloseTo(plain!, 7);
    const bad = { kind: "mtf", pixelMrad: 1, mtf: () => Number.NaN } as const;
    expect(() => compileDetectors([{ kind: "annular", innerMrad: 5, outerMrad: 15, blur: bad }], grid, b200)).toThrow(/MTF/);
  });
});

test("a grid too coarse for the angle is told, and the grid named does", () => {
  const grid = waveGrid(64, 60, [16, 0], [0, 15]);
  const wanted = { kind: "annular", innerMrad: 60, outerMrad: 150 } as const;
  let hint = "";
  try {
    compileDetectors([wanted], grid, b200);
  } catch (e) {
    if (!isSdkError(e, "out-of-range")) throw e;
    hint = e.hint;
    expect(e.details.carriedMrad).toBeCloseTo(1e3 * antialiasCutoff(grid) * b200.wavelength, 2);
  }
  const [, nx, ny] = /(\d+) × (\d+) pixels/.exec(hint)!.map(Number);
  expect(compileDetectors([wanted], waveGrid(nx!, ny!, grid.a, grid.b), b200).sums).toBe(1);
  expect(() => compileDetectors([wanted], waveGrid(nx! - 2, ny! - 2, grid.a, grid.b), b200)).toThrow(/too coarse/);
  expect(() => compileDetectors([], grid, b200)).toThrow(/at least one/);
  expect(() => compileDetectors([{ kind: "annular", innerMrad: 30, outerMrad: 20 }], grid, b200)).toThrow(/inner < outer/);
  expect(() => compileDetectors([{ kind: "ring" } as never], grid, b200)).toThrow(/annular/);
  expect(() => compileDetectors([{ kind: "radial", stepMrad: -1 }], grid, b200)).toThrow(/width/);
});

describe("measurements", () => {
  test("dose: mean, variance, and the same counts in pieces", () => {
    const data = new Float32Array(4000).fill(0.25);
    const counts = poissonDose(data, 400, rng(3));
    const mean = counts.reduce((s, v) => s + v, 0) / 4000,
      variance = counts.reduce((s, v) => s + (v - mean) ** 2, 0) / 3999;
    // Five standard errors of mean and variance of 4000 counts of mean 100.
    expect(Math.abs(mean - 100)).toBeLessThan(5 * Math.sqrt(100 / 4000));
    expect(Math.abs(variance - 100)).toBeLessThan(5 * 100 * Math.sqrt(2 / 4000));
    expect([...poissonDose(data.subarray(100, 120), 400, rng(3), 100)]).toEqual([...counts.subarray(100, 120)]);
    expect(() => poissonDose([-1], 10, rng(1))).toThrow(/not negative/);
  });
  test("source blur of a lattice fringe is its damping, on skew scan axes", () => {
    const steps = { x: [0.3, 0.1], y: [-0.1, 0.4] } as const,
      shape = [12, 16] as const;
    // A wave of h = 3, k = −2 cycles over the scan.
    const area = steps.x[0] * steps.y[1] - steps.x[1] * steps.y[0];
    const u = 3 / 16,
      v = -2 / 12;
    const q = Math.hypot((u * steps.y[1] - v * steps.x[1]) / area, (v * steps.x[0] - u * steps.y[0]) / area);
    const data = Float64Array.from({ length: 2 * 12 * 16 }, (_, i) => {
      const p = i >> 1;
      return i % 2 ? 7 : 5 + Math.cos(2 * Math.PI * (u * (p % 16) + v * Math.floor(p / 16)));
    });
    const out = sourceBlur({ data, shape, channels: 2 }, steps, 0.8),
      sigma = 0.8 / Math.sqrt(8 * Math.log(2));
    expect(out[0]! - 5).toBeCloseTo(Math.exp(-2 * (Math.PI * sigma * q) ** 2), 9);
    expect(out[1]).toBeCloseTo(7, 9);
  });
  test("rings add up to annuli", () => {
    const data = Float64Array.from({ length: 20 }, (_, i) => i);
    expect([...sumRings({ data, rings: 10, stepMrad: 2, innerMrad: 4 }, 6, 10)]).toEqual([3, 23]);
    expect(() => sumRings({ data, rings: 10, stepMrad: 2 }, 1, 10)).toThrow(/borders/);
  });
  test("the integrated centre of mass has the gradient that was given", () => {
    const steps = { x: [0.5, 0], y: [0.1, 0.7] } as const,
      sy = 9,
      sx = 15;
    const phi = (p: number): number =>
      Math.cos((2 * Math.PI * (p % sx) * 2) / sx + 0.3) + Math.sin((2 * Math.PI * Math.floor(p / sx)) / sy);
    const area = steps.x[0] * steps.y[1] - steps.x[1] * steps.y[0];
    const com = new Float64Array(2 * sy * sx);
    for (let p = 0; p < sy * sx; p++) {
      const du = -(2 * Math.PI * 2) / sx * Math.sin((2 * Math.PI * (p % sx) * 2) / sx + 0.3), // biome-ignore format: by step
        dv = ((2 * Math.PI) / sy) * Math.cos((2 * Math.PI * Math.floor(p / sx)) / sy);
      com[2 * p] = (du * steps.y[1] - dv * steps.x[1]) / area;
      com[2 * p + 1] = (dv * steps.x[0] - du * steps.y[0]) / area;
    }
    const got = integratedCenterOfMass(com, [sy, sx], steps);
    got.forEach((v, p) => {
      expect(v).toBeCloseTo(phi(p), 9);
    });
  });
});
