import { deflateSync, Gunzip, Inflate, Unzlib, zlibSync } from "fflate";
import { fail } from "../core/errors.js";
import { DEFAULT_MAX_BYTES, type SizeLimit } from "./source.js";

/** Wrapping of deflated bytes: none (ZIP), zlib (TIFF, PNG, HDF5) or gzip. */
export type Wrapping = "raw" | "zlib" | "gzip";

interface NodeZlib {
  inflateRawSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  inflateSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  gunzipSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

/** zlib of Node, where there is one: it inflates at about twice the speed of fflate. No import, so bundlers for browsers see nothing. */
function nodeZlib(): NodeZlib | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  try {
    return process?.getBuiltinModule?.("node:zlib") as NodeZlib | undefined;
  } catch {
    return undefined;
  }
}

const bad = (cause: unknown, size: number): never =>
  fail(
    "bad-file",
    { size, reason: cause instanceof Error ? cause.message : String(cause) },
    "the compressed data is damaged or truncated",
    cause,
  );
const bomb = (maxBytes: number): never =>
  fail("too-large", { maxBytes }, "compressed data grows beyond the allowed size: raise maxBytes if the file is to be trusted");

/** Inflate with fflate, piece by piece, so that nothing grows beyond the limit. */
function inflatePortable(bytes: Uint8Array, wrapping: Wrapping, maxBytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0,
    ended = false;
  const take = (part: Uint8Array, final: boolean): void => {
    total += part.length;
    if (total > maxBytes) bomb(maxBytes);
    if (part.length) parts.push(part.slice());
    ended ||= final;
  };
  const stream = wrapping === "raw" ? new Inflate(take) : wrapping === "zlib" ? new Unzlib(take) : new Gunzip(take);
  const step = 1 << 14; // at most 1032 times as much comes out at once
  for (let at = 0; at < bytes.length && !ended; at += step) stream.push(bytes.subarray(at, at + step), at + step >= bytes.length);
  if (!ended) throw new Error("unexpected end");
  if (parts.length === 1) return parts[0]!;
  const out = new Uint8Array(total);
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/**
 * Inflate deflated bytes. Bytes after the end of the stream are ignored.
 * @param expected - size of the result where the file states it; another size is an error
 * @throws bad-file for damaged data; too-large as soon as the result passes `maxBytes`
 */
export function inflate(
  bytes: Uint8Array,
  {
    wrapping = "zlib",
    expected,
    maxBytes = DEFAULT_MAX_BYTES,
    portable = false,
  }: { wrapping?: Wrapping; expected?: number; portable?: boolean } & SizeLimit = {},
): Uint8Array {
  if (expected !== undefined && expected > maxBytes) bomb(maxBytes);
  const limit = expected ?? maxBytes;
  let out: Uint8Array;
  const node = portable ? undefined : nodeZlib();
  try {
    if (node && limit > 0) {
      const run = wrapping === "raw" ? node.inflateRawSync : wrapping === "zlib" ? node.inflateSync : node.gunzipSync;
      const buffer = run(bytes, { maxOutputLength: limit });
      out = new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
    } else out = inflatePortable(bytes, wrapping, limit);
  } catch (e) {
    if (e instanceof Error && e.name === "SdkError") throw e;
    if ((e as { code?: string }).code === "ERR_BUFFER_TOO_LARGE")
      return expected === undefined ? bomb(maxBytes) : bad("more data than the file states", bytes.length);
    return bad(e, bytes.length);
  }
  if (expected !== undefined && out.length !== expected) bad(`${out.length} bytes where the file states ${expected}`, bytes.length);
  return out;
}

/** Deflate at a level of 1 (fast) to 9 (small), with fflate: the same bytes in Node and in browsers. */
export function deflate(
  bytes: Uint8Array,
  { wrapping = "zlib", level = 6 }: { wrapping?: "raw" | "zlib"; level?: number } = {},
): Uint8Array {
  const options = { level: Math.min(9, Math.max(0, Math.round(level))) as 6 };
  return wrapping === "raw" ? deflateSync(bytes, options) : zlibSync(bytes, options);
}
