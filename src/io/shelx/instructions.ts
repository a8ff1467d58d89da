import { decodeText, lineEndOf, type TextInput } from "../text.js";

/** One instruction of an INS or RES file with the very lines it was written in. */
export interface ShelxInstruction {
  /** Four-letter keyword in capitals, `""` for blank and comment lines, the atom's name for atoms. */
  readonly keyword: string;
  /** Residue behind an underscore: `DFIX_ALA` has `ALA`. */
  readonly residue: string;
  /** Words behind the keyword, continuation lines joined, a comment behind `!` left out. */
  readonly args: readonly string[];
  /** 1-based line of the instruction; 0 for one that was added. */
  readonly line: number;
  readonly raw: string;
}
/** An INS or RES file. Writing an unchanged one gives the text that was read. */
export interface ShelxDocument {
  readonly instructions: readonly ShelxInstruction[];
  readonly lineEnd: "\n" | "\r\n" | "\r";
}

const known =
  "ABIN ACTA AFIX ANIS ANSC ANSR BASF BIND BLOC BOND BUMP CELL CGLS CHIV CONF CONN DAMP DANG DEFS DELU DFIX DISP EADP END EQIV EXTI EXYZ FEND " +
  "FLAT FMAP FRAG FREE FVAR GRID HFIX HKLF HOPE HTAB ISOR LATT LAUE LIST L.S. MERG MOLE MORE MOVE MPLA NCSY NEUT OMIT PART PLAN PRIG REM RESI RIGU " +
  "RTAB SADI SAME SFAC SHEL SIMU SIZE SPEC STIR SUMP SWAT SYMM TEMP TIME TITL TWIN TWST UNIT WGHT WIGL WPDB XNPD ZERR TREF PATT ESEL PHAN";
let keywords: Set<string> | undefined;
/** Whether a word is a SHELX instruction (SHELXL-2019 and SHELXS); anything else that opens a line is an atom. */
export function isShelxKeyword(word: string): boolean {
  keywords ??= new Set(known.split(" "));
  return keywords.has(word.toUpperCase());
}

/** Split an INS or RES file into instructions. Lines that end in `=` continue on the next one; behind END nothing is an instruction. */
export function parseShelxDocument(input: TextInput): ShelxDocument {
  const text = decodeText(input, "SHELX"),
    raws = text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? [];
  const instructions: ShelxInstruction[] = [];
  let ended = false;
  for (let i = 0; i < raws.length; i++) {
    const first = raws[i]!.replace(/[\r\n]+$/, "");
    const head = /^(\+?[A-Za-z][\w.'"*]*?)(?:_(\S+))?(?=\s|$|!)/.exec(first);
    const word = head?.[1] ?? "";
    const free = /^(REM|TITL)$/i.test(word); // free text: neither comment nor continuation
    if (ended || first.trim() === "" || /^\s/.test(first) || !head || word.startsWith("+")) {
      const keyword = !ended && word.startsWith("+") ? "+" : "";
      instructions.push({ keyword, residue: "", args: keyword ? [first.slice(1).trim()] : [], line: i + 1, raw: raws[i]! });
      continue;
    }
    const line = i + 1;
    const lines = [raws[i]!],
      parts = [free ? first : first.replace(/!.*$/, "")];
    while (!free && parts.at(-1)!.trimEnd().endsWith("=") && i + 1 < raws.length) {
      lines.push(raws[++i]!);
      parts.push(raws[i]!.replace(/[\r\n]+$/, "").replace(/!.*$/, ""));
    }
    const raw = lines.join("");
    const content = parts.map((part, k) => (k < parts.length - 1 ? part.trimEnd().slice(0, -1) : part)).join(" ");
    const keyword = isShelxKeyword(word) ? word.toUpperCase() : word;
    const rest = content.slice(head[0].length).trim();
    instructions.push({ keyword, residue: head[2] ?? "", args: free ? [rest] : rest === "" ? [] : rest.split(/\s+/), line, raw });
    if (keyword === "END") ended = true;
  }
  return { instructions, lineEnd: lineEndOf(text) };
}
export function writeShelxDocument(document: ShelxDocument): string {
  return document.instructions.map((x) => x.raw).join("");
}

/** Text of an instruction, broken with `=` before column 80 as SHELX wants it. */
export function shelxLine(keyword: string, args: readonly (string | number)[], lineEnd = "\n"): string {
  const lines: string[] = [];
  let line = keyword;
  for (const a of args.map(String)) {
    if (line.length + 1 + a.length > 76 && !/^(TITL|REM)$/.test(keyword)) {
      lines.push(`${line} =`);
      line = `  ${a}`;
    } else line += ` ${a}`;
  }
  return [...lines, line].join(lineEnd) + lineEnd;
}
/** A copy with one instruction set: the first of that keyword is rewritten and further ones are taken out, or it is put before HKLF or END. `undefined` takes it out. */
export function withShelxInstruction(
  document: ShelxDocument,
  keyword: string,
  args: readonly (string | number)[] | undefined,
): ShelxDocument {
  const key = keyword.toUpperCase(),
    { instructions, lineEnd } = document;
  const at = instructions.findIndex((x) => x.keyword === key);
  const others = instructions.filter((x, i) => x.keyword !== key || i === at);
  if (args === undefined) return { ...document, instructions: others.filter((x) => x.keyword !== key) };
  const next: ShelxInstruction = {
    keyword: key,
    residue: "",
    args: args.map(String),
    line: instructions[at]?.line ?? 0,
    raw: shelxLine(key, args, lineEnd),
  };
  if (at >= 0) return { ...document, instructions: others.map((x) => (x.keyword === key ? next : x)) };
  const end = instructions.findIndex((x) => x.keyword === "HKLF" || x.keyword === "END");
  const place = end < 0 ? instructions.length : end;
  return { ...document, instructions: [...instructions.slice(0, place), next, ...instructions.slice(place)] };
}
