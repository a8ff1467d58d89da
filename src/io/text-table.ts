import { fail } from "../core/errors.js";
import { parseNumber } from "./number.js";
import { decodeText, type Parsed, type TextInput, warningList } from "./text.js";

/** One column of a table of numbers: name, real or integer, and how it is written (printf's `%w.df` or `%wd`). */
export type ColumnSpec = readonly [name: string, kind: "real" | "integer", width: number, decimals?: number];
/** The struct of typed arrays that a list of {@link ColumnSpec} describes. */
export type TableOf<S extends readonly ColumnSpec[]> = { readonly size: number } & {
  readonly [C in S[number] as C[0]]: C[1] extends "integer" ? Int32Array : Float64Array;
};
export interface TableOptions {
  /** What the file is, for messages. */
  readonly what: string;
  /** How many of the last columns may be absent (they become NaN, or 0 for integers). Default 0. */
  readonly optional?: number;
  /** Take only rows before a line that this says is the end. */
  readonly isEnd?: (line: string) => boolean;
}

/**
 * Rows of numbers separated by blanks. Fields of fixed width that have run into each other at a minus sign (`1.50-0.23`) are taken
 * apart; `***` (a field that was too narrow) reads as NaN. Empty lines and lines that start with `#` or `!` are skipped. A last line
 * that is incomplete is dropped with a warning: the file was cut.
 * @throws bad-file with the line number when a row has too few numbers or holds text
 */
export function parseTable<const S extends readonly ColumnSpec[]>(input: TextInput, specs: S, options: TableOptions): Parsed<TableOf<S>> {
  const text = decodeText(input, options.what).replace(/\r(?!\n)/g, "\n"),
    wanted = specs.length,
    least = wanted - (options.optional ?? 0);
  const warnings = warningList();
  const columns: number[][] = specs.map(() => []);
  const row: number[] = [];
  let line = 0,
    more = false;
  for (let p = 0; p < text.length; ) {
    line++;
    let end = text.indexOf("\n", p);
    const last = end < 0;
    if (last) end = text.length;
    const first = skipBlanks(text, p, end);
    const c = first < end ? text.charCodeAt(first) : 35;
    if (c === 35 || c === 33) {
      p = end + 1;
      continue;
    }
    if (options.isEnd?.(text.slice(p, end))) break;
    row.length = 0;
    const bad = readRow(text, first, end, row);
    if (bad >= 0 || row.length < least) {
      if (last || text.slice(end).trim() === "") {
        if (columns[0]!.length > 0) {
          warnings.add(`line ${line}: the last line is incomplete and is left out; the file seems cut`);
          break;
        }
      }
      const found = text.slice(bad >= 0 ? bad : p, Math.min(end, (bad >= 0 ? bad : p) + 60)).trim();
      fail(
        "bad-file",
        { line, found, numbers: row.length },
        `each row of a ${options.what} file holds ${least === wanted ? wanted : `${least} to ${wanted}`} numbers: ${specs.map((s) => s[0]).join(", ")}`,
      );
    }
    if (row.length > wanted) more = true;
    for (let j = 0; j < wanted; j++) columns[j]!.push(row[j] ?? Number.NaN);
    p = end + 1;
  }
  if (more) warnings.add(`some rows hold more than ${wanted} numbers; the rest is left out`);
  return { value: typed(specs, columns, options), warnings: warnings.list() };
}

const skipBlanks = (s: string, from: number, end: number): number => {
  let p = from;
  while (p < end && s.charCodeAt(p) <= 32) p++;
  return p;
};
const isDigit = (c: number): boolean => c >= 48 && c <= 57;

/** Numbers of one line into `row`; the offset of what is no number, or -1. */
function readRow(s: string, from: number, end: number, row: number[]): number {
  for (let p = skipBlanks(s, from, end); p < end; p = skipBlanks(s, p, end)) {
    const start = p;
    let c = s.charCodeAt(p);
    if (c === 42) {
      while (p < end && s.charCodeAt(p) === 42) p++;
      row.push(Number.NaN);
      continue;
    }
    // Plain decimals are read in place: sign, digits, point, digits, at most 15 of them, so that mantissa and power of ten are exact.
    const negative = c === 45;
    if (negative || c === 43) c = s.charCodeAt(++p);
    let mantissa = 0,
      digits = 0,
      scale = 0;
    for (; p < end && c >= 48 && c <= 57; c = s.charCodeAt(++p)) {
      mantissa = mantissa * 10 + c - 48;
      digits++;
    }
    if (p < end && c === 46)
      for (c = s.charCodeAt(++p); p < end && c >= 48 && c <= 57; c = s.charCodeAt(++p)) {
        mantissa = mantissa * 10 + c - 48;
        digits++;
        scale++;
      }
    // A sign behind a digit or point starts the next field, which has run into this one.
    if (digits > 0 && digits <= 15 && (p >= end || c <= 32 || c === 45 || c === 43 || c === 42)) {
      const v = scale === 0 ? mantissa : mantissa / powers[scale]!;
      row.push(negative ? -v : v);
      continue;
    }
    let q = start + 1;
    for (; q < end; q++) {
      const d = s.charCodeAt(q);
      if (d <= 32 || d === 42) break;
      if ((d === 45 || d === 43) && (isDigit(s.charCodeAt(q - 1)) || s.charCodeAt(q - 1) === 46)) break;
    }
    const word = s.slice(start, q);
    const v = parseNumber(word);
    if (Number.isNaN(v) && !/^[-+]?(nan|inf(inity)?)$/i.test(word)) return start;
    row.push(v);
    p = q;
  }
  return -1;
}
const powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

function typed<S extends readonly ColumnSpec[]>(specs: S, columns: readonly number[][], { what }: TableOptions): TableOf<S> {
  const out: Record<string, unknown> = { size: columns[0]?.length ?? 0 };
  specs.forEach(([name, kind], j) => {
    const column = columns[j]!;
    if (kind === "real") out[name] = Float64Array.from(column);
    else {
      const bad = column.findIndex((v) => !(Number.isInteger(v) && Math.abs(v) <= 0x7fffffff) && !Number.isNaN(v));
      if (bad >= 0) fail("bad-file", { row: bad + 1, column: name, value: column[bad] }, `column ${name} of a ${what} file holds integers`);
      out[name] = Int32Array.from(column, (v) => (Number.isNaN(v) ? 0 : v));
    }
  });
  return out as TableOf<S>;
}

/** Write rows in fixed columns. A number wider than its field pushes it open, with a blank before it, so that it reads back. */
export function writeTable<S extends readonly ColumnSpec[]>(table: TableOf<S>, specs: S, lineEnd = "\r\n"): string {
  const columns = specs.map((s) => (table as unknown as Record<string, ArrayLike<number>>)[s[0]]!);
  let out = "";
  for (let i = 0; i < table.size; i++) {
    for (let j = 0; j < specs.length; j++) {
      const [, kind, width, decimals = 0] = specs[j]!;
      const v = columns[j]![i]!;
      const field = Number.isFinite(v) ? (kind === "integer" ? String(v) : (Object.is(v, -0) ? "-" : "") + v.toFixed(decimals)) : "nan";
      out += field.length < width ? field.padStart(width) : j === 0 ? field : ` ${field}`;
    }
    out += lineEnd;
  }
  return out;
}
