import { fail } from "../../core/errors.js";
import type { TypedArray } from "../../core/image.js";
import { bytesPer, moduli } from "../bytes-numbers.js";
import { checkFrame, type FrameSource } from "../frames.js";
import { type ByteInput, DEFAULT_MAX_BYTES } from "../source.js";
import { type Hdf5Image, hdf5Images } from "./dialects.js";
import { type Hdf5Dataset, type Hdf5File, type Hdf5Options, openHdf5 } from "./file.js";

export interface Hdf5FrameOptions extends Hdf5Options {
  /** Which image, by its title or path, or by its number in `hdf5Images`; default the largest. */
  readonly image?: string | number;
}

/** Largest block of frames that is kept decoded: a chunk that holds many frames is read once, not once a frame. */
const BLOCK_BYTES = 64 * 2 ** 20;

/**
 * Frames of an HDF5 file: NeXus and DECTRIS masters (ARINA, EIGER), EMD of Berkeley, py4DSTEM and Velox, HyperSpy, TopSpin, or any n-D dataset.
 * One chunk's worth of frames is in memory at a time.
 * @throws bad-file, not-found, unsupported for a missing filter, too-large
 */
export async function hdf5Frames(input: ByteInput | string, options: Hdf5FrameOptions = {}): Promise<FrameSource> {
  const file = await openHdf5(input, options);
  try {
    const image = await choose(file, options.image);
    return await framesOfImage(file, image, options.maxBytes ?? DEFAULT_MAX_BYTES);
  } catch (e) {
    await file.close();
    throw e;
  }
}

async function choose(file: Hdf5File, wanted: string | number | undefined): Promise<Hdf5Image> {
  const images = await hdf5Images(file);
  if (images.length === 0)
    return fail(
      "bad-file",
      { name: file.name, datasets: (await file.datasets()).length },
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

async function framesOfImage(file: Hdf5File, image: Hdf5Image, maxBytes: number): Promise<FrameSource> {
  const first = await file.dataset(image.paths[0]!),
    { dtype } = first,
    [ny, nx] = image.shape;
  if (dtype === undefined) return fail("unsupported", { path: image.paths[0] }, "this dataset holds no numbers");
  if (ny * nx * bytesPer(dtype) > maxBytes)
    fail("too-large", { shape: [ny, nx], maxBytes }, "one frame is above the limit: raise maxBytes");
  // Frame numbers of each piece: [first, after last). Pieces of one frame are looked at when they are read: there may be very many.
  const single = image.paths.length > 1 && first.shape.length === 2,
    sets: Hdf5Dataset[] = [first],
    ends: number[] = [];
  for (const p of single ? [] : image.paths.slice(1)) sets.push(await file.dataset(p));
  let total = single ? image.paths.length : 0;
  for (const d of single ? [] : sets) {
    total += image.framesLast ? (d.shape[2] ?? 1) : d.shape.slice(0, -2).reduce((a, b) => a * b, 1);
    ends.push(total);
  }
  const { missing } = image.metadata,
    warnings = sets.flatMap((d) => (d.attributes.truncated ? [`${d.path} is marked as truncated`] : []));
  if (Array.isArray(missing)) warnings.push(`data files are not there: ${missing.slice(0, 8).join(", ")}`);
  const complex = dtype === "c64" || dtype === "c128",
    size = ny * nx * (complex ? 2 : 1),
    room = Math.max(1, Math.floor(Math.min(BLOCK_BYTES, maxBytes) / (ny * nx * bytesPer(dtype))));
  let block: Block & { readonly set: number } = { set: -1, from: 0, data: new Uint8Array(0) };
  const load = async (i: number): Promise<TypedArray> => {
    const set = single ? i : ends.findIndex((e) => i < e),
      at = single ? 0 : i - (ends[set - 1] ?? 0);
    if (block.set !== set || at < block.from || at >= block.from + block.data.length / size) {
      const d = single ? await file.dataset(image.paths[set]!) : sets[set]!;
      if (d.dtype !== dtype || d.shape.reduce((p, q) => p * q, 1) % (ny * nx) !== 0 || (single && d.shape.length !== 2))
        return fail("bad-file", { path: d.path, shape: d.shape, dtype: d.dtype }, "the pieces of this stack differ in type or frame size");
      block = { set, ...(image.framesLast ? await lastAxis(d, at, room, size) : await firstAxes(d, at, room)) };
    }
    return block.data.subarray((at - block.from) * size, (at - block.from + 1) * size);
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
      const data = await load(i);
      return { data: complex ? moduli(data as Float32Array) : data.slice(), shape: [ny, nx] };
    },
    close: () => file.close(),
  };
}

/** Frames from number `from` on, one after the other. */
interface Block {
  readonly from: number;
  readonly data: TypedArray;
}

/**
 * Frames around frame `i`, counted through the axes before the last two: whole rows of the scan as deep as a chunk where there is room for them,
 * so that every chunk of a scan that is read in order is decoded once; else the frames of the row that share the chunk.
 */
async function firstAxes(d: Hdf5Dataset, i: number, room: number): Promise<Block> {
  const scan = d.shape.slice(0, -2),
    tail = d.shape.slice(-2).map((s) => [0, s] as const);
  if (scan.length === 0) return { from: 0, data: await d.read() };
  const row = scan.at(-1)!,
    rows = scan.at(-2) ?? 1,
    line = Math.floor(i / row);
  const index: (readonly [number, number])[] = [];
  for (let k = scan.length - 3, rest = Math.floor(line / rows); k >= 0; k--) {
    index.unshift([rest % scan[k]!, (rest % scan[k]!) + 1]);
    rest = Math.floor(rest / scan[k]!);
  }
  const aligned = (at: number, depth: number, length: number): readonly [number, number] => {
    const from = at - (at % depth);
    return [from, Math.min(length, from + depth)];
  };
  const chunkRows = scan.length > 1 ? (d.chunks?.at(-4) ?? 1) : 1,
    chunkFrames = d.chunks?.at(-3) ?? 1;
  const whole = chunkRows > 1 && Math.min(chunkRows, rows) * row <= room,
    y = whole ? aligned(line % rows, chunkRows, rows) : ([line % rows, (line % rows) + 1] as const),
    x = whole ? ([0, row] as const) : aligned(i % row, chunkFrames <= room ? chunkFrames : 1, row);
  return {
    from: (line - (line % rows) + y[0]) * row + x[0],
    data: await d.read([...index, ...(scan.length > 1 ? [y] : []), x, ...tail]),
  };
}

/** Frames of [ny, nx, n], brought to [n, ny, nx]. */
async function lastAxis(d: Hdf5Dataset, i: number, room: number, size: number): Promise<Block> {
  const [ny, nx, total = 1] = d.shape as [number, number, number?];
  if (d.shape.length === 2) return { from: 0, data: await d.read() };
  // Unchunked, a stack with its frames last is gone through whole for each of them: as many frames at once as there is room for.
  const depth = Math.min(d.chunks?.[2] ?? total, room),
    from = i - (i % depth),
    n = Math.min(total, from + depth) - from,
    raw = await d.read([
      [0, ny],
      [0, nx],
      [from, from + n],
    ]);
  if (n === 1) return { from, data: raw };
  const values = size / (ny * nx),
    out = raw.slice();
  for (let p = 0; p < ny * nx; p++)
    for (let f = 0; f < n; f++) for (let k = 0; k < values; k++) out[(f * ny * nx + p) * values + k] = raw[(p * n + f) * values + k]!;
  return { from, data: out };
}
