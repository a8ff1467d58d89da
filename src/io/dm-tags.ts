import { fail } from "../core/errors.js";
import { cursor } from "./bytes.js";
import type { NumberType } from "./bytes-numbers.js";
import { type ByteSource, readUpTo } from "./source.js";

/** A numeric array of a DM file, left where it is: `length` values of `type` from byte `offset`. */
export interface DmArray {
  readonly type: NumberType;
  readonly length: number;
  /** Values of one element: 1, or the number of fields of a struct of equal fields (complex: 2). */
  readonly fields: number;
  readonly offset: number;
  readonly littleEndian: boolean;
}
/** A tag: a number, a text, the values of a struct, an array in the file, or a group. Members without a name get their index. */
export type DmTag = number | string | readonly number[] | DmArray | DmGroup;
export interface DmGroup {
  readonly [name: string]: DmTag;
}

const simple: Readonly<Record<number, NumberType>> = {
  2: "i16",
  3: "i32",
  4: "u16",
  5: "u32",
  6: "f32",
  7: "f64",
  8: "bool",
  9: "i8",
  10: "u8",
  11: "i64",
  12: "u64",
};
const bytesOf: Readonly<Record<number, number>> = { 2: 2, 3: 4, 4: 2, 5: 4, 6: 4, 7: 8, 8: 1, 9: 1, 10: 1, 11: 8, 12: 8 };
/** Longest u16 array that is taken for a text. */
const MAX_TEXT = 4096;
const MAX_DEPTH = 64;

export const isDmGroup = (t: DmTag | undefined): t is DmGroup => typeof t === "object" && !Array.isArray(t) && !("littleEndian" in t);
export const isDmArray = (t: DmTag | undefined): t is DmArray => typeof t === "object" && !Array.isArray(t) && "littleEndian" in t;

/** The tag at a path of names; undefined where there is none. */
export function dmTag(group: DmGroup, path: readonly string[]): DmTag | undefined {
  let at: DmTag | undefined = group;
  for (const name of path) at = isDmGroup(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  return at;
}

/**
 * The tag tree of a DigitalMicrograph file, versions 3 and 4. The container is big-endian, the values in the order that the header
 * says. Arrays are not read, so the tree of a file of many gigabytes costs little.
 * @throws bad-file
 */
export async function readDmTags(source: ByteSource): Promise<{ version: 3 | 4; tags: DmGroup }> {
  let base = 0,
    window = await readUpTo(source, 0, 1 << 16),
    at = 0;
  /** A cursor on the next `count` bytes. */
  const take = async (count: number, littleEndian = false) => {
    if (at < base || at + count > base + window.length) {
      base = at;
      window = await readUpTo(source, at, Math.max(count, 1 << 16));
    }
    const c = cursor(window, { littleEndian, offset: at - base, name: source.name });
    if (c.left < count)
      fail(
        "bad-file",
        { name: source.name, offset: at, wanted: count, size: source.size },
        "the tags end in the middle: the file is truncated, or a length is wrong",
      );
    at += count;
    return c;
  };
  const head = await take(4),
    version = head.u32();
  if (version !== 3 && version !== 4) fail("bad-file", { version, name: source.name }, "a DM file starts with version 3 or 4");
  const wide = version === 4,
    word = wide ? 8 : 4;
  const integer = async (): Promise<number> => {
    const c = await take(word);
    return wide ? c.u64() : c.u32();
  };
  await integer();
  const littleEndian = (await take(4)).u32() === 1;
  const value = async (type: number): Promise<number> => {
    const bytes = bytesOf[type];
    if (bytes === undefined)
      return fail("bad-file", { type, offset: at }, "unknown type of a DM value: the file is damaged, or newer than version 4");
    const c = await take(bytes, littleEndian);
    switch (type) {
      case 2:
        return c.i16();
      case 3:
        return c.i32();
      case 4:
        return c.u16();
      case 5:
        return c.u32();
      case 6:
        return c.f32();
      case 7:
        return c.f64();
      case 9:
        return c.i8();
      // 64-bit tags hold unique numbers and times as well as counts: beyond 2⁵³ the nearest number will do.
      case 11:
      case 12: {
        const low = c.u32(),
          high = c.u32();
        return littleEndian ? high * 4294967296 + low : low * 4294967296 + high;
      }
      default:
        return c.u8();
    }
  };
  const structTypes = async (): Promise<number[]> => {
    await integer();
    const n = await integer(),
      types: number[] = [];
    if (n > 4096) fail("bad-file", { fields: n, offset: at }, "a DM struct with thousands of fields: the file is damaged");
    for (let i = 0; i < n; i++) {
      await integer();
      types.push(await integer());
    }
    return types;
  };
  const skip = (bytes: number): void => {
    if (!(bytes >= 0 && at + bytes <= source.size))
      fail(
        "bad-file",
        { name: source.name, offset: at, bytes, size: source.size },
        "an array reaches beyond the end of the file: it is truncated, or a length is wrong",
      );
    at += bytes;
  };
  const array = async (name: string): Promise<DmTag> => {
    const element = await integer();
    const types = element === 15 ? await structTypes() : [element],
      length = await integer(),
      offset = at;
    const bytes = types.reduce((sum, t) => sum + (bytesOf[t] ?? Number.NaN), 0),
      type = simple[types[0] ?? -1];
    if (Number.isNaN(bytes) || type === undefined)
      fail("bad-file", { types, offset }, "a DM array of an unknown type: the file is damaged");
    // Texts are arrays of u16, and so is the small image of a u16 camera.
    if (element === 4 && length <= MAX_TEXT && name !== "Data") {
      const c = await take(2 * length, littleEndian);
      let text = "";
      for (let i = 0; i < length; i++) text += String.fromCharCode(c.u16());
      return text;
    }
    skip(bytes * length);
    // A struct of unequal fields is kept as raw bytes.
    return types.every((t) => t === types[0])
      ? { type: type!, length, fields: types.length, offset, littleEndian }
      : { type: "u8", length, fields: bytes, offset, littleEndian };
  };
  const data = async (name: string): Promise<DmTag> => {
    const mark = (await take(4)).u32();
    if (mark !== 0x25252525) fail("bad-file", { offset: at - 4, mark }, "a DM data tag does not start with %%%%: the file is damaged");
    await integer();
    const type = await integer();
    if (type === 15) {
      const values: number[] = [];
      for (const t of await structTypes()) values.push(await value(t));
      return values;
    }
    if (type === 18) {
      const n = await integer(),
        c = await take(Math.min(2 * n, 2 * MAX_TEXT), littleEndian);
      let text = "";
      for (let i = 0; i < Math.min(n, MAX_TEXT); i++) text += String.fromCharCode(c.u16());
      skip(2 * Math.max(0, n - MAX_TEXT));
      return text;
    }
    return type === 20 ? array(name) : value(type);
  };
  const group = async (depth: number): Promise<DmGroup> => {
    if (depth > MAX_DEPTH) fail("bad-file", { depth, offset: at }, "DM tag groups are nested too deeply: the file is damaged");
    await take(2);
    const count = await integer(),
      out: Record<string, DmTag> = {};
    // Each tag takes at least its id and name length.
    if (count * 3 > source.size - at) fail("bad-file", { tags: count, offset: at }, "a DM group promises more tags than the file can hold");
    for (let i = 0; i < count; i++) {
      const h = await take(3),
        id = h.u8(),
        n = h.u16();
      if (id === 0) break;
      const name = (await take(n)).text(n) || String(i);
      if (wide) await integer();
      if (id !== 20 && id !== 21) fail("bad-file", { id, offset: at, name }, "a DM tag is neither a group nor data: the file is damaged");
      const tag = id === 20 ? await group(depth + 1) : await data(name);
      Object.defineProperty(out, name, { value: tag, enumerable: true, configurable: true, writable: true });
    }
    return out;
  };
  return { version, tags: await group(0) };
}
