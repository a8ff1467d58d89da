import { type Pool, workerPool } from "../core/pool.js";
import { type Arena, compileFamily } from "./memory.js";

/**
 * A worker pool on the memory of an arena (made with `shared: true`; an unshared one runs in this thread).
 * @param families - embedded families by the name that tasks use, e.g. `{ fft: fftWasm }`
 */
export function arenaPool(
  arena: Arena,
  families: Readonly<Record<string, string>>,
  options: { readonly workers?: number | undefined } = {},
): Promise<Pool> {
  const compiled = Object.fromEntries(Object.entries(families).map(([name, base64]) => [name, compileFamily(base64, arena.shared)]));
  return workerPool({ memory: arena.memory, families: compiled, workers: options.workers });
}
