import type { EmdDatacube } from "../io/hdf5/emd-write.js";
import type { ArrayStream } from "../io/stream.js";
import { reciprocalVectors } from "./grid.js";
import type { ScanPlan } from "./scan-plan.js";
import type { PatternSink, PatternStream } from "./scan-result.js";

/** A pattern sink on an array that is written piece by piece (`npyStream`, `hdf5Stream`, `zarrStream`, or `arrayFile` of ewald/io/node). */
export function patternSink(open: (stream: PatternStream) => Promise<ArrayStream>): (stream: PatternStream) => Promise<PatternSink> {
  return async (stream) => {
    const array = await open(stream);
    const frame = stream.shape.at(-1)! * stream.shape.at(-2)!;
    return {
      write: (depth, first, patterns) => array.write((depth * stream.probes + first) * frame, patterns),
      close: () => array.close(),
    };
  };
}

/** Steps and pixels of a scan as an EMD file wants them (`arrayFile`). Of a skew cell the lengths along its axes. */
export function cubeGeometry(plan: ScanPlan): Omit<EmdDatacube, "shape" | "type"> {
  const length = (v: readonly number[] | undefined): number => (v ? Math.hypot(...v) : 1);
  const { steps } = plan.positions,
    { aStar, bStar } = reciprocalVectors(plan.detectors.grid);
  return { scanStep: [length(steps?.y), length(steps?.x)], pixel: [length(bStar), length(aStar)], voltageKv: plan.setup.beam.voltageKv };
}
