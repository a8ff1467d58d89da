import { expect, test } from "vitest";
import { isSdkError } from "../../core/errors.js";
import { describeData, readData, readDataText } from "../../testing/data.js";
import {
  parseCenloc,
  parseClust,
  parseCor,
  parseFramestats,
  parsePetsHkl,
  parseRpl,
  parseXyz,
  writeCenloc,
  writeClust,
  writeCor,
  writeFramestats,
  writePetsHkl,
  writeRpl,
  writeXyz,
} from "./lists.js";
import { parseCml, parseResolution, writeCml, writeResolution } from "./rocking.js";

const row = "    0.7820   -0.4022   -0.0682      8.44      0.62        82  296   82.147  296.321  -11.000    136.00    1\r\n";
test("glued fields and overflowed fields", () => {
  const { value } = parseRpl("0.7820-0.4022-0.0682 8.44 **** 82 296 82.147 296.321-111.000 136.00 1\n");
  expect([value.x[0], value.y[0], value.z[0], value.alphaDeg[0]]).toEqual([0.782, -0.4022, -0.0682, -111]);
  expect(value.sigma[0]).toBeNaN();
});
test("a cut last line is dropped with a warning, a short row elsewhere is an error with its line", () => {
  expect(parseRpl(row + row.slice(0, 50)).warnings[0]).toContain("line 2");
  expect(parseRpl(row + row.slice(0, 50)).value.size).toBe(1);
  try {
    parseRpl(`${row}1 2 3\n${row}`);
    expect.unreachable();
  } catch (e) {
    expect(isSdkError(e, "bad-file") && e.details.line).toBe(2);
  }
});
test("line ends of every system", () => {
  const row = "0.1 0.2 0.3 8.4 0.6 82 296 82.147 296.321 -11.0 136.0 1";
  const sizes = ["\n", "\r\n", "\r"].map((end) => parseRpl([row, row].join(end)).value.size);
  expect(sizes).toEqual([2, 2, 2]);
});
test("text in place of numbers is named", () => {
  expect(() => parseXyz("1 2 three 4 5 6 7 8 9 10 11\n")).toThrow(/line":1.*three/);
});

const readers = {
  rpl: [parseRpl, writeRpl, 3464],
  cor: [parseCor, writeCor, 3457],
  xyz: [parseXyz, writeXyz, 705],
  clust: [parseClust, writeClust, 1966],
  cenloc: [parseCenloc, writeCenloc, 159],
  cml: [parseCml, writeCml, 800],
  hkl: [parsePetsHkl, writePetsHkl, 1204],
  resolution: [parseResolution, writeResolution, 159],
  framestats: [parseFramestats, writeFramestats, 139],
} as const;
describeData("glycine PETS2 lists", ["3ded/glycine_pets/glycine.rpl"], () => {
  test.each(Object.keys(readers) as (keyof typeof readers)[])("%s reads and is written back byte for byte", (ext) => {
    const [parse, write, size] = readers[ext] as readonly [
      (b: Uint8Array) => { value: { size: number }; warnings: readonly string[] },
      (v: never) => string,
      number,
    ];
    const r = parse(readData("3ded", "glycine_pets", `glycine.${ext}`));
    expect(r.warnings).toEqual([]);
    expect(r.value.size).toBe(size);
    expect(write(r.value as never) === readDataText("3ded", "glycine_pets", `glycine.${ext}`)).toBe(true);
  });
  test("the peaks' coordinates follow from their pixels as expected_values.json says (rms 0.00077, 0.00126, 0.00068)", () => {
    const { value: p } = parseRpl(readData("3ded", "glycine_pets", "glycine.rpl"));
    const rad = Math.PI / 180,
      omega = 230 * rad,
      k = 1 / 0.02508,
      scale = 0.00534;
    const centre = parseCenloc(readData("3ded", "glycine_pets", "glycine.cenloc")).value;
    const sum = [0, 0, 0];
    for (let i = 0; i < p.size; i++) {
      const f = p.frame[i]! - 1;
      const qx = (p.px[i]! - centre.px[f]!) * scale,
        qy = -(p.py[i]! - centre.py[f]!) * scale;
      const x = qx * Math.cos(omega) + qy * Math.sin(omega),
        y = -qx * Math.sin(omega) + qy * Math.cos(omega);
      const z = k - Math.sqrt(k * k - qx * qx - qy * qy);
      const a = p.alphaDeg[i]! * rad;
      const r = [x, y * Math.cos(a) + z * Math.sin(a), -y * Math.sin(a) + z * Math.cos(a)];
      [p.x[i]!, p.y[i]!, p.z[i]!].forEach((v, j) => {
        sum[j]! += (v - r[j]!) ** 2;
      });
    }
    const rms = sum.map((s) => Math.sqrt(s / p.size));
    console.log("pixel to reciprocal rms, Å⁻¹:", rms);
    for (const [j, e] of [0.00077, 0.00126, 0.00068].entries()) expect(rms[j]!).toBeCloseTo(e, 5);
  });
  test("rocking curves: 16 bins of 50; sgScaled = sg / (g sin φ); the fit's width is linear in g", () => {
    const { value: c } = parseCml(readData("3ded", "glycine_pets", "glycine.cml"));
    expect([...c.starts]).toEqual(Array.from({ length: 17 }, (_, b) => 50 * b));
    for (let i = 0; i < c.size; i++)
      expect(Math.abs(c.sgScaled[i]! - c.sg[i]! / (c.g[i]! * Math.sin((0.18 * Math.PI) / 180)))).toBeLessThan(2e-2);
    for (let b = 0; b < c.bins; b++) {
      let s0 = 0,
        s1 = 0,
        s2 = 0;
      for (let i = c.starts[b]!; i < c.starts[b + 1]!; i++) {
        s0 += c.fitted[i]!;
        s1 += c.fitted[i]! * c.sg[i]!;
        s2 += c.fitted[i]! * c.sg[i]! ** 2;
      }
      const sigma = Math.sqrt(s2 / s0 - (s1 / s0) ** 2),
        g = c.g[50 * b]!;
      expect(Math.abs(sigma - (0.0013675 + 0.0037633 * g))).toBeLessThan(1e-5);
    }
  });
});
