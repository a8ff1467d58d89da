import { fail } from "../core/errors.js";
import {
  type CifBlock,
  type CifDocument,
  type CifEntry,
  type CifFrame,
  type CifItem,
  type CifLoop,
  type CifValue,
  isCifMissing,
} from "./cif.js";
import { cifAliasesOf, cifTagKey } from "./cif-dictionary-aliases.js";
import { type Measured, parseNumber, parseSu } from "./number.js";

/** Where the values of one tag stand: an item (`loop` undefined), or column `index` of a loop. */
interface Place {
  readonly item?: CifItem;
  readonly loop?: CifLoop;
  readonly index: number;
}
type Entries = Pick<CifBlock, "entries">;
const indexes = /* @__PURE__ */ new WeakMap<readonly CifEntry[], Map<string, Place>>();

/** The index is made on first use and kept as long as the block lives. */
function indexOf({ entries }: Entries): Map<string, Place> {
  let index = indexes.get(entries);
  if (!index) {
    index = new Map();
    for (const e of entries) {
      if (e.kind === "item") put(index, e.tag, { item: e, index: 0 });
      else if (e.kind === "loop") for (let j = 0; j < e.tags.length; j++) put(index, e.tags[j]!, { loop: e, index: j });
    }
    indexes.set(entries, index);
  }
  return index;
}
function put(index: Map<string, Place>, tag: string, place: Place): void {
  const key = cifTagKey(tag);
  if (!index.has(key)) index.set(key, place);
}
/** Tags are looked up without regard to case, `.` counts as `_`, and known aliases are tried after the tag itself. */
function find(block: Entries, tag: string): Place | undefined {
  const index = indexOf(block),
    key = cifTagKey(tag);
  const direct = index.get(key);
  if (direct) return direct;
  for (const alias of cifAliasesOf(key)) {
    const place = index.get(alias);
    if (place) return place;
  }
  return undefined;
}

/** The block of that code (case does not count), else undefined. Without a code: the only block, or the first that has a cell. */
export function cifBlock(document: CifDocument, name?: string): CifBlock | undefined {
  if (name !== undefined) return document.blocks.find((b) => b.name.toLowerCase() === name.toLowerCase());
  return document.blocks.find((b) => find(b, "_cell_length_a")) ?? document.blocks[0];
}
/** Save frames of a block. */
export function cifFrames(block: Entries): readonly CifFrame[] {
  return block.entries.filter((e): e is CifFrame => e.kind === "frame");
}
/** Value of a tag: an item's, or the first of its loop. Undefined when the tag is absent. */
export function cifValue(block: Entries, tag: string): CifValue | undefined {
  const place = find(block, tag);
  if (!place) return undefined;
  return place.item ? place.item.value : place.loop?.columns[place.index]?.[0];
}
/** Text of a tag; undefined when absent, `?`, `.`, a list or a table. */
export function cifText(block: Entries, tag: string): string | undefined {
  const v = cifValue(block, tag);
  return typeof v === "string" ? v : undefined;
}
/** Number of a tag, its s.u. put aside; NaN when absent, missing or no number. */
export function cifNumber(block: Entries, tag: string): number {
  return cifMeasured(block, tag).value;
}
/** Number of a tag with its s.u.; NaN where absent. */
export function cifMeasured(block: Entries, tag: string): Measured {
  const v = cifValue(block, tag);
  return typeof v === "string" ? parseSu(v) : { value: Number.NaN, su: Number.NaN };
}
/** The loop that holds a tag, undefined when the tag is absent or stands alone. */
export function cifLoopOf(block: Entries, tag: string): CifLoop | undefined {
  return find(block, tag)?.loop;
}
/** All values of a tag: the column of its loop, or a list of one for an item. Undefined when the tag is absent. */
export function cifColumn(block: Entries, tag: string): readonly CifValue[] | undefined {
  const place = find(block, tag);
  if (!place) return undefined;
  return place.item ? [place.item.value] : place.loop!.columns[place.index]!;
}
/** Column as text; missing values become `""`. */
export function cifTexts(block: Entries, tag: string): readonly string[] | undefined {
  return cifColumn(block, tag)?.map((v) => (typeof v === "string" ? v : ""));
}
/** Column as numbers, s.u. put aside; NaN where there is no number. */
export function cifNumbers(block: Entries, tag: string): Float64Array | undefined {
  const column = cifColumn(block, tag);
  if (!column) return undefined;
  const out = new Float64Array(column.length);
  for (let i = 0; i < out.length; i++) {
    const v = column[i]!;
    if (typeof v !== "string") out[i] = Number.NaN;
    else {
      const x = parseNumber(v);
      out[i] = Number.isNaN(x) ? parseSu(v).value : x;
    }
  }
  return out;
}
/** Column of numbers and column of their s.u. (NaN where none is given). */
export function cifMeasuredColumn(block: Entries, tag: string): { readonly value: Float64Array; readonly su: Float64Array } | undefined {
  const column = cifColumn(block, tag);
  if (!column) return undefined;
  const value = new Float64Array(column.length).fill(Number.NaN),
    su = new Float64Array(column.length).fill(Number.NaN);
  column.forEach((v, i) => {
    if (typeof v !== "string") return;
    const m = parseSu(v);
    value[i] = m.value;
    su[i] = m.su;
  });
  return { value, su };
}
/** Column of integers. @throws bad-file when a value is no integer */
export function cifIntegers(block: Entries, tag: string): Int32Array | undefined {
  const values = cifNumbers(block, tag);
  if (!values) return undefined;
  const bad = values.findIndex((v) => !Number.isInteger(v) || Math.abs(v) > 0x7fffffff);
  if (bad >= 0) fail("bad-file", { tag, row: bad + 1, value: cifColumn(block, tag)![bad] }, `${tag} holds integers only`);
  return Int32Array.from(values);
}
/** Whether the tag (or an alias) is given with a value other than `?` and `.`. */
export function hasCifValue(block: Entries, tag: string): boolean {
  const v = cifValue(block, tag);
  return v !== undefined && !isCifMissing(v);
}
/** A copy of the block with one item set: replaced where it stands (in a loop: its whole column), else added at the end. */
export function withCifItem(block: CifBlock, item: CifItem): CifBlock {
  const place = find(block, item.tag);
  if (place?.loop) fail("bad-value", { tag: item.tag }, "this tag stands in a loop; replace the loop entry instead");
  if (!place) return { ...block, entries: [...block.entries, item] };
  return { ...block, entries: block.entries.map((e) => (e === place.item ? item : e)) };
}
