import { type CrystalPotential, potentialLayout } from "./potential.js";

/** The coefficients W_k that some beam lists couple by: a compact numbering of their difference vectors, 0 0 0 among them. */
export interface DifferenceIndex {
  readonly size: number;
  /** Shape [size, 3]. */
  readonly hkl: Int32Array;
  /** Place of 0 0 0. */
  readonly zero: number;
  /** Number of a coefficient by its place in the potential's box; −1 when no pair has it. */
  readonly map: Int32Array;
}

/** Differences of all pairs within each of the lists. */
export function differenceIndex(p: CrystalPotential, lists: readonly Int32Array[]): DifferenceIndex {
  const { sh, sk, centre, size } = potentialLayout(p.span);
  const map = new Int32Array(size).fill(-1);
  for (const hkl of lists) {
    const n = hkl.length / 3,
      key = new Int32Array(n);
    for (let i = 0; i < n; i++) key[i] = hkl[3 * i]! * sh + hkl[3 * i + 1]! * sk + hkl[3 * i + 2]!;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) map[centre + key[i]! - key[j]!] = 0;
  }
  map[centre] = 0;
  const hkl: number[] = [];
  let count = 0;
  const [a, b, c] = p.span;
  for (let h = -a; h <= a; h++)
    for (let k = -b; k <= b; k++)
      for (let l = -c; l <= c; l++) {
        const at = centre + h * sh + k * sk + l;
        if (map[at]! < 0) continue;
        map[at] = count++;
        hkl.push(h, k, l);
      }
  return { size: count, hkl: Int32Array.from(hkl), zero: map[centre]!, map };
}
