import { expect, test } from "vitest";
import { inverse } from "../core/frames.js";
import { rng } from "../core/rng.js";
import type { Exposure } from "../geometry/experiment.js";
import { spaceGroupFromHall } from "../geometry/space-groups.js";
import { compareStructures } from "../refine/index.js";
import { solveStructure } from "../solution/index.js";
import { keptWaves } from "../testing/kept-waves.js";
import { reduceIntegrated } from "./reduce.js";
import { simulateSeries } from "./simulate.js";
import { ceramicCase } from "./simulate-cases-dynamical.js";
import { trueSeries } from "./study-truth.js";

/**
 * The ceramic of the study in three thicknesses, faultless measurements: what three ways to collect and coarser steps do to R_int by themselves. The paper
 * calls its particles "thick and highly crystalline" and gives no figure. EWALD_WAVES names a folder that keeps the waves (400 s of processor).
 */
const laue = spaceGroupFromHall('-R 3 2"'),
  ways = { precession: [1], continuous: [1], static: [1, 2, 3, 4] } as const;

test("R_int of three collections and four steps against thickness", async () => {
  const found = new Map<string, number>();
  for (const thickness of [600, 1200, 1800])
    for (const kind of Object.keys(ways) as Exposure["kind"][]) {
      const plain = ceramicCase(kind),
        own = thickness === plain.model.thickness,
        c = own ? plain : { ...plain, name: `${plain.name}-${thickness}`, model: { ...plain.model, thickness } },
        simulation = simulateSeries({ ...c.options, waves: await keptWaves(c) }, rng(c.seed));
      for (const keep of ways[kind])
        for (const method of ["fit", "sum"] as const) {
          const { rInt, observations, completeness } = reduceIntegrated(trueSeries(c, simulation, 0.8, keep), {
            laue,
            curves: { method },
          }).merged.before.overall;
          found.set(`${thickness} ${kind} ${keep} ${method}`, rInt);
          console.log(
            `${thickness} Å ${kind} every ${keep}, ${method}: R_int ${(100 * rInt).toFixed(1)} %, ${observations} curves, ${(100 * completeness).toFixed(0)} % complete`,
          );
        }
    }
  const r = (name: string): number => found.get(name)!;
  for (const t of [600, 1200, 1800])
    for (const method of ["fit", "sum"]) {
      expect(r(`${t} precession 1 ${method}`)).toBeLessThan(r(`${t} continuous 1 ${method}`) - 0.02);
      for (const k of [2, 3, 4]) expect(r(`${t} static ${k} ${method}`)).toBeGreaterThan(r(`${t} static ${k - 1} ${method}`));
    }
  // Rotation is below stills in thick crystals, whose curves a step of 0.1° samples coarsely, and when curves are fitted.
  expect(r("600 continuous 1 fit")).toBeGreaterThan(r("600 static 1 fit"));
  for (const t of [1200, 1800]) expect(r(`${t} continuous 1 fit`)).toBeLessThan(r(`${t} static 1 fit`));
}, 3_600_000);

test("precession of 1200 Å, the Laue class not told: solved in R-3c from three seeds", async () => {
  const c = ceramicCase("precession"),
    simulation = simulateSeries({ ...c.options, waves: await keptWaves(c) }, rng(c.seed)),
    { merged, cell } = reduceIntegrated(trueSeries(c, simulation, 0.8, 1), { laue });
  for (let seed = 1; seed <= 3; seed++) {
    const s = await solveStructure(merged.observations, cell, "Na Ti2 P3 O12", { seed }),
      match = compareStructures(s.structure, c.crystal.structure, { basis: inverse(s.axes) });
    expect([s.status, s.structure.spaceGroup.number, match.matched >= 108, match.max < 0.15]).toEqual(["solved", 167, true, true]);
  }
}, 1_800_000);
