import { describe, expect, test } from "vitest";
import { spaceGroup } from "../geometry/space-groups.js";
import { parseCif } from "../io/cif-parse.js";
import { describeData, readData, readDataText } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { amplitudes, sigmaOfAmplitude } from "./amplitudes.js";
import { mergePairs, residuals } from "./residuals.js";
import { residualsOfCif, unusedReflectionLists } from "./residuals-cif.js";

const files = {
  natrolite: "natrolite_jana2006_dyn+kin.cif",
  albite: "albite_jana2006_dyn+kin.cif",
  LuAG_seed001_Table5_IAM: "LuAG_jana2020_dyn_IAM.cif",
  alanine: "alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif",
} as const;
type Figures = Record<string, number>;
const four = (x: number): number => Math.round(x * 1e4) / 1e4;

describeData("every list in expected_values.json, to the fourth digit", ["3ded/jana_dyn", "3ded/expected_values.json"], () => {
  const expected = JSON.parse(readDataText("3ded/expected_values.json")) as {
    dynamical_lists: Record<string, Figures & { merged: Figures }>;
    kinematical_lists: Record<string, Figures>;
  };
  test.each(Object.entries(files))("%s", (name, file) => {
    const blocks = residualsOfCif(parseCif(readData("3ded", "jana_dyn", file)).value);
    const want = expected.dynamical_lists[name]!,
      got = blocks[0]!;
    const { list, merged } = got;
    expect([list.nObs, list.nAll, four(list.rObs), four(list.rAll), four(list.wrAll)]).toEqual([
      want.nObs,
      want.nAll,
      want.Robs,
      want.Rall,
      want.wRall,
    ]);
    if (want.wRobs) expect(four(list.wrObs)).toBe(want.wRobs);
    if (want.GoF) expect(list.gofAll).toBeCloseTo(want.GoF, 3);
    const m = want.merged;
    expect([merged.nObs, merged.nAll, four(merged.rObs), four(merged.rAll), four(merged.wrAll)]).toEqual([
      m.nObs,
      m.nAll,
      m.MRobs,
      m.MRall,
      m.MwRall,
    ]);
    const kinematical = expected.kinematical_lists[name];
    if (!kinematical) return;
    expect(four(blocks[1]!.list.wrAll)).toBe(kinematical["wR_u0.01"]);
    expect(Math.abs(blocks[1]!.list.gofAll - kinematical.GoF!)).toBeLessThan(5.1e-4);
    // What JANA itself prints is of the list before its extinction correction.
    const { uncorrected, stated } = blocks[1]!;
    expect(uncorrected!.nObs).toBe(stated.nObs);
    expect(Math.abs(uncorrected!.rAll - stated.rAll)).toBeLessThan(3e-4);
    expect(Math.abs(uncorrected!.rObs - stated.rObs)).toBeLessThan(3e-4);
  });
});

describe("definitions", () => {
  test("σ(F) has two branches and a reflection without σ has no weight", () => {
    expect(sigmaOfAmplitude(100, 4)).toBe(0.2);
    expect(sigmaOfAmplitude(-5, 4)).toBe(4 / (2 * Math.sqrt(0.04)));
    const a = amplitudes(Float64Array.of(100, 100, Number.NaN, 12), Float64Array.of(4, 0, 1, 4));
    expect(a.excluded).toEqual([1, 2]);
    expect([...a.weight].map((w) => w > 0)).toEqual([true, false, false, true]);
    expect([...a.observed]).toEqual([1, 0, 0, 0]);
    const r = residuals({ measured: Float64Array.of(100, 9), sigma: Float64Array.of(4, 0), calculated: Float64Array.of(81, 9) });
    expect(r).toMatchObject({ nAll: 1, nObs: 1, rAll: 0.1, excluded: 1 });
    expect(() => residuals({ measured: new Float64Array(2), sigma: new Float64Array(2), calculated: new Float64Array(1) })).toThrow(
      /bad-shape/,
    );
  });
  test("MR keeps Friedel mates apart without an inversion and joins them with one", () => {
    const hkl = Int32Array.of(1, 2, 3, -1, -2, -3, 1, 2, 3);
    const list = { measured: Float64Array.of(4, 8, 6), sigma: Float64Array.of(3, 1, 4), calculated: Float64Array.of(5, 5, 5) };
    const apart = mergePairs(spaceGroup("P 1"), hkl, list);
    expect([...apart.count]).toEqual([2, 1]);
    expect([apart.measured[0], apart.sigma[0]]).toEqual([5, 2.5]);
    expect([...mergePairs(spaceGroup("P -1"), hkl, list).count]).toEqual([3]);
  });
  test("a damaged list is named: what is left out, what is missing, what stands twice", () => {
    const block = (name: string, tags: string, ...rows: string[]): string =>
      `data_${name}\n_cell_length_a 4\n_cell_length_b 5\n_cell_length_c 6\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n_space_group_name_H-M_alt 'P 1'\nloop_\n${tags
        .split(" ")
        .map((t) => `_refln_${t}\n`)
        .join("")}${rows.join("\n")}\n`;
    const all = "index_h index_k index_l intensity_meas intensity_sigma intensity_calc";
    const text = [
      block("good", all, "1 0 0 9 1 8", "0 1 0 4 1 4", "1 0 0 9 1 8", "0 0 1 5 1 ?", "0 0 1 4 1 4"),
      block("no_l", "index_h index_k intensity_meas intensity_sigma intensity_calc", "1 0 9 1 8"),
      block("no_calculated", "index_h index_k index_l intensity_meas intensity_sigma", "1 0 0 9 1"),
      block("no_sigma", all, "1 0 0 9 0 8"),
      block("dark", all, "1 0 0 0 1 8"),
    ].join("");
    const cif = parseCif(new TextEncoder().encode(text)).value;
    const [good, dark] = residualsOfCif(cif);
    expect([good!.list.nAll, good!.merged.nAll]).toEqual([4, 3]);
    expect(good!.warnings.join()).toMatch(/1 reflections lack .*1 rows repeat/);
    expect(dark!.warnings.join()).toMatch(/no measured value is above zero/);
    expect(unusedReflectionLists(cif).map((u) => `${u.block}: ${u.reason}`)).toEqual([
      "no_l: its reflection list lacks one of _refln_index_h, _k and _l",
      "no_calculated: its reflection list has no calculated values",
      "no_sigma: no sigma of its reflection list is above zero",
    ]);
  });
  prop(
    "wR and R do not see a common scale when σ scales along",
    [
      fc.array(fc.tuple(fc.double({ min: 0.1, max: 1e4, noNaN: true }), fc.double({ min: 0.1, max: 1e3, noNaN: true })), {
        minLength: 3,
        maxLength: 30,
      }),
      fc.double({ min: 0.01, max: 100, noNaN: true }),
    ],
    (rows, k) => {
      const of = (c: number) =>
        residuals({
          measured: Float64Array.from(rows, (r) => c * r[0]),
          sigma: Float64Array.from(rows, (r) => c * r[1]),
          calculated: Float64Array.from(rows, (r) => c * (r[0] + 1)),
        });
      const a = of(1),
        b = of(k);
      // The branch for weak intensities is not homogeneous in the scale (0.01 σ(I) stands beside I): strong ones only.
      if (rows.some((r) => r[0] < 0.02 * r[1] * Math.max(1, k))) return;
      expect(b.rAll).toBeCloseTo(a.rAll, 9);
      expect(b.wrAll).toBeCloseTo(a.wrAll, 9);
    },
  );
});
