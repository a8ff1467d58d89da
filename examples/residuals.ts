// N, R, wR, goodness of fit and MR of every reflection list of a refined CIF:  residuals <jana.cif> [--u 0.01] [--frames] [--json]
import { parseArgs } from "node:util";
import { readInput } from "../bin/input.js";
import { fail } from "../src/core/index.js";
import { parseCif } from "../src/io/index.js";
import { type Residuals, residualsOfCif, unusedReflectionLists } from "../src/refine/index.js";
import { runCommand } from "./shared/command.js";

const usage = "residuals <refined.cif> [--u instability factor, 0.01] [--frames: R of every frame] [--json]";

function main(): void {
  const { values: o, positionals } = parseArgs({
    options: { u: { type: "string" }, frames: { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean" } },
    allowPositionals: true,
  });
  if (o.help) return console.log(usage);
  const path = positionals[0] ?? fail("bad-value", {}, `name a CIF\n${usage}`);
  const u = o.u === undefined ? 0.01 : Number(o.u);
  if (!(u >= 0)) fail("bad-value", { u: o.u }, "--u is a number, usually 0.01");
  const cif = parseCif(readInput(path)).value;
  const blocks = residualsOfCif(cif, u),
    unused = unusedReflectionLists(cif);
  if (blocks.length === 0)
    fail("not-found", { path, unused }, "no block of this CIF holds measured and calculated intensities with sigmas");
  const shown = o.frames ? blocks : blocks.map(({ byFrame, ...b }) => b);
  if (o.json) return console.log(JSON.stringify({ file: path, instability: u, blocks: shown, unused }));
  const f = (x: number, digits = 4): string => (Number.isNaN(x) ? "-" : x.toFixed(digits)).padStart(8);
  const line = (name: string, r: Residuals): string =>
    `${name.padEnd(9)}${String(r.nObs).padStart(7)}/${String(r.nAll).padEnd(7)}${f(r.rObs)}${f(r.rAll)}${f(r.wrObs)}${f(r.wrAll)}${f(r.gofAll, 3)}`;
  for (const b of blocks) {
    console.log(`${b.block}: ${b.spaceGroup}, ${b.frames || "no"} frames, ${Number.isNaN(b.parameters) ? "?" : b.parameters} parameters`);
    console.log("           N obs/all       R obs   R all  wR obs  wR all     GoF");
    console.log(line("list", b.list));
    console.log(line("merged", b.merged));
    if (b.uncorrected) console.log(line("measured", b.uncorrected));
    const s = b.stated;
    if (s.nAll > 0)
      console.log(
        `stated   ${String(s.nObs).padStart(7)}/${String(s.nAll).padEnd(7)}${f(s.rObs)}${f(s.rAll)}${f(s.wrObs)}${f(s.wrAll)}${f(s.gof, 3)}`,
      );
    if (o.frames) for (const x of b.byFrame) console.log(line(`  ${x.frame}`, x.residuals));
    for (const w of b.warnings) console.log(`note: ${w}`);
  }
  for (const x of unused) console.log(`note: ${x.block} is left out: ${x.reason}`);
}
runCommand("residuals", main);
