import { fail } from "../../core/errors.js";
import type { TypedArray } from "../../core/image.js";
import { bytesPer, moduli } from "../bytes-numbers.js";
import { checkFrame, type FrameSource } from "../frames.js";
import { type ByteInput, DEFAULT_MAX_BYTES, type SizeLimit } from "../source.js";
import { type Hdf5Image, hdf5Images } from "./dialects.js";
import { type Hdf5Dataset, type Hdf5File, openHdf5 } from "./file.js";

export interface Hdf5FrameOptions extends SizeLimit {
  /** Which image, by its title or path, or by its number in `hdf5Images`; default the largest. */
  readonly image?: string | number;
  /** Names of the files that external links of this one need, where it is not read from a path. */
  readonly companions?: readonly string[];
}

/** Largest block of frames that is kept decoded: a chunk that holds many frames is read once, not once a frame. */
const BLOCK_BYTES = 64 * 2 ** 20;

/**
 * Frames of an HDF5 file: NeXus and DECTRIS masters (ARINA, EIGER), EMD of Berkeley, py4DSTEM and Velox, HyperSpy, TopSpin, or any n-D dataset.
 * One chunk's worth of frames is in memory at a time.
 * @throws bad-file, not-found, unsupported for a missing filter, too-large
 */
export async function hdf5Frames(input: ByteInput | string, options: Hdf5FrameOptions = {}): Promise<FrameSource> {
  const { maxBytes = DEFAULT_MAX_BYTES, companions } = options;
  const file = await openHdf5(input, { maxBytes, ...(companions ? { companions } : {}) });
  try {
    const images = hdf5Images(file),
      image = choose(images, options.image, file);
    return framesOfImage(file, image, maxBytes);
  } catch (e) {
    file.close();
    throw e;
  }
}

function choose(images: readonly Hdf5Image[], wanted: string | number | undefined, file: Hdf5File): Hdf5Image {
  if (images.length === 0)
    return fail(
      "bad-file",
      { name: file.name, datasets: file.datasets().length },
      "this HDF5 file holds no image: no numeric dataset with two or more axes",
    );
  if (wanted === undefined) return images[0]!;
  const found = typeof wanted === "number" ? images[wanted] : images.find((m) => m.title === wanted || m.paths.includes(wanted));
  return (
    found ??
    fail(
      "not-found",
      { image: wanted, images: images.map((m) => m.title) },
      "no such image in the file; give a title, a path or a number of hdf5Images",
    )
  );
}

function framesOfImage(file: Hdf5File, image: Hdf5Image, maxBytes: number): FrameSource {
  const sets = image.paths.map((p) => file.dataset(p)),
    dtype = sets[0]!.dtype,
    [ny, nx] = image.shape;
  if (dtype === undefined) return fail("unsupported", { path: image.paths[0] }, "this dataset holds no numbers");
  if (ny * nx * bytesPer(dtype) > maxBytes)
    fail("too-large", { shape: [ny, nx], maxBytes }, "one frame is above the limit: raise maxBytes");
  // Frame numbers of each piece: [first, after last).
  const ends: number[] = [];
  let total = 0;
  for (const d of sets) {
    total += image.framesLast ? (d.shape[2] ?? 1) : d.shape.slice(0, -2).reduce((a, b) => a * b, 1);
    ends.push(total);
  }
  const warnings = sets.flatMap((d) => (d.attributes.truncated ? [`${d.path} is marked as truncated`] : []));
  const complex = dtype === "c64" || dtype === "c128",
    values = complex ? 2 : 1,
    size = ny * nx * values;
  let block: { set: number; from: number; to: number; data: TypedArray } | undefined;
  const load = (set: number, i: number): TypedArray => {
    if (block && block.set === set && i >= block.from && i < block.to)
      return block.data.subarray((i - block.from) * size, (i - block.from + 1) * size);
    const d = sets[set]!,
      n = ends[set]! - (ends[set - 1] ?? 0);
    const depth = Math.max(1, image.framesLast ? (d.chunks?.[2] ?? 1) : (d.chunks?.at(-3) ?? 1)),
      room = Math.max(1, Math.floor(Math.min(BLOCK_BYTES, maxBytes) / (size * 8)));
    const from = depth <= room ? i - (i % depth) : i,
      to = depth <= room ? Math.min(n, from + depth) : i + 1;
    const data = image.framesLast ? lastAxis(d, from, to, ny, nx, values) : firstAxes(d, from, to);
    block = { set, from: data.from, to: data.from + data.data.length / size, data: data.data };
    return block.data.subarray((i - block.from) * size, (i - block.from + 1) * size);
  };
  return {
    format: image.dialect,
    shape: [total, ny, nx],
    dtype,
    metadata: { title: image.title, paths: image.paths.slice(0, 4), scanShape: image.scanShape, ...image.metadata },
    facts: image.scanShape.length === 2 ? { ...image.facts, scanShape: [image.scanShape[0]!, image.scanShape[1]!] } : image.facts,
    warnings,
    read: async (i, signal) => {
      signal?.throwIfAborted();
      checkFrame(i, total);
      const set = ends.findIndex((e) => i < e),
        data = load(set, i - (ends[set - 1] ?? 0));
      return { data: complex ? moduli(data as Float32Array) : data.slice(), shape: [ny, nx] };
    },
    close: async () => file.close(),
  };
}

/** Frames [from, to) counted through the axes before the last two; the block may be cut at the end of a row of the scan. */
function firstAxes(d: Hdf5Dataset, from: number, to: number): { from: number; data: TypedArray } {
  const scan = d.shape.slice(0, -2),
    tail = d.shape.slice(-2).map((s) => [0, s] as const);
  if (scan.length === 0) return { from: 0, data: d.read() };
  const row = scan.at(-1)!,
    start = from - (from % row),
    upTo = Math.min(to, start + row);
  const index: (readonly [number, number])[] = [];
  let rest = Math.floor(from / row);
  for (let k = scan.length - 2; k >= 0; k--) {
    const at = rest % scan[k]!;
    index.unshift([at, at + 1]);
    rest = Math.floor(rest / scan[k]!);
  }
  return { from, data: d.read([...index, [from - start, upTo - start], ...tail]) };
}

/** Frames of [ny, nx, n], brought to [n, ny, nx]. */
function lastAxis(d: Hdf5Dataset, from: number, to: number, ny: number, nx: number, values: number): { from: number; data: TypedArray } {
  const raw =
      d.shape.length === 2
        ? d.read()
        : d.read([
            [0, ny],
            [0, nx],
            [from, to],
          ]),
    n = to - from,
    out = raw.slice();
  if (n > 1)
    for (let p = 0; p < ny * nx; p++)
      for (let f = 0; f < n; f++) for (let k = 0; k < values; k++) out[(f * ny * nx + p) * values + k] = raw[(p * n + f) * values + k]!;
  return { from, data: out };
}
