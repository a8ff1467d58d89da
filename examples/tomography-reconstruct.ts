// A volume from a tilt series:  tomography-reconstruct <projections> [angles] [options]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fail, isSdkError } from "../src/core/index.js";
import { writeMrc, writeNpy } from "../src/io/index.js";
import { fileSource } from "../src/io/node/index.js";
// biome-ignore format: one idea
import { alignSeries, type BackgroundOptions, curvesSvg, halfSetFsc, inspectSeries, type PoseConvention, poseDoubts, type ReconstructMethod, readTiltSeries, reconstruct, reconstructionRecord, reconstructionSummary, removeBackground, slicesPng, viewRims } from "../src/tomography/index.js";

const usage = `usage: tomography-reconstruct <projections> [angles] [--method genfire|resire|sirt|sart|tv|fbp] [--iterations n] [--json]
  projections  MRC, TIFF, NPY, MAT, HDF5; angles: .tlt, .mdoc, text of 1, 3, 4 or 9 columns, NPY, MAT
  --convention ZYZ|ZYX  meaning of three angles       --axis deg    tilt axis from the image's x, default 90
  --pixel A             pixel size, angstroms         --volume nz,ny,nx   default: as the views, nz = nx
  --background constant|plane|minimum|none            default: constant where the rim is not dark
  --align  --refine-angles deg  --radians             shifts; largest step of the angles; the angle file is in radians
  --withhold 0.05  --seed n  --fsc  --workers n  --out volume.mrc|.npy  --png slices.png  --curves figures.svg`;
const texts = "method iterations convention axis pixel volume background refine-angles withhold seed workers out png curves".split(" ");
const flags = "align radians fsc json help".split(" ");

async function main(): Promise<void> {
  const kind = (names: string[], type: "string" | "boolean") => names.map((n) => [n, { type }] as const);
  const known = Object.fromEntries([...kind(texts, "string"), ...kind(flags, "boolean")]);
  const { values, positionals } = parseArgs({ allowPositionals: true, options: known });
  const [o, on] = [values as Record<string, string | undefined>, values as Record<string, boolean | undefined>];
  if (on.help) return console.log(usage);
  const [stack = fail("bad-value", {}, `name a stack of projections\n${usage}`), angles] = positionals;
  const bad = (name: string): never => fail("bad-value", { [name]: o[name] }, `--${name} takes numbers\n${usage}`);
  const numbers = (name: string) => o[name]?.split(",").map((t) => (t.trim() && Number.isFinite(Number(t)) ? Number(t) : bad(name)));
  const number = (name: string): number | undefined => numbers(name)?.[0];
  const notes = (list: readonly string[]): void => void process.stderr.write(list.map((w) => `\r${`note: ${w}`.padEnd(70)}\n`).join(""));
  const onProgress = (p: { readonly done: number; readonly total: number; readonly note: string }): void =>
    void process.stderr.write(`\r${`${p.done}/${p.total} ${p.note}`.padEnd(70)}`);
  const [workers, angleStepDeg] = [number("workers"), number("refine-angles")];
  // biome-ignore format: one idea
  const read = await readTiltSeries(await fileSource(stack), angles === undefined ? undefined : await fileSource(angles), { convention: o.convention?.toUpperCase() as PoseConvention | undefined, axisDeg: number("axis"), pixelAngstrom: number("pixel"), angleUnit: on.radians ? "radians" : undefined });
  notes(read.warnings);
  const background = o.background ?? (inspectSeries(read.series).background > 0.02 ? "constant" : "none");
  let series = background === "none" ? read.series : removeBackground(read.series, { model: background as BackgroundOptions["model"] });
  if (on.align || angleStepDeg) series = (await alignSeries(series, { workers, onProgress, angleStepDeg })).series;
  const [seen, doubts] = [inspectSeries(series), viewRims(series).extended ? [] : (await poseDoubts(series, { workers })).warnings];
  const report = { ...seen, warnings: [...seen.warnings, ...doubts] };
  notes(report.warnings);
  // biome-ignore format: one idea
  const options = { method: o.method ?? "genfire", iterations: number("iterations"), withhold: number("withhold"), seed: o.seed, volume: numbers("volume") } as ReconstructMethod;
  const r = await reconstruct(series, { ...options, workers, onProgress });
  process.stderr.write("\n");
  notes(r.warnings);
  const fsc = on.fsc ? (await halfSetFsc(series, { ...options, workers })).curve : undefined;
  const mrc = (a = series.pixelAngstrom ?? 1): Uint8Array => writeMrc(r.volume, r.shape, { volume: true, pixelAngstrom: [a, a, a] });
  if (o.out) writeFileSync(o.out, /\.npy$/i.test(o.out) ? writeNpy(r.volume, r.shape) : mrc());
  if (o.png) writeFileSync(o.png, slicesPng(r.volume, r.shape));
  if (o.curves) writeFileSync(o.curves, curvesSvg(r));
  const said = { ...options, background, align: Boolean(on.align), angleStepDeg, files: positionals };
  const json = reconstructionRecord(r, report, { pixelAngstrom: series.pixelAngstrom, fsc, options: said });
  console.log(on.json ? JSON.stringify(json) : reconstructionSummary(r, report).join("\n"));
}
main().catch((e: unknown) => {
  console.error(isSdkError(e) || e instanceof TypeError ? `tomography-reconstruct: ${(e as Error).message}` : e);
  process.exitCode = 1;
});
