import { expect, test } from "vitest";
import { fc, prop } from "../../testing/prop.js";
import { bytesSource } from "../source.js";
import { writeZip } from "../zip.js";
import { openZarr, sourceStore, zarrFiles, zarrFrames, zarrPaths, zipStore } from "./index.js";

const storeOf = (files: ReadonlyMap<string, Uint8Array>) => sourceStore(new Map([...files].map(([k, v]) => [k, bytesSource(v)])));

prop(
  "what is written reads back, any shape, chunks, version and compression",
  [
    fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 }),
    fc.constantFrom(2 as const, 3 as const),
    fc.boolean(),
  ],
  async (shape, sizes, version, gzip) => {
    const data = Int16Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 7 * i - 300),
      chunks = shape.map((_, i) => sizes[i]!);
    const store = storeOf(
      zarrFiles(data, { shape, chunks, version, path: "a/b", compression: gzip ? "gzip" : "none", attributes: { unit: "counts" } }),
    );
    expect(await zarrPaths(store)).toEqual(["a/b"]);
    const a = await openZarr(store, "a/b");
    expect([a.shape, a.dtype, a.attributes]).toEqual([shape, "i16", { unit: "counts" }]);
    expect(await a.read()).toEqual(data);
  },
  { runs: 60 },
);

test("a scan in an archive", async () => {
  const data = Float32Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => i / 3);
  const zip = writeZip([...zarrFiles(data, { shape: [2, 3, 4, 5], compression: "gzip" })].map(([name, bytes]) => ({ name, bytes })));
  const f = await zarrFrames(await zipStore(zip));
  expect([f.shape, f.facts.scanShape]).toEqual([
    [6, 4, 5],
    [2, 3],
  ]);
  expect((await f.read(4)).data).toEqual(data.subarray(80, 100));
});

test("sizes that disagree are named", () => {
  expect(() => zarrFiles(new Uint8Array(5), { shape: [2, 3] })).toThrow("bad-shape");
});
