import type { ScanState } from "./scan-checkpoint.js";
import type { ScanPlan } from "./scan-plan.js";
import { depthAxis, type PatternSink, type PatternStream } from "./scan-result.js";

/** Results of a scan as they come in: sums [depths, probes, sums] and patterns, kept or passed on to sinks. */
export interface ScanStore {
  readonly sums: Float64Array;
  /** Of every pixelated detector [depths, probes, ky, kx]; none when they go to sinks. */
  readonly patterns: readonly Float32Array[];
  /** Take over a checkpoint. */
  restore(state: ScanState): void;
  /** What a checkpoint needs after `count` probes. */
  state(count: number): ScanState;
  /** Add readings [count, depths, sums] of probes from `first`. */
  add(first: number, count: number, readings: Float64Array, weight: number): void;
  openSinks(resume: boolean): Promise<void>;
  /** Patterns of `size` probes from `first`; `raw(probe, depth, at, length)` gives f32 of one, `at` counted in bytes from its first detector. */
  keep(first: number, size: number, raw: (probe: number, depth: number, at: number, length: number) => Float32Array): Promise<void>;
  close(): Promise<void>;
  /** Close without complaint: something else has failed. */
  abandon(): Promise<void>;
}

export function scanStore(plan: ScanPlan, sink: ((stream: PatternStream) => Promise<PatternSink>) | undefined): ScanStore {
  const { detectors, exits, probes } = plan,
    pixelated = detectors.list.filter((d) => d.sums === 0),
    sizes = pixelated.map((d) => d.shape.reduce((a, b) => a * b, 1));
  const sums = new Float64Array(exits.length * probes * detectors.sums),
    patterns = sink ? [] : sizes.map((own) => new Float32Array(exits.length * probes * own)),
    sinks: PatternSink[] = [];
  /** First `count` probes of every depth. */
  const prefix = <A extends Float64Array | Float32Array>(a: A, size: number, count: number): A => {
    const to = new (a.constructor as new (n: number) => A)(exits.length * count * size);
    for (let d = 0; d < exits.length; d++) to.set(a.subarray(d * probes * size, (d * probes + count) * size), d * count * size);
    return to;
  };
  return {
    sums,
    patterns,
    restore: ({ done, sums: from, patterns: kept }) => {
      const spread = (source: Float64Array | Float32Array, to: Float64Array | Float32Array, size: number): void => {
        for (let d = 0; d < exits.length; d++) to.set(source.subarray(d * done * size, (d + 1) * done * size), d * probes * size);
      };
      spread(from, sums, detectors.sums);
      kept.forEach((p, i) => {
        spread(p, patterns[i]!, sizes[i]!);
      });
    },
    state: (count) => ({
      done: count,
      sums: prefix(sums, detectors.sums, count),
      patterns: patterns.map((p, i) => prefix(p, sizes[i]!, count)),
    }),
    add: (first, count, readings, weight) => {
      const own = detectors.sums,
        width = exits.length * own;
      for (let p = 0; p < count; p++)
        for (let d = 0; d < exits.length; d++)
          for (let s = 0; s < own; s++) sums[(d * probes + first + p) * own + s]! += weight * readings[p * width + d * own + s]!;
    },
    openSinks: async (resume) => {
      if (!sink) return;
      const depth = depthAxis(plan);
      for (const d of pixelated)
        sinks.push(
          await sink({
            name: d.name,
            shape: [...depth.shape, ...plan.positions.shape, ...d.shape],
            axes: [...depth.axes, ...plan.positions.axes, ...d.axes],
            probes,
            resume,
          }),
        );
    },
    keep: async (first, size, raw) => {
      let before = 0;
      for (const [i, d] of pixelated.entries()) {
        const { my, mx } = detectors.patterns[i]!,
          own = sizes[i]!;
        for (let depth = 0; depth < exits.length; depth++) {
          const list = new Float32Array(size * own);
          for (let p = 0; p < size; p++) list.set(d.finish(raw(p, depth, before, my * mx)), p * own);
          if (sink) await sinks[i]!.write(depth, first, list);
          else patterns[i]!.set(list, (depth * probes + first) * own);
        }
        before += 4 * my * mx;
      }
    },
    close: async () => {
      for (const s of sinks.splice(0)) await s.close();
    },
    abandon: async () => {
      for (const s of sinks.splice(0)) await s.close().catch(() => undefined);
    },
  };
}
