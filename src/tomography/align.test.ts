import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { blobViews, fourBlobs } from "../testing/tomography.js";
import { alignSeries } from "./align.js";
import { posesFromTilts } from "./poses.js";
import { registrar, shiftViews } from "./shift.js";
import { tiltSeries } from "./tilt-series.js";

const tilts = Array.from({ length: 25 }, (_, i) => -72 + 6 * i);

test("a phase ramp moves images exactly, odd and even, and back; the registrar finds the move", () => {
  for (const [ny, nx] of [
    [31, 34],
    [36, 33],
  ] as const) {
    const poses = posesFromTilts([20]);
    const [here, there] = [blobViews(poses, [ny, nx], fourBlobs), blobViews(poses, [ny, nx], fourBlobs, [1.3, -0.85])];
    const moved = shiftViews(here, [1, ny, nx], [1.3, -0.85]);
    expect(Math.max(...moved.map((v, i) => Math.abs(v - there[i]!)))).toBeLessThan(0.1); // tails at the rim wrap round
    const r = registrar(ny, nx);
    const [dx, dy] = r.shift(r.transform(there), r.transform(here), 4);
    expect(dx).toBeCloseTo(1.3, 2);
    expect(dy).toBeCloseTo(-0.85, 2);
    r.free();
  }
});

test.each([90, 0])("a series displaced by up to 2 px is aligned to 0.05 px, axis at %i°", async (axisDeg) => {
  const g = rng(axisDeg + 1),
    n = 44,
    poses = posesFromTilts(tilts, { axisDeg });
  const shifts = Float64Array.from({ length: 2 * tilts.length }, () => 4 * (g.uniform() - 0.5));
  const series = tiltSeries(blobViews(poses, [n, n], fourBlobs, shifts), [tilts.length, n, n], poses);
  const a = await alignSeries(series, { matching: 2, iterations: 15 });
  expect(a.rounds.length).toBe(5);
  expect(a.rounds.at(-1)!.r1!).toBeLessThan(a.rounds.at(-2)!.r1! + 1e-4);
  // Up to what no data can tell: a shift along the axis, and x0 cos θ − z0 sin θ across it.
  const along = axisDeg === 90 ? 1 : 0;
  const left = tilts.map((_, p) => a.shifts[2 * p + along]! + shifts[2 * p + along]!),
    across = tilts.map((_, p) => a.shifts[2 * p + 1 - along]! + shifts[2 * p + 1 - along]!);
  const mean = left.reduce((s, v) => s + v, 0) / left.length;
  expect(Math.sqrt(left.reduce((s, v) => s + (v - mean) ** 2, 0) / left.length)).toBeLessThan(0.05);
  const c = tilts.map((t) => Math.cos((t * Math.PI) / 180)),
    s = tilts.map((t) => Math.sin((t * Math.PI) / 180)),
    dot = (u: readonly number[], v: readonly number[]): number => u.reduce((q, x, i) => q + x * v[i]!, 0);
  const det = dot(c, c) * dot(s, s) - dot(c, s) ** 2,
    x0 = (dot(across, c) * dot(s, s) - dot(across, s) * dot(c, s)) / det,
    z0 = (dot(across, s) * dot(c, c) - dot(across, c) * dot(c, s)) / det;
  const rest = across.map((v, i) => v - x0 * c[i]! - z0 * s[i]!);
  expect(Math.sqrt(dot(rest, rest) / rest.length)).toBeLessThan(0.05);
});

test("views that are aligned already stay where they are, and go to the centre of mass when that is asked for", async () => {
  const n = 44,
    poses = posesFromTilts(tilts),
    aside = fourBlobs.map(([z, y, x, h, s]) => [z + 1.2, y, x - 1.7, h, s] as const),
    series = tiltSeries(blobViews(poses, [n, n], aside), [tilts.length, n, n], poses);
  const rms = (v: Float64Array): number => Math.sqrt(v.reduce((s, x) => s + x * x, 0) / (v.length / 2));
  const stay = await alignSeries(series, { matching: 1, iterations: 15 }),
    centred = await alignSeries(series, { matching: 0, centre: true, threshold: 0 });
  // The centre of mass over the blobs (their heights times the cubes of their widths).
  const mass = aside.map(([, , , h, s]) => h * s ** 3),
    total = mass.reduce((a, b) => a + b, 0),
    at = (k: 0 | 2): number => aside.reduce((s, b, i) => s + (b[k] * mass[i]!) / total, 0);
  expect(rms(stay.shifts)).toBeLessThan(0.03);
  expect(Math.hypot(...stay.displacement)).toBeLessThan(0.03);
  expect(centred.displacement[0]).toBeCloseTo(-at(2), 2);
  expect(centred.displacement[1]).toBeCloseTo(0, 2);
  expect(centred.displacement[2]).toBeCloseTo(-at(0), 2);
});

test("what cannot be aligned is said", async () => {
  const poses = posesFromTilts([0, 10]);
  await expect(alignSeries(tiltSeries(blobViews(poses, [20, 20], fourBlobs), [2, 20, 20], poses))).rejects.toThrow(/three views/);
  const more = posesFromTilts([0, 10, 20]);
  await expect(alignSeries(tiltSeries(blobViews(more, [20, 20], fourBlobs), [3, 20, 20], more), { angleStepDeg: 99 })).rejects.toThrow(
    /degrees/,
  );
});
