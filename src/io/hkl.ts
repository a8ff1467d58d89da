import { fail } from "../core/errors.js";
import { parseNumber } from "./number.js";
import { decodeText, type Parsed, splitLines, type TextInput, warningList } from "./text.js";

/** Any list of reflections: three integers, and the numbers behind them as columns. */
export interface HklList {
  readonly size: number;
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly l: Int32Array;
  /** Columns behind the indices: `columns[j][i]` is number j of row i. */
  readonly columns: readonly Float64Array[];
}

/**
 * Read a list of reflections of any program: `h k l` and any count of numbers, separated by blanks, commas or semicolons, also `[h,k,l]`. Header lines before the first row and lines that
 * start with `#` or `!` are skipped; a row `0 0 0` with nothing but zeros behind it ends the list, as in SHELX. For fields that run into each other use `parseHklf` (SHELX)
 * or `parsePetsHkl` (PETS2).
 * @throws bad-file with the line number when a row has no integer indices, or another count of numbers than the first
 */
export function parseHklList(input: TextInput): Parsed<HklList> {
  const warnings = warningList();
  const rows: number[][] = [];
  let width = 0,
    skipped = 0;
  for (const [i, line] of splitLines(decodeText(input, "reflection list")).entries()) {
    const fields = line.replace(/[[\](),;]/g, " ").trim();
    if (fields === "" || /^[#!]/.test(fields)) continue;
    const row = fields.split(/\s+/).map(parseNumber);
    const whole =
      row.length >= 3 && row.every((v) => !Number.isNaN(v)) && row.slice(0, 3).every((v) => Number.isInteger(v) && Math.abs(v) < 1e6);
    if (rows.length === 0 && !whole) {
      skipped++;
      continue;
    }
    if (whole && rows.length > 0 && width > 3 && row.every((v) => v === 0)) break;
    if (!whole || (width > 0 && row.length !== width))
      fail(
        "bad-file",
        { line: i + 1, found: line.slice(0, 60), wanted: width },
        "each row of a reflection list holds h, k, l and as many numbers as the first row",
      );
    width = row.length;
    rows.push(row);
  }
  if (rows.length === 0) fail("bad-file", { lines: skipped }, "the file holds no row that starts with three integers h k l");
  if (skipped > 0) warnings.add(`${skipped} lines above the first reflection are left out`);
  const index = (j: number): Int32Array => Int32Array.from(rows, (r) => r[j]!);
  return {
    value: {
      size: rows.length,
      h: index(0),
      k: index(1),
      l: index(2),
      columns: Array.from({ length: width - 3 }, (_, j) => Float64Array.from(rows, (r) => r[j + 3]!)),
    },
    warnings: warnings.list(),
  };
}
/** Write a list of reflections, columns separated by blanks, numbers as short as they read back exactly. */
export function writeHklList(t: HklList): string {
  let out = "";
  for (let i = 0; i < t.size; i++) {
    out += [t.h[i]!, t.k[i]!, t.l[i]!].map((v) => String(v).padStart(4)).join("");
    for (const c of t.columns) out += ` ${String(c[i]!).padStart(12)}`;
    out += "\n";
  }
  return out;
}
