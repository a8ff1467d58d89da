import { fail } from "../core/errors.js";

/**
 * Random access to bytes: a file, a Blob, a range of an archive, an HTTP resource. Readers ask for the pieces that they need,
 * so a file larger than the memory can be read frame by frame.
 */
export interface ByteSource {
  /** Total number of bytes. */
  readonly size: number;
  /** File name without its folder, where one is known: formats without magic bytes are told by their extension. */
  readonly name?: string | undefined;
  /** Path in the file system, where there is one: libraries that open files by themselves take it. */
  readonly path?: string | undefined;
  /**
   * Exactly `length` bytes from `offset`. The result may be a view of shared bytes: do not write to it.
   * @throws bad-file when the range is not inside the source
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * A companion of this source (a file of the same folder, another File of the same drop) by name; undefined where there is none.
   * Some formats need one: the header beside a `.mib`, the data files of an HDF5 master.
   */
  sibling?(name: string): Promise<ByteSource | undefined>;
  /** Give back what the source holds open. */
  close?(): Promise<void>;
}

/** @throws bad-file when [offset, offset + length) is not inside `size` bytes */
export function checkRange(size: number, offset: number, length: number, name?: string): void {
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0 && offset + length <= size))
    fail(
      "bad-file",
      { ...(name === undefined ? {} : { name }), offset, length, size },
      "the file ends before the data it promises: it is truncated, or a size in its header is wrong",
    );
}

/** A source over bytes in memory; `read` returns views. */
export function bytesSource(bytes: Uint8Array, name?: string): ByteSource {
  return {
    size: bytes.length,
    name,
    read: async (offset, length, signal) => {
      signal?.throwIfAborted();
      checkRange(bytes.length, offset, length, name);
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** A source over a Blob or a browser File; bytes are read when asked for. */
export function blobSource(blob: Blob, name?: string): ByteSource {
  const label = name ?? (blob as { readonly name?: string }).name;
  return {
    size: blob.size,
    name: label,
    read: async (offset, length, signal) => {
      signal?.throwIfAborted();
      checkRange(blob.size, offset, length, label);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/** A window [offset, offset + length) of another source. */
export function sliceSource(source: ByteSource, offset: number, length: number, name: string | undefined = source.name): ByteSource {
  checkRange(source.size, offset, length, source.name);
  return {
    size: length,
    name,
    read: async (at, count, signal) => {
      checkRange(length, at, count, name);
      return source.read(offset + at, count, signal);
    },
  };
}

/** Sources that know each other by name, as the files of one folder do: what a browser makes of a list of dropped files. */
export function siblings(sources: readonly ByteSource[]): ByteSource[] {
  const known = new Map<string, ByteSource>();
  const out = sources.map((s): ByteSource => ({ ...s, sibling: async (name) => known.get(name) ?? (await s.sibling?.(name)) }));
  for (const s of out) if (s.name !== undefined) known.set(s.name, s);
  return out;
}

/** What every reader of this module takes. */
export type ByteInput = Uint8Array | Blob | ByteSource;

/** The source of any input: bytes, a Blob or a source as it is. */
export function toSource(input: ByteInput, name?: string): ByteSource {
  if (input instanceof Uint8Array) return bytesSource(input, name);
  if (typeof Blob !== "undefined" && input instanceof Blob) return blobSource(input, name);
  return input as ByteSource;
}

/** Largest single allocation that a reader makes when the caller states none: 1 GiB. */
export const DEFAULT_MAX_BYTES = 2 ** 30;

/** Limit of one allocation. */
export interface SizeLimit {
  /** Largest number of bytes that one read may allocate; default 1 GiB. */
  readonly maxBytes?: number | undefined;
}

/** All bytes of an input. @throws too-large above `maxBytes` */
export async function readAll(input: ByteInput, { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {}): Promise<Uint8Array> {
  const source = toSource(input);
  if (source.size > maxBytes)
    fail("too-large", { name: source.name, size: source.size, maxBytes }, "the whole file is needed in memory: raise maxBytes to read it");
  return source.read(0, source.size);
}

/** Up to `length` bytes from `offset`: fewer where the source ends earlier. */
export function readUpTo(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const from = Math.min(offset, source.size);
  return source.read(from, Math.min(length, source.size - from));
}
