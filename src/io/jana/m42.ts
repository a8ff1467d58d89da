import { fail } from "../../core/errors.js";
import { parseNumber } from "../number.js";
import { decodeText, type Parsed, type TextInput, warningList, words } from "../text.js";
import { type JanaLine, janaLines, janaSeparator, parseJanaLine, writeJanaLine } from "./fields.js";

/** One frame ("zone") of a dynamical refinement. */
export interface M42Zone {
  readonly number: number;
  /** R of the frame in percent, as the comment above it says. NaN: not given. */
  readonly rPercent: number;
  /** Zone axis, the largest component ±1. */
  readonly u: number;
  readonly v: number;
  readonly w: number;
  readonly alphaDeg: number;
  readonly betaDeg: number;
  /** Precession semi-angle, or half the width of the virtual frame. */
  readonly phiDeg: number;
  /** Two flags behind the angles, as written (`T   1`). */
  readonly flags: string;
  /** Amplitude scale: I_calc is multiplied by its square. */
  readonly scale: number;
  /** Å. */
  readonly thickness: number;
  readonly xNorm: number;
  readonly yNorm: number;
  /** Orientation corrections of the frame, degrees. */
  readonly edPhi: number;
  readonly edTheta: number;
  /** Refinement keys of scale, thickness, xNorm, yNorm, and of edPhi, edTheta. */
  readonly keys: readonly [main: string, orientation: string];
}
/** S.u. of a zone's six refinable numbers, in the order scale, thickness, xNorm, yNorm, edPhi, edTheta. */
export interface M42ZoneSu {
  readonly number: number;
  readonly values: readonly number[];
}
/** A name of the command block and its words, e.g. `sgmaxr` and `["0.1"]`. Order and line breaks are kept. */
export type M42Command = readonly [name: string, ...args: string[]];
/** Electron-diffraction settings and zones of JANA2020 (Dyngo). */
export interface M42 {
  /** Lines of the command block, each a list of commands. */
  readonly commands: readonly (readonly M42Command[])[];
  /** Orientation matrix UB, row-major, columns a*, b*, c* in Å⁻¹. */
  readonly ub: readonly number[] | undefined;
  /** Parameter lines before the first zone: tilt correction, mosaicity tensor, … */
  readonly head: readonly JanaLine[];
  readonly zones: readonly M42Zone[];
  readonly su: { readonly head: readonly JanaLine[]; readonly zones: readonly M42ZoneSu[] } | undefined;
}

/** Read an m42 file, loose or as embedded in a CIF. @throws bad-file with the line number */
export function parseM42(input: TextInput): Parsed<M42> {
  const lines = janaLines(decodeText(input, "m42"));
  const warnings = warningList();
  const bad = (i: number, hint: string): never => fail("bad-file", { line: i + 1, found: (lines[i] ?? "end of file").slice(0, 80) }, hint);
  if (lines[0]?.trim().toLowerCase() !== "commands") bad(0, "an m42 file opens with the line: commands");
  const commands: M42Command[][] = [];
  let ub: readonly number[] | undefined;
  let i = 1;
  for (; i < lines.length && lines[i]!.trim().toLowerCase() !== "end"; i++) {
    const w = words(lines[i]!);
    if (w[0]?.toLowerCase() === "ormat") {
      ub = [1, 2, 3].flatMap((r) => words(lines[i + r] ?? "").map(parseNumber));
      if (ub.length !== 9 || ub.some(Number.isNaN)) bad(i + 1, "three lines of three numbers follow ormat");
      commands.push([["ormat"]]);
      i += 3;
    } else if (w.length > 0) commands.push(splitCommands(w));
  }
  if (i >= lines.length) bad(i, "the command block of an m42 file closes with the line: end");
  i++;
  if (/^\*{5,}/.test(lines[i] ?? "")) i++;
  const cut = lines.findIndex((l, k) => k >= i && janaSeparator(l) !== undefined);
  const body = zoneLines(lines, i, cut < 0 ? lines.length : cut);
  const zones = body.zones.map((z) => zoneOf(z, bad));
  const announced = Number(m42Setting({ commands }, "nzones")?.[0]);
  if (Number.isFinite(announced) && announced !== zones.length)
    warnings.add(`nzones announces ${announced} zones, the file holds ${zones.length}`);
  let su: M42["su"];
  if (cut >= 0 && /^s\.u\./i.test(janaSeparator(lines[cut]!)!)) {
    const end = lines.findIndex((l, k) => k > cut && janaSeparator(l) !== undefined);
    const part = zoneLines(lines, cut + 1, end < 0 ? lines.length : end);
    su = { head: part.head, zones: part.zones.map((z) => ({ number: z.number, values: z.lines.flatMap((l) => l.values) })) };
    if (su.zones.length !== zones.length) warnings.add(`the s.u. block has ${su.zones.length} zones, the parameters have ${zones.length}`);
  }
  return { value: { commands, ub, head: body.head, zones, su }, warnings: warnings.list() };
}
/** `name value [value …]` repeated: a word that is no number opens a new command. */
function splitCommands(w: readonly string[]): M42Command[] {
  const out: [string, ...string[]][] = [];
  for (const word of w) {
    if (out.length === 0 || Number.isNaN(parseNumber(word))) out.push([word]);
    else out.at(-1)!.push(word);
  }
  return out;
}
interface RawZone {
  readonly number: number;
  readonly rPercent: number;
  readonly at: number;
  readonly lines: JanaLine[];
}
function zoneLines(lines: readonly string[], from: number, to: number): { head: JanaLine[]; zones: RawZone[] } {
  const head: JanaLine[] = [],
    zones: RawZone[] = [];
  for (let i = from; i < to; i++) {
    const m = /^#\s*Zone\s+(\d+)\s*(\S*)/i.exec(lines[i]!);
    if (m) zones.push({ number: Number(m[1]), rPercent: m[2] ? parseNumber(m[2]) : Number.NaN, at: i, lines: [] });
    else if (lines[i]!.trim() !== "") (zones.at(-1)?.lines ?? head).push(parseJanaLine(lines[i]!, i + 1, "m42"));
  }
  return { head, zones };
}
function zoneOf({ number, rPercent, at, lines: [axis, main, orientation] }: RawZone, bad: (i: number, hint: string) => never): M42Zone {
  if (!axis || !main || !orientation || axis.values.length < 6 || main.values.length < 4 || orientation.values.length < 2)
    return bad(at, "a zone has three lines: u v w alpha beta phi; scale thickness xnorm ynorm; EDphi EDtheta");
  const [u, v, w, alphaDeg, betaDeg, phiDeg] = axis.values as [number, number, number, number, number, number];
  const [scale, thickness, xNorm, yNorm] = main.values as [number, number, number, number];
  const [edPhi, edTheta] = orientation.values as [number, number];
  return {
    number,
    rPercent,
    u,
    v,
    w,
    alphaDeg,
    betaDeg,
    phiDeg,
    flags: axis.keys,
    scale,
    thickness,
    xNorm,
    yNorm,
    edPhi,
    edTheta,
    keys: [main.keys, orientation.keys],
  };
}

/** Words of a command of the m42 block (`gmax`, `sgmax`, `sgmaxr`, `csgmaxr`, `dsgmin`, `intsteps`, `thickmodel`, …); case does not count. */
export function m42Setting(m: Pick<M42, "commands">, name: string): readonly string[] | undefined {
  const wanted = name.toLowerCase();
  for (const line of m.commands) for (const [n, ...args] of line) if (n.toLowerCase() === wanted) return args;
  return undefined;
}
/** A copy with one command set, where it stands, or in a line of its own at the end. */
export function withM42Setting(m: M42, name: string, ...args: readonly (string | number)[]): M42 {
  const wanted = name.toLowerCase(),
    text = args.map(String);
  if (m42Setting(m, name) === undefined) return { ...m, commands: [...m.commands, [[name, ...text]]] };
  return { ...m, commands: m.commands.map((line) => line.map((c): M42Command => (c[0].toLowerCase() === wanted ? [c[0], ...text] : c))) };
}

/** Write an m42 file; one that JANA wrote comes back line for line. */
export function writeM42(m: M42, lineEnd = "\n"): string {
  const out = ["commands"];
  for (const line of m.commands) {
    out.push(line.map((c) => c.join(" ")).join(" "));
    if (line[0]?.[0].toLowerCase() === "ormat" && m.ub)
      for (const r of [0, 3, 6])
        out.push(
          m.ub
            .slice(r, r + 3)
            .map((v) => v.toFixed(6).padStart(12))
            .join(""),
        );
  }
  out.push("end", "*".repeat(79), ...m.head.map(writeJanaLine));
  for (const z of m.zones) {
    out.push(`# Zone ${z.number}${Number.isNaN(z.rPercent) ? "" : ` ${z.rPercent.toFixed(4)}`}`);
    out.push(writeJanaLine({ values: [z.u, z.v, z.w, z.alphaDeg, z.betaDeg, z.phiDeg], keys: z.flags }));
    out.push(writeJanaLine({ values: [z.scale, z.thickness, z.xNorm, z.yNorm], keys: z.keys[0] }));
    out.push(writeJanaLine({ values: [z.edPhi, z.edTheta], keys: z.keys[1] }));
  }
  if (m.su) {
    out.push(`${"-".repeat(28)}   s.u. block   ${"-".repeat(35)}`, ...m.su.head.map(writeJanaLine));
    for (const z of m.su.zones)
      out.push(
        `# Zone ${z.number}`,
        writeJanaLine({ values: z.values.slice(0, 4), keys: "" }),
        writeJanaLine({ values: z.values.slice(4), keys: "" }),
      );
    out.push("-".repeat(79));
  }
  return out.join(lineEnd) + lineEnd;
}
