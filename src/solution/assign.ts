import type { UnitCell } from "../geometry/cell.js";
import { element } from "../geometry/elements.js";
import { type Fractional, metricTensor, quadratic } from "../geometry/metric.js";
import type { UniquePeak } from "./asymmetric.js";
import type { Composition } from "./formula.js";

/** A peak with an element. */
export interface AssignedPeak extends UniquePeak {
  readonly element: string;
  readonly occupancy: number;
  /** Height over the height expected for this element at full occupancy and mean displacement. */
  readonly heightRatio: number;
}
export interface Assignment {
  readonly atoms: readonly AssignedPeak[];
  /** Peaks as high as the lightest atom placed that found no element left. */
  readonly left: readonly UniquePeak[];
  /** Atoms of the cell that found no peak, hydrogen aside. */
  readonly missing: Composition;
}

/**
 * Elements for peaks: from the highest peak down, from the strongest scatterer down, with multiplicities counted against the content of the cell; then elements of
 * pairs of peaks are exchanged while that makes heights and distances to neighbours more likely (aluminium and silicon, or sodium and oxygen, have like peaks but not
 * like bonds). Hydrogen is not placed.
 * @param expected - height of a full atom of each element in this map; only ratios matter
 */
export function assignPeaks(
  peaks: readonly UniquePeak[],
  content: Composition,
  expected: ReadonlyMap<string, number>,
  cell: UnitCell,
): Assignment {
  const elements = [...content.keys()].filter((e) => e !== "H" || content.size === 1).sort((p, q) => expected.get(q)! - expected.get(p)!);
  const remaining = new Map(elements.map((e) => [e, content.get(e)!]));
  const lightest = Math.min(...elements.map((e) => expected.get(e)!));
  const atoms: { peak: UniquePeak; element: string; occupancy: number }[] = [];
  const left: UniquePeak[] = [];
  const pending = [...peaks];
  let scale = 0;
  for (const e of elements) {
    while (remaining.get(e)! > 1e-6 && pending.length > 0) {
      const n = remaining.get(e)!;
      // The next peak, or one not much lower whose multiplicity still fits.
      const first = pending[0]!;
      let at = pending.findIndex((p) => p.height > 0.75 * first.height && p.multiplicity <= n + 1e-6);
      let occupancy = 1;
      if (at < 0) {
        const share = n / first.multiplicity;
        if (share < 0.3 && e !== elements.at(-1)) break;
        at = 0;
        occupancy = Math.min(1, share);
      }
      const peak = pending[at]!;
      if (scale > 0 && peak.height < 0.3 * scale * lightest) break;
      pending.splice(at, 1);
      atoms.push({ peak, element: e, occupancy });
      remaining.set(e, n - occupancy * peak.multiplicity);
      scale = median(atoms.map((a) => a.peak.height / (a.occupancy * expected.get(a.element)!)));
    }
  }
  exchange(atoms, expected, scale, cell);
  left.push(...pending.filter((p) => p.height > 0.6 * scale * lightest));
  return {
    atoms: atoms
      .map((a) => ({
        ...a.peak,
        element: a.element,
        occupancy: a.occupancy,
        heightRatio: a.peak.height / (scale * expected.get(a.element)!),
      }))
      .sort((p, q) => expected.get(q.element)! - expected.get(p.element)! || q.height - p.height),
    left,
    missing: new Map([...remaining].filter(([, n]) => n > 0.5)),
  };
}
const median = (x: number[]): number => [...x].sort((p, q) => p - q)[x.length >> 1] ?? 0;

/** A neighbour that bonds could reach. */
interface Near {
  readonly to: number;
  readonly distance: number;
}
/** Neighbours of each independent peak within 3.2 Å, nearest first, at most 8. */
export function neighbours(peaks: readonly UniquePeak[], cell: UnitCell, reach = 3.2): Near[][] {
  const g = metricTensor(cell);
  const span = [cell.a, cell.b, cell.c].map((x) => (x < 2 * reach ? Math.ceil(reach / x) : 0));
  return peaks.map((p, from) => {
    const out: Near[] = [];
    peaks.forEach((q, to) => {
      for (const y of q.positions) {
        const d = [0, 1, 2].map((k) => {
          const v = y[k as 0] - p.xyz[k as 0];
          return v - Math.round(v);
        }) as unknown as Fractional;
        for (let i = -span[0]!; i <= span[0]!; i++)
          for (let j = -span[1]!; j <= span[1]!; j++)
            for (let k = -span[2]!; k <= span[2]!; k++) {
              const distance = Math.sqrt(quadratic(g, [d[0] + i, d[1] + j, d[2] + k]));
              if (distance < reach && (distance > 0.2 || from !== to)) out.push({ to, distance });
            }
      }
    });
    return out.sort((a, b) => a.distance - b.distance).slice(0, 8);
  });
}

/** Covalent radius, Å; 1.5 where none is known. */
export const radius = (e: string): number => {
  const r = element(e)?.covalentRadius ?? Number.NaN;
  return Number.isNaN(r) ? 1.5 : r;
};
export const isAnion = (e: string): boolean => ["O", "N", "F", "Cl", "Br", "I", "S", "Se", "Te"].includes(e);
const isMetal = (e: string): boolean => !isAnion(e) && !["H", "C", "B", "P"].includes(e);
/** Shortest distance taken for possible, Å. Like charges keep apart: O and F always, cations where there are anions. */
function shortestContact(a: string, b: string, salt: boolean): number {
  const sum = radius(a) + radius(b);
  if ((a === "O" || a === "F") && (b === "O" || b === "F")) return 2.1;
  if (salt && isMetal(a) && isMetal(b)) return Math.min(2.6, 1.2 * sum);
  return 0.8 * sum;
}

/**
 * Misfit of distances of one atom: contacts shorter than bonds can be (for any pair), no neighbour at bonding distance at all, and the nearest distances against the sum
 * of covalent radii (0.15 Å shorter in oxides on the average, which ordering of swaps does not see).
 */
function bondCost(i: number, elements: readonly string[], near: readonly Near[], salt: boolean): number {
  let cost = 0;
  const own = elements[i]!;
  let counted = 0;
  for (const { to, distance } of near) {
    const other = elements[to]!;
    const sum = radius(own) + radius(other);
    const least = shortestContact(own, other, salt);
    if (distance < least) cost += ((least - distance) / 0.15) ** 2;
    if (counted < 3 && distance < 1.35 * sum) {
      cost += Math.min(4, ((distance - sum + 0.1) / 0.2) ** 2) / 3;
      counted++;
    }
  }
  return cost + (counted === 0 && near.length > 0 ? 3 : 0);
}

/** Pairwise exchange of elements while the total misfit of ln(height) (20 %) and of distances falls. */
function exchange(
  atoms: { peak: UniquePeak; element: string; occupancy: number }[],
  expected: ReadonlyMap<string, number>,
  scale: number,
  cell: UnitCell,
): void {
  const near = neighbours(
    atoms.map((a) => a.peak),
    cell,
  );
  const elements = atoms.map((a) => a.element);
  // Displacement lowers a peak easily, nothing raises it.
  const heightCost = (i: number): number => {
    const x = Math.log(atoms[i]!.peak.height / (scale * atoms[i]!.occupancy * expected.get(elements[i]!)!));
    return (x / (x > 0 ? 0.12 : 0.25)) ** 2;
  };
  const salt = elements.some(isAnion) && elements.some(isMetal);
  const partners = near.map((list, i) => new Set([i, ...list.map((x) => x.to)]));
  const local = (i: number, j: number): number => {
    let c = 0;
    for (const k of new Set([...partners[i]!, ...partners[j]!])) c += bondCost(k, elements, near[k]!, salt);
    return c + heightCost(i) + heightCost(j);
  };
  for (let pass = 0; pass < 10; pass++) {
    let changed = false;
    for (let i = 0; i < atoms.length; i++)
      for (let j = i + 1; j < atoms.length; j++) {
        if (elements[i] === elements[j] || atoms[i]!.peak.multiplicity !== atoms[j]!.peak.multiplicity) continue;
        const before = local(i, j);
        [elements[i], elements[j]] = [elements[j]!, elements[i]!];
        if (local(i, j) < before - 1e-9) changed = true;
        else [elements[i], elements[j]] = [elements[j]!, elements[i]!];
      }
    if (!changed) break;
  }
  atoms.forEach((a, i) => {
    a.element = elements[i]!;
  });
}
