import { determinant } from "../core/frames.js";
import type { CrystalSystem } from "./bravais.js";
import { identity3, type Mat3 } from "./metric.js";
import type { SymOp } from "./symop.js";

/** Order of an integer rotation part, negative for rotoinversions: 1 2 3 4 6 −1 −2 (mirror) −3 −4 −6. NaN when not crystallographic. */
export function rotationType(w: Mat3): number {
  const det = determinant(w);
  const order = { 3: 1, [-1]: 2, 0: 3, 1: 4, 2: 6 }[(w[0] + w[4] + w[8]) * det];
  return order === undefined || Math.abs(det) !== 1 ? Number.NaN : det * order;
}

/** Name, Laue group, system, and how many rotations of each type: the count alone tells the 32 classes apart. */
const classes: readonly (readonly [string, string, CrystalSystem, string])[] = [
  ["1", "-1", "triclinic", "1:1"],
  ["-1", "-1", "triclinic", "-1:1 1:1"],
  ["2", "2/m", "monoclinic", "1:1 2:1"],
  ["m", "2/m", "monoclinic", "-2:1 1:1"],
  ["2/m", "2/m", "monoclinic", "-2:1 -1:1 1:1 2:1"],
  ["222", "mmm", "orthorhombic", "1:1 2:3"],
  ["mm2", "mmm", "orthorhombic", "-2:2 1:1 2:1"],
  ["mmm", "mmm", "orthorhombic", "-2:3 -1:1 1:1 2:3"],
  ["4", "4/m", "tetragonal", "1:1 2:1 4:2"],
  ["-4", "4/m", "tetragonal", "-4:2 1:1 2:1"],
  ["4/m", "4/m", "tetragonal", "-4:2 -2:1 -1:1 1:1 2:1 4:2"],
  ["422", "4/mmm", "tetragonal", "1:1 2:5 4:2"],
  ["4mm", "4/mmm", "tetragonal", "-2:4 1:1 2:1 4:2"],
  ["-42m", "4/mmm", "tetragonal", "-4:2 -2:2 1:1 2:3"],
  ["4/mmm", "4/mmm", "tetragonal", "-4:2 -2:5 -1:1 1:1 2:5 4:2"],
  ["3", "-3", "trigonal", "1:1 3:2"],
  ["-3", "-3", "trigonal", "-3:2 -1:1 1:1 3:2"],
  ["32", "-3m", "trigonal", "1:1 2:3 3:2"],
  ["3m", "-3m", "trigonal", "-2:3 1:1 3:2"],
  ["-3m", "-3m", "trigonal", "-3:2 -2:3 -1:1 1:1 2:3 3:2"],
  ["6", "6/m", "hexagonal", "1:1 2:1 3:2 6:2"],
  ["-6", "6/m", "hexagonal", "-6:2 -2:1 1:1 3:2"],
  ["6/m", "6/m", "hexagonal", "-6:2 -3:2 -2:1 -1:1 1:1 2:1 3:2 6:2"],
  ["622", "6/mmm", "hexagonal", "1:1 2:7 3:2 6:2"],
  ["6mm", "6/mmm", "hexagonal", "-2:6 1:1 2:1 3:2 6:2"],
  ["-6m2", "6/mmm", "hexagonal", "-6:2 -2:4 1:1 2:3 3:2"],
  ["6/mmm", "6/mmm", "hexagonal", "-6:2 -3:2 -2:7 -1:1 1:1 2:7 3:2 6:2"],
  ["23", "m-3", "cubic", "1:1 2:3 3:8"],
  ["m-3", "m-3", "cubic", "-3:8 -2:3 -1:1 1:1 2:3 3:8"],
  ["432", "m-3m", "cubic", "1:1 2:9 3:8 4:6"],
  ["-43m", "m-3m", "cubic", "-4:6 -2:6 1:1 2:3 3:8"],
  ["m-3m", "m-3m", "cubic", "-4:6 -3:8 -2:9 -1:1 1:1 2:9 3:8 4:6"],
];

/** The crystal class of a set of rotations. */
export interface PointGroup {
  /** Hermann–Mauguin class without orientation: "-42m" stands for −4m2 too, "32" for 321 and 312. */
  readonly name: string;
  readonly laue: string;
  readonly system: CrystalSystem;
}

/** Class of the distinct rotation parts; undefined when they are no crystallographic point group. */
export function pointGroupOf(rotations: readonly Mat3[]): PointGroup | undefined {
  const counts = new Map<number, number>();
  const distinct = new Map(rotations.map((w) => [w.join(), w]));
  for (const w of distinct.values()) counts.set(rotationType(w), (counts.get(rotationType(w)) ?? 0) + 1);
  const key = [...counts]
    .sort((p, q) => p[0] - q[0])
    .map(([t, n]) => `${t}:${n}`)
    .join(" ");
  const found = classes.find((c) => c[3] === key);
  return found && { name: found[0], laue: found[1], system: found[2] };
}

/** Distinct rotation parts, identity first. */
export function rotationParts(ops: readonly SymOp[]): readonly Mat3[] {
  return [...new Map([[identity3.join(), identity3], ...ops.map((op) => [op.rotation.join(), op.rotation] as const)]).values()];
}
/** Class with a direction that no operation turns: it may have a spontaneous dipole, and an undetermined origin along it. */
export function isPolarClass(name: string): boolean {
  return ["1", "2", "m", "mm2", "4", "4mm", "3", "3m", "6", "6mm"].includes(name);
}
