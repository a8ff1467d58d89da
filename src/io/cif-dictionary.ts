import { type CifBlock, type CifEntry, type CifValue, isCifMissing } from "./cif.js";
import { cifColumn, cifFrames, cifText, cifTexts } from "./cif-access.js";
import { cifTagKey } from "./cif-dictionary-aliases.js";
import { parseCif } from "./cif-parse.js";
import { parseSu } from "./number.js";
import { type Parsed, type TextInput, warningList } from "./text.js";

/** What a dictionary says of one item. */
export interface CifDefinition {
  readonly tag: string;
  readonly aliases: readonly string[];
  /** Contents of the value: numbers, or anything else. */
  readonly contents: "number" | "text";
  readonly units: string | undefined;
  /** Allowed values; empty when any is. */
  readonly states: readonly string[];
  /** Limits of a number, both included; ±∞ where open. */
  readonly range: readonly [number, number];
  /** Whether the definition says `Single`: lists and tables are then faults. */
  readonly single: boolean;
}
/** Definitions of a CIF dictionary, found by tag or alias through `cifDefinition`. */
export interface CifDictionary {
  readonly title: string;
  readonly version: string;
  readonly definitions: readonly CifDefinition[];
}

/**
 * Read a CIF dictionary in DDLm (save frames) or DDL1 (data blocks). Imports of other dictionaries are not followed.
 * @throws bad-file as `parseCif` does
 */
export function parseCifDictionary(input: TextInput): Parsed<CifDictionary> {
  const { value: document, warnings } = parseCif(input);
  const definitions: CifDefinition[] = [];
  for (const block of document.blocks) {
    for (const frame of cifFrames(block)) {
      const id = cifText(frame, "_definition.id");
      if (id?.startsWith("_")) definitions.push(ddlm(id, frame));
    }
    for (const name of cifTexts(block, "_name") ?? [])
      if (name.startsWith("_") && !name.endsWith("[]")) definitions.push(ddl1(name, block));
  }
  const first = document.blocks[0]!;
  return {
    value: {
      title: cifText(first, "_dictionary.title") ?? cifText(first, "_dictionary_name") ?? first.name,
      version: cifText(first, "_dictionary.version") ?? cifText(first, "_dictionary_version") ?? "",
      definitions,
    },
    warnings: definitions.length === 0 ? [...warnings, "the file defines no items"] : warnings,
  };
}
type Container = { readonly entries: readonly CifEntry[] };
function ddlm(tag: string, frame: Container): CifDefinition {
  return {
    tag,
    aliases: cifTexts(frame, "_alias.definition_id") ?? [],
    contents: /^(real|integer|count|index|imag|complex)$/i.test(cifText(frame, "_type.contents") ?? "") ? "number" : "text",
    units: cifText(frame, "_units.code"),
    states: (cifColumn(frame, "_enumeration_set.state") ?? []).map(stateText),
    range: rangeOf(cifText(frame, "_enumeration.range")),
    single: /^single$/i.test(cifText(frame, "_type.container") ?? "Single"),
  };
}
function ddl1(tag: string, block: Container): CifDefinition {
  return {
    tag,
    aliases: [],
    contents: cifText(block, "_type") === "numb" ? "number" : "text",
    units: cifText(block, "_units"),
    states: (cifColumn(block, "_enumeration") ?? []).map(stateText),
    range: rangeOf(cifText(block, "_enumeration_range")),
    single: true,
  };
}
const stateText = (v: CifValue): string => (typeof v === "string" ? v : isCifMissing(v) ? v.missing : "");
function rangeOf(text: string | undefined): readonly [number, number] {
  const [low = "", high = ""] = (text ?? "").split(":");
  return [low.trim() === "" ? Number.NEGATIVE_INFINITY : Number(low), high.trim() === "" ? Number.POSITIVE_INFINITY : Number(high)];
}

const indexes = /* @__PURE__ */ new WeakMap<CifDictionary, Map<string, CifDefinition>>();
/** Definition of a tag: by name or alias, case does not count, `.` counts as `_`. */
export function cifDefinition(dictionary: CifDictionary, tag: string): CifDefinition | undefined {
  let index = indexes.get(dictionary);
  if (!index) {
    index = new Map(dictionary.definitions.flatMap((d) => [d.tag, ...d.aliases].map((t) => [cifTagKey(t), d] as const)));
    indexes.set(dictionary, index);
  }
  return index.get(cifTagKey(tag));
}

/** Faults of a block against a dictionary: numbers that are none, values outside range or enumeration. Tags the dictionary does not define pass. */
export function checkCif(block: CifBlock, dictionary: CifDictionary): readonly string[] {
  const faults = warningList();
  for (const e of block.entries) {
    if (e.kind === "item") checkValue(e.tag, e.value);
    else if (e.kind === "loop")
      for (const [j, tag] of e.tags.entries()) {
        if (!cifDefinition(dictionary, tag)) continue;
        for (const v of e.columns[j]!) checkValue(tag, v);
      }
  }
  function checkValue(tag: string, value: CifValue): void {
    const d = cifDefinition(dictionary, tag);
    if (!d || isCifMissing(value)) return;
    if (typeof value !== "string") {
      if (d.single) faults.add(`${tag}: a single value is wanted, not a list or table`);
      return;
    }
    if (d.contents === "number" && d.states.length === 0) {
      const { value: v } = parseSu(value);
      if (Number.isNaN(v)) faults.add(`${tag}: "${value.slice(0, 40)}" is no number`);
      else if (v < d.range[0] || v > d.range[1])
        faults.add(`${tag}: ${value} lies outside ${d.range[0]} to ${d.range[1]}${d.units ? ` ${d.units}` : ""}`);
    } else if (d.states.length > 0 && !d.states.some((s) => s.toLowerCase() === value.toLowerCase()))
      faults.add(`${tag}: "${value.slice(0, 40)}" is none of ${d.states.join(", ")}`);
  }
  return faults.list();
}
