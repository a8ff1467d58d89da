// Dynamical intensities of a structure against the frames of a PETS2 file: R of each frame with its best scale.
import { readInput } from "../bin/input.js";
import { frameCrystal } from "../src/bloch/frames.js";
import { overFrames } from "../src/bloch/frames-residuals.js";
import { sweepPool } from "../src/bloch/integrate-pool.js";
import { fail } from "../src/core/index.js";
import { parseCifPets } from "../src/io/pets/cif-pets.js";
import { compareFrames, petsFrames, refineOrientations } from "../src/pipeline/dynamical.js";
import { readStructure } from "../src/pipeline/dynamical-structure.js";
import { prepareDynamical } from "../src/refine/dynamical-start.js";
import { peng1996 } from "../src/scattering/peng.js";
import { readCommand, runCommand } from "./shared/command.js";

const usage = `usage: dynamical-frames <structure.cif | m40 with m50 beside it> <file.cif_pets> [options] [--frames 1,5,9] [--orient] [--workers n] [--json]
  --thickness 400  Å, of the plate, or the largest of --model wedge|cylinder|sphere    --tilt 0  tilt correction C
  --gmax 2 --sgmax 0.01 --steps 96  beams, samples of an exposure     --rsg 0.66 --dsg 0  filter     --mosaicity 0  σ in degrees
  --orient         refine the orientation of each frame first`;
const numbers = { thickness: 400, tilt: 0, gmax: 2, sgmax: 0.01, steps: 96, rsg: 0.66, dsg: 0, mosaicity: 0, workers: 2 };
const kinds = ["plate", "wedge", "cylinder", "sphere"] as const;
runCommand("dynamical-frames", async () => {
  const command = readCommand({ usage, numbers, texts: ["model", "frames"], flags: ["orient", "json"] });
  if (!command) return;
  const { numbers: p, texts: o, flags } = command,
    [structureFile, petsFile] = command.files;
  if (!structureFile || !petsFile) return fail("bad-value", {}, `name a structure and a .cif_pets file\n${usage}`);
  const kind = kinds.find((k) => k === (o.model ?? "plate"));
  if (!kind) return fail("bad-value", { model: o.model }, usage);
  const { value: read, warnings } = readStructure(structureFile, readInput);
  const { value: pets, warnings: more } = parseCifPets(readInput(petsFile));
  const { frames: all, beam, warnings: odd } = petsFrames(pets, { rsgMax: p.rsg, dsgMin: p.dsg });
  const wanted = o.frames ? o.frames.split(",") : all.map((f) => f.id);
  const frames = all.filter((f) => wanted.includes(f.id));
  if (frames.length === 0) fail("not-found", { frames: wanted }, "the file has no such frame");
  const contradictions = [...odd];
  const structure = prepareDynamical(read, [{ frames }], contradictions);
  for (const w of [...warnings, ...more, ...contradictions]) console.error(`note: ${w}`);
  const crystal = frameCrystal(structure, beam, p.gmax, { factors: peng1996 });
  const mosaicity = { kind: "quantiles", varianceDeg2: p.mosaicity ** 2, count: p.mosaicity > 0 ? 5 : 1 } as const;
  const sampling = { sweep: { kind: "midpoint", steps: p.steps }, azimuths: p.steps } as const;
  const shape = { thickness: p.thickness, thicknessModel: { kind }, tiltCorrection: p.tilt };
  const model = { gMax: p.gmax, sMax: p.sgmax, mosaicity, sampling, ...shape };
  const oriented = flags.orient ? refineOrientations(crystal, frames, model) : frames;
  const on = await sweepPool({ workers: p.workers });
  const rows = await compareFrames(crystal, oriented, model, { on }).finally(() => on.pool.close());
  const agreements = rows.map((r) => r.agreement);
  const summary = overFrames(agreements, (a) => a.rObserved);
  if (flags.json) return console.log(JSON.stringify({ frames: rows, summary }, null, 1));
  const percent = (x: number): string => `${(100 * x).toFixed(2).padStart(6)} %`;
  for (const { id, reflections: n, agreement: a } of rows) {
    const text = a.status === "compared" && `R(obs) ${percent(a.rObserved)}  R(all) ${percent(a.rAll)}  scale ${a.scale.toFixed(2)}`;
    console.log(`frame ${id.padStart(3)}: ${a.status === "excluded" ? `left out, ${a.reason}` : `${n} reflections  ${text}`}`);
  }
  if (summary) console.log(`${summary.frames} frames: R(obs) median ${percent(summary.median)}, mean ${percent(summary.mean)}`);
});
