import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { bytesPer, littleEndianBytes, type NumberType, numberTypeOf } from "./bytes-numbers.js";
import { type Hdf5WriteGroup, hdf5Layout } from "./hdf5/write.js";
import { npyPreamble } from "./npy.js";
import { type ZarrWriteOptions, zarrMetadata } from "./zarr/write.js";

/** A file that is written at any place: `fileSink` of ewald/io/node, a handle of the origin's private file system in a browser. */
export interface ByteSink {
  write(offset: number, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
/** An array of known shape and type that is written piece by piece, in any order. */
export interface ArrayStream {
  readonly shape: readonly number[];
  readonly type: NumberType;
  /** Values from element `first` (row-major) on. @throws bad-value for another type; out-of-range */
  write(first: number, values: TypedArray): Promise<void>;
  close(): Promise<void>;
}
export interface ArrayStreamOptions {
  readonly shape: readonly number[];
  readonly type: Exclude<NumberType, "bool" | "f16" | "c64" | "c128" | "i64" | "u64">;
  /** The file goes on from an earlier run: its head is there already and what was written stays. */
  readonly resume?: boolean | undefined;
}

function checkShape(shape: readonly number[]): void {
  if (!shape.every((n) => Number.isInteger(n) && n >= 1) || shape.length === 0)
    fail("bad-shape", { shape }, "an array that is written piece by piece has one or more axes of at least one element");
}
function contiguousStream(sink: ByteSink, { shape, type }: ArrayStreamOptions, offset: number): ArrayStream {
  const count = shape.reduce((a, b) => a * b, 1),
    size = bytesPer(type);
  return {
    shape,
    type,
    write: async (first, values) => {
      check(values, type, first, count);
      await sink.write(offset + first * size, littleEndianBytes(values));
    },
    close: () => sink.close(),
  };
}
function check(values: TypedArray, type: NumberType, first: number, count: number): void {
  if (numberTypeOf(values) !== type)
    fail("bad-value", { type: numberTypeOf(values), wanted: type }, "the values have another type than the array that is written");
  if (!(Number.isInteger(first) && first >= 0 && first + values.length <= count))
    fail("out-of-range", { first, values: values.length, count }, "these values lie outside the array");
}

/** An .npy file, written piece by piece. The file has its full length from the start; parts that were never written are zero. */
export async function npyStream(sink: ByteSink, options: ArrayStreamOptions): Promise<ArrayStream> {
  checkShape(options.shape);
  const head = npyPreamble(options.shape, options.type),
    bytes = options.shape.reduce((a, b) => a * b, bytesPer(options.type));
  if (!options.resume) {
    await sink.write(0, head);
    await sink.write(head.length + bytes - 1, Uint8Array.of(0));
  }
  return contiguousStream(sink, options, head.length);
}

/**
 * One promised dataset of an HDF5 file, written piece by piece.
 * @param root - the whole file but the values of `path` (see {@link Hdf5WriteGroup})
 */
export async function hdf5Stream(sink: ByteSink, root: Hdf5WriteGroup, path: string, options: ArrayStreamOptions): Promise<ArrayStream> {
  const { head, size, offsets } = hdf5Layout(root),
    offset = offsets.get(path);
  if (offset === undefined)
    return fail("not-found", { path, there: [...offsets.keys()] }, "the file has no dataset of this path that is still to be written");
  if (!options.resume) {
    await sink.write(0, head);
    await sink.write(size - 1, Uint8Array.of(0));
  }
  return contiguousStream(sink, options, offset);
}

/**
 * An array of a Zarr hierarchy, written frame by frame: every chunk is one frame (the last two axes), so pieces must be whole frames.
 * @param put - writes one file of the hierarchy
 */
export async function zarrStream(
  put: (key: string, bytes: Uint8Array) => Promise<void>,
  options: ArrayStreamOptions & Pick<ZarrWriteOptions, "version" | "attributes" | "path">,
): Promise<ArrayStream> {
  const { shape, type } = options;
  if (shape.length < 2) fail("bad-shape", { shape }, "a stream of frames has at least the two axes of a frame");
  const { files, chunkKey, encode } = zarrMetadata(type, { ...options, compression: "none" });
  for (const [key, bytes] of files) await put(key, bytes);
  const frame = shape.at(-1)! * shape.at(-2)!,
    count = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    type,
    write: async (first, values) => {
      check(values, type, first, count);
      if (first % frame !== 0 || values.length % frame !== 0)
        fail("bad-shape", { first, values: values.length, frame }, "write whole frames");
      for (let at = 0; at < values.length; at += frame) {
        let rest = (first + at) / frame;
        const index = [0, 0];
        for (let k = shape.length - 3; k >= 0; k--) {
          index.unshift(rest % shape[k]!);
          rest = Math.floor(rest / shape[k]!);
        }
        await put(chunkKey(index), encode(values.subarray(at, at + frame)));
      }
    },
    close: async () => undefined,
  };
}
