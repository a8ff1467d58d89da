// Run a TypeScript program of this repository: node scripts/run.mjs <file.ts> [args…] or --example <name> [args…]
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
let [file, ...rest] = process.argv.slice(2);
if (file === "--example") {
  const name = rest.shift() ?? "";
  file = `examples/${name}.ts`;
  if (!name || !existsSync(join(root, file))) {
    const names = readdirSync(join(root, "examples"))
      .filter((f) => f.endsWith(".ts"))
      .map((f) => f.slice(0, -3));
    console.error(`usage: npm run -s example <name> -- [args…]\nexamples: ${names.join(", ")}`);
    process.exit(2);
  }
}
const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const child = spawn(process.execPath, ["--import", loader, join(root, file), ...rest], { stdio: "inherit" });
for (const s of ["SIGINT", "SIGTERM"]) process.on(s, () => child.kill(s));
child.on("exit", (code, signal) => process.exit(code ?? (signal ? 130 : 1)));
