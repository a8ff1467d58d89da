import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { type Cursor, cursor, declaredSizeCheck } from "./bytes.js";
import { bytesPer, decodeNumbers, type NumberType } from "./bytes-numbers.js";
import { inflate } from "./inflate.js";
import { type ByteInput, DEFAULT_MAX_BYTES, readAll, type SizeLimit } from "./source.js";

/** A numeric MATLAB array. MATLAB stores the first axis fastest; `shape` is reversed here, so data are row-major with the last axis fastest. */
export interface MatArray {
  readonly kind: "array";
  /** MATLAB's size(x), reversed: a 3 × 5 matrix has shape [5, 3]. */
  readonly shape: readonly number[];
  /** Real part, or the whole of a real array. */
  readonly data: TypedArray;
  readonly imaginary?: TypedArray | undefined;
  readonly logical: boolean;
}
/** A MATLAB value: an array, a text, a cell array, or a struct array (one record per element). */
export type MatValue =
  | MatArray
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "cell"; readonly shape: readonly number[]; readonly cells: readonly MatValue[] }
  | { readonly kind: "struct"; readonly shape: readonly number[]; readonly records: readonly Readonly<Record<string, MatValue>>[] }
  | { readonly kind: "opaque"; readonly className: string };

const storage: Readonly<Record<number, NumberType>> = {
  1: "i8",
  2: "u8",
  3: "i16",
  4: "u16",
  5: "i32",
  6: "u32",
  7: "f32",
  9: "f64",
  12: "i64",
  13: "u64",
  16: "u8",
  17: "u16",
  18: "u32",
};
const classes: Readonly<Record<number, NumberType>> = {
  6: "f64",
  7: "f32",
  8: "i8",
  9: "u8",
  10: "i16",
  11: "u16",
  12: "i32",
  13: "u32",
  14: "i64",
  15: "u64",
};
const constructors = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
  i64: Float64Array,
  u64: Float64Array,
} as const;
const MAX_DEPTH = 32;

interface Element {
  readonly type: number;
  readonly body: Cursor;
}

/** The next element; short data are packed into the tag itself. */
function element(c: Cursor): Element {
  const littleEndian = c.littleEndian,
    word = c.u32(),
    short = word >>> 16;
  if (short !== 0) {
    const bytes = c.take(4).subarray(0, Math.min(4, short));
    return { type: word & 0xffff, body: cursor(bytes, { littleEndian }) };
  }
  const size = c.u32(),
    body = cursor(c.take(size), { littleEndian });
  // Elements start at multiples of eight bytes; compressed ones follow each other at once, and a last one may end early.
  if (word !== 15) c.skip(Math.min(c.left, (8 - (size & 7)) & 7));
  return { type: word, body };
}

function numbers({ type, body }: Element): TypedArray {
  const t = storage[type];
  return t
    ? decodeNumbers(body.take(body.left), t, body.littleEndian)
    : fail("bad-file", { type }, "unknown type of the values of a MAT array: the file is damaged");
}

const texts = (bytes: TypedArray): string => Array.from(bytes, (b) => String.fromCharCode(b)).join("");

function matrix(c: Cursor, maxBytes: number, depth: number): { name: string; value: MatValue } {
  if (depth > MAX_DEPTH) fail("bad-file", { depth }, "MAT cells or structs are nested too deeply: the file is damaged");
  if (c.left === 0) return { name: "", value: { kind: "array", shape: [0, 0], data: new Float64Array(0), logical: false } };
  const head = element(c),
    flags = head.body.u32(),
    kind = flags & 0xff,
    complex = (flags & 0x800) !== 0,
    logical = (flags & 0x200) !== 0;
  const shape = Array.from(numbers(element(c))).reverse(),
    name = texts(numbers(element(c)));
  const inner = (): MatValue => {
    const e = element(c);
    return e.type === 14
      ? matrix(e.body, maxBytes, depth + 1).value
      : fail("bad-file", { type: e.type, name }, "a MAT cell or field is no matrix: the file is damaged");
  };
  const count = declaredSizeCheck(`the array ${name}`, shape, { maxBytes });
  if (kind === 1 || kind === 2) {
    // Every cell or field takes at least the eight bytes of its tag.
    const guard = (n: number): number =>
      n * 8 <= c.left
        ? n
        : fail("bad-file", { name, elements: n, left: c.left }, "a MAT cell or struct promises more elements than the file holds");
    if (kind === 1) return { name, value: { kind: "cell", shape, cells: Array.from({ length: guard(count) }, inner) } };
    const width = Number(numbers(element(c))[0] ?? 0),
      all = texts(numbers(element(c)));
    if (!(width >= 1)) fail("bad-file", { name, width }, "a MAT struct without the width of its field names: the file is damaged");
    const fields = Array.from({ length: Math.floor(all.length / width) }, (_, i) =>
      all.slice(i * width, (i + 1) * width).replace(/\0.*$/s, ""),
    );
    guard(count * fields.length);
    return {
      name,
      value: {
        kind: "struct",
        shape,
        records: Array.from({ length: fields.length ? count : 0 }, () => Object.fromEntries(fields.map((f) => [f, inner()]))),
      },
    };
  }
  if (kind === 4) return { name, value: { kind: "text", text: texts(numbers(element(c))) } };
  const type = classes[kind];
  if (type === undefined)
    return { name, value: { kind: "opaque", className: ["", "", "", "object", "", "sparse"][kind] || `class ${kind}` } };
  declaredSizeCheck(`the array ${name}`, [count, bytesPer(type)], { maxBytes });
  // MATLAB stores doubles that are small whole numbers as bytes or words: widen to the class of the array.
  const part = (): TypedArray => {
    const raw = numbers(element(c));
    if (raw.length !== count)
      fail(
        "bad-file",
        { name, shape, values: raw.length },
        "a MAT array holds another number of values than its size says: the file is damaged",
      );
    return constructors[type as keyof typeof constructors].from(raw as unknown as number[]);
  };
  const data = part();
  return { name, value: { kind: "array", shape, data, imaginary: complex ? part() : undefined, logical } };
}

/**
 * All variables of a MATLAB file of version 5 to 7 (also those that Octave and scipy write). Version 7.3 is HDF5: read it with `readHdf5Mat` of `ewald/io/hdf5`.
 * @throws bad-file, too-large; unsupported for version 7.3
 */
export async function readMat(
  input: ByteInput,
  { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {},
): Promise<{ value: Readonly<Record<string, MatValue>>; warnings: readonly string[] }> {
  const bytes = await readAll(input, { maxBytes });
  const c = cursor(bytes),
    warnings: string[] = [],
    value: Record<string, MatValue> = {};
  const start = c.text(116);
  if (bytes[0] === 0x89 || start.startsWith("MATLAB 7.3"))
    fail("unsupported", { start: start.slice(0, 20) }, "a MAT file of version 7.3 is HDF5: read it with readHdf5Mat from ewald/io/hdf5");
  c.seek(126);
  const order = c.text(2);
  if (order !== "IM" && order !== "MI")
    fail(
      "bad-file",
      { start: start.slice(0, 20) },
      "this is no MATLAB file of version 5 or later: the byte-order mark IM or MI is missing",
    );
  c.littleEndian = order === "IM";
  while (c.left >= 8) {
    const e = element(c),
      littleEndian = c.littleEndian;
    const plain = e.type === 15 ? element(cursor(inflate(e.body.take(e.body.left), { maxBytes }), { littleEndian })) : e;
    if (plain.type !== 14) {
      warnings.push(`an element of type ${plain.type} between the variables was left out`);
      continue;
    }
    const { name, value: v } = matrix(plain.body, maxBytes, 0);
    if (v.kind === "opaque") warnings.push(`variable ${name} is a MATLAB ${v.className}, which is not read`);
    Object.defineProperty(value, name, { value: v, enumerable: true, configurable: true, writable: true });
  }
  return { value, warnings };
}
