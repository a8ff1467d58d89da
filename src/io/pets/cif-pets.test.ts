import { expect, test } from "vitest";
import { describeData, readData, readDataText } from "../../testing/data.js";
import { parseCifPets, writeCifPets } from "./cif-pets.js";
import { parsePetsDetails, petsDetailsText } from "./measurement-details.js";

test("both wordings of the axis, and versions of the virtual-frame block", () => {
  const d = parsePetsDetails(
    "data collection geometry: precession\ntilt axis position:   54.951\nVirtual frame settings: number of merged frames: 50\n  step between frames: 30\n  intensity integration: integrate all\nsome new line: 3",
  );
  expect(d).toMatchObject({
    geometry: "precession",
    axisPositionDeg: 54.951,
    axisName: "tilt",
    virtualFrames: { merged: 50, step: 30, integration: "integrate all" },
    other: ["some new line: 3"],
  });
  expect(parsePetsDetails(petsDetailsText(d))).toEqual(d);
});
test("a file without cell is refused", () => {
  expect(() => parseCifPets("data_pets\n_cell_length_a 5\n")).toThrow(/gives the cell/);
});

test("a list without one of its indices is refused, not read as zeros", () => {
  const cell = ["length_a 4", "length_b 5", "length_c 6", "angle_alpha 90", "angle_beta 90", "angle_gamma 90"].map((x) => `_cell_${x}`);
  const list = (tags: string, row: string) =>
    ["data_pets", ...cell, "loop_", ...tags.split(" ").map((t) => `_refln_${t}`), row, ""].join("\n");
  const all = "index_h index_k index_l intensity_meas intensity_sigma zone_axis_id";
  expect(parseCifPets(list(all, "1 2 3 40 5 1")).value.reflections.l[0]).toBe(3);
  for (const tag of ["index_h", "index_k", "zone_axis_id"])
    expect(() => parseCifPets(list(all.replace(`${tag} `, "").replace(` ${tag}`, ""), "1 2 3 40 5"))).toThrow(
      new RegExp(`bad-file.*has no _refln_${tag}`),
    );
});

const files = [
  ["glycine_pets/glycine.cif_pets", 159, 1204, "byte for byte"],
  ["glycine_pets/glycine_dyn.cif_pets", 31, 2986, "byte for byte"],
  ["glycine_pets/glycine_2nd_processing_static.cif_pets", 75, 9242, "same values"],
  ["jana_dyn/albite_block5.cif_pets", 59, 8615, "byte for byte"],
  ["jana_dyn/urea_pets2_dyn.cif_pets", 67, 8566, "same values"],
  ["quartz_dials/dials_dyn.cif_pets", 99, 7952, "same values"],
  ["quartz_dials/dials_prf.cif_pets", 99, 7952, "same values"],
] as const;
/** Typed arrays as lists, NaN told from null: a deep comparison by the test runner takes a second a file. */
const plain = (_: string, v: unknown): unknown => (ArrayBuffer.isView(v) ? Array.from(v as Float64Array) : Number.isNaN(v) ? "NaN" : v);
describeData(
  "real .cif_pets files",
  files.map(([f]) => `3ded/${f}`),
  () => {
    const rowsIn = (text: string): number =>
      text
        .split(/_refln_zone_axis_id\s*\n/)[1]!
        .trim()
        .split("\n").length;
    test.each(files)("%s: %d frames, %d reflections; written back %s", (file, zones, rows, how) => {
      const { value } = parseCifPets(readData("3ded", file));
      const text = readDataText("3ded", file);
      expect(value.zones.size).toBe(zones);
      expect(value.reflections.size).toBe(rows);
      expect(rowsIn(text)).toBe(rows);
      const written = writeCifPets(value);
      if (how === "byte for byte") expect(written === text).toBe(true);
      const { document: _, ...back } = parseCifPets(written).value;
      const { document: __, ...was } = value;
      expect(JSON.stringify(back, plain) === JSON.stringify(was, plain)).toBe(true);
    });
    test("header variants", () => {
      const of = (file: string) => parseCifPets(readData("3ded", file)).value;
      expect(of("glycine_pets/glycine.cif_pets").details).toMatchObject({
        integrationMode: "fit profile",
        virtualFrames: undefined,
        rcWidth: 0.0012,
        mosaicityDeg: 0.21,
        axisPositionDeg: 230.391,
      });
      expect(of("glycine_pets/glycine_dyn.cif_pets").details.virtualFrames).toMatchObject({ merged: 7, step: 5, sumAll: 1 });
      expect(of("jana_dyn/albite_block5.cif_pets").details.virtualFrames).toMatchObject({ merged: 50, step: 30, sumAll: -1 });
      const urea = of("jana_dyn/urea_pets2_dyn.cif_pets");
      expect(urea.creationMethod).toBe("PETS2 version 2.2.20241028.2022");
      expect(urea.cellSu.slice(0, 3)).toEqual([0.0008, Number.NaN, 0.001]);
      expect(urea.details.virtualFrames).toMatchObject({ merged: 14, step: 9, integration: "integrate intensity on all frames" });
    });
    test("virtual frames: semi-angle = merged frames × half frame width, as the notes say (1.26, 1.4)", () => {
      const of = (file: string) => parseCifPets(readData("3ded", file)).value;
      expect(of("glycine_pets/glycine_dyn.cif_pets").zones.precessionDeg[0]).toBeCloseTo(7 * 0.18, 10);
      expect(of("jana_dyn/urea_pets2_dyn.cif_pets").zones.precessionDeg[0]).toBeCloseTo(14 * 0.1, 10);
    });
    test("zeros of an export are named", () => {
      expect(parseCifPets(readData("3ded", "quartz_dials", "dials_dyn.cif_pets")).warnings.join()).toContain(
        "written by an export that does not know them",
      );
    });
  },
);
