import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dataPath, describeData } from "../testing/data.js";
import { writeBlo } from "./blo.js";
import { writeCbf } from "./cbf.js";
import { detectFormat, imageFormats, openFrames } from "./detect.js";
import { toFloat32 } from "./frames.js";
import { writeMrc } from "./mrc.js";
import { listFiles, openPath } from "./node/files.js";
import { writeNpy } from "./npy.js";
import { writeSmv } from "./smv.js";
import { bytesSource } from "./source.js";
import { writeTiff } from "./tiff-write.js";
import { writeZip } from "./zip.js";

const image = (k: number) => ({ data: Uint16Array.from({ length: 12 }, (_, i) => 10 * k + i), shape: [3, 4] as const });
const files = [
  ["tiff", "a.tif", writeTiff(image(1))],
  ["tiff", "no-extension", writeTiff(image(1), { big: true })],
  ["smv", "a.img", writeSmv(image(1))],
  ["cbf", "a.cbf", writeCbf(image(1))],
  ["npy", "a.npy", writeNpy(image(1).data, [3, 4])],
  ["mrc", "a.mrc", writeMrc(image(1).data, [1, 3, 4])],
  ["blo", "a.blo", writeBlo([{ data: Uint8Array.of(1, 2, 3, 4), shape: [2, 2] }], { scanShape: [1, 1] })],
] as const;

test.each(files)("%s is recognised by its bytes: %s", async (format, name, bytes) => {
  expect((await detectFormat(bytesSource(bytes, name)))?.name).toBe(format);
  expect((await detectFormat(bytes))?.name).toBe(format);
  const s = await openFrames(bytesSource(bytes, name));
  expect(s.format).toBe(format);
  if (format !== "blo") expect([...(await s.read(0)).data]).toEqual([...image(1).data]);
});

test("what is no image is refused with the list of formats", async () => {
  await expect(openFrames(new TextEncoder().encode("hello"))).rejects.toMatchObject({ code: "unsupported" });
  await expect(openFrames(new Uint8Array(0))).rejects.toMatchObject({ code: "unsupported" });
  await expect(openFrames([])).rejects.toMatchObject({ code: "not-found" });
  await expect(openFrames(writeTiff(image(1)), { format: "xyz" })).rejects.toMatchObject({ code: "unsupported" });
});

test("a series of files: natural order, own headers, other files left out", async () => {
  const sources = [10, 9, 2, 1].map((k) => bytesSource(writeSmv(image(k), { facts: { tiltDeg: k / 2 } }), `f${k}.img`));
  const s = await openFrames([...sources, bytesSource(new Uint8Array(3), "notes.txt")]);
  expect(s.shape).toEqual([4, 3, 4]);
  expect(s.warnings.join()).toContain("1 files of other kinds");
  const seen: number[] = [];
  for (let i = 0; i < 4; i++) {
    seen.push((await s.read(i)).data[0]!);
    expect((await s.frame!(i)).facts.tiltDeg).toBe([1, 2, 9, 10][i]! / 2);
  }
  expect(seen).toEqual([10, 20, 90, 100]);
  await expect(s.read(4)).rejects.toMatchObject({ code: "out-of-range" });
});

test("stacks join; an odd frame in a series is named", async () => {
  const s = await openFrames([
    bytesSource(writeTiff([image(1), image(2)]), "1.tif"),
    bytesSource(writeTiff([image(3), image(4), image(5)]), "2.tif"),
  ]);
  expect(s.shape[0]).toBe(5);
  expect((await s.read(4)).data[0]).toBe(50);
  expect((await s.read(1)).data[0]).toBe(20);
  const odd = await openFrames([
    bytesSource(writeSmv(image(1)), "1.img"),
    bytesSource(writeSmv({ data: new Uint16Array(4), shape: [2, 2] }), "2.img"),
  ]);
  await expect(odd.read(1)).rejects.toMatchObject({ code: "bad-file", details: { file: "2.img" } });
});

test("a damaged file is named, alone and in a series", async () => {
  const whole = writeTiff(image(1)),
    cut = whole.slice(0, 20);
  await expect(openFrames(bytesSource(cut, "7.tif"))).rejects.toThrow(/bad-file.*"7\.tif"/);
  const series = await openFrames([bytesSource(whole, "1.tif"), bytesSource(cut, "2.tif"), bytesSource(whole, "3.tif")]);
  expect((await series.read(2)).data[1]).toBe(11);
  await expect(series.read(1)).rejects.toThrow(/bad-file.*"2\.tif"/);
});
test("ZIP archives and a user's own format", async () => {
  const s = await openFrames(writeZip([1, 2, 3].map((k) => ({ name: `d/${k}.tif`, bytes: writeTiff(image(k)) }))));
  expect(s.shape[0]).toBe(3);
  expect((await s.read(2)).data[0]).toBe(30);
  const own = { ...imageFormats[0]!, name: "own", matches: (h: Uint8Array) => h[0] === 7, open: async () => ({ ...s, format: "own" }) };
  expect((await openFrames(Uint8Array.of(7, 7), { formats: [own, ...imageFormats] })).format).toBe("own");
});

test("an empty folder is called one", async () => {
  await expect(listFiles(mkdtempSync(join(tmpdir(), "frames-")))).rejects.toThrow(/not-found: the folder holds no files/);
});
test("a folder on disk", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ewald-series-"));
  for (const k of [1, 2, 11]) writeFileSync(join(dir, `${k}.tiff`), writeTiff(image(k)));
  const s = await openPath(dir);
  expect(s.shape[0]).toBe(3);
  const f = toFloat32(await s.read(2));
  expect(f.data).toBeInstanceOf(Float32Array);
  expect(f.data[0]).toBe(110);
  await s.close?.();
  await expect(openPath(join(dir, "*.png"))).rejects.toMatchObject({ code: "not-found" });
});

describeData("real files of every format open", ["3ded/frames", "fourd/rosettasciio"], () => {
  test.each([
    ["3ded/glycine_pets/00001.tiff", "tiff", [1, 516, 516]],
    ["3ded/frames/TIMEPIX_SU_516-stdgoni_0001.img", "smv", [1, 516, 516]],
    ["3ded/frames/lysozyme_ED_dataset1_frame438.cbf", "cbf", [1, 1032, 1032]],
    ["fourd/read_mib/example.mib", "mib", [2, 256, 256]],
    ["fourd/rosettasciio/blockfile/test1.blo", "blo", [6, 144, 144]],
    ["fourd/rosettasciio/mrc/20241021_00405_movie.mrc", "mrc", [32, 4, 8]],
    ["fourd/rosettasciio/tvips/test_tvips_2345_split_000.tvips", "tvips", [6, 4, 5]],
    ["fourd/rosettasciio/tvips", "tvips", [4, 3, 3]],
    ["fourd/strain-sim/si001_strain_cbed_f32.npy", "npy", [28, 192, 192]],
    ["fourd/rosettasciio/tiff/JEOL-SightX-SAED-dummy.tif.gz", "tiff", [1, 556, 556]],
    ["3ded/frames", "smv", [2, 512, 512]],
  ] as const)("%s", async (path, format, shape) => {
    const s = await openPath(dataPath(path));
    expect(s.format).toBe(format);
    expect(s.shape).toEqual(shape);
    expect((await s.read(0)).data.length).toBe(shape[1] * shape[2]);
    await s.close?.();
  });
});
