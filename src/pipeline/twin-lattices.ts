import type { UnitCell } from "../geometry/cell.js";
import type { FrameGeometry, Instrument } from "../geometry/experiment.js";
import { transformUB } from "../geometry/metric.js";
import { type RefinedLattice, refineLattice } from "../integration/cell-refine.js";
import { systemOfBravais } from "../integration/constraints.js";
import type { Orientation } from "../integration/index-lattice.js";
import { type IndexingResult, observations } from "../integration/indexing.js";
import type { PeakTable } from "../integration/peak-table.js";
import type { Peaks3d } from "../integration/peaks3d.js";
import { sampleVectors } from "../integration/peaks3d-vectors.js";
import { latticeShares } from "../integration/twins.js";
import { type Misorientation, misorientation } from "../integration/twins-law.js";
import { ownSpots, selectOwn } from "../integration/twins-spots.js";

/** One of the lattices of a series as the processing leaves it. */
export interface LatticeRecord {
  readonly ub: Orientation;
  readonly cell: UnitCell;
  /** Standard uncertainties of a, b, c (Å), α, β, γ (degrees), volume. */
  readonly cellSigma: readonly number[];
  /** 3-D maxima that the lattice explains, and those that no other lattice does. */
  readonly explained: number;
  readonly own: number;
  /** How it lies to the first; undefined for the first itself and for a lattice of another cell. */
  readonly misorientation: Misorientation | undefined;
}

/** The spots and maxima of one lattice alone. */
export interface OwnData {
  readonly peaks: PeakTable;
  readonly maxima: Peaks3d;
}

/** {@link ownSpots} of lattice k of a list. */
export function ownData(
  peaks: PeakTable,
  maxima: Peaks3d,
  lattices: readonly Orientation[],
  k: number,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
): OwnData {
  const others = lattices.filter((_, i) => i !== k);
  return selectOwn(peaks, maxima, ownSpots(peaks, lattices[k]!, others, instrument, frames));
}

/**
 * A series with several lattices, cleaned for its first: tilt axis, centre and all lattices refined in turn, each on the spots that it alone
 * explains. A single lattice comes back as it is.
 */
export function separateLattices(
  indexing: IndexingResult,
  peaks: PeakTable,
): { readonly indexing: IndexingResult; readonly peaks: PeakTable; readonly others: readonly Orientation[] } {
  const further = indexing.lattices.filter((l) => l.ub !== indexing.reduced.ub).map((l) => l.ub);
  if (further.length === 0) return { indexing, peaks, others: [] };
  let { instrument, frames } = indexing;
  const lattices = [indexing.reduced.ub, ...further];
  const onto = (own: OwnData, ub: Orientation) => observations(own.maxima, sampleVectors(own.maxima, instrument, frames), ub, 0.25);
  let first: OwnData = { peaks, maxima: indexing.maxima },
    reduced = indexing.reduced;
  for (let round = 0; round < 4; round++)
    for (const k of lattices.keys()) {
      const own = ownData(peaks, indexing.maxima, lattices, k, instrument, frames);
      if (own.maxima.size < 30) continue; // nothing of its own: leave it as found
      const refine = k === 0 ? (["omega", "centreX", "centreY"] as const) : [];
      const r = refineLattice(onto(own, lattices[k]!), lattices[k]!, instrument, frames, { refine, rejectSigma: 5 });
      lattices[k] = r.ub;
      if (k > 0) continue;
      ({ instrument, frames } = r);
      [first, reduced] = [own, r];
    }
  const onAxes = transformUB(reduced.ub, indexing.suggested.basis);
  const constrained = refineLattice(onto(first, onAxes), onAxes, instrument, frames, {
    system: systemOfBravais(indexing.suggested.bravais),
    rejectSigma: 5,
  });
  return {
    indexing: { ...indexing, maxima: first.maxima, reduced, constrained, instrument, frames },
    peaks: first.peaks,
    others: lattices.slice(1),
  };
}

/**
 * All lattices with the geometry of the frames that was refined on the first: the others refined on their own spots, on axes that make their
 * cells like the first one's where they are the same lattice turned, and with its symmetry.
 */
export function refineOthers(
  peaks: PeakTable,
  maxima: Peaks3d,
  first: Pick<RefinedLattice, "ub" | "cell" | "cellSigma">,
  others: readonly Orientation[],
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  system: ReturnType<typeof systemOfBravais>,
  /** From reduced to conventional axes. */
  basis: Parameters<typeof transformUB>[1],
): readonly LatticeRecord[] {
  const lattices = [first.ub, ...others];
  const refined: Pick<RefinedLattice, "ub" | "cell" | "cellSigma">[] = [first];
  const laws: (Misorientation | undefined)[] = [undefined];
  for (let k = 1; k < lattices.length; k++) {
    // The own reduced cell may have other axes than the first's: any of them on the first's conventional ones.
    const law = misorientation(first.ub, transformUB(lattices[k]!, basis)) ?? misorientation(first.ub, lattices[k]!);
    if (law) lattices[k] = law.ub;
    let result: RefinedLattice | undefined;
    for (let round = 0; round < 3; round++) {
      const own = ownData(peaks, maxima, lattices, k, instrument, frames);
      if (own.maxima.size < 30) break;
      const data = observations(own.maxima, sampleVectors(own.maxima, instrument, frames), lattices[k]!, 0.25);
      result = refineLattice(data, lattices[k]!, instrument, frames, { system: law ? system : "triclinic", rejectSigma: 5 });
      lattices[k] = result.ub;
    }
    if (!result) continue;
    refined.push(result);
    laws.push(misorientation(first.ub, result.ub));
  }
  const shares = latticeShares(
    sampleVectors(maxima, instrument, frames),
    refined.map((r) => r.ub),
  );
  return refined.map(({ ub, cell, cellSigma }, k) => ({
    ub,
    cell,
    cellSigma,
    explained: shares[k]!.explained,
    own: shares[k]!.own,
    misorientation: laws[k],
  }));
}
