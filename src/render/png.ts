import { zlibSync } from "fflate";
import { fail } from "../core/errors.js";

/** Pixels to be written: gray, gray + alpha, RGB or RGBA bytes, or 16-bit gray; row-major, channels fastest. */
export interface PngPixels {
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
}
export interface PngOptions {
  /** Deflate level 0 to 9, 6. */
  readonly level?: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
  /** Texts by key, e.g. Title, Description, Software. */
  readonly text?: Readonly<Record<string, string>>;
  /** Up to 256 colours, [n, 3] bytes: the pixels (one 8-bit channel) are then indices into it. */
  readonly palette?: Uint8Array;
}

const COLOR_TYPE = { 1: 0, 2: 4, 3: 2, 4: 6 } as const;

/**
 * Encode a PNG: deflated, each row with the filter of least sum of absolute differences.
 * @throws bad-shape when data does not hold width·height·channels values; unsupported for 16-bit colour
 * @see PNG specification, third edition, W3C (2025)
 */
export function encodePng({ data, width, height, channels }: PngPixels, { level = 6, text = {}, palette }: PngOptions = {}): Uint8Array {
  const wide = data instanceof Uint16Array;
  if (!(width > 0 && height > 0 && data.length === width * height * channels))
    fail("bad-shape", { length: data.length, width, height, channels }, "data holds width·height·channels values, at least one pixel");
  if (wide && channels !== 1) fail("unsupported", { channels }, "16-bit pixels are gray here; scale colours to bytes");
  if (palette && (wide || channels !== 1 || palette.length % 3 !== 0 || palette.length === 0 || palette.length > 768))
    fail(
      "bad-shape",
      { palette: palette.length, channels },
      "a palette holds 1 to 256 colours of three bytes, for pixels of one 8-bit channel",
    );
  const bytes = wide ? bigEndian(data) : new Uint8Array(data.buffer, data.byteOffset, data.length);
  const header = new Uint8Array(13),
    view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([wide ? 16 : 8, palette ? 3 : COLOR_TYPE[channels], 0, 0, 0], 8);
  const step = channels * (wide ? 2 : 1);
  const chunks = [chunk("IHDR", header)];
  if (palette) chunks.push(chunk("PLTE", palette));
  for (const [key, value] of Object.entries(text)) {
    if (!/^[ -~]{1,79}$/.test(key)) fail("bad-value", { key }, "a text key is 1 to 79 plain ASCII characters");
    chunks.push(chunk("iTXt", new TextEncoder().encode(`${key}\0\0\0\0\0${value}`)));
  }
  chunks.push(
    chunk("IDAT", zlibSync(filtered(bytes, width * step, height, step, palette ? 1 : 5), { level })),
    chunk("IEND", new Uint8Array(0)),
  );
  const out = new Uint8Array(8 + chunks.reduce((n, c) => n + c.length, 0));
  out.set([137, 80, 78, 71, 13, 10, 26, 10]);
  let at = 8;
  for (const c of chunks) {
    out.set(c, at);
    at += c.length;
  }
  return out;
}

function bigEndian(data: Uint16Array): Uint8Array {
  const out = new Uint8Array(2 * data.length);
  for (let i = 0; i < data.length; i++) {
    out[2 * i] = data[i]! >> 8;
    out[2 * i + 1] = data[i]! & 255;
  }
  return out;
}

/** The first `kinds` filters compete; indices into a palette are best left as they are. */
function filtered(bytes: Uint8Array, row: number, rows: number, step: number, kinds: number): Uint8Array {
  const out = new Uint8Array(rows * (row + 1)),
    zero = new Uint8Array(row),
    trial = new Uint8Array(row);
  for (let y = 0; y < rows; y++) {
    const now = bytes.subarray(y * row, (y + 1) * row),
      up = y ? bytes.subarray((y - 1) * row, y * row) : zero;
    let least = Number.POSITIVE_INFINITY;
    for (let kind = 0; kind < kinds; kind++) {
      let sum = 0;
      for (let i = 0; i < row; i++) {
        const a = i >= step ? now[i - step]! : 0,
          b = up[i]!,
          c = i >= step ? up[i - step]! : 0;
        const guess = kind === 0 ? 0 : kind === 1 ? a : kind === 2 ? b : kind === 3 ? (a + b) >> 1 : paeth(a, b, c);
        const d = (now[i]! - guess) & 255;
        trial[i] = d;
        sum += d < 128 ? d : 256 - d;
      }
      if (sum < least) {
        least = sum;
        out[y * (row + 1)] = kind;
        out.set(trial, y * (row + 1) + 1);
      }
    }
  }
  return out;
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c,
    pa = Math.abs(p - a),
    pb = Math.abs(p - b),
    pc = Math.abs(p - c);
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function chunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + body.length),
    view = new DataView(out.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(body, 8);
  view.setUint32(8 + body.length, crc32(out.subarray(4, 8 + body.length)));
  return out;
}

/** CRC-32 of the PNG and zip formats (reflected polynomial EDB88320). */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) {
    c ^= bytes[i]!;
    for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1));
  }
  return (c ^ 0xffffffff) >>> 0;
}
