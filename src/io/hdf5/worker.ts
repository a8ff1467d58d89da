import { builtin, locate } from "./locate.js";
import { hdf5Service, type Request } from "./service.js";

/** What the worker sends back. `broken`: the library's memory can no longer be trusted. */
export interface Reply {
  readonly value?: unknown;
  readonly error?: string;
  readonly broken?: boolean;
}
/** A thread with the HDF5 library in it. */
export interface Hdf5Worker {
  readonly plugins: boolean;
  /** Send one question and wait; nothing else may be under way. Undefined when the deadline passed. */
  ask(request: Request, deadlineMs: number): Promise<Reply | undefined>;
  /** Keep the process alive, or not. */
  hold(on: boolean): void;
  stop(): void;
}
interface NodeWorker {
  postMessage(message: unknown): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
  on(event: "message", listener: (reply: Reply) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "exit", listener: () => void): void;
}
interface NodeThreads {
  readonly Worker: new (source: string, options: { eval: true; workerData: unknown; execArgv: string[] }) => NodeWorker;
}

/** Longest time that starting the thread and compiling the library may take. */
const START_MS = 60_000;
/** Memory that the library may grow to, besides four times the limit of a read: values, a chunk, and the buffers that decode it. */
const BASE_BYTES = 2 ** 27;

/**
 * The whole program of the worker. The library writes diagnostics of every failure to the error output; nobody can act on them, so they go nowhere.
 * Its memory can grow to 2 GiB by itself: `grow` refuses what is above the limit of the call, and the library then fails in an orderly way.
 */
const program = (): string => `
const { parentPort, workerData } = require("node:worker_threads");
const fs = require("node:fs"), { fileURLToPath } = require("node:url");
const write = fs.writeSync;
fs.writeSync = (fd, data, ...rest) => (fd === 1 || fd === 2 ? (typeof rest[1] === "number" ? rest[1] : data.length) : write(fd, data, ...rest));
console.log = console.warn = console.error = console.info = () => {};
const grow = WebAssembly.Memory.prototype.grow;
let room = ${BASE_BYTES};
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * 65536 > room) throw new RangeError("the memory limit of this call");
  return grow.call(this, pages);
};
const service = ${hdf5Service.toString()};
const broken = (e) => !(e instanceof Error) || e instanceof WebAssembly.RuntimeError || e instanceof RangeError || /abort/i.test(e.message);
const say = (e) => String((e && e.message) || e).slice(0, 300);
(async () => {
  const h5 = await import(workerData.library), module = await h5.ready;
  if (workerData.plugins) module.insert_plugin_search_path(fileURLToPath(new URL("plugins", workerData.plugins)), 0);
  const answer = service(module);
  parentPort.on("message", (q) => {
    try {
      room = ${BASE_BYTES} + 4 * (q.limit || 0);
      const value = answer(q);
      parentPort.postMessage({ value }, value instanceof ArrayBuffer ? [value] : []);
    } catch (e) {
      parentPort.postMessage({ error: say(e), broken: broken(e) });
    }
  });
  parentPort.postMessage({ value: "ready" });
})().catch((e) => parentPort.postMessage({ error: say(e) }));`;

/** Start the worker; undefined where there are no worker threads or the library is not found by its address. */
export async function startHdf5Worker(): Promise<Hdf5Worker | undefined> {
  const threads = await builtin<NodeThreads>("node:worker_threads");
  if (!threads) return undefined;
  const library = await locate("h5wasm", "./node"),
    plugins = await locate("h5wasm-plugins");
  if (library === undefined) return undefined;
  let worker: NodeWorker;
  try {
    worker = new threads.Worker(program(), { eval: true, workerData: { library, plugins }, execArgv: [] });
  } catch {
    return undefined; // refused by policy or for want of memory
  }
  let listener: ((reply: Reply | undefined) => void) | undefined, gone: Reply | undefined;
  const tell = (reply: Reply | undefined): void => {
    const to = listener;
    listener = undefined;
    to?.(reply);
  };
  const dies = (error: string): void => {
    gone ??= { error, broken: true };
    tell(gone);
  };
  worker.on("message", tell);
  worker.on("error", (e) => dies(e.message));
  worker.on("exit", () => dies("the thread of the HDF5 library ended"));
  const wait = (deadlineMs: number): Promise<Reply | undefined> =>
    new Promise((resolve) => {
      // A thread that was busy for long finds the timer due and the answer waiting, the timer first: one more turn lets the answer in.
      let timer = setTimeout(() => {
        timer = setTimeout(() => tell(undefined), 20);
      }, deadlineMs);
      listener = (reply) => {
        clearTimeout(timer);
        resolve(reply);
      };
      if (gone) tell(gone);
    });
  const ready = await wait(START_MS);
  worker.unref();
  if (ready?.value !== "ready") {
    void worker.terminate();
    return undefined;
  }
  return {
    plugins: plugins !== undefined,
    ask: (request, deadlineMs) => {
      const reply = wait(deadlineMs);
      if (!gone) worker.postMessage(request);
      return reply;
    },
    hold: (on) => (on ? worker.ref() : worker.unref()),
    stop: () => void worker.terminate(),
  };
}
