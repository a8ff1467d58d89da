import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Golden data made by another program: which one, and with which command, stand in the file. */
export interface Golden<Row> {
  readonly madeBy: string;
  readonly version: string;
  readonly command: string;
  readonly rows: readonly Row[];
}

/** Read src/testing/golden/<name>.json. */
export function readGolden<Row = Record<string, number>>(name: string): Golden<Row> {
  const here = dirname(fileURLToPath(import.meta.url));
  return JSON.parse(readFileSync(join(here, "golden", `${name}.json`), "utf8")) as Golden<Row>;
}
