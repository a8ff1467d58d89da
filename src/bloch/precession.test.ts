import { expect, test } from "vitest";
import { compose, type Map3 } from "../core/frames.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { reciprocalBasis } from "../geometry/metric.js";
import { rotationAbout } from "../geometry/rotation.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { beamPool } from "./beams.js";
import { precessionAzimuths } from "./convergence.js";
import { filterFrame } from "./filters.js";
import { sweepIntensities } from "./integrate.js";
import { exposureIntensities } from "./integrate-bethe.js";
import { crystalPotential } from "./potential.js";
import { exposureDirections } from "./rotation.js";

// α-quartz in a general orientation, 200 kV, precession 1°: the reference is a wide matrix without perturbation.
const cell = unitCell(4.9137, 4.9137, 5.4047, 90, 90, 120);
const quartz = structure(cell, spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.007 }),
  atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.012 }),
]);
const electrons = beam(200);
const ub = compose(rotationAbout<"lab", "crystal">([0.3, 0.8, -0.5], 0.9), reciprocalBasis(cell)) as Map3<"lab", "hkl">;
const exposure = { kind: "precession", semiAngleDeg: 1 } as const;
const phi = Math.PI / 180;
const depths = { depth: Float64Array.of(300), weight: Float64Array.of(1) };
const potential = crystalPotential(quartz, electrons, { reach: 5.6 });
const wide = beamPool(cell, quartz.spaceGroup, 2.8);
const { kept } = filterFrame(wide.hkl, ub, electrons, exposure, { rsgMax: 0.66, gMax: 2 });
const hkl = Int32Array.from(Array.from(kept).flatMap((i) => [...wide.hkl.subarray(3 * i, 3 * i + 3)]));
const r1 = (a: Float64Array, b: Float64Array): number => {
  let num = 0,
    den = 0;
  a.forEach((x, i) => {
    num += Math.abs(x - b[i]!);
    den += b[i]!;
  });
  return num / den;
};

test("strength and Bethe with about 80 beams against 800 beams", () => {
  const azimuths = precessionAzimuths(2, 300, phi);
  expect(azimuths).toBe(86);
  // The error of the beams does not need all azimuths: both sides see the same ones.
  const directions = exposureDirections(exposure, { kind: "none" }, { azimuths: 24 }, { gMax: 2, thickness: 300 });
  const reference = sweepIntensities({ potential, pool: wide, ub, directions, hkl, depths, sMax: 0.15 });
  const bethe = exposureIntensities(
    potential,
    wide,
    ub,
    directions,
    { sMax: 0.01, strength: 0.0025, gMax: 2.4, bethe: { sMax: 0.15, gMax: 2.8 } },
    depths,
    hkl,
  );
  const plain = sweepIntensities({ potential, pool: wide, ub, directions, hkl, depths, sMax: 0.01 });
  expect(reference.meanBeams).toBeGreaterThan(800);
  expect(bethe.meanStrong).toBeLessThan(90);
  // 0.28 % of the intensities (0.67 % of the amplitudes, where weak reflections weigh more); the window alone: 1.4 % of the amplitudes
  expect(r1(bethe.intensity, reference.intensity)).toBeLessThan(0.004);
  expect(r1(plain.intensity, reference.intensity)).toBeGreaterThan(2 * r1(bethe.intensity, reference.intensity));
});
test("the mean over azimuths converges beyond its bandwidth", () => {
  const pool = beamPool(cell, quartz.spaceGroup, 2);
  const of = (azimuths: number): Float64Array =>
    sweepIntensities({
      potential,
      pool,
      ub,
      directions: exposureDirections(exposure, { kind: "none" }, { azimuths }, { gMax: 2, thickness: 300 }),
      hkl,
      depths,
      // no beam enters or leaves on the way: the cut would end the convergence
      sMax: 0.09,
    }).intensity;
  const fine = of(192);
  const errors = [32, 64, 86].map((n) => r1(of(n), fine));
  expect(errors[0]).toBeGreaterThan(50 * errors[1]!);
  expect(errors[2]).toBeLessThan(3e-4);
});
