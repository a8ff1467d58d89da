import { fail } from "../core/errors.js";
import type { Vec3 } from "../core/frames.js";
import { printable } from "../core/inspect.js";
import { constants, electronRestEnergyEv } from "./constants.js";

const { h, e, m0 } = constants;

/** An electron beam: everything follows from the voltage, or from the wavelength that a file states. Travels along −z of the lab. */
export interface Beam {
  readonly voltageKv: number;
  /** Relativistic de Broglie wavelength, Å. */
  readonly wavelength: number;
  /** Wave number 1/λ, Å⁻¹ (no 2π). */
  readonly k: number;
  /** Lorentz factor m/m0 = 1 + eV/m0c². */
  readonly gamma: number;
  /** v/c. */
  readonly beta: number;
  /** Interaction constant σ = 2πm e λ/h², rad V⁻¹ Å⁻¹. */
  readonly sigma: number;
}

function checkVoltage(voltageKv: number): void {
  if (voltageKv >= 5000)
    fail("out-of-range", { voltageKv }, `voltageKv is in kilovolts; ${voltageKv} looks like volts, try ${voltageKv / 1000}`);
  if (!(voltageKv > 0)) fail("out-of-range", { voltageKv }, "voltageKv is the accelerating voltage in kilovolts, for example 200");
}

/**
 * Relativistic wavelength λ = h/√(2 m0 eV (1 + eV/2m0c²)), Å.
 * @throws out-of-range when the voltage is not positive, or looks like volts (5000 and more)
 * @see International Tables for Crystallography C, 4.3.2.1; Kirkland, Advanced Computing in Electron Microscopy (2020), 2.1
 */
export function electronWavelength(voltageKv: number): number {
  checkVoltage(voltageKv);
  const ev = 1000 * voltageKv;
  return (1e10 * h) / Math.sqrt(2 * m0 * e * ev * (1 + ev / (2 * electronRestEnergyEv)));
}

/**
 * Accelerating voltage, kV, of a wavelength in Å: the inverse of {@link electronWavelength}, eV = √(m0²c⁴ + h²c²/λ²) − m0c².
 * @throws out-of-range when the wavelength is not that of an electron beam between 100 V and 5 MV
 */
export function voltageFromWavelength(wavelength: number): number {
  if (!(wavelength > 0.002 && wavelength < 1.3))
    fail(
      "out-of-range",
      { wavelength },
      "the wavelength of the electrons is in Å, for example 0.0251 at 200 kV; picometres, nanometres and X-ray wavelengths do not fit",
    );
  const pcEv = (h * constants.c) / (wavelength * 1e-10 * e);
  // √(E0² + p²c²) − E0 without cancellation
  const kinetic = pcEv ** 2 / (Math.sqrt(electronRestEnergyEv ** 2 + pcEv ** 2) + electronRestEnergyEv);
  return kinetic / 1000;
}

function build(voltageKv: number, wavelength: number): Beam {
  const gamma = 1 + (1000 * voltageKv) / electronRestEnergyEv;
  return printable(
    {
      voltageKv,
      wavelength,
      k: 1 / wavelength,
      gamma,
      beta: Math.sqrt(1 - 1 / gamma ** 2),
      sigma: (1e-10 * (2 * Math.PI * gamma * m0 * e * (wavelength * 1e-10))) / h ** 2,
    },
    (b) => `Beam(${b.voltageKv.toPrecision(6)} kV, λ = ${b.wavelength.toFixed(6)} Å)`,
  );
}

/**
 * Beam of a voltage in kilovolts.
 * @throws out-of-range when the voltage is not positive or looks like volts
 */
export function beam(voltageKv: number): Beam {
  return build(voltageKv, electronWavelength(voltageKv));
}

/**
 * Beam of a wavelength in Å, as files state it; the wavelength is kept to the bit.
 * @throws out-of-range when no electron beam has this wavelength
 */
export function beamFromWavelength(wavelength: number): Beam {
  return build(voltageFromWavelength(wavelength), wavelength);
}

/** Incident wave vector, lab frame, Å⁻¹: K = (0, 0, −1/λ). The lab z axis points from the sample to the electron source. */
export function incidentWaveVector({ k }: Pick<Beam, "k">): Vec3<"lab"> {
  return [0, 0, -k];
}
