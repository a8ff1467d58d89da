import type { Image } from "../core/image.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { defaultIntegrateKernels, type IntegrateKernels, integrateFamily, wasmIntegrateKernels } from "../kernels/integrate.js";
import { arena, wasmAvailable } from "../kernels/memory.js";
import { type Work, worked } from "./integrate-frame.js";

/** Kernels and the threads that they run on. */
export interface FrameWorkers {
  readonly kernels: IntegrateKernels;
  /**
   * Work on the frames of a list, several at a time; results come in the order of the list, whatever the number of threads.
   * Rejects with what `read` or the signal throws, when no thread writes any more.
   */
  each<T>(
    list: readonly number[],
    read: (frame: number) => Promise<Image<Float32Array>>,
    work: (image: Image<Float32Array>, frame: number) => Work<T>,
    use: (result: T, frame: number) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  close(): Promise<void>;
}

/** One thread by default; more run the kernels of as many frames side by side, while tables and predictions stay here. */
export async function frameWorkers(workers: number, given?: IntegrateKernels): Promise<FrameWorkers> {
  if (workers <= 1 || given || !wasmAvailable()) {
    const kernels = given ?? defaultIntegrateKernels();
    return {
      kernels,
      each: async (list, read, work, use) => {
        for (const f of list) use(worked(kernels, work(await read(f), f)), f);
      },
      close: async () => undefined,
    };
  }
  const memory = arena({ shared: true }),
    pool = await arenaPool(memory, integrateFamily, { workers });
  return {
    kernels: wasmIntegrateKernels(memory),
    each: async (list, read, work, use, signal) => {
      const size = 2 * pool.workers;
      for (let at = 0; at < list.length; at += size) {
        const batch = list.slice(at, at + size),
          running: ReturnType<typeof work>[] = [];
        try {
          for (const f of batch) running.push(work(await read(f), f));
          let steps = running.map((r) => r.next());
          for (;;) {
            const waiting = steps.flatMap((s, i) => (s.done ? [] : [{ i, task: s.value }]));
            if (waiting.length === 0) break;
            await pool.run(
              waiting.map((w) => w.task),
              { signal },
            );
            const next = [...steps];
            for (const { i } of waiting) next[i] = running[i]!.next();
            steps = next;
          }
          steps.forEach((s, i) => {
            if (s.done) use(s.value, batch[i]!);
          });
        } finally {
          for (const r of running) r.return(undefined as never);
        }
      }
    },
    close: () => pool.close(),
  };
}
