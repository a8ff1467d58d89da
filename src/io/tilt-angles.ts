import { fail } from "../core/errors.js";
import { parseNumber } from "./number.js";
import { decodeText, type TextInput } from "./text.js";

/**
 * Numbers of an angle file: `.tlt`, `.rawtlt` (one tilt a line) or text with several columns, separated by blanks, commas, semicolons or tabs. Lines that
 * begin with #, % or ; and one line of column names are comments.
 * @returns flat [rows, columns]
 * @throws bad-file when a line holds something else or lines differ in length
 */
export function parseAngles(input: TextInput): { readonly values: Float64Array; readonly rows: number; readonly columns: number } {
  const values: number[] = [];
  let columns = 0,
    rows = 0;
  decodeText(input)
    .split(/\r\n|\r|\n/)
    .forEach((raw, i) => {
      const line = raw.replace(/[#%].*$/, "").trim();
      if (!line || line.startsWith(";")) return;
      const words = line.split(/[\s,;]+/).filter(Boolean);
      const numbers = words.map(Number);
      if (numbers.some((n) => !Number.isFinite(n))) {
        if (rows === 0 && words.every((w) => /^[A-Za-z_θφψ°()[\]]+$/u.test(w))) return; // column names
        fail("bad-file", { line: i + 1, text: line.slice(0, 60) }, "an angle file holds numbers alone, in degrees, one view a line");
      }
      columns ||= numbers.length;
      if (numbers.length !== columns)
        fail(
          "bad-file",
          { line: i + 1, numbers: numbers.length, before: columns },
          "all lines of an angle file have the same number of columns",
        );
      rows++;
      values.push(...numbers);
    });
  if (rows === 0) fail("bad-file", { rows }, "the angle file is empty: one view a line, degrees");
  return { values: Float64Array.from(values), rows, columns };
}

/** One image section `[ZValue = n]` of a SerialEM `.mdoc`, or its global part. */
export interface MdocSection {
  readonly zValue: number | undefined;
  readonly fields: Readonly<Record<string, string>>;
}
export interface Mdoc {
  /** Lines before the first section, and titles [T = …]. */
  readonly global: Readonly<Record<string, string>>;
  readonly titles: readonly string[];
  readonly sections: readonly MdocSection[];
  /** From the fields, where stated. */
  readonly pixelAngstrom: number | undefined;
  readonly voltageKv: number | undefined;
  /** Direction of the tilt axis from the image's y towards … as SerialEM writes it (RotationAngle or "Tilt axis angle"), degrees. */
  readonly axisAngleDeg: number | undefined;
  /** TiltAngle of each section, in order of ZValue. */
  readonly tiltsDeg: Float64Array;
}

/**
 * A SerialEM `.mdoc`. Sections are sorted by ZValue, so tilts follow the sections of the stack.
 * @throws bad-file when there is no section or one lacks its TiltAngle
 */
export function parseMdoc(input: TextInput): Mdoc {
  const global: Record<string, string> = {},
    titles: string[] = [],
    sections: { zValue: number | undefined; fields: Record<string, string> }[] = [];
  let here: Record<string, string> = global;
  for (const raw of decodeText(input).split(/\r\n|\r|\n/)) {
    const line = raw.trim();
    const head = /^\[\s*(\w+)\s*=\s*(.*?)\s*\]$/.exec(line);
    if (head) {
      const [, kind, text] = head as unknown as [string, string, string];
      if (kind === "T") titles.push(text);
      else {
        here = {};
        if (kind === "ZValue" || kind === "FrameSet") sections.push({ zValue: parseNumber(text) ?? undefined, fields: here });
      }
      continue;
    }
    const at = line.indexOf("=");
    if (at > 0) here[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  if (sections.length === 0) fail("bad-file", { sections: 0 }, "a .mdoc has a section [ZValue = n] for every image");
  const sorted = sections
    .map((s, i) => ({ ...s, order: Number.isFinite(s.zValue) ? s.zValue! : i }))
    .sort((a, b) => a.order - b.order)
    .map(({ zValue, fields }) => ({ zValue, fields }));
  const number = (text: string | undefined): number | undefined => {
    const n = text === undefined || text === "" ? Number.NaN : Number(text.split(/\s+/)[0]);
    return Number.isFinite(n) ? n : undefined;
  };
  const first = sorted[0]!.fields;
  const tiltsDeg = Float64Array.from(
    sorted,
    (s, i) =>
      number(s.fields.TiltAngle) ??
      fail("bad-file", { section: s.zValue ?? i }, "a section of the .mdoc has no TiltAngle: give the angles in a .tlt file"),
  );
  const axis = titles.map((t) => /tilt axis angle\s*=\s*(-?[\d.]+)/i.exec(t)?.[1]).find((t) => t !== undefined);
  return {
    global,
    titles,
    sections: sorted,
    pixelAngstrom: number(global.PixelSpacing) ?? number(first.PixelSpacing),
    voltageKv: number(global.Voltage) ?? number(first.Voltage),
    axisAngleDeg: number(axis) ?? number(first.RotationAngle),
    tiltsDeg,
  };
}
