import { fail, isSdkError, type SdkError } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import {
  type ByteInput,
  type ByteSource,
  dmFrames,
  type FrameFacts,
  type FrameFormat,
  type FrameSource,
  imageFormats,
  latin1,
  type Metadata,
  openFrames,
  parseEmpadXml,
  readAll,
  readMat,
  readNpy,
  readNpz,
  readUpTo,
  type SizeLimit,
  serFrames,
  toSource,
  zipSources,
} from "../io/index.js";
import { type RecordFormat, recordFormats } from "./inspect-records.js";
import { summary } from "./inspect-summary.js";

/** All frame formats of the package. HDF5 and its library load when a file of it is opened. */
export const frameFormats: readonly FrameFormat[] = /* @__PURE__ */ makeFrameFormats();
function makeFrameFormats(): FrameFormat[] {
  return [
    ...imageFormats,
    {
      name: "dm",
      extensions: [".dm3", ".dm4"],
      matches: (h) => h[0] === 0 && h[1] === 0 && h[2] === 0 && (h[3] === 3 || h[3] === 4),
      open: dmFrames,
    },
    {
      name: "ser",
      extensions: [".ser"],
      matches: (h) => h[0] === 0x49 && h[1] === 0x49 && h[2] === 0x97 && h[3] === 0x01,
      open: serFrames,
    },
    {
      name: "zarr",
      extensions: [".zspy", ".zarr"],
      matches: (h, name) => latin1(h.subarray(0, 4)) === "PK\x03\x04" && /\.(zspy|zarr)(\.zip)?$/i.test(name),
      open: async (source, options) => {
        const { zarrFrames, zipStore } = await import("../io/zarr/index.js");
        return zarrFrames(await zipStore(source, options), options);
      },
    },
    {
      name: "hdf5",
      extensions: [".h5", ".hdf5", ".nxs", ".emd", ".hspy", ".app5", ".mat"],
      matches: (h) => latin1(h.subarray(0, 8)) === "\x89HDF\r\n\x1a\n" || latin1(h.subarray(512, 520)) === "\x89HDF\r\n\x1a\n",
      open: async (source, options) => (await import("../io/hdf5/index.js")).hdf5Frames(source.path ?? source, options),
    },
  ];
}

/** Least, greatest and mean value, over the frames that were looked at. */
export interface FrameStatistics {
  readonly frames: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly sum: number;
  /** Pixels that are no number. */
  readonly nan: number;
}

/** What a file holds. */
export interface Inspection {
  readonly name: string | undefined;
  readonly bytes: number;
  readonly format: string;
  readonly kind: "frames" | "records";
  readonly shape?: readonly number[];
  readonly dtype?: string;
  readonly facts?: FrameFacts;
  /** Header of frames; for records a summary of the parsed value, columns with their ranges. */
  readonly content: unknown;
  readonly statistics?: FrameStatistics;
  /** The frame asked for, for a picture. */
  readonly image?: Image<TypedArray>;
  readonly warnings: readonly string[];
}

/** Options of {@link inspect}. */
export interface InspectOptions extends SizeLimit {
  /** Frame that is returned as `image`; default the first. */
  readonly frame?: number;
  /** Most frames whose pixels are looked at, spread evenly; default 32. */
  readonly maxFrames?: number;
  readonly formats?: readonly FrameFormat[];
  readonly records?: readonly RecordFormat[];
  readonly signal?: AbortSignal;
}

/**
 * Say what a file of any known format, or a series of image files, holds: shape, type, header, statistics and a frame to look at.
 * @throws unsupported when the format is not known; what its reader throws
 */
export async function inspect(input: ByteInput | readonly ByteInput[], options: InspectOptions = {}): Promise<Inspection> {
  const list = (Array.isArray(input) ? (input as readonly ByteInput[]) : [input as ByteInput]).map((i) => toSource(i));
  const first = list[0] ?? fail("not-found", {}, "there is no file to inspect");
  if (list.length === 1) {
    const found = await inspectRecords(first, options);
    if (found) return found;
  }
  try {
    return await inspectFrames(list, first, options);
  } catch (e) {
    const other = list.length === 1 && isSdkError(e) ? await inspectContents(first, options) : undefined;
    if (!other) throw e;
    return { ...other, warnings: [...other.warnings, `no frames: ${(e as SdkError).hint}`] };
  }
}

/** What can be said of a file of a known format that holds no stack of frames: its arrays, datasets or members. */
async function inspectContents(source: ByteSource, { maxBytes }: InspectOptions): Promise<Inspection | undefined> {
  const head = latin1(await readUpTo(source, 0, 8)),
    name = source.name ?? "";
  const found = (format: string, content: unknown): Inspection => ({
    name: source.name,
    bytes: source.size,
    kind: "records",
    format,
    content: summary(content),
    warnings: [],
  });
  if (head.startsWith("\x93NUMPY")) return found("npy", await readNpy(source, { maxBytes }));
  if (head.startsWith("PK\x03\x04"))
    return found(
      "zip",
      (await zipSources(source, { maxBytes })).map((s) => `${s.name}, ${s.size} bytes`),
    );
  if (head === "\x89HDF\r\n\x1a\n") {
    const { openHdf5 } = await import("../io/hdf5/index.js");
    const file = await openHdf5(source.path ?? source, { maxBytes });
    try {
      const listing: Record<string, string> = {};
      for (const path of await file.datasets()) {
        const { shape, dtype } = await file.dataset(path);
        listing[path] = `${shape.join(" × ") || "one value"} ${dtype ?? "(no numbers)"}`;
      }
      return found("hdf5", listing);
    } finally {
      await file.close();
    }
  }
  if (/\.xml$/i.test(name))
    return found("empad xml", parseEmpadXml(new TextDecoder().decode(await readAll(source, { maxBytes: 1 << 20 }))));
  return undefined;
}

async function inspectRecords(source: ByteSource, { records = recordFormats, maxBytes }: InspectOptions): Promise<Inspection | undefined> {
  const name = source.name ?? "";
  const head = await readUpTo(source, 0, 1024);
  const base = { name: source.name, bytes: source.size, kind: "records" as const };
  const format = records.find((f) => f.matches(head, name));
  if (format) {
    const { value, warnings } = format.read(await readAll(source, { maxBytes }));
    return { ...base, format: format.name, content: summary(value), warnings };
  }
  if (/\.npz$/i.test(name)) return { ...base, format: "npz", content: summary(await readNpz(source, { maxBytes })), warnings: [] };
  if (latin1(head).startsWith("MATLAB 5.0")) {
    const { value, warnings } = await readMat(source, { maxBytes });
    return { ...base, format: "mat", content: summary(value), warnings };
  }
  return undefined;
}

async function inspectFrames(list: readonly ByteSource[], first: ByteSource, options: InspectOptions): Promise<Inspection> {
  const { formats = frameFormats, maxBytes, maxFrames = 32, frame = 0, signal } = options;
  const source = await openFrames(list, { formats, maxBytes });
  try {
    const image = await source.read(frame, signal);
    return {
      name: list.length === 1 ? first.name : `${list.length} files from ${first.name} on`,
      bytes: list.reduce((sum, s) => sum + s.size, 0),
      format: source.format,
      kind: "frames",
      shape: source.shape,
      dtype: source.dtype,
      facts: source.facts,
      content: source.metadata satisfies Metadata,
      statistics: await statistics(source, maxFrames, signal),
      image,
      warnings: source.warnings,
    };
  } finally {
    await source.close?.();
  }
}

/** One pass over at most `most` frames, spread evenly from the first to the last. */
async function statistics(source: FrameSource, most: number, signal?: AbortSignal): Promise<FrameStatistics> {
  const n = source.shape[0],
    frames = Math.max(1, Math.min(n, most));
  let min = Number.POSITIVE_INFINITY,
    max = Number.NEGATIVE_INFINITY,
    sum = 0,
    count = 0,
    nan = 0;
  for (let k = 0; k < frames; k++) {
    const { data } = await source.read(frames === 1 ? 0 : Math.round((k * (n - 1)) / (frames - 1)), signal);
    for (let i = 0; i < data.length; i++) {
      const v = data[i]!;
      if (Number.isNaN(v)) nan++;
      else {
        if (v < min) min = v;
        if (v > max) max = v;
        sum += v;
        count++;
      }
    }
  }
  return { frames, min, max, mean: sum / count, sum, nan };
}
