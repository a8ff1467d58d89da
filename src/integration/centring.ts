import { fail } from "../core/errors.js";

export type LatticeCentring = "P" | "A" | "B" | "C" | "I" | "F" | "R";

const rules: Readonly<Record<LatticeCentring, (h: number, k: number, l: number) => boolean>> = {
  P: () => true,
  A: (_, k, l) => ((k + l) & 1) === 0,
  B: (h, _, l) => ((h + l) & 1) === 0,
  C: (h, k) => ((h + k) & 1) === 0,
  I: (h, k, l) => ((h + k + l) & 1) === 0,
  F: (h, k, l) => ((h + k) & 1) === 0 && ((k + l) & 1) === 0,
  // Obverse setting, hexagonal axes.
  R: (h, k, l) => (-h + k + l) % 3 === 0,
};

/** Reflections that a lattice centring allows; the others do not exist, not even by multiple scattering. @throws bad-value */
export function centringRule(letter: string): (h: number, k: number, l: number) => boolean {
  return rules[letter as LatticeCentring] ?? fail("bad-value", { centring: letter }, "the centring is one of P A B C I F R");
}
