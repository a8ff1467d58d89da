import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { dataRoot } from "../src/testing/data.js";
import { root, tsxUrl } from "./paths.js";

const pages = ["README.md", ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((f) => `docs/${f}`)].filter(
  (f) => f.endsWith(".md") && !f.startsWith("docs/api/") && existsSync(join(root, f)),
);
interface Block {
  readonly page: string;
  readonly line: number;
  readonly code: string;
  readonly needsData: boolean;
  readonly output: string | undefined;
}
/** Blocks tagged `ts run` (or `ts run data` when they read EWALD_DATA); a `text` block right after holds the exact output. */
const blocks: Block[] = pages.flatMap((page) => {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```ts run( data)?\n([\s\S]*?)^```\n(?:\s*```text\n([\s\S]*?)^```)?/gm)].map((m) => ({
    page,
    line: text.slice(0, m.index).split("\n").length,
    code: m[2]!,
    needsData: m[1] !== undefined,
    output: m[3],
  }));
});
const scratch = mkdtempSync(join(root, "node_modules", ".docs-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("there are blocks to run", () => expect(blocks.length).toBeGreaterThan(0));

for (const [i, b] of blocks.entries()) {
  const skip = b.needsData && !existsSync(dataRoot);
  test.skipIf(skip)(`${b.page}:${b.line} runs${skip ? " [skipped: EWALD_DATA is absent]" : ""}`, { timeout: 180_000 }, () => {
    const code = b.code.replace(/from "ewald(?:\/([\w/-]+))?"/g, (_, m?: string) => {
      const file = join(root, "src", m ?? "", "index.ts");
      return `from ${JSON.stringify(file)}`;
    });
    const file = join(scratch, `block${i}.mts`);
    writeFileSync(file, code);
    const r = spawnSync(process.execPath, ["--import", tsxUrl, file], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, EWALD_DATA: dataRoot },
    });
    expect(r.status, r.stderr).toBe(0);
    if (b.output !== undefined) expect(r.stdout.trim()).toBe(b.output.trim());
  });
}
