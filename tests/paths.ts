import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Root of the checkout. */
export const root: string = dirname(dirname(fileURLToPath(import.meta.url)));
/** The TypeScript loader, as a URL for `node --import`. */
export const tsxUrl: string = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
