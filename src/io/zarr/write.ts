import { gzipSync } from "fflate";
import { fail } from "../../core/errors.js";
import type { TypedArray } from "../../core/image.js";
import { littleEndianBytes, type NumberType, numberTypeOf } from "../bytes-numbers.js";

export interface ZarrWriteOptions {
  /** Axes of the array, last fastest. */
  readonly shape: readonly number[];
  /** Default: one frame (the two fastest axes) a chunk. */
  readonly chunks?: readonly number[];
  /** Path of the array inside the hierarchy; "" makes the root the array. */
  readonly path?: string;
  readonly version?: 2 | 3;
  readonly compression?: "none" | "gzip";
  readonly attributes?: Readonly<Record<string, unknown>>;
}

const names: Readonly<Record<string, readonly [v2: string, v3: string]>> = {
  u8: ["|u1", "uint8"],
  i8: ["|i1", "int8"],
  u16: ["<u2", "uint16"],
  i16: ["<i2", "int16"],
  u32: ["<u4", "uint32"],
  i32: ["<i4", "int32"],
  f32: ["<f4", "float32"],
  f64: ["<f8", "float64"],
};

/**
 * Files of a Zarr hierarchy with one array, path → bytes: write them into a folder, an archive (`writeZip`) or an object store. Chunks at the end of an
 * axis are padded with zeros, as the format wants. Version 3 by default; version 2 for older readers.
 * @throws bad-shape when data, shape and chunks disagree
 */
export function zarrFiles(data: TypedArray, options: ZarrWriteOptions): ReadonlyMap<string, Uint8Array> {
  const { shape } = options;
  const { files, chunks, chunkKey, encode } = zarrMetadata(numberTypeOf(data), options);
  if (data.length !== shape.reduce((a, b) => a * b, 1))
    fail("bad-shape", { length: data.length, shape }, "data holds the product of the shape");
  const out = new Map(files);
  const counts = shape.map((s, i) => Math.ceil(s / chunks[i]!)),
    index = counts.map(() => 0);
  for (let left = counts.reduce((a, b) => a * b, 1); left > 0; left--) {
    out.set(chunkKey(index), encode(chunkOf(data, shape, chunks, index)));
    for (let k = index.length - 1; k >= 0 && ++index[k]! === counts[k]; k--) index[k] = 0;
  }
  return out;
}

/**
 * The files of a hierarchy but its chunks, and how those are named and encoded: for writers that make chunks one by one.
 * @throws bad-shape when shape and chunks disagree
 */
export function zarrMetadata(
  type: NumberType,
  options: ZarrWriteOptions,
): {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly chunks: readonly number[];
  chunkKey(index: readonly number[]): string;
  /** Values of a whole chunk to the bytes of its file. */
  encode(chunk: TypedArray): Uint8Array;
} {
  const { shape, path = "", version = 3, compression = "none", attributes = {} } = options;
  const chunks = options.chunks ?? shape.map((s, i) => (i < shape.length - 2 ? 1 : s));
  const whole = (list: readonly number[]): boolean => list.length > 0 && list.every((n) => Number.isInteger(n) && n > 0);
  if (!whole(shape) || !whole(chunks) || chunks.length !== shape.length)
    fail("bad-shape", { shape, chunks }, "shape and chunks are positive whole sizes, and chunks have as many axes as the array");
  const out = new Map<string, Uint8Array>(),
    json = (o: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(o, undefined, 2));
  const [v2, v3] = names[type]!,
    clean = path.replace(/^\/+|\/+$/g, ""),
    prefix = clean === "" ? "" : `${clean}/`;
  // Groups above the array.
  for (let at = clean.lastIndexOf("/"), group = clean; clean !== ""; at = group.lastIndexOf("/")) {
    group = at < 0 ? "" : group.slice(0, at);
    const p = group === "" ? "" : `${group}/`;
    out.set(
      `${p}${version === 3 ? "zarr.json" : ".zgroup"}`,
      json(version === 3 ? { zarr_format: 3, node_type: "group", attributes: {} } : { zarr_format: 2 }),
    );
    if (group === "") break;
  }
  if (version === 3)
    out.set(
      `${prefix}zarr.json`,
      json({
        zarr_format: 3,
        node_type: "array",
        shape,
        data_type: v3,
        fill_value: 0,
        attributes,
        chunk_grid: { name: "regular", configuration: { chunk_shape: chunks } },
        chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
        codecs: [
          { name: "bytes", configuration: { endian: "little" } },
          ...(compression === "gzip" ? [{ name: "gzip", configuration: { level: 5 } }] : []),
        ],
      }),
    );
  else {
    out.set(
      `${prefix}.zarray`,
      json({
        zarr_format: 2,
        shape,
        chunks,
        dtype: v2,
        compressor: compression === "gzip" ? { id: "gzip", level: 5 } : null,
        fill_value: 0,
        order: "C",
        filters: null,
        dimension_separator: ".",
      }),
    );
    if (Object.keys(attributes).length) out.set(`${prefix}.zattrs`, json(attributes));
  }
  return {
    files: out,
    chunks,
    chunkKey: (index) => `${prefix}${version === 3 ? `c/${index.join("/")}` : index.join(".")}`,
    encode: (chunk) => {
      const bytes = littleEndianBytes(chunk);
      return compression === "gzip" ? gzipSync(bytes, { level: 5, mtime: 0 }) : bytes.slice();
    },
  };
}

/** One chunk, padded with zeros. */
function chunkOf(data: TypedArray, shape: readonly number[], chunks: readonly number[], index: readonly number[]): TypedArray {
  const size = chunks.reduce((a, b) => a * b, 1),
    out = new (data.constructor as new (n: number) => TypedArray)(size),
    n = shape.length;
  const row = Math.min(chunks[n - 1]!, shape[n - 1]! - index[n - 1]! * chunks[n - 1]!),
    at = chunks.map(() => 0);
  for (let line = 0; line < size; line += chunks[n - 1]!) {
    let from = 0,
      inside = true;
    for (let k = 0; k < n; k++) {
      const x = index[k]! * chunks[k]! + at[k]!;
      if (x >= shape[k]!) inside = false;
      from = from * shape[k]! + x;
    }
    if (inside) out.set(data.subarray(from, from + row), line);
    for (let k = n - 2; k >= 0 && ++at[k]! === chunks[k]; k--) at[k] = 0;
  }
  return out;
}
