import { expect, test } from "vitest";
import { dataPath, describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { readGolden } from "../testing/golden.js";
import { inflate } from "./inflate.js";
import { mrcFrames, writeMrc } from "./mrc.js";
import { mrcExtended } from "./mrc-extended.js";
import { fileSource } from "./node/files.js";

const golden = readGolden<{ name: string; shape: number[]; values: number[]; base64: string }>("mrc");
const unpack = (text: string): Uint8Array =>
  inflate(
    Uint8Array.from(atob(text), (c) => c.charCodeAt(0)),
    { wrapping: "gzip" },
  );

test.each(golden.rows)("mrcfile's $name", async ({ name, shape, values, base64 }) => {
  const s = await mrcFrames(unpack(base64));
  expect(s.shape).toEqual(shape);
  expect(s.facts.pixelAngstrom).toBeCloseTo(1.5, 6);
  const got: number[] = [];
  for (let i = 0; i < s.shape[0]; i++) got.push(...(await s.read(i)).data);
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(values[i]!, name === "mode 4" ? 4 : 9);
  });
  expect(got.length).toBe(values.length);
});

test("what is written is read; mode 3 and unsigned mode 0", async () => {
  const shape = [2, 2, 3] as const;
  for (const data of [Int8Array, Int16Array, Uint16Array, Float32Array].map((T) => T.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))) {
    const s = await mrcFrames(writeMrc(data, shape, { pixelAngstrom: [0.5, 0.5, 1], labels: ["made by a test"] }));
    expect([...(await s.read(1)).data]).toEqual([7, 8, 9, 10, 11, 12]);
    expect(s.metadata).toMatchObject({
      labels: ["made by a test"],
      min: 1,
      max: 12,
      mean: 6.5,
      rms: expect.closeTo(Math.sqrt(143 / 12), 5),
    });
  }
  const pairs = writeMrc(Int16Array.of(3, 4, -5, 12), [1, 1, 4]);
  const view = new DataView(pairs.buffer);
  view.setInt32(0, 2, true);
  view.setInt32(12, 3, true);
  expect([...(await (await mrcFrames(pairs)).read(0)).data]).toEqual([5, 13]);
  const bytes = writeMrc(Int8Array.of(-1, 1), [1, 1, 2]);
  expect([...(await (await mrcFrames(bytes, { unsignedBytes: true })).read(0)).data]).toEqual([255, 1]);
  expect(() => writeMrc(new Float64Array(6), [1, 2, 3])).toThrow(/unsupported/);
});

test("extended headers: SerialEM, Agard, FEI before 2014", async () => {
  const seri = new DataView(new ArrayBuffer(24));
  [-4512, 25, -50, 120].forEach((v, k) => {
    seri.setInt16(2 * k, v, true);
    seri.setInt16(12 + 2 * k, v + 1, true);
  });
  const e = mrcExtended(new Uint8Array(seri.buffer), "SERI", [12, 1 | 4 | 8], true)!;
  expect(e.records).toBe(2);
  expect(e.record(0)).toEqual({ alphaTiltDeg: -45.12, stageXum: 1, stageYum: -2, magnification: 12000 });
  expect(e.record(1)!.alphaTiltDeg).toBeCloseTo(-45.11, 9);
  expect(e.record(2)).toBeUndefined();
  const old = new Float32Array(64);
  old.set([-60, 0, 1e-6], 0);
  old.set([-58], 32);
  old[13] = 200000;
  const file = writeMrc(new Int16Array(8), [2, 2, 2], { extended: { type: "    ", bytes: new Uint8Array(old.buffer) } });
  new DataView(file.buffer).setInt16(130, 32, true);
  const s = await mrcFrames(file);
  expect(s.facts).toMatchObject({ tiltDeg: -60, voltageKv: 200 });
  expect((await s.frame!(1)).facts.tiltDeg).toBe(-58);
});

const read = async (b: Uint8Array): Promise<void> => {
  const s = await mrcFrames(b, { maxBytes: 1 << 22 });
  for (let i = 0; i < Math.min(20, s.shape[0]); i++) {
    await s.read(i);
    await s.frame?.(i);
  }
};
fuzzReader("mrc", writeMrc(new Int16Array(24), [2, 3, 4], { extended: { type: "FEI1", bytes: fei() } }), read);
function fei(): Uint8Array {
  const out = new Uint8Array(2 * 768);
  for (const at of [0, 768]) new DataView(out.buffer).setInt32(at, 768, true);
  return out;
}

interface Expected {
  shape_zyx: number[];
  mode: number;
  extHeaderBytes: number;
  sum: number;
  min: number;
  max: number;
}
describeData("MRC, real files", ["fourd/expected.json", "fourd/rosettasciio/mrc", "fourd/openncem/temp.mrc"], () => {
  test("every stated value", async () => {
    const all = (JSON.parse(new TextDecoder().decode(readData("fourd/expected.json"))) as { mrc: Record<string, Expected> }).mrc;
    expect(Object.keys(all).length).toBe(10);
    for (const [path, want] of Object.entries(all)) {
      const s = await mrcFrames(await fileSource(dataPath("fourd", path)));
      expect(s.shape, path).toEqual(want.shape_zyx);
      expect(s.metadata).toMatchObject({ mode: want.mode, extendedBytes: want.extHeaderBytes });
      let sum = 0,
        min = Infinity,
        max = -Infinity;
      for (let i = 0; i < s.shape[0]; i++)
        (await s.read(i)).data.forEach((v) => {
          sum += v;
          min = Math.min(min, v);
          max = Math.max(max, v);
        });
      expect(sum / want.sum, path).toBeCloseTo(1, 12);
      expect([min, max]).toEqual([want.min, want.max]);
      await s.close?.();
    }
  });

  test("FEI2 records of a Velox file", async () => {
    const s = await mrcFrames(readData("fourd/rosettasciio/mrc/HAADFscan.mrc"));
    // mrcfile 1.5.4: mrcfile.open(path).indexed_extended_header[0]
    expect(s.metadata.extended).toMatchObject({
      kind: "FEI2",
      records: 1024,
      microscope: "Spectra",
      application: "Velox",
      highTensionV: 300000,
      cameraLength: expect.closeTo(0.0911, 6),
      camera: "BM-Ceta",
    });
    expect(s.facts).toMatchObject({ voltageKv: 300, tiltDeg: expect.closeTo(0.00811612, 8) });
  });

  test("Direct Electron sidecars: raster, chosen positions, random region", async () => {
    const open = async (name: string) => mrcFrames(await fileSource(dataPath("fourd/rosettasciio/mrc", name)));
    const raster = await open("20241021_00405_movie.mrc");
    expect(raster.facts).toMatchObject({ scanShape: [4, 8], voltageKv: 300, pixelMm: [0.01, 0.01] });
    const custom = await open("Custom_movie.mrc");
    expect(custom.facts.scanShape).toBeUndefined();
    const at = custom.metadata.scanCoordinates as number[][];
    expect(at.length).toBe(30);
    expect(at[5]).toEqual([2, 0]);
    const random = await open("ROI_Random_Scan_movie.mrc");
    expect((random.metadata.scanCoordinates as number[][]).length).toBeGreaterThan(100);
  });
});
