import { expect, test } from "vitest";
import { structureFromCif } from "../geometry/from-cif.js";
import { parseCif } from "../io/cif-parse.js";
import { atomModel } from "./atom-model.js";
import { atomsCif } from "./atoms-cif.js";

test("a CIF reads back as a P1 structure with the same distances, elements and displacements", () => {
  const p = [-3.2, 1.5, 0.25, 4.75, -2, 8.125, 0, 0, -6],
    cif = atomsCif(atomModel(p, 1, 0.5, [0, 1, 1]), { names: ["Fe", "Pt"], margin: 4 }),
    { value: s, warnings } = structureFromCif(parseCif(cif).value.blocks[0]!);
  expect(warnings).toEqual([]);
  const box = [s.cell.a, s.cell.b, s.cell.c];
  expect(box.map((v) => Number(v.toFixed(3)))).toEqual([15.95, 11.5, 22.125]);
  expect(s.atoms.map((a) => a.element)).toEqual(["Fe", "Pt", "Pt"]);
  s.atoms.forEach((a, i) => {
    expect(a.uIso).toBeCloseTo(0.25, 4);
    for (let c = 0; c < 3; c++) expect(Math.abs((a.xyz[c]! - s.atoms[0]!.xyz[c]!) * box[c]! - (p[3 * i + c]! - p[c]!))).toBeLessThan(2e-5);
  });
  expect(atomsCif(atomModel([], 1, 0.5))).toContain("_cell_length_a");
});
