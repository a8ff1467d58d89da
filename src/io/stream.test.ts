import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fc, prop } from "../testing/prop.js";
import { emdTree } from "./hdf5/emd-write.js";
import { hdf5Frames, openHdf5 } from "./hdf5/index.js";
import { type Hdf5WriteGroup, hdf5Layout } from "./hdf5/write.js";
import { arrayFile, fileCheckpoint, fileSink, folderFiles } from "./node/index.js";
import { writeNpy } from "./npy.js";
import { hdf5Stream, npyStream } from "./stream.js";
import { sourceStore, zarrFrames } from "./zarr/index.js";

const folder = mkdtempSync(join(tmpdir(), "ewald-stream-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const shape = [2, 3, 4, 5] as const,
  data = Float32Array.from({ length: 120 }, (_, i) => i / 7),
  cube = { scanStep: [0.5, 0.4], pixel: [0.02, 0.03], voltageKv: 200 } as const;

/** Six patterns in three pieces, out of order, with a file that is opened again in between. */
async function write(path: string): Promise<void> {
  const first = await arrayFile(path, { shape, type: "f32", cube });
  await first.write(80, data.subarray(80));
  await first.close();
  const second = await arrayFile(path, { shape, type: "f32", cube, resume: true });
  await second.write(0, data.subarray(0, 40));
  await second.write(40, data.subarray(40, 80));
  await second.close();
}

test(".npy has the bytes of one that is written at once", async () => {
  const path = join(folder, "a.npy");
  await write(path);
  expect(new Uint8Array(readFileSync(path))).toEqual(writeNpy(data, shape));
});

test("EMD 1.0: our reader finds scan, steps and voltage", async () => {
  const path = join(folder, "a.h5");
  await write(path);
  const frames = await hdf5Frames(path);
  expect(frames.facts).toMatchObject({ scanShape: [2, 3], reciprocalPixel: expect.closeTo(0.03, 9) as number });
  for (let i = 0; i < 6; i++) expect([...(await frames.read(i)).data]).toEqual([...data.subarray(20 * i, 20 * i + 20)]);
  await frames.close?.();
  const h = await openHdf5(path);
  expect((await h.attributes("")).emd_group_type).toBe("file");
  expect((await h.attributes("datacube_root/datacube/dim3")).units).toBe("A^-1");
  expect([...((await (await h.dataset("datacube_root/datacube/dim2")).read()) as Float64Array)].map((v) => Number(v.toFixed(9)))).toEqual([
    -0.04, -0.02, 0, 0.02,
  ]);
  expect(await (await h.dataset("datacube_root/metadatabundle/calibration/Q_pixel_units")).texts()).toEqual(["A^-1"]);
  await h.close();
});

test("a thickness series in HDF5 says its steps on the dataset", async () => {
  const path = join(folder, "series.h5");
  const stream = await arrayFile(path, { shape: [2, 3, 1, 4, 5], type: "f32", cube });
  await stream.write(0, data);
  await stream.close();
  const h = await openHdf5(path);
  const said = await h.attributes("data");
  expect([...(said.scan_step_angstrom as Float64Array)]).toEqual([0.5, 0.4]);
  expect(await (await h.dataset("data")).read()).toEqual(data);
  await h.close();
});

test("Zarr: the folder reads back", async () => {
  const path = join(folder, "a.zarr");
  await write(path);
  const said = JSON.parse(readFileSync(join(path, "zarr.json"), "utf8")) as { attributes: unknown };
  expect(said.attributes).toEqual({ scan_step_angstrom: [0.5, 0.4], pixel_inv_angstrom: [0.02, 0.03], voltage_kv: 200 });
  const frames = await zarrFrames(sourceStore(await folderFiles(path)));
  for (let i = 0; i < 6; i++) expect([...(await frames.read(i)).data]).toEqual([...data.subarray(20 * i, 20 * i + 20)]);
});

const name = fc.stringMatching(/^[A-Za-zé _µ0-9][A-Za-zé _.µ0-9]{0,8}$/);
const value = fc.oneof(
  fc.string({ maxLength: 30 }).filter((s) => !s.includes("\0") && s === s.normalize()),
  fc.double({ noNaN: true }),
  fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 5 }).map((a) => Int16Array.from(a)),
);
let trees = 0;
const tree: fc.Arbitrary<Hdf5WriteGroup> = fc.letrec<{ group: Hdf5WriteGroup; member: unknown }>((tie) => ({
  group: fc.record({
    kind: fc.constant("group" as const),
    members: fc.dictionary(name, tie("member"), { maxKeys: 5 }),
    attributes: fc.dictionary(name, value, { maxKeys: 3 }),
  }) as fc.Arbitrary<Hdf5WriteGroup>,
  member: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.record({ kind: fc.constant("dataset" as const), data: value, attributes: fc.dictionary(name, value, { maxKeys: 2 }) }),
    tie("group"),
  ),
})).group;
prop(
  "any tree comes back through the HDF5 library",
  [tree],
  async (root) => {
    const path = join(folder, `tree${trees++}.h5`),
      sink = await fileSink(path);
    await sink.write(0, hdf5Layout(root).head);
    await sink.close();
    const h = await openHdf5(path);
    const same = (a: unknown, b: unknown): void => {
      if (ArrayBuffer.isView(b)) expect([...(a as Int16Array)]).toEqual([...(b as Int16Array)]);
      else expect(a).toBe(typeof b === "number" ? b + 0 : b);
    };
    const check = async (g: Hdf5WriteGroup, at: string): Promise<void> => {
      expect([...(await h.members(at))].sort()).toEqual(Object.keys(g.members).sort());
      const attributes = await h.attributes(at);
      for (const [k, v] of Object.entries(g.attributes ?? {})) same(attributes[k], v);
      for (const [k, m] of Object.entries(g.members)) {
        const p = at === "" ? k : `${at}/${k}`;
        if (m.kind === "group") await check(m, p);
        else {
          const d = await h.dataset(p);
          if (typeof m.data === "string") expect(await d.texts()).toEqual([m.data]);
          else if (typeof m.data === "number") expect((await d.read())[0]).toBe(m.data);
          else same(await d.read(), m.data);
          for (const [n, v] of Object.entries(m.attributes ?? {})) same(d.attributes[n], v);
        }
      }
    };
    await check(root, "");
    await h.close();
  },
  { runs: 25 },
);

test("what cannot be written is told", async () => {
  const sink = { write: async () => undefined, close: async () => undefined };
  await expect(arrayFile(join(folder, "a.xyz"), { shape, type: "f32" })).rejects.toThrow(/\.npy/);
  const endless = arrayFile(join(folder, "b.npy"), { shape: [1e6, 1e6, 1e3], type: "f32" });
  await expect(endless).rejects.toThrow(/no room.*fewer positions/);
  await expect(arrayFile(join(folder, "no", "a.npy"), { shape, type: "f32" })).rejects.toThrow(/folder/);
  await expect(arrayFile(join(folder, "none.npy"), { shape, type: "f32", resume: true })).rejects.toThrow(/interrupted/);
  const s = await npyStream(sink, { shape: [4], type: "f32" });
  await expect(npyStream(sink, { shape: [4, 0], type: "f32" })).rejects.toThrow(/bad-shape/);
  await expect(s.write(3, new Float32Array(2))).rejects.toThrow(/outside/);
  await expect(s.write(0, new Float64Array(2))).rejects.toThrow(/another type/);
  await expect(hdf5Stream(sink, { kind: "group", members: {} }, "x", { shape: [4], type: "f32" })).rejects.toThrow(/not-found/);
  expect(() => hdf5Layout({ kind: "group", members: { "a/b": { kind: "dataset", data: 1 } } })).toThrow(/slash/);
  expect(() => hdf5Layout({ kind: "group", members: { ".": { kind: "dataset", data: 1 } } })).toThrow(/slash/);
  expect(() => hdf5Layout({ kind: "group", members: { a: { kind: "dataset", data: new Float32Array(3), shape: [2] } } })).toThrow(
    /bad-shape/,
  );
  expect(() => hdf5Layout({ kind: "group", members: {}, attributes: { a: new Uint8Array(70000) } })).toThrow(/64 kB/);
  expect(() => emdTree({ ...cube, shape: [1, 2, 3] as never, type: "f32" })).toThrow(/four axes/);
});

test("a checkpoint file is replaced as a whole", async () => {
  const c = fileCheckpoint(join(folder, "state.npz"));
  expect(await c.load()).toBeUndefined();
  await c.save(Uint8Array.of(1, 2));
  await c.save(Uint8Array.of(3));
  expect(await c.load()).toEqual(Uint8Array.of(3));
});
