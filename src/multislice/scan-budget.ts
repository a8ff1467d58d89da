import { fail } from "../core/errors.js";
import type { ScanPlan } from "./scan-plan.js";

export const MB = 1048576;

/** Bytes that the patterns of one probe take, all pixelated detectors and depths. */
export const patternBytes = ({ detectors, exits }: Pick<ScanPlan, "detectors" | "exits">): number =>
  detectors.patterns.reduce((s, p) => s + 4 * p.my * p.mx, 0) * exits.length;

/** What is left for transmission functions and patterns in flight, bytes. @throws too-large before anything is allocated */
export function scanBudget(plan: ScanPlan, maxMemoryMB: number, streamed: boolean): number {
  const { memory } = plan;
  if (!(maxMemoryMB > 0)) fail("bad-value", { maxMemoryMB }, "maxMemoryMB is a number of megabytes, for example 2048");
  const fixed = memory.potential + memory.detectors + memory.waves + memory.matrix + memory.readings + (streamed ? 0 : memory.patterns);
  const need = fixed + (4 * memory.transmission) / plan.slices.count + patternBytes(plan);
  if (need > maxMemoryMB * MB) {
    const mb = (v: number): number => Math.round(v / MB);
    const tips = [
      ...(memory.patterns > need / 2 && !streamed
        ? [`write the patterns to a file (patternSink): they take ${mb(memory.patterns)} MB`]
        : []),
      ...(memory.patterns > need / 2 ? ["cut them at a smaller maxMrad", "scan fewer positions"] : []),
      ...(memory.matrix > need / 2 ? ["raise the interpolation of PRISM", "leave PRISM out"] : []),
      ...(memory.potential > need / 2 ? ["take coarser pixels (end the detectors at a smaller angle) or a narrower box"] : []),
      ...(memory.readings > need / 2 ? ["read fewer depths or rings"] : []),
      ...(memory.detectors > need / 2 ? ["use fewer blurred bins"] : []),
      `raise maxMemoryMB above ${mb(need) + 1}`,
    ];
    fail(
      "too-large",
      {
        neededMB: mb(need),
        maxMemoryMB,
        potentialMB: mb(memory.potential),
        patternsMB: mb(memory.patterns),
        transmissionMB: mb(memory.transmission),
        matrixMB: mb(memory.matrix),
        probes: plan.probes,
      },
      `this scan does not fit the memory: ${tips.join("; or ")}`,
    );
  }
  return Math.min(maxMemoryMB * MB - fixed, 3 * 1024 * MB);
}
