import { fail } from "../../core/errors.js";
import { parseNumber } from "../number.js";
import { decodeText, type Parsed, type TextInput, warningList, words } from "../text.js";
import { janaLines } from "./fields.js";

/** One atom type of an m50 file: its symbol and the properties behind it, in pairs. */
export interface M50AtomType {
  readonly symbol: string;
  readonly properties: Readonly<Record<string, string>>;
}
/** A block of commands: `refine … end refine`. */
export interface M50Block {
  readonly name: string;
  /** Lines as they stand. Restraints and constraints start with `!` or a keyword such as `keep`, `fixed`, `equation`. */
  readonly lines: readonly string[];
}
/** Crystal, symmetry and program settings of a JANA project. */
export interface M50 {
  /** a b c in Å, α β γ in degrees. */
  readonly cell: readonly number[] | undefined;
  readonly cellSu: readonly number[] | undefined;
  /** Hermann–Mauguin symbol as JANA writes it, without blanks. */
  readonly spaceGroup: string | undefined;
  readonly spaceGroupNumber: number;
  readonly lattice: string | undefined;
  /** Operators as `x,y,z`. */
  readonly symmetry: readonly string[];
  readonly formulaUnits: number;
  /** Composition from `atlist`, e.g. `C3`, `H7`. */
  readonly composition: readonly string[];
  /** Table of form factors; −62 electrons. */
  readonly formTable: number;
  readonly atomTypes: readonly M50AtomType[];
  readonly blocks: readonly M50Block[];
  /** Every line of the file; `writeM50` writes these. */
  readonly lines: readonly string[];
}

/** Read an m50 file, loose or as embedded in a CIF. @throws bad-file when it has no header or a number is missing, with the line */
export function parseM50(input: TextInput): Parsed<M50> {
  const lines = janaLines(decodeText(input, "m50"));
  const warnings = warningList();
  const end = lines.findIndex((l) => l.trim().toLowerCase() === "end");
  if (end < 0) fail("bad-file", { lines: lines.length }, "an m50 file has a header of keywords that closes with the line: end");
  const header = lines.slice(0, end).map(words);
  const rows = (keyword: string): readonly string[][] => header.filter((w) => w[0]?.toLowerCase() === keyword).map((w) => w.slice(1));
  const numbers = (keyword: string, count: number): readonly number[] | undefined => {
    const row = rows(keyword)[0];
    if (!row) return undefined;
    const out = row.slice(0, count).map(parseNumber);
    if (out.length < count || out.some(Number.isNaN))
      fail("bad-file", { keyword, found: row.join(" ") }, `${keyword} takes ${count} numbers`);
    return out;
  };
  const group = rows("spgroup")[0];
  const blocks: M50Block[] = [];
  for (let i = end + 1; i < lines.length; i++) {
    const name = lines[i]!.trim().toLowerCase();
    if (!/^[a-z]\w*$/.test(name)) continue;
    let close = i + 1;
    while (close < lines.length && words(lines[close]!).join(" ").toLowerCase() !== `end ${name}`) close++;
    if (close === lines.length) {
      warnings.add(`line ${i + 1}: the block ${name} is not closed by: end ${name}`);
      break;
    }
    blocks.push({ name, lines: lines.slice(i + 1, close) });
    i = close;
  }
  const value: M50 = {
    cell: numbers("cell", 6),
    cellSu: numbers("esdcell", 6),
    spaceGroup: group?.[0],
    spaceGroupNumber: group?.[1] ? parseNumber(group[1]) : Number.NaN,
    lattice: rows("lattice")[0]?.[0],
    symmetry: rows("symmetry").map((w) => w.join(",")),
    formulaUnits: numbers("unitsnumb", 1)?.[0] ?? Number.NaN,
    composition: rows("atlist").flat(),
    formTable: numbers("formtab", 1)?.[0] ?? Number.NaN,
    atomTypes: rows("atom").map(([symbol = "", ...rest]) => ({ symbol, properties: Object.fromEntries(pairs(rest)) })),
    blocks,
    lines,
  };
  if (!value.cell) warnings.add("the file gives no cell");
  return { value, warnings: warnings.list() };
}
function pairs(w: readonly string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i + 1 < w.length; i += 2) out.push([w[i]!, w[i + 1]!]);
  return out;
}
/** A copy with one keyword of the header set (its first line; other lines keep their characters), and read again. */
export function withM50Keyword(m: M50, keyword: string, ...args: readonly (string | number)[]): M50 {
  const line = [keyword, ...args].join(" "),
    end = m.lines.findIndex((l) => l.trim().toLowerCase() === "end");
  const at = m.lines.findIndex((l, i) => i < end && words(l)[0]?.toLowerCase() === keyword.toLowerCase());
  const lines = [...m.lines];
  lines.splice(at < 0 ? end : at, at < 0 ? 0 : 1, line);
  return parseM50(lines.join("\n")).value;
}
export function writeM50(m: M50, lineEnd = "\n"): string {
  return m.lines.join(lineEnd) + lineEnd;
}
