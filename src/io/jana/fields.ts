import { fail } from "../../core/errors.js";
import { parseNumber } from "../number.js";

/**
 * A line of parameters in JANA's fixed columns: up to six numbers of nine characters each, the sign in the first (so that minus signs glue
 * columns together), and from column 61 on one key for each parameter: 1 refined, 0 fixed.
 */
export interface JanaLine {
  readonly values: readonly number[];
  /** Refinement keys as written, empty when the line has none. */
  readonly keys: string;
}
const width = 9,
  keyColumn = 60;

/** Values of a field row: nine characters each, from `start`, as many as are filled. @throws bad-file with the line */
export function janaValues(line: string, start: number, count: number, at: number, what: string): number[] {
  const out: number[] = [];
  for (let i = 0; i < count; i++) {
    const field = line.slice(start + i * width, start + (i + 1) * width).trim();
    if (field === "") break;
    const v = parseNumber(field);
    if (Number.isNaN(v) && !/^\*+$/.test(field))
      fail("bad-file", { line: at, found: field }, `a number of nine characters is wanted in this line of the ${what} file`);
    out.push(v);
  }
  return out;
}
export function parseJanaLine(line: string, at: number, what: string): JanaLine {
  return { values: janaValues(line.slice(0, keyColumn), 0, 6, at, what), keys: line.slice(keyColumn).trim() };
}
export function writeJanaLine({ values, keys }: JanaLine): string {
  const text = values.map(janaField).join("");
  return keys === "" ? text : `${text.padEnd(keyColumn)}${keys}`;
}

/** A number in nine characters: sign or blank, then eight with as many decimals as fit (at most six). */
export function janaField(value: number): string {
  if (Number.isNaN(value)) return "*********";
  const sign = value < 0 || Object.is(value, -0) ? "-" : " ",
    size = Math.abs(value);
  for (let d = 6; d >= 0; d--) {
    const text = size.toFixed(d);
    if (text.length <= 8 && !text.includes("e")) return (sign + text).padStart(width);
  }
  for (let d = 3; d >= 0; d--) {
    const text = size.toExponential(d);
    if (text.length <= 8) return (sign + text).padStart(width);
  }
  return fail("out-of-range", { value }, "this number does not fit into the nine characters of a JANA field");
}
/** Lines of dashes part a JANA file; the words between the dashes name what follows. */
export function janaSeparator(line: string): string | undefined {
  if (!line.startsWith("-----")) return undefined;
  let from = 0,
    to = line.length;
  const inside = (c: string | undefined): boolean => c === "-" || c === " " || c === "\t" || c === "\r";
  while (from < to && inside(line[from])) from++;
  while (to > from && inside(line[to - 1])) to--;
  return line.slice(from, to);
}
/** Lines of an embedded or loose JANA file: an embedded one starts behind the line end that follows the semicolon. */
export function janaLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  while (lines.length > 0 && lines[0]!.trim() === "") lines.shift();
  while (lines.length > 0 && lines.at(-1)!.trim() === "") lines.pop();
  return lines;
}
