import { fail, isSdkError } from "../../core/errors.js";
import type { TypedArray } from "../../core/image.js";
import { bytesPer, type NumberType, numbersOf } from "../bytes-numbers.js";
import { type ByteInput, type ByteSource, DEFAULT_MAX_BYTES, readUpTo, type SizeLimit, toSource } from "../source.js";
import { type Engine, type Handle, hdf5Engine, type Question } from "./engine.js";
import { baseName } from "./folder.js";
import { builtin, type NodeFs } from "./locate.js";
import type { AttributeValue, ObjectInfo } from "./service.js";

/** A value of an attribute, plain: numbers (64-bit integers as f64), texts, truth values, arrays of them; undefined for types that are none of these. */
export type Hdf5Value = AttributeValue;

/** A dataset: its description, and its values when asked for. */
export interface Hdf5Dataset {
  readonly path: string;
  /** Empty for a single value; [0] where the file holds none at all. */
  readonly shape: readonly number[];
  /** Undefined for texts, references and compound types that are not complex numbers. */
  readonly dtype: NumberType | undefined;
  readonly chunks: readonly number[] | undefined;
  readonly filters: readonly { readonly id: number; readonly name: string }[];
  readonly attributes: Readonly<Record<string, Hdf5Value>>;
  /**
   * Values of a block [from, to) per axis, row-major; all of it when no ranges are given. Complex values are interleaved, truth values 0 or 1,
   * 64-bit integers f64 (exact to 2⁵³).
   * @throws unsupported for a missing filter or type, too-large above the limit, out-of-range, bad-file
   */
  read(ranges?: readonly (readonly [from: number, to: number])[]): Promise<TypedArray>;
  /** Texts of a text dataset. @throws unsupported for other types, too-large, bad-file */
  texts(): Promise<readonly string[]>;
}

/** An open HDF5 file. Every question may fail with bad-file, when the file is damaged where it is looked at. */
export interface Hdf5File {
  readonly name: string | undefined;
  /** True where the library runs in a thread of its own, so that a damaged file cannot hang the program: in Node. */
  readonly isolated: boolean;
  /** Names of the members of a group; empty when there is no such group. */
  members(path: string): Promise<readonly string[]>;
  /** Kind of the object at a path. */
  kind(path: string): Promise<"group" | "dataset" | "none">;
  attributes(path: string): Promise<Readonly<Record<string, Hdf5Value>>>;
  /** @throws not-found */
  dataset(path: string): Promise<Hdf5Dataset>;
  /** Paths of all datasets, in file order. */
  datasets(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Hdf5Options extends SizeLimit {
  /** Names of files that external links of this one need, where it is not read from a path; those that the links name are looked up anyway. */
  readonly companions?: readonly string[];
  /**
   * Longest time one call of the library may take, ms, and as much again for every 64 MiB that it reads; default 20 000. Damaged files can
   * make the library loop for ever. Without effect where `isolated` is false.
   */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 20_000;
/** Bytes that a read brings in one more deadline. */
const DEADLINE_BYTES = 2 ** 26;
/** Most descriptions of objects that are remembered. */
const MAX_REMEMBERED = 20_000;

/**
 * Open an HDF5 file. In Node a path, or a source that has one, is read in place, whatever its size; other inputs are copied first, into a temporary
 * folder in Node, into memory in browsers. Files that external links name are looked up beside the path, or through the source's `sibling`.
 * @throws bad-file when it is no HDF5 file or the library cannot open it, too-large, unsupported without the package h5wasm
 */
export async function openHdf5(input: ByteInput | string, options: Hdf5Options = {}): Promise<Hdf5File> {
  const { maxBytes = DEFAULT_MAX_BYTES, companions = [], deadlineMs = DEADLINE_MS } = options;
  const source = typeof input === "string" ? undefined : toSource(input),
    engine = await hdf5Engine();
  const path = typeof input === "string" ? input : engine.isolated ? source?.path : undefined;
  if (path !== undefined || source === undefined) {
    const at = path ?? "";
    await checkFile(at);
    return fileOf(engine, await engine.open(at, deadlineMs, at), at, maxBytes, deadlineMs, () => undefined);
  }
  if (source.size > maxBytes)
    fail("too-large", { name: source.name, size: source.size, maxBytes }, "raise maxBytes to read this file, or open it by its path");
  if (!hasSignature(await readUpTo(source, 0, 2 ** 16)))
    fail("bad-file", { name: source.name, size: source.size }, "this is no HDF5 file: its signature \\x89HDF is missing");
  const folder = await engine.folder(),
    main = baseName(source.name ?? "file.h5");
  try {
    await folder.put(main, source);
    const present = new Set([main]);
    const bring = async (names: readonly string[]): Promise<number> => {
      let brought = 0;
      for (const name of names.map(baseName)) {
        if (present.has(name)) continue;
        present.add(name);
        const other: ByteSource | undefined = await source.sibling?.(name);
        if (!other) continue;
        if (other.size > maxBytes) fail("too-large", { name, size: other.size, maxBytes }, "raise maxBytes to read this companion file");
        await folder.put(name, other);
        brought++;
      }
      return brought;
    };
    await bring(companions);
    const open = (): Promise<Handle> => engine.open(`${folder.path}/${main}`, deadlineMs, source.name);
    let handle = await open();
    if (source.sibling) {
      // Links that lead nowhere yet. A file cannot be walked to the end may still hold its images.
      const wanted = await handle.ask({ op: "externals" }, deadlineMs).catch((e: unknown) => (isSdkError(e) ? [] : Promise.reject(e)));
      if ((await bring(wanted as string[])) > 0) {
        await handle.close();
        handle = await open();
      }
    }
    return fileOf(engine, handle, source.name, maxBytes, deadlineMs, () => folder.remove());
  } catch (e) {
    folder.remove();
    throw e;
  }
}

/** The library cannot tell a missing file from a damaged one, and would wait for ever at a pipe. */
async function checkFile(path: string): Promise<void> {
  const fs = await builtin<NodeFs>("node:fs");
  if (!fs) return;
  let found: { isFile(): boolean } | undefined;
  try {
    found = fs.statSync(path);
  } catch (cause) {
    return fail("not-found", { path, reason: String(cause) }, "there is no file at this path, or it may not be read", cause);
  }
  if (!found.isFile()) fail("bad-file", { path }, "this is no file but a folder, pipe or device: an HDF5 file is needed");
}

/** The signature stands at byte 0, or at 512, 1024, … behind a user block. */
export function hasSignature(bytes: Uint8Array): boolean {
  for (let at = 0; at + 8 <= bytes.length; at = at === 0 ? 512 : 2 * at)
    if ([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((b, i) => bytes[at + i] === b)) return true;
  return false;
}

type DatasetInfo = Extract<ObjectInfo, { kind: "dataset" }>;
interface Context {
  readonly engine: Engine;
  readonly name: string | undefined;
  readonly maxBytes: number;
  ask(question: Question, bytes?: number): Promise<unknown>;
}

function fileOf(
  engine: Engine,
  handle: Handle,
  name: string | undefined,
  maxBytes: number,
  deadlineMs: number,
  clean: () => void,
): Hdf5File {
  const known = new Map<string, Promise<ObjectInfo>>();
  const ask = (question: Question, bytes = 0): Promise<unknown> => handle.ask(question, deadlineMs * (1 + bytes / DEADLINE_BYTES));
  const object = (path: string): Promise<ObjectInfo> => {
    const at = path.split("/").filter((c) => c !== "");
    const clean = at.join("/");
    let info = known.get(clean);
    if (!info) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      info = ask({ op: "object", path: clean }) as Promise<ObjectInfo>;
      known.set(clean, info);
    }
    return info;
  };
  return {
    name,
    isolated: engine.isolated,
    members: async (path) => {
      const o = await object(path);
      return o.kind === "group" ? o.members : [];
    },
    kind: async (path) => (await object(path)).kind,
    attributes: async (path) => (await object(path)).attributes,
    dataset: async (path) => {
      const o = await object(path);
      if (o.kind !== "dataset") return fail("not-found", { path, name }, "there is no dataset at this path; list them with datasets()");
      return datasetOf({ engine, name, maxBytes, ask }, o, path);
    },
    datasets: async () => (await ask({ op: "datasets" })) as string[],
    close: async () => {
      try {
        await handle.close();
      } finally {
        clean();
      }
    },
  };
}

function datasetOf({ engine, name, maxBytes, ask }: Context, info: DatasetInfo, path: string): Hdf5Dataset {
  const { dtype, chunks, filters, attributes, size } = info,
    shape = info.shape ?? [0];
  const check = (bytes: number): void => {
    const missing = filters.find((f) => !engine.filters.has(f.id));
    if (missing)
      fail(
        "unsupported",
        { path, filter: missing.name || missing.id, id: missing.id },
        "this dataset is compressed with a filter that is not installed: npm install h5wasm-plugins (it has LZF, LZ4, bitshuffle, blosc, zstd, bzip2, zfp)",
      );
    if (!(bytes <= maxBytes)) fail("too-large", { path, bytes, maxBytes }, "read a part of this dataset, or raise maxBytes");
    // A chunk is decoded as a whole: it must fit as well.
    if (!(chunkBytes <= maxBytes))
      fail("too-large", { path, chunks, maxBytes }, "a single chunk of this dataset is above the limit: raise maxBytes");
  };
  const chunkBytes = (chunks ?? []).reduce((n, c) => n * c, chunks ? size : 0);
  return {
    path,
    shape,
    dtype,
    chunks,
    filters,
    attributes,
    read: async (ranges) => {
      if (dtype === undefined || dtype === "f16")
        return fail("unsupported", { path, dtype: dtype ?? info.type }, "this dataset holds no numbers of a type that can be read");
      if (
        ranges &&
        (ranges.length !== shape.length ||
          ranges.some(([a, b], i) => !(Number.isInteger(a) && Number.isInteger(b) && a >= 0 && a < b && b <= shape[i]!)))
      )
        fail(
          "out-of-range",
          { path, ranges: ranges.map((r) => r.join(":")), shape },
          "give one range [from, to) inside the shape for each axis",
        );
      const count = (ranges ?? shape.map((s) => [0, s] as const)).reduce((n, [a, b]) => n * (b - a), 1),
        bytes = count * bytesPer(dtype);
      check(bytes);
      const buffer =
        count === 0
          ? new ArrayBuffer(0)
          : await ask({ op: "read", path, ranges: ranges?.map(([a, b]) => [a, b]), limit: maxBytes }, bytes + chunkBytes);
      if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== bytes)
        return fail(
          "bad-file",
          { path, name, wanted: bytes, got: buffer instanceof ArrayBuffer ? buffer.byteLength : typeof buffer },
          "the dataset holds another number of values than its shape says: the file is damaged",
        );
      return numbersOf(buffer, dtype);
    },
    texts: async () => {
      if (!info.isText) return fail("unsupported", { path, dtype: dtype ?? info.type }, "this dataset holds no texts");
      const bytes = shape.reduce((n, s) => n * s, size);
      check(bytes);
      return (await ask({ op: "texts", path, limit: maxBytes }, bytes + chunkBytes)) as string[];
    },
  };
}
