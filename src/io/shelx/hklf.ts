import { fail } from "../../core/errors.js";
import { parseNumber } from "../number.js";
import { decodeText, type Parsed, splitLines, type TextInput, warningList, words } from "../text.js";

/** Reflections in SHELX format: HKLF 4 (F²), HKLF 3 (F) or HKLF 5 (overlapping twin reflections), one row each. */
export interface Hklf {
  readonly size: number;
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly l: Int32Array;
  /** F² (HKLF 4 and 5) or F (HKLF 3). */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /**
   * Batch number of HKLF 4; twin component of HKLF 5, where negative numbers say that the next row overlaps with this one. 0 where the file has
   * no such column.
   */
  readonly batch: Int32Array;
}

/**
 * Read a SHELX `.hkl` file: Fortran's `3I4,2F8.0,I4`, so that full fields run into each other; rows that do not fit the columns are read as
 * words. The list ends with `0 0 0`; what follows is not read.
 * @throws bad-file with the line number
 */
export function parseHklf(input: TextInput): Parsed<Hklf> {
  const warnings = warningList();
  const h: number[] = [],
    k: number[] = [],
    l: number[] = [],
    intensity: number[] = [],
    sigma: number[] = [],
    batch: number[] = [];
  let ended = false;
  for (const [i, line] of splitLines(decodeText(input, ".hkl")).entries()) {
    if (line.trim() === "") {
      if (h.length > 0) {
        ended = true; // a blank line reads as 0 0 0 in Fortran
        break;
      }
      continue;
    }
    const row = fixedRow(line) ?? freeRow(line);
    if (!row) {
      // Text behind the list (a .res or .fcf pasted below) ends it as well.
      if (h.length > 0 && /^\s*[A-Za-z_#;]/.test(line)) {
        warnings.add(`line ${i + 1}: the list ends without 0 0 0`);
        ended = true;
        break;
      }
      return fail(
        "bad-file",
        { line: i + 1, found: line.slice(0, 60) },
        "a row of a SHELX .hkl file is h k l F² σ and a batch number in 3I4,2F8.2,I4",
      );
    }
    if (row[0] === 0 && row[1] === 0 && row[2] === 0) {
      ended = true;
      break;
    }
    h.push(row[0]!);
    k.push(row[1]!);
    l.push(row[2]!);
    intensity.push(row[3]!);
    sigma.push(row[4]!);
    batch.push(row[5] ?? 0);
  }
  if (!ended) warnings.add("the list does not end with 0 0 0; the file may be cut");
  const ints = Int32Array.from;
  return {
    value: {
      size: h.length,
      h: ints.call(Int32Array, h),
      k: ints.call(Int32Array, k),
      l: ints.call(Int32Array, l),
      intensity: Float64Array.from(intensity),
      sigma: Float64Array.from(sigma),
      batch: ints.call(Int32Array, batch),
    },
    warnings: warnings.list(),
  };
}
const isIndex = (v: number): boolean => Number.isInteger(v) && Math.abs(v) < 1e6;
function fixedRow(line: string): number[] | undefined {
  const fields = [line.slice(0, 4), line.slice(4, 8), line.slice(8, 12), line.slice(12, 20), line.slice(20, 28), line.slice(28, 32)].map(
    (f) => f.trim(),
  );
  if (fields.slice(0, 5).some((f) => f === "" || /\s/.test(f))) return undefined;
  const row = fields.map((f) => (f === "" ? 0 : parseNumber(f)));
  return row.slice(0, 5).every((v) => !Number.isNaN(v)) && row.slice(0, 3).every(isIndex) && isIndex(row[5]!) ? row : undefined;
}
function freeRow(line: string): number[] | undefined {
  const w = words(line).map(parseNumber);
  return w.length >= 5 && w.slice(0, 5).every((v) => !Number.isNaN(v)) && w.slice(0, 3).every(isIndex) && isIndex(w[5] ?? 0)
    ? w
    : undefined;
}

export interface HklfWriteOptions {
  /** Write the batch column. Default: when any batch number is not 0. */
  readonly batch?: boolean;
  readonly lineEnd?: "\n" | "\r\n";
}
/** Write a SHELX `.hkl` file with its closing `0 0 0`. @throws out-of-range when an index or a value does not fit its columns; scale the data then */
export function writeHklf(t: Omit<Hklf, "batch"> & { readonly batch?: ArrayLike<number> }, options: HklfWriteOptions = {}): string {
  const withBatch = options.batch ?? (t.batch ? Array.from(t.batch).some((b) => b !== 0) : false);
  const field = (v: number, name: string): string =>
    hklfField(v) ??
    fail(
      "out-of-range",
      { [name]: v },
      "the value does not fit into the eight characters of a SHELX field; multiply all intensities and σ by a power of ten",
    );
  const index = (v: number): string => {
    const text = String(v);
    return text.length <= 4 ? text.padStart(4) : fail("out-of-range", { index: v }, "indices in SHELX files lie between -999 and 9999");
  };
  const out: string[] = [];
  for (let i = 0; i < t.size; i++)
    out.push(
      index(t.h[i]!) +
        index(t.k[i]!) +
        index(t.l[i]!) +
        field(t.intensity[i]!, "intensity") +
        field(t.sigma[i]!, "sigma") +
        (withBatch ? index(t.batch?.[i] ?? 0) : ""),
    );
  out.push(`   0   0   0    0.00    0.00${withBatch ? "   0" : ""}`);
  const end = options.lineEnd ?? "\n";
  return out.join(end) + end;
}
/** Eight characters that always hold a point: Fortran's F8.2 would take `12345678` for 123456.78. */
function hklfField(v: number): string | undefined {
  for (const text of [v.toFixed(2), v.toFixed(1), `${v.toFixed(0)}.`]) if (text.length <= 8 && Math.abs(v) < 1e8) return text.padStart(8);
  return undefined;
}
