// Tilt axis, sense of rotation, cell and orientation from a list of spots:  index-peaks <.rpl|.refl|folder> [options]
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { readInput } from "../bin/input.js";
import { fail, runSync } from "../src/core/index.js";
import * as integration from "../src/integration/index.js";
import { parseExpt, parsePts, parseRefl, parseRpl } from "../src/io/index.js";
import { runCommand } from "./shared/command.js";

const usage = `index-peaks <file.rpl | file.refl | folder> [--wavelength Å] [--aperpixel Å⁻¹] [--angles "first,step" | "a,b,c,…" (degrees)]
  [--centre x,y] [--omega degrees] [--bravais mP] [--pts file] [--expt file] [--json]
A .pts beside the .rpl, or an .expt beside the .refl, gives what is not on the command line.`;
const names = ["wavelength", "aperpixel", "angles", "centre", "omega", "bravais", "pts", "expt"] as const;
type Name = (typeof names)[number];
const text = Object.fromEntries(names.map((n) => [n, { type: "string" }])) as Record<Name, { type: "string" }>;
const flags = { ...text, json: { type: "boolean" }, help: { type: "boolean" } } as const;
// First file of the wanted endings beside `path`, or in it when it is a folder.
function nearby(path: string, ...endings: string[]): string | undefined {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  return endings.flatMap((e) => readdirSync(folder).sort().filter((f) => f.endsWith(e))).map((f) => join(folder, f))[0]; // biome-ignore format: one idea
}
function main(): void {
  const { values: o, positionals } = parseArgs({ options: flags, allowPositionals: true });
  if (o.help) return console.log(usage);
  const path = positionals[0] ?? fail("bad-value", {}, `name a file or a folder\n${usage}`);
  if (!existsSync(path)) fail("not-found", { path }, "there is no such file or folder");
  const file = statSync(path).isDirectory() ? nearby(path, ".rpl", "strong.refl", ".refl") : path;
  if (!file || !/\.(rpl|cor|refl)$/.test(file)) fail("unsupported", { path }, "give a .rpl, .cor or .refl, or a folder with one");
  const isRefl = extname(file) === ".refl",
    beside = isRefl ? (o.expt ?? nearby(file, "imported.expt", ".expt")) : (o.pts ?? nearby(file, ".pts"));
  if (isRefl && !beside) fail("not-found", { file }, "a .refl needs the .expt of the same data beside it, or --expt");
  const rpl = isRefl ? undefined : parseRpl(readInput(file)),
    pts = isRefl || !beside ? undefined : parsePts(readInput(beside));
  const input = isRefl
    ? integration.maximaFromRefl(parseRefl(readInput(file)).value, parseExpt(readInput(beside!)).value[0]!)
    : integration.peaksFromRpl(rpl!.value);
  const twice = rpl && "frame" in input ? rpl.value.size - input.frame.length : 0;
  const notes = [...(rpl?.warnings ?? []), ...(pts?.warnings ?? []), ...(twice ? [`${twice} spots stand twice and are taken once`] : [])];
  const known = "options" in input ? input.options : pts ? integration.indexingOptionsFromPts(pts.value) : {};
  const list = (name: Name): number[] | undefined =>
    o[name]?.split(",").map((s) => (s.trim() && Number.isFinite(+s) ? +s : fail("bad-value", { [name]: s }, `--${name} takes numbers`)));
  const angles = list("angles"),
    frames = "frame" in input ? input.frame.reduce((m, f) => Math.max(m, f + 1), 0) : 0;
  // biome-ignore format: one line an idea
  const given = {
    wavelength: list("wavelength")?.[0], aperpixel: list("aperpixel")?.[0], omegaDeg: list("omega")?.[0], bravais: o.bravais as "aP" | undefined,
    centrePx: list("centre") as [number, number] | undefined,
    alphaDeg: angles?.length === 2 && frames ? Array.from({ length: frames }, (_, f) => angles[0]! + f * angles[1]!) : angles,
  };
  const stated = Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined));
  const options = { wavelength: Number.NaN, aperpixel: Number.NaN, ...known, ...stated };
  const found = runSync(integration.indexingSteps(input, options), (p) =>
    process.stderr.write(`\r${p.done.toFixed(0).padStart(3)} % ${p.note.padEnd(40)}`),
  );
  const r = { ...found, warnings: [...notes, ...found.warnings] };
  process.stderr.write(`\n${file}${beside ? ` with ${beside}` : ""}\n${r.warnings.map((w) => `note: ${w}\n`).join("")}`);
  console.log(o.json ? JSON.stringify({ file, ...integration.indexingRecord(r) }) : integration.indexingSummary(r).join("\n"));
}
runCommand("index-peaks", main);
