import { fail } from "../core/errors.js";
import type { AtomModel } from "./atoms.js";
import { MAX_ATOMS, repeatAtoms } from "./atoms-build.js";

/**
 * A box repeated until it is at least `across` Å wide between both pairs of its sides (room for the probe and for its spread: twice the thickness times
 * the semi-angle, and some) and at least `thickness` Å thick.
 * @returns the box, and how often it was repeated along a, b, c
 */
export function enlargeAtoms(
  m: AtomModel,
  { across = 0, thickness = 0 }: { readonly across?: number | undefined; readonly thickness?: number | undefined },
): { readonly atoms: AtomModel; readonly repetitions: readonly [number, number, number] } {
  for (const [field, v] of Object.entries({ across, thickness }))
    if (!(v >= 0 && v < 1e6)) fail("bad-value", { [field]: v }, `${field} is a length in Å`);
  const c = m.cell,
    area = c[0]! * c[4]! - c[1]! * c[3]!;
  const count = (wanted: number, have: number): number => Math.max(1, Math.ceil(wanted / have - 1e-9));
  const repetitions = [
    count(across, area / Math.hypot(c[3]!, c[4]!)),
    count(across, area / Math.hypot(c[0]!, c[1]!)),
    count(thickness, c[8]!),
  ] as const;
  const atoms = repetitions.reduce((n, r) => n * r, m.atomicNumbers.length);
  if (atoms > MAX_ATOMS)
    fail(
      "too-large",
      { atoms, repetitions, across, thickness },
      `more than ${MAX_ATOMS / 1e6} million atoms: ask for a narrower or thinner box (across, thickness in Å)`,
    );
  return { atoms: repeatAtoms(m, repetitions), repetitions };
}

/** The pixel size, Å, of a grid that carries scattering up to an angle: λ/3α, since the band limit is two thirds of the Nyquist frequency. */
export function samplingForAngle(maxMrad: number, wavelength: number): number {
  if (!(maxMrad > 0 && maxMrad < 1600 && wavelength > 0))
    fail("bad-value", { maxMrad, wavelength }, "the largest angle is in mrad, the wavelength in Å");
  return ((0.6666666 * wavelength) / (2 * maxMrad)) * 1e3 * (1 - 1e-9);
}
