import { expect, test } from "vitest";
import { writeMrc, writeNpy } from "../io/index.js";
import { bytesSource } from "../io/source.js";
import { describeData, readData } from "../testing/data.js";
import { blobViews } from "../testing/tomography.js";
import { inspectSeries } from "./inspect-series.js";
import { reverseAxes } from "./layout.js";
import { poseAngles, posesFromEuler, posesFromMatrices, posesFromQuaternions, posesFromTilts, tiltsOf } from "./poses.js";
import { normaliseDose, removeBackground, repairPixels } from "./prepare.js";
import { readTiltSeries } from "./read-series.js";
import { tiltSeries } from "./tilt-series.js";

const tilts = [-60, -40, -20, 0, 20, 40, 60, 70];
const shape = [8, 20, 23] as const;
const list = [
  [0, 0, 0, 5, 2],
  [5, -4, 6, 4, 1.8],
] as const;
const poses = posesFromTilts(tilts);
const views = blobViews(poses, [20, 23], list);
const text = (s: string, name: string) => bytesSource(new TextEncoder().encode(s), name);

test("formats of stack and angles lead to the same series", async () => {
  const mrc = bytesSource(writeMrc(views, shape, { pixelAngstrom: [0.37, 0.37, 1] }), "a.mrc"),
    published = reverseAxes(views, shape);
  const tlt = text(tilts.join("\n"), "a.tlt");
  const a = await readTiltSeries(mrc, tlt);
  expect(a.series.projections).toEqual(views);
  expect(a.series.pixelAngstrom).toBeCloseTo(0.37, 6);
  expect(a.series.poses).toEqual(poses);
  const npy = await readTiltSeries(
    writeNpy(published.data, published.shape),
    text(`# phi theta psi\n${tilts.map((t) => `0, ${t}, 0`).join("\r\n")}`, "e.txt"),
  );
  expect(npy.series.projections).toEqual(views);
  expect(Math.max(...npy.series.poses.map((v, i) => Math.abs(v - poses[i]!)))).toBeLessThan(1e-15);
  const mdoc = [...tilts.keys()]
    .reverse()
    .map((z) => `[ZValue = ${z}]\nTiltAngle = ${tilts[z]}\nRotationAngle = 3\n`)
    .join("\n");
  const m = await readTiltSeries(mrc, text(`PixelSpacing = 0.5\n[T = SerialEM]\n\n${mdoc}`, "a.mrc.mdoc"));
  expect(tiltsOf(m.series.poses)!.axisDeg).toBeCloseTo(87, 9);
  expect(Array.from(tiltsOf(m.series.poses)!.tiltsDeg, (t) => Math.round(t))).toEqual(tilts);
  const table = await readTiltSeries(mrc, writeNpy(Float64Array.from(tilts), [8, 1]));
  expect(table.series.poses).toEqual(poses);
});

test("what does not fit is told before the run", async () => {
  const mrc = writeMrc(views, shape);
  const read = (angles: string, o = {}) => readTiltSeries(mrc, text(angles, "x.txt"), o);
  await expect(read("1\n2\n3")).rejects.toThrow(/belongs to this stack/);
  await expect(read(tilts.map((t) => (t * Math.PI) / 180).join("\n"))).rejects.toThrow(/radians/);
  expect((await read(tilts.map((t) => (t * Math.PI) / 180).join("\n"), { angleUnit: "radians" })).series.poses[0]).toBeCloseTo(0.5, 9);
  await expect(read(tilts.map((t) => `1 ${t} 0`).join("\n"))).rejects.toThrow(/ZYZ.*ZYX/s);
  await expect(read("a b c\n1 2 x")).rejects.toThrow(/line/);
  await expect(read(tilts.map((t) => 10 * t).join("\n"))).rejects.toThrow(/full turn/);
  await expect(read(tilts.map((t, i) => `${i} ${t}`).join("\n"))).rejects.toThrow(/columns of indices/);
  await expect(readTiltSeries(mrc, undefined)).rejects.toThrow(/no angles/);
  const broken = views.slice();
  broken[47] = Number.NaN;
  expect(() => tiltSeries(broken, shape, poses)).toThrow(/not finite/);
  expect(() =>
    tiltSeries(
      views.map((v, i) => (i < 460 ? 3 : v)),
      shape,
      poses,
    ),
  ).toThrow(/empty/);
  expect(() => tiltSeries(views, shape, posesFromTilts([1, 2]))).toThrow(/angle file/);
});

test("a report flags the wrong axis, few views, a narrow range, background and dose", () => {
  const good = inspectSeries(tiltSeries(views, shape, poses));
  expect(good.warnings.join()).not.toMatch(/axis|rim|totals/);
  expect(good.profileChange.y).toBeLessThan(0.01);
  expect(inspectSeries(tiltSeries(views, shape, posesFromTilts(tilts, { axisDeg: 0 }))).warnings.join()).toMatch(/is the axis y/);
  expect(
    inspectSeries(
      tiltSeries(
        views.map((v) => v + 2),
        shape,
        poses,
      ),
    ).warnings.join(),
  ).toMatch(/rim.*removeBackground/);
  expect(
    inspectSeries(
      tiltSeries(
        views.map((v, i) => (i < 920 ? 2 * v : v)),
        shape,
        poses,
      ),
    ).warnings.join(),
  ).toMatch(/normaliseDose/);
  expect(inspectSeries(tiltSeries(views.subarray(0, 5 * 460), [5, 20, 23], posesFromTilts([-20, -10, 0, 10, 20]))).warnings.join()).toMatch(
    /few.*wedge/s,
  );
});

test("background, dose and bad pixels", () => {
  const x = (i: number): number => i % 23,
    y = (i: number): number => Math.floor((i % 460) / 23);
  const sloped = tiltSeries(
    views.map((v, i) => v + 3 + 0.1 * x(i) - 0.05 * y(i)),
    shape,
    poses,
  );
  const flat = removeBackground(sloped, { model: "plane", clip: false });
  expect(Math.max(...flat.projections.map((v, i) => Math.abs(v - views[i]!)))).toBeLessThan(0.35); // 3 % of the peak: tails of the object
  const even = removeBackground(
    tiltSeries(
      views.map((v) => v + 3),
      shape,
      poses,
    ),
  );
  expect(Math.max(...even.projections.map((v, i) => Math.abs(v - views[i]!)))).toBeLessThan(0.35);
  expect(() => removeBackground(sloped, { model: "magic" as "plane" })).toThrow(/models/);
  const dosed = normaliseDose(
    tiltSeries(
      views.map((v, i) => v * (1 + Math.floor(i / 460))),
      shape,
      poses,
    ),
  );
  expect(Math.abs(dosed.factors[0]! / dosed.factors[3]! - 4)).toBeLessThan(0.03); // tails leave the field
  const hurt = views.map((v, i) => v + 0.01 * Math.sin(12.9 * i));
  hurt[500] = Number.NaN;
  hurt[700] = 1000;
  const mended = repairPixels(hurt, shape);
  expect(mended.repaired).toBe(2);
  for (const i of [500, 700]) expect(Math.abs(mended.projections[i]! - views[i]!)).toBeLessThan(3);
});

test("poses: angles, quaternions and matrices come back; what is no rotation is refused", () => {
  const angles = [10, -60, 5, -20, 45, 8];
  for (const convention of ["ZYX", "ZYZ"] as const) {
    const p = posesFromEuler(angles, convention);
    const again = posesFromEuler(poseAngles(p, convention), convention);
    expect(Math.max(...p.map((v, i) => Math.abs(v - again[i]!)))).toBeLessThan(1e-14);
    expect(posesFromMatrices(p)).toEqual(p);
  }
  expect(posesFromQuaternions([1, 0, 0, 0, 0, 0, 2, 0])[9]).toBeCloseTo(-1, 14);
  expect(() => posesFromQuaternions([0, 0, 0, 0])).toThrow(/bad-value/);
  expect(() => posesFromMatrices([1, 0, 0, 0, 1, 0, 0, 0, -1])).toThrow(/determinant/);
  expect(tiltsOf(posesFromEuler(angles, "ZYX"))).toBeUndefined();
  expect(tiltsOf(posesFromTilts([10, -30], { axisDeg: 20 }))!.axisDeg).toBeCloseTo(20, 9);
});

describeData("MAT files of published angles", ["tomography/format-samples/ta_angles_v5_single.mat"], () => {
  test("version 5 and 7.3, views first or last", async () => {
    const angles = readData("tomography", "format-samples/ta_angles_v5_single.mat");
    const stack = new Float32Array(46 * 30).map((_, i) => i % 7);
    const { series } = await readTiltSeries(writeNpy(stack, [46, 5, 6]), angles, { convention: "ZYX" });
    expect(poseAngles(series.poses, "ZYX")[1]).toBeCloseTo(-63, 2);
    const v73 = readData("tomography", "format-samples/copdpt_refined_angles_v73_hdf5.mat");
    const many = new Float32Array(55 * 30).map((_, i) => i % 7);
    const r = await readTiltSeries(writeNpy(many, [55, 5, 6]), v73, { convention: "ZYX" }).catch((e: Error) => e.message);
    expect(typeof r === "string" ? r : r.series.shape[0]).toBe(55);
  });
});
