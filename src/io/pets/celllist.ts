import { fail } from "../../core/errors.js";
import { fixedField, parseNumber } from "../number.js";
import { decodeText, type Parsed, splitLines, type TextInput, warningList, words } from "../text.js";

type Matrix9 = readonly [number, number, number, number, number, number, number, number, number];
type Six = readonly [number, number, number, number, number, number];
/** One lattice of a PETS2 `.celllist` (the `celllist` block of a `.pts` file holds the same). */
export interface PetsCell {
  /** Words behind `cellItem`: `active` or a name. */
  readonly label: string;
  /** UB, row-major; columns a*, b*, c* in Å⁻¹ (1/d). */
  readonly ub: Matrix9 | undefined;
  /** Directions of a, b, c as unit vectors, in the columns, row-major. */
  readonly directions: Matrix9 | undefined;
  /** a b c in Å, α β γ in degrees, and their standard uncertainties. */
  readonly cell: Six | undefined;
  readonly su: Six | undefined;
  readonly volume: number;
  readonly symmetry: string | undefined;
  readonly centering: string | undefined;
  /** Lines of the item with keywords not known here. */
  readonly other: readonly string[];
}
type Draft = { -readonly [K in keyof PetsCell]: PetsCell[K] } & { other: string[] };

/** Read a PETS2 `.celllist`: one item for each lattice, several for twins. @throws bad-file with the line number */
export function parseCelllist(input: TextInput): Parsed<readonly PetsCell[]> {
  const lines = splitLines(decodeText(input, ".celllist"));
  const warnings = warningList();
  const cells: PetsCell[] = [];
  let item: Draft | undefined;
  const numbers = (i: number, list: readonly string[], count: number): number[] => {
    const out = list.slice(0, count).map(parseNumber);
    if (out.length < count || out.some(Number.isNaN))
      fail("bad-file", { line: i + 1, found: lines[i]?.slice(0, 80) }, `${count} numbers are wanted here`);
    return out;
  };
  const matrix = (i: number): Matrix9 => [1, 2, 3].flatMap((r) => numbers(i + r, words(lines[i + r] ?? ""), 3)) as unknown as Matrix9;
  for (let i = 0; i < lines.length; i++) {
    const [word = "", ...rest] = words(lines[i]!),
      key = word.toLowerCase();
    if (key === "" || key.startsWith("#") || key === "celllist" || key === "endcelllist") continue;
    if (key === "cellitem") {
      if (item) warnings.add(`line ${i + 1}: a cellItem opens before the one above is closed`);
      item = {
        label: rest.join(" "),
        ub: undefined,
        directions: undefined,
        cell: undefined,
        su: undefined,
        volume: Number.NaN,
        symmetry: undefined,
        centering: undefined,
        other: [],
      };
      cells.push(item);
    } else if (!item)
      fail(
        "bad-file",
        { line: i + 1, found: lines[i]!.slice(0, 60) },
        "a .celllist holds items that open with cellItem and close with endCellItem",
      );
    else if (key === "endcellitem") item = undefined;
    else if (key === "ubmatrix" || key === "celldir") {
      item[key === "ubmatrix" ? "ub" : "directions"] = matrix(i);
      i += 3;
    } else if (key === "cell") item.cell = numbers(i, rest, 6) as unknown as Six;
    else if (key === "cellsu") item.su = numbers(i, rest, 6) as unknown as Six;
    else if (key === "cellvol") item.volume = numbers(i, rest, 1)[0]!;
    else if (key === "cellsymmetry") item.symmetry = rest.join(" ");
    else if (key === "cellcentering") item.centering = rest.join(" ");
    else item.other.push(lines[i]!);
  }
  if (item) warnings.add("the last cellItem is not closed by endCellItem; the file seems cut");
  if (cells.length === 0) warnings.add("the file lists no cell");
  for (const [i, c] of cells.entries()) if (!c.ub) warnings.add(`cell item ${c.label || i + 1} has no ubmatrix`);
  return { value: cells, warnings: warnings.list() };
}

/** Lines of the items, for a `.celllist` file or the `celllist` block of a `.pts` file. */
export function petsCellLines(cells: readonly PetsCell[]): string[] {
  const rows = (m: Matrix9): string[] => [0, 3, 6].map((k) => [0, 1, 2].map((j) => fixedField(m[k + j]!, 10, 6)).join(""));
  return cells.flatMap((c) => [
    `cellItem${c.label ? ` ${c.label}` : ""}`,
    ...(c.ub ? ["ubmatrix", ...rows(c.ub)] : []),
    ...(c.directions ? ["celldir", ...rows(c.directions)] : []),
    ...(c.cell ? [`cell${c.cell.map((v, i) => fixedField(v, i < 3 ? 10 : 9, i < 3 ? 4 : 3)).join("")}`] : []),
    ...(Number.isFinite(c.volume) ? [`cellvol${fixedField(c.volume, 10, 2)}`] : []),
    ...(c.su ? [`cellsu${c.su.map((v, i) => fixedField(v, i < 3 ? 10 : 9, i < 3 ? 4 : 3)).join("")}`] : []),
    ...(c.symmetry !== undefined ? [`cellSymmetry       ${c.symmetry}`] : []),
    ...(c.centering !== undefined ? [`cellCentering       ${c.centering}`] : []),
    ...c.other,
    "endCellItem",
  ]);
}
export function writeCelllist(cells: readonly PetsCell[]): string {
  return cells.map((c) => `${petsCellLines([c]).join("\r\n")}\r\n\r\n`).join("");
}
