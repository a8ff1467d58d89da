import type { NumberType } from "../bytes-numbers.js";

/** A value of an attribute, plain: numbers (64-bit integers as f64), texts, truth values, arrays of them. */
export type AttributeValue = number | string | boolean | Float64Array | ArrayBufferView | readonly (string | boolean)[] | undefined;
/** What the library says of one object. */
export type ObjectInfo = {
  readonly attributes: Readonly<Record<string, AttributeValue>>;
} & (
  | { readonly kind: "none"; readonly external?: string }
  | { readonly kind: "group"; readonly members: readonly string[] }
  | {
      readonly kind: "dataset";
      /** Undefined for an empty dataspace, which has no shape at all. */
      readonly shape: readonly number[] | undefined;
      readonly dtype: NumberType | undefined;
      /** The type in words, for messages. */
      readonly type: string;
      readonly isText: boolean;
      /** Bytes of one value. */
      readonly size: number;
      readonly chunks: readonly number[] | undefined;
      readonly filters: readonly { readonly id: number; readonly name: string }[];
    }
);

/** Questions to the service. `ranges` and `limit` are checked by the caller, too: the service takes no file's word for a size. */
export type Request =
  | { readonly op: "open"; readonly path: string }
  | { readonly op: "close"; readonly id: number }
  | { readonly op: "object"; readonly id: number; readonly path: string }
  | { readonly op: "datasets"; readonly id: number }
  | { readonly op: "externals"; readonly id: number }
  | {
      readonly op: "read";
      readonly id: number;
      readonly path: string;
      readonly ranges: readonly (readonly [number, number])[] | undefined;
      readonly limit: number;
    }
  | { readonly op: "texts"; readonly id: number; readonly path: string; readonly limit: number };

/** h5wasm's description of a type. */
interface RawMeta {
  readonly type: number;
  readonly size: number;
  readonly signed: boolean;
  readonly vlen: boolean;
  readonly cset?: number;
  readonly strpad?: number;
  readonly shape: readonly number[] | null;
  readonly chunks: readonly number[] | null;
  readonly total_size: number;
  readonly compound_type?: { readonly members: readonly (RawMeta & { readonly offset: number })[] };
  readonly enum_type?: { readonly type: number; readonly members: Readonly<Record<string, number>> };
}
/** The functions of the compiled library that are used: the lower layer of h5wasm, which tells of failures. */
export interface Hdf5Module {
  readonly FS: {
    writeFile(path: string, data: Uint8Array): void;
    mkdirTree(path: string): void;
    unlink(path: string): void;
    rmdir(path: string): void;
  };
  readonly HEAPU8: Uint8Array;
  readonly H5F_ACC_RDONLY: number;
  readonly H5G_GROUP: number;
  readonly H5G_DATASET: number;
  readonly H5G_UDLINK: number;
  _malloc(bytes: number): number;
  _free(at: number): void;
  UTF8ToString(at: number): string;
  insert_plugin_search_path(path: string, index: number): void;
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
  close_file(id: bigint): number;
  get_type(id: bigint, path: string): number;
  get_names(id: bigint, path: string, recursive: boolean): string[];
  get_external_link(id: bigint, path: string): { readonly filename: string };
  get_attribute_names(id: bigint, path: string): string[];
  get_attribute_metadata(id: bigint, path: string, name: string): RawMeta;
  get_attribute_data(id: bigint, path: string, name: string, at: bigint): number;
  get_dataset_metadata(id: bigint, path: string): RawMeta;
  get_dataset_filters(id: bigint, path: string): { readonly id: number; readonly name: string }[];
  get_dataset_data(id: bigint, path: string, count: bigint[] | null, offset: bigint[] | null, stride: bigint[] | null, at: bigint): number;
  reclaim_vlen_memory(id: bigint, path: string, attribute: string, at: bigint): number;
}

/**
 * Answers questions about open HDF5 files with plain values that can be sent between threads.
 *
 * This function names nothing outside itself: its text is also the program of the worker (see worker.ts), where no module of this package is.
 * Its parts are methods, and not functions with names, because bundlers that keep names wrap those in a helper of their own.
 */
export function hdf5Service(m: Hdf5Module): (request: Request) => unknown {
  interface Open {
    readonly id: bigint;
    readonly names: Map<string, ReadonlySet<string>>;
  }
  const maxObjects = 200_000,
    maxDepth = 40,
    maxAttributeBytes = 2 ** 24;
  const files = new Map<number, Open>();
  let serial = 0;

  const its = {
    names(f: Open, path: string): ReadonlySet<string> {
      let found = f.names.get(path);
      if (!found) {
        found = new Set(m.get_names(f.id, `/${path}`, false));
        f.names.set(path, found);
      }
      return found;
    },
    /** Type of the object at a path. Each part is looked up first: the library reports a name that is not there at length. */
    typeOf(f: Open, path: string): number {
      let walked = "",
        type = m.H5G_GROUP;
      for (const part of path.split("/").filter((c) => c !== "")) {
        if (type !== m.H5G_GROUP || !its.names(f, walked).has(part)) return -1;
        walked = walked === "" ? part : `${walked}/${part}`;
        type = m.get_type(f.id, `/${walked}`);
      }
      return type;
    },
    isTruth(t: RawMeta): boolean {
      const labels = Object.keys(t.enum_type?.members ?? {}).map((k) => k.toUpperCase());
      return t.size === 1 && labels.length === 2 && labels.includes("FALSE") && labels.includes("TRUE");
    },
    /** Type numbers of the library: 0 integer, 1 float, 3 text, 6 compound, 8 enumeration. */
    numberType(t: RawMeta): NumberType | undefined {
      const integer = ({ 1: "8", 2: "16", 4: "32", 8: "64" } as Readonly<Record<number, string>>)[t.size];
      if (t.type === 8 && its.isTruth(t)) return "bool";
      if (t.type === 0 || (t.type === 8 && t.enum_type?.type === 0))
        return integer === undefined ? undefined : (`${t.signed ? "i" : "u"}${integer}` as NumberType);
      if (t.type === 1) return t.size === 8 ? "f64" : t.size === 4 ? "f32" : t.size === 2 ? "f16" : undefined;
      // A compound of two equal floats is a complex number, whatever the names (r and i, real and imag, realFloat, …).
      const [re, im, ...more] = t.compound_type?.members ?? [];
      if (t.type === 6 && re && im && more.length === 0 && re.type === 1 && im.type === 1 && re.size === im.size)
        if (re.offset === 0 && im.offset === re.size && t.size === 2 * re.size)
          return re.size === 4 ? "c64" : re.size === 8 ? "c128" : undefined;
      return undefined;
    },
    words(t: RawMeta): string {
      return (
        ["integer", "float", "time", "text", "bit field", "opaque", "compound", "reference", "enumeration", "variable length", "array"][
          t.type
        ] ?? "unknown"
      );
    },
    /** Bytes of values that `fill` writes into the library's memory. Cleared first: values that no one ever wrote read as zero. */
    withMemory<T>(bytes: number, fill: (at: number) => number, use: (at: number) => T): T {
      const at = m._malloc(Math.max(bytes, 8));
      if (at === 0) throw new Error(`no memory for ${bytes} bytes`);
      try {
        m.HEAPU8.fill(0, at, at + bytes);
        if (fill(at) < 0) throw new Error("the library could not read the values: a chunk, a checksum or an address is wrong");
        return use(at);
      } finally {
        m._free(at);
      }
    },
    textsAt(at: number, t: RawMeta, n: number): string[] {
      if (t.vlen)
        return Array.from(new Uint32Array(m.HEAPU8.slice(at, at + 4 * n).buffer), (pointer) =>
          pointer === 0 ? "" : m.UTF8ToString(pointer),
        );
      const decoder = new TextDecoder(t.cset === 1 ? "utf-8" : "latin1");
      return Array.from({ length: n }, (_, i) => {
        const piece = m.HEAPU8.slice(at + i * t.size, at + (i + 1) * t.size),
          end = piece.indexOf(0);
        const text = decoder.decode(end < 0 ? piece : piece.subarray(0, end));
        return t.strpad === 2 ? text.replace(/ +$/, "") : text; // Fortran pads with spaces
      });
    },
    attribute(f: Open, path: string, name: string): AttributeValue {
      const t = m.get_attribute_metadata(f.id, path, name);
      if (!t?.shape || !(t.size * t.total_size <= maxAttributeBytes)) return undefined;
      const n = t.total_size,
        dtype = its.numberType(t),
        one = t.shape.length === 0;
      if (t.type !== 3 && (dtype === undefined || dtype === "f16")) return undefined;
      return its.withMemory(
        t.size * n,
        (at) => m.get_attribute_data(f.id, path, name, BigInt(at)),
        (at) => {
          if (t.type === 3) {
            const texts = its.textsAt(at, t, n);
            if (t.vlen) m.reclaim_vlen_memory(f.id, path, name, BigInt(at));
            return one ? texts[0] : texts;
          }
          const { buffer } = m.HEAPU8.slice(at, at + t.size * n);
          if (dtype === "bool") {
            const truths = Array.from(new Uint8Array(buffer), (v) => v !== 0);
            return one ? truths[0] : truths;
          }
          const views = {
            i8: Int8Array,
            u8: Uint8Array,
            i16: Int16Array,
            u16: Uint16Array,
            i32: Int32Array,
            u32: Uint32Array,
            f32: Float32Array,
          };
          const v =
            dtype === "i64"
              ? Float64Array.from(new BigInt64Array(buffer) as unknown as ArrayLike<number>, Number)
              : dtype === "u64"
                ? Float64Array.from(new BigUint64Array(buffer) as unknown as ArrayLike<number>, Number)
                : dtype === "c64"
                  ? new Float32Array(buffer)
                  : new (views[dtype as keyof typeof views] ?? Float64Array)(buffer);
          return one && v.length === 1 ? v[0] : v;
        },
      );
    },
    /** An attribute of a type that is not known, or whose bytes are damaged, is no reason to lose the file. */
    attributes(f: Open, path: string): Record<string, AttributeValue> {
      return Object.fromEntries(
        m.get_attribute_names(f.id, path).map((name) => {
          try {
            return [name, its.attribute(f, path, name)];
          } catch (e) {
            if (!(e instanceof Error) || e instanceof WebAssembly.RuntimeError || e instanceof RangeError) throw e;
            return [name, undefined];
          }
        }),
      );
    },
    object(f: Open, path: string): ObjectInfo {
      const type = its.typeOf(f, path),
        full = `/${path}`;
      if (type === m.H5G_GROUP) return { kind: "group", members: [...its.names(f, path)], attributes: its.attributes(f, full) };
      if (type === m.H5G_DATASET) {
        const t = m.get_dataset_metadata(f.id, full);
        return {
          kind: "dataset",
          shape: t.shape ? Array.from(t.shape) : undefined,
          dtype: its.numberType(t),
          type: `${its.words(t)} of ${t.size} bytes`,
          isText: t.type === 3,
          size: t.size,
          chunks: t.chunks ? Array.from(t.chunks) : undefined,
          filters: m.get_dataset_filters(f.id, full).map((x) => ({ id: x.id, name: x.name })),
          attributes: its.attributes(f, full),
        };
      }
      if (type === m.H5G_UDLINK) return { kind: "none", external: m.get_external_link(f.id, full).filename, attributes: {} };
      return { kind: "none", attributes: {} };
    },
    /** Objects in file order. Links can make a group its own member: the walk ends at a depth, and fails at a number of objects. */
    walk(f: Open, path: string, depth: number, visit: (path: string, type: number) => void, count = { n: 0 }): void {
      for (const name of its.names(f, path)) {
        if (++count.n > maxObjects) throw new Error(`more than ${maxObjects} objects: the groups are nested without end`);
        const p = path === "" ? name : `${path}/${name}`,
          type = m.get_type(f.id, `/${p}`);
        visit(p, type);
        if (type === m.H5G_GROUP && depth < maxDepth) its.walk(f, p, depth + 1, visit, count);
      }
    },
    read(f: Open, path: string, ranges: readonly (readonly [number, number])[] | undefined, limit: number): ArrayBuffer {
      const t = m.get_dataset_metadata(f.id, `/${path}`);
      const n = ranges ? ranges.reduce((p, [a, b]) => p * (b - a), 1) : t.total_size;
      if (!(n * t.size <= limit)) throw new Error(`${n} values of ${t.size} bytes are above the limit`);
      return its.withMemory(
        n * t.size,
        (at) =>
          m.get_dataset_data(
            f.id,
            `/${path}`,
            ranges ? ranges.map(([a, b]) => BigInt(b - a)) : null,
            ranges ? ranges.map(([a]) => BigInt(a)) : null,
            ranges ? ranges.map(() => 1n) : null,
            BigInt(at),
          ),
        (at) => m.HEAPU8.slice(at, at + n * t.size).buffer,
      );
    },
    texts(f: Open, path: string, limit: number): string[] {
      const t = m.get_dataset_metadata(f.id, `/${path}`);
      if (!t.shape) return [];
      if (!(t.total_size * t.size <= limit)) throw new Error(`${t.total_size} texts are above the limit`);
      return its.withMemory(
        t.total_size * t.size,
        (at) => m.get_dataset_data(f.id, `/${path}`, null, null, null, BigInt(at)),
        (at) => {
          const out = its.textsAt(at, t, t.total_size);
          if (t.vlen) m.reclaim_vlen_memory(f.id, `/${path}`, "", BigInt(at));
          return out;
        },
      );
    },
  };

  return (q) => {
    if (q.op === "open") {
      const id = m.open(q.path, m.H5F_ACC_RDONLY, false, -1, -1);
      if (id < 0n) throw new Error("the library cannot open it");
      files.set(++serial, { id, names: new Map() });
      return serial;
    }
    const f = files.get(q.id);
    if (!f) throw new Error("the file is closed");
    if (q.op === "object") return its.object(f, q.path);
    if (q.op === "read") return its.read(f, q.path, q.ranges, q.limit);
    if (q.op === "texts") return its.texts(f, q.path, q.limit);
    if (q.op === "close") {
      files.delete(q.id);
      m.close_file(f.id);
      return undefined;
    }
    const found: string[] = [];
    its.walk(f, "", 0, (path, type) => {
      if (q.op === "datasets" && type === m.H5G_DATASET) found.push(path);
      if (q.op === "externals" && type === m.H5G_UDLINK) found.push(m.get_external_link(f.id, `/${path}`).filename);
    });
    return found;
  };
}
