import { expect, test } from "vitest";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import { beamPool, selectBeams } from "./beams.js";
import { incidenceOnZone } from "./incidence.js";
import { type OrientationTask, orientationSolver } from "./orientations.js";
import { type Absorption, crystalPotential } from "./potential.js";
import { propagate } from "./propagate.js";
import { structureMatrix } from "./structure-matrix.js";
import { thicknessNodes } from "./thickness.js";
import { blochIntensities } from "./waves.js";

const b = beam(200);
const quartz = structure(unitCell(4.913, 4.913, 5.405, 90, 90, 120), spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.01 }),
]);
const srtio3 = structure(unitCell(3.905, 3.905, 3.905), spaceGroup("P m -3 m"), [
  atom({ element: "Sr", xyz: [0, 0, 0], uIso: 0.006 }),
  atom({ element: "Ti", xyz: [0.5, 0.5, 0.5], uIso: 0.005 }),
  atom({ element: "O", xyz: [0, 0.5, 0.5], uIso: 0.009 }),
]);
const absorbed: Absorption = { kind: "factors", source: thomasAbsorptive(b) };

test.each([
  ["quartz", quartz, undefined],
  ["quartz with absorption", quartz, absorbed],
  ["SrTiO3", srtio3, undefined],
] as const)("%s: one call each, with one worker and two, equals propagate", async (_, s, absorption) => {
  const gMax = 1.6,
    pool = beamPool(s.cell, s.spaceGroup, gMax),
    potential = crystalPotential(s, b, { reach: 2 * gMax, absorption });
  const tasks: OrientationTask[] = Array.from({ length: 37 }, (_, i) => {
    const incidence = incidenceOnZone(s.cell, b, [1, 0, 2], [0.02 * i, 0.3 - 0.01 * i, 0.1]);
    return { incidence, hkl: selectBeams(pool, incidence, { sMax: 0.015 }).strong, nodes: thicknessNodes({ kind: "wedge" }, 500, 40) };
  });
  const one = await orientationSolver(potential),
    two = await orientationSolver(potential, { workers: 2 });
  const first = await one.intensities(tasks),
    second = await two.intensities(tasks);
  expect(second).toEqual(first);
  tasks.forEach(({ hkl, incidence, nodes }, i) => {
    const I = blochIntensities(propagate(structureMatrix(potential, hkl, incidence), nodes.t)),
      n = hkl.length / 3;
    for (let g = 0; g < n; g++) {
      const mean = nodes.weights.reduce((sum, w, t) => sum + w * I[t * n + g]!, 0);
      expect(Math.abs(mean - first[i]![g]!)).toBeLessThan(1e-11);
    }
  });
  await one.close();
  await two.close();
});
