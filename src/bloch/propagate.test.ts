import { describe, expect, test } from "vitest";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { blochKernels } from "../kernels/bloch.js";
import { arena } from "../kernels/memory.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import { beamPool, selectBeams } from "./beams.js";
import { incidenceOnZone } from "./incidence.js";
import { type Absorption, crystalPotential } from "./potential.js";
import { propagate } from "./propagate.js";
import { structureMatrix } from "./structure-matrix.js";
import { blochFlux, blochIntensities, type SolverName } from "./waves.js";

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
const thicknesses = [0, 37, 200, 512.5, 1000];
const absorbed: Absorption = { kind: "factors", source: thomasAbsorptive(b) };
const matrixOf = (s: typeof quartz, uvw: readonly [number, number, number], sMax: number, gMax: number, absorption?: Absorption) => {
  const potential = crystalPotential(s, b, { reach: 2 * gMax, absorption });
  const inc = incidenceOnZone(s.cell, b, uvw, [0.31, 0.12, -0.2]);
  return structureMatrix(potential, selectBeams(beamPool(s.cell, s.spaceGroup, gMax), inc, { sMax }).strong, inc);
};
const worst = (p: Float64Array, q: Float64Array): number => p.reduce((m, x, i) => Math.max(m, Math.abs(x - q[i]!)), 0);

describe("solvers agree", () => {
  const cases: [string, ReturnType<typeof matrixOf>, SolverName[]][] = [
    ["quartz, general, complex Hermitian", matrixOf(quartz, [3, 1, 5], 0.03, 1.8), ["chebyshev", "structured", "tridiagonal", "eigen"]],
    ["quartz with absorption", matrixOf(quartz, [3, 1, 5], 0.02, 1.5, absorbed), ["chebyshev", "structured", "eigen"]],
    ["SrTiO3 [001], real symmetric", matrixOf(srtio3, [0, 0, 1], 0.03, 2), ["chebyshev", "structured", "tridiagonal", "eigen"]],
    ["SrTiO3 [001] with absorption", matrixOf(srtio3, [0, 0, 1], 0.02, 1.8, absorbed), ["chebyshev", "structured", "eigen"]],
    ["odd number of beams", matrixOf(srtio3, [0, 1, 1], 0.012, 1.5), ["chebyshev", "structured", "tridiagonal", "eigen"]],
  ];
  test.each(cases)("%s", (_, m, solvers) => {
    expect(m.size).toBeGreaterThan(12);
    const check = propagate(m, thicknesses, { solver: "expm" });
    const flux = blochFlux(check);
    for (const solver of solvers) {
      const w = propagate(m, thicknesses, { solver });
      expect(worst(w.amplitudes, check.amplitudes), solver).toBeLessThan(1e-11);
      const f = blochFlux(w);
      if (m.absorbing) for (let t = 1; t < f.length; t++) expect(f[t]!).toBeLessThan(f[t - 1]!);
      else for (const x of f) expect(Math.abs(x - 1), solver).toBeLessThan(1e-12);
      expect(worst(f, flux)).toBeLessThan(1e-11);
    }
    expect(worst(blochIntensities(propagate(m, thicknesses)), blochIntensities(check))).toBeLessThan(1e-11);
  });
});

test("the TypeScript kernels give the same waves", () => {
  const js = blochKernels(arena(), "js"),
    wasm = blochKernels(arena(), "wasm");
  for (const m of [
    matrixOf(quartz, [3, 1, 5], 0.02, 1.5),
    matrixOf(srtio3, [0, 0, 1], 0.02, 1.6),
    matrixOf(quartz, [3, 1, 5], 0.02, 1.5, absorbed),
  ])
    for (const solver of ["chebyshev", "structured"] as const)
      expect(
        worst(
          propagate(m, thicknesses, { solver, kernels: js }).amplitudes,
          propagate(m, thicknesses, { solver, kernels: wasm }).amplitudes,
        ),
      ).toBeLessThan(1e-12);
});
