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

/** Hydrogen gives next to no peak: volumes and peak counts go by the other atoms. */
const heavyAtoms = (c: Composition): number => [...c].reduce((n, [e, k]) => n + (e === "H" ? 0 : k), 0);

/** A formula scaled to the cell. */
export interface CellContent {
  /** Formula units in the cell. */
  readonly z: number;
  readonly content: Composition;
  /** Cell volume for each atom other than hydrogen, Å³: 10–14 in dense oxides, 16–20 in organic crystals. */
  readonly volumePerAtom: number;
}

/**
 * Formula units in the cell when nobody says how many: the multiple of `step` whose volume for each atom other than hydrogen lies nearest to 15.5 Å³ on a
 * logarithmic scale. (Oxides have 10–14 Å³, organic molecules 16–20 Å³: the answer is right where a factor 1.3 between neighbouring Z is, and a given `z` decides otherwise.)
 * @param step - Z is a multiple of this: the number of lattice points in the cell
 * @throws bad-cell when even the best Z leaves less than 5 or more than 60 Å³ for an atom: cell and composition contradict each other
 */
export function cellContent(formula: Composition, volume: number, step = 1, z?: number): CellContent {
  const atoms = heavyAtoms(formula) || [...formula.values()].reduce((a, b) => a + b, 0);
  const misfit = (n: number): number => Math.abs(Math.log(volume / (n * atoms) / 15.5));
  const guess = Math.max(1, Math.round(volume / (atoms * 15.5 * step)));
  const best =
    z ?? step * [guess - 1, guess, guess + 1].filter((n) => n >= 1).reduce((p, n) => (misfit(n * step) < misfit(p * step) ? n : p));
  const volumePerAtom = volume / (best * atoms);
  if (!(best > 0) || !(volumePerAtom > 5 && volumePerAtom < 60))
    fail(
      "bad-cell",
      { volume, z: best, volumePerAtom },
      "the cell does not suit the composition: an atom other than hydrogen takes 10 to 20 Å³; check cell, composition and z",
    );
  return { z: best, content: new Map([...formula].map(([e, n]) => [e, n * best])), volumePerAtom };
}
