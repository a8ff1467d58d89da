// STEM images and 4D-STEM data of a structure by multislice: pictures, arrays, and whole patterns streamed to a file.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fail, rng } from "../src/core/index.js";
import { arrayFile, fileCheckpoint } from "../src/io/node/index.js";
import { writeNpy } from "../src/io/npy.js";
import * as ms from "../src/multislice/index.js";
import { imageFiles, readBox } from "../src/pipeline/stem-box.js";

const usage = `usage: stem-scan <structure.cif | box.xyz> [--zone 0,0,1 | --plane 1,1,0] [--out prefix] [options] [--json]
  --kv 200 --semiangle 20 --defocus 0 --cs 0 (Å)  --tilt 0,0 of the beam, mrad           --depths 50,100 thickness series, Å
  --detectors BF:0-20,ADF:60-150 (mrad; also DPC:5-20/4 in sectors, rings:0-100+2, CoM:40)  --prism 0: none; 1: exact; 2, 4 … interpolation
  --ions  charges of the structure (else neutral)  --vacuum 0 Å about the atoms of an .xyz without a Lattice
  --thickness 100 --across 20 smallest box, Å     --strain 0.03 allowed to close it       --slice 2 Å
  --aberrations C12:50,phi12:0.3 (Å, rad)         --line 0,0,4,0,32: from x,y to x,y (Å), positions
  --step 0.4 Å, or --scan 32x32 probes            --phonons 0 --u 0 (Å², 0: the file's) --seed 1
  --source 0 FWHM, Å    --dose 0 e/Å²             --workers 2 --memory 2048 MB
  --patterns file.npy|h5|zarr --max 60 mrad       --checkpoint file  to go on after an interruption`;
const numeric = { kv: 200, semiangle: 20, defocus: 0, cs: 0, thickness: 100, across: 20, strain: 0.03, slice: 2, step: 0.4, phonons: 0 };
const defaults = { ...numeric, vacuum: 0, prism: 0, u: 0, seed: 1, source: 0, dose: 0, max: 60, workers: 2, memory: 2048 };
async function main(): Promise<void> {
  const names = [
    "zone",
    "plane",
    "scan",
    "detectors",
    "patterns",
    "checkpoint",
    "depths",
    "out",
    "tilt",
    "line",
    "aberrations",
    ...Object.keys(defaults),
  ];
  const texts = Object.fromEntries(names.map((n) => [n, { type: "string" } as const]));
  const flags = { json: { type: "boolean" }, ions: { type: "boolean" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ options: { ...texts, ...flags }, allowPositionals: true });
  const o = values as Readonly<Record<string, string | undefined>>;
  if (o.help) return console.log(usage);
  const file = positionals[0] ?? fail("bad-value", {}, `name a structure\n${usage}`);
  const list = (name: string, split: string, count?: number): number[] | undefined => {
    const v = o[name]?.split(split).map((t) => (t.trim() === "" ? Number.NaN : Number(t)));
    if (v && !(v.every(Number.isFinite) && v.length === (count ?? v.length))) fail("bad-value", { [name]: o[name] }, usage);
    return v;
  };
  const p = Object.fromEntries(Object.entries(defaults).map(([n, d]) => [n, list(n, " ", 1)?.[0] ?? d])) as typeof defaults;
  const axis = (name: string): ms.Triple => (list(name, ",", 3) ?? [0, 0, 1]) as unknown as ms.Triple;
  if (o.plane && o.zone)
    fail("bad-value", { plane: o.plane, zone: o.zone }, "--plane and --zone are two ways to say which way the beam runs: give one");
  const toSource = o.plane ? { hkl: axis("plane") } : o.zone ? { uvw: axis("zone") } : undefined;
  const size = { toSource, across: p.across, thickness: p.thickness, maxStrain: p.strain, vacuum: p.vacuum || undefined };
  const { atoms, unit, notes } = readBox(file, (path) => readFileSync(path, "utf8"), size);
  const detectors = ms.detectorsFromText(o.detectors ?? "BF:0-20,ADF:60-150");
  if (o.patterns) detectors.push({ kind: "pixelated", maxMrad: p.max });
  const pairs = Object.fromEntries((o.aberrations?.split(",") ?? []).map((t) => [t.split(":")[0]!.trim(), Number(t.split(":")[1] ?? "?")]));
  const [x0, y0, x1, y1, count] = list("line", ",", 5) ?? [];
  if (count !== undefined && (o.scan || o.dose || o.source))
    fail(
      "bad-value",
      { line: o.line, scan: o.scan, dose: o.dose, source: o.source },
      "a line has no grid, dose or source size: leave them out",
    );
  const scan = count === undefined ? undefined : ({ kind: "line", from: [x0!, y0!], to: [x1!, y1!], count } as const);
  const optics = { voltageKv: p.kv, semiangleMrad: p.semiangle, aberrations: { defocus: p.defocus, Cs: p.cs, ...pairs } };
  const phonons = p.phonons > 0 ? { configurations: p.phonons, seed: p.seed, ...(p.u > 0 ? { u: p.u } : {}) } : undefined;
  const where = { unit, scan, step: p.step, shape: list("scan", "x", 2) as [number, number] | undefined, depths: list("depths", ",") };
  const [tiltX = 0, tiltY = 0] = list("tilt", ",", 2) ?? [];
  const how = {
    tiltMrad: [tiltX, tiltY] as const,
    maxMemoryMB: p.memory,
    interpolation: p.prism === 0 ? undefined : p.prism,
    ions: o.ions ? ("model" as const) : undefined,
  };
  const plan = ms.planScan(ms.stemSetup(atoms, { ...optics, ...where, ...how, detectors, sliceThickness: p.slice, phonons }));
  for (const note of [...notes, ...plan.warnings, ms.describeScan(plan)]) console.error(note);
  const file4d = ms.patternSink((s) => arrayFile(`${o.patterns}`, { ...s, type: "f32", cube: ms.cubeGeometry(plan) }));
  const onProgress = (q: { done: number; total: number }) => process.stderr.write(`\r${((100 * q.done) / q.total).toFixed(1)} % `);
  const saved = { patternSink: o.patterns ? file4d : undefined, checkpoint: o.checkpoint ? fileCheckpoint(o.checkpoint) : undefined };
  const result = await ms.runScan(plan, { workers: p.workers, maxMemoryMB: p.memory, onProgress, ...saved });
  const after = { sourceFwhm: p.source, dose: p.dose, rng: rng(p.seed) };
  const images = plan.positions.steps ? ms.stemImages(plan, result, after) : [];
  const rows = images.map(({ data, depth = plan.depths[0]!, ...rest }) => {
    const path = o.out && `${o.out}-${rest.name}${o.depths ? `-${depth.toFixed(0)}A` : ""}`;
    if (path) for (const [end, bytes] of imageFiles({ data, ...rest })) writeFileSync(`${path}.${end}`, bytes);
    return { ...rest, depth, path };
  });
  // Readings of more than a number (sectors, rings, centres of mass), and lines.
  const more = result.readings.filter((r) => r.data.length > 0 && !images.some((i) => i.name === r.name));
  const arrays = more.map(({ data, ...rest }) => {
    const path = o.out && `${o.out}-${rest.name}.npy`;
    if (path) writeFileSync(path, writeNpy(data, [...rest.shape]));
    return { ...rest, path };
  });
  const all = { probes: plan.probes, steps: plan.positions.steps, images: rows, arrays, patterns: o.patterns };
  if (o.json) return console.log(JSON.stringify(all));
  const text = (v: number): string => v.toExponential(4).padStart(12);
  console.log(`image          depth, Å${["mean", "min", "max"].map((t) => t.padStart(12)).join("")}`);
  for (const r of rows) console.log(r.name.padEnd(14), r.depth.toFixed(1).padStart(8), ...[r.mean, r.min, r.max].map(text));
  for (const { name, shape, path } of arrays) console.log(`${name.padEnd(14)} [${shape}]${path ? ` in ${path}` : "; --out writes it"}`);
}
main().catch((e: unknown) => {
  console.error(e instanceof Error ? `stem-scan: ${e.message}` : e);
  process.exitCode = 1;
});
