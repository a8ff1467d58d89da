import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { correlation } from "../numerics/stats.js";
import { blobs, blobViews } from "../testing/tomography.js";
import { angularWeights } from "./fbp.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { halfSetFsc, type ReconstructMethod, reconstruct } from "./reconstruct.js";
import { crossing, fourierShellCorrelation, powerSpectrum } from "./shells.js";
import { tiltSeries } from "./tilt-series.js";
import { denoiseTv } from "./total-variation.js";

const shape = [30, 21, 30] as const;
const list = [
  [0, 0, 0, 5, 2],
  [4, -4, 6, 4, 1.8],
  [-5, 4, -4, 6, 1.8],
] as const;
const truth = blobs(shape, list);
const series = (poses: Float64Array) => tiltSeries(blobViews(poses, [21, 30], list), [poses.length / 9, 21, 30], poses);
const full = series(posesFromTilts(Array.from({ length: 60 }, (_, i) => -90 + 3 * i)));

test("filtered back projection of a full circle is the object, in its own units", async () => {
  for (const poses of [full.poses, posesFromEuler(Array.from({ length: 60 }, (_, i) => [0, -90 + 3 * i, 0]).flat(), "ZYX")]) {
    const r = await reconstruct(series(poses), { method: "fbp", volume: shape });
    expect(correlation(r.volume, truth)).toBeGreaterThan(0.985);
    expect(r.volume[(15 * 21 + 10) * 30 + 15]! / truth[(15 * 21 + 10) * 30 + 15]!).toBeCloseTo(1, 1);
  }
});

test("the same about any axis: 90°, 0° and 63° from the image's x", async () => {
  const tilts = Array.from({ length: 45 }, (_, i) => -88 + 4 * i),
    cube = [27, 27, 27] as const,
    object = blobs(cube, list);
  for (const axisDeg of [90, 0, 63]) {
    const poses = posesFromTilts(tilts, { axisDeg });
    const s = tiltSeries(blobViews(poses, [27, 27], list), [45, 27, 27], poses);
    for (const method of ["fbp", "resire"] as const) {
      const r = await reconstruct(s, { method, volume: cube, iterations: 40 } as ReconstructMethod);
      expect(correlation(r.volume, object)).toBeGreaterThan(0.97);
    }
  }
});

test("angular weights: equal for equal steps, 0 for nobody, sum π on a full circle", () => {
  const even = angularWeights(Float64Array.from({ length: 18 }, (_, i) => (i * Math.PI) / 18));
  for (const w of even) expect(w).toBeCloseTo(Math.PI / 18, 12);
  const uneven = angularWeights(Float64Array.of(0, 0.1, 0.3, 0.6, 1.1, 1.7, 2.2, 2.7));
  expect(uneven.reduce((a, b) => a + b, 0)).toBeCloseTo(Math.PI, 12);
});

test("total variation: a flat noisy cube becomes flat; in a reconstruction it beats plain descent on noisy views of a cube", async () => {
  const n = 16,
    box = [n, n, n] as const,
    draw = rng(4);
  const inside = (i: number): number => ([i % n, Math.floor(i / n) % n, Math.floor(i / n / n)].every((c) => c > 4 && c < 12) ? 1 : 0);
  const cube = Float32Array.from({ length: n ** 3 }, (_, i) => inside(i)),
    noisy = cube.map((v) => v + 0.3 * draw.normal());
  const clean = noisy.slice();
  denoiseTv(clean, box, 0.25, 100, new Float32Array(3 * n ** 3));
  expect(correlation(clean, cube)).toBeGreaterThan(0.97);
  expect(correlation(noisy, cube)).toBeLessThan(0.85);
  const poses = posesFromTilts(Array.from({ length: 15 }, (_, i) => -70 + 10 * i));
  const { projector } = await import("./project.js");
  const p = projector({ volume: box, poses });
  const views = (p.forward(cube) as Float32Array).map((v) => v + 0.6 * draw.normal());
  p.free();
  const s = tiltSeries(views, [15, n, n], poses);
  const [plain, smooth] = [
    await reconstruct(s, { method: "resire", iterations: 100 }),
    await reconstruct(s, { method: "tv", iterations: 100, weight: 0.1 }),
  ];
  expect(correlation(smooth.volume, cube)).toBeGreaterThan(correlation(plain.volume, cube) + 0.01);
});

test("FSC: 1 with itself, near 0 for noise, falls with noise; power spectrum obeys Parseval's theorem; half sets", async () => {
  const draw = rng(2),
    noise = Float32Array.from(truth, () => draw.normal());
  for (const v of fourierShellCorrelation(truth, truth, shape).value) expect(v).toBeCloseTo(1, 6);
  const none = fourierShellCorrelation(
    noise,
    Float32Array.from(truth, () => draw.normal()),
    shape,
  );
  for (let i = 3; i < none.value.length; i++) expect(Math.abs(none.value[i]!)).toBeLessThan(4 / Math.sqrt(none.count[i]! / 2));
  const mixed = fourierShellCorrelation(
    truth,
    truth.map((v, i) => v + 0.2 * noise[i]!),
    shape,
  );
  expect(crossing(mixed, 0.5)!).toBeGreaterThan(0.1);
  const power = powerSpectrum(noise, shape);
  for (let i = 2; i < power.value.length; i++) expect(power.value[i]! / noise.length).toBeCloseTo(1, 0);
  const halves = await halfSetFsc(full, { method: "resire", iterations: 15, volume: shape });
  expect(halves.curve.value[0]!).toBeGreaterThan(0.99);
});

test("an unknown method is named", () => {
  expect(() => reconstruct(full, { method: "magic" } as unknown as ReconstructMethod)).toThrow(/methods: fbp, sirt/);
});
