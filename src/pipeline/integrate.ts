import { fail } from "../core/errors.js";
import type { RockingModel } from "../geometry/experiment.js";
import type { IntegrationExperiment } from "../integration/integrate-series.js";
import type { ProcessingRecord } from "./process.js";

/**
 * What the integration needs of a processing run: the refined lattice, instrument and geometry of every frame, the settings of the spot search,
 * and the other lattices of a twin as neighbours.
 * @param rocking - width of the rocking curve to begin with when the frames were not refined
 * @throws bad-value when they were not and none is given, for then the rocking curve is not known
 */
export function integrationExperiment(record: ProcessingRecord, rocking?: RockingModel): IntegrationExperiment {
  const { rcWidth, mosaicityDeg } =
    record.orientations?.rocking ??
    rocking ??
    fail("bad-value", { refineFrames: false }, "the rocking curve is not known: process the series with refineFrames, or give one");
  return {
    ub: record.ub,
    instrument: record.instrument,
    geometry: record.geometry,
    rocking: { rcWidth, mosaicityDeg },
    settings: record.settings,
    centring: record.lattice.centring,
    others: record.lattices.slice(1).map((l) => l.ub),
  };
}
