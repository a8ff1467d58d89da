import { fail } from "../../core/errors.js";
import type { TypedArray } from "../../core/image.js";
import { checkFrame, type FrameSource } from "../frames.js";
import { DEFAULT_MAX_BYTES, type SizeLimit } from "../source.js";
import { openZarr, type ZarrArray, zarrPaths } from "./arrays.js";
import type { ZarrStore } from "./store.js";

/**
 * Frames of a Zarr hierarchy (HyperSpy's zspy, OME-like stacks, plain arrays): the two fastest axes are a frame. A block of one chunk's frames is in memory at a time.
 * @param options.path - the array; default the largest one with two or more axes
 * @throws not-found, bad-file, unsupported, too-large
 */
export async function zarrFrames(
  store: ZarrStore,
  { path, maxBytes = DEFAULT_MAX_BYTES }: { path?: string } & SizeLimit = {},
): Promise<FrameSource> {
  const array = path === undefined ? await largest(store, maxBytes) : await openZarr(store, path, { maxBytes });
  const s = array.shape;
  if (s.length < 2 || s.includes(0))
    fail("bad-file", { path: array.path, shape: s }, "a frame needs two axes with at least one pixel each");
  const ny = s.at(-2)!,
    nx = s.at(-1)!,
    scan = s.slice(0, -2),
    n = scan.reduce((a, b) => a * b, 1),
    row = scan.at(-1) ?? 1,
    depth = Math.max(1, array.chunks.at(-3) ?? 1);
  let block: { from: number; to: number; data: TypedArray } | undefined;
  return {
    format: "zarr",
    shape: [n, ny, nx],
    dtype: array.dtype,
    metadata: { path: array.path, shape: s, chunks: array.chunks, attributes: array.attributes },
    facts: scan.length === 2 ? { scanShape: [scan[0]!, scan[1]!] } : {},
    warnings: [],
    read: async (i, signal) => {
      checkFrame(i, n);
      if (!block || i < block.from || i >= block.to) {
        const line = i - (i % row),
          first = Math.max(line, i - ((i - line) % depth)),
          last = Math.min(line + row, first + depth),
          index: [number, number][] = [];
        for (let k = scan.length - 2, rest = Math.floor(i / row); k >= 0; k--) {
          index.unshift([rest % scan[k]!, (rest % scan[k]!) + 1]);
          rest = Math.floor(rest / scan[k]!);
        }
        const along: [number, number][] = scan.length ? [[first - line, last - line]] : [];
        block = { from: first, to: last, data: await array.read([...index, ...along, [0, ny], [0, nx]], signal) };
      }
      const at = (i - block.from) * ny * nx;
      return { data: block.data.slice(at, at + ny * nx), shape: [ny, nx] };
    },
  };
}

async function largest(store: ZarrStore, maxBytes: number): Promise<ZarrArray> {
  let best: ZarrArray | undefined;
  const size = (a: ZarrArray): number => a.shape.reduce((p, q) => p * q, 1);
  for (const p of await zarrPaths(store)) {
    const a = await openZarr(store, p, { maxBytes }).catch(() => undefined); // arrays of texts and the like are no frames
    if (a && a.shape.length >= 2 && (!best || size(a) > size(best))) best = a;
  }
  return (
    best ??
    fail("bad-file", { name: store.name, files: store.keys.length }, "this Zarr hierarchy holds no numeric array with two or more axes")
  );
}
