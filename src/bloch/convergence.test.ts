import { describe, expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { beamPool, selectBeams } from "./beams.js";
import { convergenceSteps, precessionAzimuths } from "./convergence.js";
import { incidence, incidenceOnZone } from "./incidence.js";
import { crystalPotential } from "./potential.js";
import { propagate } from "./propagate.js";
import { structureMatrix } from "./structure-matrix.js";
import { blochIntensities } from "./waves.js";

const b = beam(300);
const srtio3 = structure(unitCell(3.905, 3.905, 3.905), spaceGroup("P m -3 m"), [
  atom({ element: "Sr", xyz: [0, 0, 0], uIso: 0.006 }),
  atom({ element: "Ti", xyz: [0.5, 0.5, 0.5], uIso: 0.005 }),
  atom({ element: "O", xyz: [0, 0.5, 0.5], uIso: 0.009 }),
]);
const axis = incidenceOnZone(srtio3.cell, b, [0, 0, 1]);

describe("convergence", () => {
  test("Bethe potentials: on a zone axis they save a factor of more than five", () => {
    const pool = beamPool(srtio3.cell, srtio3.spaceGroup, 3),
      potential = crystalPotential(srtio3, b, { reach: 6 });
    const intensities = (m: ReturnType<typeof structureMatrix>): Float64Array => blochIntensities(propagate(m, [300]));
    const exact = structureMatrix(potential, selectBeams(pool, axis, { sMax: 0.12 }).strong, axis);
    const { strong, weak } = selectBeams(pool, axis, { sMax: 0.03, gMax: 2, bethe: { sMax: 0.12 } });
    const [full, plain, bethe] = [exact, structureMatrix(potential, strong, axis), structureMatrix(potential, strong, axis, { weak })].map(
      intensities,
    ) as [Float64Array, Float64Array, Float64Array];
    const n = strong.length / 3;
    const at = Array.from({ length: n }, (_, i) => {
      for (let j = 0; j < exact.size; j++) if ([0, 1, 2].every((x) => exact.hkl[3 * j + x] === strong[3 * i + x])) return j;
      return -1;
    });
    const r1 = (I: Float64Array): number => {
      let top = 0,
        sum = 0;
      for (let i = 1; i < n; i++) {
        top += Math.abs(I[i]! - full[at[i]!]!);
        sum += full[at[i]!]!;
      }
      return top / sum;
    };
    expect(r1(plain)).toBeGreaterThan(0.1);
    expect(r1(bethe)).toBeLessThan(r1(plain) / 5);
  });
  test("the report orders its trials by what they cost", () => {
    const report = runSync(
      convergenceSteps(srtio3, b, { selection: { gMax: 1.6, sMax: 0.03 }, incidences: [axis], thickness: 300, target: 0.05 }),
    );
    expect(report.reference.beams).toBeGreaterThan(report.working.beams);
    expect(report.working.r1).toBeGreaterThan(0.05);
    expect(report.recommended.r1).toBeLessThan(report.working.r1);
    if (report.reached) for (const t of report.trials) if (t.r1 <= 0.05) expect(t.beams).toBeGreaterThanOrEqual(report.recommended.beams);
    expect(report.azimuths(Math.PI / 180)).toBe(precessionAzimuths(1.6, 300, Math.PI / 180));
  });
});

describe("bad input is named", () => {
  const potential = crystalPotential(srtio3, b, { reach: 2 });
  const pool = beamPool(srtio3.cell, srtio3.spaceGroup, 1);
  const two = Int32Array.of(0, 0, 0, 1, 0, 0);
  test.each<[string, () => unknown, string]>([
    ["NaN wave vector", () => incidence(srtio3.cell, [Number.NaN, 0, 1]), "bad-value"],
    ["normal against the beam", () => incidence(srtio3.cell, axis.k, [0, 0, 1 / 3.905]), "bad-value"],
    ["normal not of unit length", () => incidence(srtio3.cell, axis.k, [0, 0, -1]), "bad-value"],
    ["voltage in volts", () => beam(200000), "out-of-range"],
    ["no criterion", () => selectBeams(pool, axis, {}), "bad-value"],
    ["NaN window", () => selectBeams(pool, axis, { sMax: Number.NaN }), "bad-value"],
    ["strength without a potential", () => selectBeams(pool, axis, { strength: 0.01 }), "bad-value"],
    ["empty beam list", () => structureMatrix(potential, new Int32Array(0), axis), "bad-value"],
    ["first beam not 000", () => structureMatrix(potential, Int32Array.of(1, 0, 0), axis), "bad-value"],
    ["beams beyond the potential", () => structureMatrix(potential, Int32Array.of(0, 0, 0, 5, 0, 0), axis), "out-of-range"],
    ["beams not in triples", () => structureMatrix(potential, Int32Array.of(0, 0), axis), "bad-shape"],
    ["negative thickness", () => propagate(structureMatrix(potential, two, axis), [-1]), "out-of-range"],
    ["NaN thickness", () => propagate(structureMatrix(potential, two, axis), [Number.NaN]), "out-of-range"],
    ["no thickness", () => propagate(structureMatrix(potential, two, axis), []), "bad-value"],
    ["no atoms", () => crystalPotential(structure(srtio3.cell, srtio3.spaceGroup, []), b, { reach: 2 }), "bad-value"],
    ["reach", () => crystalPotential(srtio3, b, { reach: 0 }), "out-of-range"],
    ["gMax", () => beamPool(srtio3.cell, srtio3.spaceGroup, Number.NaN), "out-of-range"],
  ])("%s", (_, body, code) => {
    expect(body).toThrow(code);
  });
});
