import { fail } from "../../core/errors.js";
import { decodeText, type Parsed, type TextInput, warningList } from "../text.js";
import { type JanaLine, janaField, janaLines, janaSeparator, janaValues, parseJanaLine, writeJanaLine } from "./fields.js";

/** One atom of an m40 file. Fractional coordinates; displacements in Å². */
export interface M40Atom {
  readonly name: string;
  /** Number of the atom type in the m50 file, from 1. */
  readonly type: number;
  /** 1 isotropic, 2 anisotropic; higher for anharmonic terms. */
  readonly adp: number;
  readonly occupancy: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** U11 U22 U33 U12 U13 U23, or U_iso in the first place. */
  readonly u: readonly number[];
  /** Refinement keys: occupancy, x, y, z, then the six displacements. */
  readonly keys: string;
  /** What stands behind the coordinates: modulation and multipole flags. */
  readonly flags: string;
  /** Further lines of the atom (anharmonic terms, waves). */
  readonly more: readonly JanaLine[];
}
/** Parameters of a structure in JANA: scales, twin fractions, extinction, atoms, and again all of it as standard uncertainties. */
export interface M40 {
  /** Integers of the first line; the first is the number of atoms. */
  readonly counts: readonly number[];
  /** Lines before the first atom: scale factors, overall terms, extinction. */
  readonly head: readonly JanaLine[];
  readonly atoms: readonly M40Atom[];
  readonly su: { readonly head: readonly JanaLine[]; readonly atoms: readonly M40Atom[] } | undefined;
  /** Remaining parts as they stand: saved points, critical points, Fourier maxima. */
  readonly rest: readonly { readonly title: string; readonly separator: string; readonly lines: readonly string[] }[];
  readonly suSeparator: string | undefined;
}

/** Read an m40 file, loose or as embedded in a CIF. @throws bad-file with the line number */
export function parseM40(input: TextInput): Parsed<M40> {
  const lines = janaLines(decodeText(input, "m40"));
  const warnings = warningList();
  const counts = (lines[0] ?? "").match(/-?\d+/g)?.map(Number) ?? [];
  if (counts.length === 0 || /[^\s\d-]/.test(lines[0] ?? ""))
    fail(
      "bad-file",
      { line: 1, found: (lines[0] ?? "").slice(0, 60) },
      "an m40 file opens with a line of integers, the first of which is the number of atoms",
    );
  const cuts = lines.map((l, i) => [janaSeparator(l), i] as const).filter((c): c is readonly [string, number] => c[0] !== undefined);
  const end = cuts[0]?.[1] ?? lines.length;
  const { head, atoms } = parameters(lines, 1, end);
  if (atoms.length !== counts[0]) warnings.add(`the first line announces ${counts[0]} atoms, the file holds ${atoms.length}`);
  let su: M40["su"], suSeparator: string | undefined;
  const rest: M40["rest"][number][] = [];
  cuts.forEach(([title, at], k) => {
    const to = cuts[k + 1]?.[1] ?? lines.length;
    if (/^s\.u\.|^e\.s\.d\./i.test(title)) {
      su = parameters(lines, at + 1, to);
      suSeparator = lines[at];
      if (su.atoms.length !== atoms.length)
        warnings.add(`the s.u. block has ${su.atoms.length} atoms, the parameters have ${atoms.length}`);
    } else rest.push({ title, separator: lines[at]!, lines: lines.slice(at + 1, to) });
  });
  return { value: { counts, head, atoms, su, rest, suSeparator }, warnings: warnings.list() };
}
/** An atom opens with its name in the first column; parameter lines open with a blank, a digit or a minus sign. */
function parameters(lines: readonly string[], from: number, to: number): { head: JanaLine[]; atoms: M40Atom[] } {
  const head: JanaLine[] = [],
    atoms: M40Atom[] = [];
  for (let i = from; i < to; i++) {
    const line = lines[i]!;
    if (!/^[A-Za-z]/.test(line)) {
      const parsed = parseJanaLine(line, i + 1, "m40");
      if (atoms.length === 0) head.push(parsed);
      else {
        const last = atoms.at(-1)!;
        atoms[atoms.length - 1] =
          last.u.length === 0 && last.more.length === 0
            ? { ...last, u: parsed.values, keys: parsed.keys }
            : { ...last, more: [...last.more, parsed] };
      }
      continue;
    }
    const place = janaValues(line, 18, 4, i + 1, "m40");
    if (place.length < 4)
      fail(
        "bad-file",
        { line: i + 1, found: line.slice(0, 60) },
        "an atom line of an m40 file holds occupancy, x, y and z in columns 19 to 54",
      );
    atoms.push({
      name: line.slice(0, 8).trim(),
      type: integer(line.slice(8, 11)),
      adp: integer(line.slice(11, 14)),
      occupancy: place[0]!,
      x: place[1]!,
      y: place[2]!,
      z: place[3]!,
      u: [],
      keys: "",
      flags: line.slice(54).trimEnd(),
      more: [],
    });
  }
  return { head, atoms };
}
const integer = (text: string): number => (/^\s*\d+\s*$/.test(text) ? Number(text) : 0);

/** Write an m40 file; one that JANA wrote comes back line for line. */
export function writeM40(m: M40, lineEnd = "\n"): string {
  const out = [m.counts.map((c) => String(c).padStart(5)).join("")];
  const part = (head: readonly JanaLine[], atoms: readonly M40Atom[], isSu: boolean): void => {
    for (const h of head) out.push(writeJanaLine(h));
    for (const a of atoms) {
      if (a.name.length > 8) fail("bad-value", { name: a.name }, "an atom name in JANA has at most eight characters");
      const ints = isSu && a.type === 0 && a.adp === 0 ? "      " : `${String(a.type).padStart(3)}${String(a.adp).padStart(3)}`;
      out.push(`${a.name.padEnd(8)}${ints}    ${[a.occupancy, a.x, a.y, a.z].map(janaField).join("")}${a.flags}`);
      if (a.u.length > 0) out.push(writeJanaLine({ values: a.u, keys: a.keys }));
      for (const line of a.more) out.push(writeJanaLine(line));
    }
  };
  part(m.head, m.atoms, false);
  if (m.su) {
    out.push(m.suSeparator ?? `${"-".repeat(26)}   s.u. block   ${"-".repeat(38)}`);
    part(m.su.head, m.su.atoms, true);
  }
  for (const r of m.rest) out.push(r.separator, ...r.lines);
  return out.join(lineEnd) + lineEnd;
}
