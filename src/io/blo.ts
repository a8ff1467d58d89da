import { fail } from "../core/errors.js";
import { cursor, declaredSizeCheck, latin1 } from "./bytes.js";
import { checkFrame, type FrameFacts, type FrameSource } from "./frames.js";
import { voltageInKv } from "./frames-units.js";
import { type ByteInput, readUpTo, type SizeLimit, toSource } from "./source.js";

/** Fixed header of a NanoMEGAS block file. */
export interface BloHeader {
  readonly vbfOffset: number;
  readonly dataOffset: number;
  readonly flags: number;
  /** Pixels along each side of a diffraction pattern. */
  readonly size: number;
  readonly rotation: number;
  /** Scan points along x and y. */
  readonly nx: number;
  readonly ny: number;
  readonly scanRotationDeg: number;
  /** Scan steps, nm. */
  readonly stepNm: readonly [x: number, y: number];
  readonly energyV: number;
  /** 100 × pixels per centimetre. */
  readonly sdp: number;
  /** Tenths of a millimetre. */
  readonly cameraLength: number;
  readonly acquired: number;
  readonly note: string;
}

/** Bytes before each pattern: AA 55 and its number. */
const PREFIX = 6;

function parseHeader(bytes: Uint8Array): BloHeader {
  const c = cursor(bytes);
  if (c.text(6) !== "IMGBLO") fail("bad-file", { start: latin1(bytes.subarray(0, 6)) }, "a block file starts with IMGBLO");
  const magic = c.u16();
  if (magic !== 0x0102) fail("bad-file", { magic }, "the block file's magic number is not 0x0102: damaged, or written big-endian");
  const vbfOffset = c.u32(),
    dataOffset = c.u32(),
    flags = c.u32();
  const size = c.u16(),
    rotation = c.u16(),
    nx = c.u16(),
    ny = c.u16(),
    scanRotationDeg = c.u16() / 100;
  const stepNm = [c.f64(), c.f64()] as const;
  const energyV = c.u32(),
    sdp = c.u16(),
    cameraLength = c.u32(),
    acquired = c.f64();
  const note = latin1(bytes.subarray(240, Math.min(vbfOffset, bytes.length))).replace(/\0[\s\S]*$/, "");
  return { vbfOffset, dataOffset, flags, size, rotation, nx, ny, scanRotationDeg, stepNm, energyV, sdp, cameraLength, acquired, note };
}

/**
 * Diffraction patterns of a NanoMEGAS block file (`.blo`), in scan order, rows first. A file that ends early reads as zero from there on,
 * with a warning, since the program that writes it allots the whole scan.
 * @throws bad-file, too-large
 */
export async function bloFrames(input: ByteInput, { maxBytes }: SizeLimit = {}): Promise<FrameSource> {
  const source = toSource(input);
  const h = parseHeader(await readUpTo(source, 0, 4096));
  const n = h.nx * h.ny,
    bytes = declaredSizeCheck("a pattern", [h.size, h.size], { maxBytes });
  if (n === 0 || bytes === 0)
    fail("bad-file", { nx: h.nx, ny: h.ny, size: h.size }, "the block file declares an empty scan: damaged header");
  const step = PREFIX + bytes;
  const whole = Math.max(0, Math.min(n, Math.floor((source.size - h.dataOffset) / step)));
  if (whole === 0)
    fail("bad-file", { size: source.size, dataOffset: h.dataOffset }, "the block file ends before its first pattern: truncated");
  const warnings = whole < n ? [`the file ends after ${whole} of ${n} patterns; the others read as zero`] : [];
  const pixelMm = h.sdp > 0 ? 10 / (h.sdp / 100) : undefined;
  const facts: FrameFacts = {
    scanShape: [h.ny, h.nx],
    voltageKv: voltageInKv(h.energyV, (t) => warnings.push(t)),
    ...(pixelMm ? { pixelMm: [pixelMm, pixelMm] as const } : {}),
    ...(h.cameraLength > 0 ? { distanceMm: h.cameraLength / 10 } : {}),
  };
  return {
    format: "blo",
    shape: [n, h.size, h.size],
    dtype: "u8",
    metadata: { ...h },
    facts,
    warnings,
    read: async (i, signal) => {
      checkFrame(i, n);
      if (i >= whole) return { data: new Uint8Array(bytes), shape: [h.size, h.size] };
      const block = await source.read(h.dataOffset + i * step, step, signal);
      if (block[0] !== 0xaa || block[1] !== 0x55)
        fail(
          "bad-file",
          { pattern: i, start: [block[0], block[1]] },
          "a pattern of the block file does not start with AA 55: damaged file",
        );
      return { data: block.slice(PREFIX), shape: [h.size, h.size] };
    },
    close: async () => source.close?.(),
  };
}

/** The virtual bright-field image of a block file, shape [ny, nx], u8. */
export async function bloBrightField(input: ByteInput): Promise<{ readonly data: Uint8Array; readonly shape: readonly [number, number] }> {
  const source = toSource(input);
  const h = parseHeader(await readUpTo(source, 0, 4096));
  return {
    data: (await source.read(h.vbfOffset, declaredSizeCheck("the bright-field image", [h.nx, h.ny], { available: source.size }))).slice(),
    shape: [h.ny, h.nx],
  };
}

/** What {@link writeBlo} writes beside the patterns. */
export interface BloWriteOptions {
  readonly scanShape: readonly [sy: number, sx: number];
  readonly stepNm?: readonly [x: number, y: number];
  readonly voltageKv?: number;
  readonly cameraLengthMm?: number;
  /** Pixels of the pattern per cm. */
  readonly pixelsPerCm?: number;
  readonly note?: string;
}

/**
 * Write patterns as a block file; the bright-field image is the sum of each pattern scaled to 0 … 255.
 * @throws bad-shape unless there is one square pattern a scan point
 */
export function writeBlo(
  patterns: readonly { readonly data: Uint8Array; readonly shape: readonly [number, number] }[],
  options: BloWriteOptions,
): Uint8Array<ArrayBuffer> {
  const [ny, nx] = options.scanShape;
  const size = patterns[0]?.shape[0] ?? 0;
  if (
    patterns.length !== ny * nx ||
    size === 0 ||
    patterns.some((p) => p.shape[0] !== size || p.shape[1] !== size || p.data.length !== size * size)
  )
    fail(
      "bad-shape",
      { patterns: patterns.length, scanShape: options.scanShape },
      "a block file holds one square pattern of u8 for each scan point",
    );
  const vbfOffset = 4096,
    dataOffset = vbfOffset + nx * ny;
  const out = new Uint8Array(dataOffset + patterns.length * (PREFIX + size * size)),
    view = new DataView(out.buffer);
  out.set(new TextEncoder().encode("IMGBLO"));
  view.setUint16(6, 0x0102, true);
  view.setUint32(8, vbfOffset, true);
  view.setUint32(12, dataOffset, true);
  for (const [k, v] of [size, 0, nx, ny, 0].entries()) view.setUint16(20 + 2 * k, v, true);
  const [sx, sy] = options.stepNm ?? [1, 1];
  view.setFloat64(30, sx, true);
  view.setFloat64(38, sy, true);
  view.setUint32(46, Math.round((options.voltageKv ?? 0) * 1000), true);
  view.setUint16(50, Math.min(65535, Math.round((options.pixelsPerCm ?? 0) * 100)), true);
  view.setUint32(52, Math.round((options.cameraLengthMm ?? 0) * 10), true);
  out.set(new TextEncoder().encode(options.note ?? "").subarray(0, 4096 - 241), 240);
  const sums = patterns.map((p) => p.data.reduce((a, b) => a + b, 0));
  const top = Math.max(1, ...sums);
  for (const [i, p] of patterns.entries()) {
    out[vbfOffset + i] = Math.round((255 * sums[i]!) / top);
    const at = dataOffset + i * (PREFIX + size * size);
    out.set([0xaa, 0x55], at);
    view.setUint32(at + 2, i, true);
    out.set(p.data, at + PREFIX);
  }
  return out;
}
