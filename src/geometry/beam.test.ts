import { expect, test } from "vitest";
import { closeTo, tolerances } from "../testing/close.js";
import { describeData, readDataText } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { beam, beamFromWavelength, electronWavelength, incidentWaveVector, voltageFromWavelength } from "./beam.js";
import { constants } from "./constants.js";

describeData("constants table", ["tables/constants/electron-optics.json"], () => {
  const table = JSON.parse(readDataText("tables/constants/electron-optics.json")) as {
    constants: Record<string, number>;
    voltages: Record<string, number>[];
  };
  test("constants", () => {
    for (const name of ["h", "e", "c", "m0"] as const) expect(constants[name]).toBe(table.constants[name]);
    expect(constants.bohrAngstrom).toBe(table.constants.a0Angstrom);
  });
  test.each(table.voltages)("λ, k, γ, v/c and σ at $kV kV", (row) => {
    const b = beam(row.kV!);
    expect(b.wavelength).toSatisfy(closeTo(row.lambdaAngstrom!, tolerances.closedForm));
    expect(b.k).toSatisfy(closeTo(row.k0InvAngstrom!, tolerances.closedForm));
    expect(b.gamma).toSatisfy(closeTo(row.gamma!, tolerances.closedForm));
    expect(b.beta).toSatisfy(closeTo(row.vOverC!, tolerances.closedForm));
    expect(b.sigma / row.sigmaRadPerVoltAngstrom!).toSatisfy(closeTo(1, tolerances.closedForm));
  });
});

prop("voltage → wavelength → voltage", [fc.double({ min: 0.2, max: 3000, noNaN: true })], (kv) => {
  expect(voltageFromWavelength(electronWavelength(kv)) / kv).toBeCloseTo(1, 11);
});

test("a voltage in volts and a wavelength in picometres are named", () => {
  expect(() => beam(200000)).toThrow(/out-of-range: voltageKv is in kilovolts; 200000 looks like volts, try 200/);
  expect(() => beam(Number.NaN)).toThrow(/out-of-range/);
  expect(() => beam(-5)).toThrow(/out-of-range/);
  expect(() => beamFromWavelength(2.51)).toThrow(/in Å/);
});

test("the wavelength of a file is kept to the bit, K travels down", () => {
  const b = beamFromWavelength(0.02508);
  expect(b.wavelength).toBe(0.02508);
  expect(b.voltageKv).toBeCloseTo(199.99, 1);
  expect(incidentWaveVector(b)).toEqual([0, 0, -1 / 0.02508]);
  expect(String(beam(200))).toBe("Beam(200.000 kV, λ = 0.025079 Å)");
});
