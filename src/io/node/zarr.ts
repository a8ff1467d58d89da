import type { FrameFormat } from "../detect.js";
import { sourceStore, zarrFrames } from "../zarr/index.js";
import { folderFiles } from "./files.js";

/** A folder that is a Zarr hierarchy, as a frame format of one input (and no series of files); undefined for any other folder or a file. */
export async function zarrFolder(path: string): Promise<FrameFormat | undefined> {
  const files = await folderFiles(path).catch(() => undefined);
  if (!files || ![".zgroup", ".zarray", ".zattrs", "zarr.json"].some((k) => files.has(k))) return undefined;
  return { name: "zarr", extensions: [], matches: () => true, open: (_, options) => zarrFrames(sourceStore(files, path), options) };
}
