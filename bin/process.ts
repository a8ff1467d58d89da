// npm start                              simulate a tilt series (once); from its frames to a refined structure; write out/
// npm start -- <folder|.pts|images…>     the same on your own data
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { fail } from "../src/core/index.js";
import { version } from "../src/core/version.js";
import { unitCell } from "../src/geometry/index.js";
import { naturalCompare, openFrames, type Pts, parsePts } from "../src/io/index.js";
import { fileSource, listFiles, ptsFrames } from "../src/io/node/index.js";
import {
  type Determination,
  demoCase,
  describeSeries,
  determinationFiles,
  determinationRecord,
  determinationSections,
  determinationSummary,
  determineStructure,
  frameFormats,
  framePicture,
  processingHtml,
  processSeries,
  recordFiles,
  recordSummary,
} from "../src/pipeline/index.js";
import { structureSvg } from "../src/refine/index.js";
import { writeDemoSeries } from "./demo-series.js";
import { readInput } from "./input.js";
import { progressBar } from "./progress.js";

const usage = `usage: npm start [-- <folder | file.pts | images…> [options]]
Without arguments: simulates a tilt series of albite by Bloch waves once (out/series), then cell, intensities, solution, kinematical and dynamical
refinement; report and files in out/. On your own data the chain goes as far as they allow and says why it stopped.

  --composition "Na Al Si3 O8"       formula, without which no structure is sought
  --dmin 0.7   --virtual 4,3         resolution; frames merged to a virtual one, and step
  --no-structure   --no-dynamical    stop after the cell; after the kinematical refinement
  --workers 2      --seed 1          threads of the dynamical refinement; seed of the solution

  --kv 200 | --wavelength 0.02508    voltage in kV, or wavelength in Å
  --aperpixel 0.0053                 Å⁻¹ per pixel
  --angles=-50,0.5                   first tilt angle and step, or the angle of every frame, degrees, at mid-exposure
  --geometry continuous              or precession, static
  --phi 0.25                         half width of a frame, or precession semi-angle, degrees
  --noise 2.5,1                      Gγ and ψ of the detector
  --saturation 20000   --diameter 8   --snr 7      counts, pixels, least I/σ
  --bravais mP         --cell 5.1,11.97,5.46,90,111.7,90    lattice to use, cell known from elsewhere
  --no-distortions     --no-frames   leave out these refinements
  --out out            --json        folder for the results; a summary as JSON on stdout
A .pts file gives all of these but --cell; headers of SMV, CBF, TIFF (instamatic) and MRC give some. Options win over files.`;

const number = { type: "string" } as const;
const parsed = (): ReturnType<typeof readArguments> => {
  try {
    return readArguments();
  } catch (e) {
    return fail("bad-value", { arguments: process.argv.slice(2).join(" ") }, `${(e as Error).message}\n${usage}`);
  }
};
function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      kv: number,
      wavelength: number,
      aperpixel: number,
      angles: number,
      geometry: number,
      phi: number,
      noise: number,
      saturation: number,
      diameter: number,
      snr: number,
      bravais: number,
      cell: number,
      out: number,
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      "no-distortions": { type: "boolean" },
      "no-frames": { type: "boolean" },
      composition: number,
      dmin: number,
      virtual: number,
      workers: number,
      seed: number,
      "no-structure": { type: "boolean" },
      "no-dynamical": { type: "boolean" },
    },
  });
}

async function main(): Promise<void> {
  const { values: o, positionals } = parsed();
  if (o.help) return console.log(usage);
  const out = o.out ?? "out",
    numbers = (name: keyof typeof o, count?: number): number[] | undefined => {
      const text = o[name];
      if (typeof text !== "string") return undefined;
      const list = text.split(",").map(Number);
      if (list.some((v) => !Number.isFinite(v)) || (count !== undefined && list.length !== count))
        fail("bad-value", { [name]: text }, `--${name} takes ${count ?? "a list of"} number${count === 1 ? "" : "s, separated by commas"}`);
      return list;
    };
  const one = (name: keyof typeof o): number | undefined => numbers(name, 1)?.[0];
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort(new Error("stopped by the user")));
  const angles = numbers("angles"),
    noise = numbers("noise", 2),
    cell = numbers("cell", 6);
  if (o.geometry !== undefined && !["continuous", "precession", "static"].includes(o.geometry))
    fail("bad-value", { geometry: o.geometry }, "--geometry is continuous, precession or static");
  const virtual = numbers("virtual", 2),
    [dMin, workers, seed] = (["dmin", "workers", "seed"] as const).map(one);
  const demo = positionals.length ? undefined : demoCase();
  const inputs = demo ? [await writeDemoSeries(join(out, "series"), demo, abort.signal)] : positionals;
  const { files, pts } = await findInputs(inputs);
  process.stderr.write(`${files.length} file${files.length === 1 ? "" : "s"}${pts ? " listed in a .pts" : ""}\n`);
  const source = await openFrames(await Promise.all(files.map(fileSource)), { formats: frameFormats });
  const { series, spots, notes } = await describeSeries(
    source,
    {
      wavelength: one("wavelength"),
      voltageKv: one("kv"),
      invAngstromPerPixel: one("aperpixel"),
      geometry: o.geometry as "static" | undefined,
      phiDeg: one("phi"),
      alphaDeg: angles?.length === 2 && source.shape[0] !== 2 ? { first: angles[0]!, step: angles[1]! } : angles,
    },
    pts,
  );
  process.stderr.write(`${notes.map((t) => `  ${t}`).join("\n")}\n`);
  const bar = progressBar("processing");
  const record = await processSeries(source, series, {
    signal: abort.signal,
    onProgress: bar.show,
    spots: {
      ...spots,
      ...(noise ? { noise: { gain: noise[0]!, psi: noise[1]! } } : {}),
      ...given({ saturation: one("saturation"), diameter: one("diameter"), minSnr: one("snr") }),
    },
    ...given({
      bravais: o.bravais as "aP" | undefined,
      knownCell: cell && unitCell(...(cell as [number, number, number, number, number, number])),
    }),
    distortions: o["no-distortions"] ? "none" : "auto",
    refineFrames: !o["no-frames"],
  });
  bar.end();
  const name = pts ? basename(inputs[0]!, extname(inputs[0]!)) : basename(dirname(files[0]!)) || "series";
  mkdirSync(out, { recursive: true });
  const provenance = {
    inputs: inputs.map((f) => basename(f)),
    options: Object.fromEntries(Object.entries(o).filter(([k]) => k !== "out" && k !== "json")),
  };
  const write = (list: ReadonlyMap<string, string>): void => {
    for (const [file, text] of list) writeFileSync(join(out, file), text);
  };
  write(recordFiles(record, { name, images: files.map((f) => basename(f)), provenance })); // safe, whatever comes after
  const chain = progressBar("structure");
  const found: Determination = o["no-structure"]
    ? {}
    : await determineStructure(source, record, {
        signal: abort.signal,
        onProgress: chain.show,
        composition: o.composition ?? demo?.composition,
        dMin,
        workers,
        seed,
        virtual: virtual && { merge: virtual[0]!, step: virtual[1]! },
        dynamical: !o["no-dynamical"],
      });
  if (!o["no-structure"]) chain.end();
  write(determinationFiles(found, record, name));
  if (found.diagnosis) writeFileSync(join(out, "structure.svg"), structureSvg(found.diagnosis.structure));
  const shown = [0.08, 0.22, 0.36, 0.5, 0.64, 0.78, 0.92]
      .map((s) => Math.floor(s * source.shape[0]))
      .filter((v, i, all) => all.indexOf(v) === i),
    frames = [];
  for (const index of shown) {
    const image = await source.read(index);
    frames.push({ index, image });
    writeFileSync(
      join(out, `frame-${String(index + 1).padStart(5, "0")}.png`),
      framePicture(record, index, { data: Float32Array.from(image.data), shape: image.shape }),
    );
  }
  const sections = await determinationSections(found, { read: (i) => source.read(i) });
  writeFileSync(
    join(out, "report.html"),
    processingHtml(record, { title: `3D ED: ${name}`, frames, sections, footer: `ewald ${version} · ${JSON.stringify(provenance)}` }),
  );
  await source.close?.();
  for (const w of record.warnings) process.stderr.write(`note: ${w}\n`);
  if (o.json) return console.log(JSON.stringify({ ...recordSummary(record, provenance), structure: determinationRecord(found) }));
  const c = record.cell,
    f = (v: number, d: number): string => v.toFixed(d);
  console.log(
    `lattice   ${record.lattice.bravais}   ${f(c.a, 4)} ${f(c.b, 4)} ${f(c.c, 4)} Å   ${f(c.alphaDeg, 3)} ${f(c.betaDeg, 3)} ${f(c.gammaDeg, 3)}°   ${f(c.volume, 1)} Å³`,
  );
  console.log(
    `indexed   ${f(100 * record.indexed.fraction, 1)} % of ${record.indexing.maxima.size} reflections (${record.peaks.size} spots on ${record.shape[0]} frames)`,
  );
  console.log(`tilt axis ${f(record.omegaDeg, 2)}°`);
  for (const line of determinationSummary(found)) console.log(line);
  console.log(`report    ${join(out, "report.html")}`);
}

/** Only the entries that are there: exact optional properties. */
function given<T extends object>(o: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** Frames of a folder, a list of files, or a `.pts` (its used images, found beside it). */
async function findInputs(inputs: readonly string[]): Promise<{ files: string[]; pts: Pts | undefined }> {
  for (const i of inputs) if (!existsSync(i) && !/[*?[{]/.test(i)) fail("not-found", { path: i }, "there is no such file or folder");
  let ptsFile = inputs.find((i) => i.toLowerCase().endsWith(".pts"));
  const only = inputs[0]!;
  if (!ptsFile && inputs.length === 1 && existsSync(only) && statSync(only).isDirectory())
    ptsFile = (await listFiles(only)).find((f) => f.toLowerCase().endsWith(".pts"));
  if (!ptsFile) return { files: (await Promise.all(inputs.map(listFiles))).flat().sort(naturalCompare), pts: undefined };
  const { value: pts, warnings } = parsePts(readInput(ptsFile));
  for (const w of warnings) process.stderr.write(`note: ${basename(ptsFile)}: ${w}\n`);
  const { missing, ...listed } = await ptsFrames(ptsFile, pts);
  if (missing > 0) process.stderr.write(`note: ${missing} of ${missing + listed.files.length} listed images are missing and left out\n`);
  return listed;
}

main().catch((e: unknown) => {
  console.error(e instanceof Error ? `\n${e.message}` : e);
  process.exitCode = 1;
});
