import { fail } from "../core/errors.js";
import { type CifBlock, type CifDocument, type CifEntry, type CifValue, isCifMissing, isCifTable } from "./cif.js";
import { encodeTextField } from "./cif-text-field.js";

export interface CifWriteOptions {
  /** Default: the document's own version. */
  readonly version?: "1.1" | "2.0";
  /** Wanted line length, characters; longer rows are broken between values, and text lines above 2048 are folded. Default 80. */
  readonly lineLength?: number;
  /** Pad the columns of loops so that they stand below each other. Default true. */
  readonly align?: boolean;
}
type Version = "1.1" | "2.0";

/**
 * Write a CIF. Entries keep their order; strings are quoted where the grammar asks for it, and long or many-line ones become text fields.
 * What was read by `parseCif` is written so that it reads back equal.
 * @throws unsupported when CIF 1.1 cannot hold a value (a list, a table, a text line that starts with a semicolon)
 */
export function writeCif(document: CifDocument, options: CifWriteOptions = {}): string {
  const version = options.version ?? document.version;
  const style = { version, width: options.lineLength ?? 80, align: options.align ?? true };
  const out: string[] = version === "2.0" ? ["#\\#CIF_2.0"] : [];
  for (const c of document.comments) out.push(`#${c.text}`);
  for (const block of document.blocks) out.push(writeBlock(block, style));
  return `${out.join("\n")}\n`;
}
interface Style {
  readonly version: Version;
  readonly width: number;
  readonly align: boolean;
}

function writeBlock(block: CifBlock, style: Style): string {
  if (/\s/.test(block.name)) fail("bad-value", { name: block.name }, "the code of a data block holds no blanks");
  return [`data_${block.name}`, ...block.entries.map((e, i) => writeEntry(e, block.entries[i - 1], style))].join("\n");
}

function writeEntry(entry: CifEntry, before: CifEntry | undefined, style: Style): string {
  const gap = before && (before.kind === "loop" || before.kind === "frame") ? "\n" : "";
  switch (entry.kind) {
    case "comment":
      return `${gap}#${entry.text.replace(/[\r\n]+/g, " ")}`;
    case "item":
      return gap + writeItem(checkTag(entry.tag), entry.value, style);
    case "loop":
      return (before && before.kind !== "loop" ? "\n" : gap) + writeLoop(entry.tags, entry.columns, entry.size, style);
    case "frame":
      return `${gap || "\n"}${[`save_${entry.name}`, ...entry.entries.map((e, i) => writeEntry(e, entry.entries[i - 1], style)), "save_"].join("\n")}`;
  }
}
function checkTag(tag: string): string {
  if (!/^_[^\s]+$/.test(tag)) fail("bad-value", { tag }, "a CIF tag starts with an underscore and holds no blanks");
  return tag;
}
function writeItem(tag: string, value: CifValue, style: Style): string {
  const text = cifValueText(value, style.version);
  if (text.startsWith(";")) return `${tag}\n${text}`;
  const line = `${tag.padEnd(33)} ${text}`;
  return line.length <= style.width
    ? line
    : `${tag}\n${style.version === "2.0" || text.length < 2048 ? text : foldOrFail(value, style.version)}`;
}
function foldOrFail(value: CifValue, version: Version): string {
  return typeof value === "string" ? textField(value, version) : cifValueText(value, version);
}

function writeLoop(tags: readonly string[], columns: readonly (readonly CifValue[])[], size: number, style: Style): string {
  const out = ["loop_", ...tags.map(checkTag)];
  const cells = columns.map((col) => col.map((v) => cifValueText(v, style.version)));
  const widths = cells.map((col) => (style.align ? col.reduce((w, t) => (t.startsWith(";") ? w : Math.max(w, t.length)), 1) : 0));
  const aligned = style.align && widths.reduce((a, b) => a + b + 1, 0) <= style.width;
  const numeric = columns.map((col) => col.every((v) => typeof v !== "string" || /^[-+.\d]/.test(v)));
  for (let i = 0; i < size; i++) {
    let line = "";
    for (let j = 0; j < cells.length; j++) {
      const cell = cells[j]![i]!;
      if (cell.startsWith(";")) {
        if (line !== "") out.push(line.trimEnd());
        out.push(cell);
        line = "";
        continue;
      }
      const text = aligned ? (numeric[j] ? cell.padStart(widths[j]!) : cell.padEnd(widths[j]!)) : cell;
      if (line !== "" && line.length + 1 + text.length > style.width) {
        out.push(line.trimEnd());
        line = text;
      } else line = line === "" ? text : `${line} ${text}`;
    }
    if (line !== "") out.push(line.trimEnd());
  }
  return out.join("\n");
}

/** A value as it stands in a file, quoted where needed; a text field starts with `;` and must stand at the start of a line. */
export function cifValueText(value: CifValue, version: Version = "1.1"): string {
  if (typeof value === "string") return stringText(value, version);
  if (isCifMissing(value)) return value.missing;
  if (version === "1.1") return fail("unsupported", { value }, 'lists and tables need CIF 2.0: write with version: "2.0"');
  if (isCifTable(value)) return `{${value.table.map(([k, v]) => `${keyText(k)}:${nested(v)}`).join(" ")}}`;
  return `[${(value as readonly CifValue[]).map(nested).join(" ")}]`;
}
/** Inside lists and tables a text field would need a line of its own; triple quotes do without. */
function nested(value: CifValue): string {
  if (typeof value !== "string") return cifValueText(value, "2.0");
  const text = stringText(value, "2.0");
  if (!text.startsWith(";")) return text;
  return tripleQuoted(value) ?? `\n${text}\n`;
}
function keyText(key: string): string {
  if (!/[\n']/.test(key)) return `'${key}'`;
  if (!/[\n"]/.test(key)) return `"${key}"`;
  return tripleQuoted(key) ?? fail("unsupported", { key }, "this table key holds both kinds of triple quotes");
}
function tripleQuoted(text: string): string | undefined {
  for (const q of ["'", '"']) if (!text.includes(q + q + q) && !text.endsWith(q)) return q + q + q + text + q + q + q;
  return undefined;
}

const reserved = /^(?:data_|save_|loop_$|stop_$|global_$)/i;
function stringText(text: string, version: Version): string {
  if (text === "") return "''";
  if (text.includes("\n") || text.includes("\r")) return textField(text, version);
  const bare =
    !"_#$'\";[]".includes(text[0]!) &&
    !hasBlank(text) &&
    text !== "?" &&
    text !== "." &&
    !reserved.test(text) &&
    !(version === "2.0" && /[[\]{}]/.test(text));
  if (bare) return text;
  for (const q of ["'", '"']) {
    const inside = version === "2.0" ? text.includes(q) : quoteThenBlank(text, q);
    if (!inside && text.length < 2046) return q + text + q;
  }
  return textField(text, version);
}
function textField(text: string, version: Version): string {
  return (
    encodeTextField(text.replace(/\r\n?/g, "\n"), version) ??
    fail("unsupported", { text }, 'CIF 1.1 cannot hold a line that starts with a semicolon: write with version: "2.0"')
  );
}

const hasBlank = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) <= 32) return true;
  return false;
};
const quoteThenBlank = (text: string, q: string): boolean => {
  for (let i = text.indexOf(q); i >= 0; i = text.indexOf(q, i + 1)) if (text.charCodeAt(i + 1) <= 32) return true;
  return false;
};
