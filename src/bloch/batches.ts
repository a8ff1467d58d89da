/** Work under way on a part of a list. */
export interface Batch<T> {
  /** Members of the list that it takes. */
  readonly size: number;
  readonly done: Promise<T>;
  /** Ask the kernels to return early; `done` ends soon after. */
  stop(): void;
  /** Give its memory back; called once, when nothing runs on it any more. */
  free(): void;
}
export interface BatchRun {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Start a batch while the one before it still runs, so that the workers never wait for this thread. */
  readonly ahead: boolean;
}

/**
 * A list taken batch by batch, in order, at most two batches in memory. `take` has a batch's results while its memory is still held.
 * Whatever throws, both batches are stopped, waited for and freed before the error goes on.
 * @throws the signal's reason, and what `start`, `take`, `done` and `onProgress` throw
 */
export async function inBatches<T, B extends object>(
  total: number,
  start: (from: number) => B & Batch<T>,
  take: (batch: B, result: T, from: number) => void | Promise<void>,
  { signal, onProgress, ahead }: BatchRun,
): Promise<void> {
  const begin = (from: number): (B & Batch<T>) | undefined => {
    if (from >= total) return undefined;
    const batch = start(from);
    batch.done.catch(() => undefined);
    return batch;
  };
  let now: ReturnType<typeof begin>, next: ReturnType<typeof begin>;
  const stop = (): void => {
    now?.stop();
    next?.stop();
  };
  signal?.throwIfAborted();
  signal?.addEventListener("abort", stop);
  try {
    now = begin(0);
    for (let from = 0; now; ) {
      const after: number = from + now.size;
      if (ahead) next = begin(after);
      const result = await now.done;
      signal?.throwIfAborted();
      await take(now, result, from);
      const ended = now;
      now = undefined;
      ended.free();
      onProgress?.(after, total);
      now = next ?? begin(after);
      next = undefined;
      from = after;
    }
  } catch (e) {
    stop();
    await Promise.allSettled([now?.done, next?.done]);
    now?.free();
    next?.free();
    signal?.throwIfAborted();
    throw e;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
