import { expect, test } from "vitest";
import { correlation } from "../numerics/stats.js";
import { describeData } from "../testing/data.js";
import { blobs, publishedAngles, publishedArray } from "../testing/tomography.js";
import { resire, sart, sirt } from "./iterative.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { projector } from "./project.js";
import { selectViews, tiltSeries } from "./tilt-series.js";

const shape = [24, 26, 28] as const;
const truth = blobs(shape, [
  [0, 0, 0, 5, 2],
  [3, -5, 6, 4, 1.5],
  [-4, 6, -3, 6, 1.5],
]);
const tilts = Array.from({ length: 19 }, (_, i) => -81 + 9 * i);
const seriesOf = (poses: Float64Array) => {
  const p = projector({ volume: shape, poses });
  const stack = p.forward(truth) as Float32Array;
  p.free();
  return tiltSeries(stack, [poses.length / 9, shape[1], shape[2]], poses);
};
const single = seriesOf(posesFromTilts(tilts));
const general = seriesOf(
  posesFromEuler(
    tilts.flatMap((t, i) => [0.5 * Math.sin(i), t, 0.7 * Math.cos(3 * i)]),
    "ZYX",
  ),
);

test.each([
  ["sirt", sirt, 60, 0.04, 0.99],
  ["sart", sart, 10, 0.05, 0.985],
  ["resire", resire, 60, 0.04, 0.985],
] as const)("%s recovers a phantom from consistent views, about one axis and with general poses", async (_, method, iterations, r1, c) => {
  for (const series of [single, general]) {
    const r = await method(series, { iterations, volume: shape });
    expect(r.figures.r1).toBeLessThan(r1);
    expect(correlation(r.volume, truth)).toBeGreaterThan(c);
    expect(r.iterations).toBe(iterations);
    expect(r.warnings).toEqual([]);
  }
});

test("same bits for any number of workers, for both kinds of poses; the TypeScript twin agrees", async () => {
  for (const series of [single, general]) {
    const options = { volume: [40, 26, 40], iterations: 3, withhold: 0.05 } as const;
    const [one, two] = [await resire(series, { ...options, workers: 1 }), await resire(series, { ...options, workers: 2 })];
    expect(two.volume).toEqual(one.volume);
    expect(two.figures).toEqual(one.figures);
    const js = await resire(series, { ...options, kernels: "js" });
    expect(js.figures.r1).toBeCloseTo(one.figures.r1!, 6);
    expect(correlation(js.volume, one.volume)).toBeGreaterThan(1 - 1e-9);
  }
});

test("support, masked pixels, withheld pixels, warm start and early stop", async () => {
  const support = truth.map((v) => (v > 0.01 ? 1 : 0)),
    wedge = selectViews(single, [5, 6, 7, 8, 9, 10, 11, 12, 13]);
  const free = await sirt(wedge, { volume: shape, iterations: 40 });
  const held = await sirt(wedge, { volume: shape, iterations: 40, support });
  expect(held.volume.every((v, i) => support[i] === 1 || v === 0)).toBe(true);
  expect(correlation(held.volume, truth)).toBeGreaterThan(correlation(free.volume, truth));
  expect(held.figures.outsideSupport).toBeLessThan(0.005);
  expect(held.warnings).toEqual([]);
  // Half of the object is cut away across the tilt axis: no ray through those rows meets the support.
  const rows = Float32Array.from(support, (v, i) => (Math.floor(i / 28) % 26 < 13 ? v : 0));
  let [lost, sum] = [0, 0];
  single.projections.forEach((v, i) => {
    sum += v;
    if (Math.floor(i / 28) % 26 >= 13) lost += v;
  });
  const clipped = await sirt(single, { volume: shape, iterations: 2, support: rows });
  expect(Math.abs(clipped.figures.outsideSupport! - lost / sum)).toBeLessThan(0.01);
  expect(clipped.warnings[0]).toMatch(/clips the object/);

  const mask = new Uint8Array(single.projections.length),
    hurt = single.projections.slice();
  for (let i = 5; i < mask.length; i += 97) {
    mask[i] = 1;
    hurt[i] = Number.NaN;
  }
  const masked = await resire(tiltSeries(hurt, single.shape, single.poses, { mask }), { volume: shape, iterations: 40 });
  expect(correlation(masked.volume, truth)).toBeGreaterThan(0.97);

  const withheld = await resire(single, { volume: shape, iterations: 40, withhold: 0.1, seed: 3 });
  expect(withheld.figures.r1Free!).toBeGreaterThan(withheld.figures.r1!);
  expect(withheld.figures.r1Free!).toBeLessThan(3 * withheld.figures.r1!);

  const half = await resire(single, { volume: shape, iterations: 20 });
  const rest = await resire(single, { volume: shape, iterations: 20, start: half.volume });
  const whole = await resire(single, { volume: shape, iterations: 40 });
  expect(rest.volume).toEqual(whole.volume);
  expect(whole.curves.r1!.length).toBe(40);
  expect(whole.curves.r1![20]).toBe(half.figures.r1);

  const stopped = await resire(single, { volume: shape, iterations: 500, tolerance: 0.05 });
  expect(stopped.status).toBe("converged");
  expect(stopped.iterations).toBeLessThan(100);
});

test("abort and progress; options are checked before the start", async () => {
  const control = new AbortController();
  let seen = 0;
  const run = resire(single, {
    volume: shape,
    iterations: 100,
    signal: control.signal,
    onProgress: (p) => {
      seen = p.done;
      expect(p.figures!.r1).toBeGreaterThan(0);
      if (p.done === 3) control.abort(new Error("enough"));
    },
  });
  await expect(run).rejects.toThrow("enough");
  expect(seen).toBe(3);
  await expect(async () => resire(single, { step: 9 })).rejects.toThrow(/bad-value/);
  await expect(resire(single, { support: [1, 2] })).rejects.toThrow(/bad-shape.*support/);
  await expect(resire(single, { patience: 3 })).rejects.toThrow(/withhold/);
  await expect(resire(single, { maxMemoryMB: 1 })).rejects.toThrow(/too-large.*slabs/);
});

test("a step that diverges is halved and said", async () => {
  const r = await resire(single, { volume: [6, 26, 80], iterations: 30, step: 4, positive: false });
  expect(r.warnings[0]).toMatch(/step is halved/);
  expect(r.figures.r1).toBeLessThan(r.curves.r1![0]!);
});

describeData("RESIRE sample (amorphous, 41 views)", ["tomography/resire-sample/truth_volume.npy"], () => {
  test("views follow from the published volume to 1.75 %; 50 iterations correlate above 0.95", async () => {
    const volume = await publishedArray("resire-sample/truth_volume.npy"),
      stack = await publishedArray("resire-sample/projections.npy");
    const poses = posesFromEuler(publishedAngles("resire-sample/angles.txt"), "ZYX");
    const p = projector({ volume: volume.shape, poses });
    const views = p.forward(volume.data);
    p.free();
    const size = 64 * 64;
    for (let k = 0; k < 41; k++) {
      let d = 0,
        s = 0;
      for (let i = k * size; i < (k + 1) * size; i++) {
        d += Math.abs(views[i]! - stack.data[i]!);
        s += Math.abs(stack.data[i]!);
      }
      expect(d / s).toBeLessThan(0.0175);
    }
    const r = await resire(tiltSeries(stack.data, stack.shape, poses), { iterations: 50 });
    expect(correlation(r.volume, volume.data)).toBeGreaterThan(0.95);
  });
});
