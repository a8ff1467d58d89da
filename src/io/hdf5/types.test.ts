import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import golden from "../../testing/golden/hdf5-small.json" with { type: "json" };
import { bytesSource, siblings } from "../source.js";
import { hdf5Frames, openHdf5 } from "./index.js";

// Written by h5py; the values are those that the script gave it.
const file = (name: keyof typeof golden.files): Uint8Array => new Uint8Array(gunzipSync(Buffer.from(golden.files[name], "base64")));

test("numbers of every kind", async () => {
  const h = await openHdf5(file("types"));
  const values = async (path: string): Promise<unknown[]> => {
    const d = await h.dataset(path);
    return [d.dtype, d.shape, Array.from(await d.read())];
  };
  expect(await values("big_u16")).toEqual(["u16", [2, 3], [0, 1000, 2000, 3000, 4000, 5000]]);
  expect(await values("big_f64")).toEqual(["f64", [2], [1.5, -2.25]]);
  expect(await values("i64")).toEqual(["i64", [3], [-(2 ** 53), 2 ** 53 - 1, -1]]);
  expect(await values("u64")).toEqual(["u64", [2], [0, 2 ** 53]]);
  expect(await values("truth")).toEqual(["bool", [3], [1, 0, 1]]);
  expect(await values("colour")).toEqual(["i8", [3], [0, 2, 1]]); // an enumeration that is no truth value keeps its numbers
  expect(await values("c64")).toEqual(["c64", [2], [1, 2, -3, -4]]);
  expect(await values("c128big")).toEqual(["c128", [2], [1, 2, -3, -4]]);
  expect(await values("scalar")).toEqual(["f32", [], [2.5]]);
  expect(await values("none")).toEqual(["f32", [0], []]);
  expect(await values("zero")).toEqual(["f32", [0, 4], []]);
  expect((await values("lazy"))[2]).toEqual(new Array(16).fill(7)); // chunks that were never written hold the fill value
  const part = await (await h.dataset("big_u16")).read([
    [1, 2],
    [1, 3],
  ]);
  expect(Array.from(part)).toEqual([4000, 5000]);
  await h.close();
});

test("texts and attributes", async () => {
  const h = await openHdf5(file("types"));
  expect(await (await h.dataset("words")).texts()).toEqual(["héllo", "", "Å"]);
  expect(await (await h.dataset("fixed")).texts()).toEqual(["ab", "c"]);
  expect(await (await h.dataset("word")).texts()).toEqual(["one"]);
  expect(await h.attributes("attrs")).toEqual({
    flag: true,
    n: 5,
    list: Float32Array.of(1.5, 2.5),
    text: "nm",
    texts: ["a", "b"],
    empty: undefined,
    z: Float32Array.of(1, 2),
    ref: undefined,
  });
  await h.close();
});

test.each(["f16", "words", "record", "ragged"])("%s: a type that is not read is named", async (path) => {
  const h = await openHdf5(file("types"));
  await expect((await h.dataset(path)).read()).rejects.toMatchObject({ code: "unsupported", details: { path } });
  await h.close();
});

test("a value that fails its checksum is an error, and no number", async () => {
  const bytes = file("checked");
  const good = await openHdf5(bytes);
  const d = await good.dataset("stack");
  expect([d.chunks, d.filters.map((f) => f.id)]).toEqual([
    [2, 6, 5],
    [2, 1, 3],
  ]);
  expect(Array.from(await d.read())).toEqual(Array.from({ length: 120 }, (_, i) => i));
  await good.close();
  const hurt = bytes.slice();
  hurt[hurt.length - 20]! ^= 4; // in the last chunk
  const h = await openHdf5(hurt);
  await expect((await h.dataset("stack")).read()).rejects.toMatchObject({ code: "bad-file" });
  await h.close();
});

test("a filter that is not installed is named before reading", async () => {
  const bytes = file("checked");
  // The filter pipeline message lists ids of two bytes, each before its name's length: 2, 1 and 3 in this file.
  const view = new DataView(bytes.buffer);
  let patched = 0;
  for (let at = 0; at + 16 < bytes.length; at++)
    if (view.getUint16(at, true) === 1 && new TextDecoder("latin1").decode(bytes.subarray(at + 8, at + 15)) === "deflate") {
      view.setUint16(at, 32017, true);
      patched++;
    }
  expect(patched).toBe(1);
  const h = await openHdf5(bytes);
  const d = await h.dataset("stack");
  await expect(d.read()).rejects.toMatchObject({ code: "unsupported", details: { id: 32017 } });
  await expect(hdf5Frames(bytes).then((f) => f.read(0))).rejects.toMatchObject({ code: "unsupported" });
  await h.close();
});

test("a master finds its data files through the source, or says which are missing", async () => {
  const [master] = siblings([bytesSource(file("master"), "m.h5"), bytesSource(file("part"), "part_000001.h5")]);
  const f = await hdf5Frames(master!);
  expect([f.format, f.shape]).toEqual(["nexus", [2, 3, 3]]);
  expect(Array.from((await f.read(1)).data)).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17]);
  await f.close?.();
  await expect(hdf5Frames(file("master"))).rejects.toMatchObject({ code: "not-found", details: { pieces: ["data_000001"] } });
});

test("frames of a scan whose rows are cut by the chunks in any order", async () => {
  const f = await hdf5Frames(file("py4dstem"));
  expect([f.format, f.shape, f.facts.scanShape, f.facts.reciprocalPixel]).toEqual(["py4dstem", [6, 4, 5], [2, 3], 0.5]);
  for (const i of [3, 0, 5, 1, 4, 2]) expect(Array.from((await f.read(i)).data)).toEqual(Array.from({ length: 20 }, (_, k) => 20 * i + k));
  const g = await hdf5Frames(file("nexus"));
  expect([g.format, g.shape]).toEqual(["nexus", [3, 4, 4]]);
  expect(g.facts).toMatchObject({ wavelength: 0.02508, exposureS: 0.1 });
  expect(g.facts.pixelMm![0]).toBeCloseTo(0.075, 12);
  await Promise.all([f.close?.(), g.close?.()]);
});

test("a group that holds itself is walked to an end", async () => {
  const h = await openHdf5(file("loop"));
  const paths = await h.datasets();
  expect(paths).toContain("x");
  expect(paths.length).toBeLessThan(100);
  expect(await h.kind("soft")).toBe("none");
  await h.close();
  await expect(h.members("a")).rejects.toMatchObject({ code: "bad-value" });
});

test("a path that is no file", async () => {
  await expect(openHdf5("/no/such/file.h5")).rejects.toMatchObject({ code: "not-found" });
  await expect(openHdf5("/")).rejects.toMatchObject({ code: "bad-file" });
});
