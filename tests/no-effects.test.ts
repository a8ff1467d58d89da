import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root, tsxUrl } from "./paths.js";

/** Runs before the import: anything that does something is made to throw, so that an effect at import is an error. */
const guard = `
const before = new Set(Object.getOwnPropertyNames(globalThis));
const forbid = (owner, name) => { owner[name] = () => { throw new Error("effect at import: " + name); }; };
for (const n of ["fetch", "setTimeout", "setInterval", "setImmediate"]) forbid(globalThis, n);
for (const n of ["Module", "Instance", "Memory", "instantiate", "compile"]) forbid(WebAssembly, n);
for (const n of ["log", "warn", "error"]) forbid(console, n);
forbid(Math, "random");
forbid(Date, "now");
`;

test("importing every module has no effect", () => {
  const modules = (readdirSync(join(root, "src"), { recursive: true }) as string[]).filter((f) => /(^|[\\/])index\.ts$/.test(f));
  expect(modules.length).toBeGreaterThan(5);
  const lines = modules.map((f) => `await import(${JSON.stringify(join(root, "src", f))});`).join("\n");
  // The loader itself uses timers, so the guard stands only while our modules are evaluated: load once to warm it, then in a fresh URL.
  const program = `${lines.replaceAll('.ts")', '.ts")')}\n${guard}\n${modules
    .map((f) => `await import(${JSON.stringify(join(root, "src", f))} + "?again");`)
    .join("\n")}
const added = Object.getOwnPropertyNames(globalThis).filter((n) => !before.has(n));
if (added.length) throw new Error("new globals: " + added);
process.stdout.write("clean");`;
  const r = spawnSync(process.execPath, ["--import", tsxUrl, "--input-type=module", "-e", program], { cwd: root, encoding: "utf8" });
  expect(r.stderr).toBe("");
  expect(r.stdout).toBe("clean");
});
