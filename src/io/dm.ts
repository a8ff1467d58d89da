import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { bytesPer, type NumberType } from "./bytes-numbers.js";
import { type DmArray, type DmGroup, dmTag, isDmArray, isDmGroup, readDmTags } from "./dm-tags.js";
import type { FrameFacts, FrameSource } from "./frames.js";
import { stackFrames } from "./raw.js";
import { type ByteInput, type SizeLimit, toSource } from "./source.js";

/** One axis of a DM image: value = (index − origin) · scale, in `units` as the file writes them. */
export interface DmAxis {
  readonly size: number;
  readonly origin: number;
  readonly scale: number;
  readonly units: string;
}

/** One image of a DM file. */
export interface DmImage {
  readonly name: string;
  /** Type of a stored value. "c64" and "c128" are complex; RGB images are "u8" with four values a pixel. */
  readonly dtype: NumberType;
  /** Values of a pixel: 1, or 4 (red, green, blue, alpha). */
  readonly channels: 1 | 4;
  /** Fastest axis last. A packed Fourier transform of a real image has nx/2 + 1 columns. */
  readonly shape: readonly number[];
  /** In the order of `shape`. */
  readonly axes: readonly DmAxis[];
  readonly data: DmArray;
  /** Group `ImageTags`: microscope, acquisition, … */
  readonly tags: DmGroup;
}

export interface DmFile {
  readonly version: 3 | 4;
  readonly tags: DmGroup;
  /** Thumbnails left out. */
  readonly images: readonly DmImage[];
}

/** DataType codes of ImageData. 5, 27 and 28 are Fourier transforms of real images, stored as half of the plane. */
const types: Readonly<Record<number, NumberType>> = {
  1: "i16",
  2: "f32",
  3: "c64",
  5: "c64",
  6: "u8",
  7: "i32",
  8: "u8",
  9: "i8",
  10: "u16",
  11: "u32",
  12: "f64",
  13: "c128",
  14: "bool",
  23: "u8",
  27: "c64",
  28: "c128",
  39: "i64",
  40: "u64",
};

const number = (group: DmGroup, ...path: string[]): number | undefined => {
  const v = dmTag(group, path);
  return typeof v === "number" ? v : undefined;
};
const text = (group: DmGroup, ...path: string[]): string => {
  const v = dmTag(group, path);
  return typeof v === "string" ? v.replace(/\0+$/, "") : "";
};
const members = (group: DmGroup, ...path: string[]): DmGroup[] => {
  const v = dmTag(group, path);
  return isDmGroup(v) ? Object.values(v).filter(isDmGroup) : [];
};

function dmImage(entry: DmGroup, warn: (text: string) => void): DmImage | undefined {
  const data = dmTag(entry, ["ImageData", "Data"]),
    dims = dmTag(entry, ["ImageData", "Dimensions"]),
    code = number(entry, "ImageData", "DataType") ?? -1;
  if (!isDmArray(data) || !isDmGroup(dims)) return undefined;
  const sizes = Object.values(dims).filter((d): d is number => typeof d === "number");
  const dtype = types[code],
    channels = code === 8 || code === 23 ? 4 : 1,
    name = text(entry, "Name");
  if (dtype === undefined || sizes.length === 0 || sizes.some((s) => !(s >= 1))) {
    warn(`image "${name}" left out: data type ${code}, dimensions ${sizes.join(" ")}`);
    return undefined;
  }
  const stored = data.length * data.fields * bytesPer(data.type),
    pixels = sizes.reduce((a, b) => a * b, 1);
  const halved = [Math.floor(sizes[0]! / 2) + 1, ...sizes.slice(1)],
    perPixel = bytesPer(dtype) * channels;
  const packed = (code === 5 || code >= 27) && stored !== pixels * perPixel && stored === halved.reduce((a, b) => a * b, 1) * perPixel;
  if (packed) warn(`image "${name}" is half of a Fourier transform: ${halved[0]} of ${sizes[0]} columns are stored`);
  else if (stored < pixels * perPixel) {
    warn(`image "${name}" left out: ${stored} bytes for ${sizes.join(" × ")} pixels of ${perPixel}`);
    return undefined;
  }
  const calibrations = members(entry, "ImageData", "Calibrations", "Dimension"),
    imageTags = dmTag(entry, ["ImageTags"]);
  const axes = (packed ? halved : sizes).map((size, i): DmAxis => {
    const c = calibrations[i] ?? {};
    return { size, origin: number(c, "Origin") ?? 0, scale: number(c, "Scale") ?? 1, units: text(c, "Units") };
  });
  return {
    name,
    dtype,
    channels,
    shape: axes.map((a) => a.size).reverse(),
    axes: axes.reverse(),
    data,
    tags: isDmGroup(imageTags) ? imageTags : {},
  };
}

/**
 * Images and tags of a DM3 or DM4 file; pixels stay in the file (`dmFrames` reads them).
 * @throws bad-file
 */
export async function readDm(input: ByteInput): Promise<{ value: DmFile; warnings: readonly string[] }> {
  const { version, tags } = await readDmTags(toSource(input)),
    warnings: string[] = [];
  const entries = members(tags, "ImageList");
  const thumbnails = new Set(members(tags, "Thumbnails").map((t) => number(t, "ImageIndex")));
  // Files without a thumbnail list show a picture of the screen (RGB) before the data.
  const isThumbnail = (e: DmGroup, i: number): boolean =>
    entries.length > 1 && (thumbnails.size > 0 ? thumbnails.has(i) : i === 0 && number(e, "ImageData", "DataType") === 23);
  const images = entries.flatMap((e, i) => (isThumbnail(e, i) ? [] : (dmImage(e, (w) => warnings.push(w)) ?? [])));
  return { value: { version, tags, images }, warnings };
}

/** Å per unit of length and Å⁻¹ per reciprocal unit, as DM writes units. */
const lengths: Readonly<Record<string, number>> = { Å: 1, A: 1, nm: 10, pm: 0.01, µm: 1e4, um: 1e4, μm: 1e4 };
const reciprocals: Readonly<Record<string, number>> = {
  "1/nm": 0.1,
  "nm^-1": 0.1,
  "1/Å": 1,
  "1/A": 1,
  "Å^-1": 1,
  "1/µm": 1e-4,
  "1/pm": 100,
};

function dmFacts({ axes, tags }: DmImage): FrameFacts {
  const x = axes[axes.length - 1]!,
    info = "Microscope Info",
    out: Record<string, number | readonly number[]> = {};
  const volts = number(tags, info, "Voltage"),
    alpha = number(tags, info, "Stage Position", "Stage Alpha");
  const exposure = number(tags, "Acquisition", "Parameters", "High Level", "Exposure (s)") ?? number(tags, "DataBar", "Exposure Time (s)");
  const saturation = number(tags, "Acquisition", "Frame", "Intensity", "Range", "Maximum Value (counts)");
  const pixelUm = dmTag(tags, ["Acquisition", "Frame", "CCD", "Pixel Size (um)"]);
  if (volts !== undefined && volts > 0) out.voltageKv = volts / 1000;
  if (alpha !== undefined) out.tiltDeg = alpha;
  if (exposure !== undefined) out.exposureS = exposure;
  if (saturation !== undefined) out.saturation = saturation;
  if (Array.isArray(pixelUm) && pixelUm.length === 2) out.pixelMm = pixelUm.map((v: number) => v / 1000);
  if (lengths[x.units] !== undefined) out.pixelAngstrom = x.scale * lengths[x.units]!;
  if (reciprocals[x.units] !== undefined) out.reciprocalPixel = x.scale * reciprocals[x.units]!;
  return out as FrameFacts;
}

/** Luminance of red, green, blue, alpha quadruples (ITU-R BT.601). */
function luminance(data: TypedArray): Float32Array {
  return Float32Array.from(
    { length: data.length / 4 },
    (_, i) => 0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!,
  );
}

/**
 * The frames of one image of a DM file: the two fastest axes are a frame, the others are counted through in order.
 * @param options.image - which image of the file, from 0; default the largest
 * @throws bad-file when the file holds no image, out-of-range for an image that is not there
 */
export async function dmFrames(input: ByteInput, { image, maxBytes }: { image?: number } & SizeLimit = {}): Promise<FrameSource> {
  const source = toSource(input),
    { value, warnings } = await readDm(source);
  const size = (m: DmImage): number => m.shape.reduce((a, b) => a * b, bytesPer(m.dtype));
  const chosen =
    image === undefined
      ? value.images.reduce<DmImage | undefined>((a, b) => (a && size(a) >= size(b) ? a : b), undefined)
      : value.images[image];
  if (chosen === undefined)
    return image === undefined
      ? fail("bad-file", { name: source.name, images: 0 }, "the DM file holds no image that can be read")
      : fail("out-of-range", { image, images: value.images.length }, "images are counted from 0");
  const s = chosen.shape,
    nx = s[s.length - 1]!,
    ny = s.length > 1 ? s[s.length - 2]! : 1,
    n = s.slice(0, -2).reduce((a, b) => a * b, 1);
  const facts = dmFacts(chosen),
    scan = s.length === 4 ? { scanShape: [s[0]!, s[1]!] as const } : {};
  return stackFrames(
    source,
    { shape: [n, ny, nx * chosen.channels], dtype: chosen.dtype, littleEndian: chosen.data.littleEndian, offset: chosen.data.offset },
    {
      format: `dm${value.version}`,
      metadata: { name: chosen.name, shape: s, axes: chosen.axes, tags: chosen.tags },
      facts: { ...facts, ...scan },
      warnings,
      maxBytes,
      ...(chosen.channels === 4
        ? { after: (f: Image<TypedArray>): Image<TypedArray> => ({ data: luminance(f.data), shape: [ny, nx] }) }
        : {}),
    },
  );
}
