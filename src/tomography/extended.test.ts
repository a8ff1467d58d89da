import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { correlation } from "../numerics/stats.js";
import { blobs, blobViews } from "../testing/tomography.js";
import { extendedVolume, middleColumns } from "./extended.js";
import { resire, sirt } from "./iterative.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { tiltSeries } from "./tilt-series.js";

test("every ray of every view stays in the box through the whole depth, and the box is no wider than that", () => {
  const random = rng("rays"),
    poses = posesFromEuler([0.5, -60, 1, -2, 10, 0.3, 4, 55, -1], "ZYX");
  const [nz, ny, nx] = extendedVolume(poses, [17, 30], 24);
  expect(nz).toBe(24);
  let [left, right, down, up] = [0, 0, 0, 0];
  for (let k = 0; k < 20000; k++) {
    const r = poses.subarray(9 * (k % 3), 9 * (k % 3) + 9),
      corner = k < 9000,
      [u, v, z] = [30, 17, 24].map((n) => {
        const at = corner ? Math.round(random.uniform()) : random.uniform();
        return at * (n - 1) - Math.floor(n / 2);
      }) as [number, number, number];
    const w = (z - r[6]! * u - r[7]! * v) / r[8]!;
    const x = r[0]! * u + r[1]! * v + r[2]! * w,
      y = r[3]! * u + r[4]! * v + r[5]! * w;
    [left, right, down, up] = [Math.max(left, -x), Math.max(right, x), Math.max(down, -y), Math.max(up, y)];
  }
  for (const [size, before, behind] of [
    [nx, left, right],
    [ny, down, up],
  ] as const) {
    const room = [Math.floor(size / 2) - before, size - 1 - Math.floor(size / 2) - behind];
    expect(Math.min(...room)).toBeGreaterThan(-1e-5);
    expect(Math.min(...room)).toBeLessThan(1);
  }
  expect(extendedVolume(posesFromTilts([0]), [8, 9], 4)).toEqual([4, 8, 9]);
});

test("a film that goes on outside the field: the wide box explains the views, the box of the field cannot", async () => {
  const random = rng("film"),
    list = Array.from(
      { length: 160 },
      () => [8 * (random.uniform() - 0.5), 24 * (random.uniform() - 0.5), 130 * (random.uniform() - 0.5), 1, 1.4] as const,
    );
  const poses = posesFromTilts(Array.from({ length: 25 }, (_, i) => -60 + 5 * i)),
    shape = [25, 24, 32] as const,
    series = tiltSeries(blobViews(poses, [24, 32], list), shape, poses);
  const truth = blobs([24, 24, 32], list);
  const volume = extendedVolume(poses, [24, 32], 24);
  const wide = await resire(series, { volume, iterations: 40, momentum: true, workers: 1 }),
    narrow = await resire(series, { volume: [24, 24, 32], iterations: 40, momentum: true, workers: 1 });
  const of = (r: typeof wide): number => correlation(middleColumns(r, [24, 32]).data, truth);
  expect(middleColumns(wide, [24, 32]).shape).toEqual([24, 24, 32]);
  expect(wide.figures.r1).toBeLessThan(0.5 * narrow.figures.r1!);
  expect(of(wide)).toBeGreaterThan(of(narrow) + 0.1);
});

test.each([
  ["resire", resire],
  ["sirt", sirt],
] as const)(
  "%s with momentum reaches in 36 iterations more than plain descent does in 90, with the same bits for any workers",
  async (_, method) => {
    const list = [
      [0, 0, 0, 5, 2],
      [3, -5, 6, 4, 1.5],
      [-4, 6, -3, 6, 1.5],
    ] as const;
    const poses = posesFromTilts(Array.from({ length: 19 }, (_, i) => -81 + 9 * i)),
      series = tiltSeries(blobViews(poses, [34, 34], list), [19, 34, 34], poses);
    const plain = await method(series, { iterations: 90, workers: 1 }),
      fast = await method(series, { iterations: 36, momentum: true, workers: 1 }),
      two = await method(series, { iterations: 36, momentum: true, workers: 2 });
    expect(fast.figures.r1).toBeLessThan(plain.figures.r1!);
    expect(two.volume).toEqual(fast.volume);
    const js = await method(series, { iterations: 4, momentum: true, kernels: "js" }),
      wasm = await method(series, { iterations: 4, momentum: true, workers: 1 });
    expect(js.figures.r1).toBeCloseTo(wasm.figures.r1!, 5);
    expect(Math.min(...fast.volume)).toBeGreaterThanOrEqual(0);
  },
);
