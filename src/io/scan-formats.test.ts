import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dataPath, describeData, readData, readDataText } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { bloBrightField, bloFrames, writeBlo } from "./blo.js";
import { openFrames } from "./detect.js";
import { empadFrames, parseEmpadXml } from "./empad.js";
import type { FrameSource } from "./frames.js";
import { fileSource } from "./node/files.js";
import { rawFrames } from "./raw.js";
import { bytesSource, siblings } from "./source.js";
import { tvipsFrames } from "./tvips.js";

const readSome = async (s: FrameSource): Promise<void> => {
  for (let i = 0; i < Math.min(20, s.shape[0]); i++) {
    await s.read(i);
    await s.frame?.(i);
  }
};
const pattern = (k: number) => ({ data: Uint8Array.from({ length: 9 }, (_, i) => i + 10 * k), shape: [3, 3] as const });

test("BLO: what is written is read; a short file reads as zero", async () => {
  const bytes = writeBlo([0, 1, 2, 3, 4, 5].map(pattern), {
    scanShape: [2, 3],
    stepNm: [2.5, 5],
    voltageKv: 200,
    cameraLengthMm: 200,
    pixelsPerCm: 62.26,
    note: "a note",
  });
  const s = await bloFrames(bytes);
  expect(s.shape).toEqual([6, 3, 3]);
  expect(s.facts).toMatchObject({ scanShape: [2, 3], voltageKv: 200, distanceMm: 200 });
  expect(s.metadata).toMatchObject({ stepNm: [2.5, 5], note: "a note", sdp: 6226 });
  for (let i = 0; i < 6; i++) expect((await s.read(i)).data).toEqual(pattern(i).data);
  expect((await bloBrightField(bytes)).data[5]).toBe(255);
  const short = await bloFrames(bytes.slice(0, -20));
  expect(short.warnings.join()).toContain("after 4 of 6");
  expect((await short.read(5)).data).toEqual(new Uint8Array(9));
});
fuzzReader("blo", writeBlo([0, 1].map(pattern), { scanShape: [1, 2] }), async (b) => readSome(await bloFrames(b, { maxBytes: 1 << 20 })), {
  maxFields: 6000,
  maxCuts: 6000,
});

test("raw: shape, offset, gap, byte order; a wrong shape is told", async () => {
  const bytes = Uint8Array.from({ length: 4 + 2 * 12 + 3 }, (_, i) => i);
  const s = await rawFrames(bytes, { rows: 2, columns: 3, dtype: "u16", littleEndian: false, offset: 4, gap: 3 });
  expect(s.shape).toEqual([2, 2, 3]);
  expect((await s.read(1)).data[0]).toBe(19 * 256 + 20);
  expect((await rawFrames(bytes, { rows: 2, columns: 5, dtype: "u8" })).warnings.join()).toContain("bytes after the last frame");
  await expect(rawFrames(bytes, { rows: 100, columns: 100, dtype: "u8" })).rejects.toMatchObject({ code: "bad-file" });
  await expect(rawFrames(bytes, { rows: 2, columns: 3, dtype: "u8", frames: 9 })).rejects.toMatchObject({ code: "bad-file" });
});

test("a file of 5 GiB: the last frame is read, and nothing else", async () => {
  const dir = mkdtempSync(join(tmpdir(), "ewald-big-")),
    path = join(dir, "big.raw"),
    n = 2560,
    bytes = 1024 * 1024 * 2;
  const fd = openSync(path, "w");
  writeSync(fd, Uint16Array.of(777), 0, 2, (n - 1) * bytes); // the rest is a hole
  ftruncateSync(fd, n * bytes);
  closeSync(fd);
  const before = process.memoryUsage().arrayBuffers;
  const s = await rawFrames(await fileSource(path), { rows: 1024, columns: 1024, dtype: "u16" });
  expect(s.shape[0]).toBe(n);
  expect((await s.read(n - 1)).data[0]).toBe(777);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * bytes);
  await s.close?.();
  rmSync(dir, { recursive: true });
});

/** Frames of 130 × 128 f32 with the frame number in the first pixel. */
const empad = (n: number): Uint8Array => {
  const f = new Float32Array(n * 130 * 128);
  for (let i = 0; i < n; i++) {
    f[i * 130 * 128] = i + 0.5;
    f.fill(1e9, i * 130 * 128 + 128 * 128, (i + 1) * 130 * 128); // rows 128 and 129 are no pixels
  }
  return new Uint8Array(f.buffer);
};
test("EMPAD: shape from the XML file, the name or the caller; never assumed square", async () => {
  const xml = new TextEncoder().encode(
    '<root name="acquisition_1"><type>scan</type><pix_x>3</pix_x><pix_y>2</pix_y><raw_file filename="scan_x3_y2.raw"/><source.get_voltage>300000.0</source.get_voltage></root>',
  );
  const [raw, header] = siblings([bytesSource(empad(6), "scan_x3_y2.raw"), bytesSource(xml, "scan.xml")]);
  const s = await openFrames(header!);
  expect(s.format).toBe("empad");
  expect(s.shape).toEqual([6, 128, 128]);
  expect(s.facts).toMatchObject({ scanShape: [2, 3], voltageKv: 300 });
  const { data } = await s.read(4);
  expect(data[0]).toBe(4.5);
  expect(Math.max(...data)).toBe(4.5);
  expect((await empadFrames(raw!)).facts.scanShape).toEqual([2, 3]); // from the name
  expect((await empadFrames(empad(6), { scanShape: [1, 6] })).facts.scanShape).toEqual([1, 6]);
  expect((await empadFrames(raw!, { scanShape: [5, 5] })).warnings.join()).toContain("5 × 5");
  await expect(empadFrames(empad(1).slice(0, -4))).rejects.toMatchObject({ code: "bad-file" });
  await expect(empadFrames(bytesSource(xml, "scan.xml"))).rejects.toMatchObject({ code: "not-found" });
});

/** A small version-2 recording. */
function tvips(): Uint8Array {
  const frame = 60 + 12,
    v = new DataView(new ArrayBuffer(256 + 3 * frame));
  for (const [k, x] of [256, 2, 3, 2, 16, 0, 0, 1, 1, 15, 200, 80, 60].entries()) v.setUint32(4 * k, x, true);
  for (let i = 0; i < 3; i++) {
    v.setUint32(256 + i * frame, i, true);
    v.setFloat32(256 + i * frame + 40, 12.5 * i, true);
    for (let p = 0; p < 6; p++) v.setUint16(256 + i * frame + 60 + 2 * p, 100 * i + p, true);
  }
  return new Uint8Array(v.buffer);
}
test("TVIPS: frames and their stage tilt", async () => {
  const s = await tvipsFrames(tvips());
  expect(s.shape).toEqual([3, 2, 3]);
  expect([...(await s.read(2)).data]).toEqual([200, 201, 202, 203, 204, 205]);
  expect((await s.frame!(2)).facts).toEqual({ voltageKv: 200, tiltDeg: 25 });
});
fuzzReader("tvips", tvips(), async (b) => readSome(await tvipsFrames(b, { maxBytes: 1 << 20 })));

interface Blo {
  magic: number;
  vbfOffset: number;
  dataOffset: number;
  dp: number;
  nx: number;
  ny: number;
  frames: number;
  scanStep_nm: number[];
  beamEnergy_V: number;
  sdp: number;
  cameraLength_raw: number;
  perFrameSum: number[];
}
describeData("scan formats, real files", ["fourd/expected.json", "fourd/rosettasciio/blockfile"], () => {
  test("BLO: every stated value", async () => {
    for (const [path, want] of Object.entries((JSON.parse(readDataText("fourd/expected.json")) as { blo: Record<string, Blo> }).blo)) {
      const s = await bloFrames(readData("fourd", path));
      expect(s.shape).toEqual([want.frames, want.dp, want.dp]);
      expect(s.facts).toMatchObject({ scanShape: [want.ny, want.nx], voltageKv: want.beamEnergy_V / 1000 });
      expect(s.metadata).toMatchObject({
        vbfOffset: want.vbfOffset,
        dataOffset: want.dataOffset,
        stepNm: want.scanStep_nm,
        sdp: want.sdp,
        cameraLength: want.cameraLength_raw,
      });
      for (let i = 0; i < want.frames; i++) expect([...(await s.read(i)).data].reduce((a, b) => a + b, 0)).toBe(want.perFrameSum[i]);
    }
  });

  test("EMPAD XML of three software versions", () => {
    expect(parseEmpadXml(readDataText("fourd/rosettasciio/empad/map4x4.xml"))).toMatchObject({
      kind: "scan",
      rawFile: "scan_x4_y4.raw",
      scanShape: [4, 4],
      voltageKv: 300,
      cameraLengthM: 0.7225,
      pixelRad: 0.00042906574394463665,
      fieldOfViewM: [4.5663426505682195e-6, 4.5663426505682195e-6],
      scanSize: 0.55,
    });
    expect(parseEmpadXml(readDataText("fourd/rosettasciio/empad/stack_images.xml"))).toMatchObject({
      kind: "series",
      scanShape: [1, 10],
      pixelRad: undefined,
    });
    expect(parseEmpadXml(readDataText("fourd/rosettasciio/empad/EMPAD_v1.2.2_x32_y64_size0.8.xml"))).toMatchObject({
      scanShape: [64, 32],
      pixelRad: undefined,
      voltageKv: 300,
      cameraLengthM: 0.369,
      scanSize: 0.6,
      fieldOfViewM: [expect.closeTo(1.272412341559544e-6 / 0.72, 15), expect.closeTo(1.767e-6, 8)],
    });
  });

  test("TVIPS: the three files of a split recording join", async () => {
    // The writer counted pixels through: value k is pixel k.
    const s = await tvipsFrames(await fileSource(dataPath("fourd/rosettasciio/tvips/test_tvips_2345_split_000.tvips")));
    expect(s.shape).toEqual([6, 4, 5]);
    const all: number[] = [];
    for (let i = 0; i < 6; i++) all.push(...(await s.read(i)).data);
    expect(all).toEqual(Array.from({ length: 120 }, (_, k) => k));
    expect((await s.frame!(3)).metadata).toMatchObject({ rotator: 3 });
    await s.close?.();
  });
});
