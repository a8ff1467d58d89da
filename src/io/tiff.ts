import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { declaredSizeCheck } from "./bytes.js";
import { bytesPer, decodeNumbers, moduli, type NumberType } from "./bytes-numbers.js";
import { checkFrame, type FrameFacts, type FrameSource, type Metadata } from "./frames.js";
import { headerNumber, voltageInKv, wavelengthInAngstrom } from "./frames-units.js";
import { type ByteInput, type ByteSource, DEFAULT_MAX_BYTES, type SizeLimit, toSource } from "./source.js";
import { decompress, undoPredictor } from "./tiff-codecs.js";
import { type TiffDirectory, type TiffFile, tiffDirectories } from "./tiff-ifd.js";
import { parseHeaderYaml, type YamlValue } from "./tiff-yaml.js";

/** Tags that are read. */
const T = {
  subfile: 254,
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  description: 270,
  stripOffsets: 273,
  samples: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  planar: 284,
  software: 305,
  dateTime: 306,
  predictor: 317,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  format: 339,
  jpegTables: 347,
  lerc: 50674,
} as const;

/** Shape and storage of a page. */
interface Page {
  readonly fields: TiffDirectory;
  readonly nx: number;
  readonly ny: number;
  readonly samples: number;
  readonly dtype: NumberType;
  readonly planar: number;
}

const dtypes: Readonly<Record<string, NumberType>> = {
  "1 8": "u8",
  "1 16": "u16",
  "1 32": "u32",
  "1 64": "u64",
  "2 8": "i8",
  "2 16": "i16",
  "2 32": "i32",
  "2 64": "i64",
  "3 16": "f16",
  "3 32": "f32",
  "3 64": "f64",
  "6 64": "c64",
  "6 128": "c128",
};

async function describePage(file: TiffFile, fields: TiffDirectory): Promise<Page> {
  const n = (tag: number, fallback: number): Promise<number> => file.number(fields, tag, fallback);
  const [nx, ny, bits, samples, format, planar] = [
    await n(T.width, 0),
    await n(T.height, 0),
    await n(T.bits, 1),
    await n(T.samples, 1),
    await n(T.format, 1),
    await n(T.planar, 1),
  ];
  if (!(nx > 0 && ny > 0 && Number.isInteger(nx) && Number.isInteger(ny)))
    fail("bad-file", { nx, ny }, "a page of this TIFF has no width or height: damaged file");
  if (!(samples >= 1 && samples <= 64))
    fail("bad-file", { samples }, "a page of this TIFF has no sensible number of samples per pixel: damaged file");
  // Format 4 is "undefined"; writers that use it mean unsigned integers.
  const dtype = dtypes[`${format === 4 ? 1 : format} ${bits}`];
  if (!dtype)
    fail(
      "unsupported",
      { bitsPerSample: bits, sampleFormat: format },
      "TIFF pixels read: integers and floats of 8, 16, 32 and 64 bits, complex floats; convert the image",
    );
  return { fields, nx, ny, samples, dtype: dtype!, planar };
}

/** Pixels of a page, all samples, as they are stored. */
async function readPage(source: ByteSource, file: TiffFile, page: Page, maxBytes: number, signal?: AbortSignal): Promise<TypedArray> {
  const { fields, nx, ny, dtype } = page;
  const numbers = (tag: number): Promise<readonly number[] | undefined> => file.numbers(fields, tag);
  const bytes = bytesPer(dtype);
  // Separate planes: only the first is read.
  const samples = page.planar === 2 ? 1 : page.samples;
  const size = declaredSizeCheck("a TIFF page", [ny, nx, samples, bytes], { maxBytes });
  const tiled = fields.has(T.tileOffsets);
  const offsets = await numbers(tiled ? T.tileOffsets : T.stripOffsets),
    counts = await numbers(tiled ? T.tileBytes : T.stripBytes);
  const compression = await file.number(fields, T.compression, 1),
    predictor = compression === 1 ? 1 : await file.number(fields, T.predictor, 1);
  if (!offsets) return fail("bad-file", {}, "a page of this TIFF says nowhere where its pixels are: damaged file");
  const bw = tiled ? await file.number(fields, T.tileWidth, 0) : nx,
    bh = tiled ? await file.number(fields, T.tileHeight, 0) : Math.min(ny, await file.number(fields, T.rowsPerStrip, ny));
  if (!(bw >= 1 && bh >= 1)) fail("bad-file", { bw, bh }, "strips or tiles of this TIFF have no size: damaged file");
  const across = Math.ceil(nx / bw),
    down = Math.ceil(ny / bh);
  const blockBytes = declaredSizeCheck("a TIFF strip or tile", [bh, bw, samples, bytes], { maxBytes });
  if (offsets.length < across * down)
    fail(
      "bad-file",
      { blocks: offsets.length, needed: across * down },
      "this TIFF lists fewer strips or tiles than its size needs: damaged file",
    );
  const jpegTables = compression === 7 ? await numbers(T.jpegTables) : undefined,
    lercParameters = compression === 34887 ? await numbers(T.lerc) : undefined;
  // Uncompressed strips one after the other, as nearly all detector software writes them: one read.
  if (compression === 1 && !tiled && offsets[0]! > 0 && offsets.every((o, k) => o === offsets[0]! + k * bh * nx * samples * bytes))
    return decodeNumbers(await source.read(offsets[0]!, size, signal), dtype, file.littleEndian);
  const raw = new Uint8Array(size);
  const pixel = samples * bytes,
    row = nx * pixel;
  for (let b = 0; b < across * down; b++) {
    const x0 = (b % across) * bw,
      y0 = Math.floor(b / across) * bh;
    const w = Math.min(bw, nx - x0),
      h = Math.min(bh, ny - y0);
    const want = tiled ? blockBytes : h * row;
    const at = offsets[b]!;
    // Some writers of single strips leave the byte count out or wrong; uncompressed it is known.
    const count =
      compression === 1
        ? want
        : (counts?.[b] ?? fail("bad-file", { block: b }, "this compressed TIFF does not say how long its strips are: damaged file"));
    if (at === 0 && (counts?.[b] ?? 0) === 0) continue; // a block that was never written is zero
    let block = await source.read(at, count, signal);
    if (compression !== 1)
      block = await decompress(block, {
        compression,
        size: want,
        width: bw,
        height: tiled ? bh : h,
        bitsPerSample: bytes * 8,
        samples,
        jpegTables,
        lercParameters,
      });
    if (predictor !== 1) {
      block = block.slice();
      undoPredictor(block, predictor, bw, samples, bytes, file.littleEndian);
    }
    if (w === nx && bw === nx) raw.set(block.subarray(0, h * row), y0 * row);
    else for (let y = 0; y < h; y++) raw.set(block.subarray(y * bw * pixel, (y * bw + w) * pixel), (y0 + y) * row + x0 * pixel);
  }
  return decodeNumbers(raw, dtype, file.littleEndian);
}

/** One value a pixel: complex as moduli, colours as their mean, further channels dropped. */
function toGray(data: TypedArray, page: Page): TypedArray {
  if (page.dtype === "c64" || page.dtype === "c128") return moduli(data as Float32Array);
  const s = page.planar === 2 ? 1 : page.samples;
  if (s === 1) return data;
  const out = s >= 3 ? new Float32Array(page.nx * page.ny) : (data.slice(0, page.nx * page.ny) as TypedArray);
  for (let i = 0; i < out.length; i++) out[i] = s >= 3 ? (data[i * s]! + data[i * s + 1]! + data[i * s + 2]!) / 3 : data[i * s]!;
  return out;
}

/** Fields and facts of an ImageDescription. */
function readDescription(text: string | undefined, warn: (t: string) => void): { metadata: Metadata; facts: FrameFacts } {
  if (text === undefined) return { metadata: {}, facts: {} };
  const yaml = /^(Image|[A-Za-z_]\w*:\s)/m.test(text) ? parseHeaderYaml(text) : {};
  const exposureS = headerNumber(yaml.ImageExposureTime);
  // instamatic states the centre as (row, column).
  const centre = yaml.beam_center as YamlValue;
  const pair =
    Array.isArray(centre) && centre.length === 2 && centre.every((v) => typeof v === "number") ? (centre as number[]) : undefined;
  const wavelength = headerNumber(yaml.Wavelength ?? yaml.wavelength),
    voltage = headerNumber(yaml.HighTension ?? yaml.Voltage);
  return {
    metadata: { description: text, ...yaml },
    facts: {
      ...(exposureS === undefined ? {} : { exposureS }),
      ...(pair ? { beamCentre: [pair[1]!, pair[0]!] as const } : {}),
      ...(wavelength === undefined ? {} : { wavelength: wavelengthInAngstrom(wavelength, warn) }),
      ...(voltage === undefined ? {} : { voltageKv: voltageInKv(voltage, warn) }),
    },
  };
}

/**
 * Frames of a TIFF file: classic and Big, either byte order, strips or tiles, 8- to 64-bit integers and floats, uncompressed, LZW, deflate,
 * PackBits, and by geotiff JPEG, LERC, zstd and WebP. Pages of one shape and type make the stack; thumbnails and other pages are left out
 * with a warning. Colours read as the mean of R, G and B. The YAML header of instamatic is parsed into metadata and facts.
 * @throws bad-file, unsupported, too-large
 */
export async function tiffFrames(input: ByteInput, { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {}): Promise<FrameSource> {
  const source = toSource(input);
  const file = await tiffDirectories(source);
  const warnings: string[] = [];
  if (file.broken) warnings.push(file.broken);
  // Pages of one shape and type make a stack; grey ones go before colour pictures, which are previews, then the larger group.
  const groups = new Map<string, Page[]>();
  let reason: unknown;
  for (const fields of file.pages) {
    try {
      const page = await describePage(file, fields);
      const reduced = ((await file.number(fields, T.subfile, 0)) & 1) === 1;
      const kind = [page.samples > 1, reduced, page.nx, page.ny, page.dtype, page.samples].join();
      const group = groups.get(kind);
      if (group) group.push(page);
      else groups.set(kind, [page]);
    } catch (e) {
      reason ??= e;
    }
  }
  const rank = ([kind]: readonly [string, Page[]]): number => (kind.startsWith("true") ? 2 : 0) + (kind.split(",")[1] === "true" ? 1 : 0);
  const pages = [...groups].sort((a, b) => rank(a) - rank(b) || b[1].length - a[1].length)[0]?.[1];
  if (!pages) throw reason ?? new Error("unreachable: a TIFF has at least one page");
  const first = pages[0]!,
    left = file.pages.length - pages.length;
  if (left > 0) warnings.push(`${left} of ${file.pages.length} pages are thumbnails or have another shape or type; they are left out`);
  if (first.samples > 1)
    warnings.push(
      `${first.samples} samples per pixel: ${first.planar === 2 || first.samples === 2 ? "the first is read" : "the mean of the first three is read"}`,
    );
  declaredSizeCheck("a TIFF page", [first.ny, first.nx, first.samples, bytesPer(first.dtype)], { maxBytes });
  const head = async (p: Page): Promise<{ metadata: Metadata; facts: FrameFacts }> => {
    const { metadata, facts } = readDescription(await file.text(p.fields, T.description), (t) => warnings.push(t));
    const software = await file.text(p.fields, T.software),
      dateTime = await file.text(p.fields, T.dateTime);
    return {
      metadata: { ...metadata, ...(software ? { software } : {}), ...(dateTime ? { dateTime } : {}) },
      facts: { ...facts, ...(dateTime ? { time: dateTime } : {}) },
    };
  };
  const { metadata, facts } = await head(first);
  const plane = await imageJPlanes(file, first, metadata, source.size);
  const n = plane?.n ?? pages.length;
  return {
    format: "tiff",
    shape: [n, first.ny, first.nx],
    dtype: first.dtype,
    metadata,
    facts,
    warnings,
    read: async (i, signal) => {
      checkFrame(i, n);
      signal?.throwIfAborted();
      const page = plane ? first : pages[i]!;
      const shape = [page.ny, page.nx] as const;
      if (plane)
        return {
          data: decodeNumbers(await source.read(plane.offset + i * plane.bytes, plane.bytes, signal), page.dtype, file.littleEndian),
          shape,
        };
      return { data: toGray(await readPage(source, file, page, maxBytes, signal), page), shape } satisfies Image<TypedArray>;
    },
    frame: async (i) => {
      checkFrame(i, n);
      return head(plane ? first : pages[i]!);
    },
    close: async () => source.close?.(),
  };
}

/** ImageJ writes stacks above 4 GB as one page and `images=N` planes after each other. */
async function imageJPlanes(
  file: TiffFile,
  page: Page,
  metadata: Metadata,
  size: number,
): Promise<{ n: number; offset: number; bytes: number } | undefined> {
  const text = metadata.description;
  if (typeof text !== "string" || !text.startsWith("ImageJ=") || file.pages.length > 1 || page.samples > 1) return undefined;
  const n = Number(/^images=(\d+)/m.exec(text)?.[1] ?? 1);
  const strips = await file.numbers(page.fields, T.stripOffsets);
  if (!(n > 1) || strips?.length !== 1 || (await file.number(page.fields, T.compression, 1)) !== 1) return undefined;
  const bytes = page.ny * page.nx * bytesPer(page.dtype);
  return strips[0]! + n * bytes <= size ? { n, offset: strips[0]!, bytes } : undefined;
}
