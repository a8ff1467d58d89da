import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { readdir, readFile as readNodeFile, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { fail } from "../../core/errors.js";
import { type OpenOptions, openFrames } from "../detect.js";
import { type FrameSource, naturalCompare } from "../frames.js";
import { type ByteSource, checkRange, DEFAULT_MAX_BYTES, type SizeLimit } from "../source.js";

const notFound = (path: string, cause: unknown): never =>
  fail("not-found", { path }, "no such file, or it may not be read: check the path and its permissions", cause);

/**
 * Random access to a file. The descriptor opens at the first read; `close` gives it back, and a later read opens it again.
 * @throws not-found when there is no such file
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const info = await stat(path).catch((e: unknown) => notFound(path, e));
  if (!info.isFile()) fail("not-found", { path }, "this is no file; pass a folder to listFiles");
  const name = basename(path);
  let fd: number | undefined;
  return {
    size: info.size,
    name,
    path,
    read: async (offset, length, signal) => {
      signal?.throwIfAborted();
      checkRange(info.size, offset, length, name);
      try {
        fd ??= openSync(path, "r");
      } catch (e) {
        notFound(path, e);
      }
      const out = new Uint8Array(length);
      for (let got = 0; got < length; ) {
        // Synchronous reads: a pread of a local file takes less time than the round trip through the thread pool.
        const n = readSync(fd!, out, got, length - got, offset + got);
        if (n === 0)
          fail("bad-file", { path, offset, length, size: fstatSync(fd!).size }, "the file became shorter while it was being read");
        got += n;
      }
      return out;
    },
    sibling: (other) => {
      // A name inside a file is not to be trusted with the way out of its folder.
      if (basename(other) !== other) return Promise.resolve(undefined);
      return fileSource(join(dirname(path), other)).catch(() => undefined);
    },
    close: async () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** All bytes of a file. @throws not-found, too-large */
export async function readFile(path: string, { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {}): Promise<Uint8Array> {
  const info = await stat(path).catch((e: unknown) => notFound(path, e));
  if (info.isDirectory()) fail("not-found", { path }, "this is a folder; list its files with listFiles");
  if (info.size > maxBytes)
    fail("too-large", { path, size: info.size, maxBytes }, "the whole file is needed in memory: raise maxBytes to read it");
  return new Uint8Array(await readNodeFile(path));
}

/** One path segment of a glob (`*`, `?`, `[abc]`, `{a,b}`) as a regular expression; case counts. */
function segmentPattern(glob: string): RegExp {
  let out = "",
    depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const c = glob[i]!;
    const close = c === "[" ? glob.indexOf("]", i + 2) : -1;
    if (c === "*") out += "[^/]*";
    else if (c === "?") out += "[^/]";
    else if (close > 0) {
      out += `[${glob
        .slice(i + 1, close)
        .replace(/^!/, "^")
        .replaceAll("\\", "\\\\")}]`;
      i = close;
    } else if (c === "{") {
      out += "(?:";
      depth++;
    } else if (c === "}" && depth > 0) {
      out += ")";
      depth--;
    } else if (c === "," && depth > 0) out += "|";
    else out += c.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  }
  return new RegExp(`^${out}${")".repeat(depth)}$`);
}

const isGlob = (s: string): boolean => /[*?[{]/.test(s);

/**
 * Paths of the files that a pattern names, in natural order (`2.tif` before `10.tif`): a file gives itself, a folder the files in it,
 * a glob (`data/*.tiff`, `run?/[0-9]*.img`, `**` for any depth) the files that match. Hidden files and `._` junk are left out.
 * @throws not-found when nothing matches
 */
export async function listFiles(pattern: string): Promise<string[]> {
  const info = await stat(pattern).catch(() => undefined);
  if (info?.isFile()) return [pattern];
  const parts = (info?.isDirectory() ? join(pattern, "*") : pattern).split(/[\\/]/);
  let fixed = 0;
  if (info?.isDirectory()) fixed = parts.length - 1;
  else while (fixed < parts.length - 1 && !isGlob(parts[fixed]!)) fixed++;
  const root = parts.slice(0, fixed).join(sep) || (pattern.startsWith("/") ? "/" : ".");
  const out: string[] = [];
  const walk = async (folder: string, rest: readonly string[]): Promise<void> => {
    const [head, ...tail] = rest;
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      const path = folder === "." && !pattern.startsWith(".") ? entry.name : join(folder, entry.name);
      const folderLike =
        entry.isDirectory() || (entry.isSymbolicLink() && (await stat(path).catch(() => undefined))?.isDirectory() === true);
      if (head === "**") {
        if (folderLike) await walk(path, rest);
        else if (tail.length === 1 && segmentPattern(tail[0]!).test(entry.name)) out.push(path);
      } else if (segmentPattern(head!).test(entry.name)) {
        if (tail.length === 0 && !folderLike) out.push(path);
        else if (tail.length > 0 && folderLike) await walk(path, tail);
      }
    }
    if (head === "**" && tail.length > 1) await walk(folder, tail);
  };
  await walk(root, parts.slice(fixed));
  if (out.length === 0 && info?.isDirectory()) fail("not-found", { folder: pattern }, "the folder holds no files");
  if (out.length === 0)
    fail(
      "not-found",
      { pattern, folder: dirname(pattern) },
      "no file matches: check the path, and quote the pattern so that the shell leaves it alone",
    );
  return [...new Set(out)].sort(naturalCompare);
}

/**
 * Open what a pattern names as frames: one file, a folder or a glob of a series; see {@link listFiles} and {@link openFrames}.
 * @throws not-found, unsupported; what the reader of the format throws
 */
export async function openPath(pattern: string, options: OpenOptions = {}): Promise<FrameSource> {
  const sources: ByteSource[] = [];
  for (const path of await listFiles(pattern)) sources.push(await fileSource(path));
  return openFrames(sources, options);
}

/**
 * All files below a folder, hidden ones too, by their path inside it with forward slashes: what `sourceStore` of `ewald/io/zarr` takes.
 * Each opens when it is asked for.
 * @throws not-found when there is no such folder
 */
export async function folderFiles(folder: string): Promise<Map<string, () => Promise<ByteSource>>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((e: unknown) => notFound(folder, e));
  const out = new Map<string, () => Promise<ByteSource>>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    out.set(relative(folder, path).split(sep).join("/"), () => fileSource(path));
  }
  return out;
}
