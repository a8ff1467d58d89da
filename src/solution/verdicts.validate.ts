import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import type { ReflectionList } from "../geometry/reflection-list.js";
import type { Structure } from "../geometry/structure.js";
import { publishedCrystals } from "../testing/published-crystals.js";
import { dynamicalList, kinematicalList, structureProblems } from "../testing/solution-truth.js";
import { solveStructureSteps } from "./solve.js";

/** Verdict and truth of seeds 1 to 3, printed; nothing wrong may be called solved. @returns how many are right, and how many of those are called solved */
async function verdicts(
  name: keyof typeof publishedCrystals,
  list: (s: Structure, seed: number) => ReflectionList | Promise<ReflectionList>,
) {
  const [composition, truth] = publishedCrystals[name];
  let right = 0,
    solved = 0;
  for (const seed of [1, 2, 3]) {
    const s = runSync(solveStructureSteps(await list(truth, seed), truth.cell, composition, { seed }));
    const problems = structureProblems(truth, s.structure);
    console.log(
      `${name} seed ${seed}: ${s.status}, R1 ${(100 * s.r1).toFixed(1)} %, ${s.structure.spaceGroup.hm}; ${problems.join(", ") || "right"}`,
    );
    if (problems.length === 0) right++;
    if (s.status !== "solved") continue;
    solved++;
    expect(problems, `${name}, seed ${seed}, is called solved`).toEqual([]);
  }
  return { right, solved };
}
const names = Object.keys(publishedCrystals) as (keyof typeof publishedCrystals)[];

test.each(names)("kinematical intensities, 5 %%: %s", async (name) => {
  const { right } = await verdicts(name, (s, seed) => kinematicalList(s, 0.8, seed));
  expect(right).toBeGreaterThanOrEqual(2);
});
test.each(["scheelite", "forsterite", "lithiumNiobate", "perovskite", "lithiumIodate", "baddeleyite"] as const)(
  "Bloch intensities of a wedge to 300 Å: %s",
  async (name) => {
    const { right } = await verdicts(name, (s, seed) => dynamicalList(s, 0.8, 300, seed));
    expect(right).toBeGreaterThanOrEqual(2);
  },
);
