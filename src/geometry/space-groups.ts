import { fail } from "../core/errors.js";
import { determinant } from "../core/frames.js";
import { printable } from "../core/inspect.js";
import type { CrystalSystem } from "./bravais.js";
import { centringVectors, closeGroup, opsFromHall, orderOps } from "./hall.js";
import { identity3 } from "./metric.js";
import { isPolarClass, pointGroupOf, rotationParts } from "./symmetry.js";
import { formatOp, opKey, type SymOp } from "./symop.js";
import { spaceGroupLines } from "./tables/space-groups.js";

/** A space group in one setting. Everything but the names follows from `ops`. */
export interface SpaceGroup {
  /** 1…530, the tabulated setting; 0 for a setting that is not tabulated. */
  readonly hallNumber: number;
  /** International Tables number, 1…230; 0 when the type is not known. */
  readonly number: number;
  readonly hall: string;
  /** Extended Hermann–Mauguin symbol, e.g. "P 1 21/n 1", "R -3 c:H", "F d -3 m:2". */
  readonly hm: string;
  readonly schoenflies: string;
  /** Lattice letter of this setting; "X" for a lattice without a letter. */
  readonly centring: string;
  /** All operations modulo lattice translations; the first `primitiveOrder` are one per rotation, then their copies per centring vector. */
  readonly ops: readonly SymOp[];
  readonly primitiveOrder: number;
  readonly pointGroup: string;
  readonly laueGroup: string;
  readonly system: CrystalSystem;
  /** Has an inversion anywhere. */
  readonly centrosymmetric: boolean;
  /** Has the inversion at the origin: real structure factors. */
  readonly originAtInversion: boolean;
  /** Only rotations and translations (Sohncke group): an enantiomerically pure crystal is possible. */
  readonly chiral: boolean;
  readonly polar: boolean;
}

/** Names of one tabulated setting. */
export interface SpaceGroupSetting {
  readonly hallNumber: number;
  readonly number: number;
  readonly hall: string;
  readonly hm: string;
  readonly short: string;
  readonly full: string;
  readonly schoenflies: string;
  readonly choice: string;
}
/** Memo of immutable values, filled on first use: the table's lines, and the settings generated so far. */
let lines: readonly SpaceGroupSetting[] | undefined;
const settings = /* @__PURE__ */ new Map<number, SpaceGroup>();

/** The 530 tabulated settings; entry i is Hall number i + 1. */
export function spaceGroupTable(): readonly SpaceGroupSetting[] {
  lines ??= spaceGroupLines.split("\n").map((line, i) => {
    const [number, hall, hm, short, full, schoenflies, choice] = line.split("|") as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    return { hallNumber: i + 1, number: Number(number), hall, hm, short, full, schoenflies, choice: choice.replace("*", "") };
  });
  return lines;
}

/** A space group from a complete list of operations, which the caller vouches for. @throws bad-file when the rotations form no point group */
export function groupFromOps(
  ops: readonly SymOp[],
  names: { hallNumber: number; number: number; hall: string; hm: string; schoenflies: string } = {
    hallNumber: 0,
    number: 0,
    hall: "",
    hm: "",
    schoenflies: "",
  },
): SpaceGroup {
  const ordered = orderOps(ops);
  const rotations = rotationParts(ordered);
  const point = pointGroupOf(rotations);
  if (!point || ordered.length % rotations.length !== 0)
    fail(
      "bad-file",
      { operations: ops.length, list: ops.slice(0, 6).map(formatOp).join(" ") },
      "the operators do not form a space group: one may be missing or wrong",
    );
  const shifts = ordered.filter((op) => op.rotation.every((x, i) => x === identity3[i])).map((op) => op.shift.join());
  const centring = Object.keys(centringVectors).find(
    (letter) => centringVectors[letter]!.length === shifts.length && centringVectors[letter]!.every((v) => shifts.includes(v.join())),
  );
  const inversions = ordered.filter((op) => op.rotation.every((x, i) => x === -identity3[i]!));
  const value: SpaceGroup = {
    hallNumber: names.hallNumber,
    number: names.number,
    hall: names.hall,
    hm: names.hm,
    schoenflies: names.schoenflies,
    centring: centring ?? "X",
    ops: ordered,
    primitiveOrder: rotations.length,
    pointGroup: point.name,
    laueGroup: point.laue,
    system: point.system,
    centrosymmetric: inversions.length > 0,
    originAtInversion: inversions.some((op) => op.shift.every((x) => x === 0)),
    chiral: rotations.every((w) => determinant(w) === 1),
    polar: isPolarClass(point.name),
  };
  return printable(value, (g) => `SpaceGroup(${g.hm || "unnamed"}, no. ${g.number}, ${g.ops.length} operations)`);
}

function fromLine(line: SpaceGroupSetting): SpaceGroup {
  let group = settings.get(line.hallNumber);
  if (!group) {
    group = groupFromOps(opsFromHall(line.hall), line);
    settings.set(line.hallNumber, group);
  }
  return group;
}

/** One of the 530 tabulated settings. @throws out-of-range */
export function spaceGroupByHallNumber(hallNumber: number): SpaceGroup {
  const line = spaceGroupTable()[hallNumber - 1];
  return line ? fromLine(line) : fail("out-of-range", { hallNumber }, "Hall numbers run from 1 to 530");
}

/** Reference setting of a number: unique axis b cell 1, hexagonal axes, origin at the inversion. */
function referenceLine(table: readonly SpaceGroupSetting[], number: number): SpaceGroupSetting | undefined {
  const lines = table.filter((l) => l.number === number);
  return lines.find((l) => l.choice === "2") ?? lines[0];
}
/** @throws out-of-range */
export function spaceGroupByNumber(number: number): SpaceGroup {
  const line = referenceLine(spaceGroupTable(), number);
  return line ? fromLine(line) : fail("out-of-range", { number }, "space-group numbers run from 1 to 230");
}

/** Letters and digits of a symbol: "P 21/n", "P2(1)/n", "P 1 2_1/n 1" lose blanks, brackets and underscores. */
const plain = (symbol: string): string =>
  symbol
    .replace(/[\s_()'"]/g, "")
    .replaceAll("−", "-")
    .toLowerCase();
/** "R -3 c:H", "R-3c H", "Fd-3m Z", "R -3 c (hexagonal axes)" → name and choice. */
function splitChoice(symbol: string): [name: string, choice: string] {
  const m = /^(.*?)(?::\s*([12hr])|\s+([hrzs])|\((hex|rhom)[^)]*\))?\s*$/i.exec(symbol.trim())!;
  const tag = (m[2] ?? m[3] ?? m[4]?.[0] ?? "").toLowerCase();
  return [m[1]!, { z: "2", s: "1", h: "H", r: "R" }[tag] ?? tag];
}
/** All plain names of a tabulated setting. */
function namesOf(line: SpaceGroupSetting, reference: boolean): string[] {
  const hm = line.hm.split(":")[0]!;
  const names = [plain(hm), plain(line.full)];
  if (reference) names.push(plain(line.short));
  const b = /^(\w) 1 (\S+) 1$/.exec(hm);
  if (b) names.push(plain(b[1]! + b[2]!));
  if (line.number >= 195) names.push(...names.map((n) => n.replace("-3", "3")));
  // Names with the double glide e (Int. Tables 1992): Aem2, Aea2, Cmce, Cmme, Ccce.
  const e: Record<number, readonly [string, string]> = {
    39: ["aem2", "A b m 2"],
    41: ["aea2", "A b a 2"],
    64: ["cmce", "C m c a"],
    67: ["cmme", "C m m a"],
    68: ["ccce", "C c c a"],
  };
  const double = e[line.number];
  if (double && hm === double[1]) names.push(double[0]);
  return names;
}

export interface SymbolOptions {
  /** Which tabulated origin or axes to take when the symbol does not say: "2" and "H" by default. */
  readonly origin?: "1" | "2";
  readonly axes?: "H" | "R";
}

/**
 * A space group from a number or a symbol as files write it: "P 21 21 21", "P212121", "P21/n", "P2(1)/c", "R -3 c:H", "Fm3m", "-P 2ybc".
 * Without a choice in the symbol, the origin at the inversion and hexagonal axes are taken; a file's own operator list should decide instead.
 * @throws not-found when no tabulated setting has that name
 */
export function spaceGroup(symbol: string | number, { origin = "2", axes = "H" }: SymbolOptions = {}): SpaceGroup {
  if (typeof symbol === "number") return spaceGroupByNumber(symbol);
  const text = symbol.trim();
  if (/^\d{1,3}$/.test(text)) return spaceGroupByNumber(Number(text));
  const table = spaceGroupTable();
  const [name, choice] = splitChoice(text);
  const wanted = plain(name);
  const seen = new Set<number>();
  const hits = table.filter((line) => {
    const reference = !seen.has(line.number) || line.choice === "2";
    seen.add(line.number);
    return wanted !== "" && namesOf(line, reference).includes(wanted);
  });
  const prefer = choice ? [choice] : [origin, axes];
  const hit =
    hits.find((l) => prefer.includes(l.hm.split(":")[1] ?? "")) ?? (choice && hits.some((l) => l.hm.includes(":")) ? undefined : hits[0]);
  if (hit) return fromLine(hit);
  const byHall = table.find((l) => l.hall === text || plain(l.hall) === plain(text));
  if (byHall) return fromLine(byHall);
  return fail(
    "not-found",
    { symbol },
    "no tabulated setting has this symbol; give a Hermann-Mauguin symbol, a number, or a Hall symbol to spaceGroupFromHall",
  );
}

/** A space group from any Hall symbol; named when its operations are those of a tabulated setting. */
export function spaceGroupFromHall(hall: string): SpaceGroup {
  return spaceGroupFromOps(opsFromHall(hall));
}

/** Equal exactly for the same set of operations. */
export function groupKey(ops: readonly SymOp[]): string {
  return ops.map(opKey).sort().join("|");
}

/**
 * A space group from its operations as a CIF lists them, centring included. When they are exactly those of a
 * tabulated setting, it carries its names; otherwise number is 0 and {@link identifySpaceGroup} finds type and change of basis.
 */
export function spaceGroupFromOps(ops: readonly SymOp[]): SpaceGroup {
  const group = groupFromOps(ops);
  const key = groupKey(group.ops);
  for (const line of spaceGroupTable()) {
    // Cheap filters first: lattice letter and inversion stand in the symbol.
    if (line.hall.replace("-", "")[0] !== group.centring) continue;
    const candidate = fromLine(line);
    if (candidate.pointGroup === group.pointGroup && candidate.ops.length === group.ops.length && groupKey(candidate.ops) === key)
      return candidate;
  }
  // Not tabulated: then nothing has shown yet that products stay inside the list.
  if (closeGroup(group.ops).length !== group.ops.length)
    fail(
      "bad-file",
      { operations: ops.length, list: ops.slice(0, 6).map(formatOp).join(" ") },
      "the operators do not form a space group: one may be missing or wrong",
    );
  return group;
}

/** Number of the mirror-image type for the 11 enantiomorph pairs; the number itself otherwise. */
export function enantiomorph(number: number): number {
  const pairs = [76, 78, 91, 95, 92, 96, 144, 145, 151, 153, 152, 154, 169, 170, 171, 172, 178, 179, 180, 181, 212, 213];
  const i = pairs.indexOf(number);
  return i < 0 ? number : pairs[i ^ 1]!;
}
