import { expect, test } from "vitest";
import { fc, prop } from "../testing/prop.js";
import { fittedField, fixedField, formatSu, parseInteger, parseNumber, parseSu } from "./number.js";

test.each([
  ["1.234(5)", 1.234, 0.005],
  ["-0.1355(12)", -0.1355, 0.0012],
  ["420.29(4)", 420.29, 0.04],
  ["5.63083(80)", 5.63083, 0.0008],
  ["12340(50)", 12340, 50],
  ["12(3)E2", 1200, 300],
  ["1.2(3)e-4", 1.2e-4, 3e-5],
  ["+.5(1)", 0.5, 0.1],
  ["1.234(0.005)", 1.234, 0.005],
  ["109.5", 109.5, Number.NaN],
])("parseSu(%s)", (text, value, su) => {
  const m = parseSu(text);
  expect(m.value).toBeCloseTo(value, 12);
  if (Number.isNaN(su)) expect(m.su).toBeNaN();
  else expect(m.su / su).toBeCloseTo(1, 12);
});
test.each(["", " ", "-", ".", "e5", "1e", "1e+", "0x10", "Infinity", "NaN", "1,5", "1.2.3", "(5)", "1(5", "1.2(x)", "--1"])(
  "%j is no number",
  (text) => {
    expect(parseNumber(text)).toBeNaN();
    expect(parseSu(text).value).toBeNaN();
  },
);
test("integers and Fortran exponents", () => {
  expect(parseInteger("-12")).toBe(-12);
  expect(parseInteger("1.5")).toBeNaN();
  expect(parseNumber("0.5D-03")).toBe(5e-4);
});
prop("parseNumber agrees bit for bit with the engine's own reader", [fc.double({ noNaN: true, noDefaultInfinity: true })], (x) => {
  expect(parseNumber(String(x))).toBe(x);
  expect(parseNumber(x.toFixed(7))).toBe(Number(x.toFixed(7)));
  expect(parseNumber(x.toExponential(9))).toBe(Number(x.toExponential(9)));
});
test.each([
  [1.23456, 0.0042, "1.235(4)"],
  [1.23456, 0.0012, "1.2346(12)"],
  [1.23456, 0.0019, "1.2346(19)"],
  [1.23456, 0.002, "1.235(2)"],
  [1.23456, 0.00951, "1.235(10)"],
  [12345, 53, "12350(50)"],
  [12345, 13, "12345(13)"],
  [0.5, 0, "0.5"],
  [90, Number.NaN, "90"],
  [Number.NaN, 1, "?"],
])("formatSu(%d, %d)", (value, su, text) => {
  expect(formatSu(value, su)).toBe(text);
});
prop(
  "a value written with its s.u. reads back within half a unit of the last digit, the s.u. within a quarter of itself",
  [fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 1e-6, max: 1e3, noNaN: true })],
  (value, su) => {
    const back = parseSu(formatSu(value, su));
    expect(Math.abs(back.value - value)).toBeLessThanOrEqual(0.26 * su); // two digits above 19 are cut to one
    expect(Math.abs(back.su - su)).toBeLessThanOrEqual(0.26 * su);
  },
);
test("fields of fixed width", () => {
  expect(fixedField(-1, 9, 5)).toBe(" -1.00000");
  expect(fittedField(-50.765, 9, 6)).toBe("-50.76500");
  expect(fittedField(2468.723, 9, 6)).toBe("2468.7230");
  expect(fittedField(2468.723, 8, 2)).toBe(" 2468.72");
  expect(fittedField(123456789012, 9, 6)).toBe("1.235e+11");
  expect(fittedField(-1e300, 5, 2)).toBeUndefined();
});
