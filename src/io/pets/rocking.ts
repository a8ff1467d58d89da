import { fail } from "../../core/errors.js";
import { parseNumber } from "../number.js";
import { decodeText, type Parsed, splitLines, type TextInput, words } from "../text.js";
import { type ColumnSpec, parseTable, writeTable } from "../text-table.js";

/**
 * Rocking curves, mean over all reflections of a bin of |g|: PETS2 `.cml`. One curve per bin, the curves one after another;
 * `starts[b]` is the first row of curve b and `starts[bins]` the number of rows.
 */
export interface PetsRockingCurves {
  readonly size: number;
  readonly bins: number;
  /** Shape [bins + 1]. */
  readonly starts: Int32Array;
  /** |g| of the bin, Å⁻¹. */
  readonly g: Float64Array;
  /** Excitation error, Å⁻¹. */
  readonly sg: Float64Array;
  /** sg / (g · sin φ) with φ the half width of the frame (checked on glycine). */
  readonly sgScaled: Float64Array;
  readonly observed: Float64Array;
  readonly fitted: Float64Array;
}
const columns = [
  ["g", "real", 14, 6],
  ["sg", "real", 14, 6],
  ["sgScaled", "real", 14, 6],
  ["observed", "real", 14, 6],
  ["fitted", "real", 14, 6],
] as const satisfies readonly ColumnSpec[];

/** Read a PETS2 `.cml` file of rocking curves. */
export function parseCml(input: TextInput): Parsed<PetsRockingCurves> {
  const { value, warnings } = parseTable(input, columns, { what: ".cml" });
  const starts = [0];
  for (let i = 1; i < value.size; i++) if (value.g[i] !== value.g[i - 1]) starts.push(i);
  if (value.size > 0) starts.push(value.size);
  return { value: { ...value, bins: starts.length - 1, starts: Int32Array.from(starts) }, warnings };
}
/** Write `.cml`: two empty lines after every curve. */
export function writeCml(curves: PetsRockingCurves): string {
  const rows = writeTable(curves, columns).split("\r\n");
  let out = "";
  for (let b = 0; b < curves.bins; b++) out += `${rows.slice(curves.starts[b], curves.starts[b + 1]).join("\r\n")}\r\n\r\n\r\n`;
  return out;
}

/** The five finest resolutions of every frame: PETS2 `.resolution`. `best` is [size, 5], Å⁻¹ as PETS2 writes it (d*). */
export interface PetsResolution {
  readonly size: number;
  readonly file: readonly string[];
  readonly best: Float64Array;
}
/** Read a PETS2 `.resolution` file. @throws bad-file with the line number */
export function parseResolution(input: TextInput): Parsed<PetsResolution> {
  const file: string[] = [],
    best: number[] = [];
  splitLines(decodeText(input, ".resolution")).forEach((line, i) => {
    const w = words(line);
    if (w.length === 0) return;
    const numbers = w.slice(-5).map(parseNumber);
    if (w.length < 6 || numbers.some(Number.isNaN))
      fail("bad-file", { line: i + 1, found: line.slice(0, 60) }, "a .resolution file holds a file name and five numbers in each line");
    file.push(w.slice(0, -5).join(" "));
    best.push(...numbers);
  });
  return { value: { size: file.length, file, best: Float64Array.from(best) }, warnings: [] };
}
export function writeResolution({ file, best }: PetsResolution): string {
  return file.map((f, i) => `${f}${[...best.subarray(5 * i, 5 * i + 5)].map((v) => v.toFixed(6).padStart(12)).join("")}\r\n`).join("");
}
