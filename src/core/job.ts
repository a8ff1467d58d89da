/** Progress of a long computation: `done` of `total` units, and a note for a person. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly note: string;
}
/** A long computation is a generator of progress that returns its result; the drivers below are all that knows about time. */
export type Steps<T> = Generator<Progress, T, void>;
export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
  /** Longest time between returns to the event loop, ms. */
  readonly sliceMs?: number | undefined;
}

/** Run to the end without returning to the event loop. */
export function runSync<T>(steps: Steps<T>, onProgress?: (p: Progress) => void): T {
  for (;;) {
    const r = steps.next();
    if (r.done) return r.value;
    onProgress?.(r.value);
  }
}

/** Same bits as runSync; returns to the event loop every `sliceMs` (16). Rejects with `signal.reason` on abort. */
export async function runAsync<T>(steps: Steps<T>, { signal, onProgress, sliceMs = 16 }: RunOptions = {}): Promise<T> {
  let due = performance.now() + sliceMs;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const r = steps.next();
      if (r.done) return r.value;
      onProgress?.(r.value);
      if (performance.now() < due) continue;
      await new Promise<void>((resume) => setTimeout(resume));
      due = performance.now() + sliceMs;
    }
  } finally {
    steps.return(undefined as T); // lets the generator's own `finally` free its buffers
  }
}
