import { fail, isSdkError } from "../core/errors.js";
import { bloFrames } from "./blo.js";
import { latin1 } from "./bytes.js";
import { cbfFrames } from "./cbf.js";
import { empadFrames } from "./empad.js";
import { checkFrame, type FrameSource, naturalCompare } from "./frames.js";
import { inflate } from "./inflate.js";
import { mibFrames } from "./mib.js";
import { mrcFrames, parseMrcHeader } from "./mrc.js";
import { npyFrames } from "./npy.js";
import { smvFrames } from "./smv.js";
import {
  type ByteInput,
  type ByteSource,
  bytesSource,
  DEFAULT_MAX_BYTES,
  readAll,
  readUpTo,
  type SizeLimit,
  siblings,
  toSource,
} from "./source.js";
import { tiffFrames } from "./tiff.js";
import { tvipsFrames } from "./tvips.js";
import { zipSources } from "./zip.js";

/** A format that {@link openFrames} can open: a plain value, so that callers add their own to the list. */
export interface FrameFormat {
  readonly name: string;
  /** Lower case, with the dot. A hint that sorts candidates; `matches` decides. */
  readonly extensions: readonly string[];
  /** Whether a file with this start (up to 1024 bytes) and name is of this format. */
  matches(head: Uint8Array, name: string): boolean;
  /** Whether a file of this name is a later part of another one and is read through that. */
  follows?(name: string): boolean;
  open(source: ByteSource, options: SizeLimit): Promise<FrameSource>;
}

const starts = (head: Uint8Array, text: string): boolean => latin1(head.subarray(0, text.length)) === text;
const ends = (name: string, ...extensions: string[]): boolean => extensions.some((e) => name.toLowerCase().endsWith(e));

const isMrc = (head: Uint8Array, name: string): boolean => {
  if (head.length < 1024) return false;
  const named = ends(name, ".mrc", ".mrcs", ".map", ".ccp4", ".st", ".rec", ".ali");
  if (!starts(head.subarray(208), "MAP ") && !named) return false;
  try {
    parseMrcHeader(head);
    return true;
  } catch {
    return named;
  }
};

/** The image formats of this module. Others (HDF5, DM, SER …) are added by the caller: `[...imageFormats, other]`. */
export const imageFormats: readonly FrameFormat[] = [
  {
    name: "tiff",
    extensions: [".tif", ".tiff"],
    matches: (h) => starts(h, "II*\0") || starts(h, "MM\0*") || starts(h, "II+\0") || starts(h, "MM\0+"),
    open: tiffFrames,
  },
  {
    name: "smv",
    extensions: [".img"],
    matches: (h) => starts(h, "{") && latin1(h.subarray(0, 512)).includes("HEADER_BYTES"),
    open: smvFrames,
  },
  {
    name: "cbf",
    extensions: [".cbf"],
    matches: (h, name) => starts(h, "###CBF") || (ends(name, ".cbf") && latin1(h).includes("data_")),
    open: cbfFrames,
  },
  { name: "npy", extensions: [".npy"], matches: (h) => starts(h, "\x93NUMPY"), open: npyFrames },
  { name: "mib", extensions: [".mib"], matches: (h) => starts(h, "MQ1,") || starts(h, "MQ1A,"), open: mibFrames },
  { name: "blo", extensions: [".blo"], matches: (h) => starts(h, "IMGBLO"), open: bloFrames },
  {
    name: "tvips",
    extensions: [".tvips"],
    matches: (_, name) => ends(name, ".tvips"),
    follows: (name) => /_\d*[1-9]\d*\.tvips$/i.test(name),
    open: tvipsFrames,
  },
  {
    name: "empad",
    extensions: [".raw", ".xml"],
    matches: (h, name) => ends(name, ".raw") || (ends(name, ".xml") && /^<root name="/.test(latin1(h))),
    open: empadFrames,
  },
  { name: "mrc", extensions: [".mrc", ".mrcs", ".map", ".ccp4"], matches: isMrc, open: mrcFrames },
];

/** The format of a source, by its first bytes and its name; undefined when none of the list matches. */
export async function detectFormat(input: ByteInput, formats: readonly FrameFormat[] = imageFormats): Promise<FrameFormat | undefined> {
  const source = toSource(input);
  const head = await readUpTo(source, 0, 1024);
  return formats.find((f) => f.matches(head, source.name ?? ""));
}

/** Options of {@link openFrames}. */
export interface OpenOptions extends SizeLimit {
  /** Formats to choose from; default {@link imageFormats}. */
  readonly formats?: readonly FrameFormat[];
  /** Name of the format, where it is known better than the file shows. */
  readonly format?: string;
}

/**
 * Open a file, or the files of a series, as frames. A `.gz` is unpacked, a ZIP archive is opened as the files in it. Of a list, the
 * files of the most frequent readable format make the series, in natural order of their names; the others are left out with a warning.
 * @throws unsupported when no format matches; what the reader of the format throws
 */
export async function openFrames(input: ByteInput | readonly ByteInput[], options: OpenOptions = {}): Promise<FrameSource> {
  const list = Array.isArray(input) ? (input as readonly ByteInput[]) : [input as ByteInput];
  if (list.length === 0) fail("not-found", {}, "the list of files is empty");
  if (list.length === 1) return openOne(toSource(list[0]!), options);
  const named = list.map((i) => toSource(i));
  return openSeries(named.some((s) => s.sibling) ? named : siblings(named), options);
}

async function choose(source: ByteSource, { formats = imageFormats, format }: OpenOptions): Promise<FrameFormat | undefined> {
  if (format === undefined) return detectFormat(source, formats);
  return (
    formats.find((f) => f.name === format) ??
    fail("unsupported", { format, known: formats.map((f) => f.name) }, "no format of this name is in the list")
  );
}

async function openOne(source: ByteSource, options: OpenOptions): Promise<FrameSource> {
  const head = await readUpTo(source, 0, 4);
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  const given = options.format !== undefined || (await detectFormat(source, options.formats)) !== undefined;
  if (!given && head[0] === 0x1f && head[1] === 0x8b) {
    const bytes = inflate(await readAll(source, { maxBytes }), { wrapping: "gzip", maxBytes });
    return openOne(bytesSource(bytes, source.name?.replace(/\.gz$/i, "")), options);
  }
  if (!given && starts(head, "PK\x03\x04")) return openFrames(await zipSources(source, { maxBytes }), options);
  const format = await choose(source, options);
  if (!format)
    fail(
      "unsupported",
      { name: source.name, size: source.size, start: latin1(head), formats: (options.formats ?? imageFormats).map((f) => f.name) },
      "this is none of the known image formats; raw data without a header is read with rawFrames and an explicit shape",
    );
  return naming(source, () => format!.open(source, { maxBytes }));
}

/** What goes wrong in one of many files says in which. */
async function naming<T>(source: ByteSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (e) {
    const { name } = source;
    if (!isSdkError(e) || name === undefined || Object.values(e.details).includes(name)) throw e;
    return fail(e.code, { file: name, ...e.details }, e.hint, e);
  }
}

const extensionOf = (s: ByteSource): string => /\.[^.]*$/.exec(s.name?.toLowerCase() ?? "")?.[0] ?? "";

/** Files of the most frequent extension that can be read, in natural order. */
async function pick(sources: readonly ByteSource[], options: OpenOptions): Promise<{ format: FrameFormat; files: ByteSource[] }> {
  const groups = new Map<string, ByteSource[]>();
  for (const s of sources) {
    const key = extensionOf(s);
    const group = groups.get(key);
    if (group) group.push(s);
    else groups.set(key, [s]);
  }
  for (const [, files] of [...groups].sort((a, b) => b[1].length - a[1].length)) {
    files.sort((a, b) => naturalCompare(a.name ?? "", b.name ?? ""));
    const format = await choose(files[0]!, options);
    await files[0]!.close?.();
    if (format) return { format, files: files.filter((f) => !format.follows?.(f.name ?? "")) };
  }
  return fail(
    "unsupported",
    { files: sources.slice(0, 5).map((s) => s.name), extensions: [...groups.keys()] },
    "none of these files is of a known image format",
  );
}

async function openSeries(sources: readonly ByteSource[], options: OpenOptions): Promise<FrameSource> {
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  const { format, files } = await pick(sources, options);
  const open = (file: ByteSource): Promise<FrameSource> => naming(file, () => format.open(file, { maxBytes }));
  const first = await open(files[0]!);
  if (files.length === 1) return withWarning(first, sources.length - 1);
  // Files of one frame each open when they are read; longer ones have to be opened to know how long they are.
  const parts: { file: ByteSource; start: number; n: number }[] = [];
  let n = 0;
  const odd: string[] = [];
  for (const [k, file] of files.entries()) {
    const opened = k === 0 ? first : first.shape[0] === 1 ? undefined : await open(file);
    if (opened && (opened.shape[1] !== first.shape[1] || opened.shape[2] !== first.shape[2])) odd.push(file.name ?? "?");
    else {
      const count = opened?.shape[0] ?? 1;
      parts.push({ file, start: n, n: count });
      n += count;
    }
    await opened?.close?.();
  }
  const find = (i: number): { file: ByteSource; local: number } => {
    checkFrame(i, n);
    let lo = 0,
      hi = parts.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (parts[mid]!.start <= i) lo = mid;
      else hi = mid - 1;
    }
    return { file: parts[lo]!.file, local: i - parts[lo]!.start };
  };
  const use = async <T>(i: number, run: (source: FrameSource, local: number) => Promise<T>): Promise<T> => {
    const { file, local } = find(i);
    const source = await open(file);
    try {
      if (local >= source.shape[0] || source.shape[1] !== first.shape[1] || source.shape[2] !== first.shape[2])
        fail(
          "bad-file",
          { file: file.name, shape: source.shape, first: first.shape },
          "the files of a series have frames of one shape; take the odd one out",
        );
      return await naming(file, () => run(source, local));
    } finally {
      await source.close?.();
    }
  };
  const warnings = [
    ...first.warnings,
    ...(odd.length ? [`${odd.length} files have frames of another shape and are left out: ${odd.slice(0, 3).join(", ")}`] : []),
  ];
  return withWarning(
    {
      format: first.format,
      shape: [n, first.shape[1], first.shape[2]],
      dtype: first.dtype,
      metadata: { ...first.metadata, files: parts.length, firstFile: files[0]!.name, lastFile: parts.at(-1)!.file.name },
      facts: first.facts,
      warnings,
      read: (i, signal) => use(i, (s, local) => s.read(local, signal)),
      frame: (i) =>
        use(i, async (s, local) => {
          const own = await s.frame?.(local);
          return { metadata: { ...(own?.metadata ?? s.metadata), file: find(i).file.name }, facts: own?.facts ?? s.facts };
        }),
      close: async () => {
        for (const { file } of parts) await file.close?.();
      },
    },
    sources.length - files.length,
  );
}

function withWarning(source: FrameSource, left: number): FrameSource {
  return left > 0 ? { ...source, warnings: [...source.warnings, `${left} files of other kinds are left out`] } : source;
}
