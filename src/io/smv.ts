import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { declaredSizeCheck, fromLatin1, latin1 } from "./bytes.js";
import { bytesPer, littleEndianBytes, type NumberType, numberTypeOf } from "./bytes-numbers.js";
import type { FrameFacts, FrameSource } from "./frames.js";
import { keyValueLines } from "./frames-text.js";
import { centreInPixels, distanceInMm, headerNumber, pixelInMm, wavelengthInAngstrom } from "./frames-units.js";
import { stackFrames } from "./raw.js";
import { type ByteInput, type ByteSource, readUpTo, type SizeLimit, toSource } from "./source.js";

/** Fields of an SMV header in file order, all as text. */
export type SmvHeader = Readonly<Record<string, string>>;

const types: Readonly<Record<string, NumberType>> = {
  unsigned_char: "u8",
  unsigned_byte: "u8",
  signed_char: "i8",
  unsigned_short: "u16",
  unsigned_short_int: "u16",
  mad: "u16",
  signed_short: "i16",
  short: "i16",
  short_int: "i16",
  unsigned_long: "u32",
  unsigned_int: "u32",
  signed_long: "i32",
  signed_int: "i32",
  long: "i32",
  int: "i32",
  long_integer: "i32",
  float: "f32",
  double: "f64",
};

/** Longest header that is believed. */
const MAX_HEADER = 1 << 16;

/**
 * Parse the text of an SMV header: `{ KEY=value; … }`, padded to HEADER_BYTES. Values may hold anything but `;` and line ends, so the
 * `{phi:.4f}` that a writer left unformatted is kept as it is.
 * @throws bad-file when it is no SMV header
 */
export function parseSmvHeader(text: string): SmvHeader {
  if (!text.startsWith("{")) fail("bad-file", { start: text.slice(0, 8) }, "an SMV file starts with { and KEY=value; lines");
  const end = text.search(/^[ \t]*\}/m);
  if (end < 0) fail("bad-file", { length: text.length }, "the SMV header has no closing }: the file is truncated");
  const out: Record<string, string> = {};
  for (const [key, value] of keyValueLines(text.slice(1, end), "=")) {
    const semicolon = value.indexOf(";");
    if (/^[A-Za-z_][\w-]*$/.test(key)) out[key.toUpperCase()] = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
  }
  return out;
}

async function smvHeader(source: ByteSource): Promise<{ header: SmvHeader; bytes: number }> {
  const first = latin1(await readUpTo(source, 0, 512));
  const stated = /HEADER_BYTES\s*=\s*(\d+)/.exec(first);
  if (!first.startsWith("{") || !stated)
    fail(
      "bad-file",
      { start: first.slice(0, 16), name: source.name },
      "an SMV file starts with { and HEADER_BYTES=…; in its first 512 bytes",
    );
  const bytes = Number(stated![1]);
  if (bytes < 16 || bytes > MAX_HEADER)
    fail("bad-file", { HEADER_BYTES: bytes }, `an SMV header has 16 to ${MAX_HEADER} bytes, usually 512`);
  return { header: parseSmvHeader(latin1(await source.read(0, bytes))), bytes };
}

/** What the header says, in one set of units. */
function smvFacts(h: SmvHeader, nx: number, ny: number, warn: (text: string) => void): FrameFacts {
  const n = (key: string): number | undefined => headerNumber(h[key]);
  for (const key of ["PHI", "OSC_START", "OSC_RANGE", "WAVELENGTH", "DISTANCE", "PIXEL_SIZE"])
    if (h[key] !== undefined && n(key) === undefined) warn(`${key} is no number: "${h[key]}"`);
  const pixelMm = pixelInMm(n("PIXEL_SIZE"), warn);
  const x = n("BEAM_CENTER_X"),
    y = n("BEAM_CENTER_Y");
  const centre = x !== undefined && y !== undefined ? centreInPixels([x, y], [nx, ny], pixelMm) : undefined;
  if (centre) warn(`BEAM_CENTER_X/Y ${x} ${y} read as ${centre.unit}; some writers swap x and y`);
  return {
    wavelength: wavelengthInAngstrom(n("WAVELENGTH"), warn),
    pixelMm: pixelMm === undefined ? undefined : [pixelMm, pixelMm],
    distanceMm: distanceInMm(n("DISTANCE"), warn),
    tiltDeg: n("OSC_START") ?? n("PHI"),
    tiltStepDeg: n("OSC_RANGE"),
    exposureS: n("TIME"),
    beamCentre: centre?.pixels,
    saturation: n("CCD_IMAGE_SATURATION"),
    pedestal: n("IMAGE_PEDESTAL") ?? n("LEGINON_OFFSET"),
    time: h.DATE,
  };
}

/** Subtract the constant that a writer added so that counts fit an unsigned type. */
function withoutPedestal({ data, shape }: Image<TypedArray>, pedestal: number): Image<TypedArray> {
  const exact = Number.isInteger(pedestal) && !(data instanceof Float32Array) && !(data instanceof Float64Array);
  const out = exact ? new Int32Array(data.length) : new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = data[i]! - pedestal;
  return { data: out, shape };
}

/**
 * One SMV image (ADSC, instamatic, DIALS' electron variants): ASCII header, then rows of SIZE1 pixels, SIZE2 of them. A pedestal
 * (IMAGE_PEDESTAL, LEGINON_OFFSET) is subtracted.
 * @throws bad-file, unsupported (TYPE), too-large
 */
export async function smvFrames(input: ByteInput, { maxBytes }: SizeLimit = {}): Promise<FrameSource> {
  const source = toSource(input);
  const { header, bytes } = await smvHeader(source);
  const warnings: string[] = [];
  const nx = headerNumber(header.SIZE1),
    ny = headerNumber(header.SIZE2);
  if (!(Number.isInteger(nx) && Number.isInteger(ny) && nx! > 0 && ny! > 0))
    fail(
      "bad-file",
      { SIZE1: header.SIZE1, SIZE2: header.SIZE2 },
      "SIZE1 and SIZE2 of an SMV header are the columns and rows of the image",
    );
  const typeName = (header.TYPE ?? header.DATA_TYPE ?? "unsigned_short").toLowerCase().replace(/\s+/g, "_");
  if (!header.TYPE && !header.DATA_TYPE) warnings.push("TYPE is missing: unsigned_short taken");
  const dtype =
    types[typeName] ?? fail("unsupported", { TYPE: typeName }, `this SMV type is not known; known are ${Object.keys(types).join(", ")}`);
  const order = header.BYTE_ORDER?.toLowerCase();
  if (order === undefined) warnings.push("BYTE_ORDER is missing: little_endian taken");
  else if (order !== "little_endian" && order !== "big_endian") warnings.push(`BYTE_ORDER "${order}" is unknown: little_endian taken`);
  if (header.COMPRESSION && !/^none$/i.test(header.COMPRESSION))
    fail("unsupported", { COMPRESSION: header.COMPRESSION }, "compressed SMV images are not read: uncompress them first");
  const facts = smvFacts(header, nx!, ny!, (t) => warnings.push(t));
  const rest = source.size - bytes - nx! * ny! * bytesPer(dtype);
  if (rest > 0) warnings.push(`${rest} bytes after the image are not read`);
  const pedestal = facts.pedestal ?? 0;
  return stackFrames(
    source,
    { shape: [1, ny!, nx!], dtype, littleEndian: order !== "big_endian", offset: bytes },
    {
      format: "smv",
      metadata: header,
      facts,
      warnings,
      maxBytes,
      ...(pedestal ? { after: (i: Image<TypedArray>) => withoutPedestal(i, pedestal) } : {}),
    },
  );
}

const typeNames: Partial<Record<NumberType, string>> = {
  u8: "unsigned_char",
  i8: "signed_char",
  u16: "unsigned_short",
  i16: "signed_short",
  u32: "unsigned_long",
  i32: "signed_long",
  f32: "float",
};

/** Options of {@link writeSmv}. */
export interface SmvWriteOptions {
  /** Facts to state: lengths in mm, wavelength in Å, beam centre in pixels (as the electron-diffraction readers of SMV expect). */
  readonly facts?: FrameFacts;
  /** Further fields, written as given; they win over the ones made from `facts`. */
  readonly header?: Readonly<Record<string, string | number>>;
  /** Write u16 with this constant added (IMAGE_PEDESTAL), so that slightly negative counts survive. */
  readonly pedestal?: number;
}

/**
 * Write an image as SMV. Integer images keep their type; with a `pedestal` any image is rounded to u16.
 * @throws bad-value when a count plus the pedestal does not fit u16, or a header field holds ; or line ends
 */
export function writeSmv(
  { data, shape }: Image<TypedArray>,
  { facts = {}, header = {}, pedestal }: SmvWriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const [ny, nx] = shape;
  if (data.length !== ny * nx) fail("bad-shape", { length: data.length, shape }, "an image holds ny·nx values");
  let body = data;
  if (pedestal !== undefined) {
    body = new Uint16Array(data.length);
    for (let i = 0; i < data.length; i++) {
      const v = Math.round(data[i]! + pedestal);
      if (!(v >= 0 && v <= 65535))
        fail(
          "bad-value",
          { count: data[i], pedestal },
          "count plus pedestal must lie in 0 … 65535; use another pedestal or an i32 or f32 image",
        );
      body[i] = v;
    }
  }
  const type = numberTypeOf(body);
  const typeName =
    typeNames[type] ?? fail("unsupported", { type }, "SMV holds u8, i8, u16, i16, u32, i32 and f32; convert the image first");
  const at = (v: number | undefined, digits: number): string | undefined => v?.toFixed(digits);
  const fields: Record<string, string | number | undefined> = {
    DIM: 2,
    BYTE_ORDER: "little_endian",
    TYPE: typeName,
    SIZE1: nx,
    SIZE2: ny,
    PIXEL_SIZE: at(facts.pixelMm?.[0], 6),
    TIME: at(facts.exposureS, 6),
    DISTANCE: at(facts.distanceMm, 4),
    TWOTHETA: "0.00",
    PHI: at(facts.tiltDeg, 4),
    OSC_START: at(facts.tiltDeg, 4),
    OSC_RANGE: at(facts.tiltStepDeg, 4),
    WAVELENGTH: at(facts.wavelength, 6),
    BEAM_CENTER_X: at(facts.beamCentre?.[0], 3),
    BEAM_CENTER_Y: at(facts.beamCentre?.[1], 3),
    DATE: facts.time,
    ...(pedestal === undefined ? {} : { IMAGE_PEDESTAL: pedestal }),
    ...header,
  };
  let lines = "";
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (!/^[A-Za-z_][\w-]*$/.test(key) || /[;\n\r]/.test(String(value)))
      fail("bad-value", { key, value }, "an SMV field is KEY=value; without ; and line ends inside");
    lines += `${key}=${value};\n`;
  }
  const frame = (bytes: number): string => `{\nHEADER_BYTES=${String(bytes).padStart(5)};\n${lines}}\n`;
  const bytes = Math.ceil(frame(512).length / 512) * 512;
  if (bytes > MAX_HEADER) fail("too-large", { bytes }, `an SMV header has at most ${MAX_HEADER} bytes`);
  const out = new Uint8Array(bytes + declaredSizeCheck("the image", [body.byteLength]));
  out.fill(0x20, 0, bytes);
  out.set(fromLatin1(frame(bytes)));
  out.set(littleEndianBytes(body), bytes);
  return out;
}
