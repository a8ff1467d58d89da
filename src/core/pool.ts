import { fail } from "./errors.js";

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
  /** Groups of tasks, each group after the one before has ended: kernels with barriers between them. */
  phases(groups: readonly (readonly PoolTask[])[], options?: PoolRun): Promise<void>;
  close(): Promise<void>;
}

type Reply = { readonly value?: number; readonly error?: string };
interface Thread {
  send(message: unknown): void;
  onReply: (reply: Reply) => void;
  /** Keep the process alive (or not) while a task runs. */
  hold(on: boolean): void;
  stop(): Promise<unknown>;
}

/** The whole worker. No file of its own: bundlers need not find it. */
const body = `
const exports = {};
const handle = (m) => {
  try {
    if (m.families) {
      const env = { memory: m.memory, abort() { throw new Error("a kernel stopped"); } };
      for (const f in m.families) exports[f] = new WebAssembly.Instance(m.families[f], { env }).exports;
      send({});
    } else {
      let value;
      for (const [family, name, args] of m.calls) value = exports[family][name](...args);
      send({ value });
    }
  } catch (e) { send({ error: String(e && e.message || e) }); }
};`;
const nodeSource = `const { parentPort } = require("worker_threads"); const send = (r) => parentPort.postMessage(r);${body} parentPort.on("message", handle);`;
const webSource = `const send = (r) => postMessage(r);${body} onmessage = (e) => handle(e.data);`;

type NodeThreads = typeof import("node:worker_threads");
type NodeOs = typeof import("node:os");
/** A Node module where there is one; never an import statement, so that browsers and bundlers do not see it. */
async function builtin<T>(name: string): Promise<T | undefined> {
  if (typeof process !== "object" || !process.versions?.node) return undefined;
  if (process.getBuiltinModule) return process.getBuiltinModule(name) as T | undefined;
  return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as T; // Node before 20.16
}
/** How many threads can run at once here. */
export async function availableParallelism(): Promise<number> {
  const os = await builtin<NodeOs>("node:os");
  return Math.max(1, os?.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1);
}

async function start(): Promise<Thread> {
  const threads = await builtin<NodeThreads>("node:worker_threads");
  if (threads) {
    const worker = new threads.Worker(nodeSource, { eval: true });
    worker.unref();
    const t: Thread = {
      send: (m) => worker.postMessage(m),
      onReply: () => undefined,
      hold: (on) => (on ? worker.ref() : worker.unref()),
      stop: () => worker.terminate(),
    };
    worker.on("message", (r: Reply) => t.onReply(r));
    worker.on("error", (e) => t.onReply({ error: e.message }));
    return t;
  }
  const url = URL.createObjectURL(new Blob([webSource], { type: "text/javascript" }));
  const worker = new Worker(url);
  const t: Thread = {
    send: (m) => worker.postMessage(m),
    onReply: () => undefined,
    hold: () => undefined,
    stop: async () => worker.terminate(),
  };
  worker.onmessage = (e: MessageEvent<Reply>) => t.onReply(e.data);
  worker.onerror = (e) => t.onReply({ error: e.message || "the page's policy refuses the worker" });
  const send = t.send;
  t.send = (m) => {
    send(m);
    URL.revokeObjectURL(url); // the script is fetched once the first message waits
  };
  return t;
}
const ask = (t: Thread, message: unknown): Promise<Reply> =>
  new Promise((resolve) => {
    t.onReply = resolve;
    t.hold(true);
    t.send(message);
  }).then((reply) => {
    t.hold(false);
    return reply as Reply;
  });

/** This thread as a worker of its own: for unshared memory, and where workers are refused. */
function here(options: PoolOptions): Thread {
  const env = { memory: options.memory, abort: () => fail("bad-value", {}, "a kernel stopped") };
  const families = new Map(Object.entries(options.families).map(([f, module]) => [f, new WebAssembly.Instance(module, { env }).exports]));
  let pause = 0;
  const t: Thread = {
    send: (message) => {
      const { calls } = message as { calls: [string, string, readonly number[]][] };
      const work = (): void => {
        try {
          let value: unknown;
          for (const [family, name, args] of calls) value = (families.get(family)![name] as (...a: readonly number[]) => number)(...args);
          t.onReply({ value: value as number });
        } catch (e) {
          t.onReply({ error: String((e as Error).message) });
        }
      };
      // Let the event loop breathe now and then, so that an abort can arrive.
      const now = performance.now();
      if (now < pause) return work();
      pause = now + 16;
      setTimeout(work);
    },
    onReply: () => undefined,
    hold: () => undefined,
    stop: async () => undefined,
  };
  return t;
}

/** Start a pool. Falls back to this thread when the memory is not shared, one thread is wanted, or workers are refused. */
export async function workerPool(options: PoolOptions): Promise<Pool> {
  const { memory, families, workers } = options;
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1))
    fail("bad-value", { workers }, "workers is a whole number of at least 1");
  const shared = typeof SharedArrayBuffer !== "undefined" && memory.buffer instanceof SharedArrayBuffer;
  const count = Math.min(workers ?? Number.POSITIVE_INFINITY, await availableParallelism());
  const started: Thread[] = [];
  let threaded = shared && count > 1;
  try {
    for (let i = 0; threaded && i < count; i++) started.push(await start());
    const replies = await Promise.all(started.map((t) => ask(t, { memory, families })));
    if (replies.some((r) => r.error)) throw new Error(replies.find((r) => r.error)!.error);
  } catch {
    await Promise.all(started.map((t) => t.stop()));
    threaded = false;
  }
  const threads = threaded ? started : [here(options)];
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
