import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { cursor, declaredSizeCheck, fromLatin1, latin1 } from "./bytes.js";
import { bytesPer, decodeNumbers, littleEndianBytes, type NumberType, numberTypeOf } from "./bytes-numbers.js";
import type { FrameSource } from "./frames.js";
import { stackFrames } from "./raw.js";
import { type ByteInput, type ByteSource, readUpTo, type SizeLimit, toSource } from "./source.js";

/** An n-dimensional array, row-major (last axis fastest). */
export interface NdValues {
  /** Values; complex ones interleaved, so twice as many as the product of `shape`. */
  readonly data: TypedArray;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  /** How the file stores a value. */
  readonly dtype: NumberType;
}

const kinds: Readonly<Record<string, NumberType>> = {
  b1: "bool",
  u1: "u8",
  i1: "i8",
  u2: "u16",
  i2: "i16",
  u4: "u32",
  i4: "i32",
  u8: "u64",
  i8: "i64",
  f2: "f16",
  f4: "f32",
  f8: "f64",
  c8: "c64",
  c16: "c128",
};
const names = Object.fromEntries(Object.entries(kinds).map(([k, v]) => [v, k])) as Record<NumberType, string>;

interface NpyHeader {
  readonly dtype: NumberType;
  readonly littleEndian: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  /** Byte of the first value. */
  readonly offset: number;
}

/**
 * Parse the header of an NPY file, versions 1 to 3.
 * @throws bad-file, unsupported for text, objects, dates and records
 */
async function npyHeader(source: ByteSource): Promise<NpyHeader> {
  const c = cursor(await readUpTo(source, 0, 12), { name: source.name });
  if (latin1(c.take(6)) !== "\x93NUMPY") fail("bad-file", { name: source.name }, "an NPY file starts with \\x93NUMPY");
  const version = c.u8();
  c.skip(1);
  if (version < 1 || version > 3) fail("unsupported", { version }, "NPY versions 1 to 3 are read");
  const length = version === 1 ? c.u16() : c.u32();
  declaredSizeCheck("the NPY header", [length], { available: source.size - c.offset, maxBytes: 1 << 20 });
  const text = latin1(await source.read(c.offset, length));
  const descr = /['"]descr['"]\s*:\s*(['"])(.*?)\1/.exec(text)?.[2];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  const tuple = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (descr === undefined && /['"]descr['"]\s*:\s*[[(]/.test(text))
    fail("unsupported", { header: text }, "record arrays are not read: save each field as an array of its own");
  if (descr === undefined || order === undefined || tuple === undefined)
    fail("bad-file", { header: text.slice(0, 80) }, "an NPY header is {'descr': …, 'fortran_order': …, 'shape': …}: damaged file");
  const dtype = kinds[descr!.replace(/^[<>|=]/, "")];
  if (!dtype) fail("unsupported", { descr }, "only numeric and bool arrays are read, no text, objects, dates or extended precision");
  const shape = tuple!
    .split(",")
    .map((s) => s.replace("L", "").trim())
    .filter((s) => s !== "")
    .map(Number);
  return { dtype: dtype!, littleEndian: !descr!.startsWith(">"), fortran: order === "True", shape, offset: c.offset + length };
}

/** Column-major values in row-major order; `width` values belong together (2 for complex). */
function fromFortran<T extends TypedArray>(data: T, shape: readonly number[], width: number): T {
  if (shape.length < 2) return data;
  const out = new (data.constructor as new (n: number) => T)(data.length);
  const n = data.length / width;
  const index = shape.map(() => 0),
    strides: number[] = [];
  shape.reduce((step, length, axis) => {
    strides[axis] = step;
    return step * length;
  }, 1);
  let from = 0;
  for (let to = 0; to < n; to++) {
    for (let w = 0; w < width; w++) out[to * width + w] = data[from * width + w]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/**
 * Read an NPY array of any numeric type, byte order and memory order. Row-major whatever the file; 64-bit integers become f64
 * (exact to 2⁵³), half floats f32.
 * @throws bad-file, unsupported, too-large
 */
export async function readNpy(input: ByteInput, { maxBytes }: SizeLimit = {}): Promise<NdValues> {
  const source = toSource(input);
  const h = await npyHeader(source);
  const bytes = declaredSizeCheck("the array", [...h.shape, bytesPer(h.dtype)], { available: source.size - h.offset, maxBytes });
  const data = decodeNumbers(await source.read(h.offset, bytes), h.dtype, h.littleEndian);
  const width = h.dtype === "c64" || h.dtype === "c128" ? 2 : 1;
  return { data: h.fortran ? fromFortran(data, h.shape, width) : data, shape: h.shape, dtype: h.dtype };
}

/** The last two axes of an NPY array as frames, read one at a time. Four axes are a scan of frames. Column-major arrays are read whole. */
export async function npyFrames(input: ByteInput, limit: SizeLimit = {}): Promise<FrameSource> {
  const source = toSource(input);
  const h = await npyHeader(source);
  if (h.shape.length < 2 || h.shape.includes(0))
    fail("bad-shape", { shape: h.shape }, "frames need an array of two or more axes, none of length 0");
  const [ny, nx] = [h.shape.at(-2)!, h.shape.at(-1)!];
  const shape = [h.shape.slice(0, -2).reduce((a, b) => a * b, 1), ny, nx] as const;
  const facts = h.shape.length === 4 ? { scanShape: [h.shape[0]!, h.shape[1]!] as const } : {};
  const rest = { format: "npy", metadata: { shape: h.shape, fortran: h.fortran }, facts, ...limit };
  if (!h.fortran) return stackFrames(source, { shape, dtype: h.dtype, littleEndian: h.littleEndian, offset: h.offset }, rest);
  const { data } = await readNpy(source, limit);
  const memory = { size: data.byteLength, read: async (o: number, n: number) => littleEndianBytes(data).subarray(o, o + n) };
  const dtype = numberTypeOf(data);
  return stackFrames(memory, { shape, dtype: h.dtype === "c64" || h.dtype === "c128" ? h.dtype : dtype, offset: 0 }, rest);
}

/**
 * Write an array as NPY 1.0, little-endian, row-major.
 * @param complex - `data` holds interleaved (re, im) pairs of f32 or f64
 * @throws bad-shape when data and shape differ
 */
export function writeNpy(
  data: TypedArray,
  shape: readonly number[],
  { complex = false }: { complex?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const type = numberTypeOf(data);
  const count = shape.reduce((a, b) => a * b, complex ? 2 : 1);
  if (count !== data.length)
    fail("bad-shape", { length: data.length, shape, complex }, "shape and number of values differ (complex values count twice)");
  if (complex && type !== "f32" && type !== "f64") fail("bad-shape", { type }, "complex values are pairs of f32 or f64");
  const head = npyPreamble(shape, complex ? (type === "f32" ? "c64" : "c128") : type);
  const body = littleEndianBytes(data);
  const out = new Uint8Array(head.length + body.length);
  out.set(head);
  out.set(body, head.length);
  return out;
}

/** What stands before the values of an NPY 1.0 file, little-endian, row-major. */
export function npyPreamble(shape: readonly number[], type: NumberType): Uint8Array<ArrayBuffer> {
  const dict = `{'descr': '${bytesPer(type) === 1 ? "|" : "<"}${names[type]}', 'fortran_order': False, 'shape': (${shape.join(", ")}${shape.length === 1 ? "," : ""}), }`;
  const total = Math.ceil((10 + dict.length + 1) / 64) * 64;
  const out = new Uint8Array(total);
  out.set(fromLatin1(`\x93NUMPY\x01\x00`));
  new DataView(out.buffer).setUint16(8, total - 10, true);
  out.set(fromLatin1(`${dict.padEnd(total - 11)}\n`), 10);
  return out;
}
