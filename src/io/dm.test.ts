import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { readGolden } from "../testing/golden.js";
import { dmFrames, readDm } from "./dm.js";

interface Row {
  readonly file: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly sum: number;
  readonly max: number;
  readonly scale: readonly number[];
  readonly units: readonly string[];
}
const golden = readGolden<Row>("dm-files");

describeData("DM3 and DM4 files", ["fourd/rosettasciio/digitalmicrograph", "3ded/lacbed_dm3"], () => {
  test.each(golden.rows)("$file", async (row) => {
    const bytes = readData(row.file),
      { value } = await readDm(bytes),
      image = value.images[0]!;
    expect(image.shape).toEqual(row.shape);
    expect(image.dtype).toBe(row.dtype);
    expect(image.axes.map((a) => a.scale)).toEqual(row.scale);
    expect(image.axes.map((a) => a.units)).toEqual(row.units);
    const frames = await dmFrames(bytes, { image: 0 });
    let sum = 0,
      max = 0;
    for (let i = 0; i < frames.shape[0]; i++)
      for (const v of (await frames.read(i)).data) {
        sum += Math.abs(v);
        max = Math.max(max, Math.abs(v));
      }
    expect(Math.abs(sum / row.sum - 1)).toBeLessThan(1e-6);
    expect(max).toBeCloseTo(row.max, 3);
  });

  test("RGB images are read as luminance", async () => {
    const f = await dmFrames(readData("fourd/rosettasciio/digitalmicrograph/2D/test-23.dm3"));
    expect(f.shape.slice(0, 2)).toEqual([1, 2]);
    expect((await f.read(0)).shape).toEqual([2, 2]);
  });

  test("a packed Fourier transform names its half plane", async () => {
    const { value, warnings } = await readDm(readData("fourd/rosettasciio/digitalmicrograph/2D/test_fft_packed_complex8.dm4"));
    expect(value.images[0]!.shape).toEqual([5, 3]);
    expect(warnings[0]).toContain("half of a Fourier transform");
  });

  test("microscope facts", async () => {
    const f = await dmFrames(readData("fourd/rosettasciio/digitalmicrograph/2D/test_diffraction_pattern.dm3"));
    expect(f.facts.voltageKv).toBe(200);
    expect(f.facts.reciprocalPixel).toBeCloseTo(0.017443285882, 9);
    expect(f.facts.exposureS).toBeCloseTo(0.2, 6);
    expect(f.facts.pixelMm).toEqual([0.014, 0.014]);
  });

  const through = async (bytes: Uint8Array): Promise<void> => {
    const f = await dmFrames(bytes, { maxBytes: 1 << 26 });
    for (let i = 0; i < Math.min(3, f.shape[0]); i++) await f.read(i);
  };
  fuzzReader("dm3", () => readData("fourd/rosettasciio/digitalmicrograph/2D/test-2.dm3"), through, {
    maxCuts: 600,
    flips: 300,
    maxFields: 500,
  });
  fuzzReader("dm4", () => readData("fourd/rosettasciio/digitalmicrograph/3D/test-13.dm4"), through, {
    maxCuts: 600,
    flips: 300,
    maxFields: 500,
  });
});
