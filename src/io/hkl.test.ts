import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { parseHklList, writeHklList } from "./hkl.js";

test("blanks, commas, brackets, comments, header lines, SHELX ending", () => {
  const r = parseHklList("h k l I sigma\n# comment\n1 0 -2 3.5 0.1\n1,0,3;4.5 0.2\n0 0 0 0 0\n9 9 9 9 9\n");
  expect(r.warnings).toEqual(["1 lines above the first reflection are left out"]);
  expect([...r.value.l]).toEqual([-2, 3]);
  expect(r.value.columns.map((c) => [...c])).toEqual([
    [3.5, 4.5],
    [0.1, 0.2],
  ]);
  expect(parseHklList(writeHklList(r.value)).value).toEqual(r.value);
  expect(() => parseHklList("1 2 3 4\n1 2 3\n")).toThrow(/"line":2/);
});
fuzzReader("reflection list", new TextEncoder().encode("h k l\n1 2 3 4.5 0.1\n[1,2,4] 4 1\n0 0 0 0 0\n"), parseHklList);
describeData("Felix", ["3ded/felix_sim/GaAs_felix.hkl"], () => {
  test("reflections [h,k,l] and structure factors h k l gx gy Re U Im U", () => {
    const { value: list } = parseHklList(readData("3ded", "felix_sim", "GaAs_felix.hkl"));
    const { value: u } = parseHklList(readData("3ded", "felix_sim", "GaAs_outputs", "StructureFactors.txt"));
    expect([list.h[0], list.k[0], list.l[0]]).toEqual([-4, -4, 10]);
    expect(u.columns).toHaveLength(4);
    expect([u.h[1], u.k[1], u.l[1], u.columns[2]![1]]).toEqual([-1, -1, -1, 0.0441539]);
  });
});
