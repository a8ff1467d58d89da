import { readFileSync, statSync } from "node:fs";
import { fail } from "../src/core/index.js";

/** Bytes of a file that the user names. @throws not-found; unsupported for a folder; bad-file when the system does not let it be read */
export function readInput(path: string): Buffer {
  const found = statSync(path, { throwIfNoEntry: false }) ?? fail("not-found", { path }, "there is no such file");
  if (found.isDirectory()) fail("unsupported", { path }, "this is a folder; name the file");
  try {
    return readFileSync(path);
  } catch (e) {
    return fail("bad-file", { path, system: (e as Error).message }, "the system does not let the file be read");
  }
}

/** What a file of JSON holds. @throws as {@link readInput}; bad-file when it is none, or cut */
export function readJson<T>(path: string): T {
  const text = readInput(path).toString("utf8");
  try {
    return JSON.parse(text) as T;
  } catch (e) {
    return fail("bad-file", { path, found: (e as Error).message }, "the file is damaged, or holds no JSON");
  }
}
