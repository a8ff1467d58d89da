import { fail, isSdkError } from "../../core/errors.js";
import type { TypedArray } from "../../core/image.js";
import type { NumberType } from "../bytes-numbers.js";
import { bytesPer } from "../bytes-numbers.js";
import { DEFAULT_MAX_BYTES, type SizeLimit } from "../source.js";
import type { ZarrStore } from "./store.js";

/** One array of a Zarr hierarchy, version 2 or 3. */
export interface ZarrArray {
  readonly path: string;
  readonly shape: readonly number[];
  readonly chunks: readonly number[];
  readonly dtype: NumberType;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Values of the block [from, to) per axis, row-major. @throws out-of-range, too-large, bad-file, unsupported for a codec that is not there */
  read(ranges?: readonly (readonly [from: number, to: number])[], signal?: AbortSignal): Promise<TypedArray>;
}

/** The part of zarrita that is used. */
interface Zarrita {
  root(store: unknown): { resolve(path: string): unknown };
  open: { (location: unknown, options: { kind: "array" }): Promise<RawArray>; v2: Zarrita["open"]; v3: Zarrita["open"] };
  get(array: RawArray, selection: readonly unknown[]): Promise<{ data: unknown; shape: readonly number[] }>;
  slice(from: number, to: number): unknown;
}
interface RawArray {
  readonly shape: readonly number[];
  readonly chunks: readonly number[];
  readonly dtype: string;
  readonly attrs: Readonly<Record<string, unknown>>;
}

const types: Readonly<Record<string, NumberType>> = {
  int8: "i8",
  uint8: "u8",
  int16: "i16",
  uint16: "u16",
  int32: "i32",
  uint32: "u32",
  int64: "i64",
  uint64: "u64",
  float32: "f32",
  float64: "f64",
  bool: "bool",
};

async function zarrita(): Promise<Zarrita> {
  try {
    return (await import("zarrita")) as unknown as Zarrita;
  } catch (cause) {
    return fail("unsupported", { package: "zarrita" }, "reading Zarr needs the package zarrita: npm install zarrita", cause);
  }
}

/** Paths of the arrays that the store lists, version 2 (`.zarray`) and 3 (`zarr.json` of an array). */
export async function zarrPaths(store: ZarrStore): Promise<readonly string[]> {
  const out: string[] = [];
  for (const key of store.keys) {
    if (/(^|\/)\.zarray$/.test(key)) out.push(key.replace(/\/?\.zarray$/, ""));
    else if (/(^|\/)zarr\.json$/.test(key)) {
      const text = new TextDecoder().decode(await store.get(key));
      if (/"node_type"\s*:\s*"array"/.test(text)) out.push(key.replace(/\/?zarr\.json$/, ""));
    }
  }
  return out.sort();
}

/**
 * Open one array.
 * @throws not-found, bad-file, unsupported without the package zarrita or for a type that holds no numbers
 */
export async function openZarr(store: ZarrStore, path: string, { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {}): Promise<ZarrArray> {
  const z = await zarrita(),
    clean = path.replace(/^\/+|\/+$/g, ""),
    prefix = clean === "" ? "" : `${clean}/`;
  const version = store.keys.includes(`${prefix}zarr.json`) ? "v3" : store.keys.includes(`${prefix}.zarray`) ? "v2" : undefined;
  if (version === undefined)
    return fail("not-found", { path, name: store.name }, "there is no Zarr array at this path; list them with zarrPaths");
  const attempt = async <T>(body: () => Promise<T>): Promise<T> => {
    try {
      return await body();
    } catch (cause) {
      if (isSdkError(cause)) throw cause;
      const reason = cause instanceof Error ? cause.message.slice(0, 200) : String(cause);
      const codec = /codec/i.test(reason) && /unknown|unsupported/i.test(reason);
      return fail(
        codec ? "unsupported" : "bad-file",
        { path, name: store.name, reason },
        codec
          ? "this array is compressed with a codec that is not supported"
          : "the Zarr metadata or a chunk cannot be read: it is truncated or damaged",
        cause,
      );
    }
  };
  const reader = { get: (key: string) => store.get(key.replace(/^\/+/, "")) };
  const array = await attempt(() => z.open[version](z.root(reader).resolve(`/${clean}`), { kind: "array" }));
  const dtype = types[array.dtype],
    shape = array.shape;
  if (dtype === undefined)
    return fail("unsupported", { path, dtype: array.dtype }, "this Zarr array holds no numbers of a type that can be read");
  const sane = (list: unknown): list is number[] => Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!sane(shape) || !sane(array.chunks) || array.chunks.includes(0) || array.chunks.length !== shape.length)
    fail("bad-file", { path, shape, chunks: array.chunks }, "the sizes in the Zarr metadata are no sizes: it is damaged");
  const chunkBytes = array.chunks.reduce((n, c) => n * c, bytesPer(dtype));
  return {
    path: clean,
    shape,
    chunks: array.chunks,
    dtype,
    attributes: array.attrs,
    read: async (ranges, signal) => {
      signal?.throwIfAborted();
      const box = ranges ?? shape.map((s) => [0, s] as const);
      if (
        box.length !== shape.length ||
        box.some(([a, b], i) => !(Number.isInteger(a) && Number.isInteger(b) && a >= 0 && a < b && b <= shape[i]!))
      )
        fail(
          "out-of-range",
          { path, ranges: box.map((r) => r.join(":")), shape },
          "give one range [from, to) inside the shape for each axis",
        );
      const bytes = box.reduce((n, [a, b]) => n * (b - a), bytesPer(dtype));
      if (Math.max(bytes, chunkBytes) > maxBytes)
        fail("too-large", { path, bytes, chunkBytes, maxBytes }, "read a part of this array, or raise maxBytes");
      const { data } = await attempt(() =>
        z.get(
          array,
          box.map(([a, b]) => z.slice(a, b)),
        ),
      );
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data as BigInt64Array, Number);
      return dtype === "bool" ? Uint8Array.from(data as Iterable<boolean>, (v) => (v ? 1 : 0)) : (data as TypedArray);
    },
  };
}
