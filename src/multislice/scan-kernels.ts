import type { PoolTask } from "../core/pool.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { type DenseKernels, denseKernels } from "../kernels/dense.js";
import { type DetectorKernels, detectorKernels, detectorsWasm } from "../kernels/detectors.js";
import { denseWasm } from "../kernels/generated/dense.js";
import { type Arena, wasmAvailable } from "../kernels/memory.js";
import { type MultisliceKernels, multisliceKernels, multisliceWasm } from "../kernels/multislice.js";

/** Runs lists of kernel calls of a scan: families "multislice", "detectors" and "dense". */
export interface ScanKernels {
  run(list: readonly PoolTask[]): Promise<void>;
  close(): Promise<void>;
}

export async function scanKernels(memory: Arena, workers: number, signal: AbortSignal | undefined): Promise<ScanKernels> {
  if (!wasmAvailable()) {
    const kernels = { multislice: multisliceKernels(memory), detectors: detectorKernels(memory), dense: denseKernels(memory) };
    return { run: (list) => inThread(list, kernels, signal), close: async () => undefined };
  }
  const pool = await arenaPool(memory, { multislice: multisliceWasm, detectors: detectorsWasm, dense: denseWasm }, { workers });
  return { run: async (list) => void (await pool.run(list, { signal })), close: () => pool.close() };
}

/** Without WebAssembly: the same calls on the TypeScript kernels. */
async function inThread(
  list: readonly PoolTask[],
  kernels: { readonly multislice: MultisliceKernels; readonly detectors: DetectorKernels; readonly dense: DenseKernels },
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const calls of list) {
    signal?.throwIfAborted();
    for (const c of calls) (kernels[c.family as "multislice"][c.name as "advance_f32"] as (...a: readonly number[]) => void)(...c.args);
    await new Promise<void>((resume) => setTimeout(resume));
  }
}
