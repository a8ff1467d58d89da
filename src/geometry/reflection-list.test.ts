import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { cifBlock } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { cifReflections } from "../io/cif-reflections.js";
import { describeData, readData, readDataText } from "../testing/data.js";
import { unitCell } from "./cell.js";
import { structureFromCif } from "./from-cif.js";
import { completeness, mergeReflections, reflectionList, selectReflections, takeReflections } from "./reflection-list.js";
import { spaceGroup } from "./space-groups.js";
import { sphereReflections, uniqueReflections } from "./unique.js";

const cell = unitCell(5.8, 5.9, 12.2),
  group = spaceGroup("P 21 21 21");

test("merging 8 noisy copies: mean, σ/√n, R figures of Gaussian noise, completeness 1", () => {
  const all = sphereReflections(cell, group, { dMin: 0.9 });
  const g = rng("merge"),
    relative = 0.05;
  const list = reflectionList(cell, {
    hkl: all.hkl,
    intensity: Float64Array.from({ length: all.size }, () => 1000 * (1 + relative * g.normal())),
    sigma: new Float64Array(all.size).fill(1000 * relative),
  });
  const merged = mergeReflections(cell, group, list);
  expect(merged.list.size).toBe(uniqueReflections(cell, group, { dMin: 0.9 }).size);
  expect(merged.count.reduce((s, n) => s + n, 0)).toBe(all.size);
  const eight = merged.count.indexOf(8);
  expect(merged.list.sigma[eight]).toBeCloseTo((1000 * relative) / Math.sqrt(8), 6);
  // ⟨|x|⟩ = σ√(2/π); R_meas undoes the mean's own share.
  expect(merged.rMeas).toBeCloseTo(relative * Math.sqrt(2 / Math.PI), 2);
  expect(merged.rInt).toBeLessThan(merged.rMeas);
  expect(merged.rPim).toBeLessThan(merged.rInt);
  const shells = completeness(cell, group, list, 0.9);
  expect(shells.every((s) => s.measured === s.possible)).toBe(true);
  expect(shells.at(-1)!.dMin).toBeCloseTo(0.9, 12);
  const half = completeness(
    cell,
    group,
    selectReflections(list, (i) => list.hkl[3 * i]! === 0),
    0.9,
  );
  expect(half.every((s) => s.measured < s.possible)).toBe(true);
  const order = [...list.dStar.keys()].sort((p, q) => list.dStar[q]! - list.dStar[p]!);
  expect(takeReflections(list, order).dStar[0]).toBe(Math.max(...list.dStar));
  expect(String(list)).toMatch(/^ReflectionList\(\d+ reflections to 0\.9\d? Å\)$/);
  expect(() => reflectionList(cell, { hkl: new Int32Array(4), intensity: new Float64Array(1) })).toThrow(/bad-shape/);
});

describeData("JANA's merged figures", ["3ded/jana_dyn", "3ded/expected_values.json"], () => {
  test.each([
    ["natrolite", "natrolite_jana2006_dyn+kin.cif", "natrolite_dynamical"],
    ["albite", "albite_jana2006_dyn+kin.cif", "albite_dynamical"],
    ["LuAG_seed001_Table5_IAM", "LuAG_jana2020_dyn_IAM.cif", "I"],
    ["alanine", "alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif", "I"],
  ])("%s: numbers of merged and observed reflections", (name, file, block) => {
    const expected = JSON.parse(readDataText("3ded/expected_values.json")) as {
      dynamical_lists: Record<string, { nAll: number; merged: { nObs: number; nAll: number; MRall: number } }>;
    };
    const data = cifBlock(parseCif(readData(`3ded/jana_dyn/${file}`)).value, block)!;
    const s = structureFromCif(data).value;
    const r = cifReflections(data);
    const hkl = Int32Array.from({ length: 3 * r.size }, (_, i) => [r.h, r.k, r.l][i % 3]![Math.floor(i / 3)]!);
    const list = reflectionList(s.cell, { hkl, intensity: r.measured, sigma: r.sigma });
    const want = expected.dynamical_lists[name]!;
    expect(list.size).toBe(want.nAll);
    // Point group only: Friedel mates stay apart unless the group has the inversion.
    const options = { friedel: false, weights: "none" } as const;
    const merged = mergeReflections(s.cell, s.spaceGroup, list, options);
    expect(merged.list.size).toBe(want.merged.nAll);
    const observed = [...merged.list.intensity.keys()].filter((i) => merged.list.intensity[i]! > 3 * merged.list.sigma[i]!);
    expect(observed.length).toBe(want.merged.nObs);
    const calc = mergeReflections(s.cell, s.spaceGroup, reflectionList(s.cell, { hkl, intensity: r.calculated, sigma: r.sigma }), options);
    const f = (x: number): number => Math.sqrt(Math.max(0, x));
    let top = 0,
      bottom = 0;
    merged.list.intensity.forEach((v, i) => {
      top += Math.abs(f(v) - f(calc.list.intensity[i]!));
      bottom += f(v);
    });
    expect(top / bottom).toBeCloseTo(want.merged.MRall, 4);
  });
});
