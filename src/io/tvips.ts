import { fail } from "../core/errors.js";
import { cursor, declaredSizeCheck } from "./bytes.js";
import { decodeNumbers } from "./bytes-numbers.js";
import { checkFrame, type FrameFacts, type FrameSource } from "./frames.js";
import { voltageInKv } from "./frames-units.js";
import { type ByteInput, type ByteSource, type SizeLimit, toSource } from "./source.js";

const HEADER = 256;

/** General header at the start of the first file. */
export interface TvipsHeader {
  readonly version: number;
  readonly nx: number;
  readonly ny: number;
  readonly bits: number;
  readonly offset: readonly [x: number, y: number];
  readonly binning: readonly [x: number, y: number];
  /** Pixel, nm (version 2). */
  readonly pixelNm: number;
  readonly highTensionKv: number;
  readonly magnification: number;
  readonly frameHeaderBytes: number;
}

function parseHeader(bytes: Uint8Array): TvipsHeader {
  const c = cursor(bytes);
  const size = c.u32(),
    version = c.u32();
  if (size !== HEADER || (version !== 1 && version !== 2))
    fail(
      "bad-file",
      { size, version },
      "a TVIPS recording starts with a 256-byte header of version 1 or 2; files _001, _002 … have none: open the one that ends in _000",
    );
  const [nx, ny, bits] = [c.u32(), c.u32(), c.u32()];
  const offset = [c.u32(), c.u32()] as const,
    binning = [c.u32(), c.u32()] as const;
  const rest = [c.u32(), c.u32(), c.u32(), c.u32()];
  const second = version === 2;
  if (bits !== 8 && bits !== 16) fail("bad-file", { bits }, "pixels of a TVIPS recording have 8 or 16 bits: damaged header");
  return {
    version,
    nx,
    ny,
    bits,
    offset,
    binning,
    pixelNm: second ? rest[0]! : 0,
    highTensionKv: second ? rest[1]! : 0,
    magnification: second ? rest[2]! : 0,
    frameHeaderBytes: second ? rest[3]! : 12,
  };
}

function frameHeader(bytes: Uint8Array, version: number): Record<string, number> {
  const c = cursor(bytes);
  const out: Record<string, number> = { number: c.u32(), unixTime: c.u32(), milliseconds: c.u32() };
  if (version < 2 || c.left < 48) return out;
  out.lookUpTable = c.u32();
  out.faraday = c.f32();
  out.magnification = c.u32();
  out.mode = c.u32();
  for (const key of ["stageX", "stageY", "stageZ", "stageADeg", "stageBDeg"]) out[key] = c.f32();
  out.rotator = c.u32();
  out.temperature = c.f32();
  out.objective = c.f32();
  return out;
}

/** The files of a recording: `name_000.tvips` and, as far as they exist, `_001`, `_002` … beside it. */
async function parts(first: ByteSource): Promise<ByteSource[]> {
  const m = /^(.*_)0*0(\.tvips)$/i.exec(first.name ?? "");
  const out = [first];
  if (!m || !first.sibling) return out;
  const digits = (first.name ?? "").length - m[1]!.length - m[2]!.length;
  for (let k = 1; ; k++) {
    const next = await first.sibling(`${m[1]}${String(k).padStart(digits, "0")}${m[2]}`);
    if (!next) return out;
    out.push(next);
  }
}

/**
 * Frames of a TVIPS recording (EMMENU), versions 1 and 2, 8 or 16 bits, with the further files of a split recording. Each frame has a
 * header with time and, in version 2, stage and rotator position; `rotator` counts the scan points, 0 where the beam was not at one.
 * @throws bad-file, too-large
 */
export async function tvipsFrames(input: ByteInput, { maxBytes }: SizeLimit = {}): Promise<FrameSource> {
  const source = toSource(input);
  const h = parseHeader(await source.read(0, HEADER));
  const bytes = declaredSizeCheck("a frame", [h.ny, h.nx, h.bits / 8], { maxBytes });
  if (bytes === 0 || h.frameHeaderBytes < 12 || h.frameHeaderBytes > 65536)
    fail(
      "bad-file",
      { nx: h.nx, ny: h.ny, frameHeaderBytes: h.frameHeaderBytes },
      "the TVIPS header declares impossible frames: damaged file",
    );
  const step = h.frameHeaderBytes + bytes;
  const warnings: string[] = [];
  const files = (await parts(source)).map((file, k) => {
    const from = k === 0 ? HEADER : 0;
    const count = Math.floor((file.size - from) / step);
    const rest = file.size - from - count * step;
    if (rest > 0) warnings.push(`${file.name ?? "the file"} ends with ${rest} bytes of an incomplete frame, left out`);
    return { file, from, count };
  });
  const n = files.reduce((sum, f) => sum + f.count, 0);
  if (n === 0) fail("bad-file", { size: source.size, frame: step }, "the TVIPS file ends before its first frame: truncated");
  const read = async (i: number, from: number, length: number, signal?: AbortSignal): Promise<Uint8Array> => {
    checkFrame(i, n);
    let k = i;
    for (const f of files) {
      if (k < f.count) return f.file.read(f.from + k * step + from, length, signal);
      k -= f.count;
    }
    return fail("out-of-range", { frame: i, frames: n }, "frames are counted from 0 to n − 1");
  };
  const voltageKv = voltageInKv(h.highTensionKv, (t) => warnings.push(t));
  const facts: FrameFacts = voltageKv ? { voltageKv } : {};
  return {
    format: "tvips",
    shape: [n, h.ny, h.nx],
    dtype: h.bits === 8 ? "u8" : "u16",
    metadata: { ...h, files: files.length },
    facts,
    warnings,
    read: async (i, signal) => ({
      data: decodeNumbers(await read(i, h.frameHeaderBytes, bytes, signal), h.bits === 8 ? "u8" : "u16"),
      shape: [h.ny, h.nx],
    }),
    frame: async (i) => {
      const metadata = frameHeader(await read(i, 0, h.frameHeaderBytes), h.version);
      return { metadata, facts: { ...facts, ...(metadata.stageADeg === undefined ? {} : { tiltDeg: metadata.stageADeg }) } };
    },
    close: async () => {
      for (const f of files) await f.file.close?.();
    },
  };
}
