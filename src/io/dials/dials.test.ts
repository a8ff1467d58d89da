import { expect, test } from "vitest";
import { describeData, readData } from "../../testing/data.js";
import { decodeMsgpack } from "../msgpack.js";
import { parseExpt } from "./expt.js";
import { dialsFlags, parseRefl, reflHasFlag, reflNumbers } from "./refl.js";
import { reflShoeboxes } from "./shoebox.js";

const bytes = (...b: (number | string)[]): Uint8Array =>
  Uint8Array.from(b.flatMap((x) => (typeof x === "number" ? [x] : [...x].map((c) => c.charCodeAt(0)))));
test.each<[string, Uint8Array, unknown]>([
  ["fixints", bytes(0x92, 0x05, 0xff), [5, -1]],
  ["nil and bools", bytes(0x93, 0xc0, 0xc2, 0xc3), [null, false, true]],
  ["strings", bytes(0x92, 0xa2, "ab", 0xd9, 1, "c"), ["ab", "c"]],
  ["floats", bytes(0x92, 0xca, 0x3f, 0xc0, 0, 0, 0xcb, 0xbf, 0xf0, 0, 0, 0, 0, 0, 0), [1.5, -1]],
  [
    "wide integers",
    bytes(0x94, 0xcd, 1, 0, 0xd1, 0xff, 0xfe, 0xcf, 0, 0, 1, 0, 0, 0, 0, 0, 0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0),
    [256, -2, 2 ** 40, -(2n ** 63n)],
  ],
  ["map", bytes(0x81, 0xa1, "k", 0xc4, 1, 7), new Map([["k", bytes(7)]])],
  ["extension", bytes(0xd4, 5, 9), { extension: 5, data: bytes(9) }],
])("MessagePack %s", (_, input, value) => {
  expect(decodeMsgpack(input)).toEqual({ value, end: input.length });
});
test("a list or text that claims more than the file holds is refused before anything is allocated", () => {
  for (const input of [
    bytes(0xdd, 0xff, 0xff, 0xff, 0xff),
    bytes(0xc6, 0x7f, 0xff, 0xff, 0xff),
    bytes(0xdf, 0xff, 0xff, 0xff, 0xff),
    bytes(0xc1),
  ])
    expect(() => decodeMsgpack(input)).toThrow(/bad-file/);
  expect(() => decodeMsgpack(new Uint8Array(1000).fill(0x91))).toThrow(/nested/);
});
test("a pickle is named", () => {
  expect(() => parseRefl(bytes(0x80, 2, 0x63))).toThrow(/pickle/);
});

describeData("quartz, DIALS", ["3ded/quartz_dials/strong.refl"], () => {
  const refl = (name: string) => parseRefl(readData("3ded", "quartz_dials", name));
  test("strong spots", () => {
    const { value, warnings } = refl("strong.refl");
    expect(warnings).toEqual([]);
    expect(value.size).toBe(505);
    expect(Object.keys(value.columns)).toHaveLength(9);
    const xyz = reflNumbers(value, "xyzobs.px.value", 3);
    expect(xyz).toHaveLength(1515);
    expect(reflHasFlag(value, dialsFlags.strong).every((f) => f === 1)).toBe(true);
    expect(() => reflNumbers(value, "miller_index")).toThrow(/not-found/);
  });
  test.each([
    ["refined.refl", 505, 19],
    ["integrated.refl", 1653, 33],
    ["scaled.refl", 1620, 38],
  ])("%s: %d rows, %d columns", (name, rows, columns) => {
    const { value, warnings } = refl(name);
    expect(warnings).toEqual([]);
    expect(value.size).toBe(rows);
    expect(Object.keys(value.columns).length + (value.shoeboxBytes ? 1 : 0)).toBe(columns);
    expect(value.identifiers).toEqual([[0, "001f4105-10c8-4ecd-ac88-2c789f79b510"]]);
  });
  test("shoeboxes: the brightest foreground pixel of each lies in its box, and their sum is the intensity", () => {
    const { value } = refl("strong.refl");
    const xyz = reflNumbers(value, "xyzobs.px.value", 3),
      sum = reflNumbers(value, "intensity.sum.value", 1);
    let row = 0;
    for (const box of reflShoeboxes(value)) {
      const total = box.data.reduce((s, v, i) => (box.mask[i]! & 4 ? s + v : s), 0);
      expect(Math.abs(total - sum[row]!)).toBeLessThanOrEqual(1e-5 * total);
      for (const k of [0, 1, 2]) {
        expect(xyz[3 * row + k]!).toBeGreaterThanOrEqual(box.bbox[2 * k]!);
        expect(xyz[3 * row + k]!).toBeLessThanOrEqual(box.bbox[2 * k + 1]!);
      }
      row++;
    }
    expect(row).toBe(505);
  });
  test("refined experiment and reflections agree: A·h = rlp, median within 0.01 Å⁻¹; scan-varying A at 101 edges", () => {
    const { value, warnings } = parseExpt(readData("3ded", "quartz_dials", "refined.expt"));
    expect(warnings).toEqual([]);
    const e = value[0]!,
      crystal = e.crystal!;
    expect(e.beam!.wavelength).toBeCloseTo(0.02508, 10);
    expect(e.scan).toMatchObject({ imageRange: [1, 100], oscillation: [-50, 1] });
    expect(e.detector[0]).toMatchObject({ imageSize: [1024, 1024], pixelSize: [0.026, 0.026], trustedRange: [-1, 16383] });
    expect(crystal.hallSymbol).toBe('P 31 2"');
    expect(crystal.ubAtScanPoints).toHaveLength(9 * 101);
    expect(crystal.bCovariance).toHaveLength(81);
    const { value: table } = refl("refined.refl");
    const h = reflNumbers(table, "miller_index", 3),
      rlp = reflNumbers(table, "rlp", 3),
      indexed = reflHasFlag(table, dialsFlags.indexed);
    const off: number[] = [];
    for (let i = 0; i < table.size; i++) {
      if (!indexed[i]) continue;
      const g = [0, 3, 6].map((r) => crystal.ub[r]! * h[3 * i]! + crystal.ub[r + 1]! * h[3 * i + 1]! + crystal.ub[r + 2]! * h[3 * i + 2]!);
      off.push(Math.hypot(...g.map((v, k) => v - rlp[3 * i + k]!)));
    }
    off.sort((a, b) => a - b);
    const median = off[off.length >> 1]!;
    console.log(
      `quartz: DIALS indexed ${off.length} of ${table.size} strong spots; |A·h − rlp| median ${median.toFixed(4)}, largest ${off.at(-1)!.toFixed(4)} Å⁻¹`,
    );
    expect(off).toHaveLength(444);
    expect(median).toBeLessThan(0.01);
  });
  test("imported.expt has no crystal", () => {
    expect(parseExpt(readData("3ded", "quartz_dials", "imported.expt")).value[0]!.crystal).toBeUndefined();
  });
});
test.each([
  "",
  "{",
  "[]",
  "{}",
  '{"__id__":"ExperimentList","experiment":[{"beam":3}]}',
  '{"__id__":"ExperimentList","experiment":[{"beam":0}],"beam":[{"direction":[0,1]}]}',
])("%j is no experiment list", (text) => {
  expect(() => parseExpt(text)).toThrow(/bad-file/);
});
test("several axes: fixed and setting rotation come from the angles, dxtbx 3.17 scans from their properties", () => {
  const r = parseExpt(
    JSON.stringify({
      __id__: "ExperimentList",
      experiment: [{ goniometer: 0, scan: 0, beam: 0 }],
      beam: [{ direction: [0, 0, 1], wavelength: Number.NaN }],
      goniometer: [
        {
          axes: [
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
          ],
          angles: [90, 5, 90],
          names: ["a", "b", "c"],
          scan_axis: 1,
        },
      ],
      scan: [{ image_range: [1, 3], batch_offset: 0, properties: { oscillation: [1, 1.5, 2], exposure_time: [0, 0, 0] } }],
    }),
  );
  const round = (m: readonly number[]) => m.map((v) => Math.round(v) + 0);
  expect(round(r.value[0]!.goniometer!.fixedRotation)).toEqual([1, 0, 0, 0, 0, -1, 0, 1, 0]);
  expect(round(r.value[0]!.goniometer!.settingRotation)).toEqual([0, -1, 0, 1, 0, 0, 0, 0, 1]);
  expect(r.value[0]!.scan!.oscillation).toEqual([1, 0.5]);
  expect(r.warnings.join()).toContain("wavelength is missing");
});
