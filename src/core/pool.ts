import { fail } from "./errors.js";
import { ask, availableParallelism, startThread, type Thread, thisThread } from "./pool-thread.js";

/** One export of a kernel family with its arguments: numbers only, arrays are addresses in the shared memory. */
export interface PoolCall {
  readonly family: string;
  readonly name: string;
  readonly args: readonly number[];
}
/** Calls that one worker runs in order. */
export type PoolTask = readonly PoolCall[];
export interface PoolOptions {
  /** The memory that every family imports. Workers need a shared one; with an unshared one all runs in this thread. */
  readonly memory: WebAssembly.Memory;
  /** Compiled kernel families by name; each imports env.memory (and env.abort when it can stop). */
  readonly families: Readonly<Record<string, WebAssembly.Module>>;
  /** Threads wanted; never more than the machine can run at once. Default: as many as that. */
  readonly workers?: number | undefined;
}
export interface PoolRun {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}
/** Threads that run kernel exports on one shared memory. Dispose with `await using` or `close()`. An idle pool does not keep the process alive. */
export interface Pool extends AsyncDisposable {
  /** Number of threads that compute: 1 and this thread itself where memory cannot be shared. */
  readonly workers: number;
  readonly threaded: boolean;
  /**
   * Run independent tasks; idle workers take the next. Value of the last call of each task, by task index, so the worker count and the
   * order of arrival change nothing. @throws the signal's reason, once no task writes to the memory any more; bad-value for an unknown export
   */
  run(tasks: readonly PoolTask[], options?: PoolRun): Promise<number[]>;
  /**
   * Groups of tasks, each group after the one before has ended: kernels with barriers between them. When no group has more tasks than
   * there are workers, the workers keep the barriers among themselves (progress then comes once, at the end).
   */
  phases(groups: readonly (readonly PoolTask[])[], options?: PoolRun): Promise<void>;
  close(): Promise<void>;
}

/** Start a pool. Falls back to this thread when the memory is not shared, one thread is wanted, or workers are refused. */
export async function workerPool(options: PoolOptions): Promise<Pool> {
  const { memory, families, workers } = options;
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1))
    fail("bad-value", { workers }, "workers is a whole number of at least 1");
  const shared = typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
  const count = Math.min(workers ?? Number.POSITIVE_INFINITY, await availableParallelism());
  const started: Thread[] = [];
  const gate = shared ? new Int32Array(new SharedArrayBuffer(8)) : new Int32Array(2);
  let threaded = shared && count > 1;
  try {
    for (let i = 0; threaded && i < count; i++) started.push(await startThread());
    const replies = await Promise.all(started.map((t) => ask(t, { memory, families, gate })));
    if (replies.some((r) => r.error)) throw new Error(replies.find((r) => r.error)!.error);
  } catch {
    await Promise.all(started.map((t) => t.stop()));
    threaded = false;
  }
  const threads = threaded ? started : [thisThread(memory, families)];
  /** Phases whose tasks fit the threads one to one: the workers wait for each other, not for this thread. */
  const inStep = async (groups: readonly (readonly PoolTask[])[], { signal, onProgress }: PoolRun): Promise<void> => {
    signal?.throwIfAborted();
    gate.fill(0);
    const stop = (): void => void Atomics.store(gate, 1, 1);
    signal?.addEventListener("abort", stop);
    const program = (i: number) => groups.map((g) => (g[i] ?? []).map((c) => [c.family, c.name, c.args]));
    const replies = await Promise.all(threads.map((t, i) => ask(t, { program: program(i), workers: threads.length })));
    signal?.removeEventListener("abort", stop);
    const error = replies.find((r) => r.error !== undefined)?.error;
    if (error !== undefined) failed(error);
    signal?.throwIfAborted();
    const total = groups.reduce((s, g) => s + g.length, 0);
    onProgress?.(total, total);
  };
  const failed = (error: string): never =>
    fail("bad-value", { error }, "a kernel call failed in the worker pool: check the family, the export and its arguments");
  let closed = false;
  let queue: Promise<unknown> = Promise.resolve();

  const runNow = async (tasks: readonly PoolTask[], { signal, onProgress }: PoolRun = {}): Promise<number[]> => {
    const values = new Array<number>(tasks.length);
    let next = 0,
      done = 0,
      error: string | undefined;
    const serve = async (t: Thread): Promise<void> => {
      while (next < tasks.length && error === undefined && !signal?.aborted) {
        const index = next++;
        const calls = tasks[index]!.map((c) => [c.family, c.name, c.args]);
        const reply = await ask(t, { calls });
        if (reply.error !== undefined) error = reply.error;
        else values[index] = reply.value!;
        onProgress?.(++done, tasks.length);
      }
    };
    await Promise.all(threads.map(serve));
    if (error !== undefined)
      fail("bad-value", { error }, "a kernel call failed in the worker pool: check the family, the export and its arguments");
    signal?.throwIfAborted();
    return values;
  };
  /** One run at a time: tasks of two runs may touch the same memory. */
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) fail("bad-value", {}, "this pool is closed");
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };
  const close = async (): Promise<void> => {
    closed = true;
    await queue;
    await Promise.all(threads.map((t) => t.stop()));
  };
  const pool = {
    workers: threads.length,
    threaded,
    run: async (tasks: readonly PoolTask[], run?: PoolRun) => queued(() => runNow(tasks, run)),
    phases: async (groups: readonly (readonly PoolTask[])[], run: PoolRun = {}) =>
      queued(async () => {
        if (threaded && groups.every((g) => g.length <= threads.length)) return inStep(groups, run);
        const total = groups.reduce((s, g) => s + g.length, 0);
        let before = 0;
        for (const group of groups) {
          const start = before;
          await runNow(group, { signal: run.signal, onProgress: (done) => run.onProgress?.(start + done, total) });
          before += group.length;
        }
      }),
    close,
  };
  // Early versions of Node 20 and some browsers lack the symbol; `close` is the same thing.
  return (Symbol.asyncDispose ? Object.assign(pool, { [Symbol.asyncDispose]: close }) : pool) as Pool;
}
