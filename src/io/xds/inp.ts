import { fail } from "../../core/errors.js";
import { checkMetadata } from "../metadata-checks.js";
import { parseNumber } from "../number.js";
import { decodeText, type Parsed, type TextInput, words } from "../text.js";

/** One `KEY= value` of XDS.INP; `start` and `end` are the place of its value in the text. Keys may repeat. */
export interface XdsEntry {
  readonly key: string;
  readonly value: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
}
/** An XDS.INP file: its text, and what stands in it. */
export interface XdsInp {
  readonly text: string;
  readonly entries: readonly XdsEntry[];
}
/** Keys: letters, digits and `_ - / ' ( ) .`, directly before `=`. */
const keyPattern = /(?<![\w\-/'().])([A-Za-z][\w\-/'().]*)[ \t]*=/g;

/** Read an XDS.INP file: `KEY= value`, several to a line, comments behind `!`. @throws bad-file when there is no key at all */
export function parseXdsInp(input: TextInput): Parsed<XdsInp> {
  const text = decodeText(input, "XDS.INP");
  const entries: XdsEntry[] = [];
  let at = 0;
  text.split("\n").forEach((whole, i) => {
    const comment = whole.indexOf("!");
    const content = comment < 0 ? whole : whole.slice(0, comment);
    const keys = [...content.matchAll(keyPattern)];
    keys.forEach((m, j) => {
      const from = m.index + m[0].length,
        to = keys[j + 1]?.index ?? content.length;
      const value = content.slice(from, to),
        lead = value.length - value.trimStart().length;
      const trimmed = value.trim();
      entries.push({
        key: m[1]!.toUpperCase(),
        value: trimmed,
        line: i + 1,
        start: at + from + (trimmed === "" ? 0 : lead),
        end: at + from + (trimmed === "" ? 0 : lead + trimmed.length),
      });
    });
    at += whole.length + 1;
  });
  if (entries.length === 0) fail("bad-file", { length: text.length }, "an XDS.INP file holds lines KEY= value; is this one?");
  const value = { text, entries };
  return { value, warnings: checks(value) };
}
/** Values of a key in the order of the file; case does not count. */
export function xdsValues(x: XdsInp, key: string): readonly string[] {
  const wanted = key.toUpperCase();
  return x.entries.filter((e) => e.key === wanted).map((e) => e.value);
}
/** Numbers of the last entry of a key; an empty list when it is absent. */
export function xdsNumbers(x: XdsInp, key: string): readonly number[] {
  return words(xdsValues(x, key).at(-1) ?? "").map(parseNumber);
}
/** A copy with a key set: the value of its last entry is replaced in place, or a line is added at the end. */
export function withXdsValue(x: XdsInp, key: string, value: string): XdsInp {
  if (/[\r\n!]/.test(value)) fail("bad-value", { key, value }, "a value of XDS.INP holds neither line ends nor comments");
  const wanted = key.toUpperCase();
  const entry = x.entries.findLast((e) => e.key === wanted);
  const text = entry
    ? `${x.text.slice(0, entry.start)}${entry.start > 0 && x.text[entry.start - 1] === "=" ? " " : ""}${value}${x.text.slice(entry.end)}`
    : `${x.text}${x.text === "" || x.text.endsWith("\n") ? "" : "\n"}${wanted}= ${value}\n`;
  return parseXdsInp(text).value;
}
export function writeXdsInp(x: XdsInp): string {
  return x.text;
}
/** Make an XDS.INP file from keys and values; a list repeats the key. */
export function xdsInpOf(values: Readonly<Record<string, string | number | readonly (string | number)[]>>): XdsInp {
  const lines = Object.entries(values).flatMap(([k, v]) =>
    (Array.isArray(v) ? (v as readonly (string | number)[]) : [v as string | number]).map((one) => `${k}= ${one}\n`),
  );
  return parseXdsInp(lines.join("")).value;
}
function checks(x: XdsInp): readonly string[] {
  const one = (key: string): number | undefined => xdsNumbers(x, key)[0];
  const [ox, oy, nx, ny] = ["ORGX", "ORGY", "NX", "NY"].map(one);
  const distance = one("DETECTOR_DISTANCE");
  const out = [
    ...checkMetadata({
      wavelength: one("X-RAY_WAVELENGTH") ?? Number.NaN,
      pixelMm: one("QX"),
      // Negative where the detector normal points to the crystal.
      distanceMm: distance === undefined ? undefined : Math.abs(distance),
      oscillationDeg: one("OSCILLATION_RANGE"),
      ...(ox !== undefined && oy !== undefined ? { center: [ox, oy] as const } : {}),
      ...(nx !== undefined && ny !== undefined ? { imageSize: [nx, ny] as const } : {}),
    }),
  ];
  // XDS of X-ray data is legitimate: a wavelength of X-rays is no fault of the file.
  return out.filter((w) => !w.includes("X-rays"));
}
