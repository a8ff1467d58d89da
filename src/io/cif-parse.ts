import { fail } from "../core/errors.js";
import {
  type CifBlock,
  type CifComment,
  type CifDocument,
  type CifEntry,
  type CifFrame,
  type CifLoop,
  type CifTable,
  type CifValue,
  cifInapplicable,
  cifUnknown,
} from "./cif.js";
import { decodeTextField } from "./cif-text-field.js";
import { decodeText, lineOf, type Parsed, type TextInput, warningList } from "./text.js";

export interface CifParseOptions {
  /** Keep comments that stand between items. Default true. */
  readonly comments?: boolean;
  /** Read as this version whatever the first line says. */
  readonly version?: "1.1" | "2.0";
}

const NL = 10,
  CR = 13,
  HASH = 35,
  DQUOTE = 34,
  SQUOTE = 39,
  SEMI = 59,
  UNDER = 95,
  COLON = 58;
const maxDepth = 64,
  maxColumns = 10_000;
/** Blank, tab and line ends separate; everything below them does too, so that stray control characters glue nothing. */
const isBlank = (c: number): boolean => c <= 32;
const isOpen = (c: number): boolean => c === 91 || c === 123;
const isClose = (c: number): boolean => c === 93 || c === 125;
/** Mutable twins of the model, used while a container is being filled. */
interface Container {
  readonly name: string;
  readonly entries: CifEntry[];
  readonly seen: Set<string>;
}

/**
 * Read a CIF: version 2.0 when its first line is `#\#CIF_2.0`, else 1.1. Numbers stay text; see `cifNumber`, `cifColumn` and `parseSu`.
 * Survives with a warning: duplicate tags (the first counts), a tag or loop without value, a missing `data_` line.
 * @throws bad-file, with the line number, on an unterminated string, text field, list or frame, an incomplete loop, a value without tag
 */
export function parseCif(input: TextInput, options: CifParseOptions = {}): Parsed<CifDocument> {
  const s = decodeText(input, "CIF"),
    n = s.length;
  const version = options.version ?? (/^#\\#CIF_2\.0[ \t]*(\r|\n|$)/.test(s.slice(0, 20)) ? "2.0" : "1.1");
  const two = version === "2.0",
    keep = options.comments ?? true;
  const warnings = warningList();
  const blocks: CifBlock[] = [];
  const headComments: CifComment[] = [];
  let p = 0;
  let block: Container | undefined;
  let frame: Container | undefined;
  let pending: CifComment[] = [];

  let warned = 0;
  /** Line numbers cost a walk through the text, so only the first warnings get one. */
  const warn = (offset: number, what: string): void => {
    if (warned++ < 50) warnings.add(`line ${lineOf(s, offset)}: ${what}`);
    else warnings.add("further faults of the same kinds");
  };
  const bad = (offset: number, what: string, hint: string): never => fail("bad-file", { line: lineOf(s, offset), found: what }, hint);
  const here = (): Container => {
    if (frame) return frame;
    if (!block) {
      warn(p, `items before the first data_ line; they are put in a block without name`);
      openBlock("");
    }
    return block!;
  };
  const flush = (): void => {
    if (pending.length === 0) return;
    const into = frame?.entries ?? block?.entries;
    if (into) into.push(...pending);
    else headComments.push(...pending);
    pending = [];
  };
  const openBlock = (name: string): void => {
    flush();
    block = { name, entries: [], seen: new Set() };
    blocks.push({ name, entries: block.entries });
  };

  /** To the next token; comments on the way are set aside. */
  const skip = (): void => {
    for (;;) {
      while (p < n && isBlank(s.charCodeAt(p))) p++;
      if (p >= n || s.charCodeAt(p) !== HASH) return;
      const from = p;
      while (p < n && s.charCodeAt(p) !== NL && s.charCodeAt(p) !== CR) p++;
      if (keep && !(from === 0 && s.startsWith("#\\#CIF_"))) pending.push({ kind: "comment", text: s.slice(from + 1, p).trimEnd() });
    }
  };
  const atLineStart = (): boolean => p === 0 || s.charCodeAt(p - 1) === NL || s.charCodeAt(p - 1) === CR;
  /** End of the blank-delimited token at p. */
  const bareEnd = (depth: number): number => {
    let q = p;
    for (; q < n; q++) {
      const c = s.charCodeAt(q);
      if (c <= 32 || (depth > 0 && (isOpen(c) || isClose(c)))) break;
    }
    return q;
  };
  const textField = (): string => {
    const from = ++p;
    for (;;) {
      const q = s.indexOf(";", p);
      if (q < 0) bad(from - 1, "text field", "the text field that starts on this line has no closing semicolon at the start of a line");
      const before = s.charCodeAt(q - 1);
      if (before === NL || before === CR) {
        p = q + 1;
        const end = before === NL && s.charCodeAt(q - 2) === CR ? q - 2 : q - 1;
        return decodeTextField(s.slice(from, Math.max(from, end)), version);
      }
      p = q + 1;
    }
  };
  const quoted = (c: number, depth: number): string => {
    const from = p;
    if (two && s.charCodeAt(p + 1) === c && s.charCodeAt(p + 2) === c) {
      const mark = s.slice(p, p + 3),
        q = s.indexOf(mark, p + 3);
      if (q < 0) bad(from, mark, "the triple-quoted string that starts on this line is not closed");
      p = q + 3;
      return s.slice(from + 3, q).replace(/\r\n?/g, "\n");
    }
    for (let q = p + 1; q < n; q++) {
      const d = s.charCodeAt(q);
      if (d === NL || d === CR) break;
      if (d !== c) continue;
      const after = q + 1 < n ? s.charCodeAt(q + 1) : 32;
      if (isBlank(after) || two) {
        if (two && !isBlank(after) && !(depth > 0 && (isClose(after) || after === COLON)))
          bad(
            q,
            s.slice(from, q + 2),
            "in CIF 2.0 a quoted string ends at its first quote, and a blank follows; use the other quote inside",
          );
        p = q + 1;
        return s.slice(from + 1, q);
      }
    }
    return bad(from, s.slice(from, from + 40), "the quoted string that starts on this line is not closed on the same line");
  };
  /** The value at p, undefined when a tag, a keyword or the end stands there instead. */
  const value = (depth: number): CifValue | undefined => {
    if (p >= n) return undefined;
    const c = s.charCodeAt(p);
    if (c === SQUOTE || c === DQUOTE) return quoted(c, depth);
    if (c === SEMI && atLineStart()) return textField();
    if (c === UNDER) return undefined;
    if (two && isOpen(c)) return c === 91 ? list(depth + 1) : table(depth + 1);
    const q = bareEnd(two ? depth : 0);
    const length = q - p;
    if (length === 1) {
      if (c === 63) {
        p = q;
        return cifUnknown;
      }
      if (c === 46) {
        p = q;
        return cifInapplicable;
      }
    }
    if (length >= 5 && isReserved(s, p, length, c)) return undefined;
    const text = s.slice(p, q);
    p = q;
    return text;
  };
  const list = (depth: number): readonly CifValue[] => {
    const from = p++,
      out: CifValue[] = [];
    if (depth > maxDepth) fail("too-large", { line: lineOf(s, from), depth }, `lists and tables are nested more than ${maxDepth} deep`);
    for (;;) {
      skip();
      if (s.charCodeAt(p) === 93) {
        p++;
        return out;
      }
      const v = value(depth);
      if (v === undefined || (v === "" && p >= n)) return bad(from, "[", "the list that starts on this line is not closed with ]");
      if (isClose(s.charCodeAt(p)) && s.charCodeAt(p) === 125) bad(p, "}", "a list is closed with ], a table with }");
      out.push(v);
    }
  };
  const table = (depth: number): CifTable => {
    const from = p++,
      out: (readonly [string, CifValue])[] = [];
    if (depth > maxDepth) fail("too-large", { line: lineOf(s, from), depth }, `lists and tables are nested more than ${maxDepth} deep`);
    for (;;) {
      skip();
      const c = s.charCodeAt(p);
      if (c === 125) {
        p++;
        return { table: out };
      }
      if (c !== SQUOTE && c !== DQUOTE)
        return bad(p < n ? p : from, s.slice(p, p + 20), 'a table entry is "key":value, and a table ends with }');
      const key = quoted(c, depth);
      if (s.charCodeAt(p) !== COLON) bad(p, key, 'a colon follows a table key directly: {"key":value}');
      p++;
      skip();
      const v = value(depth);
      if (v === undefined) return bad(from, key, "this table key has no value");
      out.push([key, v]);
    }
  };
  const note = (into: Container, tag: string, at: number): void => {
    const key = tag.toLowerCase();
    if (into.seen.has(key)) warn(at, `${tag} is given again in data_${block?.name ?? ""}; the first counts`);
    else into.seen.add(key);
  };
  const loop = (into: Container, at: number): CifLoop => {
    const tags: string[] = [];
    for (skip(); p < n && s.charCodeAt(p) === UNDER; skip()) {
      const q = bareEnd(0);
      const tag = s.slice(p, q);
      note(into, tag, p);
      tags.push(tag);
      p = q;
    }
    const width = tags.length;
    if (width > maxColumns) fail("too-large", { line: lineOf(s, at), columns: width }, `a loop has at most ${maxColumns} columns`);
    if (width === 0) bad(at, "loop_", "a loop_ is followed by the tags of its columns");
    const columns: CifValue[][] = tags.map(() => []);
    let j = 0;
    for (;;) {
      // Most of a large file is numbers between blanks: these take the short way.
      let c = p < n ? s.charCodeAt(p) : 0;
      while (p < n && c <= 32) c = s.charCodeAt(++p);
      if (p < n && c === HASH) {
        skip();
        continue;
      }
      let v: CifValue | undefined;
      if (p < n && ((c >= 48 && c <= 57) || c === 45)) {
        const from = p;
        do p++;
        while (p < n && s.charCodeAt(p) > 32);
        v = s.slice(from, p);
      } else v = value(0);
      if (v === undefined) break;
      columns[j]!.push(v);
      if (++j === width) j = 0;
    }
    if (j !== 0) {
      const rows = columns[0]!.length;
      bad(at, `${(rows - 1) * width + j} values for ${width} columns`, "the last row of the loop that starts on this line is incomplete");
    }
    const size = columns[0]!.length;
    if (size === 0) warn(at, `loop of ${tags[0]} has no values`);
    if (p < n && s.startsWith("stop_", p) && bareEnd(0) - p === 5) p += 5;
    return { kind: "loop", tags, columns, size };
  };

  for (skip(); p < n; skip()) {
    const at = p,
      c = s.charCodeAt(p);
    if (c === UNDER) {
      const q = bareEnd(0),
        tag = s.slice(p, q),
        into = here();
      note(into, tag, p);
      p = q;
      flush();
      skip();
      let v = value(0);
      if (v === undefined) {
        warn(at, `${tag} has no value; read as ?`);
        v = cifUnknown;
      }
      into.entries.push({ kind: "item", tag, value: v });
      continue;
    }
    const q = bareEnd(0),
      word = s.slice(p, q),
      lower = word.slice(0, 7).toLowerCase();
    if (c !== SQUOTE && c !== DQUOTE && lower === "loop_" && word.length === 5) {
      const into = here();
      flush();
      p = q;
      into.entries.push(loop(into, at));
    } else if (lower.startsWith("data_")) {
      if (frame) bad(at, word, `save frame ${frame.name} is not closed with save_`);
      p = q;
      openBlock(word.slice(5));
    } else if (lower.startsWith("save_")) {
      p = q;
      flush();
      if (word.length === 5) {
        if (!frame) bad(at, word, "save_ closes a save frame, but none is open");
        frame = undefined;
      } else {
        if (frame) bad(at, word, `save frame ${frame.name} is not closed with save_`);
        const entries: CifEntry[] = [];
        here().entries.push({ kind: "frame", name: word.slice(5), entries } satisfies CifFrame);
        frame = { name: word.slice(5), entries, seen: new Set() };
      }
    } else if (lower === "global_" && word.length === 7) {
      p = q;
      warn(at, `global_ is no longer part of CIF; read as a block named global_`);
      openBlock("global_");
    } else
      bad(at, s.slice(at, Math.min(q, at + 40)), "a value stands here without a tag: quote text that holds blanks, and close the quotes");
  }
  flush();
  if (frame) bad(n, "end of file", `save frame ${frame.name} is not closed with save_`);
  if (blocks.length === 0) fail("bad-file", { length: n }, "a CIF holds at least one data_ block; is this a CIF?");
  return { value: { version, blocks, comments: headComments }, warnings: warnings.list() };
}

/** Whether the bare token at p is data_…, save_…, loop_, stop_ or global_. */
function isReserved(s: string, p: number, length: number, first: number): boolean {
  const c = first | 32; // lower case
  if (c !== 100 && c !== 108 && c !== 115 && c !== 103) return false;
  const word = s.slice(p, p + Math.min(length, 8)).toLowerCase();
  return word.startsWith("data_") || word.startsWith("save_") || word === "loop_" || word === "stop_" || word === "global_";
}
