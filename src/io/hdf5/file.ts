import { fail, isSdkError } from "../../core/errors.js";
import type { TypedArray } from "../../core/image.js";
import type { NumberType } from "../bytes-numbers.js";
import { type ByteInput, DEFAULT_MAX_BYTES, readAll, type SizeLimit, toSource } from "../source.js";
import { hdf5Library, type Library, type RawDataset, type RawFile, type RawGroup } from "./library.js";

/** A value of an attribute, plain: numbers (64-bit integers as f64), texts, arrays of them. */
export type Hdf5Value = number | string | boolean | TypedArray | readonly Hdf5Value[] | undefined;

/** A dataset: its description, and its values when asked for. */
export interface Hdf5Dataset {
  readonly path: string;
  readonly shape: readonly number[];
  /** Undefined for texts and compound types that are not complex numbers. */
  readonly dtype: NumberType | undefined;
  readonly chunks: readonly number[] | undefined;
  readonly filters: readonly { readonly id: number; readonly name: string }[];
  readonly attributes: Readonly<Record<string, Hdf5Value>>;
  /**
   * Values of a block [from, to) per axis, row-major; all of it when no ranges are given. Complex values are interleaved.
   * @throws unsupported for a missing filter or type, too-large above the limit, out-of-range, bad-file
   */
  read(ranges?: readonly (readonly [from: number, to: number])[]): TypedArray;
  /** Texts of a text dataset. */
  texts(): readonly string[];
}

/** An open HDF5 file. */
export interface Hdf5File {
  readonly name: string | undefined;
  /** Names of the members of a group; empty when there is no such group. */
  members(path: string): readonly string[];
  /** Kind of the object at a path. */
  kind(path: string): "group" | "dataset" | "none";
  attributes(path: string): Readonly<Record<string, Hdf5Value>>;
  /** @throws not-found */
  dataset(path: string): Hdf5Dataset;
  /** Paths of all datasets, in file order. */
  datasets(): readonly string[];
  close(): void;
}

/** Most objects that a listing visits: damaged files can link groups into loops. */
const MAX_OBJECTS = 100_000;
let serial = 0;

/**
 * Open an HDF5 file. In Node a path is read in place, whatever its size; other inputs are copied into memory first. Companion files that external
 * links name are looked up beside the path, or through the source's `sibling`.
 * @throws bad-file when it is no HDF5 file, too-large, unsupported without the package h5wasm
 */
export async function openHdf5(
  input: ByteInput | string,
  { maxBytes = DEFAULT_MAX_BYTES, companions = [] }: SizeLimit & { companions?: readonly string[] } = {},
): Promise<Hdf5File> {
  const lib = await hdf5Library();
  if (typeof input === "string")
    return wrap(
      lib,
      attempt(() => lib.open(input), input),
      input,
      maxBytes,
      () => undefined,
    );
  const source = toSource(input),
    bytes = await readAll(source, { maxBytes });
  if (!hasSignature(bytes))
    fail("bad-file", { name: source.name, size: bytes.length }, "this is no HDF5 file: its signature \\x89HDF is missing");
  const folder = privateFolder(lib),
    name = (source.name ?? "file.h5").replace(/^.*[\\/]/, "");
  const written: string[] = [];
  const put = (n: string, b: Uint8Array): void => {
    lib.module.FS.writeFile(`${folder}/${n}`, b);
    written.push(`${folder}/${n}`);
  };
  put(name, bytes);
  for (const c of companions) {
    const other = await source.sibling?.(c);
    if (other) put(c, await readAll(other, { maxBytes }));
  }
  const clean = (): void => {
    for (const w of written) lib.module.FS.unlink(w);
    lib.module.FS.rmdir(folder);
  };
  try {
    return wrap(
      lib,
      attempt(() => lib.open(`${folder}/${name}`), source.name),
      source.name,
      maxBytes,
      clean,
    );
  } catch (e) {
    clean();
    throw e;
  }
}

/**
 * A fresh folder for one file and its companions. In Node the library works on the real file system, so it is a temporary folder there, which no
 * other process uses; elsewhere it is one of the library's file system in memory.
 */
function privateFolder(lib: Library): string {
  const builtin = (globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }).process?.getBuiltinModule;
  if (lib.inNode && builtin) {
    const { mkdtempSync } = builtin("node:fs") as { mkdtempSync(prefix: string): string };
    const { tmpdir } = builtin("node:os") as { tmpdir(): string };
    return mkdtempSync(`${tmpdir()}/ewald-h5-`);
  }
  const folder = `/ewald-${serial++}`;
  lib.module.FS.mkdirTree(folder);
  return folder;
}

/** The signature stands at byte 0, or at 512, 1024, … behind a user block. */
export function hasSignature(bytes: Uint8Array): boolean {
  for (let at = 0; at + 8 <= bytes.length; at = at === 0 ? 512 : 2 * at)
    if ([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a].every((b, i) => bytes[at + i] === b)) return true;
  return false;
}

/** Everything that the library throws means a damaged file. */
function attempt<T>(body: () => T, name: string | undefined): T {
  try {
    return body();
  } catch (cause) {
    if (isSdkError(cause)) throw cause;
    return fail(
      "bad-file",
      { name, reason: cause instanceof Error ? cause.message.slice(0, 200) : String(cause) },
      "the HDF5 library cannot read this file: it is truncated or damaged",
      cause,
    );
  }
}

function wrap(lib: Library, file: RawFile, name: string | undefined, maxBytes: number, clean: () => void): Hdf5File {
  /** Members of every group asked for: the library reports a name that is not there on stderr, so names are looked up first. */
  const listings = new Map<string, ReadonlySet<string>>();
  const at = (path: string): unknown => {
    let here: unknown = file,
      walked = "";
    for (const part of path.split("/").filter((c) => c !== "")) {
      if (!(here instanceof lib.Group)) return undefined;
      const group = here;
      let names = listings.get(walked);
      if (!names) {
        names = new Set(attempt(() => group.keys(), name));
        listings.set(walked, names);
      }
      if (!names.has(part)) return undefined;
      walked = walked === "" ? part : `${walked}/${part}`;
      const full = walked;
      here = attempt(() => file.get(full), name);
    }
    return here;
  };
  const isGroup = (o: unknown): o is RawGroup => o instanceof lib.Group;
  const isDataset = (o: unknown): o is RawDataset => o instanceof lib.Dataset;
  const attributesOf = (o: unknown): Record<string, Hdf5Value> =>
    isGroup(o) || isDataset(o)
      ? attempt(() => Object.fromEntries(Object.entries(o.attrs).map(([k, a]) => [k, attributeValue(() => a.value)])), name)
      : {};
  const self: Hdf5File = {
    name,
    members: (path) => {
      const o = at(path);
      return isGroup(o) ? attempt(() => o.keys(), name) : [];
    },
    kind: (path) => {
      const o = at(path);
      return isDataset(o) ? "dataset" : isGroup(o) ? "group" : "none";
    },
    attributes: (path) => attributesOf(at(path)),
    dataset: (path) => {
      const o = at(path);
      if (!isDataset(o)) return fail("not-found", { path, name }, "there is no dataset at this path; list them with datasets()");
      return attempt(() => describe(lib, o, path, attributesOf(o), name, maxBytes), name);
    },
    datasets: () => {
      const out: string[] = [];
      let visited = 0;
      const walk = (path: string, depth: number): void => {
        for (const m of self.members(path)) {
          if (++visited > MAX_OBJECTS || depth > 64)
            fail("bad-file", { name, objects: visited, depth }, "the groups of this HDF5 file are nested without end: it is damaged");
          const p = path === "" ? m : `${path}/${m}`,
            kind = self.kind(p);
          if (kind === "dataset") out.push(p);
          else if (kind === "group") walk(p, depth + 1);
        }
      };
      walk("", 0);
      return out;
    },
    close: () => {
      try {
        file.close();
      } finally {
        clean();
      }
    },
  };
  return self;
}

function attributeValue(get: () => unknown): Hdf5Value {
  try {
    return plain(get());
  } catch {
    return undefined; // an attribute of a type that the library does not know is no reason to lose the file
  }
}

function plain(v: unknown): Hdf5Value {
  if (typeof v === "bigint") return Number(v);
  if (v instanceof BigInt64Array || v instanceof BigUint64Array) return Float64Array.from(v as BigInt64Array, Number);
  if (Array.isArray(v)) return v.map(plain);
  if (ArrayBuffer.isView(v) && !(v instanceof DataView)) return v as TypedArray;
  return typeof v === "number" || typeof v === "string" || typeof v === "boolean" ? v : undefined;
}

/** h5wasm's type as ours: 'f' and 'd', 'b' to 'Q' as in Python's struct, complex as a compound of two equal floats. */
function numberType(dtype: unknown): NumberType | undefined {
  const letters: Readonly<Record<string, NumberType>> = {
    b: "i8",
    B: "u8",
    h: "i16",
    H: "u16",
    i: "i32",
    I: "u32",
    q: "i64",
    Q: "u64",
    e: "f16",
    f: "f32",
    d: "f64",
    l: "i32",
    L: "u32",
  };
  if (typeof dtype === "string") return letters[dtype.replace(/^[<>=|]/, "")];
  // A compound of two equal floats is a complex number, whatever the names (r and i, real and imag, realFloat, …).
  if (Array.isArray(dtype) && dtype.length === 2) {
    const [re, im] = dtype.map((m: unknown) => (Array.isArray(m) ? numberType(m[1]) : undefined));
    if (re === im && (re === "f32" || re === "f64")) return re === "f32" ? "c64" : "c128";
  }
  return undefined;
}

function describe(
  lib: Library,
  d: RawDataset,
  path: string,
  attributes: Record<string, Hdf5Value>,
  name: string | undefined,
  maxBytes: number,
): Hdf5Dataset {
  const meta = d.metadata,
    shape = d.shape ?? [],
    isEnum = meta.type === 8;
  const dtype = isEnum ? (meta.size === 1 ? "bool" : undefined) : numberType(d.dtype);
  const check = (): void => {
    const missing = d.filters.find((f) => !lib.filters.has(f.id));
    if (missing)
      fail(
        "unsupported",
        { path, filter: missing.name || missing.id, id: missing.id },
        "this dataset is compressed with a filter that is not installed: npm install h5wasm-plugins",
      );
  };
  return {
    path,
    shape,
    dtype,
    chunks: meta.chunks ?? undefined,
    filters: d.filters.map(({ id, name: n }) => ({ id, name: n })),
    attributes,
    read: (ranges) => {
      if (dtype === undefined || dtype === "f16")
        return fail("unsupported", { path, dtype: dtype ?? String(d.dtype) }, "this dataset holds no numbers of a type that can be read");
      check();
      const box = ranges ?? shape.map((s) => [0, s] as const);
      if (
        box.length !== shape.length ||
        box.some(([a, b], i) => !(Number.isInteger(a) && Number.isInteger(b) && a >= 0 && a < b && b <= shape[i]!))
      )
        fail(
          "out-of-range",
          { path, ranges: box.map((r) => r.join(":")), shape },
          "give one range [from, to) inside the shape for each axis",
        );
      const count = box.reduce((n, [a, b]) => n * (b - a), 1);
      if (count * meta.size > maxBytes)
        fail("too-large", { path, bytes: count * meta.size, maxBytes }, "read a part of this dataset, or raise maxBytes");
      // A chunk is decoded as a whole: it must fit as well.
      if (meta.chunks && meta.chunks.reduce((n, c) => n * c, meta.size) > Math.max(maxBytes, 2 ** 28))
        fail("too-large", { path, chunks: meta.chunks, maxBytes }, "a single chunk of this dataset is above the limit: raise maxBytes");
      const raw = attempt(() => (shape.length === 0 || !ranges ? d.value : d.slice(box.map((r) => [r[0], r[1]] as const))), name);
      return numbers(raw, dtype, count, path);
    },
    texts: () => {
      check();
      if (meta.total_size * meta.size > maxBytes)
        fail("too-large", { path, bytes: meta.total_size * meta.size, maxBytes }, "this text dataset is above the limit: raise maxBytes");
      const v = plain(attempt(() => d.value, name));
      return typeof v === "string" ? [v] : Array.isArray(v) ? v.map(String) : fail("unsupported", { path }, "this dataset holds no texts");
    },
  };
}

function numbers(raw: unknown, dtype: NumberType, count: number, path: string): TypedArray {
  if (dtype === "c64" || dtype === "c128") {
    const out = dtype === "c64" ? new Float32Array(2 * count) : new Float64Array(2 * count);
    (raw as ArrayLike<ArrayLike<number | ArrayLike<number>>>[] | undefined)?.forEach((pair, i) => {
      for (const k of [0, 1] as const) {
        const v = (pair as unknown as ArrayLike<number | ArrayLike<number>>)[k]!;
        out[2 * i + k] = typeof v === "number" ? v : v[0]!;
      }
    });
    return out;
  }
  const v = plain(raw);
  if (typeof v === "number" || typeof v === "boolean") return Float64Array.of(Number(v));
  if (!ArrayBuffer.isView(v) || v.length !== count)
    return fail(
      "bad-file",
      { path, wanted: count, got: ArrayBuffer.isView(v) ? v.length : typeof v },
      "the dataset holds another number of values than its shape says: the file is damaged",
    );
  return dtype === "bool" ? Uint8Array.from(v as Uint8Array, (x) => (x ? 1 : 0)) : v;
}
