import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { bytesPer, littleEndianBytes, numberTypeOf } from "./bytes-numbers.js";
import { deflate } from "./inflate.js";

/** Options of {@link writeTiff}. */
export interface TiffWriteOptions {
  /** ImageDescription of every page, or one text a page (instamatic's YAML header goes here). */
  readonly description?: string | readonly string[];
  readonly software?: string;
  /** "YYYY:MM:DD HH:MM:SS". */
  readonly dateTime?: string;
  readonly compression?: "none" | "deflate";
  /** Deflate level 1 to 9; default 6. */
  readonly level?: number;
  /** BigTIFF; default where the file would pass 4 GiB. */
  readonly big?: boolean;
}

/** One directory entry: tag, type (2 text, 3 u16, 4 u32, 16 u64), values. */
type Entry = readonly [tag: number, type: 2 | 3 | 4 | 16, values: readonly number[] | Uint8Array];

const formats: Readonly<Record<string, number>> = { u8: 1, u16: 1, u32: 1, i8: 2, i16: 2, i32: 2, f32: 3, f64: 3 };

/**
 * Write images as a multi-page TIFF, little-endian, one strip a page. Types are kept: u8 u16 u32 i8 i16 i32 f32 f64.
 * @throws bad-shape when data and shape of an image differ or there is none
 */
export function writeTiff(
  images: Image<TypedArray> | readonly Image<TypedArray>[],
  options: TiffWriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const pages = Array.isArray(images) ? (images as readonly Image<TypedArray>[]) : [images as Image<TypedArray>];
  if (pages.length === 0) fail("bad-shape", { pages: 0 }, "a TIFF file has at least one page");
  const { compression = "none", level = 6, description, software, dateTime } = options;
  const text = (s: string): Uint8Array => new TextEncoder().encode(`${s}\0`);
  const strips: Uint8Array[] = [],
    entries: Entry[][] = [];
  for (const [k, { data, shape }] of pages.entries()) {
    const [ny, nx] = shape;
    if (data.length !== ny * nx || data.length === 0)
      fail("bad-shape", { page: k, length: data.length, shape }, "an image holds ny·nx values, at least one");
    const type = numberTypeOf(data);
    const body = littleEndianBytes(data);
    const strip = compression === "deflate" ? deflate(body, { level }) : body;
    strips.push(strip);
    const note = typeof description === "string" ? description : description?.[k];
    entries.push([
      [256, 4, [nx]],
      [257, 4, [ny]],
      [258, 3, [bytesPer(type) * 8]],
      [259, 3, [compression === "deflate" ? 8 : 1]],
      [262, 3, [1]],
      ...(note === undefined ? [] : [[270, 2, text(note)] as const]),
      [273, 16, [0]], // the offset is filled in below
      [277, 3, [1]],
      [278, 4, [ny]],
      [279, 16, [strip.length]],
      ...(software === undefined ? [] : [[305, 2, text(software)] as const]),
      ...(dateTime === undefined ? [] : [[306, 2, text(dateTime)] as const]),
      [339, 3, [formats[type]!]],
    ]);
  }
  const textBytes = entries.flat().reduce((sum, [, , v]) => sum + (v instanceof Uint8Array ? v.length + 1 : 0), 0);
  const estimate = strips.reduce((sum, s) => sum + s.length + 400, 16) + textBytes;
  const big = options.big ?? estimate > 0xffff0000;
  if (!big && estimate > 0xffffffff)
    fail("too-large", { bytes: estimate }, "above 4 GiB a TIFF has to be a BigTIFF: leave `big` out or set it");
  return assemble(strips, entries, big);
}

function assemble(strips: readonly Uint8Array[], entries: readonly (readonly Entry[])[], big: boolean): Uint8Array<ArrayBuffer> {
  const inline = big ? 8 : 4;
  const even = (n: number): number => n + (n & 1);
  /** Offsets and counts take the width of the file kind. */
  const typed = (e: Entry): Entry => (e[1] === 16 && !big ? [e[0], 4, e[2]] : e);
  const bytesOf = ([, type, v]: Entry): number => (v instanceof Uint8Array ? v.length : v.length * (type === 3 ? 2 : type === 4 ? 4 : 8));
  let size = big ? 16 : 8;
  const places = strips.map((strip, k) => {
    const data = size;
    size += even(strip.length);
    const outside = entries[k]!.map(typed).map((e) => {
      const n = bytesOf(e);
      if (n <= inline) return -1;
      const at = size;
      size += even(n);
      return at;
    });
    const directory = size;
    size += (big ? 8 : 2) + entries[k]!.length * (big ? 20 : 12) + inline;
    size = even(size);
    return { data, outside, directory };
  });
  const out = new Uint8Array(size),
    view = new DataView(out.buffer);
  let at = 0;
  const u16 = (v: number): void => {
    view.setUint16(at, v, true);
    at += 2;
  };
  const u32 = (v: number): void => {
    view.setUint32(at, v, true);
    at += 4;
  };
  const u64 = (v: number): void => {
    view.setBigUint64(at, BigInt(v), true);
    at += 8;
  };
  const word = big ? u64 : u32;
  const values = ([, type, v]: Entry): void => {
    if (v instanceof Uint8Array) {
      out.set(v, at);
      at += v.length;
    } else for (const x of v) (type === 3 ? u16 : type === 4 ? u32 : u64)(x);
  };
  out.set([0x49, 0x49, big ? 43 : 42, 0]);
  at = 4;
  if (big) u32(8);
  word(places[0]!.directory);
  for (const [k, place] of places.entries()) {
    out.set(strips[k]!, place.data);
    const list = entries[k]!.map((e): Entry => typed(e[0] === 273 ? [273, 16, [place.data]] : e));
    for (const [j, e] of list.entries()) {
      if (place.outside[j]! < 0) continue;
      at = place.outside[j]!;
      values(e);
    }
    at = place.directory;
    if (big) u64(list.length);
    else u16(list.length);
    for (const [j, e] of list.entries()) {
      const start = at;
      u16(e[0]);
      u16(e[1]);
      word(e[2].length);
      if (place.outside[j]! >= 0) word(place.outside[j]!);
      else values(e);
      at = start + (big ? 20 : 12);
    }
    word(places[k + 1]?.directory ?? 0);
  }
  return out;
}
