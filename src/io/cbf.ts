import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { declaredSizeCheck, fromLatin1, latin1 } from "./bytes.js";
import { bytesPer, decodeNumbers, type NumberType } from "./bytes-numbers.js";
import { checkFrame, type FrameFacts, type FrameSource } from "./frames.js";
import { keyValueLines } from "./frames-text.js";
import { distanceInMm, headerNumber, pixelInMm, wavelengthInAngstrom } from "./frames-units.js";
import { type ByteInput, readUpTo, type SizeLimit, toSource } from "./source.js";

/** Marks the start of binary data in a CBF: form feed, Ctrl-Z, Ctrl-D, 0xD5. */
const MARK = [0x0c, 0x1a, 0x04, 0xd5] as const;
const MAX_HEADER = 1 << 20;

function findMark(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(MARK[0]); at >= 0; at = bytes.indexOf(MARK[0], at + 1))
    if (bytes[at + 1] === MARK[1] && bytes[at + 2] === MARK[2] && bytes[at + 3] === MARK[3]) return at;
  return -1;
}

/**
 * Decode CBF byte-offset compression into `out`: each pixel is the difference to the one before in one byte, or 0x80 and two bytes,
 * or 0x80 0x8000 and four, or 0x80 0x8000 0x80000000 and eight (Bernstein & Hammersley 2005, International Tables G, ch. 2.3).
 * @throws bad-file when the bytes end early or a value leaves the 32 bits of the element type
 */
export function decodeByteOffsetInto(out: Int32Array | Uint32Array, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    small = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const n = out.length,
    size = bytes.length;
  let at = 0,
    value = 0;
  for (let i = 0; i < n; ) {
    // A pixel takes at most 15 bytes: so many can be read without asking for the end each time, then one by one.
    const sure = Math.min(n - i, Math.floor((size - at) / 15));
    if (sure < 1 && !enough(small, view, at))
      fail("bad-file", { pixel: i, pixels: n, size }, "the compressed data ends before the last pixel: truncated file");
    for (const stop = i + Math.max(1, sure); i < stop; i++) {
      const d = small[at++]!;
      if (d !== -128) value += d;
      else {
        const d2 = view.getInt16(at, true);
        at += 2;
        if (d2 !== -32768) value += d2;
        else {
          const d4 = view.getInt32(at, true);
          at += 4;
          if (d4 !== -2147483648) value += d4;
          else {
            value += Number(view.getBigInt64(at, true));
            at += 8;
          }
        }
        if (!(value >= -2147483648 && value <= 4294967295))
          fail("bad-file", { pixel: i, value }, "a decompressed pixel leaves the 32-bit range: the file is damaged");
      }
      out[i] = value;
    }
  }
}

/** Whether the code of one pixel at `at` lies inside the bytes. */
function enough(small: Int8Array, view: DataView, at: number): boolean {
  const left = small.length - at;
  if (left < 1 || small[at] !== -128) return left >= 1;
  if (left < 3 || view.getInt16(at + 1, true) !== -32768) return left >= 3;
  return left < 7 || view.getInt32(at + 3, true) !== -2147483648 ? left >= 7 : left >= 15;
}

/** Compress integers by byte offsets; see {@link decodeByteOffsetInto}. */
export function encodeByteOffset(data: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const n = data.length;
  let size = 0,
    last = 0;
  for (let i = 0; i < n; i++) {
    const a = Math.abs(data[i]! - last);
    size += a < 128 ? 1 : a < 32768 ? 3 : a < 2147483648 ? 7 : 15;
    last = data[i]!;
  }
  const out = new Uint8Array(size),
    view = new DataView(out.buffer);
  let at = 0;
  last = 0;
  for (let i = 0; i < n; i++) {
    const v = data[i]!,
      d = v - last,
      a = Math.abs(d);
    last = v;
    if (a < 128) {
      out[at++] = d;
      continue;
    }
    out[at++] = 0x80;
    if (a < 32768) {
      view.setInt16(at, d, true);
      at += 2;
      continue;
    }
    view.setInt16(at, -32768, true);
    at += 2;
    if (a < 2147483648) {
      view.setInt32(at, d, true);
      at += 4;
      continue;
    }
    view.setInt32(at, -2147483648, true);
    view.setBigInt64(at + 4, BigInt(d), true);
    at += 12;
  }
  return out;
}

/** Lines `# Key value` of a miniCBF header as a record; a line without a value has an empty one. */
export function parseMiniCbf(text: string): Record<string, string> {
  const out: Record<string, string> = {};
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.replace(/^;/, "").trim();
    if (!line.startsWith("#")) continue;
    const body = line.replace(/^#+/, "").trim();
    const at = body.search(/[\s=:]/);
    if (at !== 0 && body !== "") out[at < 0 ? body : body.slice(0, at)] = at < 0 ? "" : body.slice(at).trim().replace(/^[=:]/, "").trim();
  }
  return out;
}

function miniFacts(h: Record<string, string>, warn: (text: string) => void): FrameFacts {
  const n = (key: string): number | undefined => headerNumber(h[key]);
  // "Pixel_size 55e-6 m x 55e-6 m"; the convention is metres, and the text says so.
  const pixel = /([-\d.eE+]+)\s*m?\s*x\s*([-\d.eE+]+)/.exec(h.Pixel_size ?? "");
  const beam = /\(?\s*([-\d.eE+]+)\s*,\s*([-\d.eE+]+)/.exec(h.Beam_xy ?? "");
  const metres = n("Detector_distance");
  const px = pixel && pixelInMm(Number(pixel[1]) * 1e3, warn),
    py = pixel && pixelInMm(Number(pixel[2]) * 1e3, warn);
  return {
    wavelength: h.Wavelength === undefined ? undefined : wavelengthInAngstrom(n("Wavelength"), warn),
    pixelMm: px && py ? [px, py] : undefined,
    distanceMm: distanceInMm(metres === undefined ? undefined : metres * 1e3, warn),
    tiltDeg: n("Start_angle") ?? n("Phi"),
    tiltStepDeg: n("Angle_increment") ?? n("Phi_increment"),
    exposureS: n("Exposure_time"),
    beamCentre: beam ? [Number(beam[1]), Number(beam[2])] : undefined,
    saturation: n("Count_cutoff"),
  };
}

const elementTypes: readonly (readonly [RegExp, NumberType])[] = [
  [/unsigned 8/i, "u8"],
  [/signed 8/i, "i8"],
  [/unsigned 16/i, "u16"],
  [/signed 16/i, "i16"],
  [/unsigned 32/i, "u32"],
  [/signed 32/i, "i32"],
  [/32-bit real/i, "f32"],
  [/64-bit real/i, "f64"],
];

/**
 * The first image of a CBF: byte-offset compressed or uncompressed, with the miniCBF header of DECTRIS and its imitators.
 * Pixels that the writer excluded are negative, as in the file.
 * @throws bad-file, unsupported (packed and canonical compression), too-large
 */
export async function cbfFrames(input: ByteInput, { maxBytes }: SizeLimit = {}): Promise<FrameSource> {
  const source = toSource(input);
  let head = await readUpTo(source, 0, 1 << 14);
  if (!/^\s*(###\s*CBF|#|data_)/.test(latin1(head.subarray(0, 64))))
    fail("bad-file", { name: source.name }, "a CBF file starts with ###CBF: VERSION");
  let mark = findMark(head);
  if (mark < 0) {
    head = await readUpTo(source, 0, MAX_HEADER);
    mark = findMark(head);
  }
  if (mark < 0)
    fail("bad-file", { name: source.name, searched: head.length }, "no binary section in this CBF: truncated, or a CIF without an image");
  const text = latin1(head.subarray(0, mark));
  const section = text.lastIndexOf("--CIF-BINARY-FORMAT-SECTION--");
  const mime = text.slice(Math.max(0, section));
  const fields = new Map(keyValueLines(mime, ":").map(([k, v]) => [k.toLowerCase(), v]));
  const field = (key: string): string | undefined => fields.get(key.toLowerCase());
  const count = (key: string): number =>
    headerNumber(field(key)) ?? fail("bad-file", { missing: key }, "the MIME header of the binary section is incomplete");
  const warnings: string[] = [];
  const size = count("X-Binary-Size"),
    nx = count("X-Binary-Size-Fastest-Dimension"),
    ny = count("X-Binary-Size-Second-Dimension");
  const nz = headerNumber(field("X-Binary-Size-Third-Dimension")) ?? 1;
  if (nz > 1) fail("unsupported", { nz }, "this CBF section is three-dimensional; one image per section is read");
  const element = (field("X-Binary-Element-Type") ?? "signed 32-bit integer").replaceAll('"', "");
  const dtype =
    elementTypes.find(([re]) => re.test(element))?.[1] ?? fail("unsupported", { element }, "this CBF element type is not known");
  const littleEndian = !/big/i.test(field("X-Binary-Element-Byte-Order") ?? "");
  const conversion = /conversions[ \t]*=[ \t]*"?([\w-]+)/i.exec(mime)?.[1]?.toUpperCase() ?? "X-CBF_NONE";
  const compressed = conversion === "X-CBF_BYTE_OFFSET";
  if (!compressed && conversion !== "X-CBF_NONE")
    fail(
      "unsupported",
      { conversion },
      "only byte-offset compressed and uncompressed CBF images are read; convert the file with its own tools",
    );
  if (compressed && /real/.test(element)) fail("bad-file", { element, conversion }, "byte offsets compress integers only");
  if (!(nx > 0 && ny > 0)) fail("bad-file", { nx, ny }, "the CBF section declares an image without pixels");
  const start = mark + 4;
  declaredSizeCheck("the binary section", [size], { available: source.size - start, maxBytes });
  // Byte offsets take at least one byte a pixel, so a hostile size fails here, before anything is allocated.
  declaredSizeCheck("the image", [nx, ny, compressed ? 1 : bytesPer(dtype)], { available: size, maxBytes });
  declaredSizeCheck("the image", [nx, ny, 4], { maxBytes });
  const elements = headerNumber(field("X-Binary-Number-of-Elements"));
  if (elements !== undefined && elements !== nx * ny)
    warnings.push(`X-Binary-Number-of-Elements is ${elements}, but the image has ${nx * ny}`);
  const begin = text.indexOf("_array_data.header_contents"),
    open = begin < 0 ? -1 : text.indexOf(";", begin),
    close = open < 0 ? -1 : text.indexOf("\n;", open);
  const contents = close < 0 ? "" : text.slice(open + 1, close);
  const mini = parseMiniCbf(contents);
  const facts = miniFacts(mini, (t) => warnings.push(t));
  return {
    format: "cbf",
    shape: [1, ny, nx],
    dtype,
    metadata: {
      ...mini,
      "X-Binary-Element-Type": element,
      conversions: conversion,
      convention: /header_convention\s+"?([^\s"]+)/.exec(text)?.[1],
    },
    facts,
    warnings,
    read: async (i, signal) => {
      checkFrame(i, 1);
      const bytes = await source.read(start, size, signal);
      if (!compressed) return { data: decodeNumbers(bytes.subarray(0, nx * ny * bytesPer(dtype)), dtype, littleEndian), shape: [ny, nx] };
      const data = dtype === "u32" ? new Uint32Array(nx * ny) : new Int32Array(nx * ny);
      decodeByteOffsetInto(data, bytes);
      return { data, shape: [ny, nx] };
    },
    close: async () => source.close?.(),
  };
}

/** Options of {@link writeCbf}. */
export interface CbfWriteOptions {
  readonly name?: string;
  readonly facts?: FrameFacts;
  /** Lines of the miniCBF header, without `# `; they follow the ones made from `facts`. */
  readonly lines?: readonly string[];
}

/**
 * Write an integer image as miniCBF with byte-offset compression.
 * @throws bad-value when a pixel is no 32-bit integer
 */
export function writeCbf(
  { data, shape }: Image<TypedArray>,
  { name = "image", facts = {}, lines = [] }: CbfWriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const [ny, nx] = shape;
  if (data.length !== ny * nx) fail("bad-shape", { length: data.length, shape }, "an image holds ny·nx values");
  const unsigned = data instanceof Uint32Array;
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (!Number.isInteger(v) || v < (unsigned ? 0 : -2147483648) || v > (unsigned ? 4294967295 : 2147483647))
      fail("bad-value", { pixel: i, value: v }, "CBF byte offsets hold 32-bit integers: round the image first");
  }
  const m = (mm: number): string => (mm * 1e-3).toExponential(6).replace(/\.?0+e/, "e");
  const stated: (string | undefined)[] = [
    facts.pixelMm && `Pixel_size ${m(facts.pixelMm[0])} m x ${m(facts.pixelMm[1])} m`,
    facts.exposureS === undefined ? undefined : `Exposure_time ${facts.exposureS} s`,
    facts.saturation === undefined ? undefined : `Count_cutoff ${facts.saturation} counts`,
    facts.wavelength === undefined ? undefined : `Wavelength ${facts.wavelength} A`,
    facts.distanceMm === undefined ? undefined : `Detector_distance ${facts.distanceMm / 1000} m`,
    facts.beamCentre && `Beam_xy (${facts.beamCentre[0]}, ${facts.beamCentre[1]}) pixels`,
    facts.tiltDeg === undefined ? undefined : `Start_angle ${facts.tiltDeg} deg.`,
    facts.tiltStepDeg === undefined ? undefined : `Angle_increment ${facts.tiltStepDeg} deg.`,
  ];
  const mini = [...stated.filter((l) => l !== undefined), ...lines].map((l) => `# ${l}`);
  if (mini.length === 0) mini.push("# Detector: unknown"); // some readers stumble over an empty header
  const body = encodeByteOffset(data);
  const padding = 4095;
  const head = [
    "###CBF: VERSION 1.5",
    `data_${name.replace(/\s+/g, "_")}`,
    "",
    '_array_data.header_convention "PILATUS_1.2"',
    "_array_data.header_contents",
    ";",
    ...mini,
    ";",
    "",
    "_array_data.data",
    ";",
    "--CIF-BINARY-FORMAT-SECTION--",
    "Content-Type: application/octet-stream;",
    '     conversions="x-CBF_BYTE_OFFSET"',
    "Content-Transfer-Encoding: BINARY",
    `X-Binary-Size: ${body.length}`,
    "X-Binary-ID: 1",
    `X-Binary-Element-Type: "${unsigned ? "unsigned" : "signed"} 32-bit integer"`,
    "X-Binary-Element-Byte-Order: LITTLE_ENDIAN",
    `X-Binary-Number-of-Elements: ${data.length}`,
    `X-Binary-Size-Fastest-Dimension: ${nx}`,
    `X-Binary-Size-Second-Dimension: ${ny}`,
    `X-Binary-Size-Padding: ${padding}`,
    "",
    "",
  ].join("\r\n");
  const tail = "\r\n--CIF-BINARY-FORMAT-SECTION----\r\n;\r\n\r\n";
  const out = new Uint8Array(head.length + 4 + body.length + padding + tail.length);
  out.set(fromLatin1(head));
  out.set(MARK, head.length);
  out.set(body, head.length + 4);
  out.set(fromLatin1(tail), head.length + 4 + body.length + padding);
  return out;
}
