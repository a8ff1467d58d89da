import type { PoolCall } from "../core/pool.js";
import type { Arena } from "../kernels/memory.js";
import type { ScanPlan } from "./scan-plan.js";

/** Kernel calls that read the detectors from a wave; weights and labels lie in kernel memory. */
export type DetectorCalls = (wave: number, sums: number, patterns: number, weight: number) => readonly PoolCall[];

/** `sums`: address of f64 [sums of a probe]; `patterns`: address of f32 patterns of one probe and depth, to which weight·|ψ|² is added. */
export function detectorCalls({ detectors }: ScanPlan, memory: Arena, precision: "f32" | "f64"): DetectorCalls {
  const { nx, ny } = detectors.grid,
    n = nx * ny;
  const put = (a: Float32Array | Uint16Array): number => {
    const at = memory.alloc(a.byteLength);
    if (a instanceof Float32Array) memory.f32(at, a.length).set(a);
    else memory.u16(at, a.length).set(a);
    return at;
  };
  const masks = detectors.maskCount > 0 ? put(detectors.masks) : 0;
  const labels = detectors.labels.map((l) => ({ at: put(l.labels), bins: l.bins }));
  return (wave, sums, patterns, weight) => {
    const calls: PoolCall[] = [];
    if (masks) calls.push({ family: "multislice", name: `detect_${precision}`, args: [wave, n, masks, detectors.maskCount, sums] });
    let sum = sums + 8 * detectors.maskCount;
    for (const l of labels) {
      calls.push(
        { family: "detectors", name: "clear", args: [sum, 8 * l.bins] },
        { family: "detectors", name: `bins_${precision}`, args: [wave, n, l.at, sum] },
      );
      sum += 8 * l.bins;
    }
    let place = patterns;
    for (const { my, mx } of detectors.patterns) {
      calls.push({ family: "detectors", name: `pattern_${precision}`, args: [wave, ny, nx, my, mx, place, weight] });
      place += 4 * my * mx;
    }
    return calls;
  };
}
