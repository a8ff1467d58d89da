import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { cifItem, cifLoop } from "./cif.js";
import { cifIntegers, cifMeasured, cifText } from "./cif-access.js";
import { checkCif, cifDefinition, parseCifDictionary } from "./cif-dictionary.js";
import { type EdCifRecord, edCifDocument, edCifItems } from "./cif-ed.js";
import { parseCif } from "./cif-parse.js";
import { writeCif } from "./cif-write.js";

const full: Required<EdCifRecord> = {
  wavelength: 0.02508,
  voltageKv: 200,
  rotationMode: "rotation",
  precession: false,
  precessionSemiAngleDeg: { value: 1.26, su: 0.02 },
  sampleTracking: true,
  sampleTrackingMethod: "defocused image, every tenth frame",
  illumination: "parallel",
  convergenceAngleDeg: 0.02,
  areaSelection: "SAED",
  sourceSize: "2 micrometres",
  mosaicityDeg: { value: 0.122, su: 0.004 },
  mosaicBlockSize: 500,
  mosaicMethod: "from rocking curves",
  theory: "dynamical",
  theoryDetails: "Bloch waves",
  thicknessNm: { value: 246.9, su: 1.6 },
  shapeExpression: "F(tau) = tau",
  shapeDetails: "wedge",
  absoluteStructureZ: 5.1,
  potentialMax: 0.3,
  potentialMin: -0.2,
  potentialRms: 0.05,
  computingSampleTracking: "Instamatic",
};
test("a document of cell, experiment and reflections reads back", () => {
  const document = edCifDocument({
    name: "L alanine",
    cell: [5.7691, 5.9494, 12.2453, 90, 90, 90],
    cellSu: [0.0004, 0.0004, 0.0007],
    spaceGroup: "P 21 21 21",
    symmetry: ["x,y,z", "-x+1/2,-y,z+1/2"],
    experiment: full,
    entries: [cifItem("_chemical_formula_sum", "C3 H7 N O2")],
    reflections: { size: 2, h: [1, -1], k: [0, 2], l: [0, 3], intensity: [12.345, -1], sigma: [0.5, Number.NaN] },
  });
  const back = parseCif(writeCif(document)).value.blocks[0]!;
  expect(back.name).toBe("L_alanine");
  expect(cifMeasured(back, "_cell_length_a")).toEqual({ value: 5.7691, su: 0.0004 });
  expect(cifMeasured(back, "_refine_ls.sample_thickness")).toEqual({ value: 246.9, su: 1.6 });
  expect(cifText(back, "_diffrn_measurement.method_precession")).toBe("no");
  expect([...cifIntegers(back, "_refln_index_h")!]).toEqual([1, -1]);
});
test("a DDL1 dictionary", () => {
  const dic = parseCifDictionary(
    "data_on_this_dictionary\n_dictionary_name core\n_dictionary_version 2.4\ndata_cell_angle\n_name '_cell_angle_alpha'\n_type numb\n_enumeration_range 0.0:180.0\n_units deg\n",
  ).value;
  expect(dic).toMatchObject({ title: "core", version: "2.4" });
  expect(cifDefinition(dic, "_cell.angle_ALPHA")).toMatchObject({ contents: "number", range: [0, 180], units: "deg" });
});
describeData("the COMCIFS dictionary of electron diffraction", ["3ded/cif_ed/cif_ed.dic"], () => {
  const { value: dic, warnings } = parseCifDictionary(readData("3ded", "cif_ed", "cif_ed.dic"));
  test("title, version, definitions", () => {
    expect(warnings).toEqual([]);
    expect(dic.title).toBe("CIF_ED");
    expect(dic.definitions.length).toBe(30);
    expect(cifDefinition(dic, "_diffrn_source_size")!.tag).toBe("_diffrn_source.size");
    expect(cifDefinition(dic, "_refine_ls.sample_thickness")).toMatchObject({
      units: "nanometres",
      range: [0, Number.POSITIVE_INFINITY],
      contents: "number",
    });
  });
  test("every item we write is defined there (or is an old item of the core dictionary) and passes", () => {
    const items = edCifItems(full);
    const undefinedTags = items.map((i) => i.tag).filter((t) => !cifDefinition(dic, t));
    expect(undefinedTags).toEqual(["_diffrn_radiation_probe", "_diffrn_radiation_wavelength", "_diffrn_source_voltage"]);
    expect(items).toHaveLength(Object.keys(full).length + 1);
    expect(checkCif({ name: "x", entries: items }, dic)).toEqual([]);
  });
  test("every item of the dictionary that is no s.u. and no text on the whole structure can be written", () => {
    const written = new Set(edCifItems(full).map((i) => i.tag));
    expect(dic.definitions.map((d) => d.tag).filter((t) => !written.has(t) && !t.endsWith("_su"))).toEqual([
      "_chemical.absolute_configuration",
    ]);
  });
  test("faults are named", () => {
    const block = {
      name: "x",
      entries: [
        cifItem("_refine.diffraction_theory", "dynamic"),
        cifItem("_refine_ls.sample_thickness", "thick"),
        cifItem("_diffrn.precession_semi_angle", -1),
        cifLoop({ "_diffrn_source.convergence_angle": ["0.1", "-2"] }),
      ],
    };
    expect(checkCif(block, dic)).toEqual([
      '_refine.diffraction_theory: "dynamic" is none of dynamical, kinematical',
      '_refine_ls.sample_thickness: "thick" is no number',
      "_diffrn.precession_semi_angle: -1 lies outside 0 to Infinity degrees",
      "_diffrn_source.convergence_angle: -2 lies outside 0 to Infinity degrees",
    ]);
  });
});
