import { fail } from "../core/errors.js";
import { declaredSizeCheck, latin1 } from "./bytes.js";
import { bytesPer, decodeNumbers, type NumberType } from "./bytes-numbers.js";
import { checkFrame, type FrameFacts, type FrameSource, type Metadata } from "./frames.js";
import { type MibHeader, merlinScanShape, mibFacts, mibType, parseMerlinHdr, parseMibHeader } from "./mib-header.js";
import { assembleQuad, rawBytes, unpackRawInto } from "./mib-raw.js";
import { type ByteInput, type ByteSource, readUpTo, type SizeLimit, toSource } from "./source.js";

/** Options of {@link mibFrames}. */
export interface MibOptions extends SizeLimit {
  /** Text of the `.hdr` file; without it the sibling of that name is looked for. */
  readonly hdr?: string;
  /** Counter depth of raw data whose header does not state it. */
  readonly counterDepth?: 1 | 6 | 12 | 24;
}

async function findHdr(source: ByteSource): Promise<string | undefined> {
  const name = source.name?.replace(/\.mib$/i, ".hdr");
  if (!name || name === source.name) return undefined;
  const side = await source.sibling?.(name);
  if (!side || side.size > 1 << 20) return undefined;
  const bytes = await side.read(0, side.size);
  await side.close?.();
  return latin1(bytes);
}

/** How a frame of this header is unpacked: bytes in the file, shape and type of the picture. */
function plan(h: MibHeader, depth: number | undefined): { bytes: number; ny: number; nx: number; dtype: NumberType; quad: boolean } {
  if (h.dtype !== "R64") {
    const dtype = mibType[h.dtype];
    return {
      bytes: declaredSizeCheck("a frame", [h.height, h.width, bytesPer(dtype)], { maxBytes: Number.MAX_SAFE_INTEGER }),
      ny: h.height,
      nx: h.width,
      dtype,
      quad: false,
    };
  }
  if (depth === undefined)
    fail("bad-file", { dtype: "R64" }, "this raw Merlin header does not state the counter depth: pass counterDepth (1, 6, 12 or 24)");
  // At 24 bits the stated height counts the two 12-bit planes.
  const rows = depth === 24 ? h.height / 2 : h.height;
  if (!Number.isInteger(rows) || (rows * h.width) % 64 !== 0)
    fail("bad-file", { width: h.width, height: h.height, depth }, "raw Merlin frames come in words of 64 pixels: damaged header");
  const quad = h.chips === 4 && h.width === 1024;
  if (h.chips > 1 && !quad)
    fail(
      "unsupported",
      { chips: h.chips, layout: h.layout, width: h.width },
      "raw data of one chip and of 2x2 quads is read; let the Merlin software assemble other layouts",
    );
  const dtype = depth === 24 ? "u32" : depth === 12 ? "u16" : "u8";
  return { bytes: rawBytes(rows * h.width, depth!), ny: quad ? 2 * rows : rows, nx: quad ? 512 : h.width, dtype, quad };
}

function decode(
  bytes: Uint8Array,
  h: MibHeader,
  p: ReturnType<typeof plan>,
  depth: number | undefined,
): Uint8Array | Uint16Array | Uint32Array {
  if (h.dtype !== "R64") return decodeNumbers(bytes, p.dtype, false) as Uint16Array;
  const n = p.ny * p.nx;
  const make = (): Uint8Array | Uint16Array | Uint32Array =>
    p.dtype === "u32" ? new Uint32Array(n) : p.dtype === "u16" ? new Uint16Array(n) : new Uint8Array(n);
  const strip = make();
  if (depth === 24) {
    const low = new Uint16Array(n);
    unpackRawInto(strip, bytes.subarray(0, bytes.length / 2), 12);
    unpackRawInto(low, bytes.subarray(bytes.length / 2), 12);
    for (let i = 0; i < n; i++) strip[i] = strip[i]! * 4096 + low[i]!;
  } else unpackRawInto(strip, bytes, depth!);
  if (!p.quad) return strip;
  const out = make();
  assembleQuad(out, strip, p.ny / 2);
  return out;
}

/**
 * Frames of a Merlin (Medipix3) file: single chips and quads, counter depths 1 to 24, processed (U08, U16, U32, big-endian) or raw (R64),
 * whole or with a read-out region. The number of frames follows from the file size; an incomplete last frame is left out with a warning.
 * The acquisition header `.hdr` beside the file is read where the source has siblings.
 * @throws bad-file, unsupported (raw layouts other than 1 chip and 2×2), too-large
 */
export async function mibFrames(input: ByteInput, { maxBytes, hdr, counterDepth }: MibOptions = {}): Promise<FrameSource> {
  const source = toSource(input);
  const h = parseMibHeader(await readUpTo(source, 0, 1024));
  if (h.headerBytes < 64 || h.headerBytes > 65536)
    fail("bad-file", { headerBytes: h.headerBytes }, "a Merlin frame header has some hundred bytes: damaged file");
  const depth = counterDepth ?? h.counterDepth;
  const p = plan(h, depth);
  if (p.bytes === 0) fail("bad-file", { width: h.width, height: h.height }, "the Merlin header declares frames without pixels");
  declaredSizeCheck("a frame", [p.ny, p.nx, bytesPer(p.dtype)], { maxBytes });
  const step = h.headerBytes + p.bytes;
  const n = Math.floor(source.size / step),
    rest = source.size - n * step;
  if (n === 0) fail("bad-file", { size: source.size, frame: step }, "the file is shorter than its first frame: truncated");
  const warnings: string[] = [];
  if (rest > 0) warnings.push(`the last frame is incomplete (${rest} of ${step} bytes) and left out`);
  const side = hdr ?? (await findHdr(source));
  const acquisition = side === undefined ? undefined : parseMerlinHdr(side);
  const scanShape = acquisition && merlinScanShape(acquisition, n);
  const stated = Number.parseInt(Object.entries(acquisition ?? {}).find(([k]) => k.startsWith("Frames in Acquisition"))?.[1] ?? "", 10);
  if (stated > 0 && stated !== n) warnings.push(`the .hdr file states ${stated} frames, the .mib holds ${n}`);
  if (acquisition && !scanShape && n > 1) warnings.push("the .hdr file does not tell the scan shape: give it where it matters");
  const facts = (f: MibHeader): FrameFacts => ({ ...mibFacts(f), ...(scanShape ? { scanShape } : {}) });
  const { fields, ...plain } = h;
  return {
    format: "mib",
    shape: [n, p.ny, p.nx],
    dtype: p.dtype,
    metadata: { ...plain, ...(acquisition ? { acquisition } : {}) },
    facts: facts(h),
    warnings,
    read: async (i, signal) => {
      checkFrame(i, n);
      const bytes = await source.read(i * step, step, signal);
      // Headers of one file have one length and shape; a frame that says otherwise means that the file is damaged.
      const own = parseMibHeader(bytes.subarray(0, h.headerBytes));
      if (own.headerBytes !== h.headerBytes || own.width !== h.width || own.height !== h.height || own.dtype !== h.dtype)
        fail(
          "bad-file",
          { frame: i, own: [own.width, own.height, own.dtype], first: [h.width, h.height, h.dtype] },
          "a frame in the middle of the file has another shape: damaged file",
        );
      return { data: decode(bytes.subarray(h.headerBytes), h, p, depth), shape: [p.ny, p.nx] };
    },
    frame: async (i) => {
      checkFrame(i, n);
      const { fields: _, ...metadata } = parseMibHeader(await source.read(i * step, h.headerBytes));
      return { metadata: metadata satisfies Metadata, facts: facts(metadata as MibHeader) };
    },
    close: async () => source.close?.(),
  };
}
