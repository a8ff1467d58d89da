import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { cursor, declaredSizeCheck } from "./bytes.js";
import { bytesPer, decodeNumbers, moduli, type NumberType } from "./bytes-numbers.js";
import { type Emi, parseEmi } from "./emi.js";
import { checkFrame, type FrameFacts, type FrameSource } from "./frames.js";
import { type ByteInput, type ByteSource, DEFAULT_MAX_BYTES, readAll, readUpTo, type SizeLimit, toSource } from "./source.js";

/** Calibration of one axis: value(element) = offset, step delta; metres, or 1/m in reciprocal space. */
export interface SerAxis {
  readonly offset: number;
  readonly delta: number;
  readonly element: number;
}
/** A dimension of the series: its length, calibration, description and unit as written. */
export interface SerDimension extends SerAxis {
  readonly size: number;
  readonly description: string;
  readonly unit: string;
}
export interface SerHeader {
  /** 0x210 with 32-bit offsets, 0x220 with 64-bit offsets. */
  readonly version: number;
  /** Spectra are read as frames of one row. */
  readonly kind: "spectra" | "images";
  readonly total: number;
  /** Elements that were really recorded. */
  readonly valid: number;
  readonly dimensions: readonly SerDimension[];
  /** Byte of each recorded element and of its tag. */
  readonly offsets: readonly number[];
  readonly tagOffsets: readonly number[];
}

const types: Readonly<Record<number, NumberType>> = {
  1: "u8",
  2: "u16",
  3: "u32",
  4: "i8",
  5: "i16",
  6: "i32",
  7: "f32",
  8: "f64",
  9: "c64",
  10: "c128",
};

/** Header and offset table of a TIA series file. @throws bad-file */
export async function readSerHeader(input: ByteInput): Promise<SerHeader> {
  const source = toSource(input),
    c = cursor(await readUpTo(source, 0, 1 << 16), { name: source.name });
  if (c.u16() !== 0x4949 || c.u16() !== 0x0197) fail("bad-file", { name: source.name }, "a SER file starts with the bytes 49 49 97 01");
  const version = c.u16(),
    wide = version >= 0x220,
    type = c.u32();
  if (type !== 0x4120 && type !== 0x4122)
    fail("bad-file", { type, name: source.name }, "a SER file holds spectra (0x4120) or images (0x4122)");
  c.skip(4);
  const total = c.u32(),
    valid = c.u32(),
    table = wide ? c.u64() : c.u32(),
    count = c.u32();
  if (valid > total || count > 8)
    fail("bad-file", { total, valid, dimensions: count, name: source.name }, "the SER header contradicts itself: it is damaged");
  const dimensions: SerDimension[] = [];
  for (let i = 0; i < count; i++) {
    const size = c.u32(),
      offset = c.f64(),
      delta = c.f64(),
      element = c.u32(),
      description = c.text(c.u32()),
      unit = c.text(c.u32());
    dimensions.push({ size, offset, delta, element, description, unit });
  }
  const bytes = declaredSizeCheck("the offset table", [total, wide ? 16 : 8], { available: Math.max(0, source.size - table) });
  const t = cursor(await source.read(table, bytes), { name: source.name }),
    next = (): number => (wide ? t.u64() : t.u32());
  const offsets = Array.from({ length: total }, next).slice(0, valid),
    tagOffsets = Array.from({ length: total }, next).slice(0, valid);
  return { version, kind: type === 0x4122 ? "images" : "spectra", total, valid, dimensions, offsets, tagOffsets };
}

/** Calibrations, type, size and first pixel of one element. */
async function element(
  source: ByteSource,
  at: number,
  kind: SerHeader["kind"],
): Promise<{ axes: readonly SerAxis[]; dtype: NumberType; ny: number; nx: number; data: number }> {
  const c = cursor(await readUpTo(source, at, 64), { name: source.name });
  const axis = (): SerAxis => ({ offset: c.f64(), delta: c.f64(), element: c.i32() });
  const axes = kind === "images" ? [axis(), axis()] : [axis()],
    code = c.u16(),
    dtype = types[code];
  if (dtype === undefined)
    return fail(
      "bad-file",
      { type: code, offset: at, name: source.name },
      "unknown type of the values of a SER element: the file is damaged",
    );
  const nx = c.i32(),
    ny = kind === "images" ? c.i32() : 1;
  return { axes, dtype, ny, nx, data: at + c.offset };
}

/** The rows in reverse order, in place. */
function flipRows(data: TypedArray, ny: number, nx: number): TypedArray {
  for (let y = 0; y < ny >> 1; y++) {
    const top = data.slice(y * nx, (y + 1) * nx),
      mirror = (ny - 1 - y) * nx;
    data.copyWithin(y * nx, mirror, mirror + nx);
    data.set(top, mirror);
  }
  return data;
}

/** The `.emi` beside a series: `name_1.ser` belongs to `name.emi`. */
async function companion(source: ByteSource): Promise<Emi | undefined> {
  const name = source.name?.replace(/^.*[\\/]/, "").replace(/_\d+\.ser$/i, ".emi");
  if (name === undefined || name === source.name) return undefined;
  const file = await source.sibling?.(name);
  return file && parseEmi(await readAll(file)).value;
}

/**
 * Frames of a TIA series (`.ser`); conditions come from the `.emi` beside it where it can be found. The file stores the
 * bottom row first; frames have the top row first, as TIA shows them.
 * @throws bad-file, too-large; unsupported when elements differ in shape
 */
export async function serFrames(input: ByteInput, { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {}): Promise<FrameSource> {
  const source = toSource(input),
    header = await readSerHeader(source),
    warnings: string[] = [];
  if (header.valid === 0) fail("bad-file", { total: header.total, name: source.name }, "the series holds no recorded element");
  if (header.valid < header.total) warnings.push(`${header.valid} of ${header.total} elements were recorded`);
  const first = await element(source, header.offsets[0]!, header.kind),
    { ny, nx, dtype } = first;
  if (ny < 1 || nx < 1) fail("bad-file", { nx, ny, name: source.name }, "the first element declares no pixels: the file is damaged");
  const bytes = declaredSizeCheck("a frame", [ny, nx, bytesPer(dtype)], { available: source.size - first.data, maxBytes });
  const emi = await companion(source),
    perPixel = Math.abs(first.axes[0]!.delta);
  // TIA writes metres in images and 1/m in diffraction; a pixel is never larger than a metre, nor 1/m that small.
  const sampling: FrameFacts =
    header.kind !== "images" ? {} : perPixel < 1 ? { pixelAngstrom: perPixel * 1e10 } : { reciprocalPixel: perPixel * 1e-10 };
  return {
    format: "ser",
    shape: [header.valid, ny, nx],
    dtype,
    metadata: { ...header, axes: first.axes, ...(emi ? { emi } : {}) },
    facts: { ...sampling, ...emi?.facts },
    warnings,
    close: async () => source.close?.(),
    read: async (i, signal) => {
      checkFrame(i, header.valid);
      const e = await element(source, header.offsets[i]!, header.kind);
      if (e.ny !== ny || e.nx !== nx || e.dtype !== dtype)
        fail(
          "unsupported",
          { frame: i, shape: [e.ny, e.nx], first: [ny, nx] },
          "the elements of this series differ in shape; read them one by one as separate series",
        );
      const values = decodeNumbers(await source.read(e.data, bytes, signal), dtype);
      return { data: flipRows(dtype === "c64" || dtype === "c128" ? moduli(values as Float32Array) : values, ny, nx), shape: [ny, nx] };
    },
  };
}
