/** npm run bench [-- name…]: the table of every bench/<name>.bench.ts, ours beside a peer or baseline. */
import { readdirSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { python, type Report } from "./harness.js";

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const files = readdirSync(here).filter((f) => f.endsWith(".bench.ts") && (wanted.length === 0 || wanted.some((w) => f.startsWith(w))));
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "cpu"}; Python peers: ${python ?? "none (set EWALD_PYTHON to a Python with numpy, scipy, pyfftw)"}`,
);
const report: Report = ({ name, ms, peer, peerMs, target, note }) => {
  const ratio = peerMs === undefined ? "" : `${(ms / peerMs).toFixed(2)} × ${peer}${peerMs ? ` (${peerMs.toPrecision(4)} ms)` : ""}`;
  console.log(
    `${name.padEnd(48)} ${ms.toPrecision(4).padStart(10)} ms  ${ratio.padEnd(34)} ${target ? `target ${target}` : ""} ${note ?? ""}`.trimEnd(),
  );
};
for (const file of files) {
  console.log(`\n${file}`);
  const { run } = (await import(pathToFileURL(join(here, file)).href)) as { run: (report: Report) => Promise<void> };
  await run(report);
}
