import { describe, expect, test } from "vitest";
import { describeData, readData, readDataText } from "../../testing/data.js";
import { fc, prop } from "../../testing/prop.js";
import { cifBlock, cifText } from "../cif-access.js";
import { parseCif } from "../cif-parse.js";
import { cifReflections } from "../cif-reflections.js";
import { dyngoSettings } from "./dyngo.js";
import { janaProject } from "./embedded.js";
import { janaField, parseJanaLine, writeJanaLine } from "./fields.js";
import { parseM40, writeM40 } from "./m40.js";
import { m42Setting, parseM42, withM42Setting, writeM42 } from "./m42.js";
import { parseM50, withM50Keyword, writeM50 } from "./m50.js";
import { m90Setting, m90Wavelength, parseM90, writeM90 } from "./m90.js";

describe("fixed fields", () => {
  test.each([
    [0.82573, " 0.825730"],
    [-50.765, "-50.76500"],
    [478.4559, " 478.4559"],
    [2468.723, " 2468.723"],
    [-1, "-1.000000"],
    [0, " 0.000000"],
    [9.9999999, " 10.00000"],
    [123456789, "1.235e+8".padStart(9)],
  ])("%d is written %j", (v, text) => {
    expect(janaField(v)).toBe(text);
  });
  test("glued columns come apart by position", () => {
    expect(parseJanaLine(" 0.782250-0.023590-1.000000-48.95800 0.077000 1.425000      T   1", 1, "m42")).toEqual({
      values: [0.78225, -0.02359, -1, -48.958, 0.077, 1.425],
      keys: "T   1",
    });
  });
  prop("a field keeps at least five digits", [fc.double({ min: -99999, max: 99999, noNaN: true })], (v) => {
    const back = parseJanaLine(writeJanaLine({ values: [v, v], keys: "10" }), 1, "m40");
    expect(back.keys).toBe("10");
    for (const b of back.values) expect(Math.abs(b - v)).toBeLessThanOrEqual(Math.max(5e-7, 5e-6 * Math.abs(v)) * 10);
  });
});
test.each([
  [() => parseM40("atoms\n"), /integers/],
  [() => parseM40("    1\nC1  1  2  bad\n"), /line/],
  [() => parseM42("nothing\n"), /commands/],
  [() => parseM42("commands\nend\n# Zone 1\n 1.0\n"), /three lines/],
  [() => parseM50("cell 1 2 3\n"), /end/],
  [() => parseM90("nref 3\n"), /end/],
])("damaged files are refused (%#)", (body, hint) => {
  expect(body).toThrow(hint);
});

describeData("JANA files of the alanine refinement", ["3ded/jana_dyn/alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif"], () => {
  const block = cifBlock(parseCif(readData("3ded", "jana_dyn", "alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif")).value)!;
  const text = (name: string): string => `${cifText(block, `_Jana_${name}_file`)!.replace(/^\n/, "")}\n`;
  const { value: project, warnings } = janaProject(block);
  test("nothing is suspicious, and all four are written back line for line", () => {
    expect(warnings).toEqual([]);
    expect(writeM40(project.m40!) === text("m40")).toBe(true);
    expect(writeM42(project.m42!) === text("m42")).toBe(true);
    expect(writeM50(project.m50!) === text("m50")).toBe(true);
    expect(writeM90(project.m90!) === text("m90")).toBe(true);
  });
  test("m40", () => {
    const { atoms, su } = project.m40!;
    expect(atoms.map((a) => a.name)).toEqual(["O2", "C3", "N1", "O1", "C1", "C2", "H6", "H7", "H5", "H1", "H4", "H2", "H3"]);
    expect(atoms[0]).toMatchObject({
      type: 4,
      adp: 2,
      occupancy: 1,
      x: 0.627145,
      y: 0.727407,
      z: 0.584499,
      u: [0.012138, 0.014141, 0.020795, -0.001828, 0.00079, 0.005574],
      keys: "0111111111",
    });
    expect(su!.atoms[0]).toMatchObject({ x: 0.000151, u: [0.000309, 0.000504, 0.000518, 0.000329, 0.000359, 0.000376] });
    expect(project.m40!.rest.map((r) => r.title)).toEqual(["Saved points", "Critical points", "Fourier maxima", ""]);
  });
  test("m42: the settings of the forward model in expected_values.json", () => {
    const m = project.m42!;
    const expected = JSON.parse(readDataText("3ded", "expected_values.json")) as {
      alanine_dyngo_forward_model: { frames: Record<string, { janaScale: number }> };
    };
    for (const [name, value] of [
      ["gmax", "2.4"],
      ["sgmax", "0.01"],
      ["sgmaxr", "0.1"],
      ["csgmaxr", "0.66"],
      ["intsteps", "120"],
      ["thickmodel", "2"],
      ["mosaicity", "5"],
    ] as const)
      expect(m42Setting(m, name)![0]).toBe(value);
    expect(m42Setting(m, "usebethe")).toEqual(["0.3", "0.05"]);
    expect(m.ub!.slice(0, 3)).toEqual([0.13267, -0.09661, 0.02365]);
    expect(m.head.map((h) => h.values[0])).toEqual([-0.062598, 0.01836, 0]);
    expect(m.zones).toHaveLength(61);
    expect(m.zones[1]).toMatchObject({
      number: 2,
      rPercent: 15.9893,
      u: 0.78225,
      v: -0.02359,
      w: -1,
      alphaDeg: -48.958,
      betaDeg: 0.077,
      phiDeg: 1.425,
      thickness: 2468.723,
      keys: ["1100", "00"],
    });
    for (const [frame, row] of Object.entries(expected.alanine_dyngo_forward_model.frames))
      expect(m.zones[Number(frame) - 1]!.scale).toBeCloseTo(row.janaScale, 2);
    expect(m.su!.zones[1]!.values).toEqual([7.816334, 15.87376, 0, 0, 0, 0]);
    expect(m42Setting(withM42Setting(m, "gmax", 3), "GMAX")).toEqual(["3"]);
  });
  test("Dyngo settings as records", () => {
    expect(dyngoSettings(project.m42!)).toEqual({
      gMax: 2.4,
      sgMax: 0.01,
      sgMaxRefine: 0.1,
      rsgMax: 0.66,
      dsgMin: 0,
      integrationSteps: 120,
      thicknessModel: 2,
      zones: 61,
      threads: 42,
      bethe: [0.3, 0.05],
      useTiltCorrection: true,
      tiltCorrection: -0.062598,
      mosaicitySamples: 5,
      mosaicity: [0.01836, 0, 0, 0, 0, 0],
    });
  });
  test("m50", () => {
    const m = project.m50!;
    expect(m).toMatchObject({
      cell: [5.76909, 5.94936, 12.24533, 90, 90, 90],
      spaceGroup: "P212121",
      spaceGroupNumber: 19,
      formulaUnits: 4,
      formTable: -62,
      composition: ["C3", "H7", "N", "O2"],
    });
    expect(m.symmetry[1]).toBe("-x+1/2,-y,z+1/2");
    expect(m.blocks.map((b) => b.name)).toEqual(["refine", "fourier", "dist", "contour"]);
    expect(m.atomTypes[2]).toMatchObject({ symbol: "N", properties: { atradius: "0.74" } });
    expect(withM50Keyword(m, "cell", 1, 2, 3, 90, 90, 90).cell).toEqual([1, 2, 3, 90, 90, 90]);
  });
  test("m90: 24 907 reflections, zones 2 to 59", () => {
    const m = project.m90!;
    expect(m.size).toBe(24907);
    expect([Math.min(...m.zone), Math.max(...m.zone)]).toEqual([2, 59]);
    expect(m90Wavelength(m)).toBe(0.0251);
    expect(m90Setting(m, "sctom90")).toBe("0.1");
    expect([m.h[0], m.k[0], m.l[0], m.intensity[0], m.sigma[0]]).toEqual([-11, -5, -10, 1.1, 3.1]);
  });
  test("every listed reflection is among those offered, with the same intensity", () => {
    const list = cifReflections(block),
      m = project.m90!;
    const offered = new Map<string, number>();
    for (let i = 0; i < m.size; i++) offered.set(`${m.h[i]} ${m.k[i]} ${m.l[i]} ${m.zone[i]}`, m.intensity[i]!);
    let same = 0;
    for (let i = 0; i < list.size; i++)
      if (Math.abs(offered.get(`${list.h[i]} ${list.k[i]} ${list.l[i]} ${list.group[i]}`)! - list.measured[i]!) < 0.051) same++;
    expect(same).toBe(10640);
  });
});

describeData("reflection lists of dynamical refinements", ["3ded/jana_dyn/natrolite_jana2006_dyn+kin.cif"], () => {
  const expected = JSON.parse(readDataText("3ded", "expected_values.json")) as {
    dynamical_lists: Record<string, { nObs: number; nAll: number }>;
  };
  test.each([
    ["natrolite", "natrolite_jana2006_dyn+kin.cif"],
    ["albite", "albite_jana2006_dyn+kin.cif"],
    ["LuAG_seed001_Table5_IAM", "LuAG_jana2020_dyn_IAM.cif"],
    ["alanine", "alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif"],
  ])("%s: N(obs), N(all) and the 3σ rule as expected_values.json counts them", (name, file) => {
    const { value } = parseCif(readData("3ded", "jana_dyn", file));
    const block = value.blocks.find((b) => b.entries.some((e) => e.kind === "loop" && e.tags.includes("_refln_intensity_calc")))!;
    const list = cifReflections(block),
      want = expected.dynamical_lists[name]!;
    expect(list.quantity).toBe("intensity");
    expect(list.size).toBe(want.nAll);
    const strong = list.measured.reduce((n, v, i) => n + (v > 3 * list.sigma[i]! ? 1 : 0), 0);
    console.log(`${name}: ${strong} of ${list.size} above 3σ; flagged observed ${list.observed.reduce((a, b) => a + b, 0)}`);
    expect(list.observed.reduce((a, b) => a + b, 0)).toBe(want.nObs);
    expect(strong - want.nObs).toBeLessThanOrEqual(1); // 2.1 > 3 · 0.7 in binary64
    expect(strong).toBeGreaterThanOrEqual(want.nObs);
    expect(list.scales.length).toBeGreaterThan(10);
    expect(new Set(list.group).size).toBeLessThanOrEqual(list.scales.length);
  });
});
