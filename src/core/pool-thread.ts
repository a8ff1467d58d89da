import { fail } from "./errors.js";

/** Answer of a worker: the value of the last call, or what went wrong. */
export type Reply = { readonly value?: number; readonly error?: string };
/** Something that takes one message at a time and answers it. */
export interface Thread {
  send(message: unknown): void;
  onReply: (reply: Reply) => void;
  /** Keep the process alive (or not) while a task runs. */
  hold(on: boolean): void;
  stop(): Promise<unknown>;
}

/** The whole worker. No file of its own: bundlers need not find it. */
const body = `
const exports = {};
let gate;
const handle = (m) => {
  try {
    if (m.families) {
      gate = m.gate;
      const env = { memory: m.memory, abort() { throw new Error("a kernel stopped"); } };
      for (const f in m.families) exports[f] = new WebAssembly.Instance(m.families[f], { env }).exports;
      send({});
    } else if (m.program) {
      // Phases in step with the other workers: gate[0] counts arrivals, gate[1] says stop.
      let error;
      m.program.forEach((calls, phase) => {
        try { if (!Atomics.load(gate, 1)) for (const [family, name, args] of calls) exports[family][name](...args); }
        catch (e) { error = String(e && e.message || e); Atomics.store(gate, 1, 1); }
        const all = m.workers * (phase + 1);
        let here = Atomics.add(gate, 0, 1) + 1;
        if (here === all) Atomics.notify(gate, 0);
        for (let spin = 0; here < all; here = Atomics.load(gate, 0)) if (++spin > 2000) Atomics.wait(gate, 0, here, 1000);
      });
      send({ error });
    } else {
      let value;
      for (const [family, name, args] of m.calls) value = exports[family][name](...args);
      send({ value });
    }
  } catch (e) { send({ error: String(e && e.message || e) }); }
};`;
const nodeSource = `const { parentPort } = require("worker_threads"); const send = (r) => parentPort.postMessage(r);${body} parentPort.on("message", handle);`;
const webSource = `const send = (r) => postMessage(r);${body} onmessage = (e) => handle(e.data);`;

/** The little of Node's worker_threads and os that is used here. */
interface NodeThreads {
  readonly Worker: new (
    source: string,
    options: { eval: true },
  ) => {
    postMessage(message: unknown): void;
    ref(): void;
    unref(): void;
    terminate(): Promise<number>;
    on(event: "message", listener: (reply: Reply) => void): void;
    on(event: "error", listener: (error: Error) => void): void;
  };
}
interface NodeOs {
  availableParallelism?(): number;
}
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

/** A thread that failed outside a call (out of memory, refused by policy) answers everything from now on with its error. */
function dies(t: Thread, error: string): void {
  t.send = () => queueMicrotask(() => t.onReply({ error }));
  t.onReply({ error });
}
/** A worker: worker_threads in Node, a Blob worker in browsers. */
export async function startThread(): Promise<Thread> {
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
    worker.on("error", (e) => dies(t, e.message));
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
  worker.onerror = (e) => dies(t, e.message || "the page's policy refuses the worker");
  const send = t.send;
  t.send = (m) => {
    send(m);
    URL.revokeObjectURL(url); // the script is fetched once the first message waits
  };
  return t;
}
/** Send and wait for the answer; the process stays alive meanwhile. */
export const ask = (t: Thread, message: unknown): Promise<Reply> =>
  new Promise((resolve) => {
    t.onReply = resolve;
    t.hold(true);
    t.send(message);
  }).then((reply) => {
    t.hold(false);
    return reply as Reply;
  });

/** This thread as a worker of its own: for unshared memory, and where workers are refused. */
export function thisThread(memory: WebAssembly.Memory, modules: Readonly<Record<string, WebAssembly.Module>>): Thread {
  const env = { memory, abort: () => fail("bad-value", {}, "a kernel stopped") };
  const families = new Map(Object.entries(modules).map(([f, module]) => [f, new WebAssembly.Instance(module, { env }).exports]));
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
