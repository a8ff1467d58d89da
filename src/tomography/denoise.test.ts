import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { rng } from "../core/rng.js";
import { blobViews, fourBlobs } from "../testing/tomography.js";
import { anscombe, estimateNoise, inverseAnscombe } from "./anscombe.js";
import { averageFrames, denoiseSteps } from "./denoise.js";
import { posesFromTilts } from "./poses.js";
import { reconstruct } from "./reconstruct.js";
import { reconstructSlabs } from "./slabs.js";
import { tiltSeries } from "./tilt-series.js";

const moments = (a: ArrayLike<number>): [number, number] => {
  let m = 0,
    v = 0;
  for (let i = 0; i < a.length; i++) m += a[i]! / a.length;
  for (let i = 0; i < a.length; i++) v += (a[i]! - m) ** 2 / a.length;
  return [m, v];
};

test("the stabilised noise has unit variance, and its mean comes back without bias", () => {
  const noise = { gain: 2.5, offset: 10, sigma: 1.5 };
  for (const mean of [3, 10, 100]) {
    const draw = rng(mean);
    const z = Float64Array.from({ length: 40000 }, () => 2.5 * draw.poisson(mean) + 10 + 1.5 * draw.normal());
    const [m, v] = moments(anscombe(z, noise));
    expect(Math.abs(v - 1)).toBeLessThan(mean < 5 ? 0.08 : 0.03);
    expect(Math.abs(inverseAnscombe([m], noise)[0]! - (2.5 * mean + 10))).toBeLessThan(0.01 * 2.5 * mean + 0.1);
  }
  expect(() => anscombe([1], { gain: 0 })).toThrow(/gain/);
});

test("gain and readout noise of repeated frames", () => {
  const draw = rng(1),
    clean = blobViews(posesFromTilts([0]), [64, 64], fourBlobs).map((v) => 20 + 3 * v),
    n = 6;
  const frames = new Float32Array(n * 64 * 64).map((_, i) => 1.7 * draw.poisson(clean[i % 4096]!) + 2 * draw.normal());
  const e = estimateNoise(frames, [n, 64, 64]);
  expect(Math.abs(e.gain - 1.7)).toBeLessThan(0.1);
  expect(Math.abs(e.sigma - 2)).toBeLessThan(1.5);
  expect(() => estimateNoise(frames.subarray(0, 4096), [1, 64, 64])).toThrow(/two or more/);
});

test("block matching takes most of the noise and leaves the object", () => {
  const draw = rng(3),
    poses = posesFromTilts([40]);
  const clean = blobViews(poses, [40, 44], fourBlobs).map((v) => 4 + v);
  const series = tiltSeries(
    clean.map((v) => draw.poisson(v)),
    [1, 40, 44],
    poses,
  );
  const out = runSync(denoiseSteps(series, { gain: 1 }));
  const error = (a: ArrayLike<number>): number => Math.sqrt(clean.reduce((s, v, i) => s + (v - a[i]!) ** 2, 0) / clean.length);
  expect(error(out.projections)).toBeLessThan(0.5 * error(series.projections));
  const [m] = moments(out.projections),
    [truth] = moments(clean);
  expect(Math.abs(m / truth - 1)).toBeLessThan(0.02);
});

test("drift of noisy frames to 0.05 px; the mean is sharper than without", () => {
  const draw = rng(8),
    n = 5,
    poses = posesFromTilts([0, 0, 0, 0, 0]);
  const drift = Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 ? -0.9 : 1.3) * Math.floor(i / 2));
  const frames = blobViews(poses, [48, 50], fourBlobs, drift).map((v) => draw.poisson(10 * v + 1));
  const a = averageFrames(Float32Array.from(frames), [n, 48, 50], 5);
  for (const c of [0, 1]) {
    const left = Array.from({ length: n }, (_, k) => a.shifts[2 * k + c]! + drift[2 * k + c]!);
    expect(Math.max(...left) - Math.min(...left)).toBeLessThan(0.15);
  }
  expect(a.scatter).toBeLessThan(0.06);
});

test("slabs are the rows of the whole volume; what cannot be cut is said", async () => {
  const poses = posesFromTilts([-60, -30, 0, 30, 60]),
    [ny, nx] = [26, 24];
  const views = blobViews(poses, [ny, nx], fourBlobs);
  const whole = await reconstruct(tiltSeries(views, [5, ny, nx], poses), { method: "sirt", iterations: 5, workers: 1 });
  const source = {
    shape: [5, ny, nx] as const,
    poses,
    read: (y0: number, y1: number) => {
      const out = new Float32Array(5 * (y1 - y0) * nx);
      for (let p = 0; p < 5; p++) out.set(views.subarray((p * ny + y0) * nx, (p * ny + y1) * nx), p * (y1 - y0) * nx);
      return out;
    },
  };
  const out = new Float32Array(whole.volume.length);
  await reconstructSlabs(source, { method: "sirt", iterations: 5, workers: 1 }, 10, (slab, y0) => {
    const rows = slab.shape[1];
    for (let z = 0; z < nx; z++) out.set(slab.volume.subarray(z * rows * nx, (z + 1) * rows * nx), (z * ny + y0) * nx);
  });
  expect(out).toEqual(whole.volume);
  await expect(reconstructSlabs(source, { method: "genfire" }, 10, () => {})).rejects.toThrow(/joins the rows/);
});
