import type { ByteSource } from "../source.js";
import { builtin, type NodeFs } from "./locate.js";
import type { Hdf5Module } from "./service.js";

/** A folder that one open file and its companions have for themselves, where the HDF5 library finds them. */
export interface PrivateFolder {
  readonly path: string;
  /** Copy a source into it, piece by piece. */
  put(name: string, source: ByteSource): Promise<void>;
  remove(): void;
}

const PIECE = 2 ** 24;
/** Folders to remove when the process ends before their files are closed. */
const leftOver = new Set<string>();
let watching = false;
let serial = 0;

/** Name without folders: neither a file nor a caller leads out of the folder. */
export const baseName = (name: string): string => name.replace(/^.*[\\/]/, "").replace(/^\.*$/, "file.h5");

/** A temporary folder of the real file system: in Node the library works on that. */
export async function temporaryFolder(): Promise<PrivateFolder | undefined> {
  const fs = await builtin<NodeFs>("node:fs"),
    os = await builtin<{ tmpdir(): string }>("node:os");
  if (!fs || !os) return undefined;
  const path = fs.mkdtempSync(`${os.tmpdir()}/ewald-h5-`);
  leftOver.add(path);
  if (!watching) {
    watching = true;
    process.once("exit", () => {
      for (const p of leftOver) fs.rmSync(p, { recursive: true, force: true });
    });
  }
  return {
    path,
    put: async (name, source) => {
      const fd = fs.openSync(`${path}/${baseName(name)}`, "w");
      try {
        for (let at = 0; at < source.size; at += PIECE) {
          const piece = await source.read(at, Math.min(PIECE, source.size - at));
          for (let done = 0; done < piece.length; ) done += fs.writeSync(fd, piece.subarray(done));
        }
      } finally {
        fs.closeSync(fd);
      }
    },
    remove: () => {
      leftOver.delete(path);
      fs.rmSync(path, { recursive: true, force: true });
    },
  };
}

/** A folder of the library's own file system in memory: in browsers. */
export function memoryFolder({ FS }: Hdf5Module): PrivateFolder {
  const path = `/ewald-${serial++}`,
    written: string[] = [];
  FS.mkdirTree(path);
  return {
    path,
    put: async (name, source) => {
      const to = `${path}/${baseName(name)}`;
      FS.writeFile(to, await source.read(0, source.size));
      written.push(to);
    },
    remove: () => {
      for (const w of new Set(written)) FS.unlink(w);
      FS.rmdir(path);
    },
  };
}
