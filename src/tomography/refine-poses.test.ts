import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { rotationVector } from "../geometry/rotation-forms.js";
import { blobViews, rotationsLeft } from "../testing/tomography.js";
import { commonRotation } from "./align-gauge.js";
import { posesFromTilts } from "./poses.js";
import { refinePoses } from "./refine-poses.js";
import { disturbedPoses } from "./simulate-project.js";
import { tiltSeries } from "./tilt-series.js";

const tilts = Array.from({ length: 29 }, (_, i) => -70 + 5 * i),
  given = posesFromTilts(tilts),
  right = disturbedPoses(given, (1 * Math.PI) / 180, rng(2)),
  g = rng(8),
  n = 36;
const list = Array.from({ length: 25 }, () => {
  const at = (): number => 20 * (g.uniform() - 0.5);
  return [at(), at(), at(), 2 + 3 * g.uniform(), 1.4] as const;
});

/** Rms rotation of the views, degrees, beyond the common one. */
const left = (poses: Float64Array): number => Math.hypot(...rotationsLeft(poses, right).rmsDeg);

test("views turned by 1° about each axis and moved by half a pixel come back; the mean rotation stays, workers change nothing", async () => {
  const shifts = Float64Array.from({ length: 2 * tilts.length }, () => g.uniform() - 0.5),
    series = tiltSeries(blobViews(right, [n, n], list, shifts), [tilts.length, n, n], given);
  const r = await refinePoses(series, { workers: 1, rounds: 25 });
  expect(left(given)).toBeGreaterThan(1.5);
  expect(left(r.poses)).toBeLessThan(0.45);
  expect(Math.hypot(...rotationVector(commonRotation(r.poses, given)))).toBeLessThan(2e-3);
  expect(r.rounds.at(-1)!.r1).toBeLessThan(0.5 * r.rounds[1]!.r1);
  const rest = r.shifts.map((v, i) => v - shifts[i]!),
    mean = [0, 1].map((k) => rest.reduce((s, v, i) => s + ((i & 1) === k ? v / tilts.length : 0), 0));
  // Along the axis nothing but a constant is left open; across it also what a displaced object explains.
  expect(Math.sqrt(rest.reduce((s, v, i) => s + ((i & 1) === 1 ? (v - mean[1]!) ** 2 : 0), 0) / tilts.length)).toBeLessThan(0.05);
  const few = { rounds: 2, smoothing: 0.5 },
    [one, two] = [await refinePoses(series, { ...few, workers: 1 }), await refinePoses(series, { ...few, workers: 2 })];
  expect(two.poses).toEqual(one.poses);
}, 60_000);

test("right poses stay, up to the grid, and a stop is obeyed", async () => {
  const series = tiltSeries(blobViews(right, [n, n], list), [tilts.length, n, n], right);
  expect(left((await refinePoses(series, { workers: 1, rounds: 12 })).poses)).toBeLessThan(0.3);
  const held = await refinePoses(series, { workers: 1, leastDeg: 0.5 });
  expect(held.rounds.length).toBe(1);
  expect(held.poses).toEqual(series.poses);
  await expect(refinePoses(series, { signal: AbortSignal.abort() })).rejects.toThrow();
  await expect(refinePoses(series, { smoothing: -1 })).rejects.toThrow(/smoothing/);
  await expect(refinePoses(series, { stepDeg: 0 })).rejects.toThrow(/degrees/);
  await expect(refinePoses({ ...series, mask: new Uint8Array(series.projections.length).fill(1) })).rejects.toThrow(/repairPixels/);
});
