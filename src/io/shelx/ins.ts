import { fail } from "../../core/errors.js";
import { checkMetadata } from "../metadata-checks.js";
import { parseNumber } from "../number.js";
import { type Parsed, type TextInput, warningList } from "../text.js";
import { isShelxKeyword, parseShelxDocument, type ShelxDocument, type ShelxInstruction, shelxLine } from "./instructions.js";

/** An atom of an INS or RES file. Numbers are as written: 10 is added to fixed parameters, and ±10m + p refers to free variable m; see `shelxParameter`. */
export interface ShelxAtom {
  readonly name: string;
  /** Number of the scatterer in SFAC, from 1. */
  readonly sfac: number;
  readonly x: number;
  readonly y: number;
  readonly z: number;
  /** Site occupation factor, 11 for a fully occupied general position. */
  readonly occupancy: number;
  /** U_iso alone (negative: times U_eq of the atom before), or U11 U22 U33 U23 U13 U12, in that order. */
  readonly u: readonly number[];
  readonly part: number;
  readonly afix: number;
  readonly residue: string;
  readonly line: number;
}
/** A scatterer: an element of the built-in tables, or one with its own form factor Σ a·exp(−b·s²) + c, s = sinθ/λ. */
export interface ShelxScatterer {
  readonly label: string;
  readonly coefficients:
    | {
        readonly a: readonly number[];
        readonly b: readonly number[];
        readonly c: number;
        /** f′, f″, absorption, bond radius, atomic weight, as far as they are given. */
        readonly rest: readonly number[];
      }
    | undefined;
}
/** What an INS or RES file says of the crystal. Every instruction, known here or not, is in `document`. */
export interface ShelxFile {
  readonly document: ShelxDocument;
  readonly title: string;
  /** Å. */
  readonly wavelength: number;
  /** a b c in Å, α β γ in degrees; and their s.u. from ZERR. */
  readonly cell: readonly [number, number, number, number, number, number];
  readonly cellSu: readonly number[] | undefined;
  readonly formulaUnits: number;
  /** LATT: 1 P, 2 I, 3 R (obverse, hexagonal axes), 4 F, 5 A, 6 B, 7 C; negative without inversion centre. */
  readonly latt: number;
  /** SYMM operators besides x,y,z, as written. */
  readonly symm: readonly string[];
  readonly scatterers: readonly ShelxScatterer[];
  readonly unit: readonly number[];
  /** Free variables; the first is the overall scale. */
  readonly freeVariables: readonly number[];
  readonly atoms: readonly ShelxAtom[];
  /** Peaks of the difference map (Q1, Q2, …), kept apart from the atoms; `u[1]` is the height. */
  readonly peaks: readonly ShelxAtom[];
  /** HKLF: format number, scale and the 3×3 matrix if given. */
  readonly hklf: readonly number[] | undefined;
  readonly temperatureC: number;
}

/** Read a SHELX INS or RES file. @throws bad-file with the line number when CELL is missing or an instruction lacks a number */
export function parseShelx(input: TextInput): Parsed<ShelxFile> {
  const document = parseShelxDocument(input);
  const warnings = warningList();
  const all = (keyword: string): readonly ShelxInstruction[] => document.instructions.filter((x) => x.keyword === keyword);
  const numbers = (x: ShelxInstruction | undefined, least: number): readonly number[] | undefined => {
    if (!x) return undefined;
    const out = x.args.map(parseNumber);
    if (out.length < least || out.slice(0, least).some(Number.isNaN))
      fail("bad-file", { line: x.line, found: `${x.keyword} ${x.args.join(" ")}`.slice(0, 80) }, `${x.keyword} takes ${least} numbers`);
    return out;
  };
  const cell =
    numbers(all("CELL")[0], 7) ??
    fail("bad-file", { instructions: document.instructions.length }, "a SHELX file has an instruction CELL: wavelength, a b c, α β γ");
  const zerr = numbers(all("ZERR")[0], 7);
  const free = all("FVAR").flatMap((x) => numbers(x, 1) ?? []);
  const scatterers = all("SFAC").flatMap(scatterersOf);
  const { atoms, peaks } = atomsOf(document, scatterers.length, warnings.add);
  const cellValues = cell.slice(1, 7) as unknown as ShelxFile["cell"];
  for (const w of checkMetadata({ wavelength: cell[0], cell: cellValues })) if (!w.includes("X-rays")) warnings.add(w);
  const temperature = numbers(all("TEMP")[0], 1)?.[0];
  return {
    value: {
      document,
      title: all("TITL").map((x) => x.args[0] ?? "")[0] ?? "",
      wavelength: cell[0]!,
      cell: cellValues,
      cellSu: zerr?.slice(1, 7),
      formulaUnits: zerr?.[0] ?? Number.NaN,
      latt: numbers(all("LATT")[0], 1)?.[0] ?? 1,
      symm: all("SYMM").map((x) => x.args.join(" ")),
      scatterers,
      unit: numbers(all("UNIT")[0], 1) ?? [],
      freeVariables: free,
      atoms,
      peaks,
      hklf: numbers(all("HKLF")[0], 1),
      temperatureC: temperature ?? Number.NaN,
    },
    warnings: warnings.list(),
  };
}
/** `SFAC C H N`, or `SFAC El a1 b1 … a4 b4 c f′ f″ µ r wt`. */
function scatterersOf({ args, line }: ShelxInstruction): readonly ShelxScatterer[] {
  const second = parseNumber(args[1] ?? "");
  if (Number.isNaN(second)) return args.map((label) => ({ label, coefficients: undefined }));
  const v = args.slice(1).map(parseNumber);
  if (v.length < 9 || v.some(Number.isNaN))
    return fail(
      "bad-file",
      { line, scatterer: args[0], numbers: v.length },
      "SFAC with coefficients takes a1 b1 … a4 b4 c and up to five further numbers",
    );
  const pick = (odd: number): number[] => [0, 2, 4, 6].map((i) => v[i + odd]!);
  return [{ label: args[0]!, coefficients: { a: pick(0), b: pick(1), c: v[8]!, rest: v.slice(9) } }];
}
function atomsOf(document: ShelxDocument, scatterers: number, warn: (text: string) => void): { atoms: ShelxAtom[]; peaks: ShelxAtom[] } {
  const atoms: ShelxAtom[] = [],
    peaks: ShelxAtom[] = [];
  let part = 0,
    afix = 0,
    residue = "",
    fragment = false;
  for (const x of document.instructions) {
    if (x.keyword === "") continue;
    if (x.keyword === "PART") part = parseNumber(x.args[0] ?? "0") || 0;
    else if (x.keyword === "AFIX") afix = parseNumber(x.args[0] ?? "0") || 0;
    else if (x.keyword === "RESI") residue = x.args.join(" ");
    else if (x.keyword === "FRAG") fragment = true;
    else if (x.keyword === "FEND") fragment = false;
    else if (x.keyword === "+" || isShelxKeyword(x.keyword) || fragment) continue;
    else {
      const v = x.args.map(parseNumber);
      if (v.length < 4 || v.slice(0, 4).some(Number.isNaN)) {
        warn(`line ${x.line}: ${x.keyword} is neither a known instruction nor an atom; it is kept as it stands`);
        continue;
      }
      const atom: ShelxAtom = {
        name: x.keyword,
        sfac: v[0]!,
        x: v[1]!,
        y: v[2]!,
        z: v[3]!,
        occupancy: v[4] ?? 11,
        u: v.slice(5),
        part,
        afix,
        residue,
        line: x.line,
      };
      if (/^Q\d+$/i.test(atom.name)) peaks.push(atom);
      else {
        if (scatterers > 0 && (atom.sfac > scatterers || atom.sfac < 1))
          warn(`line ${x.line}: atom ${atom.name} refers to scatterer ${atom.sfac}, SFAC has ${scatterers}`);
        atoms.push(atom);
      }
    }
  }
  return { atoms, peaks };
}

/** Meaning of a parameter as SHELX writes it (SHELXL manual, FVAR): its value now, and whether it is fixed or tied to a free variable. */
export interface ShelxParameter {
  readonly value: number;
  readonly kind: "free" | "fixed" | "tied";
  /** Number of the free variable a tied parameter refers to. */
  readonly variable: number;
}
/** Decode 10m + p: m = 0 free, 1 fixed at p; m > 1 p·fv(m); m < −1 p·(fv(−m) − 1), p then being negative as written. */
export function shelxParameter(written: number, freeVariables: readonly number[] = []): ShelxParameter {
  const m = Math.trunc((Math.abs(written) + 5) / 10) * Math.sign(written);
  if (m === 0) return { value: written, kind: "free", variable: 0 };
  const p = written - 10 * m;
  if (m === 1 || m === -1) return { value: p, kind: "fixed", variable: 0 };
  const variable = Math.abs(m),
    fv = freeVariables[variable - 1] ?? Number.NaN;
  return { value: m > 0 ? p * fv : p * (fv - 1), kind: "tied", variable };
}

export interface ShelxInput {
  readonly title: string;
  readonly wavelength: number;
  readonly cell: readonly number[];
  readonly cellSu?: readonly number[] | undefined;
  readonly formulaUnits?: number | undefined;
  readonly latt: number;
  readonly symm: readonly string[];
  readonly scatterers: readonly ShelxScatterer[];
  readonly unit: readonly number[];
  readonly atoms?: readonly Omit<ShelxAtom, "line" | "part" | "afix" | "residue">[] | undefined;
  readonly freeVariables?: readonly number[] | undefined;
  /** Further instructions, each with its words, put before the atoms. */
  readonly instructions?: readonly (readonly [keyword: string, ...args: (string | number)[]])[] | undefined;
  /** Format number, scale, matrix; default 4. */
  readonly hklf?: readonly number[] | undefined;
}
/** Write an INS file from its parts. Electron form factors are scatterers with coefficients. */
export function writeShelx(s: ShelxInput): string {
  const out = [shelxLine("TITL", [s.title.replace(/[\r\n]+/g, " ")])];
  out.push(shelxLine("CELL", [s.wavelength.toFixed(5), ...s.cell.map((v, i) => v.toFixed(i < 3 ? 5 : 4))]));
  out.push(
    shelxLine("ZERR", [
      s.formulaUnits ?? 1,
      ...(s.cellSu ?? [0, 0, 0, 0, 0, 0]).map((v, i) => (Number.isFinite(v) ? v : 0).toFixed(i < 3 ? 5 : 4)),
    ]),
  );
  out.push(shelxLine("LATT", [s.latt]), ...s.symm.map((op) => shelxLine("SYMM", [op])));
  const builtIn = s.scatterers.every((x) => !x.coefficients);
  if (builtIn && s.scatterers.length > 0)
    out.push(
      shelxLine(
        "SFAC",
        s.scatterers.map((x) => x.label),
      ),
    );
  else
    for (const { label, coefficients: f } of s.scatterers) {
      if (!f)
        fail(
          "bad-value",
          { scatterer: label },
          "give coefficients for every scatterer or for none: SHELX would mix electron and X-ray form factors",
        );
      else out.push(shelxLine("SFAC", [label, ...f.a.flatMap((a, i) => [a, f.b[i] ?? 0]), f.c, ...f.rest]));
    }
  if (s.unit.length > 0) out.push(shelxLine("UNIT", s.unit));
  for (const [keyword, ...args] of s.instructions ?? []) out.push(shelxLine(keyword, args));
  if (s.freeVariables && s.freeVariables.length > 0) out.push(shelxLine("FVAR", s.freeVariables));
  for (const a of s.atoms ?? [])
    out.push(
      shelxLine(a.name.padEnd(4), [
        a.sfac,
        ...[a.x, a.y, a.z].map((v) => v.toFixed(6).padStart(11)),
        a.occupancy.toFixed(5),
        ...a.u.map((v) => v.toFixed(5)),
      ]),
    );
  out.push(shelxLine("HKLF", s.hklf ?? [4]), "END\n");
  return out.join("");
}
