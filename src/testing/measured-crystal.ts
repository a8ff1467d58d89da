import { rng } from "../core/rng.js";
import { ubMatrix } from "../geometry/orientation.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import type { Structure } from "../geometry/structure.js";
import { uniqueReflections } from "../geometry/unique.js";
import { peng1996 } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";

/** A crystal with exact kinematical intensities (Å², times 10), two frames of a continuous rotation, for tests of files. */
export function measuredCrystal(s: Structure, dMin = 0.9) {
  const { hkl, size } = uniqueReflections(s.cell, s.spaceGroup, { dMin });
  const f = structureFactors(s, hkl, peng1996);
  const intensity = Float64Array.from({ length: size }, (_, i) => 10 * (f[2 * i]! ** 2 + f[2 * i + 1]! ** 2) - (i % 7 === 0 ? 0.3 : 0));
  const list = { hkl, intensity, sigma: intensity.map((v) => 0.02 * Math.abs(v) + 0.05), calculated: intensity.map((v) => v * 1.01) };
  const part = (from: number) => ({
    hkl: hkl.slice(3 * from, 3 * from + 60),
    intensity: intensity.slice(from, from + 20),
    sigma: list.sigma.slice(from, from + 20),
    calculated: list.calculated.slice(from, from + 20),
  });
  const frame = (id: number) => ({
    id,
    alphaDeg: -20 + 2.5 * id,
    betaDeg: 0.1,
    omegaDeg: 55.2,
    halfAngleDeg: 1.25,
    scale: 1.1,
    ...part(20 * id),
  });
  return {
    cell: s.cell,
    wavelength: 0.02508,
    ub: ubMatrix(randomRotation<"sample", "crystal">(rng(3)), s.cell),
    exposure: "continuous" as const,
    gMax: 1 / dMin,
    rcWidth: 0.0012,
    mosaicityDeg: 0.06,
    diameterPx: 7,
    omegaDeg: 55.2,
    kinematical: list,
    frames: [frame(1), frame(2)],
    virtualFrames: { merged: 5, step: 5 },
  };
}
