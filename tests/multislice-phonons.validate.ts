import { expect, test } from "vitest";
import { runSync } from "../src/core/job.js";
import { beam } from "../src/geometry/beam.js";
import { unitCell } from "../src/geometry/cell.js";
import { spaceGroup } from "../src/geometry/space-groups.js";
import { atom, structure } from "../src/geometry/structure.js";
import { repeatAtoms } from "../src/multislice/atoms-build.js";
import { orientedAtoms } from "../src/multislice/atoms-orient.js";
import { diffractionSteps } from "../src/multislice/cbed.js";
import { reciprocalGrid, waveGrid } from "../src/multislice/grid.js";
import { frozenPhonons } from "../src/multislice/phonons.js";
import { birdKingAbsorptive } from "../src/scattering/absorptive.js";
import { lobato } from "../src/scattering/lobato.js";

const u = 0.006;
const silicon = structure(unitCell(5.431, 5.431, 5.431), spaceGroup("F d -3 m :1"), [atom({ element: "Si", xyz: [0, 0, 0], uIso: u })]);

/**
 * CBED of silicon along [1 1 0], 200 kV, 6 mrad, frozen phonons against the absorptive potential of the same Einstein model (Bird & King 1990, the same
 * form factors): the coherent beams must lose the same, within the standard error of the snapshots. The grid has to hold what atoms scatter diffusely to
 * high angles: with pixels of 0.10 instead of 0.057 Å an eighth of the loss was missing at 200 Å.
 */
test("Si [110]: diffuse background, Kikuchi bands and the absorptive model", () => {
  const b = beam(200),
    one = orientedAtoms(silicon, { toSource: { uvw: [1, 1, 0] }, orthogonal: true }).atoms,
    across = [Math.round(16 / one.cell[0]!), Math.round(16 / one.cell[4]!)] as const,
    layers = Math.round(200 / one.cell[8]!);
  const model = repeatAtoms(one, [across[0], across[1], layers]);
  const grid = waveGrid(288, 288, [model.cell[0]!, 0], [0, model.cell[4]!]);
  const shared = {
    beam: b,
    grid,
    probe: { aperture: 0.006 },
    depths: [100, 200].map((d) => Math.min(d, model.cell[8]!)),
    potential: { sliceThickness: one.cell[8]! / 2 + 1e-6 },
  };
  const blocks = 4,
    each = 5;
  const runs = Array.from({ length: blocks }, (_, i) =>
    runSync(diffractionSteps(frozenPhonons(model, { configurations: each, seed: i }), shared)),
  );
  const absorbed = runSync(
    diffractionSteps(model, { ...shared, potential: { ...shared.potential, absorption: birdKingAbsorptive(lobato, b, 6) } }),
  );
  const n = grid.nx * grid.ny,
    sum = (a: Float64Array, t: number): number => a.subarray(t * n, (t + 1) * n).reduce((s, v) => s + v, 0);
  absorbed.depths.forEach((depth, t) => {
    const losses = runs.map((r) => 1 - sum(r.elastic, t)),
      mean = losses.reduce((s, v) => s + v, 0) / blocks,
      error = Math.sqrt(losses.reduce((s, v) => s + (v - mean) ** 2, 0) / (blocks - 1) / blocks);
    const absorptive = 1 - sum(absorbed.intensity, t);
    console.log(
      `${depth.toFixed(0)} Å | frozen phonons lose ${(100 * mean).toFixed(2)} ± ${(100 * error).toFixed(2)} % | absorptive model ${(100 * absorptive).toFixed(2)} %`,
    );
    // 4 blocks: a two-sided 99 % interval of Student's t with 3 degrees of freedom is 5.8 standard errors.
    expect(Math.abs(mean - absorptive)).toBeLessThan(5.8 * error);
    expect(Math.abs(mean / absorptive - 1)).toBeLessThan(0.05);
  });
  // Kikuchi bands of {2 2 0} and {1 1 1}: more diffuse intensity inside |q·ĝ| < g/2 than outside, away from the disks.
  const { qx, qy, q2 } = reciprocalGrid(grid),
    last = 2 * n;
  const along = Math.abs(one.cell[0]! - 5.431) < 0.01 ? qx : qy, // the axis of 0 0 l
    across220 = along === qx ? qy : qx;
  const g = (2 * Math.SQRT2) / 5.431;
  let inside = 0,
    outside = 0,
    ni = 0,
    no = 0;
  for (let i = 0; i < n; i++) {
    const q = Math.sqrt(q2[i]!),
      d = Math.abs(across220[i]!) / (g / 2);
    if (q < 0.9 || q > 2.4 || d > 1.35 || d < 0.65) continue;
    const v = runs.reduce((s, r) => s + r.intensity[last + i]! - r.elastic[last + i]!, 0);
    // the ring's own fall with q must not count: compare at equal q by weighting with q²
    if (d < 1) {
      inside += v * q2[i]!;
      ni++;
    } else {
      outside += v * q2[i]!;
      no++;
    }
  }
  console.log(`diffuse intensity × q² just inside the 220 band over just outside: ${(inside / ni / (outside / no)).toFixed(3)}`);
  expect(inside / ni / (outside / no)).toBeGreaterThan(1.05);
});
