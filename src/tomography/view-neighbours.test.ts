import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { describeData } from "../testing/data.js";
import { blobViews, fourBlobs, publishedAngles, publishedArray } from "../testing/tomography.js";
import { inspectSeries } from "./inspect-series.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { tiltSeries } from "./tilt-series.js";
import { viewNeighbours } from "./view-neighbours.js";

const tilts = Array.from({ length: 31 }, (_, i) => -75 + 5 * i),
  shape = [31, 40, 40] as const,
  g = rng(4),
  shifts = Float64Array.from({ length: 62 }, () => 4 * (g.uniform() - 0.5)),
  views = blobViews(posesFromTilts(tilts), [40, 40], fourBlobs, shifts);
/** 0, 1, −1, 2, −2, … from the middle: the order in which a dose-symmetric series is recorded. */
const acquired = (n: number): number[] => Array.from({ length: n }, (_, i) => (n >> 1) + (i % 2 ? 1 : -1) * Math.ceil(i / 2));
const shuffled = (n: number): number[] => {
  const draw = rng(5);
  return Array.from({ length: n }, (_, i) => [draw.uniform(), i] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, i]) => i);
};

test("views displaced by pixels are like those next to them by angle, in whatever order both come; other lists are told", () => {
  const good = viewNeighbours(tiltSeries(views, shape, posesFromTilts(tilts)));
  expect(good.doubt).toBeUndefined();
  expect(good.byPose).toBeLessThan(1.2 * good.mostAlike);
  const order = acquired(31),
    stack = new Float32Array(views.length);
  order.forEach((from, i) => {
    stack.set(views.subarray(1600 * from, 1600 * (from + 1)), 1600 * i);
  });
  const listed = order.map((i) => tilts[i]!);
  expect(viewNeighbours(tiltSeries(stack, shape, posesFromTilts(listed))).doubt).toBeUndefined();
  // Angles in the order of acquisition beside a sorted stack, the other way about, and angles of nothing.
  const wrong = inspectSeries(tiltSeries(views, shape, posesFromTilts(listed)));
  expect(wrong.neighbours.doubt).toBe("order");
  expect(wrong.warnings.join()).toMatch(/order than the stack/);
  const other = inspectSeries(tiltSeries(stack, shape, posesFromTilts(shuffled(31).map((i) => tilts[i]!))));
  expect(other.neighbours.doubt).toBe("none");
  expect(other.warnings.join()).toMatch(/belong to these views/);
  expect(viewNeighbours(tiltSeries(views, shape, posesFromTilts(tilts.slice().reverse()))).doubt).toBeUndefined();
});

test("views that are all alike, or noise alone, raise no doubt", () => {
  const ball = blobViews(posesFromTilts(tilts), [40, 40], [[0, 0, 0, 5, 4]]),
    draw = rng(6),
    mixed = posesFromTilts(shuffled(31).map((i) => tilts[i]!));
  expect(
    viewNeighbours(
      tiltSeries(
        ball.map((v) => draw.poisson(v + 3)),
        shape,
        mixed,
      ),
    ).doubt,
  ).toBeUndefined();
  expect(
    viewNeighbours(
      tiltSeries(
        ball.map(() => draw.poisson(20)),
        shape,
        mixed,
      ),
    ).doubt,
  ).toBeUndefined();
});

describeData("published series", ["tomography/angle-refinement", "tomography/fept-workshop", "tomography/asi-208"], () => {
  test.each([
    ["angle-refinement", "projections.npy", "angles_true_ZYX.txt", true],
    ["fept-workshop", "projections_noisy.npy", "angles.txt", true],
    ["asi-208", "projections_dose1p6e5.npy", "angles.txt", true],
    // Eight thousand electrons in all: what views have in common drowns, and nothing is said.
    ["asi-208", "projections_dose8p0e3.npy", "angles.txt", false],
  ] as const)(
    "%s, %s: no doubt with its angles; with these in another order, if views show enough",
    async (folder, stack, angles, shows) => {
      const { data, shape: size } = await publishedArray(`${folder}/${stack}`),
        flat = publishedAngles(`${folder}/${angles}`),
        n = size[0],
        three = Array.from({ length: n }, (_, p) => (flat.length === n ? [0, flat[p]!, 0] : Array.from(flat.subarray(3 * p, 3 * p + 3)))),
        poses = (order: readonly number[]) =>
          posesFromEuler(
            order.flatMap((p) => three[Math.min(n - 1, Math.max(0, p))]!),
            "ZYX",
          ),
        doubt = (order: readonly number[]) => viewNeighbours(tiltSeries(data, size, poses(order))).doubt;
      expect(doubt(three.map((_, p) => p))).toBeUndefined();
      expect(doubt(acquired(n))).toBe(shows ? "order" : undefined);
      expect(doubt(shuffled(n))).toBe(shows ? "order" : undefined);
    },
  );
});
