// Frames to intensities: spots, lattice and orientations are found, then every reflection is integrated, scaled and merged.
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { readInput } from "../bin/input.js";
import { fail, type Progress } from "../src/core/index.js";
import { type BravaisType, unitCell } from "../src/geometry/index.js";
import { openFrames, parsePts } from "../src/io/index.js";
import { fileSource, listFiles, ptsFrames } from "../src/io/node/index.js";
import * as pipeline from "../src/pipeline/index.js";
import { runCommand } from "./shared/command.js";

const usage = `usage: integrate <folder | file.pts | "images*.tiff"> [options]     writes <name>.hkl, .cif_pets, _dyn.cif_pets, .cml to --out
  --kv 200 | --wavelength 0.02508   --aperpixel 0.0053 (Å⁻¹)   --angles=first,step   --geometry continuous|precession|static   --phi degrees
  --noise gain,psi   --saturation counts   --diameter px   --bravais mP   --cell a,b,c,α,β,γ      what is not given is found, or read from the .pts
  --dmin Å   --box 1.5 (spot diameters)   --use profile|box   --merge n,step (virtual frames)   --out out   --name series   --json`;
const names = "kv wavelength aperpixel angles geometry phi noise saturation diameter bravais cell dmin box use merge out name".split(" ");
const text = Object.fromEntries(names.map((n) => [n, { type: "string" } as const]));
const options = { ...text, json: { type: "boolean" }, help: { type: "boolean" } } as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const o = values as Record<string, string | undefined>;
  if (o.help) return console.log(usage);
  const path = positionals[0] ?? fail("bad-value", {}, `name a folder, a .pts or images\n${usage}`);
  const number = (n: string) => (t: string) => (t.trim() && Number.isFinite(Number(t)) ? Number(t) : fail("bad-value", { [n]: t }, usage));
  const numbers = (n: string): number[] | undefined => o[n]?.split(",").map(number(n));
  const one = (n: string) => numbers(n)?.[0];
  const choice = <T extends string>(n: string, of: readonly T[]): T | undefined =>
    o[n] === undefined || of.includes(o[n] as T) ? (o[n] as T) : fail("bad-value", { [n]: o[n] }, `--${n} is one of ${of.join(", ")}`);
  const inputs = positionals.length > 1 ? positionals : await listFiles(path);
  const ptsFile = inputs.find((f) => f.toLowerCase().endsWith(".pts"));
  const listed = ptsFile ? await ptsFrames(ptsFile, parsePts(readInput(ptsFile)).value) : { files: inputs, pts: undefined, missing: 0 };
  if (listed.missing) console.error(`note: ${listed.missing} images listed in ${ptsFile} are missing and left out`);
  const source = await openFrames(await Promise.all(listed.files.map(fileSource)), { formats: pipeline.frameFormats });
  const a = numbers("angles");
  const alphaDeg = a && { first: a[0]!, step: a[1] ?? Number.NaN };
  const geometry = choice("geometry", ["continuous", "precession", "static"]);
  const optics = { wavelength: one("wavelength"), voltageKv: one("kv"), invAngstromPerPixel: one("aperpixel"), phiDeg: one("phi") };
  const { series, spots, notes } = await pipeline.describeSeries(source, { ...optics, alphaDeg, geometry }, listed.pts);
  for (const note of notes) console.error(`  ${note}`);
  const noise = numbers("noise") ? { gain: one("noise")!, psi: numbers("noise")![1] ?? 0 } : spots.noise;
  const found = { ...spots, noise, saturation: one("saturation") ?? spots.saturation, diameter: one("diameter") ?? spots.diameter };
  const c = numbers("cell");
  const onProgress = (p: Progress) => void process.stderr.write(`\r${((100 * p.done) / p.total).toFixed(0)} % ${p.note.padEnd(60)}`);
  const lattice = { bravais: o.bravais as BravaisType | undefined, knownCell: c && unitCell(c[0]!, c[1]!, c[2]!, c[3], c[4], c[5]) };
  const [m, use] = [numbers("merge"), choice("use", ["profile", "box"])];
  const virtual = m && { merge: m[0]!, step: m[1] ?? m[0]!, use };
  const wanted = { dMin: one("dmin"), boxDiameters: one("box"), virtual, curves: { use }, onProgress };
  const record = await pipeline.processSeries(source, series, { spots: found, ...lattice, onProgress });
  const where = pipeline.integrationExperiment(record);
  const reduced = await pipeline.reduceSeries(source, where, { ...wanted, bravais: record.lattice.bravais });
  const r = { ...reduced, warnings: [...source.warnings, ...record.warnings, ...reduced.warnings] };
  const files = pipeline.reducedFiles(r, o.name ?? basename(ptsFile ?? "series", extname(ptsFile ?? "")), record.cellSigma);
  mkdirSync(o.out ?? "out", { recursive: true });
  for (const [file, content] of files) writeFileSync(join(o.out ?? "out", file), content);
  console.error(["", ...r.warnings, `written to ${o.out ?? "out"}: ${[...files.keys()].join(", ")}`].join("\n"));
  console.log(o.json ? JSON.stringify({ file: path, ...pipeline.reducedRecord(r) }) : pipeline.reducedSummary(r).join("\n"));
}
runCommand("integrate", main);
