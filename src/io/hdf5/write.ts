import { fail } from "../../core/errors.js";
import type { TypedArray } from "../../core/image.js";
import { bytesPer, littleEndianBytes, type NumberType, numberTypeOf } from "../bytes-numbers.js";

/** A value of an attribute: text, a number (f64), an integer (i64), or numbers of any type. */
export type Hdf5WriteValue = string | number | bigint | TypedArray;
/** A dataset: its values, or the promise of them (`type` and `shape`; the bytes are written later, anywhere in the file, by their offset). */
export interface Hdf5WriteDataset {
  readonly kind: "dataset";
  readonly data?: TypedArray | string | number | undefined;
  readonly type?: Exclude<NumberType, "bool" | "f16" | "c64" | "c128"> | undefined;
  /** Default: of an array its length, else a scalar. */
  readonly shape?: readonly number[] | undefined;
  readonly attributes?: Readonly<Record<string, Hdf5WriteValue>> | undefined;
}
export interface Hdf5WriteGroup {
  readonly kind: "group";
  readonly members: Readonly<Record<string, Hdf5WriteGroup | Hdf5WriteDataset>>;
  readonly attributes?: Readonly<Record<string, Hdf5WriteValue>> | undefined;
}
/** An HDF5 file: everything but the promised datasets, and where those go. */
export interface Hdf5Layout {
  /** From byte 0. */
  readonly head: Uint8Array;
  /** Length of the whole file. The last byte must exist: readers compare it. */
  readonly size: number;
  /** Offset of the first byte of every promised dataset by its path. Row-major, little-endian, without gaps. */
  readonly offsets: ReadonlyMap<string, number>;
}

/** Most members of a group: one node of its symbol table. */
const LEAF_K = 64;
const UNDEFINED = 0xffffffffffffffffn;

/**
 * Lay out an HDF5 file of groups, attributes and contiguous datasets: the oldest forms of the format (superblock 0, symbol tables, object headers 1),
 * which every reader knows. Text is UTF-8 of variable length. Nothing is compressed: patterns can be written one by one, in any order.
 * @throws too-large for a group with more than 128 members or a header above 64 kB; bad-shape, unsupported
 * @see The HDF Group, HDF5 File Format Specification 3.0
 */
export function hdf5Layout(root: Hdf5WriteGroup): Hdf5Layout {
  const w = writer();
  const texts = heapOf(root, w);
  const promised: { path: string; bytes: number; patch: number }[] = [];
  w.bytes([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0, 0, 8, 8, 0]);
  w.u16(LEAF_K).u16(16).u32(0).u64(0n).u64(UNDEFINED);
  const endAt = w.at();
  w.u64(0n).u64(UNDEFINED);
  const rootEntry = w.at();
  w.zeros(40);
  const heapAt = texts.place();
  const group = (g: Hdf5WriteGroup, path: string): { header: number; tree: number; heap: number } => {
    const names = Object.keys(g.members).sort((a, b) => compare(utf8(a), utf8(b)));
    if (names.length > 2 * LEAF_K)
      fail("too-large", { group: path, members: names.length, limit: 2 * LEAF_K }, "split the members over more groups");
    const bad = names.find((n) => n === "" || n === "." || n.includes("/") || n.includes("\0"));
    if (bad !== undefined) fail("bad-value", { group: path, name: bad }, "a member's name is not empty, no single dot, and holds no slash");
    const headers = names.map((n) => {
      const m = g.members[n]!,
        p = path === "" ? n : `${path}/${n}`;
      return m.kind === "group" ? group(m, p).header : dataset(m, p);
    });
    // Local heap of the names: 8 zero bytes are the empty name.
    const places: number[] = [];
    let heapSize = 8;
    for (const n of names) {
      places.push(heapSize);
      heapSize += pad8(utf8(n).length + 1);
    }
    const heap = w.align();
    w.text("HEAP")
      .bytes([0, 0, 0, 0])
      .u64(BigInt(heapSize))
      .u64(1n)
      .u64(BigInt(heap + 32))
      .zeros(8);
    for (const n of names) {
      const b = utf8(n);
      w.bytes(b).zeros(pad8(b.length + 1) - b.length);
    }
    const node = w.align();
    w.text("SNOD").bytes([1, 0]).u16(names.length);
    names.forEach((_, i) => {
      w.u64(BigInt(places[i]!)).u64(BigInt(headers[i]!)).u32(0).zeros(20);
    });
    w.zeros((2 * LEAF_K - names.length) * 40);
    const tree = w.align();
    w.text("TREE")
      .bytes([0, 0])
      .u16(names.length > 0 ? 1 : 0)
      .u64(UNDEFINED)
      .u64(UNDEFINED);
    w.u64(0n)
      .u64(BigInt(node))
      .u64(BigInt(places.at(-1) ?? 0))
      .zeros(16 * 31 + 8);
    const header = w.align();
    const table = bytesOf(writer().u64(BigInt(tree)).u64(BigInt(heap)));
    w.bytes(objectHeader([[0x11, table], ...attributes(g.attributes, texts, heapAt)], path));
    return { header, tree, heap };
  };
  const dataset = (d: Hdf5WriteDataset, path: string): number => {
    const given = d.data;
    const isText = typeof given === "string",
      type: NumberType | undefined = isText
        ? undefined
        : given === undefined
          ? d.type
          : typeof given === "number"
            ? "f64"
            : numberTypeOf(given);
    if (!isText && type === undefined) return fail("bad-value", { dataset: path }, "a dataset without data needs a type");
    const shape = d.shape ?? (typeof given === "object" ? [given.length] : []);
    const count = shape.reduce((a, b) => a * b, 1),
      have = given === undefined ? count : typeof given === "object" ? given.length : 1;
    if (!shape.every((s) => Number.isInteger(s) && s >= 1) || have !== count || shape.length > 32)
      fail("bad-shape", { dataset: path, shape, values: have }, "shape holds positive whole sizes whose product is the number of values");
    const size = isText ? 16 : count * bytesPer(type!);
    let address = 0;
    if (given !== undefined) {
      address = w.align();
      if (isText) w.bytes(texts.reference(given, heapAt));
      else w.bytes(littleEndianBytes(typeof given === "number" ? Float64Array.of(given) : given));
    }
    const layout = bytesOf(writer().bytes([3, 1]).u64(BigInt(address)).u64(BigInt(size)));
    const messages: [number, Uint8Array][] = [
      [0x01, dataspace(shape)],
      [0x03, isText ? textType() : datatype(type!)],
      [0x05, Uint8Array.of(2, 1, 2, 0)],
      [0x08, layout],
    ];
    const header = w.align();
    w.bytes(objectHeader([...messages, ...attributes(d.attributes, texts, heapAt)], path));
    if (given === undefined) {
      // Behind the prefix and the three messages before it stands the address.
      const before = 16 + messages.slice(0, 3).reduce((s, [, b]) => s + 8 + pad8(b.length), 0) + 8 + 2;
      promised.push({ path, bytes: size, patch: header + before });
    }
    return header;
  };
  const made = group(root, "");
  let end = Math.ceil(w.align() / 4096) * 4096;
  const offsets = new Map<string, number>();
  for (const p of promised) {
    w.patch64(p.patch, BigInt(end));
    offsets.set(p.path, end);
    end += Math.ceil(p.bytes / 512) * 512;
  }
  const headLength = w.at();
  if (promised.length === 0) end = headLength;
  w.patch64(endAt, BigInt(end));
  w.patch64(rootEntry + 8, BigInt(made.header));
  w.patch32(rootEntry + 16, 1);
  w.patch64(rootEntry + 24, BigInt(made.tree));
  w.patch64(rootEntry + 32, BigInt(made.heap));
  return { head: bytesOf(w), size: end, offsets };
}

const pad8 = (n: number): number => Math.ceil(n / 8) * 8;
const utf8 = (s: string): Uint8Array => new TextEncoder().encode(s);
function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
type Writer = ReturnType<typeof writer>;
const bytesOf = (w: Writer): Uint8Array => w.result();

/** Bytes that grow; all numbers little-endian. */
function writer() {
  let data = new Uint8Array(1024),
    n = 0;
  const room = (k: number): DataView => {
    if (n + k > data.length) {
      const more = new Uint8Array(Math.max(2 * data.length, n + k));
      more.set(data.subarray(0, n));
      data = more;
    }
    return new DataView(data.buffer);
  };
  const self = {
    at: () => n,
    align: () => {
      room(8);
      n = pad8(n);
      return n;
    },
    bytes: (b: ArrayLike<number>) => {
      room(b.length);
      data.set(b, n);
      n += b.length;
      return self;
    },
    zeros: (k: number) => {
      room(k);
      n += k;
      return self;
    },
    text: (s: string) => self.bytes(utf8(s)),
    u16: (v: number) => {
      room(2).setUint16(n, v, true);
      n += 2;
      return self;
    },
    u32: (v: number) => {
      room(4).setUint32(n, v, true);
      n += 4;
      return self;
    },
    u64: (v: bigint) => {
      room(8).setBigUint64(n, v, true);
      n += 8;
      return self;
    },
    patch64: (at: number, v: bigint) => new DataView(data.buffer).setBigUint64(at, v, true),
    patch32: (at: number, v: number) => new DataView(data.buffer).setUint32(at, v, true),
    result: () => data.slice(0, n),
  };
  return self;
}

function objectHeader(messages: readonly (readonly [number, Uint8Array])[], path: string): Uint8Array {
  const body = writer();
  for (const [type, data] of messages) {
    const size = pad8(data.length);
    if (size > 0xfff8) fail("too-large", { path, bytes: size }, "an attribute holds at most 64 kB: make it a dataset");
    body
      .u16(type)
      .u16(size)
      .bytes([0, 0, 0, 0])
      .bytes(data)
      .zeros(size - data.length);
  }
  return bytesOf(writer().bytes([1, 0]).u16(messages.length).u32(1).u32(body.at()).zeros(4).bytes(bytesOf(body)));
}
function dataspace(shape: readonly number[]): Uint8Array {
  const w = writer().bytes([1, shape.length, 0, 0, 0, 0, 0, 0]);
  for (const s of shape) w.u64(BigInt(s));
  return bytesOf(w);
}
function datatype(type: NumberType): Uint8Array {
  const size = bytesPer(type);
  if (type === "f32" || type === "f64") {
    const [sign, exponentAt, exponentBits, mantissa, bias] = type === "f32" ? [31, 23, 8, 23, 127] : [63, 52, 11, 52, 1023];
    return bytesOf(
      writer()
        .bytes([0x11, 0x20, sign!, 0])
        .u32(size)
        .u16(0)
        .u16(8 * size)
        .bytes([exponentAt!, exponentBits!, 0, mantissa!])
        .u32(bias!),
    );
  }
  if (!/^[ui](8|16|32|64)$/.test(type)) fail("unsupported", { type }, "integers and floats of 32 and 64 bits are written");
  return bytesOf(
    writer()
      .bytes([0x10, type.startsWith("i") ? 8 : 0, 0, 0])
      .u32(size)
      .u16(0)
      .u16(8 * size),
  );
}
/** UTF-8 of variable length: sequences of bytes. */
const textType = (): Uint8Array => bytesOf(writer().bytes([0x19, 1, 1, 0]).u32(16).bytes(datatype("u8")));

function attributes(list: Readonly<Record<string, Hdf5WriteValue>> | undefined, texts: Texts, heapAt: number): [number, Uint8Array][] {
  return Object.entries(list ?? {}).map(([name, v]) => {
    const key = utf8(`${name}\0`),
      isText = typeof v === "string";
    const type = isText ? textType() : datatype(typeof v === "number" ? "f64" : typeof v === "bigint" ? "i64" : numberTypeOf(v));
    const space = dataspace(typeof v === "object" ? [v.length] : []);
    const data = isText
      ? texts.reference(v, heapAt)
      : typeof v === "bigint"
        ? bytesOf(writer().u64(BigInt.asUintN(64, v)))
        : littleEndianBytes(typeof v === "number" ? Float64Array.of(v) : v);
    const w = writer().bytes([1, 0]).u16(key.length).u16(type.length).u16(space.length);
    for (const part of [key, type, space]) w.bytes(part).zeros(pad8(part.length) - part.length);
    return [0x0c, bytesOf(w.bytes(data))];
  });
}

interface Texts {
  /** Write the heap; its address. */
  place(): number;
  reference(s: string, heapAt: number): Uint8Array;
}
/** One global heap of all texts of a tree. */
function heapOf(root: Hdf5WriteGroup, w: Writer): Texts {
  const index = new Map<string, number>();
  const add = (s: unknown): void => {
    if (typeof s === "string" && s !== "" && !index.has(s)) index.set(s, index.size + 1);
  };
  const walk = (g: Hdf5WriteGroup | Hdf5WriteDataset): void => {
    for (const v of Object.values(g.attributes ?? {})) add(v);
    if (g.kind === "dataset") add(g.data);
    else for (const m of Object.values(g.members)) walk(m);
  };
  walk(root);
  if (index.size > 65000) fail("too-large", { texts: index.size }, "at most 65000 different texts are written");
  return {
    place: () => {
      const at = w.align();
      const body = writer();
      for (const [s, i] of index) {
        const b = utf8(s);
        body
          .u16(i)
          .u16(1)
          .u32(0)
          .u64(BigInt(b.length))
          .bytes(b)
          .zeros(pad8(b.length) - b.length);
      }
      // A heap has at least 4096 bytes; object 0 is the free rest.
      const size = Math.max(4096, pad8(16 + body.at() + 16));
      const free = size - 16 - body.at();
      w.text("GCOL")
        .bytes([1, 0, 0, 0])
        .u64(BigInt(size))
        .bytes(bytesOf(body))
        .u16(0)
        .u16(0)
        .u32(0)
        .u64(BigInt(free))
        .zeros(free - 16);
      return at;
    },
    reference: (s, heapAt) => {
      const n = utf8(s).length;
      return bytesOf(
        writer()
          .u32(n)
          .u64(n === 0 ? 0n : BigInt(heapAt))
          .u32(n === 0 ? 0 : index.get(s)!),
      );
    },
  };
}
