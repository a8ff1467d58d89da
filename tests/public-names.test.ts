import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { root } from "./paths.js";

/** The public list of every module: adding or dropping a name is a visible act (npx vitest run tests/public-names -u). */
test("public names", async () => {
  const modules = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((f) => /(^|[\\/])index\.ts$/.test(f))
    .sort();
  const lines: string[] = [];
  for (const f of modules) {
    const names = Object.keys(await import(pathToFileURL(join(root, "src", f)).href)).sort();
    lines.push(`${f}\n${names.map((n) => `  ${n}`).join("\n")}`);
  }
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(join(root, "tests/__snapshots__/public-names.txt"));
});
