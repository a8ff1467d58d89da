import { fail } from "../core/errors.js";

/** What MessagePack can hold. Binary stays a view of the input; maps keep their order; integers beyond 2⁵³ become bigint. */
export type MsgpackValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | MsgpackExtension
  | readonly MsgpackValue[]
  | ReadonlyMap<MsgpackValue, MsgpackValue>;
export interface MsgpackExtension {
  readonly extension: number;
  readonly data: Uint8Array;
}
const maxDepth = 64;

/**
 * Decode one MessagePack value (https://github.com/msgpack/msgpack/blob/master/spec.md). Nothing is allocated on the word of a length field:
 * a length that the remaining bytes cannot hold is an error first.
 * @returns the value, and the offset of the first byte behind it
 * @throws bad-file with the offset
 */
export function decodeMsgpack(bytes: Uint8Array): { readonly value: MsgpackValue; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder();
  let p = 0;
  const need = (count: number): number => {
    if (count > bytes.length - p)
      fail(
        "bad-file",
        { offset: p, wanted: count, left: bytes.length - p },
        "the MessagePack data end too early; the file is cut or is not MessagePack",
      );
    const at = p;
    p += count;
    return at;
  };
  const length = (size: 1 | 2 | 4): number => {
    const at = need(size);
    return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at);
  };
  const binary = (n: number): Uint8Array => {
    const at = need(n);
    return bytes.subarray(at, at + n);
  };
  const text = (n: number): string => utf8.decode(binary(n));
  const list = (n: number, depth: number): readonly MsgpackValue[] => {
    enough(n);
    const out: MsgpackValue[] = [];
    for (let i = 0; i < n; i++) out.push(value(depth + 1));
    return out;
  };
  const map = (n: number, depth: number): ReadonlyMap<MsgpackValue, MsgpackValue> => {
    enough(2 * n);
    const out = new Map<MsgpackValue, MsgpackValue>();
    for (let i = 0; i < n; i++) {
      const key = value(depth + 1);
      out.set(key, value(depth + 1));
    }
    return out;
  };
  /** Every element takes a byte at least. */
  const enough = (count: number): void => {
    if (count > bytes.length - p)
      fail(
        "bad-file",
        { offset: p, elements: count, left: bytes.length - p },
        "a MessagePack list claims more elements than the file has bytes",
      );
  };
  const extension = (n: number): MsgpackExtension => {
    const type = view.getInt8(need(1));
    return { extension: type, data: binary(n) };
  };
  const big = (v: bigint): number | bigint => (v >= -9007199254740991n && v <= 9007199254740991n ? Number(v) : v);
  const value = (depth: number): MsgpackValue => {
    if (depth > maxDepth) fail("too-large", { offset: p, depth }, `MessagePack lists and maps are nested more than ${maxDepth} deep`);
    const c = view.getUint8(need(1));
    if (c < 0x80) return c;
    if (c >= 0xe0) return c - 256;
    if (c < 0x90) return map(c & 15, depth);
    if (c < 0xa0) return list(c & 15, depth);
    if (c < 0xc0) return text(c & 31);
    switch (c) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return binary(length(1));
      case 0xc5:
        return binary(length(2));
      case 0xc6:
        return binary(length(4));
      case 0xc7:
        return extension(length(1));
      case 0xc8:
        return extension(length(2));
      case 0xc9:
        return extension(length(4));
      case 0xca:
        return view.getFloat32(need(4));
      case 0xcb:
        return view.getFloat64(need(8));
      case 0xcc:
        return view.getUint8(need(1));
      case 0xcd:
        return view.getUint16(need(2));
      case 0xce:
        return view.getUint32(need(4));
      case 0xcf:
        return big(view.getBigUint64(need(8)));
      case 0xd0:
        return view.getInt8(need(1));
      case 0xd1:
        return view.getInt16(need(2));
      case 0xd2:
        return view.getInt32(need(4));
      case 0xd3:
        return big(view.getBigInt64(need(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return extension(1 << (c - 0xd4));
      case 0xd9:
        return text(length(1));
      case 0xda:
        return text(length(2));
      case 0xdb:
        return text(length(4));
      case 0xdc:
        return list(length(2), depth);
      case 0xdd:
        return list(length(4), depth);
      case 0xde:
        return map(length(2), depth);
      case 0xdf:
        return map(length(4), depth);
      default:
        return fail(
          "bad-file",
          { offset: p - 1, byte: c },
          "this byte opens no MessagePack value; the file is damaged or is not MessagePack",
        );
    }
  };
  return { value: value(0), end: p };
}
