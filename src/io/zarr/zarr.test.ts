import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dataPath, describeData, readData } from "../../testing/data.js";
import { fuzzReader } from "../../testing/fuzz.js";
import { type ByteSource, bytesSource } from "../source.js";
import { openZarr, sourceStore, zarrFrames, zarrPaths, zipStore } from "./index.js";

const text = (s: string): ByteSource => bytesSource(new TextEncoder().encode(s));
/** A version 3 hierarchy as zarr 3.1.6 writes it, uncompressed: group, array scan [3, 4, 2, 3] of uint16 in chunks [1, 2, 2, 3]. */
function version3(): Map<string, ByteSource> {
  const files = new Map<string, ByteSource>([
    ["zarr.json", text('{"zarr_format":3,"node_type":"group","attributes":{}}')],
    [
      "scan/zarr.json",
      text(
        JSON.stringify({
          zarr_format: 3,
          node_type: "array",
          shape: [3, 4, 2, 3],
          data_type: "uint16",
          chunk_grid: { name: "regular", configuration: { chunk_shape: [1, 2, 2, 3] } },
          chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
          fill_value: 7,
          codecs: [{ name: "bytes", configuration: { endian: "little" } }],
          attributes: { unit: "counts" },
        }),
      ),
    ],
  ]);
  for (let y = 0; y < 3; y++)
    for (let x = 0; x < 2; x++) {
      if (y === 2 && x === 1) continue; // a chunk that was never written reads as the fill value
      const values = Uint16Array.from({ length: 12 }, (_, i) => (y * 4 + 2 * x) * 6 + i);
      files.set(`scan/c/${y}/${x}/0/0`, bytesSource(new Uint8Array(values.buffer)));
    }
  return files;
}

test("version 3: every frame of a 4-D scan, missing chunks as fill value", async () => {
  const f = await zarrFrames(sourceStore(version3()));
  expect([f.shape, f.dtype, f.facts.scanShape]).toEqual([[12, 2, 3], "u16", [3, 4]]);
  for (const i of [9, 0, 5, 3]) expect(Array.from((await f.read(i)).data)).toEqual([0, 1, 2, 3, 4, 5].map((k) => 6 * i + k));
  expect(Array.from((await f.read(11)).data)).toEqual([7, 7, 7, 7, 7, 7]);
});

test("ranges and limits are checked", async () => {
  const a = await openZarr(sourceStore(version3()), "scan");
  expect(a.attributes).toEqual({ unit: "counts" });
  await expect(
    a.read([
      [0, 4],
      [0, 4],
      [0, 2],
      [0, 3],
    ]),
  ).rejects.toThrow("out-of-range");
  await expect(openZarr(sourceStore(version3()), "no")).rejects.toThrow("not-found");
  const small = await openZarr(sourceStore(version3()), "scan", { maxBytes: 64 });
  await expect(small.read()).rejects.toThrow("too-large");
});

fuzzReader(
  "zarr metadata",
  new TextEncoder().encode(
    '{"zarr_format":2,"shape":[4,4],"chunks":[2,2],"dtype":"<u2","compressor":null,"fill_value":0,"order":"C","filters":null}',
  ),
  async (b) => {
    const files = new Map([
      [".zarray", bytesSource(b)],
      ["0.0", bytesSource(new Uint8Array(8))],
    ]);
    await (await openZarr(sourceStore(files), "", { maxBytes: 1 << 20 })).read();
  },
  { maxCuts: 200, flips: 300, maxFields: 150 },
);

describeData("HyperSpy zspy", ["fourd/rosettasciio/zspy"], () => {
  const folder = dataPath("fourd/rosettasciio/zspy");
  const directory = (name: string): Map<string, () => Promise<ByteSource>> =>
    new Map(
      (
        readdirSync(join(folder, name), { recursive: true, withFileTypes: true }) as unknown as {
          name: string;
          parentPath: string;
          isFile(): boolean;
        }[]
      )
        .filter((e) => e.isFile())
        .map((e) => [
          join(e.parentPath, e.name).slice(join(folder, name).length + 1),
          async () => bytesSource(new Uint8Array(readFileSync(join(e.parentPath, e.name)))),
        ]),
    );
  test.each(["DirectoryStore", "NestedDirectoryStore", "ZipStore"])("%s", async (kind) => {
    const name = `signal1d_10x10-${kind}.zspy`;
    const store = kind === "ZipStore" ? await zipStore(readData("fourd/rosettasciio/zspy", name)) : sourceStore(directory(name), name);
    expect(await zarrPaths(store)).toContain("Experiments/__unnamed__/data");
    const f = await zarrFrames(store),
      frame = await f.read(0);
    expect(f.shape).toEqual([1, 10, 10]);
    expect(frame.data.every(Number.isFinite)).toBe(true);
  });
});
