import { expect, test } from "vitest";
import { fuzzReader } from "../testing/fuzz.js";
import { parseAngles, parseMdoc } from "./tilt-angles.js";

const mdoc = `PixelSpacing = 1.35
Voltage = 300
ImageFile = a.st
[T = SerialEM: Digitized on EM    11-May-16  11:12:46]
[T = Tilt axis angle = 85.5, binning = 1  spot = 5  camera = 0]

[ZValue = 1]
TiltAngle = -3.01
DateTime = x
[ZValue = 0]
TiltAngle = 0.02
`;
const text = (s: string): Uint8Array => new TextEncoder().encode(s);

test("angles: one or more columns, comments, separators, CRLF", () => {
  expect(parseAngles("-60.0\r\n 0\r\n 1e1\r\n")).toEqual({ values: Float64Array.of(-60, 0, 10), rows: 3, columns: 1 });
  expect(parseAngles("phi theta psi\n# note\n1, 2;3 % end\n\n4\t5 6")).toEqual({
    values: Float64Array.of(1, 2, 3, 4, 5, 6),
    rows: 2,
    columns: 3,
  });
  for (const bad of ["", "1 2\n3", "1\nabc", "nan"]) expect(() => parseAngles(bad)).toThrow(/bad-file/);
});
test(".mdoc: sections by ZValue, axis from the title, units", () => {
  const m = parseMdoc(mdoc);
  expect(Array.from(m.tiltsDeg)).toEqual([0.02, -3.01]);
  expect([m.pixelAngstrom, m.voltageKv, m.axisAngleDeg, m.sections.length]).toEqual([1.35, 300, 85.5, 2]);
  expect(() => parseMdoc("[ZValue = 0]\nDose = 2")).toThrow(/TiltAngle/);
  expect(() => parseMdoc("nothing")).toThrow(/section/);
});
fuzzReader("angles", text("# a\n1 2 3\n4 5 6\n"), parseAngles, { maxCuts: 60, flips: 200, maxFields: 60 });
fuzzReader("mdoc", text(mdoc), parseMdoc, { maxCuts: 300, flips: 200, maxFields: 200 });
