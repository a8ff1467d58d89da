import { fail } from "../core/errors.js";
import { element } from "../geometry/elements.js";

/** Atoms of each element, in one formula unit or in the cell; fractions are allowed. */
export type Composition = ReadonlyMap<string, number>;

/**
 * Composition from a formula: "Na2 Al2 Si3 O12 H4", "Na2Al2Si3O12H4", "C3 H7 N O2".
 * @throws bad-value when the text is empty, a symbol is no element, or brackets or hydrate dots need to be multiplied out first
 */
export function parseComposition(text: string): Composition {
  const counts = new Map<string, number>();
  const rest = text.replace(/([A-Z][a-z]?)\s*(\d+(?:\.\d+)?|\.\d+)?/g, (_, symbol: string, n: string | undefined) => {
    const e = element(symbol);
    if (!e) return fail("bad-value", { composition: text, symbol }, "the composition names no such element; symbols read Si, not SI");
    counts.set(e.symbol, (counts.get(e.symbol) ?? 0) + (n === undefined ? 1 : Number(n)));
    return "";
  });
  if (rest.replace(/[\s,_]/g, "") !== "" || counts.size === 0 || [...counts.values()].every((n) => !(n > 0)))
    fail("bad-value", { composition: text, notRead: rest.trim() }, 'a composition reads "Na2 Al2 Si3 O12 H4", brackets multiplied out');
  return counts;
}

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
 * Formula units in the cell when nobody says how many: the multiple of `step` for which the volumes of the atoms add up best to that of the cell.
 * @param step - Z is a multiple of this
 * @throws bad-cell when even the best Z is off by a factor of 2.5: cell and composition contradict each other
 */
export function cellContent(formula: Composition, volume: number, step = 1, z?: number): CellContent {
  const one = volumeOf(formula);
  const misfit = (n: number): number => Math.abs(Math.log(volume / (n * one)));
  const guess = Math.max(1, Math.round(volume / (one * step)));
  const best =
    z ?? step * [guess - 1, guess, guess + 1].filter((n) => n >= 1).reduce((p, n) => (misfit(n * step) < misfit(p * step) ? n : p));
  const volumeRatio = volume / (best * one);
  if (!(best > 0) || !(volumeRatio > 0.4 && volumeRatio < 2.5))
    fail(
      "bad-cell",
      { volume, z: best, volumeOfAtoms: best * one },
      "the cell does not suit the composition: its atoms need another volume; check cell, composition and z",
    );
  return { z: best, content: new Map([...formula].map(([e, n]) => [e, n * best])), volumeRatio };
}
