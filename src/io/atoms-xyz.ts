import { fail } from "../core/errors.js";
import { parseNumber } from "./number.js";
import { decodeText, type Parsed, type TextInput, warningList } from "./text.js";

/** A column of an extended XYZ file besides species and positions; text columns hold strings. */
export interface XyzColumn {
  readonly kind: "real" | "integer" | "logical" | "text";
  /** Values of one atom. */
  readonly width: number;
  /** Shape [n, width]. */
  readonly values: Float64Array | readonly string[];
}
/** One frame of an .xyz file. Å, atoms as listed. */
export interface XyzFrame {
  /** As the file names them: "Si", "14", "Si1". */
  readonly species: readonly string[];
  /** Shape [n, 3]. */
  readonly positions: Float64Array;
  /** Rows a, b, c of `Lattice="…"`, shape [3, 3]. */
  readonly lattice?: Float64Array | undefined;
  readonly pbc?: readonly [boolean, boolean, boolean] | undefined;
  readonly columns: Readonly<Record<string, XyzColumn>>;
  /** Other key=value pairs of the comment line, as text. */
  readonly info: Readonly<Record<string, string>>;
  /** The comment line when it is no list of key=value pairs. */
  readonly comment: string;
}

const kinds = { R: "real", I: "integer", L: "logical", S: "text" } as const;
interface Property {
  readonly name: string;
  readonly kind: XyzColumn["kind"];
  readonly width: number;
  readonly at: number;
}

/** key=value pairs of a comment line; values may stand in quotes, braces or brackets. Undefined when the line is plain text. */
function pairs(line: string): Map<string, string> | undefined {
  if (!/(^|\s)[A-Za-z_][\w-]*\s*=/.test(line)) return undefined;
  const out = new Map<string, string>();
  const pattern = /([A-Za-z_][\w\-.]*)(?:\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|\S+))?/g;
  for (const m of line.matchAll(pattern)) {
    const value = m[2] ?? "T";
    out.set(m[1]!, /^["'{[]/.test(value) && value.length > 1 ? value.slice(1, -1) : value);
  }
  return out;
}
const numbers = (text: string): number[] =>
  text
    .split(/[\s,]+/)
    .filter((t) => t !== "")
    .map(parseNumber);

/** Columns of `Properties=name:type:width:…`. */
function propertiesOf(text: string, line: number): Property[] {
  const fields = text.split(":"),
    out: Property[] = [];
  let at = 0;
  for (let i = 0; i < fields.length; i += 3) {
    const kind = kinds[(fields[i + 1] ?? "").toUpperCase() as keyof typeof kinds],
      width = Number(fields[i + 2]);
    if (!kind || !(Number.isInteger(width) && width >= 1 && width <= 1000) || !fields[i])
      fail(
        "bad-file",
        { line, properties: text.slice(0, 80) },
        "Properties is a list name:R|I|L|S:columns, for example species:S:1:pos:R:3",
      );
    out.push({ name: fields[i]!, kind, width, at });
    at += width;
  }
  return out;
}

/**
 * Frames of an .xyz file, plain or extended (Lattice, Properties, pbc and any other pairs), one or many (molecular dynamics). A last frame
 * that was cut off is left out, with a warning.
 * @throws bad-file with the line number
 */
export function parseAtomsXyz(input: TextInput): Parsed<readonly XyzFrame[]> {
  const text = decodeText(input, "XYZ"),
    warnings = warningList(),
    frames: XyzFrame[] = [];
  let p = 0,
    line = 0;
  const next = (): string | undefined => {
    if (p >= text.length) return undefined;
    const end = text.indexOf("\n", p),
      stop = end < 0 ? text.length : end;
    const s = text.slice(p, stop);
    p = stop + 1;
    line++;
    return s.endsWith("\r") ? s.slice(0, -1) : s;
  };
  for (;;) {
    let head = next();
    while (head !== undefined && head.trim() === "") head = next();
    if (head === undefined) break;
    const count = parseNumber(head.trim());
    if (!(Number.isInteger(count) && count >= 0))
      fail("bad-file", { line, text: head.slice(0, 60) }, "an XYZ frame starts with the number of atoms alone on a line");
    const comment = next();
    // An atom takes at least 8 characters ("H 0 0 0\n"): a wrong count must not allocate.
    if (comment === undefined || count > (text.length - p + 1) / 7) {
      if (frames.length === 0)
        fail("bad-file", { line, atoms: count, characters: text.length - p }, "the file is cut: it has fewer lines than atoms");
      warnings.add(`line ${line}: the last frame is cut and is left out`);
      break;
    }
    const frame = frameOf(count, comment, next, () => line);
    if (frame === undefined) {
      if (frames.length === 0) fail("bad-file", { line, atoms: count }, "the file is cut: it has fewer lines than atoms");
      warnings.add(`line ${line}: the last frame is cut and is left out`);
      break;
    }
    frames.push(frame);
  }
  if (frames.length === 0) fail("bad-file", { characters: text.length }, "no frame: an XYZ file starts with the number of atoms");
  return { value: frames, warnings: warnings.list() };
}

function frameOf(n: number, comment: string, next: () => string | undefined, line: () => number): XyzFrame | undefined {
  const given = pairs(comment);
  const key = (name: string): string | undefined => [...(given ?? [])].find(([k]) => k.toLowerCase() === name)?.[1];
  const listed = propertiesOf(key("properties") ?? "species:S:1:pos:R:3", line());
  const species = listed.find((q) => q.name.toLowerCase() === "species") ?? listed.find((q) => q.name === "Z") ?? listed[0]!;
  const pos = listed.find((q) => q.name.toLowerCase() === "pos" || q.name.toLowerCase() === "positions");
  if (pos?.width !== 3 || pos.kind !== "real" || species.width !== 1)
    return fail("bad-file", { line: line(), properties: key("properties") }, "Properties must name species:S:1 and pos:R:3");
  const rest = listed.filter((q) => q !== species && q !== pos);
  const positions = new Float64Array(3 * n),
    names = new Array<string>(n);
  const store = rest.map((q) => (q.kind === "text" ? new Array<string>(n * q.width) : new Float64Array(n * q.width)));
  const wanted = listed.reduce((s, q) => s + q.width, 0);
  for (let i = 0; i < n; i++) {
    const row = next();
    if (row === undefined) return undefined;
    const words = row.trim().split(/\s+/);
    if (words.length < wanted)
      fail(
        "bad-file",
        { line: line(), found: words.length, wanted, text: row.slice(0, 60) },
        "an atom line has fewer columns than the header says",
      );
    names[i] = words[species.at]!;
    for (let k = 0; k < 3; k++) {
      const v = parseNumber(words[pos.at + k]!);
      if (!Number.isFinite(v)) fail("bad-file", { line: line(), text: row.slice(0, 60) }, "positions of an atom are three numbers in Å");
      positions[3 * i + k] = v;
    }
    rest.forEach((q, c) => {
      for (let k = 0; k < q.width; k++) {
        const word = words[q.at + k]!;
        store[c]![i * q.width + k] =
          q.kind === "text" ? word : q.kind === "logical" ? (/^(t|true|1)$/i.test(word) ? 1 : 0) : parseNumber(word);
      }
    });
  }
  const cell = key("lattice") === undefined ? undefined : numbers(key("lattice")!);
  if (cell && (cell.length !== 9 || !cell.every(Number.isFinite)))
    fail("bad-file", { line: line(), lattice: key("lattice")!.slice(0, 80) }, "Lattice holds the nine numbers of a, b, c in Å");
  const pbc = key("pbc")
    ?.trim()
    .split(/[\s,]+/)
    .map((t) => /^(t|true|1)$/i.test(t));
  const info = Object.fromEntries([...(given ?? [])].filter(([k]) => !["lattice", "properties", "pbc"].includes(k.toLowerCase())));
  return {
    species: names,
    positions,
    ...(cell ? { lattice: Float64Array.from(cell) } : {}),
    ...(pbc?.length === 3 ? { pbc: pbc as unknown as [boolean, boolean, boolean] } : {}),
    columns: Object.fromEntries(rest.map((q, c) => [q.name, { kind: q.kind, width: q.width, values: store[c]! }])),
    info,
    comment: given ? "" : comment.trim(),
  };
}

const plain = (v: number): string => String(Object.is(v, -0) ? 0 : v);
const quoted = (v: string): string =>
  /^[^\s="'{}[\]\\]+$/.test(v)
    ? v
    : `"${v
        .replaceAll("\\", "")
        .replaceAll('"', "'")
        .replaceAll(/[\r\n]+/g, " ")}"`;

/**
 * Frames as extended XYZ; numbers keep all their digits. Species, columns and keys must be single words.
 * @throws bad-shape, bad-value
 */
export function writeAtomsXyz(frames: readonly XyzFrame[]): string {
  const out: string[] = [];
  for (const f of frames) {
    const n = f.species.length,
      columns = Object.entries(f.columns);
    if (f.positions.length !== 3 * n || columns.some(([, c]) => c.values.length !== n * c.width))
      fail("bad-shape", { species: n, positions: f.positions.length }, "positions and columns need one row for every species");
    const bad = [...f.species, ...columns.map(([k]) => k), ...Object.keys(f.info)].find((w) => !/^[^\s:="]+$/.test(w));
    if (bad !== undefined) fail("bad-value", { word: bad }, "species, column names and keys are single words without : = or quotes");
    if (!f.positions.every(Number.isFinite)) fail("bad-value", { field: "positions" }, "positions must be finite numbers");
    const letter = { real: "R", integer: "I", logical: "L", text: "S" } as const;
    const head = [
      ...(f.lattice ? [`Lattice="${[...f.lattice].map(plain).join(" ")}"`] : []),
      `Properties=${["species:S:1", "pos:R:3", ...columns.map(([k, c]) => `${k}:${letter[c.kind]}:${c.width}`)].join(":")}`,
      ...(f.pbc ? [`pbc="${f.pbc.map((t) => (t ? "T" : "F")).join(" ")}"`] : []),
      ...Object.entries(f.info).map(([k, v]) => `${k}=${quoted(v)}`),
    ];
    out.push(String(n), head.join(" "));
    for (let i = 0; i < n; i++) {
      const row = [f.species[i]!, plain(f.positions[3 * i]!), plain(f.positions[3 * i + 1]!), plain(f.positions[3 * i + 2]!)];
      for (const [, c] of columns)
        for (let k = 0; k < c.width; k++) {
          const v = c.values[i * c.width + k]!;
          row.push(typeof v === "string" ? v : c.kind === "logical" ? (v ? "T" : "F") : plain(v));
        }
      out.push(row.join(" "));
    }
  }
  return `${out.join("\n")}\n`;
}

/** Kirkland's .xyz (computem, Prismatic, muSTEM's relatives): an orthogonal box and its atoms. */
export interface ComputemXyz {
  readonly title: string;
  /** Å. */
  readonly box: readonly [number, number, number];
  readonly atomicNumbers: Int32Array;
  /** Shape [n, 3], Å. */
  readonly positions: Float64Array;
  readonly occupancy: Float64Array;
  /** Root mean square displacement along one axis, Å. */
  readonly rms: Float64Array;
}
/** @throws bad-file with the line number */
export function parseComputemXyz(input: TextInput): ComputemXyz {
  const lines = decodeText(input, "XYZ").split(/\r\n|\n|\r/);
  const box = numbers(lines[1] ?? "").slice(0, 3);
  if (box.length !== 3 || !box.every((v) => v > 0 && Number.isFinite(v)))
    fail(
      "bad-file",
      { line: 2, text: (lines[1] ?? "").slice(0, 60) },
      "the second line of a computem file holds the box lengths a b c in Å",
    );
  const rows: number[][] = [];
  for (let i = 2; i < lines.length; i++) {
    const row = numbers(lines[i]!);
    if (row.length === 0) continue;
    if (row[0] === -1) break;
    if (row.length < 4 || !row.every(Number.isFinite) || !(Number.isInteger(row[0]) && row[0]! >= 1 && row[0]! <= 118))
      fail("bad-file", { line: i + 1, text: lines[i]!.slice(0, 60) }, "an atom is Z x y z occupancy rms; −1 ends the list");
    rows.push(row);
  }
  if (rows.length === 0) fail("bad-file", { lines: lines.length }, "the file lists no atoms");
  return {
    title: lines[0]!.trim(),
    box: box as unknown as [number, number, number],
    atomicNumbers: Int32Array.from(rows, (r) => r[0]!),
    positions: Float64Array.from(rows.flatMap((r) => r.slice(1, 4))),
    occupancy: Float64Array.from(rows, (r) => r[4] ?? 1),
    rms: Float64Array.from(rows, (r) => r[5] ?? 0),
  };
}
