import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { rotationFromVector } from "../geometry/rotation-forms.js";
import { describeData } from "../testing/data.js";
import { blobViews, publishedAngles, publishedArray } from "../testing/tomography.js";
import { turnPoses } from "./align-gauge.js";
import { poseDifference, poseDoubts } from "./pose-doubts.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { disturbedPoses } from "./simulate-project.js";
import { tiltSeries } from "./tilt-series.js";

const tilts = Array.from({ length: 29 }, (_, i) => -66 + 5 * i);

test("what views cannot tell is no difference of poses: a rotation of the object, its mirror image, even tilts backwards", () => {
  const poses = posesFromTilts(tilts);
  expect(poseDifference(turnPoses(poses, rotationFromVector([0.3, 1, -0.2])), poses)).toBeLessThan(1e-6);
  expect(poseDifference(posesFromTilts(tilts.map((t) => -t)), poses)).toBeLessThan(1e-6);
  expect(poseDifference(posesFromTilts(tilts.slice().reverse()), poses)).toBeLessThan(1e-6);
  // Errors of σ about each of three axes: √3 σ; tilts stretched by a tenth: a tenth of their spread.
  expect(poseDifference(disturbedPoses(poses, 0.01, rng(1)), poses) / ((0.01 * Math.sqrt(3) * 180) / Math.PI)).toBeCloseTo(1, 0);
  const spread = Math.sqrt(tilts.reduce((s, t) => s + (t - 4) ** 2, 0) / tilts.length);
  expect(poseDifference(posesFromTilts(tilts.map((t) => 1.1 * t)), poses)).toBeCloseTo(0.1 * spread, 6);
});

test("even tilts about one axis leave nothing to try", async () => {
  const poses = posesFromTilts(tilts),
    views = blobViews(poses, [24, 24], [[2, 3, -4, 5, 2]]);
  expect((await poseDoubts(tiltSeries(views, [29, 24, 24], poses))).tried).toEqual([]);
});

test("poses in general directions taken backwards, inverted, with flipped images or angles reversed are told", async () => {
  const g = rng(3),
    list = Array.from({ length: 14 }, () => {
      const at = (): number => 16 * (g.uniform() - 0.5);
      return [at(), at(), at(), 3 + 3 * g.uniform(), 1.1] as const;
    });
  const angles = tilts.flatMap((t) => [8 * g.normal(), t, 8 * g.normal()]),
    n = 28,
    views = blobViews(posesFromEuler(angles, "ZYX"), [n, n], list),
    told = async (a: readonly number[], stack = views) =>
      (await poseDoubts(tiltSeries(stack, [29, n, n], posesFromEuler(a, "ZYX")), { workers: 1 })).warnings.join();
  expect(await told(angles)).toBe("");
  const backwards = angles.map((_, i) => angles[angles.length - 3 - 3 * Math.floor(i / 3) + (i % 3)]!);
  expect(await told(backwards)).toMatch(/in reverse order/);
  expect(await told(angles.map((v) => -v))).toMatch(/all angles in the other sense/);
  const flipped = views.map((_, i) => views[i - (i % (n * n)) + (n - 1 - (Math.floor(i / n) % n)) * n + (i % n)]!);
  expect(await told(angles, flipped)).toMatch(/rows of the images/);
  const inverse = posesFromEuler(angles, "ZYX").map((_, i, all) => all[i - (i % 9) + 3 * (i % 3) + (Math.floor(i / 3) % 3)]!);
  expect((await poseDoubts(tiltSeries(views, [29, n, n], inverse), { workers: 1 })).warnings.join()).toMatch(/as inverse rotations/);
});

describeData("published poses in general directions", ["tomography/angle-refinement"], () => {
  test("are right as given, and told when all angles are reversed", async () => {
    const { data, shape } = await publishedArray("angle-refinement/projections.npy"),
      angles = publishedAngles("angle-refinement/angles_true_ZYX.txt"),
      doubts = (a: Float64Array) => poseDoubts(tiltSeries(data, shape, posesFromEuler(a, "ZYX")), { workers: 1 });
    const good = await doubts(angles);
    expect(good.warnings).toEqual([]);
    expect(good.tried.length).toBeGreaterThanOrEqual(3);
    expect((await doubts(angles.map((v) => -v))).warnings.join()).toMatch(/all angles in the other sense/);
  }, 120_000);
});
