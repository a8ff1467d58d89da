import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { cifBlock, cifNumbers } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { describeData, readData } from "../testing/data.js";
import { asuReflection } from "./asu.js";
import { bravaisCandidates } from "./bravais.js";
import { unitCell } from "./cell.js";
import { cellFromCif } from "./from-cif.js";
import { laueCandidates } from "./laue.js";
import { spaceGroup } from "./space-groups.js";
import { sphereReflections } from "./unique.js";

describeData("Laue group of real dynamical intensities", ["3ded/quartz_dials", "3ded/jana_dyn"], () => {
  test.each([
    ["quartz_dials/dials_prf.cif_pets", "-3m1", "6/mmm"],
    ["quartz_dials/dials_dyn.cif_pets", "-3m1", "6/mmm"],
    ["jana_dyn/urea_pets2_dyn.cif_pets", "4/mmm", undefined],
    ["jana_dyn/albite_block5.cif_pets", "-1", undefined],
  ] as const)("%s is %s", (file, laue, refused) => {
    const block = cifBlock(parseCif(readData(`3ded/${file}`)).value)!;
    const [h, k, l, meas, sigma] = ["index_h", "index_k", "index_l", "intensity_meas", "intensity_sigma"].map(
      (t) => cifNumbers(block, `_refln_${t}`)!,
    ) as Float64Array[];
    const strong = [...h!.keys()].filter((i) => meas![i]! > 3 * sigma![i]!);
    const data = {
      hkl: Int32Array.from(strong.flatMap((i) => [h![i]!, k![i]!, l![i]!])),
      intensity: Float64Array.from(strong, (i) => meas![i]!),
    };
    const list = laueCandidates(cellFromCif(block).cell, data, { maxAngleDeg: 1, maxLength: 0.01 });
    expect(list[0]!.laue).toBe(laue);
    if (refused) expect(list.find((c) => c.laue === refused)!.accepted).toBe(false);
  });
});

test("a hexagonal P lattice is not read as rhombohedral", () => {
  expect(bravaisCandidates(unitCell(4.92, 4.92, 5.4, 90, 90, 120)).map((c) => c.bravais)).not.toContain("hR");
});

test("Laue group from intensities: 4/m and 4/mmm told apart on a tetragonal lattice", () => {
  const cell = unitCell(5.6, 5.6, 4.7);
  for (const hall of ["P 4", "P 4 2 2", "P 2 2 2"]) {
    const group = spaceGroup(hall);
    const g = rng(hall);
    const value = new Map<string, number>();
    const set = sphereReflections(cell, group, { dMin: 0.8 });
    const intensity = Float64Array.from({ length: set.size }, (_, i) => {
      const key = asuReflection(group, [set.hkl[3 * i]!, set.hkl[3 * i + 1]!, set.hkl[3 * i + 2]!]).hkl.join();
      const v = value.get(key) ?? -Math.log(1 - g.uniform()) * 1000;
      value.set(key, v);
      return v * (1 + 0.05 * g.normal());
    });
    const [best] = laueCandidates(cell, { hkl: set.hkl, intensity }, { maxAngleDeg: 0.1, maxLength: 0.001 });
    expect(best!.laue).toBe(group.laueGroup);
    expect(best!.figures.rInt).toBeLessThan(0.06);
    expect(best!.figures.correlation).toBeGreaterThan(0.99);
  }
});
