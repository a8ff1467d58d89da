import { expect, test } from "vitest";
import { fc, prop } from "../../testing/prop.js";
import { parseHklf, writeHklf } from "./hklf.js";
import { parseShelx, shelxParameter, writeShelx } from "./ins.js";
import { shelxLine, withShelxInstruction, writeShelxDocument } from "./instructions.js";

test("HKLF 4: full fields touch, the list ends at 0 0 0, batch numbers", () => {
  const r = parseHklf("   1   0   0  123.45    1.23   1\n  -1 -10 -1299999.9912345.67  -2\n   0   0   0    0.00    0.00   0\nanything\n");
  expect(r.warnings).toEqual([]);
  expect([...r.value.h]).toEqual([1, -1]);
  expect([...r.value.l]).toEqual([0, -12]);
  expect([...r.value.intensity]).toEqual([123.45, 99999.99]);
  expect([...r.value.sigma]).toEqual([1.23, 12345.67]);
  expect([...r.value.batch]).toEqual([1, -2]);
});
test("free format, missing end, text behind the list", () => {
  expect(parseHklf("1 2 3 4.5 0.5\n1 2 4 5 1\n").warnings[0]).toContain("does not end");
  expect(parseHklf("1 2 3 4.5 0.5\n1 2 4 5 1\nTITL x\n").value.size).toBe(2);
  expect(() => parseHklf("1 2 x 4.5 0.5\n")).toThrow(/3I4/);
});
prop(
  "HKLF written and read is the same to the digits of its fields",
  [
    fc.array(
      fc.tuple(
        fc.integer({ min: -99, max: 99 }),
        fc.integer({ min: -99, max: 99 }),
        fc.integer({ min: 1, max: 99 }),
        fc.double({ min: -9999, max: 9999999, noNaN: true }),
        fc.double({ min: 0, max: 99999, noNaN: true }),
        fc.integer({ min: -9, max: 99 }),
      ),
      { minLength: 1 },
    ),
  ],
  (rows) => {
    const col = (j: number) => rows.map((r) => r[j]!);
    const t = {
      size: rows.length,
      h: Int32Array.from(col(0)),
      k: Int32Array.from(col(1)),
      l: Int32Array.from(col(2)),
      intensity: Float64Array.from(col(3)),
      sigma: Float64Array.from(col(4)),
      batch: Int32Array.from(col(5)),
    };
    const { value, warnings } = parseHklf(writeHklf(t, { batch: true }));
    expect(warnings).toEqual([]);
    expect([value.h, value.k, value.l, value.batch]).toEqual([t.h, t.k, t.l, t.batch]);
    value.intensity.forEach((v, i) => {
      expect(Math.abs(v - t.intensity[i]!)).toBeLessThanOrEqual(Math.max(0.006, 6e-6 * Math.abs(t.intensity[i]!)));
    });
  },
);
test("too large a value is refused with advice", () => {
  expect(() =>
    writeHklf({
      size: 1,
      h: Int32Array.of(1),
      k: Int32Array.of(0),
      l: Int32Array.of(0),
      intensity: Float64Array.of(-1e120),
      sigma: Float64Array.of(1),
    }),
  ).toThrow(/power of ten/);
});

const ins = `TITL glycine in P2(1)/n
CELL 0.02508 5.0876 11.8092 5.4615 90 111.992 90
ZERR 4 0.0005 0.0012 0.0006 0 0.01 0
LATT 1
SYMM 0.5-X, 0.5+Y, 0.5-Z
SFAC C 0.0893 0.2465 0.2563 1.7100 0.7570 6.4094 1.0487 18.6113 =
     0.3575 0 0 0 0.77 12.011
SFAC O 0.0974 0.2067 0.2921 1.3815 0.6910 4.6943 0.6990 12.7105 0.2039
REM keep = this
UNIT 8 8
DFIX_2 1.25 0.01 C1 O1 ! a comment
WXYZ 1 2
FVAR 1.5 0.6
C1    1  0.075 0.125 10.25  11.000  0.01 0.02 0.03 =
 0.004 0.005 0.006
PART 1
O1    2  0.5 0.5 0.5 21.0 -1.5
PART 0
Q1    1 0.1 0.2 0.3 11 0.05 1.25
HKLF 4
END
WGHT 0.1 trailing text
`;
test("INS: cell, operators, electron form factors, atoms, peaks, free variables", () => {
  const { value: s, warnings } = parseShelx(ins);
  expect(warnings).toEqual(["line 12: WXYZ is neither a known instruction nor an atom; it is kept as it stands"]);
  expect(s).toMatchObject({
    title: "glycine in P2(1)/n",
    wavelength: 0.02508,
    cell: [5.0876, 11.8092, 5.4615, 90, 111.992, 90],
    latt: 1,
    formulaUnits: 4,
    symm: ["0.5-X, 0.5+Y, 0.5-Z"],
    unit: [8, 8],
    hklf: [4],
  });
  expect(s.scatterers[0]!.coefficients).toEqual({
    a: [0.0893, 0.2563, 0.757, 1.0487],
    b: [0.2465, 1.71, 6.4094, 18.6113],
    c: 0.3575,
    rest: [0, 0, 0, 0.77, 12.011],
  });
  expect(s.atoms.map((a) => [a.name, a.part, a.u])).toEqual([
    ["C1", 0, [0.01, 0.02, 0.03, 0.004, 0.005, 0.006]],
    ["O1", 1, [-1.5]],
  ]);
  expect(s.peaks[0]).toMatchObject({ name: "Q1", u: [0.05, 1.25] });
  expect(shelxParameter(s.atoms[0]!.z)).toEqual({ value: 0.25, kind: "fixed", variable: 0 });
  expect(shelxParameter(s.atoms[1]!.occupancy, s.freeVariables)).toEqual({ value: 0.6, kind: "tied", variable: 2 });
  expect(shelxParameter(-21, s.freeVariables).value).toBeCloseTo(0.4, 12);
  expect(shelxParameter(0.37)).toEqual({ value: 0.37, kind: "free", variable: 0 });
});
test("lossless; an edit touches its own lines", () => {
  const { document } = parseShelx(ins).value;
  expect(writeShelxDocument(document)).toBe(ins);
  expect(writeShelxDocument(withShelxInstruction(document, "latt", [-1]))).toBe(ins.replace("LATT 1", "LATT -1"));
  expect(writeShelxDocument(withShelxInstruction(document, "MERG", [0]))).toBe(ins.replace("HKLF 4", "MERG 0\nHKLF 4"));
});
test("a written INS file reads back", () => {
  const { value: s } = parseShelx(ins);
  const text = writeShelx({ ...s, instructions: [["MERG", 0]] as const });
  expect(Math.max(...text.split("\n").map((l) => l.length))).toBeLessThanOrEqual(80);
  const back = parseShelx(text).value;
  expect(back.scatterers.map((x) => x.coefficients?.a)).toEqual(s.scatterers.map((x) => x.coefficients?.a));
  expect(back.atoms.map((a) => [a.name, a.sfac, a.x, a.u])).toEqual(s.atoms.map((a) => [a.name, a.sfac, a.x, a.u]));
  expect(
    shelxLine(
      "SFAC",
      Array.from({ length: 40 }, () => 1.2345),
    )
      .split("\n")
      .every((l) => l.length <= 80),
  ).toBe(true);
});
test.each(["", "TITL x\n", "CELL 1 2 3\n", "CELL 0.7 5 5 5 90 90 90\nSFAC C 1 2 3\n"])("%j is refused", (text) => {
  expect(() => parseShelx(text)).toThrow(/bad-file/);
});
