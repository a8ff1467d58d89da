import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const src = dirname(dirname(fileURLToPath(import.meta.url)));
/** Layer of every folder; an import points to a lower layer or stays inside its folder. */
const layer: Record<string, number> = {
  core: 0,
  kernels: 1,
  io: 1,
  numerics: 2,
  render: 2,
  geometry: 3,
  scattering: 4,
  integration: 5,
  bloch: 5,
  kappa: 5,
  multislice: 5,
  fourd: 5,
  tomography: 5,
  hardware: 5,
  solution: 5,
  refine: 6,
  pipeline: 7,
};
const files = (readdirSync(src, { recursive: true }) as string[]).filter((f) => f.endsWith(".ts")).map((f) => f.replaceAll("\\", "/"));
const imports = (file: string): string[] =>
  [
    ...readFileSync(join(src, file), "utf8").matchAll(/^(?:import|export)[^;]*?from\s+"([^"]+)"|import\("([^"]+)"\)|^import "([^"]+)"/gm),
  ].map((m) => (m[1] ?? m[2] ?? m[3])!);
const isTest = (file: string): boolean => /\.(test|validate)\.ts$/.test(file) || file.startsWith("testing/");

test("every folder has a layer", () => {
  const folders = new Set(files.filter((f) => f.includes("/")).map((f) => f.split("/")[0]!));
  folders.delete("testing");
  expect([...folders].filter((f) => layer[f] === undefined)).toEqual([]);
});

test("imports point down", () => {
  const wrong: string[] = [];
  for (const file of files.filter((f) => !isTest(f) && f.includes("/"))) {
    const from = file.split("/")[0]!;
    for (const spec of imports(file).filter((s) => s.startsWith("."))) {
      const to = relative(src, join(src, dirname(file), spec))
        .replaceAll("\\", "/")
        .split("/")[0]!;
      if (to !== from && !(layer[to]! < layer[from]!)) wrong.push(`${file} imports ${spec}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("only io/node and testing touch node:*", () => {
  const wrong = files.filter((f) => !isTest(f) && !f.startsWith("io/node/") && imports(f).some((s) => s.startsWith("node:")));
  // The worker pool asks for worker_threads through process.getBuiltinModule, which is no import.
  expect(wrong).toEqual([]);
});
