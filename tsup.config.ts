import { readdirSync } from "node:fs";
import { defineConfig } from "tsup";

/** One entry a module: src/<module>/index.ts is what the subpath ewald/<module> opens. */
const modules = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((f) => f.replaceAll("\\", "/"))
  .filter((f) => /(^|\/)index\.ts$/.test(f) && !f.startsWith("testing"));

export default defineConfig({
  entry: Object.fromEntries(modules.map((f) => [f.slice(0, -3), `src/${f}`])),
  format: ["esm", "cjs"],
  dts: true,
  clean: true,
  sourcemap: false,
  splitting: true,
  target: "es2022",
  platform: "neutral",
  external: [/^[a-z@][^:]*$/],
  // CommonJS has no import.meta: the call fails there, and the caller looks the module up by folders instead.
  esbuildOptions: (options, { format }) => {
    if (format === "cjs") options.define = { ...options.define, "import.meta.resolve": "undefined" };
  },
});
