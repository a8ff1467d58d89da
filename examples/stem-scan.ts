// STEM images and 4D-STEM data of a structure by multislice: pictures, arrays, and whole patterns streamed to a file.
import { readFileSync, writeFileSync } from "node:fs";
import { fail, rng } from "../src/core/index.js";
import { arrayFile, fileCheckpoint } from "../src/io/node/index.js";
import * as ms from "../src/multislice/index.js";
import { describeOutputs, readBox, scanOutputs } from "../src/pipeline/stem-box.js";
import { readCommand, runCommand } from "./shared/command.js";

const usage = `usage: stem-scan <structure.cif | box.xyz> [--zone 0,0,1 | --plane 1,1,0] [--out prefix] [options] [--json]
  --kv 200 --semiangle 20 --defocus 0 --cs 0 (Å)  --tilt 0,0 of the beam, mrad           --depths 50,100 thickness series, Å
  --detectors BF:0-20,ADF:60-150 (mrad; also DPC:5-20/4 in sectors, rings:0-100+2, CoM:40)  --prism 0: none; 1: exact; 2, 4 … interpolation
  --ions  charges of the structure (else neutral)  --vacuum 0 Å about the atoms of an .xyz without a Lattice
  --thickness 100 --across 20 smallest box, Å     --strain 0.03 allowed to close it       --slice 2 Å
  --aberrations C12:50,phi12:0.3 (Å, rad)         --line 0,0,4,0,32: from x,y to x,y (Å), positions
  --step 0.4 Å, or --scan 32x32 probes            --phonons 0 --u 0 (Å², 0: the file's) --seed 1
  --source 0 FWHM, Å    --dose 0 e/Å²             --workers 2 --memory 2048 MB
  --patterns file.npy|h5|zarr --max 60 mrad       --checkpoint file  to go on after an interruption`;
const beam = { kv: 200, semiangle: 20, defocus: 0, cs: 0, source: 0, dose: 0, max: 60 };
const box = { thickness: 100, across: 20, strain: 0.03, slice: 2, step: 0.4, vacuum: 0, phonons: 0, u: 0, seed: 1 };
const numbers = { ...beam, ...box, prism: 0, workers: 2, memory: 2048 };
const texts = ["zone", "plane", "scan", "detectors", "patterns", "checkpoint", "depths", "out", "tilt", "line", "aberrations"] as const;
runCommand("stem-scan", async () => {
  const command = readCommand({ usage, numbers, texts, flags: ["json", "ions"] });
  if (!command) return;
  const { numbers: p, texts: o, flags, list } = command;
  const file = command.files[0] ?? fail("bad-value", {}, `name a structure\n${usage}`);
  const triple = (name: "zone" | "plane"): ms.Triple => list(name, ",", 3) as unknown as ms.Triple;
  if (o.plane && o.zone)
    fail("bad-value", { plane: o.plane, zone: o.zone }, "--plane and --zone are two ways to say which way the beam runs: give one");
  const toSource = o.plane ? { hkl: triple("plane") } : o.zone ? { uvw: triple("zone") } : undefined;
  const size = { toSource, across: p.across, thickness: p.thickness, maxStrain: p.strain, vacuum: p.vacuum || undefined };
  const { atoms, unit, notes } = readBox(file, (path) => readFileSync(path, "utf8"), size);
  const detectors = ms.detectorsFromText(o.detectors ?? "BF:0-20,ADF:60-150");
  if (o.patterns) detectors.push({ kind: "pixelated", maxMrad: p.max });
  const pairs = Object.fromEntries((o.aberrations?.split(",") ?? []).map((t) => [t.split(":")[0]!.trim(), Number(t.split(":")[1] ?? "?")]));
  const [x0, y0, x1, y1, count] = list("line", ",", 5) ?? [];
  const grid = { scan: o.scan, dose: p.dose || undefined, source: p.source || undefined };
  if (count !== undefined && (grid.scan || grid.dose || grid.source))
    fail("bad-value", { line: o.line, ...grid }, "a line has no grid, dose or source size: leave them out");
  const scan = count === undefined ? undefined : ({ kind: "line", from: [x0!, y0!], to: [x1!, y1!], count } as const);
  const optics = { voltageKv: p.kv, semiangleMrad: p.semiangle, aberrations: { defocus: p.defocus, Cs: p.cs, ...pairs } };
  const phonons = p.phonons > 0 ? { configurations: p.phonons, seed: p.seed, ...(p.u > 0 ? { u: p.u } : {}) } : undefined;
  const where = { unit, scan, step: p.step, shape: list("scan", "x", 2) as [number, number] | undefined, depths: list("depths") };
  const tiltMrad = (list("tilt", ",", 2) ?? [0, 0]) as [number, number];
  const how = { tiltMrad, maxMemoryMB: p.memory, interpolation: p.prism || undefined, ions: flags.ions ? ("model" as const) : undefined };
  const plan = ms.planScan(ms.stemSetup(atoms, { ...optics, ...where, ...how, detectors, sliceThickness: p.slice, phonons }));
  for (const note of [...notes, ...plan.warnings, ms.describeScan(plan)]) console.error(note);
  const file4d = ms.patternSink((s) => arrayFile(`${o.patterns}`, { ...s, type: "f32", cube: ms.cubeGeometry(plan) }));
  const onProgress = (q: { done: number; total: number }) => process.stderr.write(`\r${((100 * q.done) / q.total).toFixed(1)} % `);
  const saved = { patternSink: o.patterns ? file4d : undefined, checkpoint: o.checkpoint ? fileCheckpoint(o.checkpoint) : undefined };
  const result = await ms.runScan(plan, { workers: p.workers, maxMemoryMB: p.memory, onProgress, ...saved });
  const after = { sourceFwhm: p.source, dose: p.dose, rng: rng(p.seed) };
  const out = scanOutputs(plan, result, plan.positions.steps ? ms.stemImages(plan, result, after) : [], o.out);
  for (const [path, bytes] of out.files) writeFileSync(path, bytes);
  const { images, arrays } = out;
  if (flags.json) console.log(JSON.stringify({ probes: plan.probes, steps: plan.positions.steps, images, arrays, patterns: o.patterns }));
  else for (const line of describeOutputs(out)) console.log(line);
});
