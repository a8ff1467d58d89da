import { expect, test } from "vitest";
import { checkMetadata, type InstrumentMetadata } from "./metadata-checks.js";

const good: InstrumentMetadata = {
  wavelength: 0.02508,
  voltageKv: 200,
  pixelMm: 0.055,
  distanceMm: 410.66,
  reciprocalPixel: 0.00534,
  center: [234.87, 233.17],
  imageSize: [516, 516],
  alphaDeg: Array.from({ length: 159 }, (_, i) => -11 + 0.3558 * i),
  frameHalfWidthDeg: 0.18,
  cell: [5.08, 11.8, 5.46, 90, 112, 90],
};
test("sound metadata pass", () => {
  expect(checkMetadata(good)).toEqual([]);
  expect(checkMetadata({})).toEqual([]);
});
const scaled = (factor: number): number[] => Array.from({ length: 159 }, (_, i) => (-11 + 0.3558 * i) * factor);
test.each<[string, InstrumentMetadata, RegExp]>([
  ["missing wavelength", { wavelength: Number.NaN }, /wavelength is missing/],
  ["wavelength in pm", { wavelength: 2.508 }, /picometres.*0\.02508/],
  ["wavelength in nm", { wavelength: 0.002508 }, /nanometres.*0\.02508/],
  ["X-ray wavelength", { wavelength: 0.7107 }, /X-rays/],
  ["negative wavelength", { wavelength: -1 }, /not positive/],
  ["voltage in V", { voltageKv: 200000 }, /volts.*200/],
  ["λ against kV", { voltageKv: 300 }, /contradict.*0\.01969/],
  ["detector pixel in µm", { pixelMm: 55 }, /micrometres.*0\.055/],
  ["detector pixel in m", { pixelMm: 5.5e-5 }, /metres.*0\.055/],
  ["distance in m", { distanceMm: 0.41066 }, /metres.*410/],
  ["reciprocal pixel in nm⁻¹", { reciprocalPixel: 0.0534 }, /nm⁻¹.*0\.00534/],
  ["a factor of 100 between the two scales", { reciprocalPixel: 5.34e-5 }, /contradicts.*10\^2/],
  ["centre in mm", { center: [12.9, 12.8] }, /may be in mm/],
  ["centre outside", { center: [600, 200] }, /outside/],
  ["angles in radians", { alphaDeg: scaled(Math.PI / 180) }, /in radians/],
  ["angles in radians, width unknown", { alphaDeg: scaled(Math.PI / 180), frameHalfWidthDeg: Number.NaN }, /may be in radians/],
  ["missing angles", { alphaDeg: [0, Number.NaN, 1] }, /1 of 3 tilt angles are missing/],
  ["frames out of order", { alphaDeg: [0, 2, 1, 4, 3, 6, 5] }, /go back 3 times/],
  ["precession in mrad", { precessionSemiAngleDeg: 25 }, /milliradians/],
  ["cell angles in radians", { cell: [5, 5, 5, 1.57, 1.57, 1.57] }, /radians/],
  ["cell in nm", { cell: [0.508, 1.18, 0.546, 90, 112, 90] }, /in nm/],
])("%s is named", (_, wrong, pattern) => {
  expect(checkMetadata({ ...good, ...wrong }).join("\n")).toMatch(pattern);
});
test("0.01° steps over a short range are not taken for radians when the frame width agrees", () => {
  expect(checkMetadata({ alphaDeg: Array.from({ length: 40 }, (_, i) => 0.01 * i), oscillationDeg: 0.01 })).toEqual([]);
});
