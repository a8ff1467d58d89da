import { describe, expect, test } from "vitest";
import { cifBlock } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { parseShelx, writeShelx } from "../io/shelx/ins.js";
import { describeData, readData } from "../testing/data.js";
import { structureFromCif } from "./from-cif.js";
import { spaceGroupFromShelx, structureFromShelx, structureToShelx } from "./from-shelx.js";
import { formula } from "./structure.js";

describeData("real structures through SHELX", ["3ded/jana_dyn", "3ded/diffbloch"], () => {
  test.each([
    "jana_dyn/natrolite_jana2006_dyn+kin.cif",
    "jana_dyn/albite_jana2006_dyn+kin.cif",
    "jana_dyn/LuAG_jana2020_dyn_IAM.cif",
    "diffbloch/cspbbr3_start.cif",
    "diffbloch/quartz_enantiomer_1_start.cif",
    "diffbloch/borane_IAM_start.cif",
  ])("%s comes back from its INS file", (file) => {
    const s = structureFromCif(cifBlock(parseCif(readData(`3ded/${file}`)).value)!).value;
    const again = structureFromShelx(parseShelx(writeShelx(structureToShelx(s))).value);
    expect(again.warnings).toEqual([]);
    expect(again.value.spaceGroup.hallNumber).toBe(s.spaceGroup.hallNumber);
    expect(formula(again.value)).toBe(formula(s));
    again.value.atoms.forEach((a, i) => {
      const b = s.atoms[i]!;
      expect([a.element, a.occupancy]).toEqual([b.element, b.occupancy]);
      a.xyz.forEach((x, k) => {
        expect(x).toBeCloseTo(b.xyz[k]!, 5);
      });
      (b.uAniso ?? []).forEach((u, k) => {
        expect(a.uAniso![k]).toBeCloseTo(u, 4);
      });
    });
  });
});

const head = "TITL t\nCELL 0.02508 5 6 7 90 100 90\nZERR 4 .001 .001 .001 0 .01 0\n";
describe("INS conventions", () => {
  test("fixed, tied and riding parameters, the order of U, parts, special positions", () => {
    const ins = `${head}LATT 1\nSYMM -X, 0.5+Y, 0.5-Z\nSFAC C O\nUNIT 8 8\nFVAR 1.0 0.6
C1 1 0.1 0.2 0.3 11 0.01 0.02 0.03 0.001 0.002 =
 0.003
O1 2 0.4 0.5 0.6 11 -1.5
PART 1
O2 2 0.15 0.25 0.35 21 0.05
PART 2
O3 2 0.15 0.20 0.35 -21 0.05
PART 0
C2 1 10.5 10.5 10.5 10.5 0.04
HKLF 4
END
`;
    const { value, warnings } = structureFromShelx(parseShelx(ins).value);
    expect(warnings).toEqual([]);
    expect(value.spaceGroup.hm).toBe("P 1 21/c 1");
    const [c1, o1, o2, o3, c2] = value.atoms;
    expect(c1!.uAniso).toEqual([0.01, 0.02, 0.03, 0.003, 0.002, 0.001]);
    expect(o1!.uIso).toBeCloseTo(1.5 * c1!.uIso, 12);
    expect([o2!.occupancy, o3!.occupancy]).toEqual([0.6, 0.4]);
    expect([o2!.disorder?.group, o3!.disorder?.group]).toEqual(["1", "2"]);
    expect([c2!.xyz, c2!.occupancy]).toEqual([[0.5, 0.5, 0.5], 1]);
    expect(formula(value)).toBe("C6 O8");
  });
  test("lattices", () => {
    expect(spaceGroupFromShelx({ latt: -1, symm: ["-X, 0.5+Y, -Z"] }).number).toBe(4);
    expect(spaceGroupFromShelx({ latt: 7, symm: ["-X, Y, 0.5-Z"] }).hm).toBe("C 1 2/c 1");
    expect(spaceGroupFromShelx({ latt: 3, symm: ["-Y, X-Y, Z", "-X+Y, -X, Z"] }).hm).toBe("R -3:H");
    expect(() => spaceGroupFromShelx({ latt: 9, symm: [] })).toThrow(/LATT/);
  });
});
