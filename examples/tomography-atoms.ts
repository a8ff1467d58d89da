// From a tilt series to refined atoms:  tomography-atoms <projections> [angles] --pixel <Å> [--species Fe,Pt] [--align]
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fail } from "../src/core/index.js";
import { fileSource } from "../src/io/node/index.js";
// biome-ignore format: one idea
import { atomsOutput, atomTomography, elementsByNumber, type PoseConvention, readSeriesAnyConvention, type StackLayout } from "../src/tomography/index.js";
import { readCommand, runCommand } from "./shared/command.js";

const usage = `usage: tomography-atoms <projections> [angles] --pixel <angstroms> [--species Fe,Pt] [--align] [--json]
  projections  MRC, TIFF, NPY, MAT, HDF5, as [view, y, x] or [x, y, view]; angles: .tlt, .mdoc, text of 1, 3, 4 or 9 columns, NPY, MAT
  --species    elements of the atoms; without it their number (1 to 3) is found from the intensities
  --align      shifts first, angles where they are far off, then shift and rotation of every view together with the atoms
  --convention ZYX | ZYZ   meaning of three angles; default: what fits the views    --axis deg   from the x of the image, default 90
  --layout     view-y-x | x-y-view | y-x-view   axes of NPY, MAT, HDF5; default: what angles and profiles say
  --extended | --isolated   the object goes on outside the field, or not; default: what the rims of the views say
  --iterations 100  --min-distance A  --radians  --workers n  --seed n  --out atoms.xyz  --pdb atoms.pdb  --cif atoms.cif  --html atoms.html (turn it)`;
const none = undefined;
const numbers = { pixel: none, axis: none, iterations: none, "min-distance": none, workers: none };
const texts = ["species", "convention", "layout", "seed", "out", "pdb", "cif", "html"] as const;
const flags = ["align", "extended", "isolated", "radians", "json"] as const;

runCommand("tomography-atoms", async () => {
  const command = readCommand({ usage, numbers, texts, flags });
  if (!command) return;
  const { numbers: n, texts: o, flags: on } = command;
  const [stack = fail("bad-value", {}, `name a stack of projections\n${usage}`), angles] = command.files;
  const names = elementsByNumber(o.species?.split(","));
  const angleFile = angles ? await fileSource(angles) : undefined;
  const { series, warnings, convention } = await readSeriesAnyConvention(await fileSource(stack), angleFile, {
    ...{ convention: o.convention?.toUpperCase() as PoseConvention | undefined, layout: o.layout as StackLayout | undefined },
    ...{ workers: n.workers, axisDeg: n.axis, pixelAngstrom: n.pixel, damaged: "leave out" as const },
    angleUnit: on.radians ? "radians" : undefined,
  });
  if (series.pixelAngstrom === undefined) fail("bad-value", { stack }, "the file names no pixel size: give --pixel in angstroms");
  const out = await atomTomography(series, {
    ...{ classes: names?.length, align: on.align, iterations: n.iterations, minDistance: n["min-distance"] },
    ...{ workers: n.workers, seed: o.seed, extended: on.extended ? true : on.isolated ? false : undefined },
    now: () => performance.now(),
    onProgress: (p) => void process.stderr.write(`\r${p.note.padEnd(78)}`),
  });
  process.stderr.write("\n");
  const notes = [...warnings, ...out.warnings];
  for (const w of notes) process.stderr.write(`note: ${w}\n`);
  if (out.model.size === 0)
    fail("not-found", { threshold: out.traced.threshold }, "no atoms were found: check pixel size, angles and axis");
  const said = { names, stack: basename(stack), out: o.out, convention: on.align ? convention : undefined };
  const { file, record, xyz, ...others } = atomsOutput(out, said);
  writeFileSync(file, xyz);
  for (const kind of ["pdb", "cif", "html"] as const) if (o[kind]) writeFileSync(o[kind], others[kind]);
  const seconds = Object.fromEntries(Object.entries(out.times).map(([name, ms]) => [name, Math.round(ms) / 1000]));
  const all = { ...record, warnings: notes, seconds, memoryMB: Math.round(process.resourceUsage().maxRSS / 1024), xyz: file };
  const shown = ([name, v]: [string, unknown]): string => `${name}: ${typeof v === "object" ? JSON.stringify(v) : v}`;
  console.log(on.json ? JSON.stringify(all) : Object.entries(all).map(shown).join("\n"));
});
