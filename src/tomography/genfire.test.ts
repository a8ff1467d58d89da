import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { type FourierKernels, fourierKernels } from "../kernels/fourier.js";
import { arena } from "../kernels/memory.js";
import { rfftn } from "../numerics/fft.js";
import { correlation } from "../numerics/stats.js";
import { describeData } from "../testing/data.js";
import { blobs, blobViews, publishedAngles, publishedArray } from "../testing/tomography.js";
import { boxedFft } from "./boxed-fft.js";
import { goodLength, griddedViews } from "./fourier-grid.js";
import { genfire } from "./genfire.js";
import { directTransform, imageTransform } from "./nufft.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { runner } from "./runner.js";
import { tiltSeries } from "./tilt-series.js";

const g = rng(5);

test.each([
  [12, 16],
  [17, 9],
])("the non-uniform transform is the direct sum to 1e-6: %i × %i", (ny, nx) => {
  const image = Float64Array.from({ length: ny * nx }, () => g.normal());
  const t = imageTransform(ny, nx);
  t.image(image);
  const out = new Float64Array(2);
  let worst = 0;
  for (let k = 0; k < 200; k++) {
    const u = k === 0 ? 0.5 : g.uniform() - 0.5,
      v = k < 2 ? -0.5 : g.uniform() - 0.5;
    t.valueInto(out, 0, u, v);
    const [re, im] = directTransform(image, ny, nx, u, v);
    worst = Math.max(worst, Math.hypot(out[0]! - re, out[1]! - im));
  }
  t.free();
  expect(worst / Math.sqrt(ny * nx)).toBeLessThan(4e-6);
});

test("the pruned FFT is the FFT of the padded volume, and comes back", async () => {
  const box = [5, 6, 7] as const,
    grid = [12, 16, 18] as const;
  const run = await runner({ workers: 1 });
  const fft = boxedFft(run.arena, box, grid);
  const padded = new Float32Array(12 * 16 * 18),
    rows = run.arena.f32(fft.volume, 5 * 6 * 18).fill(0);
  for (let z = 0; z < 5; z++)
    for (let y = 0; y < 6; y++) for (let x = 0; x < 7; x++) padded[(z * 16 + y) * 18 + x] = rows[(z * 6 + y) * 18 + x] = g.normal();
  const before = rows.slice();
  run.arena.f32(fft.spectrum, 2 * 12 * 16 * 10).fill(7); // whatever was there
  for (const phase of fft.forward()) await run.run(phase);
  const wanted = rfftn(padded, grid);
  const spectrum = run.arena.f32(fft.spectrum, wanted.length);
  expect(Math.max(...wanted.map((v, i) => Math.abs(v - spectrum[i]!)))).toBeLessThan(2e-4);
  for (const phase of fft.inverse()) await run.run(phase);
  const after = run.arena.f32(fft.volume, before.length);
  expect(Math.max(...before.map((v, i) => Math.abs(v - after[i]!)))).toBeLessThan(1e-5);
  await run.close();
});

test("kernels of the constraints: WebAssembly and TypeScript give the same bits", () => {
  const results = (["wasm", "js"] as const).map((name) => {
    const memory = arena(),
      draw = rng(3);
    const p = Array.from({ length: 7 }, () => memory.alloc(4096)) as [number, number, number, number, number, number, number];
    const k: FourierKernels = fourierKernels(memory, name);
    memory.f32(p[0], 600).set(Float32Array.from({ length: 600 }, () => draw.normal()));
    memory.u8(p[1], 210).set(Uint8Array.from({ length: 210 }, () => draw.integer(2)));
    k.constrain(p[0], p[1], 3, 28, 7, 20, 1);
    new Uint32Array(memory.memory.buffer, p[2], 40).set(Uint32Array.from({ length: 40 }, (_, i) => 5 * i));
    memory.f32(p[3], 80).set(Float32Array.from({ length: 80 }, () => draw.normal()));
    memory.f32(p[4], 40).set(Float32Array.from({ length: 40 }, () => draw.uniform()));
    memory.u8(p[5], 40).set(Uint8Array.from({ length: 40 }, (_, i) => (i % 3) + (i % 5 === 0 ? 128 : 0)));
    memory.f64(p[6], 9).fill(0);
    k.enforce(p[0], p[2], p[3], p[4], p[5], 2, 39, 0.5, p[6]);
    return [memory.f32(p[0], 600).slice(), memory.f64(p[6], 9).slice()];
  });
  expect(results[1]).toEqual(results[0]);
  expect(results[0]![1]!.every((s) => s > 0)).toBe(true);
});

const shape = [22, 24, 26] as const;
const list = [
  [0, 0, 0, 5, 2],
  [3, -5, 5, 4, 1.6],
  [-4, 5, -3, 6, 1.6],
] as const;
const truth = blobs(shape, list);
const seriesOf = (poses: Float64Array, shifts?: Float64Array) =>
  tiltSeries(blobViews(poses, [shape[1], shape[2]], list, shifts), [poses.length / 9, shape[1], shape[2]], poses, { shifts });
const tilts = Array.from({ length: 25 }, (_, i) => -84 + 7 * i);
const general = posesFromEuler(
  tilts.flatMap((t, i) => [4 * Math.sin(i), t, 5 * Math.cos(3 * i)]),
  "ZYX",
);

test("points of the grid: each is its Friedel mate's conjugate where both are held, and is the transform of the volume", () => {
  const grid = [36, 36, 40] as const;
  for (const [gridding, cutoff, tolerance] of [
    ["dft", 0.1, 0.02],
    ["fft", 0.5, 0.2],
  ] as const) {
    const sums = new Float32Array(2 * 36 * 36 * 21);
    const steps = griddedViews(seriesOf(general), [26, 24, 26], grid, gridding, cutoff, () => sums);
    let r = steps.next();
    while (!r.done) r = steps.next();
    const { index, value, radius } = r.value;
    const at = new Map(Array.from(index, (i, n) => [i, n]));
    let mates = 0;
    for (const [i, n] of at) {
      if (i % 21 !== 0) continue;
      const iy = Math.floor(i / 21) % 36,
        iz = Math.floor(i / 21 / 36);
      const m = at.get((((36 - iz) % 36) * 36 + ((36 - iy) % 36)) * 21)!;
      expect(m).toBeDefined();
      expect(radius[m]).toBe(radius[n]);
      mates++;
    }
    expect(mates).toBeGreaterThan(50);
    // The volume here is 26 deep, so the truth lies 2 planes deeper.
    const padded = new Float32Array(36 * 36 * 40);
    for (let z = 0; z < 22; z++)
      for (let y = 0; y < 24; y++) for (let x = 0; x < 26; x++) padded[((z + 2) * 36 + y) * 40 + x] = truth[(z * 24 + y) * 26 + x]!;
    const f = rfftn(padded, grid);
    let d = 0,
      s = 0;
    for (const [i, n] of at) {
      d += Math.hypot(f[2 * i]! - value[2 * n]!, f[2 * i + 1]! - value[2 * n + 1]!);
      s += Math.hypot(value[2 * n]!, value[2 * n + 1]!);
    }
    expect(d / s).toBeLessThan(tolerance);
  }
  expect([goodLength(381), goodLength(9), goodLength(7)]).toEqual([384, 10, 8]);
});

test("recovers a phantom in a box that is no cube, from single-axis and general poses, also displaced views", async () => {
  const shifts = Float64Array.from({ length: 50 }, () => 1.5 * g.normal());
  for (const series of [seriesOf(posesFromTilts(tilts)), seriesOf(general), seriesOf(general, shifts)])
    for (const gridding of series.shifts ? (["dft", "fft"] as const) : (["dft"] as const)) {
      const r = await genfire(series, { volume: shape, iterations: 30, gridding, schedule: "all", workers: 1 });
      expect(correlation(r.volume, truth)).toBeGreaterThan(0.99);
      expect(r.figures.rkMagnitude!).toBeLessThan(gridding === "dft" ? 0.06 : 0.09);
      expect(r.figures.rkComplex!).toBeGreaterThan(r.figures.rkMagnitude!);
      expect(r.figures.rkFree!).toBeLessThan(2 * r.figures.rkMagnitude!);
    }
});

test("same bits for any number of workers; warm start; abort; bad options", async () => {
  const series = seriesOf(general),
    options = { volume: [34, 34, 34], iterations: 6 } as const;
  const [one, two] = [await genfire(series, { ...options, workers: 1 }), await genfire(series, { ...options, workers: 2 })];
  expect(two.volume).toEqual(one.volume);
  expect(two.curves).toEqual(one.curves);
  const cold = await genfire(series, { volume: shape, iterations: 10, schedule: "all", workers: 1 });
  const warm = await genfire(series, { volume: shape, iterations: 10, schedule: "all", start: cold.volume, workers: 1 });
  expect(warm.curves.rkMagnitude![0]!).toBeLessThan(1.05 * cold.figures.rkMagnitude!);
  const control = new AbortController();
  const run = genfire(series, {
    volume: shape,
    signal: control.signal,
    onProgress: (p) => p.done === 2 && control.abort(new Error("enough")),
  });
  await expect(run).rejects.toThrow("enough");
  await expect(genfire(series, { maxMemoryMB: 1 })).rejects.toThrow(/too-large/);
  await expect(genfire(series, { oversampling: 0.5 })).rejects.toThrow(/oversampling/);
  await expect(genfire(series, { volume: [20, 20, 20] })).rejects.toThrow(/at least as wide/);
  await expect(genfire(series, { kernels: "js" })).rejects.toThrow(/RESIRE/);
});

describeData("GENFIRE's vesicle (60³, 61 views)", ["tomography/genfire-vesicle/model.npy"], () => {
  test("R_K of the published run (MATLAB, DFT gridding, 50 iterations: 0.0330) within 0.005, correlation with the model 0.999", async () => {
    const model = await publishedArray("genfire-vesicle/model.npy"),
      stack = await publishedArray("genfire-vesicle/projections.npy");
    const poses = posesFromEuler(publishedAngles("genfire-vesicle/angles.txt"), "ZYZ");
    const r = await genfire(tiltSeries(stack.data, stack.shape, poses), { iterations: 50 });
    expect(Math.abs(r.figures.rkComplex! - 0.033)).toBeLessThan(0.005);
    expect(correlation(r.volume, model.data)).toBeGreaterThan(0.999);
    expect(r.figures.rkFree!).toBeLessThan(1.2 * r.figures.rkMagnitude!);
  });
});
