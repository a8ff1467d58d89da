import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { parseRpl } from "../io/index.js";
import { anglesOfFrames, peakTable, selectPeaks } from "./peak-table.js";
import { peaksFromRpl } from "./peak-table-io.js";
import { checkSeries } from "./peak-table-series.js";

const n = 40;
const table = peakTable({
  frame: Array.from({ length: n }, (_, i) => i),
  px: Array.from({ length: n }, (_, i) => 100 + 7 * i),
  py: Array.from({ length: n }, (_, i) => 380 - 6 * i),
  intensity: Array.from({ length: n }, () => 100),
  alphaDeg: Array.from({ length: n }, (_, i) => -20 + i),
});
const good = { wavelength: 0.02508, aperpixel: 0.005, alphaDeg: Array.from({ length: n }, (_, i) => -20 + i) };
const refusal = (body: () => void): string => {
  try {
    body();
  } catch (e) {
    if (isSdkError(e)) return e.hint;
    throw e;
  }
  return "accepted";
};

test("columns of unequal length and impossible rows are refused", () => {
  expect(() => peakTable({ frame: [0], px: [1, 2], py: [1, 2], intensity: [1, 2], alphaDeg: [0, 0] })).toThrow("bad-shape");
  expect(() => peakTable({ frame: [0.5], px: [1], py: [1], intensity: [1], alphaDeg: [0] })).toThrow("counted 0, 1, 2");
  expect(() => peakTable({ frame: [0], px: [Number.NaN], py: [1], intensity: [1], alphaDeg: [0] })).toThrow("finite");
  for (const intensity of [Number.NaN, 1e308])
    expect(() => peakTable({ frame: [0], px: [1], py: [1], intensity: [intensity], alphaDeg: [0] })).toThrow("finite numbers of counts");
});

test("a spot that stands twice in a list is taken once", () => {
  const row = "0.1 0.2 0.3 8.4 0.6 82 296 82.147 296.321 -11.0 136.0 1";
  const { value } = parseRpl(`${row}\n${row.replace("82.147", "90.5")}\n${row}\n`);
  expect([value.size, [...peaksFromRpl(value).px]]).toEqual([3, [81.147, 89.5]]);
});

test("rows are selected by predicate or by list, and angles are filled in between", () => {
  const even = selectPeaks(table, (i) => i % 2 === 0);
  expect(even.size).toBe(20);
  expect(selectPeaks(table, [3, 1]).frame).toEqual(Int32Array.of(3, 1));
  const angles = anglesOfFrames(even);
  expect(angles[1]).toBeCloseTo(-19, 12);
  expect(angles.length).toBe(39);
});

test("contradictory metadata is named", () => {
  expect(refusal(() => checkSeries(good, table))).toBe("accepted");
  expect(refusal(() => checkSeries({ ...good, wavelength: Number.NaN }, table))).toMatch(/wavelength is missing/);
  expect(refusal(() => checkSeries({ ...good, wavelength: 200 }, table))).toMatch(/kilovolts/);
  expect(refusal(() => checkSeries({ ...good, wavelength: 2.508 }, table))).toMatch(/picometres, try 0.02508/);
  expect(refusal(() => checkSeries({ ...good, wavelength: 0.002508 }, table))).toMatch(/nanometres, try 0.02508/);
  expect(refusal(() => checkSeries({ ...good, aperpixel: 0.05 }, table))).toMatch(/nm⁻¹/);
  expect(refusal(() => checkSeries({ ...good, aperpixel: 1e-4 }, table))).toMatch(/Å⁻¹ per pixel/);
  expect(refusal(() => checkSeries({ ...good, alphaDeg: good.alphaDeg.map((a) => (a * Math.PI) / 180) }, table))).toMatch(/radians/);
  expect(refusal(() => checkSeries({ ...good, alphaDeg: good.alphaDeg.slice(0, 30) }, table))).toMatch(/fewer tilt angles/);
  expect(refusal(() => checkSeries({ ...good, alphaDeg: good.alphaDeg.map((a) => a * 100) }, table))).toMatch(/degrees/);
});
