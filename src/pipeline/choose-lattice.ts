import { fail } from "../core/errors.js";
import type { Steps } from "../core/job.js";
import type { BravaisCandidate, BravaisType } from "../geometry/bravais.js";
import type { UnitCell } from "../geometry/cell.js";
import type { Instrument } from "../geometry/experiment.js";
import { transformUB } from "../geometry/metric.js";
import { systemOfBravais } from "../integration/constraints.js";
import { type DistortionResult, type DistortionTerm, distortionTerms } from "../integration/distortion-refine.js";
import { refineSeriesDistortions } from "../integration/distortion-refine-series.js";
import type { Orientation } from "../integration/index-lattice.js";
import type { IndexingResult } from "../integration/indexing.js";
import type { PeakTable } from "../integration/peak-table.js";
import { candidateOfCell } from "./match-cell.js";

/** The Bravais lattice that the spots bear, and the distortions that go with it. */
export interface ChosenLattice {
  readonly lattice: BravaisCandidate;
  readonly distortion: { readonly result: DistortionResult; readonly kept: boolean };
  readonly ub: Orientation;
  readonly cell: UnitCell;
  readonly cellSigma: readonly number[];
}

/** Position errors must fall at least to this share for a distortion model to be kept. */
const KEEP_BELOW = 0.97;
/** A constrained lattice may fit this much worse than a free one: rounding of constraints, not a wrong symmetry. */
const AS_GOOD = 1.1;
/** Strain that uncorrected optics put into a cell: obliquity in degrees, relative length. */
const OPTICS = { obliquityDeg: 1.6, length: 0.02 };

/** The candidate of a given type. @throws not-found naming those that fit */
export function latticeNamed(indexing: IndexingResult, bravais: BravaisType | undefined): BravaisCandidate | undefined {
  if (bravais === undefined) return undefined;
  return (
    indexing.candidates.find((c) => c.bravais === bravais) ??
    fail(
      "not-found",
      { bravais, fitting: indexing.candidates.map((c) => c.bravais) },
      "the reduced cell does not fit this Bravais lattice; choose one of those that fit",
    )
  );
}

/**
 * Bravais type and distortions together, because an elliptical distortion looks like a strained cell: the most symmetric lattice that, with its distortions
 * refined, explains the positions as well as the free (triclinic) lattice with the distortions that no lattice imitates. A known cell decides the
 * type and the setting.
 * @throws bad-cell when the known cell is not the one of the spots, not-found when the Bravais type asked for does not fit
 */
export function* chooseLatticeSteps({
  indexing,
  peaks,
  instrument,
  bravais,
  knownCell,
}: {
  readonly indexing: IndexingResult;
  readonly peaks: PeakTable;
  readonly instrument: Instrument;
  readonly bravais?: BravaisType | undefined;
  readonly knownCell?: UnitCell | undefined;
}): Steps<ChosenLattice> {
  const forced = knownCell
    ? candidateOfCell(
        indexing.candidates.filter((c) => bravais === undefined || c.bravais === bravais),
        knownCell,
      )
    : latticeNamed(indexing, bravais);
  const refine = (c: BravaisCandidate, ub: Orientation): DistortionResult => {
    const system = systemOfBravais(c.bravais),
      all: readonly DistortionTerm[] = knownCell ? distortionTerms : distortionTerms.filter((t) => t !== "magnification");
    // In a monoclinic cell the free angle takes up most of an elliptical distortion: only higher systems and known cells show it.
    const terms = knownCell || (system !== "monoclinic" && system !== "triclinic") ? all : all.filter((t) => t !== "elliptical");
    return refineSeriesDistortions(
      { maxima: indexing.maxima, peaks, ub, instrument, frames: indexing.frames },
      { system, terms, ...(knownCell ? { cell: knownCell } : {}) },
    );
  };
  const onAxes = (c: BravaisCandidate): Orientation =>
    c === indexing.suggested ? indexing.constrained.ub : transformUB(indexing.reduced.ub, c.basis);
  const trials = forced
    ? [forced]
    : indexing.candidates
        .filter(
          (c) =>
            c === indexing.suggested ||
            (c.order >= indexing.suggested.order && c.obliquityDeg <= OPTICS.obliquityDeg && c.lengthError <= OPTICS.length),
        )
        .sort((a, b) => b.order - a.order);
  const free = indexing.candidates.find((c) => c.bravais === "aP") ?? indexing.suggested;
  const limit = trials.length > 1 ? AS_GOOD * refine(free, onAxes(free)).rmsPxAfter : Number.POSITIVE_INFINITY;
  let done = 0;
  for (const [k, c] of trials.entries()) {
    yield { done: 47 + (7 * ++done) / trials.length, total: 100, note: `trying ${c.bravais}` };
    const result = refine(c, onAxes(c));
    if (result.rmsPxAfter > limit && k < trials.length - 1) continue;
    const kept = result.rmsPxAfter < KEEP_BELOW * result.rmsPxBefore;
    const from = kept || c !== indexing.suggested ? result.lattice : indexing.constrained;
    return { lattice: c, distortion: { result, kept }, ub: from.ub, cell: from.cell, cellSigma: from.cellSigma };
  }
  return fail(
    "no-convergence",
    { candidates: indexing.candidates.length },
    "no Bravais lattice is left to try; this is a bug, please report it",
  );
}
