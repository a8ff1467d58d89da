import { expect, test } from "vitest";
import { fuzzReader } from "../testing/fuzz.js";
import { fc, prop } from "../testing/prop.js";
import { parseAtomsXyz, parseComputemXyz, writeAtomsXyz, type XyzFrame } from "./atoms-xyz.js";

const extended = `3
Lattice="5.44 0.0 0.0 0.0 5.44 0.0 0.0 0.0 5.44" Properties=species:S:1:pos:R:3:forces:R:3:tag:I:1:fixed:L:1 energy=-1.5e1 pbc="T T F" name='a b' free_energy = 3 periodic
Si 0.0 0.0 0.0 1 2 3 4 T
O  1.36 1.36 1.36 0 0 -1.5 7 F
Si1 2.5 1e-3 -3 0 0 0 0 T
`;

test("extended XYZ: lattice, columns and pairs", () => {
  const [f] = parseAtomsXyz(extended).value;
  expect(f!.species).toEqual(["Si", "O", "Si1"]);
  expect([...f!.positions.slice(3)]).toEqual([1.36, 1.36, 1.36, 2.5, 1e-3, -3]);
  expect([...f!.lattice!]).toEqual([5.44, 0, 0, 0, 5.44, 0, 0, 0, 5.44]);
  expect(f!.pbc).toEqual([true, true, false]);
  expect([...(f!.columns.forces!.values as Float64Array)]).toEqual([1, 2, 3, 0, 0, -1.5, 0, 0, 0]);
  expect([...(f!.columns.fixed!.values as Float64Array)]).toEqual([1, 0, 1]);
  expect(f!.info).toEqual({ energy: "-1.5e1", name: "a b", free_energy: "3", periodic: "T" });
});

test("plain XYZ of many frames, and a cut one", () => {
  const one = "2\nwater or so\nH 0 0 0 9\nO 0 0 1\n";
  const { value, warnings } = parseAtomsXyz(`${one}\n${one}2\nx\nH 0 0 0`);
  expect(value.length).toBe(2);
  expect(value[1]!.comment).toBe("water or so");
  expect(warnings.join()).toMatch(/cut/);
});

test("species may stand anywhere", () => {
  const [f] = parseAtomsXyz("1\nProperties=pos:R:3:Z:I:1\n1 2 3 14\n").value;
  expect(f!.species).toEqual(["14"]);
});

test("bad files are told by line", () => {
  expect(() => parseAtomsXyz("x\n")).toThrow(/number of atoms/);
  expect(() => parseAtomsXyz("999999999\nx\nH 0 0 0\n")).toThrow(/cut/);
  expect(() => parseAtomsXyz("1\nx\nH 0 0\n")).toThrow(/line":3/);
  expect(() => parseAtomsXyz('1\nLattice="1 2"\nH 0 0 0\n')).toThrow(/nine numbers/);
  expect(() => parseAtomsXyz("1\nProperties=species:Q:1:pos:R:3\nH 0 0 0\n")).toThrow(/Properties/);
  expect(() => parseAtomsXyz("")).toThrow(/no frame/);
  expect(() => parseComputemXyz("t\n1 2\n")).toThrow(/box lengths/);
  expect(() => parseComputemXyz("t\n1 2 3\n200 0 0 0 1 0\n-1\n")).toThrow(/Z x y z/);
});

test("computem file", () => {
  const c = parseComputemXyz("silicon\n 5.43 5.43 7\n14 0 0 0 1 0.076\n14 1 2 3 0.5\n -1\n");
  expect(c.box).toEqual([5.43, 5.43, 7]);
  expect([...c.atomicNumbers]).toEqual([14, 14]);
  expect([...c.occupancy]).toEqual([1, 0.5]);
  expect([...c.rms]).toEqual([0.076, 0]);
});

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => v + 0);
const frame: fc.Arbitrary<XyzFrame> = fc
  .array(fc.tuple(fc.constantFrom("H", "Si", "Au", "92"), number, number, number, number, fc.integer()), { maxLength: 8 })
  .chain((rows) =>
    fc
      .record({ lattice: fc.option(fc.array(number, { minLength: 9, maxLength: 9 })), text: fc.stringMatching(/^[a-z][a-z {}=]{0,12}$/) })
      .map(({ lattice, text }) => ({
        species: rows.map((r) => r[0]),
        positions: Float64Array.from(rows.flatMap((r) => [r[1], r[2], r[3]])),
        ...(lattice ? { lattice: Float64Array.from(lattice) } : {}),
        pbc: [true, false, true] as const,
        columns: {
          u: { kind: "real" as const, width: 1, values: Float64Array.from(rows, (r) => r[4]) },
          tag: { kind: "integer" as const, width: 1, values: Float64Array.from(rows, (r) => r[5]) },
          site: { kind: "text" as const, width: 1, values: rows.map((_, i) => `s${i}`) },
        },
        info: { note: text },
        comment: "",
      })),
  );
prop("what is written is read back, to the last digit", [fc.array(frame, { minLength: 1, maxLength: 3 })], (frames) => {
  expect(parseAtomsXyz(writeAtomsXyz(frames)).value).toEqual(frames);
});

const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);
const options = { maxCuts: 600, flips: 600, maxFields: 300, limitMs: 3000 };
fuzzReader("extended XYZ", bytes(extended + extended), parseAtomsXyz, options);
fuzzReader("computem XYZ", bytes("si\n 5 5 5\n14 0 0 0 1 0.07\n8 1 1 1 1 0.1\n-1\n"), parseComputemXyz, options);
