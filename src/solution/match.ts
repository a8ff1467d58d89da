import { type Fractional, metricTensor, quadratic } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";

/** How a structure fits a reference after origin and hand are matched. */
export interface StructureMatch {
  /** x(reference frame) = hand · x + shift. */
  readonly hand: 1 | -1;
  readonly shift: Fractional;
  /** Distance of the nearest atom to each independent atom of the reference, Å. */
  readonly distances: readonly number[];
  /** Element of that atom. */
  readonly elements: readonly string[];
}

/**
 * Match atoms, with little regard to elements (a tenth of the score): every pair of a reference atom and an atom of the cell proposes an origin, for both hands; the origin with most
 * atoms within 0.4 Å wins and is moved to the mean of the differences. Both structures must stand on the same axes; their groups may differ.
 */
export function matchStructures(reference: Structure, found: Structure, anchors = 4): StructureMatch {
  const g = metricTensor(reference.cell);
  const atoms = expandToP1(found).map((i) => ({ xyz: i.xyz, element: found.atoms[i.atom]!.element }));
  // The independent atoms first, then images up to forty: two or three atoms alone would match in wrong places.
  const n = reference.atoms.length;
  const images = expandToP1(reference).filter((i, k, all) => k > 0 && all[k - 1]!.atom === i.atom);
  const thin = Math.max(1, Math.ceil(images.length / Math.max(1, 40 - n)));
  const sample = images.filter((_, k) => k % thin === 0).map((i) => ({ xyz: i.xyz, element: reference.atoms[i.atom]!.element }));
  const targets = [...reference.atoms.map((a) => ({ xyz: a.xyz, element: a.element })), ...sample];
  let best: StructureMatch = { hand: 1, shift: [0, 0, 0], distances: reference.atoms.map(() => Number.POSITIVE_INFINITY), elements: [] };
  if (atoms.length === 0) return best;
  const near = (hand: 1 | -1, shift: Fractional) =>
    targets.map((t) => {
      let d2 = Number.POSITIVE_INFINITY,
        diff: Fractional = [0, 0, 0],
        el = "";
      for (const a of atoms) {
        const d = [0, 1, 2].map((k) => {
          const v = t.xyz[k as 0] - hand * a.xyz[k as 0] - shift[k as 0];
          return v - Math.round(v);
        }) as unknown as Fractional;
        const q = quadratic(g, d);
        if (q < d2) [d2, diff, el] = [q, d, a.element];
      }
      return { d: Math.sqrt(d2), diff, el, same: el === t.element ? 1 : 0.9 };
    });
  const score = (r: ReturnType<typeof near>): number => r.reduce((s, x) => s + x.same * Math.max(0, 0.4 - x.d), 0);
  let top = -1;
  for (const hand of [1, -1] as const)
    for (const t of targets.slice(0, Math.min(anchors, n)))
      for (const a of atoms) {
        let shift = [0, 1, 2].map((k) => t.xyz[k as 0] - hand * a.xyz[k as 0]) as unknown as Fractional;
        let r = near(hand, shift);
        if (score(r) < 0.7 * top) continue;
        for (let pass = 0; pass < 2; pass++) {
          const close = r.filter((x) => x.d < 0.4);
          if (close.length === 0) break;
          shift = [0, 1, 2].map(
            (k) => shift[k as 0] + close.reduce((s, x) => s + x.diff[k as 0], 0) / close.length,
          ) as unknown as Fractional;
          r = near(hand, shift);
        }
        if (score(r) > top) {
          top = score(r);
          best = { hand, shift, distances: r.slice(0, n).map((x) => x.d), elements: r.slice(0, n).map((x) => x.el) };
        }
      }
  return best;
}
