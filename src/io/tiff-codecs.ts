import { fail, isSdkError } from "../core/errors.js";
import { inflate } from "./inflate.js";

const short = (got: number, size: number): never =>
  fail("bad-file", { got, size }, "a compressed strip or tile of this TIFF gives fewer pixels than it should: damaged file");

/** Undo TIFF's LZW (Technical note of TIFF 6.0, section 13: most significant bit first, early change) into `size` bytes. */
export function lzwDecode(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  // Entry k is the output range that spelt it, so the table needs no copies: start and length.
  const start = new Int32Array(4097),
    length = new Uint16Array(4097);
  let at = 0,
    bits = 0,
    held = 0,
    width = 9,
    next = 258,
    previous = -1;
  for (let pos = 0; at < size; ) {
    while (held < width) {
      if (pos >= bytes.length) return short(at, size);
      bits = ((bits << 8) | bytes[pos++]!) & 0xffffff;
      held += 8;
    }
    held -= width;
    const code = (bits >> held) & ((1 << width) - 1);
    if (code === 257) return short(at, size);
    if (code === 256) {
      width = 9;
      next = 258;
      previous = -1;
      continue;
    }
    const begin = at;
    if (code < 256) out[at++] = code;
    else {
      if (previous < 0 || code > next || (code === next && next > 4095))
        fail("bad-file", { code, next }, "the LZW data of this TIFF holds a code that was never defined: damaged file");
      // An entry is the output of the code before plus one byte; that byte may be the one being written.
      const from = code === next ? previous : start[code]!,
        n = code === next ? begin - previous + 1 : length[code]!;
      for (let k = 0; k < n && at < size; k++) out[at++] = out[from + k]!;
    }
    if (previous >= 0 && next < 4096) {
      start[next] = previous;
      length[next] = begin - previous + 1;
      next++;
      if (next === 511) width = 10;
      else if (next === 1023) width = 11;
      else if (next === 2047) width = 12;
    }
    previous = begin;
  }
  return out;
}

/** Undo PackBits run lengths into `size` bytes. */
export function packBitsDecode(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let at = 0;
  for (let pos = 0; at < size; ) {
    if (pos >= bytes.length) return short(at, size);
    const n = (bytes[pos++]! << 24) >> 24;
    if (n >= 0) {
      const part = bytes.subarray(pos, pos + Math.min(n + 1, size - at));
      if (part.length < Math.min(n + 1, size - at)) return short(at + part.length, size);
      out.set(part, at);
      at += part.length;
      pos += n + 1;
    } else if (n > -128) {
      if (pos >= bytes.length) return short(at, size);
      out.fill(bytes[pos++]!, at, Math.min(size, at + 1 - n));
      at = Math.min(size, at + 1 - n);
    }
  }
  return out;
}

/** What {@link decompress} has to know of a strip or tile. */
export interface BlockLayout {
  readonly compression: number;
  /** Bytes of the block when unpacked. */
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly samples: number;
  /** The JPEGTables field, for compression 7. */
  readonly jpegTables?: readonly number[] | undefined;
  readonly lercParameters?: readonly number[] | undefined;
}

/**
 * geotiff, on first use. One of its dependencies takes fields from `workerData` while it loads, which throws in a worker thread that was
 * started without any; an empty object is there for that moment.
 */
async function loadGeotiff(): Promise<typeof import("geotiff")> {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const threads = process?.getBuiltinModule?.("node:worker_threads") as { isMainThread: boolean; workerData: unknown } | undefined;
  const bare = threads !== undefined && !threads.isMainThread && (threads.workerData === undefined || threads.workerData === null);
  if (bare) threads.workerData = {};
  try {
    return await import("geotiff");
  } catch (e) {
    return fail(
      "unsupported",
      { reason: String(e) },
      "the rarer TIFF compressions need the package geotiff, which cannot be loaded here",
      e,
    );
  } finally {
    if (bare) threads.workerData = undefined;
  }
}

/** Unpack a strip or tile. Deflate, LZW and PackBits are bounded by `size`; the rarer codecs are geotiff's, loaded on demand. */
export async function decompress(bytes: Uint8Array, block: BlockLayout): Promise<Uint8Array> {
  const { compression, size } = block;
  if (compression === 1) return bytes.length >= size ? bytes.subarray(0, size) : short(bytes.length, size);
  // A last strip may be padded to the full height, so more than `size` bytes can come out.
  if (compression === 8 || compression === 32946) {
    const out = inflate(bytes, { maxBytes: Math.max(2 * size, 1 << 16) });
    return out.length >= size ? out.subarray(0, size) : short(out.length, size);
  }
  if (compression === 5) return lzwDecode(bytes, size);
  if (compression === 32773) return packBitsDecode(bytes, size);
  if (![7, 34887, 50000, 50001].includes(compression))
    return fail(
      "unsupported",
      { compression },
      "TIFF compressions read: none, LZW, deflate, PackBits, JPEG, LERC, zstd and WebP; save the file uncompressed",
    );
  const { getDecoder } = await loadGeotiff();
  try {
    const decoder = await getDecoder(compression, {
      tileWidth: block.width,
      tileHeight: block.height,
      predictor: 1,
      bitsPerSample: block.bitsPerSample,
      planarConfiguration: 1,
      samplesPerPixel: block.samples,
      ...(block.jpegTables ? { JPEGTables: block.jpegTables } : {}),
      ...(block.lercParameters ? { LercParameters: block.lercParameters } : {}),
    } as Parameters<typeof getDecoder>[1]);
    const out = new Uint8Array(await decoder.decodeBlock(bytes.slice().buffer));
    return out.length >= size ? out.subarray(0, size) : short(out.length, size);
  } catch (e) {
    if (isSdkError(e)) throw e;
    return fail(
      "bad-file",
      { compression, reason: String(e) },
      "a compressed strip or tile of this TIFF cannot be unpacked: damaged file",
      e,
    );
  }
}

/**
 * Undo the predictor of a block of decoded bytes, in place: 2 adds up integer differences along rows, 3 floating-point byte planes.
 * @param samples - values per pixel that differences skip over
 */
export function undoPredictor(
  bytes: Uint8Array,
  predictor: number,
  width: number,
  samples: number,
  bytesPerSample: number,
  littleEndian: boolean,
): void {
  if (predictor === 1) return;
  const row = width * samples * bytesPerSample,
    rows = row > 0 ? Math.floor(bytes.length / row) : 0;
  if (predictor === 2 && bytesPerSample <= 4) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const step = samples * bytesPerSample;
    for (let y = 0; y < rows; y++) {
      const end = (y + 1) * row;
      for (let at = y * row + step; at < end; at += bytesPerSample) {
        if (bytesPerSample === 1) bytes[at] = bytes[at]! + bytes[at - step]!;
        else if (bytesPerSample === 2)
          view.setUint16(at, view.getUint16(at, littleEndian) + view.getUint16(at - step, littleEndian), littleEndian);
        else view.setUint32(at, view.getUint32(at, littleEndian) + view.getUint32(at - step, littleEndian), littleEndian);
      }
    }
    return;
  }
  if (predictor !== 3 || bytesPerSample < 2)
    fail("unsupported", { predictor, bytesPerSample }, "TIFF predictors read: none, horizontal (2) and floating point (3)");
  // Bytes of a row are differences of the planes of most to least significant bytes.
  const copy = new Uint8Array(row),
    n = width * samples;
  for (let y = 0; y < rows; y++) {
    const line = bytes.subarray(y * row, (y + 1) * row);
    for (let k = samples; k < row; k++) line[k] = line[k]! + line[k - samples]!;
    copy.set(line);
    for (let i = 0; i < n; i++)
      for (let b = 0; b < bytesPerSample; b++) line[i * bytesPerSample + (littleEndian ? bytesPerSample - 1 - b : b)] = copy[b * n + i]!;
  }
}
