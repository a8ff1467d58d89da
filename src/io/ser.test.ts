import { expect, test } from "vitest";
import { describeData, hasData, readData, readDataText } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { parseEmi } from "./emi.js";
import { readSerHeader, serFrames } from "./ser.js";
import { bytesSource, siblings } from "./source.js";

interface Expected {
  readonly version: number;
  readonly total: number;
  readonly valid: number;
  readonly shape: readonly number[];
  readonly calDelta_m?: readonly number[];
  readonly dtype: string;
  readonly perElementSum: readonly number[];
}
const dtypes: Readonly<Record<string, string>> = { "<u2": "u16", "<i4": "i32", "<u4": "u32", "<f4": "f32" };
const expected: [string, Expected][] = hasData("fourd/expected.json")
  ? Object.entries((JSON.parse(readDataText("fourd/expected.json")) as { ser: Record<string, Expected> }).ser)
  : [];

describeData("TIA series", ["fourd/expected.json", "fourd/rosettasciio/tia"], () => {
  test("all files of the list", () => expect(expected.length).toBe(12));
  test.each(expected)("%s", async (file, e) => {
    const bytes = readData("fourd", file),
      header = await readSerHeader(bytes),
      f = await serFrames(bytes);
    expect([header.version, header.total, header.valid]).toEqual([e.version, e.total, e.valid]);
    expect(f.shape).toEqual([e.valid, e.shape.length === 2 ? e.shape[0] : 1, e.shape.at(-1)]);
    expect(f.dtype).toBe(dtypes[e.dtype]);
    for (let i = 0; i < e.valid; i++) {
      const sum = (await f.read(i)).data as Float32Array;
      const wanted = e.perElementSum[i]!;
      expect(Math.abs(sum.reduce((a, b) => a + b, 0) - wanted)).toBeLessThanOrEqual(1e-9 * Math.abs(wanted));
    }
    if (e.calDelta_m) expect((f.metadata.axes as { delta: number }[]).map((a) => a.delta)).toEqual(e.calDelta_m);
  });

  test("the conditions come from the .emi beside it", async () => {
    const folder = "fourd/rosettasciio/tia/old/",
      name = "64x64_diffraction_acquire";
    const [ser] = siblings([
      bytesSource(readData(`${folder}${name}_1.ser`), `${name}_1.ser`),
      bytesSource(readData(`${folder}${name}.emi`), `${name}.emi`),
    ]);
    const { facts } = await serFrames(ser!);
    expect(facts.voltageKv).toBe(200);
    expect(facts.distanceMm).toBeCloseTo(490, 9);
    expect(facts.reciprocalPixel).toBeCloseTo(0.0101571996, 9);
  });

  test("labels keep their units", () => {
    const { value } = parseEmi(readData("fourd/rosettasciio/tia/old/64x64_diffraction_acquire.emi"));
    expect(value.objects[0]!["Camera length"]).toBe("0.490 m");
    expect(value.objects[0]!["Stage X"]).toBe("-0.159 um");
  });

  test("rows run from the top, as in the exported array", async () => {
    const f = await serFrames(readData("fourd/rosettasciio/tia/old/64x64_TEM_images_acquire_1.ser"));
    const npy = readData("fourd/rosettasciio/tia/old/64x64_TEM_images_acquire.npy");
    const data = new Float32Array(npy.slice(npy.length - 4 * 64 * 64).buffer);
    expect((await f.read(0)).data).toEqual(data);
  });

  const small = () => readData("fourd/rosettasciio/tia/old/16x16x5_STEM_BF_DF_preview_1.ser");
  fuzzReader(
    "ser",
    small,
    async (bytes) => {
      const f = await serFrames(bytes, { maxBytes: 1 << 26 });
      for (let i = 0; i < Math.min(3, f.shape[0]); i++) await f.read(i);
    },
    { maxCuts: 800, flips: 300, maxFields: 400 },
  );
  fuzzReader(
    "emi",
    () => readData("fourd/rosettasciio/tia/old/16x16_STEM_BF_DF_acquire.emi"),
    (b) => parseEmi(b),
    { maxCuts: 300, flips: 100, maxFields: 100 },
  );
});
