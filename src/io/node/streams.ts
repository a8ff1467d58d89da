import { closeSync, existsSync, openSync, writeSync } from "node:fs";
import { mkdir, readFile, rename, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail } from "../../core/errors.js";
import { bytesPer } from "../bytes-numbers.js";
import { type EmdDatacube, emdDataPath, emdTree } from "../hdf5/emd-write.js";
import { type ArrayStream, type ArrayStreamOptions, type ByteSink, hdf5Stream, npyStream, zarrStream } from "../stream.js";

/**
 * A file that is written at any place.
 * @param keep - open what is there and leave it (to go on with an interrupted run); else start empty
 * @throws not-found
 */
export async function fileSink(path: string, { keep = false }: { readonly keep?: boolean } = {}): Promise<ByteSink> {
  let fd: number;
  try {
    fd = openSync(path, keep ? "r+" : "w");
  } catch (e) {
    return fail(
      "not-found",
      { path, keep },
      keep
        ? "the file of the interrupted run is not there: delete the checkpoint to start anew"
        : "the file cannot be written: check the folder and its permissions",
      e,
    );
  }
  let open = true;
  return {
    write: async (offset, bytes) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
    },
    close: async () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** Writes the files of a Zarr hierarchy into a folder: pass it to `zarrStream`. */
export function folderWriter(folder: string): (key: string, bytes: Uint8Array) => Promise<void> {
  const made = new Set<string>();
  return async (key, bytes) => {
    const path = join(folder, ...key.split("/")),
      parent = dirname(path);
    if (!made.has(parent)) {
      await mkdir(parent, { recursive: true });
      made.add(parent);
    }
    await writeFile(path, bytes);
  };
}

/** State of a long run in a file: written beside it and renamed, so that an interruption leaves the last whole one. */
export function fileCheckpoint(path: string): { load(): Promise<Uint8Array | undefined>; save(bytes: Uint8Array): Promise<void> } {
  return {
    load: async () => (existsSync(path) ? new Uint8Array(await readFile(path)) : undefined),
    save: async (bytes) => {
      await writeFile(`${path}.tmp`, bytes);
      await rename(`${path}.tmp`, path);
    },
  };
}

export interface ArrayFileOptions extends ArrayStreamOptions {
  /**
   * What a file says of a scan [sy, sx, ky, kx]: an EMD tree in HDF5. Other shapes become a plain dataset "data", and Zarr an array, with the attributes
   * `scan_step_angstrom` [y, x], `pixel_inv_angstrom` [ky, kx] and `voltage_kv`; .npy holds numbers alone.
   */
  readonly cube?: Omit<EmdDatacube, "shape" | "type"> | undefined;
}
/**
 * An array in a file that is written piece by piece, by the ending of its name: .npy; .h5, .hdf5 or .emd (EMD 1.0 for scans with `cube`); .zarr (a folder,
 * version 3). @throws unsupported for another ending; too-large where the disk has no room; not-found
 */
export async function arrayFile(path: string, options: ArrayFileOptions): Promise<ArrayStream> {
  const ending = /\.(npy|h5|hdf5|emd|zarr)$/i.exec(path)?.[1]?.toLowerCase();
  const { shape, type, cube, resume = false } = options;
  if (ending === undefined) return fail("unsupported", { path }, "arrays are written to .npy, .h5, .hdf5, .emd or .zarr");
  const bytes = shape.reduce((a, b) => a * b, bytesPer(type)),
    disk = resume ? undefined : await statfs(dirname(path)).catch(() => undefined);
  if (disk && bytes > disk.bavail * disk.bsize)
    fail(
      "too-large",
      { path, shape, needMB: Math.ceil(bytes / 1048576), freeMB: Math.floor((disk.bavail * disk.bsize) / 1048576) },
      "the disk has no room for this file: fewer positions or depths, smaller frames (a smaller angle), or another disk",
    );
  const attributes = {
    ...(cube ? { scan_step_angstrom: [...cube.scanStep], pixel_inv_angstrom: [...cube.pixel] } : {}),
    ...(cube?.voltageKv ? { voltage_kv: cube.voltageKv } : {}),
  };
  if (ending === "zarr") return zarrStream(folderWriter(path), { ...options, attributes });
  const sink = await fileSink(path, { keep: resume });
  try {
    if (ending === "npy") return await npyStream(sink, options);
    if (cube && shape.length === 4 && type !== "f64" && type !== "i8" && type !== "i16" && type !== "i32")
      return await hdf5Stream(sink, emdTree({ ...cube, shape: shape as unknown as EmdDatacube["shape"], type }), emdDataPath, options);
    return await hdf5Stream(
      sink,
      { kind: "group", members: { data: { kind: "dataset", shape, type, attributes: hdf5Numbers(attributes) } } },
      "data",
      options,
    );
  } catch (e) {
    await sink.close();
    throw e;
  }
}
const hdf5Numbers = (values: Readonly<Record<string, number | readonly number[]>>): Readonly<Record<string, Float64Array>> =>
  Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Float64Array.from([v].flat())]));
