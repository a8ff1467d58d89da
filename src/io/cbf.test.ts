import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { fc, prop } from "../testing/prop.js";
import { cbfFrames, decodeByteOffsetInto, encodeByteOffset, writeCbf } from "./cbf.js";

const small = { data: Int32Array.from({ length: 20 }, (_, i) => (i % 7 === 3 ? -1 : i ** 4)), shape: [4, 5] as const };

prop("byte offsets of any i32 come back", [fc.array(fc.integer(), { maxLength: 200 })], (values) => {
  const out = new Int32Array(values.length);
  decodeByteOffsetInto(out, encodeByteOffset(values));
  expect([...out]).toEqual(values);
});

test("the code of each width", () => {
  // By the definition: 1 byte up to ±127, then 80 + i16, 80 0080 + i32, 80 0080 00000080 + i64.
  expect([...encodeByteOffset([5, 133, 1])]).toEqual([5, 0x80, 128, 0, 0x80, 0x7c, 0xff]);
  expect([...encodeByteOffset([32768])]).toEqual([0x80, 0, 0x80, 0, 0x80, 0, 0]);
  expect([...encodeByteOffset([4294967295])]).toEqual([0x80, 0, 0x80, 0, 0, 0, 0x80, 255, 255, 255, 255, 0, 0, 0, 0]);
});

test("what is written is read", async () => {
  const facts = {
    wavelength: 0.02508,
    pixelMm: [0.055, 0.055] as const,
    distanceMm: 300,
    beamCentre: [2.5, 1.5] as const,
    tiltDeg: -3,
    tiltStepDeg: 0.25,
    exposureS: 0.1,
    saturation: 11000,
  };
  const s = await cbfFrames(writeCbf(small, { facts, lines: ["Detector: TIMEPIX, S/N 24"] }));
  expect(s.shape).toEqual([1, 4, 5]);
  expect([...(await s.read(0)).data]).toEqual([...small.data]);
  expect(s.facts).toMatchObject(facts);
  expect(s.metadata.Detector).toBe("TIMEPIX, S/N 24");
  const u = { data: Uint32Array.of(0, 4294967295, 7), shape: [1, 3] as const };
  expect([...(await (await cbfFrames(writeCbf(u))).read(0)).data]).toEqual([...u.data]);
  expect(() => writeCbf({ data: Float32Array.of(0.5), shape: [1, 1] })).toThrow(/bad-value/);
});

fuzzReader("cbf", writeCbf(small), async (b) => (await cbfFrames(b, { maxBytes: 1 << 22 })).read(0));

describeData("CBF, real frame", ["3ded/frames"], () => {
  test("lysozyme, Timepix 1032×1032", async () => {
    const s = await cbfFrames(readData("3ded/frames/lysozyme_ED_dataset1_frame438.cbf"));
    expect(s.shape).toEqual([1, 1032, 1032]);
    expect(s.facts).toMatchObject({ wavelength: 0.02508, distanceMm: 300, beamCentre: [256, 256], saturation: 11000, exposureS: 0.001 });
    expect(s.facts.pixelMm![0]).toBeCloseTo(0.055, 12);
    const { data } = await s.read(0);
    // fabio 2026.6.0: fabio.open(path).data.sum(dtype=int64), .min(), .max(), (data*arange).sum()
    let sum = 0,
      min = Infinity,
      max = -Infinity,
      weighted = 0n;
    data.forEach((v, i) => {
      sum += v;
      min = Math.min(min, v);
      max = Math.max(max, v);
      weighted += BigInt(v) * BigInt(i);
    });
    expect({ sum, min, max, weighted: Number(weighted) }).toEqual({ sum: 1609563, min: 0, max: 35430, weighted: 866237539506 });
    // Compressing again gives the bytes of the file.
    expect(encodeByteOffset(data).length).toBe(1065186);
  });
});
