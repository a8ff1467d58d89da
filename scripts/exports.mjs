// Write the "exports" of package.json from src/**/index.ts; --check compares instead.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const modules = readdirSync("src", { recursive: true })
  .map((f) => f.replaceAll("\\", "/"))
  .filter((f) => /(^|\/)index\.ts$/.test(f) && !f.startsWith("testing"))
  .map((f) => f.slice(0, -3))
  .sort((a, b) => (a === "index" ? -1 : b === "index" ? 1 : a < b ? -1 : 1));
const exports = {};
for (const m of modules) {
  const subpath = m === "index" ? "." : `./${m.replace(/\/index$/, "")}`;
  exports[subpath] = {
    import: { types: `./dist/${m}.d.ts`, default: `./dist/${m}.js` },
    require: { types: `./dist/${m}.d.cts`, default: `./dist/${m}.cjs` },
  };
}
exports["./package.json"] = "./package.json";
const pkg = JSON.parse(readFileSync("package.json", "utf8"));
const wanted = JSON.stringify(exports);
if (process.argv.includes("--check")) {
  if (JSON.stringify(pkg.exports) !== wanted) {
    console.error("package.json exports are stale: run node scripts/exports.mjs");
    process.exit(1);
  }
} else {
  pkg.exports = exports;
  writeFileSync("package.json", `${JSON.stringify(pkg, null, 2)}\n`);
}
