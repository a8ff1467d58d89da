import { fail } from "../core/errors.js";
import type { BravaisType } from "../geometry/bravais.js";
import type { UnitCell } from "../geometry/cell.js";
import { laueGroupsOf, type MergingFigures, mergingFigures, operationScores } from "../geometry/laue.js";
import type { ReflectionList } from "../geometry/reflection-list.js";
import { type SpaceGroup, spaceGroupFromHall } from "../geometry/space-groups.js";

/** A Laue group on the axes of the data. */
export interface LaueChoice {
  readonly laue: string;
  readonly group: SpaceGroup;
  readonly order: number;
  readonly figures: MergingFigures;
  /** Lowest correlation of normalised amplitudes over its operations. */
  readonly weakest: number;
  readonly accepted: boolean;
}

const halls = [
  "-P 1",
  "-P 2x",
  "-P 2y",
  "-P 2z",
  "-P 2 2",
  "-P 4",
  "-P 4 2",
  "-P 3",
  "-P 3 2",
  '-P 3 2"',
  "-P 6",
  "-P 6 2",
  "-P 2 2 3",
  "-P 4 2 3",
];

/**
 * Laue groups that the lattice allows, by the intensities: each operation is scored by itself, and a group is accepted when its weakest one is not
 * much worse than the best of all. The first is the choice: the accepted group of highest order. R_int alone would prefer the low groups.
 * @param minRatio - least ratio of the weakest operation to the best (0.35: multiple scattering lowers all of them)
 * @throws bad-value with fewer than 30 measured intensities
 */
export function laueByIntensity(
  cell: UnitCell,
  bravais: BravaisType,
  list: Pick<ReflectionList, "size" | "hkl" | "intensity">,
  minRatio = 0.35,
): readonly LaueChoice[] {
  let measured = 0;
  for (const v of list.intensity) if (Number.isFinite(v)) measured++;
  if (measured < 30) fail("bad-value", { measured }, "the choice of a Laue group needs 30 intensities and more");
  const holohedry = laueGroupsOf(bravais),
    own = holohedry.flatMap((h) => h.group.ops.map((op) => op.rotation.join())),
    allowed = new Set(own),
    // Absences of the centring are no reflections at all: completeness must not count them.
    centring = bravais[1]!,
    // What a few reflections cannot show is not taken for granted: merging too much is worse than merging too little.
    score = operationScores(cell, list, 0);
  const candidates = halls
    .filter((hall) => spaceGroupFromHall(hall).ops.every((op) => allowed.has(op.rotation.join())))
    .map((hall) => spaceGroupFromHall(hall.replace("P", centring)))
    .map((group) => ({
      laue: group.laueGroup,
      group,
      order: group.primitiveOrder,
      figures: mergingFigures(group, list.hkl, list.intensity),
      weakest: Math.min(1, ...group.ops.map((op) => score(op.rotation))),
    }));
  const best = Math.max(0, ...candidates.filter((c) => c.order > 2).map((c) => c.weakest));
  return candidates
    .map((c) => ({ ...c, accepted: c.order === 2 || (c.weakest > 0.1 && c.weakest >= minRatio * best) }))
    .sort((p, q) => Number(q.accepted) - Number(p.accepted) || q.order - p.order || q.weakest - p.weakest);
}
