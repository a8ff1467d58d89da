/**
 * Data model of a CIF (Crystallographic Information File), versions 1.1 and 2.0: plain, ordered, immutable values.
 * Hall, Allen & Brown (1991) Acta Cryst. A47, 655; Bernstein et al. (2016) J. Appl. Cryst. 49, 277 (CIF 2.0).
 */

/** The two values that are no values, kept apart: `?` unknown, `.` inapplicable (or default). */
export interface CifMissing {
  readonly missing: "?" | ".";
}
/** List of CIF 2.0: `[a b c]`. */
export type CifList = readonly CifValue[];
/** Table of CIF 2.0: `{"key":value …}`; order is kept. */
export interface CifTable {
  readonly table: readonly (readonly [key: string, value: CifValue])[];
}
/** Text (numbers stay text, so that no digit is lost), a missing value, or a list or table of CIF 2.0. */
export type CifValue = string | CifMissing | CifList | CifTable;

export interface CifItem {
  readonly kind: "item";
  readonly tag: string;
  readonly value: CifValue;
}
/** A loop, by columns: `columns[j][i]` is row i of `tags[j]`; every column has `size` values. */
export interface CifLoop {
  readonly kind: "loop";
  readonly tags: readonly string[];
  readonly columns: readonly (readonly CifValue[])[];
  readonly size: number;
}
/** A save frame, as dictionaries have them. */
export interface CifFrame {
  readonly kind: "frame";
  readonly name: string;
  readonly entries: readonly CifEntry[];
}
/** A comment between items, without its `#`. */
export interface CifComment {
  readonly kind: "comment";
  readonly text: string;
}
export type CifEntry = CifItem | CifLoop | CifFrame | CifComment;
/** A data block: its code (without `data_`) and its entries in the order of the file. */
export interface CifBlock {
  readonly name: string;
  readonly entries: readonly CifEntry[];
}
export interface CifDocument {
  readonly version: "1.1" | "2.0";
  readonly blocks: readonly CifBlock[];
  /** Comments before the first data block. */
  readonly comments: readonly CifComment[];
}

export const cifUnknown: CifMissing = /* @__PURE__ */ Object.freeze({ missing: "?" as const });
export const cifInapplicable: CifMissing = /* @__PURE__ */ Object.freeze({ missing: "." as const });

export function isCifMissing(v: CifValue | undefined): v is CifMissing {
  return typeof v === "object" && "missing" in v;
}
export function isCifTable(v: CifValue | undefined): v is CifTable {
  return typeof v === "object" && "table" in v;
}

/** Make an item; a number is written as short as it reads back exactly, `undefined` and NaN as `?`. */
export function cifItem(tag: string, value: CifValue | number | undefined): CifItem {
  return { kind: "item", tag, value: cifValueOf(value) };
}
/** Make a loop from columns: `cifLoop({ _atom_site_label: ["C1"], _atom_site_fract_x: [0.25] })`. Columns are cut to the shortest. */
export function cifLoop(columns: Readonly<Record<string, ArrayLike<CifValue | number | undefined>>>): CifLoop {
  const tags = Object.keys(columns);
  const size = tags.length === 0 ? 0 : Math.min(...tags.map((t) => columns[t]!.length));
  return { kind: "loop", tags, columns: tags.map((t) => Array.from({ length: size }, (_, i) => cifValueOf(columns[t]![i]))), size };
}
export function cifComment(text: string): CifComment {
  return { kind: "comment", text };
}
function cifValueOf(v: CifValue | number | undefined): CifValue {
  if (v === undefined) return cifUnknown;
  if (typeof v !== "number") return v;
  return Number.isFinite(v) ? String(v) : cifUnknown;
}
