import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root } from "./paths.js";

/** A small job that goes through most layers; every consumer prints the same line. */
const body = `
const cell = geometry.unitCell(5.4309, 5.4309, 5.4309);
const lambda = geometry.electronWavelength(200);
const data = new Float64Array(2 * 360).map((_, i) => Math.sin(i));
const back = numerics.ifft(numerics.fft(data));
let worst = 0;
for (let i = 0; i < data.length; i++) worst = Math.max(worst, Math.abs(back[i] - data[i]));
const png = render.imagePng({ data: Float32Array.from({ length: 16 }, (_, i) => i), shape: [4, 4] });
const line = [cell.volume.toFixed(3), lambda.toFixed(6), worst < 1e-14, png.length > 20].join(" ");
`;
const expected = "160.183 0.025079 true true";
const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const chromium = process.env.CHROMIUM ?? browsers.find((b) => existsSync(b));
const folder = mkdtempSync(join(tmpdir(), "ewald-consumer-"));
let server: Server | undefined;

beforeAll(() => {
  execFileSync("npx", ["tsup", "--silent"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const tarball = execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n")
    .at(-1)!;
  mkdirSync(join(folder, "node_modules"));
  execFileSync("tar", ["xzf", join(folder, tarball), "-C", join(folder, "node_modules")]);
  execFileSync("mv", [join(folder, "node_modules/package"), join(folder, "node_modules/ewald")]);
  for (const d of readdirSync(join(root, "node_modules")).filter((d) => !d.startsWith(".") && d !== "ewald"))
    symlinkSync(join(root, "node_modules", d), join(folder, "node_modules", d));
}, 300_000);
afterAll(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

test("Node, ES modules", () => {
  writeFileSync(
    join(folder, "a.mjs"),
    `import * as geometry from "ewald/geometry"; import * as numerics from "ewald/numerics"; import * as render from "ewald/render";${body}console.log(line);`,
  );
  expect(execFileSync(process.execPath, ["a.mjs"], { cwd: folder, encoding: "utf8" }).trim()).toBe(expected);
});

test("Node, CommonJS", () => {
  writeFileSync(
    join(folder, "a.cjs"),
    `const geometry = require("ewald/geometry"), numerics = require("ewald/numerics"), render = require("ewald/render");${body}console.log(line);`,
  );
  expect(execFileSync(process.execPath, ["a.cjs"], { cwd: folder, encoding: "utf8" }).trim()).toBe(expected);
});

test("every subpath loads with require and with import", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: Record<string, unknown> };
  const names = Object.keys(exports)
    .filter((e) => e !== "./package.json")
    .map((e) => e.replace(/^\./, "ewald"));
  writeFileSync(
    join(folder, "all.cjs"),
    `for (const n of ${JSON.stringify(names)}) if (Object.keys(require(n)).length === 0) throw new Error(n); console.log("ok");`,
  );
  writeFileSync(
    join(folder, "all.mjs"),
    `for (const n of ${JSON.stringify(names)}) if (Object.keys(await import(n)).length === 0) throw new Error(n); console.log("ok");`,
  );
  for (const file of ["all.cjs", "all.mjs"])
    expect(execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" }).trim()).toBe("ok");
});

for (const major of [22, 24, 26]) {
  const binary = join(root, ".cache", "nodes", "node_modules", `node-${major}`, "bin", "node");
  test.skipIf(!existsSync(binary))(`Node ${major}, ES modules${existsSync(binary) ? "" : " [skipped: that Node is not installed]"}`, () => {
    const r = spawnSync(binary, ["a.mjs"], { cwd: folder, encoding: "utf8" });
    expect(r.stdout.trim(), r.stderr).toBe(expected);
  });
}

test.skipIf(!chromium)(
  `a page in headless Chromium${chromium ? "" : " [skipped: no chromium on this machine; set CHROMIUM]"}`,
  async () => {
    await build({
      stdin: {
        contents: `import * as geometry from "ewald/geometry"; import * as numerics from "ewald/numerics"; import * as render from "ewald/render";${body}
document.title = line; globalThis.line = line;`,
        resolveDir: folder,
      },
      bundle: true,
      format: "esm",
      outfile: join(folder, "page.js"),
      external: ["node:*"],
      logLevel: "silent",
      platform: "browser",
    });
    server = createServer((q, r) => {
      r.setHeader("Cross-Origin-Opener-Policy", "same-origin");
      r.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
      if (q.url === "/page.js") r.setHeader("Content-Type", "text/javascript").end(readFileSync(join(folder, "page.js")));
      else r.setHeader("Content-Type", "text/html").end('<!doctype html><script type="module" src="/page.js"></script>');
    }).listen(0, "127.0.0.1");
    await new Promise((ready) => server!.once("listening", ready));
    const { chromium: driver } = await import("playwright-core");
    const browser = await driver.launch({ executablePath: chromium!, args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage();
      const errors: string[] = [];
      page.on("pageerror", (e) => errors.push(String(e)));
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await page.waitForFunction("globalThis.line !== undefined", undefined, { timeout: 20_000 }).catch(() => undefined);
      expect(errors).toEqual([]);
      expect(await page.title()).toBe(expected);
    } finally {
      await browser.close();
    }
  },
  120_000,
);
