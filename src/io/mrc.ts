import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { type Cursor, cursor, declaredSizeCheck, fromLatin1 } from "./bytes.js";
import { bytesPer, littleEndianBytes, type NumberType } from "./bytes-numbers.js";
import { checkFrame, type FrameFacts, type FrameSource } from "./frames.js";
import { extendedFacts, type MrcExtended, mrcExtended } from "./mrc-extended.js";
import { deFacts, deScanShape, parseDeInfo, parseScanCoordinates } from "./mrc-sidecars.js";
import { stackFrames } from "./raw.js";
import { type ByteInput, type ByteSource, readUpTo, type SizeLimit, toSource } from "./source.js";

/** Options of {@link mrcFrames}. */
export interface MrcOptions extends SizeLimit {
  /** Read mode 0 as unsigned bytes; default as the header of IMOD says, else signed as in MRC2014. */
  readonly unsignedBytes?: boolean;
  /** Texts of the files beside a Direct Electron movie; without them siblings `…_info.txt` and `…_scan_coordinates.csv` are looked for. */
  readonly info?: string;
  readonly scanCoordinates?: string;
}

/** Fields of an MRC2014 header. */
export interface MrcHeader {
  readonly nx: number;
  readonly ny: number;
  readonly nz: number;
  readonly mode: number;
  readonly start: readonly [x: number, y: number, z: number];
  readonly grid: readonly [x: number, y: number, z: number];
  /** Å. */
  readonly cell: readonly [x: number, y: number, z: number];
  readonly cellAnglesDeg: readonly [number, number, number];
  /** Which of x (1), y (2), z (3) runs along columns, rows, sections. */
  readonly axes: readonly [number, number, number];
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly rms: number;
  readonly spaceGroup: number;
  readonly extendedBytes: number;
  readonly extendedType: string;
  readonly version: number;
  readonly origin: readonly [x: number, y: number, z: number];
  readonly labels: readonly string[];
  readonly littleEndian: boolean;
}

const modes: Readonly<Record<number, NumberType>> = { 0: "i8", 1: "i16", 2: "f32", 4: "c64", 6: "u16", 12: "f16" };
const IMOD = 1146047817;

function parseHeader(bytes: Uint8Array, littleEndian: boolean): MrcHeader {
  const c = cursor(bytes, { littleEndian });
  const three = (read: () => number): [number, number, number] => [read(), read(), read()];
  const [nx, ny, nz] = three(c.i32);
  const mode = c.i32(),
    start = three(c.i32),
    grid = three(c.i32),
    cell = three(c.f32),
    cellAnglesDeg = three(c.f32),
    axes = three(c.i32);
  const [min, max, mean] = three(c.f32);
  const spaceGroup = c.i32(),
    extendedBytes = c.i32();
  c.seek(104);
  const extendedType = c.text(4).trim(),
    version = c.i32();
  c.seek(196);
  const origin = three(c.f32);
  c.seek(216);
  const rms = c.f32(),
    count = Math.min(10, Math.max(0, c.i32()));
  const labels = Array.from({ length: count }, () => c.text(80).trimEnd());
  return {
    nx,
    ny,
    nz,
    mode,
    start,
    grid,
    cell,
    cellAnglesDeg,
    axes,
    min,
    max,
    mean,
    rms,
    spaceGroup,
    extendedBytes,
    extendedType,
    version,
    origin,
    labels,
    littleEndian,
  };
}

const plausible = (h: MrcHeader): boolean =>
  h.nx > 0 &&
  h.ny > 0 &&
  h.nz > 0 &&
  h.nx < 1 << 24 &&
  h.ny < 1 << 24 &&
  (h.mode in modes || h.mode === 3 || h.mode === 101) &&
  h.extendedBytes >= 0;

/** Header in the byte order that makes sense; the machine stamp decides where both do. @throws bad-file */
export function parseMrcHeader(bytes: Uint8Array): MrcHeader {
  const little = parseHeader(bytes, true),
    big = parseHeader(bytes, false);
  const stampBig = bytes[212] === 0x11 && bytes[213] === 0x11;
  const order = stampBig ? [big, little] : [little, big];
  return (
    order.find(plausible) ??
    fail(
      "bad-file",
      { nx: little.nx, ny: little.ny, nz: little.nz, mode: little.mode },
      "no MRC header: sizes must be positive and the mode one of 0 1 2 3 4 6 12; damaged, or another format",
    )
  );
}

async function sidecar(source: ByteSource, suffix: string): Promise<string | undefined> {
  // 20241021_00405_movie.mrc has 20241021_00405_info.txt beside it.
  const stem = /^(.*)_[^_]*\.mrc$/i.exec(source.name ?? "")?.[1];
  const side = stem === undefined ? undefined : await source.sibling?.(`${stem}_${suffix}`);
  if (!side || side.size > 1 << 24) return undefined;
  const text = new TextDecoder().decode(await side.read(0, side.size));
  await side.close?.();
  return text;
}

/** Stored type, and how mode 3 (pairs of i16) and 101 (4 bits) differ from a plain stack. */
function storedType(h: MrcHeader, c: Cursor, unsignedBytes: boolean | undefined): NumberType {
  if (h.mode !== 0) return modes[h.mode] ?? fail("unsupported", { mode: h.mode }, "MRC modes read: 0 1 2 3 4 6 12");
  if (unsignedBytes !== undefined) return unsignedBytes ? "u8" : "i8";
  c.seek(152);
  const imod = c.i32() === IMOD;
  return imod && (c.i32() & 1) === 0 ? "u8" : "i8";
}

/**
 * Sections of an MRC, CCP4 or MRC-stack file, modes 0 1 2 3 4 6 12, either byte order, with the extended headers of FEI (FEI1, FEI2 and the
 * older unnamed ones), SerialEM and Agard, and the files beside Direct Electron movies. Rows come in file order; complex modes read as moduli.
 * @throws bad-file, unsupported (mode 101), too-large
 */
export async function mrcFrames(
  input: ByteInput,
  { maxBytes, unsignedBytes, info, scanCoordinates }: MrcOptions = {},
): Promise<FrameSource> {
  const source = toSource(input);
  const bytes = await readUpTo(source, 0, 1024);
  if (bytes.length < 1024) fail("bad-file", { size: source.size }, "an MRC file has a header of 1024 bytes: truncated, or another format");
  const h = parseMrcHeader(bytes);
  const warnings: string[] = [];
  const c = cursor(bytes, { littleEndian: h.littleEndian });
  c.seek(128);
  const counts = [c.i16(), c.i16()] as const;
  const extendedSize = declaredSizeCheck("the extended header", [h.extendedBytes], { available: source.size - 1024, maxBytes });
  const extended: MrcExtended | undefined = mrcExtended(await source.read(1024, extendedSize), h.extendedType, counts, h.littleEndian);
  if (h.axes.join() !== "1,2,3" && h.axes.join() !== "0,0,0")
    warnings.push(`axes of the map are ordered ${h.axes.join(" ")} (1 x, 2 y, 3 z); frames are the sections as they lie in the file`);
  const infoText = info ?? (await sidecar(source, "info.txt")),
    scanText = scanCoordinates ?? (await sidecar(source, "scan_coordinates.csv"));
  const de = infoText === undefined ? undefined : parseDeInfo(infoText);
  const facts: FrameFacts = { ...sampling(h), ...(de ? deFacts(de) : {}), ...extendedFacts(extended?.record(0)) };
  const scanShape = de ? deScanShape(de, h.nz) : undefined;
  const all: FrameFacts = scanShape ? { ...facts, scanShape } : facts;
  const metadata = {
    ...h,
    ...(extended ? { extended: { kind: extended.kind, records: extended.records, ...extended.record(0) } } : {}),
    ...(de ? { directElectron: de } : {}),
    ...(scanText === undefined ? {} : { scanCoordinates: parseScanCoordinates(scanText) }),
  };
  const shape = [h.nz, h.ny, h.nx] as const;
  const offset = 1024 + extendedSize;
  const rest = {
    format: "mrc",
    metadata,
    facts: all,
    warnings,
    maxBytes,
    ...(extended && extended.records > 0
      ? {
          frame: async (i: number) => {
            checkFrame(i, h.nz);
            const record = extended.record(i);
            return { metadata: record ?? {}, facts: { ...all, ...extendedFacts(record) } };
          },
        }
      : {}),
  };
  if (h.mode === 3) return shortPairs(source, shape, offset, h.littleEndian, rest);
  const dtype = storedType(h, c, unsignedBytes);
  const left = source.size - offset - h.nx * h.ny * h.nz * bytesPer(dtype);
  if (left > 0) warnings.push(`${left} bytes after the last section are not read`);
  return stackFrames(source, { shape, dtype, littleEndian: h.littleEndian, offset }, rest);
}

/** Å per pixel from the cell, where it is stated and square. */
function sampling(h: MrcHeader): FrameFacts {
  const x = h.cell[0] / (h.grid[0] || h.nx);
  return Number.isFinite(x) && x > 0 && h.cell[0] !== h.nx ? { pixelAngstrom: x } : {};
}

/** Mode 3: moduli of complex values of two 16-bit integers. */
function shortPairs(
  source: ByteSource,
  [n, ny, nx]: readonly [number, number, number],
  offset: number,
  littleEndian: boolean,
  rest: Partial<FrameSource> & { format: string } & SizeLimit,
): FrameSource {
  const pairs = stackFrames(source, { shape: [n, ny, 2 * nx], dtype: "i16", littleEndian, offset }, rest);
  return {
    ...pairs,
    shape: [n, ny, nx],
    read: async (i, signal) => {
      const { data } = await pairs.read(i, signal);
      const out = new Float32Array(ny * nx);
      for (let k = 0; k < out.length; k++) out[k] = Math.hypot(data[2 * k]!, data[2 * k + 1]!);
      return { data: out, shape: [ny, nx] };
    },
  };
}

/** Options of {@link writeMrc}. */
export interface MrcWriteOptions {
  /** Å per pixel along x, y, z; default 1. */
  readonly pixelAngstrom?: readonly [x: number, y: number, z: number];
  /** True for a volume (space group 1); a stack of images has 0. */
  readonly volume?: boolean;
  /** `data` holds interleaved (re, im) pairs of f32 (mode 4). */
  readonly complex?: boolean;
  /** Up to ten texts of at most 80 characters. */
  readonly labels?: readonly string[];
  /** Extended header and its four letters. */
  readonly extended?: { readonly type: string; readonly bytes: Uint8Array };
}

/**
 * Write a stack or a volume [nz, ny, nx] as MRC2014, little-endian: i8 (mode 0), i16 (1), f32 (2), complex f32 (4), u16 (6).
 * @throws bad-shape, unsupported for other types
 */
export function writeMrc(
  data: TypedArray,
  shape: readonly [nz: number, ny: number, nx: number],
  options: MrcWriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const { pixelAngstrom = [1, 1, 1], volume = false, complex = false, labels = [], extended } = options;
  const [nz, ny, nx] = shape;
  if (data.length !== nz * ny * nx * (complex ? 2 : 1) || data.length === 0)
    fail("bad-shape", { length: data.length, shape, complex }, "data must hold nz·ny·nx values, at least one (complex values count twice)");
  const mode = complex
    ? data instanceof Float32Array
      ? 4
      : -1
    : data instanceof Int8Array
      ? 0
      : data instanceof Int16Array
        ? 1
        : data instanceof Float32Array
          ? 2
          : data instanceof Uint16Array
            ? 6
            : -1;
  if (mode < 0)
    fail(
      "unsupported",
      { type: data.constructor.name, complex },
      "MRC holds i8, i16, u16 and f32, and complex f32; convert first (u8 fits i16)",
    );
  let min = Number.POSITIVE_INFINITY,
    max = Number.NEGATIVE_INFINITY,
    sum = 0,
    squares = 0;
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (v < min) min = v;
    if (v > max) max = v;
    sum += v;
    squares += v * v;
  }
  const mean = sum / data.length;
  const ext = extended?.bytes ?? new Uint8Array(0);
  const body = littleEndianBytes(data);
  const out = new Uint8Array(1024 + ext.length + body.length),
    view = new DataView(out.buffer);
  const i32 = (at: number, ...v: number[]): void => {
    for (const [k, x] of v.entries()) view.setInt32(at + 4 * k, x, true);
  };
  const f32 = (at: number, ...v: number[]): void => {
    for (const [k, x] of v.entries()) view.setFloat32(at + 4 * k, x, true);
  };
  i32(0, nx, ny, nz, mode);
  i32(28, nx, ny, volume ? nz : 1);
  f32(40, nx * pixelAngstrom[0], ny * pixelAngstrom[1], (volume ? nz : 1) * pixelAngstrom[2], 90, 90, 90);
  i32(64, 1, 2, 3);
  if (!complex) f32(76, min, max, mean);
  i32(88, volume ? 1 : 0, ext.length);
  if (extended) out.set(fromLatin1(extended.type.padEnd(4).slice(0, 4)), 104);
  i32(108, 20141);
  out.set(fromLatin1("MAP "), 208);
  out.set([0x44, 0x44, 0, 0], 212);
  f32(216, complex ? -1 : Math.sqrt(Math.max(0, squares / data.length - mean * mean)));
  i32(220, Math.min(10, labels.length));
  for (const [k, label] of labels.slice(0, 10).entries()) out.set(fromLatin1(label.slice(0, 80).padEnd(80)), 224 + 80 * k);
  out.set(ext, 1024);
  out.set(body, 1024 + ext.length);
  return out;
}
