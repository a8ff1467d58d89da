import { expect, test } from "vitest";
import { runSync } from "../src/core/job.js";
import { beam } from "../src/geometry/beam.js";
import { unitCell } from "../src/geometry/cell.js";
import { spaceGroup } from "../src/geometry/space-groups.js";
import { atom, structure } from "../src/geometry/structure.js";
import { repeatAtoms } from "../src/multislice/atoms-build.js";
import { orientedAtoms } from "../src/multislice/atoms-orient.js";
import { diffractionSteps } from "../src/multislice/cbed.js";
import { nyquist, reciprocalGrid, type WaveGrid, waveGrid } from "../src/multislice/grid.js";
import { frozenPhonons } from "../src/multislice/phonons.js";
import { birdKingAbsorptive } from "../src/scattering/absorptive.js";
import type { FormFactor } from "../src/scattering/form-factor.js";
import { lobato } from "../src/scattering/lobato.js";

const silicon = structure(unitCell(5.431, 5.431, 5.431), spaceGroup("F d -3 m :1"), [atom({ element: "Si", xyz: [0, 0, 0], uIso: 0.006 })]);
const b = beam(200),
  one = orientedAtoms(silicon, { toSource: { uvw: [1, 1, 0] }, orthogonal: true }).atoms;
const model = repeatAtoms(one, [Math.round(16 / one.cell[0]!), Math.round(16 / one.cell[4]!), Math.round(200 / one.cell[8]!)]);
const gridOf = (n: number): WaveGrid => waveGrid(n, n, [model.cell[0]!, 0], [0, model.cell[4]!]);
const potential = { sliceThickness: one.cell[8]! / 2 + 1e-6 };
const sum = (a: Float64Array, t: number, n: number): number => a.subarray(t * n, (t + 1) * n).reduce((s, v) => s + v, 0);

/**
 * Silicon along [1 1 0], 200 kV: what the coherent wave loses to moving atoms, against the absorptive potential of the same Einstein model (Bird & King
 * 1990). Its form factors end where the simulation's do, at the circle to which the potential is limited: what lies beyond is a tenth of all diffuse scattering.
 */
test("Si [110]: frozen phonons lose what the absorptive model says, within the standard error", () => {
  const grid = gridOf(216),
    n = grid.nx * grid.ny,
    depths = [50, 100, 150, 199];
  const edge = (2 / 3) * 1.5 * nyquist(grid),
    width = 0.2 * edge;
  const limit = (q: number): number => (q > edge ? 0 : q > edge - width ? 0.5 * (1 + Math.cos((Math.PI * (q - edge + width)) / width)) : 1);
  const limited = (e: string): FormFactor => {
    const f = lobato(e),
      part = (s: number): number => f.f(s) * limit(2 * s);
    return { ...f, f: part, regular: part };
  };
  const absorbed = runSync(
    diffractionSteps(model, { beam: b, grid, depths, potential: { ...potential, absorption: birdKingAbsorptive(limited, b, 6) } }),
  );
  const blocks = Array.from({ length: 5 }, (_, seed) =>
    runSync(diffractionSteps(frozenPhonons(model, { configurations: 4, seed }), { beam: b, grid, depths, potential })),
  );
  absorbed.depths.forEach((depth, t) => {
    const losses = blocks.map((r) => 1 - sum(r.elastic, t, n)),
      mean = losses.reduce((s, v) => s + v, 0) / losses.length,
      error = Math.sqrt(losses.reduce((s, v) => s + (v - mean) ** 2, 0) / (losses.length - 1) / losses.length);
    const wanted = 1 - sum(absorbed.intensity, t, n);
    console.log(
      `${depth.toFixed(0)} Å | frozen phonons lose ${(100 * mean).toFixed(3)} ± ${(100 * error).toFixed(3)} % | absorptive model ${(100 * wanted).toFixed(3)} %`,
    );
    // Student's t with 4 degrees of freedom: 2.8 standard errors hold 95 %.
    expect(Math.abs(mean - wanted)).toBeLessThan(2.8 * error);
    expect(Math.abs(mean / wanted - 1)).toBeLessThan(0.02);
  });
});

/** Kikuchi bands: between the lines ±g/2 of 2 2 0 there is more diffuse intensity than just outside, away from the disks. */
test("Si [110]: the diffuse background of a convergent beam shows the 220 band", () => {
  const grid = gridOf(160),
    n = grid.nx * grid.ny;
  const r = runSync(
    diffractionSteps(frozenPhonons(model, { configurations: 8, seed: 11 }), { beam: b, grid, probe: { aperture: 0.006 }, potential }),
  );
  const { qx, qy, q2 } = reciprocalGrid(grid);
  const across = Math.abs(one.cell[0]! - 5.431) < 0.01 ? qy : qx, // the other axis is 0 0 1
    half = Math.SQRT2 / 5.431;
  const [inside, outside] = [
    [0.65, 1],
    [1, 1.35],
  ].map(([from, to]) => {
    let total = 0,
      count = 0;
    for (let i = 0; i < n; i++) {
      const q = Math.sqrt(q2[i]!),
        d = Math.abs(across[i]!) / half;
      if (q < 0.9 || q > 2.4 || d < from! || d >= to!) continue;
      total += (r.intensity[i]! - r.elastic[i]!) * q2[i]!; // × q²: the fall of the background with angle must not count
      count++;
    }
    return total / count;
  });
  console.log(
    `diffuse ${(100 * r.diffuse[0]!).toFixed(2)} % of the beam; inside the 220 band over outside ${(inside! / outside!).toFixed(3)}`,
  );
  expect(r.diffuse[0]).toBeGreaterThan(0.02);
  expect(inside! / outside!).toBeGreaterThan(1.05);
});
