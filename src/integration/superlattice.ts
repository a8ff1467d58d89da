import { inverse, type Map3 } from "../core/frames.js";
import { type Mat3, multiply3 } from "../geometry/metric.js";
import { indexVectors, type Orientation } from "./index-lattice.js";
import { reduceOrientation, sublattices } from "./lattice.js";
import { closeRms, outside } from "./twins.js";

/** Matrices S of index 2 and 3: the finer reciprocal lattice UB·S⁻¹ holds UB as a sublattice. */
const finer = sublattices.map((s) => ({
  index: s[0] * s[4] * s[8],
  inverse: inverse(s as Map3) as Mat3,
  /** The column of the finer basis that the given lattice does not hold. */
  added: [0, 4, 8].findIndex((d) => s[d as 0] > 1),
}));

/**
 * The lattice of the vectors when the one given is too coarse in reciprocal space: a search over short vectors can miss a long axis, and then indexes half of the spots. Vectors
 * within `limit` of the points that a lattice of index 2 or 3 adds are counted; the one with most is taken while they are many: at least 20, 0.15 (index 2) or 1 (index 3) times
 * those on the given lattice, and three times those 0.27 of the way to the next point (spots crowd along rows, so chance is not that of a random cloud). The two settings of an obverse–reverse twin bring 0.67 at most and stay twins.
 * @param r - vectors, Å⁻¹, [n, 3]
 * @returns the Niggli-reduced lattice, or undefined when the given one stays
 */
export function superlattice(r: Float64Array, given: Orientation): Orientation | undefined {
  let ub = given,
    changed = false;
  for (let round = 0; round < 4; round++) {
    const limit = 3 * closeRms(r, ub, 0.15);
    const rest = outside(r, ub, limit),
      held = (r.length - rest.length) / 3;
    const near = (v: Float64Array, lattice: Orientation): number =>
      indexVectors(v, lattice, { tolerance: 0.5 }).distance.reduce((n, d) => n + Number(d <= limit), 0);
    const counted = finer.map(({ index, inverse: m, added }) => {
      const next = multiply3(ub as unknown as Mat3, m) as unknown as Orientation;
      const between = rest.map((x, i) => x - 0.27 * next[(3 * (i % 3) + added) as 0]);
      return { next, index, extra: near(rest, next), chance: near(between, next) };
    });
    const best = counted
      .filter((c) => c.extra >= 20 && c.extra >= (c.index === 2 ? 0.15 : 1) * held && c.extra >= 3 * c.chance)
      .reduce<(typeof counted)[number] | undefined>((p, c) => (p && p.extra >= c.extra ? p : c), undefined);
    if (!best) break;
    ub = best.next;
    changed = true;
  }
  return changed ? reduceOrientation(ub) : undefined;
}
