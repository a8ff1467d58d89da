import { fail } from "../../core/errors.js";
import { parseNumber } from "../number.js";
import { decodeText, type Parsed, type TextInput, warningList, words } from "../text.js";
import { type ColumnSpec, parseTable } from "../text-table.js";

/** Reflections of a JANA project, one row each. */
export interface M90 {
  /** Header lines before `end`, as they stand. */
  readonly header: readonly string[];
  /** The line that opens the data, e.g. `Data Block1`. */
  readonly dataLine: string;
  readonly size: number;
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly l: Int32Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Number of the zone (frame) in the m42 file; twin domain in other projects. */
  readonly zone: Int32Array;
  /** Two integers of meaning not published. */
  readonly flag1: Int32Array;
  readonly flag2: Int32Array;
  /** Eight reals (direction cosines in files of four-circle diffractometers), shape [size, 8]. */
  readonly cosines: Float64Array;
  /** Mean path; 0 in electron diffraction. */
  readonly tbar: Float64Array;
  readonly serial: Int32Array;
}
const columns = [
  ["h", "integer", 4],
  ["k", "integer", 4],
  ["l", "integer", 4],
  ["intensity", "real", 9, 1],
  ["sigma", "real", 9, 1],
  ["zone", "integer", 4],
  ["flag1", "integer", 4],
  ["flag2", "integer", 4],
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((i) => [`c${i}`, "real", 8, 4] as const),
  ["tbar", "real", 15, 6],
  ["serial", "integer", 15],
] as const satisfies readonly ColumnSpec[];

/** Read an m90 file, loose or as embedded in a CIF. @throws bad-file with the line number */
export function parseM90(input: TextInput): Parsed<M90> {
  const text = decodeText(input, "m90");
  const warnings = warningList();
  const found = /(?:^|[\r\n])[ \t]*end[ \t]*(?:\r\n|\n|\r)/i.exec(text.slice(0, 100_000));
  if (!found) fail("bad-file", { length: text.length }, "an m90 file has a header of keywords that closes with the line: end");
  const header = text
    .slice(0, found.index + 1)
    .split(/\r\n|\n|\r/)
    .filter((l) => l.trim() !== "");
  let start = found.index + found[0].length;
  const lineEnd = text.slice(start).search(/[\r\n]/);
  const first = lineEnd < 0 ? text.slice(start) : text.slice(start, start + lineEnd);
  let dataLine = "";
  if (/^\s*data\b/i.test(first)) {
    dataLine = first.trim();
    start += first.length;
  }
  // Blank lines keep the line numbers of errors true.
  const above = text.slice(0, start).split(/\r\n|\n|\r/).length - 1;
  const { value: t, warnings: tableWarnings } = parseTable("\n".repeat(above) + text.slice(start), columns, {
    what: "m90",
    optional: 12,
    isEnd: (l) => /^\s*[A-Za-z]/.test(l),
  });
  for (const w of tableWarnings) warnings.add(w);
  const announced = Number(m90Setting({ header }, "nref"));
  if (Number.isFinite(announced) && announced !== t.size) warnings.add(`nref announces ${announced} reflections, the file holds ${t.size}`);
  const cosines = new Float64Array(8 * t.size);
  const all = t as unknown as Record<string, Float64Array>;
  for (let j = 0; j < 8; j++) for (let i = 0; i < t.size; i++) cosines[8 * i + j] = all[`c${j + 1}`]![i]!;
  const { h, k, l, intensity, sigma, zone, flag1, flag2, tbar, serial, size } = t;
  return {
    value: { header, dataLine, size, h, k, l, intensity, sigma, zone, flag1, flag2, cosines, tbar, serial },
    warnings: warnings.list(),
  };
}
/** Word behind a name in the header: `m90Setting(m, "lambda")`. Undefined when absent. */
export function m90Setting(m: Pick<M90, "header">, name: string): string | undefined {
  const all = m.header.flatMap(words);
  const at = all.findIndex((w) => w.toLowerCase() === name.toLowerCase());
  return at < 0 ? undefined : all[at + 1];
}
/** The header's `lambda`, Å; NaN when absent. */
export function m90Wavelength(m: Pick<M90, "header">): number {
  return parseNumber(m90Setting(m, "lambda") ?? "");
}
/** Write an m90 file; one that JANA wrote comes back line for line. */
export function writeM90(m: M90, lineEnd = "\n"): string {
  const out = [...m.header, "end", ...(m.dataLine ? [m.dataLine] : [])];
  for (let i = 0; i < m.size; i++) {
    const ints = (...v: number[]): string => v.map((x) => String(x).padStart(4)).join("");
    let line = `${ints(m.h[i]!, m.k[i]!, m.l[i]!)}${intensity(m.intensity[i]!)}${intensity(m.sigma[i]!)}${ints(m.zone[i]!, m.flag1[i]!, m.flag2[i]!)}`;
    if (!Number.isNaN(m.tbar[i]!)) {
      for (let j = 0; j < 8; j++) line += m.cosines[8 * i + j]!.toFixed(4).padStart(8);
      line += `${scientific(m.tbar[i]!).padStart(15)}${String(m.serial[i]).padStart(15)}`;
    }
    out.push(line);
  }
  return out.join(lineEnd) + lineEnd;
}
function intensity(v: number): string {
  const text = v.toFixed(1);
  return text.length < 9 ? text.padStart(9) : ` ${text}`;
}
/** Fortran's E15.6: two digits of exponent. */
function scientific(v: number): string {
  return v
    .toExponential(6)
    .replace(/e([+-])(\d)$/, "e$10$2")
    .toUpperCase();
}
