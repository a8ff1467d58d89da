import { fail } from "../../core/errors.js";
import { decodeText, lineEndOf, type Parsed, type TextInput, warningList } from "../text.js";
import { ptsBlockKind } from "./pts-keywords.js";

/** One statement of a `.pts` file with the very characters it was written in, line end included. */
export interface PtsEntry {
  readonly kind: "blank" | "comment" | "keyword" | "block";
  /** Lower case; empty for blank lines and comments. */
  readonly keyword: string;
  /** What follows the keyword on its line, trimmed, a trailing comment taken off. */
  readonly args: string;
  /** Lines between the keyword and its `end…` line (blocks only), without line ends. */
  readonly body: readonly string[];
  /** 1-based line of the statement in the file it was read from; 0 for one that was added. */
  readonly line: number;
  readonly raw: string;
}
/** A `.pts` file as a list of statements. Writing an unchanged document gives the bytes that were read. */
export interface PtsDocument {
  readonly entries: readonly PtsEntry[];
  readonly lineEnd: "\n" | "\r\n" | "\r";
}

const commentStart = /(^|\s)[#!]/;
/** The statement part of a line: a `#` after a blank opens a comment. */
export function withoutComment(line: string): string {
  const at = line.search(commentStart);
  return (at < 0 ? line : line.slice(0, at)).trim();
}

/** Split a `.pts` file into statements. @throws bad-file when a block is not closed, with the line where it opens */
export function parsePtsDocument(input: TextInput): Parsed<PtsDocument> {
  const text = decodeText(input, ".pts"),
    raws = text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? [];
  const plain = raws.map((r) => r.replace(/[\r\n]+$/, ""));
  const warnings = warningList();
  const entries: PtsEntry[] = [];
  const ends = endLines(plain);
  for (let i = 0; i < raws.length; i++) {
    const content = withoutComment(plain[i]!);
    if (content === "") {
      entries.push({ kind: plain[i]!.trim() === "" ? "blank" : "comment", keyword: "", args: "", body: [], line: i + 1, raw: raws[i]! });
      continue;
    }
    const word = /^\S+/.exec(content)![0],
      keyword = word.toLowerCase(),
      args = content.slice(word.length).trim();
    const kind = ptsBlockKind(keyword);
    if (kind === undefined && keyword.startsWith("end") && ptsBlockKind(keyword.slice(3)) !== undefined)
      fail("bad-file", { line: i + 1, found: word }, `${word} closes a block that is not open; give the block's opening keyword before it`);
    const close = kind === "none" ? undefined : nextAfter(ends.get(`end${keyword}`), i);
    if (close === undefined && kind === "always") {
      if (keyword !== "imagelist")
        fail("bad-file", { line: i + 1, found: word }, `the block ${word} is not closed; add a line end${keyword} behind its last line`);
      warnings.add(`line ${i + 1}: the image list is not closed by endimagelist; it is taken to reach the end of the file`);
    }
    if (kind === undefined) warnings.add(`line ${i + 1}: the keyword ${word.slice(0, 40)} is not known; it is kept as it stands`);
    const to = close ?? (kind === "always" ? raws.length - 1 : i);
    const body = to > i ? plain.slice(i + 1, close === undefined ? to + 1 : to) : [];
    entries.push({
      kind: to > i || kind === "always" ? "block" : "keyword",
      keyword,
      args,
      body,
      line: i + 1,
      raw: raws.slice(i, to + 1).join(""),
    });
    i = to;
  }
  return { value: { entries, lineEnd: lineEndOf(text) }, warnings: warnings.list() };
}
/** Lines that consist of one word `end…`, the last first. */
function endLines(plain: readonly string[]): Map<string, number[]> {
  const ends = new Map<string, number[]>();
  plain.forEach((line, i) => {
    const word = withoutComment(line).toLowerCase();
    if (!/^end\S+$/.test(word)) return;
    const at = ends.get(word);
    if (at) at.push(i);
    else ends.set(word, [i]);
  });
  for (const at of ends.values()) at.reverse();
  return ends;
}

/** First line number above `i`; smaller ones are taken off the list for good, since `i` only grows. */
function nextAfter(lines: number[] | undefined, i: number): number | undefined {
  if (!lines) return undefined;
  while (lines.length > 0 && lines.at(-1)! <= i) lines.pop();
  return lines.at(-1);
}

/** The text of a `.pts` document. */
export function writePts(document: PtsDocument): string {
  return document.entries.map((e) => e.raw).join("");
}
/** Last statement of a keyword, the one PETS2 uses. */
export function ptsEntry(document: PtsDocument, keyword: string): PtsEntry | undefined {
  const wanted = keyword.toLowerCase();
  return document.entries.findLast((e) => e.keyword === wanted);
}

/**
 * A copy with one keyword set: its line is rewritten where it stands (other lines keep their bytes), or added at the end; with
 * `undefined` its statements are taken out.
 */
export function withPtsKeyword(document: PtsDocument, keyword: string, args: string | undefined): PtsDocument {
  if (args !== undefined && /[\r\n]/.test(args))
    fail("bad-value", { keyword, args }, "the arguments of a keyword stand on one line; use withPtsBlock");
  return replace(document, keyword, args === undefined ? undefined : { kind: "keyword", args, body: [] });
}
/** A copy with one block set, as `withPtsKeyword` does; `body` are its lines without line ends. */
export function withPtsBlock(document: PtsDocument, keyword: string, body: readonly string[] | undefined, args = ""): PtsDocument {
  const bad = body?.find((l) => /[\r\n]/.test(l) || l.trim().toLowerCase() === `end${keyword.toLowerCase()}`);
  if (bad !== undefined) fail("bad-value", { keyword, line: bad }, "a line of a block holds no line end and is not the block's own end");
  return replace(document, keyword, body && { kind: "block", args, body });
}
function replace(document: PtsDocument, keyword: string, next: Pick<PtsEntry, "kind" | "args" | "body"> | undefined): PtsDocument {
  const wanted = keyword.toLowerCase(),
    { entries, lineEnd } = document;
  if (!/^[^\s#!]+$/.test(keyword)) fail("bad-value", { keyword }, "a keyword is one word without # and !");
  if (!next) return { ...document, entries: entries.filter((e) => e.keyword !== wanted) };
  const at = entries.findLastIndex((e) => e.keyword === wanted),
    old = entries[at];
  const name = old ? /^\s*\S+/.exec(old.raw)![0] : keyword;
  const gap = old ? (/^\s*\S+([ \t]+)/.exec(old.raw)?.[1] ?? "  ") : "  ";
  const comment = old?.kind === "keyword" ? trailingComment(old.raw) : "";
  const head = `${name}${next.args === "" ? "" : gap + next.args}${comment}${lineEnd}`;
  const raw =
    next.kind === "block" ? `${head}${next.body.map((l) => l + lineEnd).join("")}${endLineOf(old) ?? `end${wanted}${lineEnd}`}` : head;
  const entry: PtsEntry = { ...next, keyword: wanted, line: old?.line ?? 0, raw };
  if (old) return { ...document, entries: entries.map((e, i) => (i === at ? entry : e)) };
  const last = entries.at(-1);
  const closed = last && !/[\r\n]$/.test(last.raw) ? [...entries.slice(0, -1), { ...last, raw: last.raw + lineEnd }] : entries;
  return { ...document, entries: [...closed, entry] };
}
/** The closing line of a block as it stands. */
function endLineOf(entry: PtsEntry | undefined): string | undefined {
  const last = entry?.kind === "block" ? /[^\r\n]+(\r\n|\n|\r)?$/.exec(entry.raw)?.[0] : undefined;
  return last && /^\s*end/i.test(last) ? last : undefined;
}
function trailingComment(raw: string): string {
  const line = raw.replace(/[\r\n]+$/, "");
  let at = line.search(commentStart);
  if (at < 0) return "";
  while (at > 0 && /\s/.test(line[at - 1]!)) at--;
  return line.slice(at);
}
/** An empty document, to be filled with `withPtsKeyword` and `withPtsBlock`. PETS2 runs on Windows and ends lines with CRLF. */
export function emptyPts(lineEnd: "\n" | "\r\n" = "\r\n"): PtsDocument {
  return { entries: [], lineEnd };
}
