import type { Pool, PoolCall } from "../core/pool.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { fftWasm } from "../kernels/fft.js";
import { fourierKernels, fourierWasm } from "../kernels/fourier.js";
import { type Arena, arena, wasmAvailable } from "../kernels/memory.js";
import { projectorKernels, projectorWasm } from "../kernels/projector.js";
import { slopesWasm } from "../kernels/slopes.js";

/** Memory and threads of one reconstruction. Tasks of one `run` are independent, so the number of workers changes no bit. */
export interface Runner {
  readonly arena: Arena;
  readonly workers: number;
  run(tasks: readonly (readonly PoolCall[])[], signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
export interface RunnerOptions {
  /** Threads; default as many as the machine runs at once. */
  readonly workers?: number | undefined;
  /** "js": plain TypeScript in this thread, in single or (type "f64") double precision. */
  readonly kernels?: "wasm" | "js" | undefined;
  readonly type?: "f32" | "f64" | undefined;
}
type Family = Readonly<Record<string, (...args: readonly number[]) => unknown>>;

/** Longest time between returns to the event loop, ms. */
const SLICE_MS = 16;

/** Start a runner with a fresh memory; close it when done. */
export async function runner({ workers, kernels, type = "f32" }: RunnerOptions): Promise<Runner> {
  const wasm = kernels !== "js" && type === "f32" && wasmAvailable();
  const shared = wasm && workers !== 1 && typeof SharedArrayBuffer !== "undefined";
  const memory = arena({ shared });
  let pool: Pool | undefined = shared
    ? await arenaPool(memory, { projector: projectorWasm, fft: fftWasm, fourier: fourierWasm, slopes: slopesWasm }, { workers })
    : undefined;
  if (pool && !pool.threaded) {
    await pool.close();
    pool = undefined;
  }
  const local: Record<string, Family> = {};
  const family = (name: string): Family => {
    local[name] ??= (
      name === "projector"
        ? projectorKernels(memory, type, kernels)
        : name === "fourier"
          ? fourierKernels(memory, kernels)
          : memory.family(name === "slopes" ? slopesWasm : fftWasm)
    ) as Family;
    return local[name];
  };
  let due = performance.now() + SLICE_MS;
  return {
    arena: memory,
    workers: pool?.workers ?? 1,
    run: async (tasks, signal) => {
      signal?.throwIfAborted();
      if (pool) return void (await pool.run(tasks, { signal }));
      for (const task of tasks) {
        for (const c of task) family(c.family)[c.name]!(...c.args);
        if (performance.now() < due) continue;
        await new Promise<void>((resume) => setTimeout(resume));
        due = performance.now() + SLICE_MS;
        signal?.throwIfAborted();
      }
    },
    close: async () => void (await pool?.close()),
  };
}
