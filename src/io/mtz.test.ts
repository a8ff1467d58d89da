import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { fuzz } from "../testing/fuzz.js";
import { readGolden } from "../testing/golden.js";
import { mtzColumn, parseMtz } from "./mtz.js";

/** A small MTZ file: two reflections of five columns. */
function smallMtz(little = true): Uint8Array {
  const rows = [1, 2, 3, 10.5, 0.5, 0, 0, 4, Number.NaN, 1];
  const labels = ["H H", "K H", "L H", "I J", "SIGI Q"];
  const header = [
    "VERS MTZ:V1.1",
    "TITLE small",
    `NCOL 5 2 0`,
    "CELL 10 20 30 90 90 90",
    "SYMINF 4 4 P 19 'P 21 21 21' PG222",
    "SYMM X,Y,Z",
    "RESO 0.001 1.5",
    "VALM NAN",
    ...labels.map((l) => `COLUMN ${l} 0 10 1`),
    "PROJECT 1 p",
    "CRYSTAL 1 c",
    "DATASET 1 d",
    "DWAVEL 1 0.0251",
    "END",
  ];
  const bytes = new Uint8Array(80 + 40 + 80 * header.length).fill(32),
    view = new DataView(bytes.buffer);
  bytes.set([77, 84, 90, 32]);
  view.setInt32(4, 20 + 10 + 1, little);
  bytes[8] = little ? 0x44 : 0x11;
  rows.forEach((v, i) => {
    view.setFloat32(80 + 4 * i, v, little);
  });
  header.forEach((h, i) => {
    bytes.set(new TextEncoder().encode(h), 120 + 80 * i);
  });
  return bytes;
}
test.each([true, false])("both byte orders (little-endian: %s)", (little) => {
  const { value, warnings } = parseMtz(smallMtz(little));
  expect(warnings).toEqual([]);
  expect(value).toMatchObject({ title: "small", size: 2, cell: [10, 20, 30, 90, 90, 90], spaceGroup: "P 21 21 21", spaceGroupNumber: 19 });
  expect([...mtzColumn(value, "I")]).toEqual([10.5, Number.NaN]);
  expect(value.datasets[0]).toMatchObject({ project: "p", crystal: "c", name: "d", wavelength: Math.fround(0.0251) > 0 ? 0.0251 : 0 });
  expect(() => mtzColumn(value, "X")).toThrow(/not-found/);
});
test("damaged files", async () => {
  expect(await fuzz(smallMtz(), (b) => parseMtz(b))).toEqual([]);
});
describeData("lysozyme ED, refined", ["3ded/frames/lysozyme_ED_refmac_final.mtz"], () => {
  test("agrees with gemmi", () => {
    const { value, warnings } = parseMtz(readData("3ded", "frames", "lysozyme_ED_refmac_final.mtz"));
    const golden = readGolden<{ label: string; type: string; count: number; sum: number }>("mtz-lysozyme");
    expect(warnings).toEqual([]);
    expect(value.columns.map((c) => [c.label, c.type])).toEqual(golden.rows.map((r) => [r.label, r.type]));
    golden.rows.forEach((r, j) => {
      const v = value.columns[j]!.values.filter((x) => !Number.isNaN(x));
      expect(v.length).toBe(r.count);
      expect(Math.abs(v.reduce((a, b) => a + b, 0) - r.sum)).toBeLessThanOrEqual(
        1e-5 *
          Math.max(
            1,
            v.reduce((a, b) => a + Math.abs(b), 0),
          ),
      );
    });
    expect([value.size, value.spaceGroupNumber]).toEqual([8145, 18]);
  });
});
