import { existsSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root } from "./paths.js";

/** Ceilings, in bytes of minified gzip, for a program that imports one name from one module. */
const ceilings: readonly [module: string, name: string, bytes: number][] = [
  ["core", "rng", 1_500],
  ["geometry", "unitCell", 2_000],
  ["io", "parseCif", 8_000],
  ["numerics", "median", 2_000],
  ["render", "encodePng", 8_000],
  ["scattering", "lobato", 11_000],
];
async function bundled(module: string, name: string): Promise<number> {
  const r = await build({
    stdin: {
      contents: `import { ${name} } from ${JSON.stringify(join(root, "src", module, "index.ts"))}; globalThis.used = ${name};`,
      resolveDir: root,
    },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import"],
    external: ["node:*", "h5wasm", "geotiff", "zarrita", "ndarray"],
  });
  return gzipSync(r.outputFiles[0]!.contents).length;
}

for (const [module, name, bytes] of ceilings) {
  test.skipIf(!existsSync(join(root, "src", module, "index.ts")))(`${module}.${name} alone is under ${bytes} bytes`, async () => {
    expect(await bundled(module, name)).toBeLessThan(bytes);
  });
}
