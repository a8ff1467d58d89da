import { expect, test } from "vitest";
import { parseXdsHkl, parseXparm, xdsHeader } from "./hkl.js";
import { parseXdsInp, withXdsValue, writeXdsInp, xdsInpOf, xdsNumbers, xdsValues } from "./inp.js";

const inp = `! XDS.INP for electron diffraction
JOB= XYCORR INIT COLSPOT IDXREF
NAME_TEMPLATE_OF_DATA_FRAMES= data/0????.img   SMV
DATA_RANGE=           1 159
ORGX= 234.9 ORGY= 233.2 ! swapped
QX= 0.055  QY=0.055
NX=516 NY=516
X-RAY_WAVELENGTH= 0.02508
DETECTOR_DISTANCE= +532.1
OSCILLATION_RANGE= 0.3558
EXCLUDE_RESOLUTION_RANGE= 3.93 3.87
EXCLUDE_RESOLUTION_RANGE= 3.70 3.64
REFINE(IDXREF)= BEAM AXIS ORIENTATION CELL !POSITION
FRIEDEL'S_LAW=TRUE
TRUSTED_REGION=
`;
test("XDS.INP: several keys to a line, repeated keys, comments, keys with signs", () => {
  const { value, warnings } = parseXdsInp(inp);
  expect(warnings).toEqual([]);
  expect(xdsNumbers(value, "orgy")).toEqual([233.2]);
  expect(xdsValues(value, "EXCLUDE_RESOLUTION_RANGE")).toEqual(["3.93 3.87", "3.70 3.64"]);
  expect(xdsValues(value, "REFINE(IDXREF)")).toEqual(["BEAM AXIS ORIENTATION CELL"]);
  expect(xdsValues(value, "FRIEDEL'S_LAW")).toEqual(["TRUE"]);
  expect(xdsValues(value, "TRUSTED_REGION")).toEqual([""]);
  expect(xdsNumbers(value, "DETECTOR_DISTANCE")).toEqual([532.1]);
  expect(writeXdsInp(value)).toBe(inp);
});
test("edits in place", () => {
  const { value } = parseXdsInp(inp);
  expect(writeXdsInp(withXdsValue(value, "ORGX", "240"))).toBe(inp.replace("234.9", "240"));
  expect(writeXdsInp(withXdsValue(value, "TRUSTED_REGION", "0 1.2"))).toBe(inp.replace("TRUSTED_REGION=", "TRUSTED_REGION= 0 1.2"));
  expect(writeXdsInp(withXdsValue(value, "NEW", "1"))).toBe(`${inp}NEW= 1\n`);
  expect(xdsValues(xdsInpOf({ QX: 0.055, UNTRUSTED_ELLIPSE: ["1 2 3 4", "5 6 7 8"] }), "UNTRUSTED_ELLIPSE")).toHaveLength(2);
});
test("contradictions are named", () => {
  expect(parseXdsInp("X-RAY_WAVELENGTH= 2.508\nQX= 55\nDETECTOR_DISTANCE= 0.53\n").warnings.join("\n")).toMatch(
    /picometres[\s\S]*micrometres[\s\S]*metres/,
  );
  expect(parseXdsInp("QX= 0.055\n").warnings.join()).toContain("wavelength is missing");
  expect(() => parseXdsInp("nothing here")).toThrow(/KEY= value/);
});

const ascii = `!FORMAT=XDS_ASCII    MERGE=FALSE    FRIEDEL'S_LAW=TRUE
!SPACE_GROUP_NUMBER=   19
!UNIT_CELL_CONSTANTS=    10.0    20.0    30.0  90.000  90.000  90.000
!NUMBER_OF_ITEMS_IN_EACH_DATA_RECORD=7
!ITEM_H=1
!ITEM_K=2
!ITEM_L=3
!ITEM_IOBS=4
!ITEM_SIGMA(IOBS)=5
!ITEM_XD=6
!ITEM_YD=7
!END_OF_HEADER
     1     2     3  1.234E+02  5.0E+00   100.1  200.2
     1     2    -3 -1.234E+01 -5.0E+00   100.1  200.2
!END_OF_DATA
`;
test("XDS_ASCII.HKL", () => {
  const { value, warnings } = parseXdsHkl(ascii);
  expect(warnings).toEqual([]);
  expect(value.size).toBe(2);
  expect([...value.columns["SIGMA(IOBS)"]!]).toEqual([5, -5]);
  expect(xdsHeader(value, "SPACE_GROUP_NUMBER")).toBe("19");
  expect(() => parseXdsHkl(ascii.replace(" 1.234E+02", " oops"))).toThrow(/"line":13/);
});
test("INTEGRATE.HKL names its columns in a comment", () => {
  const text = `!OUTPUT_FILE=INTEGRATE.HKL
!NUMBER_OF_ITEMS_IN_EACH_DATA_RECORD=6
!H,K,L,IOBS,SIGMA,
!             XCAL
!END_OF_HEADER
 1 2 3 4.5 0.5 7
!END_OF_DATA
`;
  expect([...parseXdsHkl(text).value.columns.XCAL!]).toEqual([7]);
});
test("GXPARM.XDS", () => {
  const text = ` XPARM.XDS    VERSION Jan 10, 2022
     1        -11.0000    0.3558  0.770000  0.638000  0.000000
       0.025080       0.000000       0.000000      39.872408
     1      5.0876     11.8092      5.4615  90.000 111.992  90.000
       1.0       2.0       3.0
       4.0       5.0       6.0
       7.0       8.0       9.0
         1       516       516    0.055000    0.055000
     234.900000     233.200000     532.100000
       1.000000       0.000000       0.000000
       0.000000       1.000000       0.000000
       0.000000       0.000000       1.000000
`;
  expect(parseXparm(text).value).toMatchObject({
    oscillationDeg: 0.3558,
    wavelength: 0.02508,
    cell: [5.0876, 11.8092, 5.4615, 90, 111.992, 90],
    b: [4, 5, 6],
    origin: [234.9, 233.2],
    distanceMm: 532.1,
    normal: [0, 0, 1],
  });
  expect(() => parseXparm(text.slice(0, 300))).toThrow(/line/);
});
