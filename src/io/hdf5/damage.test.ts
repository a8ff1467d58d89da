import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { isSdkError } from "../../core/errors.js";
import { describeData, readData } from "../../testing/data.js";
import { fuzzReader } from "../../testing/fuzz.js";
import golden from "../../testing/golden/hdf5-small.json" with { type: "json" };
import { inThreadEngine } from "./engine.js";
import { hdf5Frames, openHdf5, readHdf5Mat } from "./index.js";

const file = (name: keyof typeof golden.files): Uint8Array => new Uint8Array(gunzipSync(Buffer.from(golden.files[name], "base64")));
const limits = { maxBytes: 2 ** 24, deadlineMs: 700 };

/** All frames of the first image. */
async function frames(bytes: Uint8Array): Promise<void> {
  const f = await hdf5Frames(bytes, limits);
  try {
    for (let i = 0; i < Math.min(4, f.shape[0]); i++) await f.read(i);
  } finally {
    await f.close?.();
  }
}
/** Every dataset and attribute; a dataset that cannot be read is no reason to stop. */
async function everything(bytes: Uint8Array): Promise<void> {
  const h = await openHdf5(bytes, limits);
  try {
    for (const path of await h.datasets()) {
      const d = await h.dataset(path);
      for (const body of [() => d.read(), () => d.texts()])
        await body().catch((e: unknown) => {
          if (!isSdkError(e)) throw e;
        });
    }
  } finally {
    await h.close();
  }
}

fuzzReader("py4DSTEM", () => file("py4dstem"), frames, { maxCuts: 1200, flips: 500, maxFields: 500, maxAllocation: 2 ** 25 });
fuzzReader("NeXus", () => file("nexus"), frames, { maxCuts: 300, flips: 400, maxFields: 300 });
fuzzReader("checksums", () => file("checked"), frames, { maxCuts: 200, flips: 300, maxFields: 200 });
fuzzReader("every type", () => file("types"), everything, { maxCuts: 150, flips: 200, maxFields: 150 });
fuzzReader("groups in a loop", () => file("loop"), everything, { maxCuts: 10, flips: 12, maxFields: 10 });
fuzzReader(
  "as MATLAB 7.3",
  () => file("types"),
  (b) => readHdf5Mat(b, limits),
  {
    maxCuts: 50,
    flips: 100,
    maxFields: 50,
  },
);
describeData("a real file", ["fourd/rosettasciio/emd/example_image.emd"], () => {
  fuzzReader("EMD", () => readData("fourd/rosettasciio/emd/example_image.emd"), frames, { maxCuts: 150, flips: 250, maxFields: 200 });
});

describe("a thread of its own", () => {
  /** One flipped bit, with which the library loops for ever over an object header. */
  const endless = (): Uint8Array => {
    const bytes = file("nexus");
    bytes[2144]! ^= 64;
    return bytes;
  };
  test("a file that never ends costs itself, and no other file that is open", async () => {
    const other = await hdf5Frames(file("py4dstem")),
      before = (await other.read(0)).data;
    expect((await openHdf5(file("loop"))).isolated).toBe(true);
    const start = performance.now();
    await expect(hdf5Frames(endless(), limits)).rejects.toMatchObject({ code: "bad-file", details: { deadlineMs: 700 } });
    expect(performance.now() - start).toBeGreaterThan(600);
    expect((await other.read(0)).data).toEqual(before);
    expect((await other.read(5)).data[0]).toBe(100);
    await other.close?.();
  });
  test("the lost file says so from then on", async () => {
    const h = await openHdf5(endless(), limits);
    const first = await h.datasets().then(
      () => hdf5Frames(endless(), limits).catch((e: unknown) => e),
      (e: unknown) => e,
    );
    expect(isSdkError(first, "bad-file")).toBe(true);
    await h.close();
    await expect(h.datasets()).rejects.toMatchObject({ code: "bad-value" });
  });
  test("questions asked at once are answered in turn", async () => {
    const f = await hdf5Frames(file("py4dstem"));
    const all = await Promise.all([5, 4, 3, 2, 1, 0].map((i) => f.read(i)));
    expect(all.map((r) => r.data[0])).toEqual([100, 80, 60, 40, 20, 0]);
    await f.close?.();
  });
});

test("the library in this thread gives the same answers", async () => {
  const engine = await inThreadEngine(),
    folder = await engine.folder();
  expect(engine.isolated).toBe(false);
  await folder.put("a.h5", { size: file("types").length, read: async (at, n) => file("types").subarray(at, at + n) });
  const handle = await engine.open(`${folder.path}/a.h5`, 1000, "a.h5");
  const there = await openHdf5(file("types"));
  const paths = (await handle.ask({ op: "datasets" }, 1000)) as string[];
  expect(paths).toEqual(await there.datasets());
  for (const path of ["big_u16", "i64", "c64"]) {
    const bytes = await handle.ask({ op: "read", path, ranges: undefined, limit: 1000 }, 1000),
      info = (await handle.ask({ op: "object", path }, 1000)) as { shape: number[]; dtype: string };
    const d = await there.dataset(path);
    expect([info.shape, info.dtype]).toEqual([d.shape, d.dtype]);
    expect((bytes as ArrayBuffer).byteLength).toBeGreaterThan(0);
  }
  await expect(handle.ask({ op: "read", path: "big_u16", ranges: undefined, limit: 4 }, 1000)).rejects.toMatchObject({ code: "bad-file" });
  await handle.close();
  folder.remove();
  await there.close();
});
