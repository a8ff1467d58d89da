import type { ArrayStream } from "../io/stream.js";
import type { PatternSink, PatternStream } from "./scan-run.js";

/** A pattern sink on an array that is written piece by piece (`npyStream`, `hdf5Stream`, `zarrStream`, or `arrayFile` of ewald/io/node). */
export function patternSink(open: (stream: PatternStream) => Promise<ArrayStream>): (stream: PatternStream) => Promise<PatternSink> {
  return async (stream) => {
    const array = await open(stream);
    const frame = stream.shape.at(-1)! * stream.shape.at(-2)!,
      probes = stream.probes;
    return {
      write: (depth, first, patterns) => array.write((depth * probes + first) * frame, patterns),
      close: () => array.close(),
    };
  };
}
