import { expect, test } from "vitest";
import { isSdkError } from "../../core/errors.js";
import { describeData, readData, readDataText } from "../../testing/data.js";
import { fc, prop } from "../../testing/prop.js";
import { parseCelllist, writeCelllist } from "./celllist.js";
import { parsePts } from "./pts.js";
import { emptyPts, parsePtsDocument, ptsEntry, withPtsBlock, withPtsKeyword, writePts } from "./pts-document.js";
import { ptsImagePath, ptsImages, ptsImagesOf, withPtsImages } from "./pts-images.js";
import { ptsBlockKind, ptsKeywords } from "./pts-keywords.js";

const small = `lambda 0.0251 # 200 kV
Aperpixel  0.005
beamstop
 10 20
 30 40.5
endbeamstop

futurekeyword 1 2 3
imagelist
a\\001.tif 0.0 0.0
"my file.tif" 0.5 0.0 0.1 1.1 0 0 0 0
plain name.tif 1.0 0 0 1 0 0 0 1
endimagelist
cifentries
_exptl_crystal_description block
endcifentries`;

test("keywords, comments, blocks, unknown keywords, names with blanks", () => {
  const { value, warnings } = parsePts(small);
  expect(value.wavelength).toBe(0.0251);
  expect(value.aPerPixel).toBe(0.005);
  expect([...value.beamstopPolygon]).toEqual([10, 20, 30, 40.5]);
  expect(value.beamstop).toBe(true);
  expect(value.images.file).toEqual(["a\\001.tif", "my file.tif", "plain name.tif"]);
  expect([...value.images.use]).toEqual([1, 0, 1]);
  expect([...value.images.scale]).toEqual([1, 1.1, 1]);
  expect(ptsEntry(value.document, "CifEntries")!.body).toEqual(["_exptl_crystal_description block"]);
  expect(warnings).toEqual(["line 8: the keyword futurekeyword is not known; it is kept as it stands"]);
  expect(ptsImagePath(value.images.file[0]!)).toBe("a/001.tif");
});
test("an edit changes its own line and nothing else", () => {
  const { value } = parsePts(small);
  expect(writePts(withPtsKeyword(value.document, "lambda", "0.0197"))).toBe(small.replace("0.0251", "0.0197"));
  expect(writePts(withPtsKeyword(value.document, "omega", "230.39"))).toBe(`${small}\nomega  230.39\n`);
  expect(writePts(withPtsKeyword(value.document, "aperpixel", undefined))).toBe(small.replace("Aperpixel  0.005\n", ""));
  const { images } = value;
  const moved = { ...images, alphaDeg: Float64Array.of(0, 0.25, 1) };
  const text = writePts(withPtsImages(value.document, moved));
  expect(text.split("\n").filter((l) => !small.split("\n").includes(l))).toEqual([
    '"my file.tif"     0.2500    0.0000 0.1000 1.1000 0.00000 0.00000 0.0000 0',
  ]);
  expect(parsePts(text).value.images).toEqual(moved);
});
test("a document from nothing", () => {
  const doc = withPtsImages(
    withPtsKeyword(emptyPts(), "lambda", "0.0251"),
    ptsImagesOf([
      { file: "1.tif", alphaDeg: -10 },
      { file: "2.tif", alphaDeg: -9.5, use: false },
    ]),
  );
  const back = parsePts(writePts(doc)).value;
  expect([...back.images.alphaDeg]).toEqual([-10, -9.5]);
  expect([...back.images.use]).toEqual([1, 0]);
  expect(writePts(withPtsBlock(emptyPts("\n"), "mask", ["1 2", "3 4"]))).toBe("mask\n1 2\n3 4\nendmask\n");
});
test.each([
  ["badpixels\n1 2\n", 1, "endbadpixels"],
  ["lambda 0.02\nendmask\n", 2, "not open"],
  ["lambda x\n", 1, "number"],
  ["imagelist\nname\nendimagelist\n", 2, "alpha"],
  ["referencecell 1 2 3\n", 1, "6 numbers"],
])("%j is an error with its line", (text, line, word) => {
  try {
    parsePts(text);
    expect.unreachable();
  } catch (e) {
    expect(isSdkError(e, "bad-file") && e.details.line).toBe(line);
    expect(String(e)).toContain(word);
  }
});
test("suspicious values are named", () => {
  const rows = Array.from({ length: 30 }, (_, i) => `${i}.tif ${(i * 0.006283).toFixed(5)} 0`).join("\n");
  const w = parsePts(`lambda 2.51\naperpixel 0.05e1\ngeometry continuous\nphi 0.18\nimagelist\n${rows}\nendimagelist\n`).warnings.join(
    "\n",
  );
  expect(w).toContain("picometres");
  expect(w).toContain("the pixel size 0.5");
  expect(w).toContain("the angles are in radians");
  expect(parsePts("aperpixel 0.005\n").warnings.join()).toContain("wavelength is missing");
});
prop(
  "any text splits into statements whose bytes join to the same text",
  [
    fc.array(fc.constantFrom("lambda 1", "#c", "", "mask", "endmask", "foo", "  omega 3 # x", "beamstop no"), { maxLength: 12 }),
    fc.constantFrom("\n", "\r\n"),
  ],
  (lines, end) => {
    const text = lines.join(end);
    try {
      expect(writePts(parsePtsDocument(text).value)).toBe(text);
    } catch (e) {
      expect(isSdkError(e, "bad-file")).toBe(true);
    }
  },
);

describeData("glycine .pts and .celllist", ["3ded/glycine_pets/glycine.pts"], () => {
  const bytes = () => readData("3ded", "glycine_pets", "glycine.pts");
  test("settings and image list", () => {
    const { value, warnings } = parsePts(bytes());
    expect(warnings).toEqual([]);
    expect(value).toMatchObject({
      wavelength: 0.02508,
      aPerPixel: 0.00534,
      geometry: "continuous",
      omegaDeg: 230,
      phiDeg: 0.18,
      dStarMax: 1.8,
      dStarMaxPeakSearch: 2,
      saturationLimit: 20000,
      reflectionSizePx: 8,
      beamstop: false,
    });
    expect(value.noise).toEqual({ gGamma: 2.5, psi: 1 });
    expect(value.virtualFrames).toEqual({ merged: 7, step: 5, sum: 1 });
    expect(value.center).toEqual([234.87, 233.17]);
    expect(value.iOverSigma).toEqual([7, 5]);
    expect(value.referenceCell).toEqual({ cell: [5.0876, 11.8092, 5.4615, 90, 111.992, 90], use: true });
    expect(value.images.size).toBe(159);
    expect(value.images.alphaDeg[1]! - value.images.alphaDeg[0]!).toBeCloseTo(0.3558, 10);
    expect(value.images.use[19]).toBe(0);
  });
  test("lossless, also around an edit", () => {
    const text = readDataText("3ded", "glycine_pets", "glycine.pts");
    const { document } = parsePts(bytes()).value;
    expect(writePts(document) === text).toBe(true);
    expect(writePts(withPtsKeyword(document, "omega", "230.391"))).toBe(text.replace("omega  230\r\n", "omega  230.391\r\n"));
    expect(writePts(withPtsImages(document, ptsImages(document))) === text).toBe(true);
  });
  test("every keyword of the instamatic table is known, with its kind of block", () => {
    const rows = readDataText("3ded", "glycine_pets", "pets2_keywords_from_instamatic.csv").trim().split(/\r?\n/).slice(1);
    expect(rows).toHaveLength(ptsKeywords().length - 1); // dstarminps is an older name, not in the table
    for (const row of rows) {
      const [field, end] = row.split(",");
      expect([field, ptsBlockKind(field!)]).toEqual([field, { true: "always", false: "none", optional: "optional" }[end!]]);
    }
  });
  test(".celllist", () => {
    const text = readDataText("3ded", "glycine_pets", "glycine.celllist");
    const { value, warnings } = parseCelllist(text);
    expect(warnings).toEqual([]);
    expect(value[0]).toMatchObject({
      label: "active",
      cell: [4.9251, 11.433, 5.3776, 88.851, 111.967, 90.033],
      su: [0.0004, 0.0072, 0.0005, 0.02, 0.007, 0.018],
      volume: 280.76,
      symmetry: "m",
      centering: "P",
    });
    expect(value[0]!.ub!.slice(0, 3)).toEqual([0.193812, 0.003721, 0.152257]);
    expect(writeCelllist(value)).toBe(text);
  });
});
