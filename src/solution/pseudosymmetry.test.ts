import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { rng } from "../core/rng.js";
import { unitCell } from "../geometry/cell.js";
import { reflectionList } from "../geometry/reflection-list.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, expandToP1, type Structure, structure } from "../geometry/structure.js";
import { uniqueReflections } from "../geometry/unique.js";
import { peng1996LowAngle } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { detectCentring } from "./centring.js";
import { matchStructures } from "./match.js";
import { solveStructureSteps } from "./solve.js";

/** Half a sphere of intensities, 5 % and 0.2 % of the strongest in error, from another table than the solution uses. */
function measured(s: Structure, dMin: number, seed = 1) {
  const { hkl, size } = uniqueReflections(s.cell, spaceGroup("P 1"), { dMin });
  const f = structureFactors(s, hkl, peng1996LowAngle);
  const exact = Float64Array.from({ length: size }, (_, i) => f[2 * i]! ** 2 + f[2 * i + 1]! ** 2);
  const top = exact.reduce((a, b) => Math.max(a, b), 0),
    r = rng(seed);
  const sigma = exact.map((x) => Math.hypot(0.05 * x, 0.002 * top));
  return reflectionList(s.cell, { hkl, intensity: exact.map((x, i) => x + sigma[i]! * r.normal()), sigma });
}
const at = (element: string, x: number, y: number, z: number) => atom({ element, xyz: [x, y, z], uIso: 0.006 });
const cuprite = structure(unitCell(4.27, 4.27, 4.27), spaceGroup("P n -3 m:2"), [at("Cu", 0, 0, 0), at("O", 0.25, 0.25, 0.25)]);
const niobate = structure(unitCell(5.148, 5.148, 13.863, 90, 90, 120), spaceGroup("R 3 c:H"), [
  at("Nb", 0, 0, 0),
  at("Li", 0, 0, 0.2787),
  at("O", 0.0475, 0.3433, 0.0633),
]);
const scheelite = structure(unitCell(5.243, 5.243, 11.376), spaceGroup("I 41/a:2"), [
  at("Ca", 0, 0.25, 0.625),
  at("W", 0, 0.25, 0.125),
  at("O", 0.1507, 0.0086, 0.2106),
]);
const kyanite = structure(unitCell(7.126, 7.852, 5.572, 89.99, 101.11, 106.03), spaceGroup("P -1"), [
  ...[[0.3254, 0.704, 0.4582], [0.2974, 0.6989, 0.9505], [0.0998, 0.3862, 0.6403], [0.112, 0.9175, 0.1649]].map(([x, y, z]) => at("Al", x!, y!, z!)),
  ...[[0.2962, 0.0649, 0.7066], [0.291, 0.3317, 0.1892]].map(([x, y, z]) => at("Si", x!, y!, z!)),
  ...[[0.1095, 0.1468, 0.1288], [0.123, 0.6856, 0.1812], [0.2747, 0.4545, 0.9547], [0.2831, 0.9354, 0.9353], [0.1084, 0.152, 0.6669],
    [0.1219, 0.6307, 0.6389], [0.2822, 0.4453, 0.4288], [0.2915, 0.9467, 0.4659], [0.5008, 0.2749, 0.244], [0.5015, 0.2312, 0.7553]].map(([x, y, z]) => at("O", x!, y!, z!)),
]); // biome-ignore format: a table

test("oxygen alone breaks the F lattice of the copper: the forbidden reflections are few but stand out", () => {
  expect(detectCentring(measured(cuprite, 0.7))).toBe("P");
  expect(detectCentring(measured(scheelite, 0.8))).toBe("I");
  expect(detectCentring(measured(niobate, 0.8))).toBe("R");
});

// Heavy atoms on positions of higher symmetry than the crystal's, and a dense mineral whose volume speaks for another Z.
test.each([
  ["lithium niobate", niobate, "Li Nb O3", 0.8],
  ["scheelite", scheelite, "Ca W O4", 0.85],
  ["kyanite", kyanite, "Al2 Si O5", 0.85],
] as const)("%s: group, elements and number of atoms", (_, truth, composition, dMin) => {
  const s = runSync(solveStructureSteps(measured(truth, dMin), truth.cell, composition));
  expect([s.status, s.structure.spaceGroup.number]).toEqual(["solved", truth.spaceGroup.number]);
  expect(expandToP1(s.structure).length).toBe(expandToP1(truth).length);
  const match = matchStructures(truth, s.structure);
  truth.atoms.forEach((a, i) => {
    if (a.element !== "Li") expect([match.elements[i], match.distances[i]! < 0.1]).toEqual([a.element, true]);
  });
});

test("atoms that found no peak keep a structure from passing for solved", () => {
  const without = { ...scheelite, atoms: scheelite.atoms.filter((a) => a.element !== "O") };
  const s = runSync(solveStructureSteps(measured(without, 0.85), scheelite.cell, "Ca W O4", { trials: 2 }));
  expect(s.status).not.toBe("solved");
  expect(s.warnings.join()).toMatch(/O of the cell found no peak/);
});
