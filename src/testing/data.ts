import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe } from "vitest";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Folder of the real measurements: the variable EWALD_DATA, else ../shared/data beside the checkout. */
export const dataRoot: string = process.env.EWALD_DATA ?? join(root, "..", "shared", "data");

/** Path of one data file or folder. */
export const dataPath = (...parts: string[]): string => join(dataRoot, ...parts);
export const hasData = (...parts: string[]): boolean => existsSync(dataPath(...parts));
export const readData = (...parts: string[]): Uint8Array => new Uint8Array(readFileSync(dataPath(...parts)));
export const readDataText = (...parts: string[]): string => readFileSync(dataPath(...parts), "utf8");

/** A describe block on real data; where the data is absent it is skipped and its title says why. */
export function describeData(title: string, needs: readonly string[], body: () => void): void {
  const missing = needs.filter((n) => !hasData(n));
  if (missing.length === 0) describe(title, body);
  else describe.skip(`${title} [skipped: ${missing[0]} is not under EWALD_DATA]`, body);
}
