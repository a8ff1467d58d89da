// Dynamical least squares of a structure against the frames of a PETS2 file, from a thickness scan to standard uncertainties.
import { existsSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readInput, readJson } from "../bin/input.js";
import { fail, type Progress } from "../src/core/index.js";
import { structureToCif } from "../src/geometry/index.js";
import { parseCifPets, writeCif } from "../src/io/index.js";
import { petsFrames } from "../src/pipeline/dynamical.js";
import { dynamicalJanaFiles } from "../src/pipeline/dynamical-jana.js";
import { readStructure } from "../src/pipeline/dynamical-structure.js";
import { type DynamicalCheckpoint, describeDynamical, dynamicalReport, runDynamical } from "../src/refine/index.js";
import { readCommand, runCommand } from "./shared/command.js";

const usage = `usage: refine-dynamical <structure.cif | m40 with m50 beside it> <data.cif_pets> [options] [--json]
  --thickness Å    near there (default: a scan up to --tmax 2000)     --model plate|wedge|cylinder|sphere|free (default: the better of the first two)
  --gmax Å⁻¹ --sgmax 0.01 --steps n  beams, samples of an exposure    --rsg 0.66 --dsg 0  filter    --frames 1,5,9
  --mosaicity °    refine mosaic blocks, starting at this σ           --tilt 0  C of the tilt correction; refined over 40° of tilt
  --fix-orientations  --free-h (hydrogen atoms ride)  --start-only (scales and thickness)  --hand (test both)  --outliers σ
  --cycles 20 --workers n   --checkpoint file (written every cycle, resumed from)   --out refined.cif (JANA's .m40 .m42 .m50 .m90 beside it)`;
const none = undefined as number | undefined;
const beams = { gmax: none, sgmax: none, steps: none, rsg: none, dsg: none };
const numbers = { ...beams, thickness: none, tmax: none, mosaicity: none, tilt: none, outliers: none, cycles: none, workers: none };
const texts = ["model", "frames", "checkpoint", "out"] as const;
const shapes = ["plate", "wedge", "cylinder", "sphere"] as const;
const progress = (p: Progress): void => void process.stderr.write(`\r${`${p.done}/${p.total} ${p.note}`.padEnd(70)}`);

runCommand("refine-dynamical", async () => {
  const command = readCommand({ usage, numbers, texts, flags: ["fix-orientations", "free-h", "start-only", "hand", "json"] });
  if (!command) return;
  const { numbers: n, texts: o, flags } = command;
  const [file, petsFile] = command.files;
  const kind = shapes.find((k) => k === o.model);
  if (!file || !petsFile || (o.model && o.model !== "free" && !kind))
    return fail("bad-value", { files: command.files.length, model: o.model }, usage);
  const structure = readStructure(file, readInput);
  const pets = parseCifPets(readInput(petsFile));
  const { frames, beam, warnings: odd } = petsFrames(pets.value, { rsgMax: n.rsg ?? 0.66, dsgMin: n.dsg, gMax: n.gmax });
  const wanted = o.frames?.split(",").map((w) => w.trim()) ?? frames.map((f) => f.id);
  const of = (id: string) => frames.find((f) => f.id === id) ?? fail("not-found", { frame: id }, "the file has no such frame");
  const data = { beam, frames: [...new Set(wanted)].map(of) };
  const resume = o.checkpoint !== undefined && existsSync(o.checkpoint) ? readJson<DynamicalCheckpoint>(o.checkpoint) : undefined;
  const model = { gMax: n.gmax, sMax: n.sgmax, steps: n.steps, mosaicityDeg: n.mosaicity, tiltCorrection: n.tilt, thickness: n.thickness };
  const { "fix-orientations": fixed, "free-h": freeHydrogens, "start-only": startOnly, hand } = flags;
  const what = { orientations: !fixed, freeHydrogens, startOnly, hand };
  const shape = { freeThickness: o.model === "free", thicknessModel: kind && { kind }, thicknessTo: n.tmax };
  const run = { ...shape, outlierSigma: n.outliers, maxCycles: n.cycles, workers: n.workers };
  const onCheckpoint = (c: unknown): void => (o.checkpoint === undefined ? undefined : writeFileSync(o.checkpoint, JSON.stringify(c)));
  const r = await runDynamical(structure.value, data, { ...model, ...what, ...run, onCheckpoint, resume, onProgress: progress });
  process.stderr.write("\n");
  const blocks = [structureToCif(r.result.structure, "refined")];
  if (o.out) writeFileSync(o.out, writeCif({ version: "1.1", comments: [], blocks }));
  const { ub, wavelength } = pets.value,
    title = o.out && basename(o.out).replace(/\.cif$/i, "");
  if (o.out && title && ub && ["plate", "wedge"].includes(r.result.models[0]!.thicknessModel.kind))
    for (const [name, text] of dynamicalJanaFiles(r.result, title, { ub: ub as never, wavelength, rsgMax: n.rsg, dsgMin: n.dsg }))
      writeFileSync(join(dirname(o.out), name), text);
  const notes = [...new Set([...structure.warnings, ...pets.warnings, ...odd, ...r.start.warnings, ...r.notes, ...r.result.warnings])];
  if (flags.json) return console.log(JSON.stringify(dynamicalReport(r.result, { ...r, notes })));
  for (const line of [...describeDynamical(r.result, r), ...notes.map((x) => `note: ${x}`)]) console.log(line);
});
