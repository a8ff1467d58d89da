import { fail } from "../core/errors.js";
import { DEFAULT_MAX_BYTES } from "./source.js";

/** A reading position in bytes, every step checked. All methods throw bad-file at the end of the bytes. */
export interface Cursor {
  readonly bytes: Uint8Array;
  readonly size: number;
  littleEndian: boolean;
  offset: number;
  /** Bytes from here to the end. */
  readonly left: number;
  seek(offset: number): void;
  skip(count: number): void;
  u8(): number;
  i8(): number;
  u16(): number;
  i16(): number;
  u32(): number;
  i32(): number;
  /** 64-bit integers as numbers. @throws bad-file above 2⁵³ */
  u64(): number;
  i64(): number;
  f32(): number;
  f64(): number;
  /** A view of the next `count` bytes. */
  take(count: number): Uint8Array;
  /** The next `count` bytes as Latin-1 text, cut at the first NUL. */
  text(count: number): string;
}

/** A cursor over `bytes`, which start at `base` of the file (for the offsets in error messages). */
export function cursor(
  bytes: Uint8Array,
  { littleEndian = true, offset = 0, name }: { littleEndian?: boolean; offset?: number; name?: string | undefined } = {},
): Cursor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytes.length;
  const need = (count: number): number => {
    const at = self.offset;
    if (!(Number.isSafeInteger(count) && count >= 0 && at >= 0 && at + count <= size))
      fail(
        "bad-file",
        { ...(name === undefined ? {} : { name }), offset: at, wanted: count, size },
        "the bytes end in the middle of a field: the file is truncated, or an earlier size field is wrong",
      );
    self.offset = at + count;
    return at;
  };
  const big = (value: bigint): number => {
    const n = Number(value);
    if (!Number.isSafeInteger(n))
      fail("bad-file", { value, offset: self.offset - 8 }, "a 64-bit integer of the header is above 2^53: the file is damaged");
    return n;
  };
  const self: Cursor = {
    bytes,
    size,
    littleEndian,
    offset,
    get left() {
      return size - this.offset;
    },
    seek: (to) => {
      self.offset = to;
      need(0);
    },
    skip: (count) => {
      need(count);
    },
    u8: () => view.getUint8(need(1)),
    i8: () => view.getInt8(need(1)),
    u16: () => view.getUint16(need(2), self.littleEndian),
    i16: () => view.getInt16(need(2), self.littleEndian),
    u32: () => view.getUint32(need(4), self.littleEndian),
    i32: () => view.getInt32(need(4), self.littleEndian),
    u64: () => big(view.getBigUint64(need(8), self.littleEndian)),
    i64: () => big(view.getBigInt64(need(8), self.littleEndian)),
    f32: () => view.getFloat32(need(4), self.littleEndian),
    f64: () => view.getFloat64(need(8), self.littleEndian),
    take: (count) => {
      const at = need(count);
      return bytes.subarray(at, at + count);
    },
    text: (count) => latin1(self.take(count)).replace(/\0[\s\S]*$/, ""),
  };
  need(0);
  return self;
}

/** Bytes as Latin-1 text, one character a byte (TextDecoder's "latin1" is windows-1252 and is not). */
export function latin1(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 8192) out += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return out;
}

/** Latin-1 bytes of a text. @throws bad-value for a character above U+00FF */
export function fromLatin1(text: string): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c > 255) fail("bad-value", { character: text[i], text }, "this format holds Latin-1 text only");
    out[i] = c;
  }
  return out;
}

/**
 * Check a size that a file declares before anything is allocated for it.
 * @param what - what the bytes are for, named in the error
 * @param counts - factors of the size (dimensions, bytes per value): each a non-negative integer
 * @param available - bytes that the file really has for it; leave out for compressed data
 * @returns the product, in bytes
 * @throws bad-file when a factor is no size or the file is too short; too-large above `maxBytes`
 */
export function declaredSizeCheck(
  what: string,
  counts: readonly number[],
  { available, maxBytes = DEFAULT_MAX_BYTES }: { available?: number; maxBytes?: number | undefined } = {},
): number {
  let size = 1;
  for (const c of counts) {
    if (!(Number.isSafeInteger(c) && c >= 0))
      fail("bad-file", { what, sizes: counts }, `the declared size of ${what} is no size: damaged header`);
    size *= c;
  }
  if (available !== undefined && size > available)
    fail(
      "bad-file",
      { what, sizes: counts, bytes: size, available },
      `the file is too short for ${what}: it is truncated, or the header is wrong`,
    );
  if (size > maxBytes)
    fail(
      "too-large",
      { what, sizes: counts, bytes: size, maxBytes },
      `${what} would take more memory than allowed: raise maxBytes, or read a part`,
    );
  return size;
}
