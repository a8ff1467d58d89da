import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { structureFromCif } from "../geometry/from-cif.js";
import { cifBlock } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { describeData, readData } from "../testing/data.js";
import { matchStructures } from "./match.js";
import { readSolutionInput } from "./read-reflections.js";
import { solveStructureSteps } from "./solve.js";

const file = (name: string): string => `3ded/jana_dyn/${name}_jana2006_dyn+kin.cif`;
const cases = [
  ["natrolite", "Na2 Al2 Si3 O12 H4", 43],
  ["albite", "Na Al Si3 O8", 2],
] as const;

describeData(
  "ten seeds",
  cases.map(([n]) => file(n)),
  () => {
    test.each(cases)("%s: space group and every framework atom within 0.15 Å in at least 8 of 10", (name, composition, number) => {
      const bytes = readData(file(name));
      const input = readSolutionInput(bytes, `${name}.cif`);
      const truth = structureFromCif(cifBlock(parseCif(bytes).value, `${name}_kinematical`)!).value;
      let good = 0,
        first = 0,
        elements = 0;
      for (let seed = 1; seed <= 10; seed++) {
        const s = runSync(solveStructureSteps(input.reflections, input.cell, composition, { seed }));
        const m = matchStructures(truth, s.structure);
        const heavy = truth.atoms.map((a, i) => ({ a, i })).filter(({ a }) => a.element !== "H");
        const worst = Math.max(...heavy.map(({ i }) => m.distances[i]!));
        const right = heavy.every(({ a, i }) => m.elements[i] === a.element);
        if (s.structure.spaceGroup.number === number && worst < 0.15) good++;
        if (s.trials.length === 1) first++;
        if (right) elements++;
        console.log(
          `${name} seed ${seed}: ${s.status} ${s.structure.spaceGroup.hm}, trials ${s.trials.length}, R1 ${s.r1.toFixed(4)}, worst ${worst.toFixed(3)} Å, elements ${right}`,
        );
      }
      console.log(`${name}: ${good} of 10 right, ${first} in the first trial, ${elements} with all elements right`);
      expect(good).toBeGreaterThanOrEqual(8);
    });
  },
);

describeData("dynamical intensities", ["3ded/jana_dyn/LuAG_jana2020_dyn_IAM.cif"], () => {
  test("LuAG, frames merged without correction: I a -3 d, four atoms on their sites", () => {
    const bytes = readData("3ded/jana_dyn/LuAG_jana2020_dyn_IAM.cif");
    const input = readSolutionInput(bytes, "LuAG.cif");
    const truth = structureFromCif(cifBlock(parseCif(bytes).value, "I")!).value;
    const s = runSync(solveStructureSteps(input.reflections, input.cell, "Lu3 Al5 O12"));
    expect([s.status, s.structure.spaceGroup.number, s.z]).toEqual(["solved", 230, 8]);
    const m = matchStructures(truth, s.structure);
    expect(Math.max(...m.distances)).toBeLessThan(0.1);
    expect(m.elements).toEqual(truth.atoms.map((a) => a.element));
  });
});
