import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { declaredSizeCheck } from "./bytes.js";
import { bytesPer, decodeNumbers, moduli, type NumberType } from "./bytes-numbers.js";
import { checkFrame, type FrameSource } from "./frames.js";
import { type ByteInput, type ByteSource, DEFAULT_MAX_BYTES, type SizeLimit, toSource } from "./source.js";

/** Frames that lie uncompressed, one after the other, in a file. */
export interface StackLayout {
  readonly shape: readonly [n: number, ny: number, nx: number];
  readonly dtype: NumberType;
  /** Default true. */
  readonly littleEndian?: boolean | undefined;
  /** Byte of the first pixel. */
  readonly offset: number;
  /** Bytes from one frame to the next; default the bytes of a frame. */
  readonly stride?: number | undefined;
}

/**
 * A frame source over plain frames in a byte source: one read of one frame's bytes per call.
 * @param rest - format name, header, facts; `after` is applied to every frame that is read
 * @throws bad-file when the source is too short, too-large when one frame is above `maxBytes`
 */
export function stackFrames(
  source: ByteSource,
  { shape, dtype, littleEndian = true, offset, stride }: StackLayout,
  {
    maxBytes = DEFAULT_MAX_BYTES,
    after,
    ...rest
  }: Partial<FrameSource> & { format: string; after?: (image: Image<TypedArray>) => Image<TypedArray> } & SizeLimit,
): FrameSource {
  const [n, ny, nx] = shape;
  if (n < 1 || ny < 1 || nx < 1) fail("bad-file", { shape, name: source.name }, "the header declares a stack without pixels");
  const frameBytes = declaredSizeCheck("a frame", [ny, nx, bytesPer(dtype)], { maxBytes });
  const step = stride ?? frameBytes;
  const span = declaredSizeCheck("the stack", [n - 1, step], { maxBytes: Number.MAX_SAFE_INTEGER }) + frameBytes;
  if (offset + span > source.size)
    fail(
      "bad-file",
      { name: source.name, shape, dtype, offset, needed: offset + span, size: source.size },
      "the file is shorter than its header says: it is truncated, or the header is wrong",
    );
  return {
    metadata: {},
    facts: {},
    warnings: [],
    close: async () => source.close?.(),
    ...rest,
    shape: [n, ny, nx],
    dtype,
    read: async (i, signal) => {
      checkFrame(i, n);
      const values = decodeNumbers(await source.read(offset + i * step, frameBytes, signal), dtype, littleEndian);
      const data = dtype === "c64" || dtype === "c128" ? moduli(values as Float32Array) : values;
      const image: Image<TypedArray> = { data, shape: [ny, nx] };
      return after ? after(image) : image;
    },
  };
}

/** Layout of a file without a header, stated by the caller. */
export interface RawOptions extends SizeLimit {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: NumberType;
  readonly littleEndian?: boolean;
  /** Bytes before the first frame. */
  readonly offset?: number;
  /** Bytes between the end of a frame and the next one. */
  readonly gap?: number;
  /** Number of frames; default as many as the file holds. */
  readonly frames?: number;
}

/**
 * Frames of a file without a header.
 * @throws bad-file when the file holds no whole frame, or fewer than `frames`
 */
export async function rawFrames(input: ByteInput, options: RawOptions): Promise<FrameSource> {
  const source = toSource(input);
  const { rows, columns, dtype, offset = 0, gap = 0, maxBytes } = options;
  const bytes = declaredSizeCheck("a frame", [rows, columns, bytesPer(dtype)], { maxBytes });
  if (bytes === 0) fail("bad-shape", { rows, columns }, "rows and columns of a raw frame are positive");
  const whole = Math.floor((source.size - offset + gap) / (bytes + gap));
  const n = options.frames ?? whole;
  if (whole < 1)
    fail("bad-file", { size: source.size, rows, columns, dtype }, "the file is smaller than one frame: check rows, columns and dtype");
  const rest = source.size - offset - (n * (bytes + gap) - gap);
  const warnings = rest > 0 ? [`${rest} bytes after the last frame are not read; is the shape right?`] : [];
  return stackFrames(
    source,
    { shape: [n, rows, columns], dtype, littleEndian: options.littleEndian, offset, stride: bytes + gap },
    { format: "raw", warnings, maxBytes },
  );
}
