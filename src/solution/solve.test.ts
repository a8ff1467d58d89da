import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { runSync } from "../core/job.js";
import { unitCell } from "../geometry/cell.js";
import { structureFromCif } from "../geometry/from-cif.js";
import { type ReflectionList, reflectionList } from "../geometry/reflection-list.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { structureToCif } from "../geometry/to-cif.js";
import { uniqueReflections } from "../geometry/unique.js";
import { cifBlock } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { lobato } from "../scattering/lobato.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { describeData, readData } from "../testing/data.js";
import { matchStructures } from "./match.js";
import { readSolutionInput } from "./read-reflections.js";
import { type Solution, solveStructure, solveStructureSteps } from "./solve.js";
import { solutionRecord, solutionSummary } from "./summary.js";

const cases = [
  ["natrolite", "Na2 Al2 Si3 O12 H4", 43, 8],
  ["albite", "Na Al Si3 O8", 2, 2],
] as const;
const file = (name: string): string => `3ded/jana_dyn/${name}_jana2006_dyn+kin.cif`;

describeData(
  "F²obs lists of real crystals, unattended",
  cases.map(([n]) => file(n)),
  () => {
    test.each(cases)("%s (%s): space group, framework within 0.15 Å, elements", (name, composition, number, z) => {
      const bytes = readData(file(name));
      const input = readSolutionInput(bytes, `${name}.cif`);
      expect(input.source).toContain(`${name}_kinematical`);
      const s = runSync(solveStructureSteps(input.reflections, input.cell, composition, { seed: 7 }));
      expect([s.status, s.structure.spaceGroup.number, s.z]).toEqual(["solved", number, z]);
      const truth = structureFromCif(cifBlock(parseCif(bytes).value, `${name}_kinematical`)!).value;
      const match = matchStructures(truth, s.structure);
      truth.atoms.forEach((a, i) => {
        if (a.element === "H") return;
        expect(match.distances[i], a.label).toBeLessThan(0.06);
        expect(match.elements[i], a.label).toBe(a.element);
      });
      expect(s.structure.atoms.length).toBe(truth.atoms.filter((a) => a.element !== "H").length);
      expect(s.r1).toBeLessThan(0.2);
      expect(s.connectivity.tooShort).toEqual([]);
      expect(solutionSummary(s).join("\n")).toContain(`no. ${number}`);
      expect(JSON.parse(JSON.stringify(solutionRecord(s))).atoms.length).toBe(s.structure.atoms.length);
      // The CIF reads back as the same structure.
      const again = structureFromCif(structureToCif(s.structure)).value;
      expect(again.spaceGroup.number).toBe(number);
      expect(Math.max(...matchStructures(s.structure, again).distances)).toBeLessThan(1e-4);
    });
  },
);

/** Exact intensities of a structure, one asymmetric unit. */
function simulated(s: ReturnType<typeof structure>, dMin: number): ReflectionList {
  const set = uniqueReflections(s.cell, s.spaceGroup, { dMin });
  const f = structureFactors(s, set.hkl, lobato);
  const intensity = Float64Array.from({ length: set.size }, (_, i) => 100 * (f[2 * i]! ** 2 + f[2 * i + 1]! ** 2));
  return reflectionList(s.cell, { hkl: set.hkl, intensity, sigma: intensity.map((x) => 0.02 * x + 0.01) });
}
const rutile = structure(unitCell(4.5941, 4.5941, 2.9589), spaceGroup(136), [
  atom({ element: "Ti", xyz: [0, 0, 0], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.3057, 0.3057, 0], uIso: 0.006 }),
]);
const calcite = structure(unitCell(4.99, 4.99, 17.06, 90, 90, 120), spaceGroup("R -3 c:H"), [
  atom({ element: "Ca", xyz: [0, 0, 0], uIso: 0.008 }),
  atom({ element: "C", xyz: [0, 0, 0.25], uIso: 0.008 }),
  atom({ element: "O", xyz: [0.257, 0, 0.25], uIso: 0.01 }),
]);
const quartz = structure(unitCell(4.913, 4.913, 5.405, 90, 90, 120), spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.47, 0, 2 / 3], uIso: 0.008 }),
  atom({ element: "O", xyz: [0.413, 0.267, 0.786], uIso: 0.012 }),
]);
test.each([
  ["rutile", rutile, "Ti O2", [136], 0.5],
  ["calcite", calcite, "Ca C O3", [167], 0.6],
  ["quartz", quartz, "Si O2", [152, 154], 0.5],
] as const)("%s from calculated intensities: group, special positions, elements, Z", (_, truth, composition, numbers, dMin) => {
  const s = runSync(solveStructureSteps(simulated(truth, dMin), truth.cell, composition));
  expect(s.status).toBe("solved");
  expect(numbers).toContain(s.structure.spaceGroup.number);
  const match = matchStructures(truth, s.structure);
  expect(Math.max(...match.distances)).toBeLessThan(0.05);
  expect(match.elements).toEqual(truth.atoms.map((a) => a.element));
  expect(s.structure.atoms.length).toBe(truth.atoms.length);
});

test("the same seed gives the same bits; another seed other phases; progress and abort", async () => {
  const list = simulated(rutile, 0.6);
  const run = (seed: number): Solution => runSync(solveStructureSteps(list, rutile.cell, "Ti O2", { seed }));
  const [a, b, c] = [run(3), run(3), run(4)];
  expect(a.structure.atoms).toEqual(b.structure.atoms);
  expect(a.trials).toEqual(b.trials);
  expect(c.trials[0]!.flipR).not.toBe(a.trials[0]!.flipR);
  const abort = new AbortController();
  let last = -1;
  const pending = solveStructure(list, rutile.cell, "Ti O2", {
    signal: abort.signal,
    sliceMs: 0,
    onProgress: (p) => {
      expect(p.done).toBeGreaterThanOrEqual(last);
      last = p.done;
      if (p.done > 0.05) abort.abort(new Error("enough"));
    },
  });
  await expect(pending).rejects.toThrow("enough");
});

test("bad input is named", () => {
  const list = simulated(rutile, 0.8);
  const code = (f: () => unknown): string => {
    try {
      f();
      return "nothing thrown";
    } catch (e) {
      return isSdkError(e) ? e.message : String(e);
    }
  };
  const solve = (l: ReflectionList, cell = rutile.cell, composition = "Ti O2") =>
    runSync(solveStructureSteps(l, cell, composition, { trials: 1 }));
  const empty = reflectionList(rutile.cell, { hkl: new Int32Array(0), intensity: new Float64Array(0) });
  expect(code(() => solve(empty))).toMatch(/^not-found.*no reflections/);
  expect(code(() => solve({ ...list, intensity: list.intensity.map((x) => -x) }))).toMatch(/^bad-value.*negative/);
  expect(code(() => solve({ ...list, intensity: list.intensity.map(() => Number.NaN) }))).toMatch(/^bad-value.*no intensity/);
  expect(code(() => solve(list, unitCell(4.8, 4.8, 2.96)))).toMatch(/^bad-cell.*1 %/);
  expect(code(() => solve(list, rutile.cell, ""))).toMatch(/^bad-value.*composition/);
  expect(code(() => solve(list, rutile.cell, "Xx2"))).toMatch(/^bad-value.*element/);
  expect(code(() => solve(list, rutile.cell, "C60 H80 O30"))).toMatch(/^bad-cell.*composition/);
  expect(code(() => readSolutionInput(new TextEncoder().encode("1 0 0 5 1\n0 1 0 4 1\n"), "a.hkl"))).toMatch(/^not-found.*cell/);
});

test("a tenth of negative intensities does no harm, and is said", () => {
  const list = simulated(rutile, 0.5);
  const weak = [...list.intensity].sort((p, q) => p - q)[Math.floor(list.size / 10)]!;
  const noisy = { ...list, intensity: list.intensity.map((x) => (x < weak ? -x : x)) };
  const s = runSync(solveStructureSteps(noisy, rutile.cell, "Ti O2"));
  expect(s.structure.spaceGroup.number).toBe(136);
  expect(s.warnings.join()).toMatch(/not positive/);
});
