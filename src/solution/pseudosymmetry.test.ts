import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { publishedCrystals } from "../testing/published-crystals.js";
import { kinematicalList, structureProblems } from "../testing/solution-truth.js";
import { centringIsOpen, detectCentring } from "./centring.js";
import { solveStructureSteps } from "./solve.js";

test("oxygen alone breaks the F lattice of the copper: the forbidden reflections are few but stand out", () => {
  const letter = (name: keyof typeof publishedCrystals, dMin: number) => detectCentring(kinematicalList(publishedCrystals[name][1], dMin));
  expect(letter("cuprite", 0.7)).toBe("P");
  expect(letter("scheelite", 0.8)).toBe("I");
  expect(letter("lithiumNiobate", 0.8)).toBe("R");
});

test("order of aluminium and silicon does not stand out, but its reflections agree among equivalents", () => {
  const open = (name: keyof typeof publishedCrystals) => {
    const s = publishedCrystals[name][1];
    return centringIsOpen(kinematicalList(s, 0.8), "I", s.spaceGroup.ops.map((o) => o.rotation)); // biome-ignore format: one line
  };
  expect([detectCentring(kinematicalList(publishedCrystals.sodalite[1], 0.8)), open("sodalite"), open("scheelite")]).toEqual([
    "I",
    true,
    false,
  ]);
});

// Heavy atoms on positions of higher symmetry than the crystal's, light atoms that the first map puts wrong, and a dense mineral whose volume speaks for another Z.
test.each([
  ["lithiumNiobate", 2, 0.8],
  ["lithiumNiobate", 3, 0.8],
  ["leadTitanate", 2, 0.8],
  ["lithiumIodate", 1, 0.8],
  ["scheelite", 1, 0.85],
  ["kyanite", 1, 0.85],
] as const)("%s, seed %i: group, every atom, elements", (name, seed, dMin) => {
  const [composition, truth] = publishedCrystals[name];
  const s = runSync(solveStructureSteps(kinematicalList(truth, dMin, seed), truth.cell, composition, { seed }));
  expect([s.status, ...structureProblems(truth, s.structure)]).toEqual(["solved"]);
  expect(s.r1).toBeLessThan(0.05);
});

test("atoms that found no peak keep a structure from passing for solved", () => {
  const [composition, truth] = publishedCrystals.scheelite;
  const without = { ...truth, atoms: truth.atoms.filter((a) => a.element !== "O") };
  const s = runSync(solveStructureSteps(kinematicalList(without, 0.85), truth.cell, composition, { trials: 2 }));
  expect(s.status).not.toBe("solved");
  expect(s.warnings.join()).toMatch(/missing: 16 O/);
});
