import { fail } from "../../core/errors.js";
import { parseNumber } from "../number.js";
import { decodeText, type Parsed, splitLines, type TextInput, warningList, words } from "../text.js";
import { type ColumnSpec, parseTable } from "../text-table.js";

/** Reflections of XDS: `XDS_ASCII.HKL` (CORRECT) or `INTEGRATE.HKL`; columns by XDS' own names (`H K L IOBS SIGMA(IOBS) XD YD ZD …`). */
export interface XdsReflections {
  readonly size: number;
  /** Header entries `!KEY=value`, in order. */
  readonly header: readonly (readonly [key: string, value: string])[];
  readonly columns: Readonly<Record<string, Float64Array>>;
}

/** Read `XDS_ASCII.HKL` or `INTEGRATE.HKL`. @throws bad-file with the line number */
export function parseXdsHkl(input: TextInput): Parsed<XdsReflections> {
  const text = decodeText(input, "XDS .HKL");
  const warnings = warningList();
  const header: [string, string][] = [];
  const items: string[] = [];
  const list: string[] = [];
  let count = Number.NaN,
    at = 0,
    found = false;
  for (let line = 1; at < text.length && !found; line++) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    const content = text.slice(at, end).trim();
    if (content.startsWith("!END_OF_HEADER")) found = true;
    else if (!content.startsWith("!"))
      fail(
        "bad-file",
        { line, found: content.slice(0, 60) },
        "a reflection file of XDS opens with lines that start with !, up to !END_OF_HEADER",
      );
    const item = /^!ITEM_(\S+?)=\s*(\d+)/.exec(content);
    const pair = /^!([A-Z][\w\-/'().]*)=\s*(.*)$/i.exec(content);
    if (item) {
      if (Number(item[2]) > 1000)
        fail("bad-file", { line, item: item[1], column: item[2] }, "an item of an XDS file stands in one of its few columns");
      items[Number(item[2]) - 1] = item[1]!;
    } else if (pair) header.push([pair[1]!, pair[2]!]);
    else if (/^!\s*[A-Z][A-Z0-9]*(,|$)/.test(content))
      list.push(
        ...content
          .slice(1)
          .split(",")
          .map((w) => w.trim())
          .filter((w) => w !== ""),
      );
    if (pair?.[1] === "NUMBER_OF_ITEMS_IN_EACH_DATA_RECORD") count = parseNumber(pair[2]!.trim());
    at = end + 1;
  }
  if (!found)
    fail(
      "bad-file",
      { length: text.length },
      "the header of an XDS reflection file closes with !END_OF_HEADER; the file is cut or of another format",
    );
  const names = items.length > 0 ? Array.from(items, (n, j) => n ?? `column ${j + 1}`) : list;
  const width = Number.isFinite(count) ? count : names.length;
  if (width === 0 || width !== names.length) {
    if (names.length < 5 || width > 1000)
      fail("bad-file", { announced: width, named: names.length }, "the header of an XDS reflection file names its columns");
    warnings.add(`the header announces ${width} columns and names ${names.length}`);
  }
  const above = text.slice(0, at).split("\n").length - 1;
  const specs = names.map((n, j) => [`${j} ${n}`, "real", 12, 4] as ColumnSpec);
  const table = parseTable("\n".repeat(above) + text.slice(at).replace(/!END_OF_DATA[\s\S]*$/, ""), specs, { what: "XDS reflection" });
  for (const w of table.warnings) warnings.add(w);
  const columns = table.value as unknown as Record<string, Float64Array>;
  if (!text.includes("!END_OF_DATA")) warnings.add("the file has no !END_OF_DATA; it may be cut");
  return {
    value: { size: table.value.size, header, columns: Object.fromEntries(names.map((n, j) => [n, columns[`${j} ${n}`]!])) },
    warnings: warnings.list(),
  };
}
/** Value of a header entry, the first of that key. */
export function xdsHeader(r: XdsReflections, key: string): string | undefined {
  return r.header.find(([k]) => k === key)?.[1];
}

type Three = readonly [number, number, number];
/** Geometry of an XDS run, `XPARM.XDS` or `GXPARM.XDS` (version from 2010 on), in XDS' laboratory frame. Lengths in mm. */
export interface XdsGeometry {
  readonly startFrame: number;
  readonly startAngleDeg: number;
  readonly oscillationDeg: number;
  readonly rotationAxis: Three;
  /** Å. */
  readonly wavelength: number;
  /** Incident beam, |S0| = 1/λ. */
  readonly beam: Three;
  readonly spaceGroupNumber: number;
  readonly cell: readonly number[];
  /** a, b, c of the unrotated crystal, Å. */
  readonly a: Three;
  readonly b: Three;
  readonly c: Three;
  readonly imageSize: readonly [nx: number, ny: number];
  readonly pixelMm: readonly [qx: number, qy: number];
  /** Where the detector normal through the origin meets the detector, pixels (from 1). */
  readonly origin: readonly [orgx: number, orgy: number];
  readonly distanceMm: number;
  readonly detectorX: Three;
  readonly detectorY: Three;
  readonly normal: Three;
}
/** Read `XPARM.XDS` or `GXPARM.XDS`. @throws bad-file with the line number */
export function parseXparm(input: TextInput): Parsed<XdsGeometry> {
  const lines = splitLines(decodeText(input, "XPARM.XDS"));
  if (!/XPARM/i.test(lines[0] ?? ""))
    fail("bad-file", { line: 1, found: (lines[0] ?? "").slice(0, 60) }, "a geometry file of XDS opens with a line that says XPARM.XDS");
  const row = (line: number, count: number): number[] => {
    const v = words(lines[line - 1] ?? "").map(parseNumber);
    if (v.length < count || v.slice(0, count).some(Number.isNaN))
      fail("bad-file", { line, found: (lines[line - 1] ?? "end of file").slice(0, 80) }, `this line of XPARM.XDS holds ${count} numbers`);
    return v;
  };
  const three = (v: readonly number[], from = 0): Three => [v[from]!, v[from + 1]!, v[from + 2]!];
  const [scan, beam, cell, size, place] = [row(2, 6), row(3, 4), row(4, 7), row(8, 5), row(9, 3)] as [
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  return {
    value: {
      startFrame: scan[0]!,
      startAngleDeg: scan[1]!,
      oscillationDeg: scan[2]!,
      rotationAxis: three(scan, 3),
      wavelength: beam[0]!,
      beam: three(beam, 1),
      spaceGroupNumber: cell[0]!,
      cell: cell.slice(1, 7),
      a: three(row(5, 3)),
      b: three(row(6, 3)),
      c: three(row(7, 3)),
      imageSize: [size[1]!, size[2]!],
      pixelMm: [size[3]!, size[4]!],
      origin: [place[0]!, place[1]!],
      distanceMm: place[2]!,
      detectorX: three(row(10, 3)),
      detectorY: three(row(11, 3)),
      normal: three(row(12, 3)),
    },
    warnings: [],
  };
}
