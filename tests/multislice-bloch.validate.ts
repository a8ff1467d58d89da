import { expect, test } from "vitest";
import { incidence } from "../src/bloch/incidence.js";
import { crystalPotential } from "../src/bloch/potential.js";
import { propagate } from "../src/bloch/propagate.js";
import { structureMatrix } from "../src/bloch/structure-matrix.js";
import type { Vec3 } from "../src/core/frames.js";
import { runSync } from "../src/core/job.js";
import { beam } from "../src/geometry/beam.js";
import { unitCell } from "../src/geometry/cell.js";
import type { Fractional } from "../src/geometry/metric.js";
import { spaceGroup } from "../src/geometry/space-groups.js";
import { atom, type Structure, structure } from "../src/geometry/structure.js";
import { atomsFromStructure } from "../src/multislice/atoms-build.js";
import { antialiasCutoff, reciprocalVectors, signedIndex, waveGrid } from "../src/multislice/grid.js";
import { potentialPlan } from "../src/multislice/potential.js";
import { planeWave } from "../src/multislice/probe.js";
import { multislicePlan } from "../src/multislice/propagate.js";
import { lobato } from "../src/scattering/lobato.js";

/**
 * Both methods solve the same equation with the plane waves inside the antialias circle of the grid; multislice has all Laue zones that its slices
 * resolve, Bloch waves those that are listed. The beams of one zone are not enough: two zones shift the direct beam of SrTiO3 by 1 %.
 */
/** One crystal, one direction, one depth: the two methods at several settings. Nothing is shared but the structure and its form factors. */
interface Case {
  readonly name: string;
  readonly structure: Structure;
  readonly kv: number;
  readonly tilt: readonly [number, number];
  /** Repetitions of the cell along the beam. */
  readonly cells: number;
  /** Beams (h, k, l) with |(h, k)| <= q Å⁻¹ in the plane and |l| <= zones. */
  readonly bloch: readonly { readonly q: number; readonly zones: number }[];
  readonly multislice: readonly { readonly n: number; readonly slices: number; readonly projection: "infinite" | "finite" }[];
}

/** Intensity of every beam (h, k) of the plane wave's pattern. */
function bySlices(c: Case, { n, slices, projection }: Case["multislice"][number]): Map<string, number> {
  const model = atomsFromStructure(c.structure),
    b = beam(c.kv),
    m = model.cell;
  const grid = waveGrid(n, n, [m[0]!, m[1]!], [m[3]!, m[4]!]);
  const potential = potentialPlan(model, {
    grid,
    sliceThickness: m[8]! / slices,
    projection,
    periodicZ: true,
    debyeWaller: true,
    oversample: 3,
  });
  const plan = multislicePlan(potential, b, { precision: "f64", tilt: c.tilt }),
    wave = plan.allocWaves(1);
  plan.view(wave).set(planeWave(grid));
  runSync(plan.load(plan.windows[0]!));
  for (let i = 0; i < c.cells; i++) plan.advance(wave, 1, 0, plan.count);
  const out = new Map<string, number>();
  plan.view(wave).forEach((re, i, w) => {
    if (i % 2) return;
    const p = i / 2,
      v = re * re + w[i + 1]! ** 2;
    if (v > 1e-8) out.set(`${signedIndex(p % n, n)} ${signedIndex(Math.floor(p / n), n)}`, v);
  });
  expect(antialiasCutoff(grid)).toBeGreaterThan(2.4);
  plan.free();
  potential.free();
  return out;
}

function byBloch(c: Case, { q, zones }: Case["bloch"][number]): { readonly beams: number; readonly intensity: Map<string, number> } {
  const s = c.structure,
    b = beam(c.kv),
    m = atomsFromStructure(s).cell;
  // K along +z of the box, its components on a*, b*, c* are products with a, b, c.
  const t = c.tilt.map(Math.tan) as [number, number],
    kz = b.k / Math.hypot(1, ...t),
    k = [kz * t[0], kz * t[1], kz];
  const on = [0, 3, 6].map((r) => k[0]! * m[r]! + k[1]! * m[r + 1]! + k[2]! * m[r + 2]!) as unknown as Vec3<"hkl">;
  const inc = incidence(s.cell, on, [0, 0, 1 / s.cell.c] as unknown as Fractional); // c stands along z in both crystals
  const { aStar, bStar } = reciprocalVectors(waveGrid(8, 8, [m[0]!, m[1]!], [m[3]!, m[4]!]));
  const list: number[] = [0, 0, 0],
    reach = [s.cell.a, s.cell.b].map((length) => Math.ceil(q * length)) as [number, number];
  for (let h = -reach[0]; h <= reach[0]; h++)
    for (let kk = -reach[1]; kk <= reach[1]; kk++)
      for (let l = -zones; l <= zones; l++) {
        if (h === 0 && kk === 0 && l === 0) continue;
        if (Math.hypot(h * aStar[0] + kk * bStar[0], h * aStar[1] + kk * bStar[1]) <= q) list.push(h, kk, l);
      }
  const hkl = Int32Array.from(list);
  const potential = crystalPotential(s, b, { reach: 2 * Math.hypot(q, zones / s.cell.c) + 0.01, factors: lobato });
  const matrix = structureMatrix(potential, hkl, inc, { surfaceNormal: false });
  // At the depth of whole cells exp(2πi l z/c) is 1: beams of all Laue zones with one (h, k) leave in one direction and interfere.
  const a = propagate(matrix, [c.cells * m[8]!]).amplitudes,
    sums = new Map<string, [number, number]>();
  for (let j = 0; j < matrix.size; j++) {
    const key = `${matrix.hkl[3 * j]} ${matrix.hkl[3 * j + 1]}`,
      sum = sums.get(key) ?? [0, 0];
    sums.set(key, [sum[0] + a[2 * j]!, sum[1] + a[2 * j + 1]!]);
  }
  const intensity = new Map([...sums].map(([key, [re, im]]) => [key, re * re + im * im]));
  return { beams: matrix.size, intensity };
}

const distance = (p: Map<string, number>, q: Map<string, number>): number =>
  [...new Set([...p.keys(), ...q.keys()])].reduce((d, key) => Math.max(d, Math.abs((p.get(key) ?? 0) - (q.get(key) ?? 0))), 0);

const srtio3 = structure(unitCell(3.905, 3.905, 3.905), spaceGroup("P m -3 m"), [
  atom({ element: "Sr", xyz: [0, 0, 0], uIso: 0.0079 }),
  atom({ element: "Ti", xyz: [0.5, 0.5, 0.5], uIso: 0.0056 }),
  atom({ element: "O", xyz: [0.5, 0.5, 0], uIso: 0.0093 }),
]);
const quartz = structure(unitCell(4.913, 4.913, 5.405, 90, 90, 120), spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.0063 }),
  atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uIso: 0.0117 }),
]);
const cases: readonly Case[] = [
  {
    name: "SrTiO3 [001], 300 kV, 200 Å",
    structure: srtio3,
    kv: 300,
    tilt: [0, 0],
    cells: 51,
    bloch: [
      { q: 2, zones: 0 },
      { q: 3.05, zones: 0 },
      { q: 3.05, zones: 1 },
      { q: 3.05, zones: 3 },
    ],
    multislice: [
      { n: 36, slices: 1, projection: "infinite" },
      { n: 36, slices: 2, projection: "infinite" },
      { n: 36, slices: 8, projection: "finite" },
      { n: 36, slices: 32, projection: "finite" },
    ],
  },
  {
    name: "quartz, 2.4° off [001] in no plane of symmetry, 200 kV, 300 Å",
    structure: quartz,
    kv: 200,
    tilt: [0.037, 0.019],
    cells: 55,
    bloch: [
      { q: 1.6, zones: 1 },
      { q: 2.42, zones: 1 },
      { q: 2.42, zones: 3 },
    ],
    multislice: [
      { n: 36, slices: 1, projection: "infinite" },
      { n: 36, slices: 3, projection: "infinite" },
      { n: 36, slices: 12, projection: "finite" },
      { n: 36, slices: 48, projection: "finite" },
    ],
  },
];

test.each(cases)("Bloch waves and multislice converge to each other: $name", (c) => {
  const waves = c.bloch.map((s) => ({ ...s, ...byBloch(c, s) })),
    slices = c.multislice.map((s) => ({ ...s, intensity: bySlices(c, s) }));
  const best = { bloch: waves.at(-1)!, multislice: slices.at(-1)! };
  for (const w of waves)
    console.log(
      `${c.name} | Bloch, ${w.q} Å⁻¹ in the plane, Laue zones to ±${w.zones} | ${w.beams} beams | max |ΔI| from the best multislice ${distance(w.intensity, best.multislice.intensity).toExponential(2)}`,
    );
  for (const s of slices)
    console.log(
      `${c.name} | multislice ${s.n}², ${s.slices} slices a cell, ${s.projection} | max |ΔI| from the best Bloch ${distance(s.intensity, best.bloch.intensity).toExponential(2)}`,
    );
  expect(distance(best.bloch.intensity, best.multislice.intensity)).toBeLessThan(2e-3);
});
