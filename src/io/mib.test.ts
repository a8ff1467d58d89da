import { expect, test } from "vitest";
import { dataPath, describeData, hasData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { mibFrames } from "./mib.js";
import { merlinScanShape, parseMerlinHdr } from "./mib-header.js";
import { assembleQuad, rawBytes, unpackRawInto } from "./mib-raw.js";
import { fileSource } from "./node/files.js";
import { zipSources } from "./zip.js";

interface Expected {
  headerBytes: number;
  chips: number;
  width: number;
  height: number;
  dtype: string;
  layout: string;
  counterDepth: number;
  firstSeq: number;
  timestamp: string;
  exposure: string;
  frames: number;
  perFrameSum: number[];
  perFrameMax?: number[];
  frame0_com_yx?: [number, number];
  frame0_argmax_yx?: [number, number];
}

/** A Merlin file from pixel bytes. */
function mib(width: number, height: number, dtype: string, frames: Uint8Array[], { depth = 12, chips = 1 } = {}): Uint8Array {
  const parts = frames.flatMap((pixels, i) => {
    const head = new Uint8Array(384);
    const text = `MQ1,${String(i + 1).padStart(6, "0")},00384,0${chips},${String(width).padStart(4, "0")},${String(height).padStart(4, "0")},${dtype},   1x1,01,2021-04-15 14:00:21.679912,0.001000,0,0,0,1.0E+1,5.11E+2,MQ1A,2021-04-15T14:00:21.679912481Z,1000000ns,${depth}`;
    head.set(new TextEncoder().encode(text));
    return [head, pixels];
  });
  return Uint8Array.from(parts.flatMap((p) => [...p]));
}

const ramp = new Uint8Array(2 * 64 * 2).map((_, i) => (i * 7) & 255);

test("big-endian pixels, own headers, an incomplete last frame", async () => {
  const whole = mib(64, 2, "U16", [ramp, ramp, ramp]);
  const s = await mibFrames(whole.slice(0, -5));
  expect(s.shape).toEqual([2, 2, 64]);
  expect(s.warnings.join()).toContain("incomplete");
  const { data } = await s.read(1);
  data.forEach((v, i) => {
    expect(v).toBe(ramp[2 * i]! * 256 + ramp[2 * i + 1]!);
  });
  expect((await s.frame!(1)).metadata).toMatchObject({ sequence: 2, exposureS: expect.closeTo(0.001, 12) });
  await expect(s.read(2)).rejects.toMatchObject({ code: "out-of-range" });
});

test("raw 24 bit: two 12-bit planes, high first", async () => {
  // 64 pixels with values v; planes packed by the rule of the format: groups of 4 big-endian u16, reversed.
  const values = Array.from({ length: 64 }, (_, i) => (i * 262139) % 16777216);
  const plane = (of: (v: number) => number): number[] =>
    Array.from({ length: 64 }, (_, k) => of(values[(k & ~3) + 3 - (k & 3)]!)).flatMap((v) => [v >> 8, v & 255]);
  const bytes = Uint8Array.from([...plane((v) => v >> 12), ...plane((v) => v & 4095)]);
  const s = await mibFrames(mib(64, 2, "R64", [bytes], { depth: 24 }));
  expect(s.shape).toEqual([1, 1, 64]);
  expect(s.dtype).toBe("u32");
  expect([...(await s.read(0)).data]).toEqual(values);
});

test("raw 24 bit quad: as wide as the 12-bit one", async () => {
  const bytes = new Uint8Array(rawBytes(1024, 24));
  bytes[2 * 1024 + 7] = 9; // low plane, first word, last byte: pixel 0 of chip 4
  const s = await mibFrames(mib(1024, 2, "R64", [bytes], { depth: 24, chips: 4 }));
  expect(s.shape).toEqual([1, 2, 512]);
  const { data } = await s.read(0);
  expect([...data].indexOf(9)).toBe(1023); // chip 4 is turned: its first pixel is the last of the picture
});

test("raw words and chips go to the right places", () => {
  const one = new Uint8Array(64);
  unpackRawInto(one, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0b101), 1);
  expect([...one.slice(0, 4)]).toEqual([1, 0, 1, 0]);
  const six = new Uint8Array(8);
  unpackRawInto(six, Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1), 6);
  expect([...six]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const strip = new Uint8Array(1024).map((_, i) => 4 - (i >> 8)); // one row of chips 4 3 2 1
  const quad = new Uint8Array(1024);
  assembleQuad(quad, strip, 1);
  expect([quad[0], quad[256], quad[512], quad[768]]).toEqual([1, 2, 3, 4]);
});

test("acquisition header", () => {
  const hdr = parseMerlinHdr("HDR,\t\nFrames in Acquisition (Number):\t12\nFrames per Trigger (Number):\t4\nGain:\tSLGM\nEnd\t   \0\0");
  expect(hdr.Gain).toBe("SLGM");
  expect(merlinScanShape(hdr, 12)).toEqual([3, 4]);
  expect(merlinScanShape({ "Frames in Acquisition (Number)": "8", "Frames per Trigger (Number)": "1" }, 8)).toBeUndefined();
  expect(merlinScanShape({ ScanX: "5", ScanY: "2" }, 10)).toEqual([2, 5]);
});

const readAllOf = async (bytes: Uint8Array): Promise<void> => {
  const s = await mibFrames(bytes, { maxBytes: 1 << 22 });
  for (let i = 0; i < Math.min(s.shape[0], 20); i++) await s.read(i);
};
fuzzReader("mib", mib(64, 2, "U16", [ramp, ramp]), readAllOf);
fuzzReader("mib raw", mib(64, 2, "R64", [new Uint8Array(16), new Uint8Array(16)], { depth: 1 }), readAllOf);

describeData("MIB, real files", ["fourd/expected.json", "fourd/read_mib", "fourd/rosettasciio/quantumdetector"], () => {
  const all = hasData("fourd/expected.json")
    ? (JSON.parse(new TextDecoder().decode(readData("fourd/expected.json"))) as { mib: Record<string, Expected> }).mib
    : {};
  const archives = new Map<string, [string, Expected][]>();
  for (const [key, want] of Object.entries(all)) {
    const [file, inside = ""] = key.split("!");
    archives.set(file!, [...(archives.get(file!) ?? []), [inside.slice(inside.lastIndexOf("/") + 1), want]]);
  }

  test.each([...archives])("every stated value of %s", async (file, entries) => {
    const sources = file.endsWith(".zip")
      ? await zipSources(await fileSource(dataPath("fourd", file)))
      : [await fileSource(dataPath("fourd", file))];
    for (const [name, want] of entries) {
      // Some names occur in several folders of an archive: the sums tell them apart.
      const named = sources.filter((s) => file.endsWith(".mib") || s.name === name);
      let matched = 0;
      for (const source of named) {
        const s = await mibFrames(source);
        const m = s.metadata;
        if (m.timestamp !== want.timestamp) continue;
        matched++;
        expect(s.shape[0]).toBe(want.frames);
        for (const k of ["headerBytes", "chips", "width", "height", "dtype", "layout", "counterDepth"] as const) expect(m[k]).toBe(want[k]);
        expect(m.sequence).toBe(want.firstSeq);
        expect(s.facts.exposureS).toBeCloseTo(Number.parseInt(want.exposure, 10) * 1e-9, 12);
        for (let i = 0; i < want.frames; i++) {
          const { data, shape } = await s.read(i);
          let sum = 0,
            max = 0,
            y = 0,
            x = 0,
            at = 0;
          data.forEach((v, k) => {
            sum += v;
            y += v * Math.floor(k / shape[1]);
            x += v * (k % shape[1]);
            if (v > max) {
              max = v;
              at = k;
            }
          });
          expect(sum).toBe(want.perFrameSum[i]);
          if (want.perFrameMax) expect(max).toBe(want.perFrameMax[i]);
          if (i > 0 || !want.frame0_com_yx) continue;
          expect(y / sum).toBeCloseTo(want.frame0_com_yx[0], 9);
          expect(x / sum).toBeCloseTo(want.frame0_com_yx[1], 9);
          if (want.perFrameMax![0]! > 1) expect([Math.floor(at / shape[1]), at % shape[1]]).toEqual(want.frame0_argmax_yx);
        }
      }
      expect(matched, name).toBe(1);
    }
  });

  test("the .hdr of a scan is found beside it, and its silence about the shape is told", async () => {
    const sources = await zipSources(await fileSource(dataPath("fourd/rosettasciio/quantumdetector/Merlin_navigation4x2_ROI.zip")));
    const s = await mibFrames(sources.find((f) => f.name === "001_4x2_6bit.mib")!);
    expect((s.metadata.acquisition as Record<string, string>)["Chip Type (Medipix 3.0, Medipix 3.1, Medipix 3RX)"]).toBe("Medipix 3RX");
    expect(s.facts.scanShape).toBeUndefined();
    expect(s.warnings.join()).toContain("scan shape");
  });

  test("raw pictures correlate with the processed ones of the same detector pixel for pixel", async () => {
    const sources = await zipSources(await fileSource(dataPath("fourd/read_mib/mib_examples/Merlin_Test_Data_9_Frames.zip")));
    for (const kind of ["Single", "Quad"]) {
      const mean = async (suffix: string): Promise<Float64Array> => {
        const s = await mibFrames(sources.find((f) => f.name === `${kind}_9_Frames_CounterDepth_1_Rows_256${suffix}.mib`)!);
        const out = new Float64Array(s.shape[1] * s.shape[2]);
        for (let i = 0; i < s.shape[0]; i++)
          (await s.read(i)).data.forEach((v, k) => {
            out[k]! += v;
          });
        return out;
      };
      const raw = await mean("RAW"),
        done = await mean("");
      const correlate = (a: Float64Array, b: Float64Array): number => {
        const ma = a.reduce((x, y) => x + y) / a.length,
          mb = b.reduce((x, y) => x + y) / b.length;
        let ab = 0,
          aa = 0,
          bb = 0;
        a.forEach((v, i) => {
          ab += (v - ma) * (b[i]! - mb);
          aa += (v - ma) ** 2;
          bb += (b[i]! - mb) ** 2;
        });
        return ab / Math.sqrt(aa * bb);
      };
      expect(correlate(raw, done)).toBeGreaterThan(0.9);
      expect(correlate(raw.slice().reverse(), done)).toBeLessThan(0.6);
    }
  });
});
