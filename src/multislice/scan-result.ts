import type { Progress } from "../core/job.js";
import type { Axis } from "./detectors.js";
import type { CheckpointStore } from "./scan-checkpoint.js";
import type { ScanMemory, ScanPlan } from "./scan-plan.js";

/** Takes the patterns of one pixelated detector as they are made. */
export interface PatternSink {
  /** `count` patterns [my, mx] of consecutive probes from `first`, at one depth (index). May be called again for the same probes after a resume. */
  write(depth: number, first: number, patterns: Float32Array): Promise<void>;
  close(): Promise<void>;
}
/** What a sink is opened for. */
export interface PatternStream {
  readonly name: string;
  /** [depths (only of a thickness series), …scan, my, mx]. */
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  /** Number of probes: the patterns of depth d are d·probes, … */
  readonly probes: number;
  /** The scan goes on from a checkpoint: keep what the file holds. */
  readonly resume: boolean;
}
export interface ScanOptions {
  /** Threads; default all. The result has the same bits for any number. */
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
  /** Most memory that the scan may take, MB. Default 2048. */
  readonly maxMemoryMB?: number | undefined;
  /** Where patterns go; default: kept in memory and returned. */
  readonly patternSink?: ((stream: PatternStream) => Promise<PatternSink>) | undefined;
  readonly checkpoint?: CheckpointStore | undefined;
  /**
   * Probes between two checkpoints, at most. Default 256; 1024 with several configurations, whose potentials are made anew in every block; with PRISM and
   * configurations as many as their patterns fit the memory.
   */
  readonly blockProbes?: number | undefined;
}
export interface ScanReading {
  readonly name: string;
  /** [depths (only of a thickness series), …scan, …own axes of the detector]. */
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  /** Fractions of the incident beam; mrad for centres of mass. Empty for patterns that went to a sink. */
  readonly data: Float64Array | Float32Array;
}
export interface ScanResult {
  readonly readings: readonly ScanReading[];
  readonly depths: readonly number[];
  /** Shape [n, 2], Å. */
  readonly positions: Float64Array;
  readonly configurations: number;
  readonly memory: ScanMemory;
  readonly warnings: readonly string[];
  readonly version: string;
}

/** Leading axis of a thickness series; none otherwise. */
export function depthAxis({ setup, depths }: ScanPlan): { readonly shape: readonly number[]; readonly axes: readonly Axis[] } {
  if (!setup.depths) return { shape: [], axes: [] };
  return {
    shape: [depths.length],
    axes: [{ name: "thickness", unit: "Å", origin: depths[0]!, step: depths.length > 1 ? depths[1]! - depths[0]! : 0 }],
  };
}

/** Readings from the sums of all probes, [depths, probes, sums], and from patterns that were kept. */
export function scanReadings(plan: ScanPlan, sums: Float64Array, patterns: readonly Float32Array[]): ScanReading[] {
  const { detectors, exits, probes } = plan,
    depth = depthAxis(plan);
  let pixelated = 0;
  return detectors.list.map((d) => {
    const shape = [...depth.shape, ...plan.positions.shape, ...d.shape],
      axes = [...depth.axes, ...plan.positions.axes, ...d.axes];
    if (d.sums === 0) return { name: d.name, shape, axes, data: patterns[pixelated++] ?? new Float32Array(0) };
    const own = d.shape.reduce((a, b) => a * b, 1),
      data = new Float64Array(exits.length * probes * own);
    for (let i = 0; i < exits.length * probes; i++)
      data.set(d.finish(sums.slice(i * detectors.sums + d.at, i * detectors.sums + d.at + d.sums)), i * own);
    return { name: d.name, shape, axes, data };
  });
}
