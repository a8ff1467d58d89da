import { fail } from "../core/errors.js";
import type { Composition } from "./formula.js";

/**
 * Mean volumes of atoms in crystals, Å³, rounded: organic elements after Hofmann (2002) Acta Cryst. B58, 489; cations small (8) beside oxygen at 13 unless they are large.
 * Good to some 15 % for minerals, oxides, halides and molecules, which is enough to choose Z.
 */
const volumes: Readonly<Record<string, number>> = {
  H: 5, B: 8, C: 14, N: 12, O: 13, F: 14, Si: 10, P: 15, S: 22, Cl: 25, Se: 26, Br: 33, Te: 32, I: 46,
  Na: 18, K: 30, Rb: 38, Cs: 48, Ca: 20, Sr: 28, Ba: 36, Pb: 28, Tl: 30, Bi: 24, Ag: 16, Au: 16, La: 18, Ce: 18, Nd: 17, Sm: 17, Lu: 14, Y: 15, Th: 22, U: 20,
}; // biome-ignore format: a table
const volumeOf = (c: Composition): number => [...c].reduce((v, [e, k]) => v + k * (volumes[e] ?? 8), 0);

/** A formula scaled to the cell. */
export interface CellContent {
  /** Formula units in the cell. */
  readonly z: number;
  readonly content: Composition;
  /** Cell volume over the sum of the volumes of its atoms: near 1. */
  readonly volumeRatio: number;
}

/**
 * Formula units that the cell may hold, the likeliest first: multiples of `step` for which the volumes of the atoms add up to that of the cell within a factor
 * of 2.5. Atoms of dense minerals need 0.7 of the tabulated volumes, so that neighbours of a large Z are possible too: peaks and R decide.
 * @param step - Z is a multiple of this
 */
export function possibleContents(formula: Composition, volume: number, step = 1, z?: number): readonly CellContent[] {
  const one = volumeOf(formula);
  const ratio = (n: number): number => volume / (n * one);
  const most = Math.floor((2.5 * volume) / (one * step));
  const counts = z === undefined ? Array.from({ length: Math.min(most, 1000) }, (_, i) => step * (i + 1)) : [z];
  return counts
    .filter((n) => n > 0 && ratio(n) > 0.4 && ratio(n) < 2.5)
    .sort((p, q) => Math.abs(Math.log(ratio(p))) - Math.abs(Math.log(ratio(q))))
    .map((n) => ({ z: n, content: new Map([...formula].map(([e, k]) => [e, k * n])), volumeRatio: ratio(n) }));
}

/**
 * Formula units in the cell when nobody says how many: the first of {@link possibleContents}.
 * @throws bad-cell when there is none: cell and composition contradict each other
 */
export function cellContent(formula: Composition, volume: number, step = 1, z?: number): CellContent {
  return (
    possibleContents(formula, volume, step, z)[0] ??
    fail(
      "bad-cell",
      { volume, z, volumeOfAtoms: volumeOf(formula) },
      "the cell does not suit the composition: its atoms need another volume; check cell, composition and z",
    )
  );
}
