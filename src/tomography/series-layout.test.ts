import { expect, test } from "vitest";
import { writeNpy } from "../io/index.js";
import { blobViews } from "../testing/tomography.js";
import { inspectSeries } from "./inspect-series.js";
import { reverseAxes } from "./layout.js";
import { posesFromTilts } from "./poses.js";
import { readTiltSeries } from "./read-series.js";
import { orientStack, transposeViews } from "./series-layout.js";

const tilts = [-60, -45, -30, -15, 0, 15, 30, 45, 60],
  shape = [9, 24, 31] as const,
  poses = posesFromTilts(tilts),
  views = blobViews(
    poses,
    [24, 31],
    [
      [0, 0, 0, 5, 2],
      [5, -4, 8, 4, 1.8],
      [-6, 5, 3, 3, 1.6],
    ],
  );
const angles = new TextEncoder().encode(tilts.join("\n")),
  // [x, y, view] as published; [y, x, view] as images are stacked along a last axis.
  published = reverseAxes(views, shape),
  stacked = reverseAxes(transposeViews(views, shape), [9, 31, 24]);

test("views last: x before y as published, unless the profiles contradict the tilt axis", async () => {
  const a = await readTiltSeries(writeNpy(published.data, published.shape), angles);
  expect(a.series.projections).toEqual(views);
  expect(a.warnings.join()).not.toMatch(/profiles/);
  const b = await readTiltSeries(writeNpy(stacked.data, stacked.shape), angles);
  expect(b.series.shape).toEqual(shape);
  expect(b.series.projections).toEqual(views);
  expect(b.warnings.join()).toMatch(/profiles.*y, x, view/s);
  // Background counts do not hide it; a stated layout is not questioned.
  const raised = await readTiltSeries(writeNpy(stacked.data.map((v) => v + 300) as Float32Array, stacked.shape), angles);
  expect(raised.series.shape).toEqual(shape);
  const stated = await readTiltSeries(writeNpy(stacked.data, stacked.shape), angles, { layout: "x-y-view" });
  expect(stated.series.shape).toEqual([9, 31, 24]);
  const known = await readTiltSeries(writeNpy(stacked.data, stacked.shape), angles, { layout: "y-x-view" });
  expect(known.series.projections).toEqual(views);
  await expect(readTiltSeries(writeNpy(stacked.data, stacked.shape), angles, { layout: "yxv" as "y-x-view" })).rejects.toThrow(/layout/);
});

test("views that are not aligned yet tell their layout and axis as well", async () => {
  const moved = views.map((_, i) => {
    const [p, y, x] = [Math.floor(i / 744), Math.floor((i % 744) / 31), i % 31],
      [dy, dx] = [((5 * p) % 7) - 3, ((3 * p + 1) % 7) - 3];
    return views[p * 744 + Math.min(23, Math.max(0, y + dy)) * 31 + Math.min(30, Math.max(0, x + dx))]!;
  });
  const file = reverseAxes(transposeViews(moved, shape), [9, 31, 24]);
  const { series } = await readTiltSeries(writeNpy(file.data, file.shape), angles);
  expect(series.projections).toEqual(moved);
  const across = await readTiltSeries(writeNpy(moved, shape), angles, { axisDeg: 0 });
  expect(inspectSeries(across.series).warnings.join()).toMatch(/is the axis y/);
  expect(inspectSeries(series).warnings.join()).not.toMatch(/axis/);
});

test("MATLAB arrays: views last as usual, views first as Python saves them", () => {
  const read = (data: Float32Array, sizes: readonly number[]) => orientStack(data, sizes, { axes: "reversed", counts: [9] });
  // size(x) = [31, 24, 9] arrives as [9, 24, 31].
  const usual = read(views, shape);
  expect(usual.data).toEqual(views);
  expect(usual.guessed).toBe(true);
  const python = read(published.data, published.shape);
  expect(python.data).toEqual(views);
  expect(python.guessed).toBe(false);
  expect(python.note).toMatch(/\[9, 24, 31\] read as \[view, y, x\]/);
  const images = orientStack(views, shape, { axes: "images", counts: [31] });
  expect(images.data).toEqual(views);
});

test("pixels that are not finite are masked and empty views dropped when asked, and said", async () => {
  const hurt = views.slice();
  hurt.fill(Number.NaN, 2 * 744 + 300, 2 * 744 + 310);
  hurt.fill(0, 5 * 744, 6 * 744);
  hurt.fill(Number.NaN, 7 * 744, 7 * 744 + 400);
  const file = writeNpy(hurt, shape);
  await expect(readTiltSeries(file, angles)).rejects.toThrow(/not finite/);
  const { series, warnings } = await readTiltSeries(file, angles, { damaged: "leave out" });
  expect(series.shape).toEqual([7, 24, 31]);
  const kept = [0, 1, 2, 3, 4, 6, 8];
  expect(Array.from(series.poses)).toEqual(kept.flatMap((p) => Array.from(poses.subarray(9 * p, 9 * p + 9))));
  expect(series.mask?.reduce((s, v) => s + v, 0)).toBe(10);
  series.mask?.forEach((m, i) => {
    const from = kept[Math.floor(i / 744)]! * 744 + (i % 744);
    if (series.projections[i] !== (m ? 0 : views[from])) expect.fail(`pixel ${i}`);
  });
  expect(warnings.join(" ")).toMatch(/view 5 was left out: it is empty.*view 7 was left out: 400.*10 pixels.*view 2/);
  await expect(readTiltSeries(writeNpy(new Float32Array(views.length), shape), angles, { damaged: "leave out" })).rejects.toThrow(/empty/);
});
