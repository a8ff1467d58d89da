import { fail } from "../../core/errors.js";
import { type ByteInput, type ByteSource, DEFAULT_MAX_BYTES, readAll, type SizeLimit } from "../source.js";
import { readZipEntry, type ZipEntry, zipEntries } from "../zip.js";

/** Files of a Zarr hierarchy by their path inside it: a folder, an archive, an object store. */
export interface ZarrStore {
  readonly name: string | undefined;
  /** Paths of all files, where the store can list them. */
  readonly keys: readonly string[];
  /** Bytes of a file; undefined where there is none (an empty chunk). */
  get(key: string): Promise<Uint8Array | undefined>;
}

/** A Zarr hierarchy inside a ZIP archive. A name that occurs twice counts with its last entry, as archives are updated. */
export async function zipStore(input: ByteInput, { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {}): Promise<ZarrStore> {
  const entries = new Map<string, ZipEntry>();
  for (const e of await zipEntries(input, { maxBytes })) if (!e.name.endsWith("/")) entries.set(e.name, e);
  return {
    name: (input as { name?: string }).name,
    keys: [...entries.keys()],
    get: async (key) => {
      const e = entries.get(key);
      return e && readZipEntry(input, e, { maxBytes });
    },
  };
}

/** A Zarr hierarchy of sources by path, e.g. the files of a folder. */
export function sourceStore(
  files: ReadonlyMap<string, ByteSource | (() => Promise<ByteSource>)>,
  name?: string,
  { maxBytes = DEFAULT_MAX_BYTES }: SizeLimit = {},
): ZarrStore {
  if (files.size === 0) fail("bad-file", { name }, "this folder holds no Zarr files");
  return {
    name,
    keys: [...files.keys()],
    get: async (key) => {
      const f = files.get(key);
      if (f === undefined) return undefined;
      const source = typeof f === "function" ? await f() : f;
      try {
        return await readAll(source, { maxBytes });
      } finally {
        if (typeof f === "function") await source.close?.();
      }
    },
  };
}
