// Convergent-beam pattern of a structure by multislice, with thermal vibrations, as a picture and as numbers.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fail, runSync } from "../src/core/index.js";
import { beam } from "../src/geometry/beam.js";
import { writeNpy } from "../src/io/npy.js";
import * as ms from "../src/multislice/index.js";
import { readBox, volumeFile } from "../src/pipeline/stem-box.js";
import { imagePng } from "../src/render/image.js";
import { mottBethe } from "../src/scattering/xray.js";

const usage = `usage: cbed-multislice <structure.cif | box.xyz> [--zone 0,0,1] [--kv 200] [--thickness 200] [--mrad 8] [--phonons 8] [--png out.png] [--npy out.npy] [--json]
  --phonons 8    snapshots of vibrating atoms; 0: atoms at rest       --u 0.006      mean square displacement, Å², where the file has none
  --max 60       largest scattering angle, mrad                       --across 0     width of the box, Å; 0: what the probe needs
  --potential    v.mrc or v.npy: the potential of the atoms at rest, V
  --ions         charges of the structure, else neutral atoms         an .xyz box is taken as it stands, several frames as snapshots
  --slice 2      thickness of a slice, Å        --seed 1    --strain 0.02   largest strain that closes the box of an odd zone`;
const defaults = { kv: 200, thickness: 200, mrad: 8, phonons: 8, u: 0.006, max: 60, across: 0, slice: 2, seed: 1, strain: 0.02 };

function main(): void {
  const text = { type: "string" } as const;
  const options = Object.fromEntries(["zone", "png", "npy", "potential", ...Object.keys(defaults)].map((n) => [n, text]));
  const flags = { json: { type: "boolean" }, ions: { type: "boolean" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ options: { ...options, ...flags }, allowPositionals: true });
  const o = values as Readonly<Record<string, string | boolean | undefined>>;
  if (o.help) return console.log(usage);
  const file = positionals[0] ?? fail("bad-value", {}, `name a structure\n${usage}`);
  const given = Object.entries(defaults).map(([n, d]) => [n, o[n] === undefined ? d : Number(o[n])] as const);
  for (const [n, v] of given) if (!(Number.isFinite(v) && v >= 0)) fail("bad-value", { [n]: o[n] }, `--${n} is a number, not negative`);
  const p = Object.fromEntries(given) as typeof defaults;
  const uvw = `${o.zone ?? "0,0,1"}`.split(",").map(Number) as [number, number, number];
  if (uvw.length !== 3 || !uvw.every(Number.isFinite)) fail("bad-value", { zone: o.zone }, "--zone is three numbers, for example 1,1,0");
  const [b, probe] = [beam(p.kv), { aperture: p.mrad / 1000 }];
  const across = p.across || 2 * ms.probeRadius(b, probe) + (p.thickness * p.mrad) / 1000 + 4,
    size = { across, thickness: p.thickness, maxStrain: p.strain };
  const box = readBox(file, (path) => readFileSync(path, "utf8"), {
    ...size,
    toSource: o.zone || !/\.xyz$/i.test(file) ? { uvw } : undefined,
  });
  const snapshots = "count" in box.atoms ? box.atoms : undefined,
    atoms = "count" in box.atoms ? box.atoms.snapshot(0) : box.atoms,
    c = atoms.cell;
  const charges = o.ions ? "" : ms.ionNames(atoms),
    neutral = charges ? [`charges (${charges}) are left out: --ions takes them`] : [];
  for (const note of [...box.notes, ...neutral]) console.error(`note: ${note}`);
  const grid = ms.gridOfSampling([c[0]!, c[1]!], [c[3]!, c[4]!], ms.samplingForAngle(p.max, b.wavelength));
  const rest = { ...atoms, displacement: undefined };
  const moving =
    snapshots ??
    (p.phonons
      ? ms.frozenPhonons(atoms, { configurations: p.phonons, seed: p.seed, u: atoms.displacement ? "model" : p.u })
      : ms.still(rest));
  const potential = { sliceThickness: p.slice, ...(o.ions ? { ions: "model" as const, factors: mottBethe } : {}) };
  const slices = ms.slices(atoms, potential).count,
    memory = ms.multisliceMemory({ grid, slices, elements: new Set(atoms.atomicNumbers).size }).total;
  console.error(`note: ${atoms}, ${grid.nx} × ${grid.ny} pixels, ${slices} slices, about ${Math.ceil(memory / 1048576)} MB`);
  if (typeof o.potential === "string") {
    const plan = ms.potentialPlan(atoms, { ...potential, grid });
    writeFileSync(o.potential, volumeFile(o.potential, ms.potentialVolume(plan)));
    plan.free();
  }
  const steps = ms.diffractionSteps(moving, { beam: b, grid, probe, wantedAngle: p.max / 1000, potential });
  const result = runSync(steps, ({ done, total, note }) => note === "snapshots" && console.error(`${note}: ${done} of ${total}`));
  const image = ms.patternImage(result, p.max / 1000 / b.wavelength);
  const totals = { ...ms.patternTotals(result, b, probe.aperture), box: [...c], pixels: [grid.nx, grid.ny] };
  if (typeof o.png === "string") writeFileSync(o.png, imagePng(image, { scale: { kind: "log", percentiles: [12, 99.97] } }));
  if (typeof o.npy === "string") writeFileSync(o.npy, writeNpy(image.data, [...image.shape]));
  const { shape, invAngstromPerPixel } = image;
  if (o.json) return console.log(JSON.stringify({ ...totals, shape, invAngstromPerPixel, png: o.png, npy: o.npy }, null, 1));
  const rows: readonly (readonly [string, number | readonly number[]])[] = Object.entries(totals);
  for (const [name, v] of rows) console.log(`${name.padEnd(22)} ${[v].flat().map((x) => Number(x.toPrecision(5)))}`);
}
try {
  main();
} catch (e) {
  console.error(e instanceof Error ? `cbed-multislice: ${e.message}` : e);
  process.exitCode = 1;
}
