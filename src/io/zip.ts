import { fail } from "../core/errors.js";
import { type Cursor, cursor, declaredSizeCheck } from "./bytes.js";
import { deflate, inflate } from "./inflate.js";
import {
  type ByteInput,
  type ByteSource,
  bytesSource,
  DEFAULT_MAX_BYTES,
  type SizeLimit,
  siblings,
  sliceSource,
  toSource,
} from "./source.js";

/** A file in a ZIP archive. */
export interface ZipEntry {
  /** Path inside the archive, with forward slashes. */
  readonly name: string;
  readonly size: number;
  readonly compressedSize: number;
  /** 0 stored, 8 deflated; others cannot be read. */
  readonly method: number;
  readonly crc32: number;
  /** Byte of the local header in the archive. */
  readonly offset: number;
}

const END = 0x06054b50,
  END64 = 0x06064b50,
  LOCATOR64 = 0x07064b50,
  CENTRAL = 0x02014b50,
  LOCAL = 0x04034b50;

let crcTable: Uint32Array | undefined;
function makeCrcTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1));
    return c;
  });
}

/** CRC-32 of ISO 3309, as ZIP and PNG use it. */
export function crc32(bytes: Uint8Array): number {
  crcTable ??= makeCrcTable();
  const t = crcTable;
  let c = -1;
  for (let i = 0; i < bytes.length; i++) c = (c >>> 8) ^ t[(c ^ bytes[i]!) & 255]!;
  return ~c >>> 0;
}

/** End-of-directory record: number of entries, place and size of the central directory. */
async function directory(source: ByteSource): Promise<{ count: number; size: number; offset: number }> {
  const length = Math.min(source.size, 22 + 65535);
  const tail = await source.read(source.size - length, length);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let at = tail.length - 22;
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0)
    fail(
      "bad-file",
      { name: source.name, size: source.size },
      "no end-of-directory record: the ZIP file is truncated, or it is no ZIP file",
    );
  const end = { count: view.getUint16(at + 10, true), size: view.getUint32(at + 12, true), offset: view.getUint32(at + 16, true) };
  if (end.count !== 0xffff && end.size !== 0xffffffff && end.offset !== 0xffffffff) return end;
  if (at < 20 || view.getUint32(at - 20, true) !== LOCATOR64) return end;
  const place = Number(view.getBigUint64(at - 12, true));
  const c = cursor(await source.read(place, 56));
  if (c.u32() !== END64) fail("bad-file", { place }, "the ZIP64 end-of-directory record is not where the archive says: damaged archive");
  c.seek(32);
  return { count: c.u64(), size: c.u64(), offset: c.u64() };
}

/** Replace the fields that did not fit 32 bits by those of the ZIP64 extra field. */
function zip64(extra: Cursor, entry: { size: number; compressedSize: number; offset: number }): void {
  while (extra.left >= 4) {
    const id = extra.u16(),
      part = cursor(extra.take(Math.min(extra.u16(), extra.left)));
    if (id !== 1) continue;
    if (entry.size === 0xffffffff && part.left >= 8) entry.size = part.u64();
    if (entry.compressedSize === 0xffffffff && part.left >= 8) entry.compressedSize = part.u64();
    if (entry.offset === 0xffffffff && part.left >= 8) entry.offset = part.u64();
  }
}

/**
 * Files of a ZIP archive, in the order of its directory; folders are left out.
 * @throws bad-file when there is no readable directory
 */
export async function zipEntries(input: ByteInput, { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {}): Promise<ZipEntry[]> {
  const source = toSource(input);
  const { count, size, offset } = await directory(source);
  declaredSizeCheck("the ZIP directory", [size], { available: source.size, maxBytes });
  const c = cursor(await source.read(offset, size));
  const out: ZipEntry[] = [];
  for (let i = 0; i < count && c.left > 0; i++) {
    if (c.u32() !== CENTRAL) fail("bad-file", { entry: i, offset: offset + c.offset - 4 }, "the ZIP directory is damaged");
    c.skip(4);
    const flags = c.u16(),
      method = c.u16();
    c.skip(4);
    const crc = c.u32(),
      entry = { compressedSize: c.u32(), size: c.u32(), offset: 0 };
    const nameLength = c.u16(),
      extraLength = c.u16(),
      commentLength = c.u16();
    c.skip(8);
    entry.offset = c.u32();
    const name = new TextDecoder("utf-8").decode(c.take(nameLength)).replaceAll("\\", "/");
    zip64(cursor(c.take(extraLength)), entry);
    c.skip(commentLength);
    if (flags & 1) fail("unsupported", { name }, "encrypted ZIP archives are not read: unpack it first");
    if (!name.endsWith("/")) out.push({ name, method, crc32: crc, ...entry });
  }
  return out;
}

/** Where the data of an entry begins. */
async function dataOffset(source: ByteSource, entry: ZipEntry): Promise<number> {
  const c = cursor(await source.read(entry.offset, 30));
  if (c.u32() !== LOCAL)
    fail("bad-file", { name: entry.name, offset: entry.offset }, "the ZIP directory points to something that is no file: damaged archive");
  c.seek(26);
  return entry.offset + 30 + c.u16() + c.u16();
}

/**
 * Bytes of one file of an archive, its checksum checked.
 * @throws bad-file for damage, unsupported for methods other than stored and deflated, too-large above `maxBytes`
 */
export async function readZipEntry(
  input: ByteInput,
  entry: ZipEntry,
  { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {},
): Promise<Uint8Array> {
  const source = toSource(input);
  if (entry.method !== 0 && entry.method !== 8)
    fail(
      "unsupported",
      { name: entry.name, method: entry.method },
      "only stored and deflated ZIP entries are read; pack the archive again",
    );
  const start = await dataOffset(source, entry);
  declaredSizeCheck(entry.name, [entry.compressedSize], { available: source.size - start, maxBytes });
  declaredSizeCheck(entry.name, [entry.size], { maxBytes });
  const packed = await source.read(start, entry.compressedSize);
  const bytes = entry.method === 0 ? packed : inflate(packed, { wrapping: "raw", expected: entry.size, maxBytes });
  if (bytes.length !== entry.size || crc32(bytes) !== entry.crc32)
    fail("bad-file", { name: entry.name, size: bytes.length }, "checksum or size of a file in the archive is wrong: damaged archive");
  return bytes;
}

/**
 * A file of an archive as a source: a stored one is read in place, a deflated one is unpacked at its first read.
 * Sources of one archive know each other as siblings by base name.
 */
export async function zipSources(
  input: ByteInput,
  { maxBytes = DEFAULT_MAX_BYTES, keep = () => true }: SizeLimit & { keep?: (entry: ZipEntry) => boolean } = {},
): Promise<ByteSource[]> {
  const source = toSource(input);
  const out: ByteSource[] = [];
  for (const entry of await zipEntries(source, { maxBytes })) {
    const base = entry.name.slice(entry.name.lastIndexOf("/") + 1);
    if (base.startsWith(".") || entry.name.startsWith("__MACOSX/") || !keep(entry)) continue;
    if (entry.method === 0) {
      out.push(sliceSource(source, await dataOffset(source, entry), entry.size, base));
      continue;
    }
    let open: Promise<ByteSource> | undefined;
    out.push({
      size: entry.size,
      name: base,
      read: async (offset, length, signal) => {
        open ??= readZipEntry(source, entry, { maxBytes }).then((bytes) => bytesSource(bytes, base));
        return (await open).read(offset, length, signal);
      },
      close: async () => {
        open = undefined;
      },
    });
  }
  return siblings(out);
}

/** Pack files into a ZIP archive; `level` 0 stores them. Dates are those of the format's epoch, so equal input gives equal bytes. */
export function writeZip(
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  { level = 6 }: { level?: number } = {},
): Uint8Array<ArrayBuffer> {
  const names = files.map((f) => new TextEncoder().encode(f.name));
  const packed = files.map((f) => (level === 0 ? f.bytes : deflate(f.bytes, { wrapping: "raw", level })));
  const total = files.reduce((sum, _, i) => sum + 76 + 2 * names[i]!.length + packed[i]!.length, 22);
  if (total > 0xffffffff || files.length > 0xfffe)
    fail("too-large", { bytes: total, files: files.length }, "an archive above 4 GiB or 65534 files is not written; make several");
  const out = new Uint8Array(total),
    view = new DataView(out.buffer);
  let at = 0;
  const header = (i: number, signature: number, offset?: number): void => {
    const central = offset !== undefined;
    view.setUint32(at, signature, true);
    at += 4;
    if (central) {
      view.setUint16(at, 20, true);
      at += 2;
    }
    view.setUint16(at, 20, true);
    view.setUint16(at + 2, 0x0800, true); // names are UTF-8
    view.setUint16(at + 4, level === 0 ? 0 : 8, true);
    view.setUint16(at + 8, 0x21, true); // 1 January 1980
    view.setUint32(at + 10, crc32(files[i]!.bytes), true);
    view.setUint32(at + 14, packed[i]!.length, true);
    view.setUint32(at + 18, files[i]!.bytes.length, true);
    view.setUint16(at + 22, names[i]!.length, true);
    at += 26;
    if (central) {
      view.setUint32(at + 10, offset, true);
      at += 14;
    }
    out.set(names[i]!, at);
    at += names[i]!.length;
  };
  const offsets = files.map((_, i) => {
    const start = at;
    header(i, LOCAL);
    out.set(packed[i]!, at);
    at += packed[i]!.length;
    return start;
  });
  const start = at;
  for (let i = 0; i < files.length; i++) header(i, CENTRAL, offsets[i]!);
  const size = at - start;
  view.setUint32(at, END, true);
  view.setUint16(at + 8, files.length, true);
  view.setUint16(at + 10, files.length, true);
  view.setUint32(at + 12, size, true);
  view.setUint32(at + 16, start, true);
  return out;
}
