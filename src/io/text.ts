import { fail } from "../core/errors.js";

/** What every text reader accepts: bytes as they lie on disk, or text already decoded. */
export type TextInput = Uint8Array | string;

/** A parsed value and what a careful reader should know about it, one sentence each. */
export interface Parsed<T> {
  readonly value: T;
  readonly warnings: readonly string[];
}

/** Largest text a reader takes, characters: V8 holds no longer string than 2²⁹ − 24. */
export const maxTextLength = 0x1fffffe8;

/**
 * Decode text: UTF-8 (with or without byte-order mark), UTF-16 with a mark, else Windows-1252, in which old crystallographic
 * files write names and units. A byte-order mark is dropped; line ends are left alone.
 * @throws bad-file when zero bytes show that the file is binary; too-large above {@link maxTextLength}
 */
export function decodeText(input: TextInput, what = "text"): string {
  if (typeof input === "string") return input.charCodeAt(0) === 0xfeff ? input.slice(1) : input;
  if (input.length > maxTextLength) fail("too-large", { bytes: input.length, limit: maxTextLength }, `split the ${what} file into parts`);
  const wide = input.length >= 2 && ((input[0] === 0xff && input[1] === 0xfe) || (input[0] === 0xfe && input[1] === 0xff));
  if (wide) return new TextDecoder(input[0] === 0xff ? "utf-16le" : "utf-16be").decode(input);
  const probe = input.subarray(0, 4096);
  const zero = probe.indexOf(0);
  if (zero >= 0) fail("bad-file", { offset: zero }, `a ${what} file holds no zero bytes; this one is binary, or of another format`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(input);
  } catch {
    return new TextDecoder("windows-1252").decode(input);
  }
}

/** 1-based line number of a character offset. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < offset; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/** Lines without their ends (LF, CRLF or CR). A final line end opens no further line. */
export function splitLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** The line end a text uses: that of its first line, LF when it has none. */
export function lineEndOf(text: string): "\n" | "\r\n" | "\r" {
  const i = text.search(/[\r\n]/);
  if (i < 0 || text[i] === "\n") return "\n";
  return text[i + 1] === "\n" ? "\r\n" : "\r";
}

/** Words of a line, as separated by blanks. */
export function words(line: string): string[] {
  const trimmed = line.trim();
  return trimmed === "" ? [] : trimmed.split(/\s+/);
}

/** Collects warnings: equal ones are counted rather than repeated, and the list stays short however long the file is. */
export interface WarningList {
  add(text: string): void;
  list(): readonly string[];
}
export function warningList(limit = 50): WarningList {
  const counts = new Map<string, number>();
  let dropped = 0;
  return {
    add(text) {
      const n = counts.get(text);
      if (n !== undefined) counts.set(text, n + 1);
      else if (counts.size < limit) counts.set(text, 1);
      else dropped++;
    },
    list() {
      const out = [...counts].map(([text, n]) => (n === 1 ? text : `${text} (${n} times)`));
      return dropped ? [...out, `${dropped} further warnings`] : out;
    },
  };
}
