import { fail, isSdkError, SdkError } from "../../core/errors.js";
import { memoryFolder, type PrivateFolder, temporaryFolder } from "./folder.js";
import { builtin, locate } from "./locate.js";
import { type Hdf5Module, hdf5Service, type Request } from "./service.js";
import { type Hdf5Worker, type Reply, startHdf5Worker } from "./worker.js";

/** A question about one open file: the engine knows its number. */
export type Question = Request extends infer R ? (R extends { id: number } ? Omit<R, "id"> : never) : never;
/** An open file of an engine. */
export interface Handle {
  /** @throws bad-file when the library fails, traps or does not answer within `deadlineMs` */
  ask(question: Question, deadlineMs: number): Promise<unknown>;
  close(): Promise<void>;
}
/** The HDF5 library, somewhere. */
export interface Engine {
  /** True where a file that hangs or crashes the library cannot hang this thread. */
  readonly isolated: boolean;
  /** Identifiers of the filters that can be decoded. */
  readonly filters: ReadonlySet<number>;
  folder(): Promise<PrivateFolder>;
  open(path: string, deadlineMs: number, name: string | undefined): Promise<Handle>;
}

/** Decoded by HDF5 itself: deflate, shuffle, fletcher32, n-bit, scale-offset. */
const builtIn = [1, 2, 3, 5, 6];
/** Decoded by the optional package h5wasm-plugins: LZF, blosc, LZ4, bitshuffle, zstd, bzip2, blosc2, zfp. */
const withPlugins = [32000, 32001, 32004, 32008, 32015, 307, 32026, 32013];
const filters = (plugins: boolean): ReadonlySet<number> => new Set(plugins ? [...builtIn, ...withPlugins] : builtIn);

const damaged = (name: string | undefined, reason: string): never =>
  fail("bad-file", { name, reason: reason.slice(0, 200) }, "the HDF5 library cannot read this file: it is truncated or damaged");

let loading: Promise<Engine> | undefined;
/** The one engine of this thread, started when the first file is opened. @throws unsupported without the package h5wasm */
export function hdf5Engine(): Promise<Engine> {
  loading ??= start();
  loading.catch(() => {
    loading = undefined; // installed meanwhile, perhaps
  });
  return loading;
}
async function start(): Promise<Engine> {
  const first = await startHdf5Worker();
  return first ? isolatedEngine(first) : inThreadEngine();
}

/**
 * The library in a worker that all open files share. A call that hangs or crashes it costs the worker and the file that was asked for; the others
 * are opened again in the next worker, unnoticed. Calls wait for each other: the library does one thing at a time anyway.
 */
function isolatedEngine(first: Hdf5Worker): Engine {
  let worker: Hdf5Worker | undefined = first,
    queue: Promise<unknown> = Promise.resolve();
  const running = async (): Promise<Hdf5Worker> => {
    worker ??= await startHdf5Worker();
    return worker ?? fail("unsupported", { package: "h5wasm" }, "the thread of the HDF5 library cannot be started again");
  };
  /** One question; a worker that hangs or is broken goes, and the file with it. */
  const ask = async (w: Hdf5Worker, request: Request, deadlineMs: number, name: string | undefined): Promise<unknown> => {
    w.hold(true);
    const reply: Reply | undefined = await w.ask(request, deadlineMs);
    w.hold(false);
    if (reply && reply.error === undefined) return reply.value;
    if (!reply || reply.broken) {
      w.stop();
      worker = undefined;
      throw new SdkError(
        "bad-file",
        { name, op: request.op, ...(reply ? { reason: reply.error } : { deadlineMs }) },
        reply
          ? "this file crashed the HDF5 library, or made it ask for memory without end: it is damaged; it is closed now"
          : "the HDF5 library did not answer in time: the file is damaged, or so slow to reach that deadlineMs must be raised; it is closed now",
      );
    }
    return damaged(name, reply.error ?? "");
  };
  const queued = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(() => undefined);
    return result;
  };
  return {
    isolated: true,
    filters: filters(first.plugins),
    folder: async () => (await temporaryFolder()) ?? fail("unsupported", {}, "there is no file system to copy the file to"),
    open: async (path, openMs, name) => {
      let at: { readonly worker: Hdf5Worker; readonly id: number } | undefined, lost: SdkError | undefined;
      /** Number of this file in the worker of now. */
      const place = async (): Promise<{ readonly worker: Hdf5Worker; readonly id: number }> => {
        if (lost) throw lost;
        const w = await running();
        if (at?.worker !== w) at = { worker: w, id: (await ask(w, { op: "open", path }, openMs, name)) as number };
        return at;
      };
      const guarded = <T>(work: () => Promise<T>): Promise<T> =>
        queued(async () => {
          try {
            return await work();
          } catch (e) {
            if (worker === undefined && isSdkError(e)) lost = e;
            throw e;
          }
        });
      await guarded(place);
      return {
        ask: (question, deadlineMs) =>
          guarded(async () => {
            const { worker: w, id } = await place();
            return ask(w, { ...question, id } as Request, deadlineMs, name);
          }),
        close: () =>
          queued(async () => {
            const open = at;
            lost ??= new SdkError("bad-value", { name }, "this file is closed: open it again with openHdf5");
            if (open && open.worker === worker) await ask(open.worker, { op: "close", id: open.id }, openMs, name).catch(() => undefined); // nothing is left to lose
          }),
      };
    },
  };
}

/** The library in this thread: browsers, and runtimes without worker threads. Nothing can interrupt it here. */
export async function inThreadEngine(): Promise<Engine> {
  const inNode = (await builtin("node:fs")) !== undefined;
  let h5: { readonly ready: Promise<Hdf5Module> };
  try {
    h5 = (inNode ? await import("h5wasm/node") : await import("h5wasm")) as unknown as typeof h5;
  } catch (cause) {
    return fail("unsupported", { package: "h5wasm" }, "reading HDF5 needs the package h5wasm: npm install h5wasm", cause);
  }
  const module = await h5.ready,
    plugins = inNode ? await locate("h5wasm-plugins") : undefined;
  if (plugins !== undefined) module.insert_plugin_search_path(decodeURIComponent(new URL("plugins", plugins).pathname), 0);
  const service = hdf5Service(module);
  const attempt = (request: Request, name: string | undefined): unknown => {
    try {
      return service(request);
    } catch (e) {
      return damaged(name, e instanceof Error ? e.message : String(e));
    }
  };
  return {
    isolated: false,
    filters: filters(plugins !== undefined),
    folder: async () => (await temporaryFolder()) ?? memoryFolder(module),
    open: async (path, _deadlineMs, name) => {
      const id = attempt({ op: "open", path }, name) as number;
      let closed = false;
      return {
        ask: async (question) => {
          if (closed) fail("bad-value", { name }, "this file is closed: open it again with openHdf5");
          return attempt({ ...question, id } as Request, name);
        },
        close: async () => {
          if (!closed) attempt({ op: "close", id }, name);
          closed = true;
        },
      };
    },
  };
}
