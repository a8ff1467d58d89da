import { fail } from "../core/errors.js";
import { cursor, declaredSizeCheck, latin1 } from "./bytes.js";
import { type ByteSource, readUpTo } from "./source.js";

/** One field of an image file directory. */
export interface TiffField {
  readonly type: number;
  readonly count: number;
  /** Byte of the values in the file. */
  readonly offset: number;
}

/** One image file directory ("page"). */
export type TiffDirectory = ReadonlyMap<number, TiffField>;

/** The directories of a TIFF file, and how to read fields of them. */
export interface TiffFile {
  readonly littleEndian: boolean;
  readonly big: boolean;
  readonly pages: readonly TiffDirectory[];
  /** The directory chain loops or breaks after the pages that were read. */
  readonly broken: string | undefined;
  /** Values of a number field; undefined when it is absent. */
  numbers(page: TiffDirectory, tag: number): Promise<readonly number[] | undefined>;
  /** One number, or the fallback. */
  number(page: TiffDirectory, tag: number, fallback: number): Promise<number>;
  text(page: TiffDirectory, tag: number): Promise<string | undefined>;
}

/** Bytes of the field types 1 to 18; 0 for those that do not exist. */
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
/** Longest field that is read: strip tables of large files. */
const MAX_FIELD = 1 << 26;
const MAX_PAGES = 1_000_000;

/**
 * Read the directory chain of a classic or Big TIFF, either byte order.
 * @throws bad-file when the header or the first directory is damaged; later damage ends the chain and is told in `broken`
 */
export async function tiffDirectories(source: ByteSource): Promise<TiffFile> {
  const head = cursor(await readUpTo(source, 0, 16), { name: source.name });
  const order = head.text(2);
  if (order !== "II" && order !== "MM") fail("bad-file", { name: source.name, start: order }, "a TIFF file starts with II or MM");
  const littleEndian = order === "II";
  head.littleEndian = littleEndian;
  const magic = head.u16();
  if (magic !== 42 && magic !== 43) fail("bad-file", { magic }, "this starts like a TIFF file but its magic number is neither 42 nor 43");
  const big = magic === 43;
  if (big && (head.u16() !== 8 || head.u16() !== 0)) fail("unsupported", {}, "this BigTIFF has offsets of another size than 8 bytes");
  const pages: TiffDirectory[] = [];
  const seen = new Set<number>();
  let next = big ? head.u64() : head.u32(),
    broken: string | undefined;
  while (next !== 0) {
    if (seen.has(next) || pages.length >= MAX_PAGES) {
      broken = `the chain of pages runs in a circle after ${pages.length} pages`;
      break;
    }
    seen.add(next);
    try {
      const page = await readDirectory(source, next, littleEndian, big);
      pages.push(page.fields);
      next = page.next;
    } catch (e) {
      if (pages.length === 0) throw e;
      broken = `the directory of page ${pages.length} is damaged; it and the pages after it are left out`;
      break;
    }
  }
  if (pages.length === 0) fail("bad-file", { name: source.name }, "this TIFF file has no page");

  const values = async (f: TiffField): Promise<Uint8Array> => {
    const size = declaredSizeCheck("a TIFF field", [f.count, typeBytes[f.type] ?? 0], {
      available: source.size - f.offset,
      maxBytes: MAX_FIELD,
    });
    return source.read(f.offset, size);
  };
  const numbers = async (page: TiffDirectory, tag: number, most = Number.POSITIVE_INFINITY): Promise<readonly number[] | undefined> => {
    const field = page.get(tag);
    if (!field) return undefined;
    const f = { ...field, count: Math.min(field.count, most) };
    const c = cursor(await values(f), { littleEndian });
    const read: Record<number, () => number> = {
      1: c.u8,
      3: c.u16,
      4: c.u32,
      5: () => c.u32() / c.u32(),
      6: c.i8,
      7: c.u8,
      8: c.i16,
      9: c.i32,
      10: () => c.i32() / c.i32(),
      11: c.f32,
      12: c.f64,
      13: c.u32,
      16: c.u64,
      17: c.i64,
      18: c.u64,
    };
    const one =
      read[f.type] ?? fail("bad-file", { tag, type: f.type }, "a number field of this TIFF has a type that holds no numbers: damaged file");
    return Array.from({ length: f.count }, one);
  };
  return {
    littleEndian,
    big,
    pages,
    broken,
    numbers,
    number: async (page, tag, fallback) => (await numbers(page, tag, 1))?.[0] ?? fallback,
    text: async (page, tag) => {
      const f = page.get(tag);
      if (!f || typeBytes[f.type] !== 1) return undefined;
      const bytes = await values(f);
      const end = bytes.indexOf(0);
      const cut = end < 0 ? bytes : bytes.subarray(0, end);
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(cut);
      } catch {
        return latin1(cut);
      }
    },
  };
}

async function readDirectory(
  source: ByteSource,
  at: number,
  littleEndian: boolean,
  big: boolean,
): Promise<{ fields: TiffDirectory; next: number }> {
  const countBytes = big ? 8 : 2,
    entryBytes = big ? 20 : 12,
    inline = big ? 8 : 4;
  const start = cursor(await source.read(at, countBytes), { littleEndian });
  const count = big ? start.u64() : start.u16();
  const size = declaredSizeCheck("a TIFF directory", [count, entryBytes], { available: source.size - at - countBytes, maxBytes: 1 << 22 });
  const c = cursor(await readUpTo(source, at + countBytes, size + inline), { littleEndian });
  const fields = new Map<number, TiffField>();
  for (let k = 0; k < count; k++) {
    const entry = c.offset;
    const tag = c.u16(),
      type = c.u16(),
      n = big ? c.u64() : c.u32();
    const where = c.offset;
    const fits = n * (typeBytes[type] ?? 0) <= inline;
    const offset = fits ? at + countBytes + where : big ? c.u64() : c.u32();
    c.seek(entry + entryBytes);
    if (!fields.has(tag)) fields.set(tag, { type, count: n, offset });
  }
  // A file that ends right after its last directory has no next one.
  const next = c.left >= inline ? (big ? c.u64() : c.u32()) : 0;
  return { fields, next };
}
