import { fail } from "../core/errors.js";
import type { IntegrationExperiment } from "../integration/integrate-series.js";
import type { ProcessingRecord } from "./process.js";

/**
 * What the integration needs of a processing run: the refined lattice, instrument and geometry of every frame, the settings of the spot search,
 * and the other lattices of a twin as neighbours.
 * @throws bad-value when the run did not refine the frames, for then the rocking curve is not known
 */
export function integrationExperiment(record: ProcessingRecord): IntegrationExperiment {
  const rocking =
    record.orientations?.rocking ??
    fail("bad-value", { refineFrames: false }, "the rocking curve is not known: process the series with refineFrames, or give one");
  return {
    ub: record.ub,
    instrument: record.instrument,
    geometry: record.geometry,
    rocking: { rcWidth: rocking.rcWidth, mosaicityDeg: rocking.mosaicityDeg },
    settings: record.settings,
    centring: record.lattice.centring,
    others: record.lattices.slice(1).map((l) => l.ub),
  };
}
