import { fail } from "../core/errors.js";
import type { Pool, PoolRun } from "../core/pool.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { fftWasm } from "../kernels/fft.js";
import type { Arena } from "../kernels/memory.js";
import type { FftPlan, FftRun } from "./fft-plan.js";

/** A pool that knows the FFT kernels, on the arena's memory. */
export function fftPool(arena: Arena, options: { readonly workers?: number | undefined } = {}): Promise<Pool> {
  return arenaPool(arena, { fft: fftWasm }, options);
}

/**
 * Run a plan on a pool: the same bits as `plan.forward()` with any number of workers. Worth it from about 512² upwards; for many small
 * frames make one plan with a batch axis.
 * @param plan - made in the pool's arena, with `workers` at least the pool's
 */
export async function runOnPool(
  pool: Pool,
  plan: FftPlan,
  direction: "forward" | "inverse",
  { signal, onProgress, ...run }: FftRun & PoolRun = {},
): Promise<void> {
  if (plan.kernels === "js")
    fail("unsupported", { kernels: plan.kernels }, 'the worker pool runs WebAssembly: make the plan with kernels: "wasm"');
  const groups = plan
    .phases(direction, pool.workers, run)
    .map((pieces) => pieces.map((calls) => calls.map(({ name, args }) => ({ family: "fft", name, args }))));
  await pool.phases(groups, { signal, onProgress });
}
