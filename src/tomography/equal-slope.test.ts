import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { correlation } from "../numerics/stats.js";
import { blobs, blobViews } from "../testing/tomography.js";
import { type EqualSlopeOptions, equalSlope } from "./equal-slope.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { reconstruct } from "./reconstruct.js";
import { reconstructSlabs } from "./slabs.js";
import { equalSlopeAngles, slopeLines } from "./slopes.js";
import { selectViews, tiltSeries } from "./tilt-series.js";

const shape = [40, 21, 40] as const,
  draw = rng(3);
/** Atoms of two heights in an ellipsoid, 27 views of equal slope to ±70°. */
const atoms = Array.from({ length: 60 }, () => {
  for (;;) {
    const [z, y, x] = [0, 0, 0].map(() => 34 * (draw.uniform() - 0.5)) as [number, number, number];
    if (Math.hypot(z, 2 * y, x) < 15) return [z, y / 2, x, draw.uniform() < 0.5 ? 1 : 2, 1.3] as const;
  }
});
const truth = blobs(shape, atoms),
  tilts = equalSlopeAngles(8, { maximumDeg: 70 }),
  poses = posesFromTilts(tilts),
  clean = tiltSeries(blobViews(poses, [21, 40], atoms), [27, 21, 40], poses);
const run = (options: EqualSlopeOptions = {}, series = clean) =>
  equalSlope(series, { volume: shape, workers: 1, weighting: "area", ...options });

test("equal slopes: 4 lines a step on the circle, tan and cot in equal steps, every line found again", () => {
  const all = equalSlopeAngles(16);
  expect(all.length).toBe(64);
  for (const t of all) {
    const [c, s] = [Math.cos((t * Math.PI) / 180), Math.sin((t * Math.PI) / 180)],
      slope = 16 * (Math.abs(s) <= Math.abs(c) ? s / c : c / s);
    expect(slope).toBeCloseTo(Math.round(slope), 10);
  }
  expect(slopeLines(posesFromTilts(all), 0.01, 64)).toMatchObject({ steps: 16, axis: "y" });
  // Turned by half a circle a view keeps its line.
  const [here, there] = [all, all.map((t) => t + 180)].map((t) => slopeLines(posesFromTilts(t), 0.01, 64));
  expect(there!.line).toEqual(here!.line);
  expect(there!.sector).toEqual(here!.sector);
});

test("27 clean views: R_K below 0.5 %, far above FBP and with converged SIRT", async () => {
  const [est, fbp, sirt] = [
    await run(),
    await reconstruct(clean, { method: "fbp", volume: shape }),
    await reconstruct(clean, { method: "sirt", volume: shape, iterations: 100, momentum: true }),
  ];
  const [c, cFbp, cSirt] = [est, fbp, sirt].map((r) => correlation(r.volume, truth)) as [number, number, number];
  expect(est.figures.rkComplex).toBeLessThan(0.005);
  expect(est.figures.rkMagnitude).toBeLessThan(est.figures.rkComplex!);
  expect(c).toBeGreaterThan(cFbp + 0.03);
  expect(c).toBeGreaterThan(cSirt - 0.001);
  // Units are those of the object, and converged it is the whole of it.
  const total = (v: Float32Array): number => v.reduce((a, b) => a + b, 0);
  expect(Math.abs(total((await run({ iterations: 200 })).volume) / total(truth) - 1)).toBeLessThan(5e-4);
});

test("noise: R_free of withheld lines stops the run; better than SIRT", async () => {
  const noisy = tiltSeries(
    clean.projections.map((v) => draw.poisson(20 * v) / 20),
    clean.shape,
    poses,
  );
  const stopped = await run({ weighting: "equal", withhold: 0.1, patience: 3, iterations: 100 }, noisy);
  expect(stopped.status).toBe("converged");
  expect(stopped.figures.rkFree).toBe(Math.min(...stopped.curves.rkFree!));
  const [est, sirt] = [
    await run({ weighting: "equal", iterations: stopped.iterations - 3 }, noisy),
    await reconstruct(noisy, { method: "sirt", volume: shape, iterations: 30 }),
  ];
  expect(correlation(est.volume, truth)).toBeGreaterThan(correlation(sirt.volume, truth));
});

test("the same bits for one and two workers, and in slabs of rows", async () => {
  const [one, two] = [await run({ iterations: 6 }), await run({ iterations: 6, workers: 2 })];
  expect(two.volume).toEqual(one.volume);
  expect(two.curves).toEqual(one.curves);
  const out = new Float32Array(one.volume.length);
  await reconstructSlabs(
    {
      shape: clean.shape,
      poses,
      read: (y0, y1) =>
        Float32Array.from({ length: 27 * (y1 - y0) * 40 }, (_, i) => {
          const rows = 40 * (y1 - y0);
          return clean.projections[Math.floor(i / rows) * 840 + 40 * y0 + (i % rows)]!;
        }),
    },
    { method: "equal-slope", weighting: "area", positive: true, workers: 1 },
    11,
    (slab, y0) => {
      for (let z = 0; z < 40; z++) out.set(slab.volume.subarray(z * 40 * slab.shape[1], (z + 1) * 40 * slab.shape[1]), (z * 21 + y0) * 40);
    },
  );
  expect(correlation(out, truth)).toBeGreaterThan(0.99);
});

test("about x, and views displaced along and across", async () => {
  const swapped = atoms.map(([z, y, x, h, s]) => [z, x, y, h, s] as const),
    about = posesFromTilts(tilts, { axisDeg: 0 }),
    shifts = Float64Array.from({ length: 54 }, (_, i) => (i % 2 ? Math.sin(i) : 0));
  const series = tiltSeries(blobViews(about, [40, 21], swapped, shifts), [27, 40, 21], about, { shifts });
  const r = await equalSlope(series, { volume: [40, 40, 21], weighting: "area", workers: 1 });
  expect(correlation(r.volume, blobs([40, 40, 21], swapped))).toBeGreaterThan(0.99);
  // Along the axis slices are independent: a displacement there is refused, not ignored.
  const along = tiltSeries(clean.projections, clean.shape, poses, { shifts: new Float64Array(54).fill(0.5) });
  await expect(run({}, along)).rejects.toThrow(/unsupported.*shiftViews/);
});

test("start, tolerance, support, abort", async () => {
  const best = await run({ tolerance: 0.02, iterations: 200 });
  expect(best.status).toBe("converged");
  expect(best.iterations).toBeLessThan(200);
  const again = await run({ start: best.volume, iterations: 0 });
  expect(again.volume).toEqual(best.volume);
  expect(again.figures.rkComplex).toBeCloseTo(best.figures.rkComplex!, 6);
  const support = truth.map((v) => (v > 1e-3 ? 1 : 0)),
    held = await run({ support });
  expect(held.volume.every((v, i) => v >= 0 && (support[i] === 1 || v === 0))).toBe(true);
  expect(held.warnings).toEqual([]);
  const control = new AbortController();
  const aborted = run({ signal: control.signal, onProgress: (p) => p.done === 2 && control.abort(new Error("enough")) });
  await expect(aborted).rejects.toThrow("enough");
});

test("errors name the view and the cure", async () => {
  const even = posesFromTilts(Array.from({ length: 27 }, (_, i) => -65 + 5 * i));
  await expect(run({}, tiltSeries(clean.projections, clean.shape, even))).rejects.toThrow(
    /unsupported.*view.*RESIRE or GENFIRE.*equalSlopeAngles/s,
  );
  await expect(run({ steps: 7 })).rejects.toThrow(/unsupported.*equalSlopeAngles/s);
  const general = posesFromEuler(Array.from({ length: 27 }, (_, i) => [i, tilts[i]!, 0]).flat(), "ZYX");
  await expect(run({}, tiltSeries(clean.projections, clean.shape, general))).rejects.toThrow(
    /unsupported.*one axis|unsupported.*tilted about/s,
  );
  await expect(run({ volume: [40, 20, 40] })).rejects.toThrow(/bad-shape/);
  await expect(run({ support: [1] })).rejects.toThrow(/bad-shape.*support/);
  await expect(run({ patience: 2 })).rejects.toThrow(/withhold/);
  await expect(run({ weighting: "ramp" as "area" })).rejects.toThrow(/weightings/);
  await expect(run({ oversampling: 1 })).rejects.toThrow(/oversampling/);
  await expect(run({ maxMemoryMB: 1 })).rejects.toThrow(/too-large/);
  await expect(run({ kernels: "js" })).rejects.toThrow(/unsupported/);
  expect(() => equalSlopeAngles(0)).toThrow(/bad-value/);
  // Half of the views keep the grid.
  expect((await run({ iterations: 1 }, selectViews(clean, [1, 5, 9, 13, 17, 21, 25]))).figures.slopeSteps).toBeLessThanOrEqual(8);
});
