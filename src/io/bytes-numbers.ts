import type { TypedArray } from "../core/image.js";

/** How one value is stored in a file. "bool" is a byte; "c64" and "c128" are pairs (re, im) of f32 and f64. */
export type NumberType = "bool" | "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" | "f16" | "f32" | "f64" | "c64" | "c128";

const size = {
  bool: 1,
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f16: 2,
  f32: 4,
  f64: 8,
  c64: 8,
  c128: 16,
} as const satisfies Record<NumberType, number>;

/** Bytes of one stored value. */
export const bytesPer = (type: NumberType): number => size[type];

/** Half-precision bits as a number. */
function fromHalf(h: number): number {
  const sign = h & 0x8000 ? -1 : 1,
    exponent = (h >> 10) & 31,
    fraction = h & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const hostLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Bytes of the values in the order of this machine, in a fresh aligned buffer. */
function hostOrder(bytes: Uint8Array, step: number, littleEndian: boolean): ArrayBuffer {
  const used = bytes.length - (bytes.length % step);
  const out = new Uint8Array(Math.ceil(used / 8) * 8);
  out.set(bytes.subarray(0, used));
  if (step > 1 && littleEndian !== hostLittle) {
    // Two u16 or one u32 at a time: several times faster than byte by byte.
    const w = new Uint32Array(out.buffer);
    if (step === 2) for (let i = 0; i < w.length; i++) w[i] = ((w[i]! & 0x00ff00ff) << 8) | ((w[i]! >>> 8) & 0x00ff00ff);
    else for (let i = 0; i < w.length; i++) w[i] = (w[i]! >>> 24) | ((w[i]! >>> 8) & 0xff00) | ((w[i]! << 8) & 0xff0000) | (w[i]! << 24);
    if (step === 8)
      for (let i = 0; i < w.length; i += 2) {
        const first = w[i]!;
        w[i] = w[i + 1]!;
        w[i + 1] = first;
      }
  }
  return used === out.length ? out.buffer : out.buffer.slice(0, used);
}

/**
 * Decode stored values into a fresh typed array; a rest shorter than one value is ignored. Half floats become f32, 64-bit integers f64
 * (exact to 2⁵³), complex values stay interleaved (re, im, …) in f32 or f64, bool becomes u8 0 or 1.
 */
export function decodeNumbers(bytes: Uint8Array, type: NumberType, littleEndian = true): TypedArray {
  const step = type === "c64" ? 4 : type === "c128" ? 8 : size[type];
  return numbersOf(hostOrder(bytes, step, littleEndian), type);
}

/** Values that already stand in the byte order of this machine, without a copy where the type allows it; types as in {@link decodeNumbers}. */
export function numbersOf(buffer: ArrayBuffer, type: NumberType): TypedArray {
  switch (type) {
    case "bool":
      return new Uint8Array(buffer).map((x) => (x ? 1 : 0));
    case "u8":
      return new Uint8Array(buffer);
    case "i8":
      return new Int8Array(buffer);
    case "u16":
      return new Uint16Array(buffer);
    case "i16":
      return new Int16Array(buffer);
    case "u32":
      return new Uint32Array(buffer);
    case "i32":
      return new Int32Array(buffer);
    case "f16":
      return Float32Array.from(new Uint16Array(buffer), fromHalf);
    case "f32":
    case "c64":
      return new Float32Array(buffer);
    case "f64":
    case "c128":
      return new Float64Array(buffer);
    case "u64":
      return Float64Array.from(new BigUint64Array(buffer), Number);
    case "i64":
      return Float64Array.from(new BigInt64Array(buffer), Number);
  }
}

/** The stored type of a typed array, for writers. */
export function numberTypeOf(data: TypedArray): NumberType {
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return "u8";
  if (data instanceof Int8Array) return "i8";
  if (data instanceof Uint16Array) return "u16";
  if (data instanceof Int16Array) return "i16";
  if (data instanceof Uint32Array) return "u32";
  if (data instanceof Int32Array) return "i32";
  return data instanceof Float32Array ? "f32" : "f64";
}

/** The bytes of a typed array in little-endian order: a view where this machine is little-endian, else a copy. */
export function littleEndianBytes(data: TypedArray): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return hostLittle ? bytes : new Uint8Array(hostOrder(bytes, data.BYTES_PER_ELEMENT, true));
}

/** Moduli of interleaved complex values: n pairs give n numbers of the same precision. */
export function moduli(pairs: Float32Array | Float64Array): Float32Array | Float64Array {
  const out = pairs instanceof Float32Array ? new Float32Array(pairs.length / 2) : new Float64Array(pairs.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Math.hypot(pairs[2 * i]!, pairs[2 * i + 1]!);
  return out;
}
