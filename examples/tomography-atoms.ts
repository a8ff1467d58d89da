// From a tilt series to refined atoms:  tomography-atoms <projections> [angles] --pixel <Å> [--species Fe,Pt] [--align]
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fail, isSdkError } from "../src/core/index.js";
import { fileSource } from "../src/io/node/index.js";
import {
  atomsOutput,
  atomTomography,
  elementsByNumber,
  type PoseConvention,
  readSeriesAnyConvention,
  type StackLayout,
} from "../src/tomography/index.js";

const usage = `usage: tomography-atoms <projections> [angles] --pixel <angstroms> [--species Fe,Pt] [--align] [--json]
  projections  MRC, TIFF, NPY, MAT, HDF5, as [view, y, x] or [x, y, view]; angles: .tlt, .mdoc, text of 1, 3, 4 or 9 columns, NPY, MAT
  --species    elements of the atoms; without it their number (1 to 3) is found from the intensities
  --align      shifts first, then shift and rotation of every view together with the atoms
  --convention ZYX | ZYZ   meaning of three angles; default: what fits the views    --axis deg   from the x of the image, default 90
  --layout     view-y-x | x-y-view | y-x-view   axes of NPY, MAT, HDF5; default: what angles and profiles say
  --extended | --isolated   the object goes on outside the field, or not; default: what the rims of the views say
  --iterations 100  --min-distance A  --radians  --workers n  --seed n  --out atoms.xyz  --pdb atoms.pdb  --cif atoms.cif  --html atoms.html (turn it)`;
const texts = "pixel species convention axis layout iterations min-distance workers seed out pdb cif html".split(" ");
const flags = "align extended isolated radians json help".split(" ");

async function main(): Promise<void> {
  const kind = (names: string[], type: "string" | "boolean") => names.map((n) => [n, { type }] as const);
  const known = Object.fromEntries([...kind(texts, "string"), ...kind(flags, "boolean")]);
  const { values, positionals } = parseArgs({ allowPositionals: true, options: known });
  const [o, on] = [values as Record<string, string | undefined>, values as Record<string, boolean | undefined>];
  if (on.help) return console.log(usage);
  const [stack = fail("bad-value", {}, `name a stack of projections\n${usage}`), angles] = positionals;
  const bad = (name: string): never => fail("bad-value", { [name]: o[name] }, `--${name} takes a number\n${usage}`);
  const number = (name: string): number | undefined =>
    o[name] === undefined ? undefined : o[name].trim() && Number.isFinite(Number(o[name])) ? Number(o[name]) : bad(name);
  const names = elementsByNumber(o.species?.split(","));
  const stated = o.convention?.toUpperCase() as PoseConvention | undefined;
  // biome-ignore format: one idea
  const { series, warnings, convention } = await readSeriesAnyConvention(await fileSource(stack), angles === undefined ? undefined : await fileSource(angles), { convention: stated, workers: number("workers"), axisDeg: number("axis"), pixelAngstrom: number("pixel"), angleUnit: on.radians ? "radians" : undefined, layout: o.layout as StackLayout | undefined, damaged: "leave out" });
  if (series.pixelAngstrom === undefined) fail("bad-value", { stack }, "the file names no pixel size: give --pixel in angstroms");
  const out = await atomTomography(series, {
    ...{ classes: names?.length, align: on.align, iterations: number("iterations"), minDistance: number("min-distance") },
    ...{ workers: number("workers"), seed: o.seed, extended: on.extended ? true : on.isolated ? false : undefined },
    now: () => performance.now(),
    onProgress: (p) => void process.stderr.write(`\r${p.note.padEnd(78)}`),
  });
  process.stderr.write("\n");
  for (const w of [...warnings, ...out.warnings]) process.stderr.write(`note: ${w}\n`);
  if (out.model.size === 0)
    fail("not-found", { threshold: out.traced.threshold }, "no atoms were found: check pixel size, angles and axis");
  const { file, record, xyz, ...others } = atomsOutput(out, {
    names,
    stack: basename(stack),
    out: o.out,
    convention: on.align ? convention : undefined,
  });
  writeFileSync(file, xyz);
  for (const kind of ["pdb", "cif", "html"] as const) if (o[kind]) writeFileSync(o[kind], others[kind]);
  const seconds = Object.fromEntries(Object.entries(out.times).map(([n, ms]) => [n, Math.round(ms) / 1000]));
  const all = {
    ...record,
    warnings: [...warnings, ...out.warnings],
    seconds,
    memoryMB: Math.round(process.resourceUsage().maxRSS / 1024),
    xyz: file,
  };
  const shown = ([n, v]: [string, unknown]): string => `${n}: ${typeof v === "object" ? JSON.stringify(v) : v}`;
  console.log(on.json ? JSON.stringify(all) : Object.entries(all).map(shown).join("\n"));
}
main().catch((e: unknown) => {
  console.error(isSdkError(e) || e instanceof TypeError ? `tomography-atoms: ${(e as Error).message}` : e);
  process.exitCode = 1;
});
