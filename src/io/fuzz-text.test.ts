import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { describeData, readData } from "../testing/data.js";
import { type FuzzReader, fuzzReader } from "../testing/fuzz.js";
import { parseCifDictionary } from "./cif-dictionary.js";
import { parseCif } from "./cif-parse.js";
import { cifReflections } from "./cif-reflections.js";
import { parseExpt } from "./dials/expt.js";
import { parseRefl } from "./dials/refl.js";
import { reflShoeboxes } from "./dials/shoebox.js";
import { parseM40 } from "./jana/m40.js";
import { parseM42 } from "./jana/m42.js";
import { parseM50 } from "./jana/m50.js";
import { parseM90 } from "./jana/m90.js";
import { parseCelllist } from "./pets/celllist.js";
import { parseCifPets } from "./pets/cif-pets.js";
import { parseCenloc, parseClust, parseCor, parseFramestats, parsePetsHkl, parseRpl, parseXyz } from "./pets/lists.js";
import { parsePts } from "./pets/pts.js";
import { parseCml, parseResolution } from "./pets/rocking.js";
import { parseHklf } from "./shelx/hklf.js";
import { parseShelx } from "./shelx/ins.js";
import { parseXdsHkl, parseXparm } from "./xds/hkl.js";
import { parseXdsInp } from "./xds/inp.js";

const text = (s: string): Uint8Array => new TextEncoder().encode(s);
/** Enough damage to reach every branch, few enough runs to stay quick. */
const options = { maxCuts: 2000, flips: 600, maxFields: 600, limitMs: 3000 };
const check = (name: string, bytes: () => Uint8Array, reader: FuzzReader): void => fuzzReader(name, bytes, reader, options);

const cif2 = `#\\#CIF_2.0
data_x
_a 'q' _b [1 {'k':v "l":[. ?]} """t
u"""]
loop_ _c _d 1 'x y' ; 2
save_f
_e
;\\
folded \\
text
;
save_
`;
const m42 =
  "commands\nnzones 1 gmax 2.4\normat\n 0.1 0.2 0.3\n 0.1 0.2 0.3\n 0.1 0.2 0.3\nend\n********\n-0.062598                                                   1\n# Zone 1 1.5\n 0.825730 0.033570-1.000000-50.76500 0.103000 1.425000      T   1\n 1000.000 2468.723 0.000000 0.000000                        0000\n 0.000000 0.000000                                          00\n------   s.u. block   ------\n 0.040605\n# Zone 1\n 1.000000 2.000000\n-----\n";
const m40 =
  "    1    0\n 1.000000 0.000000                                          10\nO2        4  2     1.000000 0.627145 0.727407 0.584499\n 0.012138 0.014141 0.020795-0.001828 0.000790 0.005574      0111111111\n-------  s.u. block  ------\n 0.000000\nO2                 0.000000 0.000151 0.000196 0.000092\n 0.000309\n-------  Fourier maxima  ------\n    1\n";
const m90 =
  "nref 2 obslim 3\nlambda 0.0251\nend\nData Block1\n -11  -5 -10      1.1      3.1   2   0   1  0.0000  0.0000  0.0000  0.0000  0.0000  0.0000  0.0000  0.0000   0.000000E+00           1001\n   1   2   3      1.1      3.1   2   0   1\n";
const ins =
  "TITL x\nCELL 0.0251 5 6 7 90 91 90\nZERR 4 0 0 0 0 0 0\nLATT -1\nSYMM -X, Y, -Z\nSFAC C 1 2 3 4 5 6 7 8 9\nUNIT 4\nC1 1 0.1 0.2 0.3 11 =\n 0.01 0.02 0.03 0 0 0\nHKLF 4\nEND\n";
const expt = JSON.stringify({
  __id__: "ExperimentList",
  experiment: [{ identifier: "a", beam: 0, detector: 0, goniometer: 0, scan: 0, crystal: 0 }],
  beam: [{ direction: [0, 0, 1], wavelength: 0.025 }],
  detector: [
    { panels: [{ fast_axis: [1, 0, 0], slow_axis: [0, 1, 0], origin: [0, 0, -280], image_size: [9, 9], pixel_size: [0.1, 0.1] }] },
  ],
  goniometer: [{ axes: [[1, 0, 0]], angles: [0], scan_axis: 0 }],
  scan: [{ image_range: [1, 2], oscillation: [0, 1], exposure_time: [0, 0] }],
  crystal: [{ real_space_a: [1, 0, 0], real_space_b: [0, 1, 0], real_space_c: [0, 0, 1], space_group_hall_symbol: " P 1" }],
});
/** A reflection table of one row: id (int), a text column, a shoebox of one pixel. */
const refl = (): Uint8Array => {
  const b: number[] = [];
  const str = (s: string): void => void b.push(0xa0 | s.length, ...text(s));
  const bin = (bytes: readonly number[]): void => void b.push(0xc4, bytes.length, ...bytes);
  b.push(0x93, 0xbb, ...text("dials::af::reflection_table"), 1, 0x83);
  str("identifiers");
  b.push(0x81, 0);
  str("u");
  str("nrows");
  b.push(1);
  str("data");
  b.push(0x83);
  str("id");
  b.push(0x92);
  str("int");
  b.push(0x92, 1);
  bin([7, 0, 0, 0]);
  str("name");
  b.push(0x92);
  str("std::string");
  b.push(0x91);
  str("a");
  str("shoebox");
  b.push(0x92);
  str("Shoebox<>");
  b.push(0x92, 1);
  bin([0, 0, 0, 0, ...[0, 1, 0, 1, 0, 1].flatMap((v) => [v, 0, 0, 0]), 1, 0, 0, 128, 63, 5, 0, 0, 0, 0, 0, 0, 0]);
  return Uint8Array.from(b);
};

describe("damaged files, small ones made here", () => {
  check("CIF 2.0", () => text(cif2), parseCif);
  check(
    "CIF 1.1 reflections",
    () =>
      text(
        "data_x\n_cell_length_a 5.1(2)\nloop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_intensity_meas\n1 2 3 4.5\n-1 0 2 ?\n",
      ),
    (b) => cifReflections(parseCif(b).value.blocks[0]!),
  );
  check(
    "CIF dictionary",
    () =>
      text(
        "#\\#CIF_2.0\ndata_D\n_dictionary.title D\nsave_f\n_definition.id '_x.y'\n_alias.definition_id '_x_y'\n_type.contents Real\n_enumeration.range 0.:\nsave_\n",
      ),
    parseCifDictionary,
  );
  check("m40", () => text(m40), parseM40);
  check("m42", () => text(m42), parseM42);
  check(
    "m50",
    () => text("title\ncell 5 6 7 90 90 90\nspgroup P1 1 1\nsymmetry x y z\natom C a 1\nend\n****\nrefine\n  cycles 10\nend refine\n"),
    parseM50,
  );
  check("m90", () => text(m90), parseM90);
  check(
    "HKLF",
    () => text("   1   0   0  123.45    1.23   1\n  -1 -10 -1299999.9912345.67  -2\n   0   0   0    0.00    0.00   0\n"),
    parseHklf,
  );
  check("INS", () => text(ins), parseShelx);
  check("XDS.INP", () => text("ORGX= 1 ORGY= 2 ! c\nX-RAY_WAVELENGTH= 0.025\nREFINE(IDXREF)= BEAM\n"), parseXdsInp);
  check(
    "XDS_ASCII.HKL",
    () =>
      text(
        "!FORMAT=XDS_ASCII\n!NUMBER_OF_ITEMS_IN_EACH_DATA_RECORD=3\n!ITEM_H=1\n!ITEM_K=2\n!ITEM_L=3\n!END_OF_HEADER\n 1 2 3\n 4 5 6\n!END_OF_DATA\n",
      ),
    parseXdsHkl,
  );
  check(
    "XPARM.XDS",
    () =>
      text(
        ` XPARM.XDS\n1 -11 0.36 1 0 0\n0.025 0 0 39.8\n1 5 6 7 90 90 90\n1 0 0\n0 1 0\n0 0 1\n1 516 516 0.055 0.055\n230 230 500\n1 0 0\n0 1 0\n0 0 1\n`,
      ),
    parseXparm,
  );
  check(".expt", () => text(expt), parseExpt);
  check(".refl", refl, (b) => {
    const { value } = parseRefl(b);
    return value.shoeboxBytes ? [...reflShoeboxes(value)] : value;
  });
});

/** The first `bytes` of a real file, cut at a line end. */
const start = (file: string, bytes: number): Uint8Array => {
  const b = readData("3ded", ...file.split("/")).slice(0, bytes);
  return b.slice(0, b.lastIndexOf(10) + 1);
};
describeData("damaged files, starts of real ones", ["3ded/glycine_pets/glycine.rpl"], () => {
  const pets: readonly (readonly [string, FuzzReader])[] = [
    ["rpl", parseRpl],
    ["cor", parseCor],
    ["xyz", parseXyz],
    ["clust", parseClust],
    ["cenloc", parseCenloc],
    ["cml", parseCml],
    ["hkl", parsePetsHkl],
    ["resolution", parseResolution],
    ["framestats", parseFramestats],
    ["celllist", parseCelllist],
  ];
  for (const [ext, reader] of pets) check(`.${ext}`, () => start(`glycine_pets/glycine.${ext}`, 700), reader);
  check(".pts", () => text(`${new TextDecoder().decode(start("glycine_pets/glycine.pts", 1200))}endimagelist\r\n`), parsePts);
  check(".cif_pets", () => start("glycine_pets/glycine.cif_pets", 1800), parseCifPets);
});

/** Inputs made to drive a careless reader into quadratic time; a linear one takes milliseconds for a megabyte. */
const many = 200_000;
const attacks: readonly (readonly [string, string, FuzzReader])[] = [
  ["tags given again", `data_x\n${"_a 1\n".repeat(many)}`, parseCif],
  ["a loop of tags alone", `data_x\nloop_\n${"_a\n".repeat(many)}`, parseCif],
  ["open lists", `#\\#CIF_2.0\ndata_x\n_a ${"[".repeat(many)}`, parseCif],
  ["semicolons inside a text field", `data_x\n_a\n;${" ;".repeat(many)}\n;\n`, parseCif],
  ["quotes inside a string", `data_x\n_a '${"'x".repeat(many)}'\n`, parseCif],
  ["empty blocks of a .pts", "mask\nendmask\n".repeat(many / 4), parsePts],
  ["one long line without =", "a".repeat(5 * many), parseXdsInp],
  ["one long line of keys", "AB= ".repeat(many), parseXdsInp],
  ["continuation without end", `CELL 1 2 3 4 90 90 90\nSFAC =\n${"=\n".repeat(many)}`, parseShelx],
  ["dashes that part nothing", `    0\n-----x${"-".repeat(5 * many)}y\n`, parseM40],
  ["blocks of an m50", `end\n${"refine\nend refine\n".repeat(many / 4)}`, parseM50],
  ["cell items without content", "cellItem\n".repeat(many), parseCelllist],
  ["blanks in a .resolution line", `f${" ".repeat(5 * many)}1 2 3 4 5\n`, parseResolution],
  ["minus signs in a table", "-".repeat(5 * many), parseRpl],
  ["one long row", "1 ".repeat(5 * many), parseRpl],
];
describe("hostile sizes", () => {
  test.each(attacks)("%s", (_, input, reader) => {
    try {
      reader(text(input));
    } catch (e) {
      expect(isSdkError(e)).toBe(true);
    }
  });
});
