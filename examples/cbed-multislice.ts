// Convergent-beam pattern of a structure by multislice, with thermal vibrations, as a picture and as numbers.
import { readFileSync, writeFileSync } from "node:fs";
import { fail, runSync } from "../src/core/index.js";
import { beam } from "../src/geometry/beam.js";
import { writeNpy } from "../src/io/npy.js";
import * as ms from "../src/multislice/index.js";
import { readBox, volumeFile } from "../src/pipeline/stem-box.js";
import { imagePng } from "../src/render/image.js";
import { mottBethe } from "../src/scattering/xray.js";
import { readCommand, runCommand } from "./shared/command.js";

const usage = `usage: cbed-multislice <structure.cif | box.xyz> [--zone 0,0,1] [--kv 200] [--thickness 200] [--mrad 8] [--phonons 8] [--png out.png] [--npy out.npy] [--json]
  --phonons 8    snapshots of vibrating atoms; 0: atoms at rest       --u 0.006      mean square displacement, Å², where the file has none
  --max 60       largest scattering angle, mrad                       --across 0     width of the box, Å; 0: what the probe needs
  --potential    v.mrc or v.npy: the potential of the atoms at rest, V
  --ions         charges of the structure, else neutral atoms         an .xyz box is taken as it stands, several frames as snapshots
  --slice 2      thickness of a slice, Å        --seed 1    --strain 0.02   largest strain that closes the box of an odd zone`;
const numbers = { kv: 200, thickness: 200, mrad: 8, phonons: 8, u: 0.006, max: 60, across: 0, slice: 2, seed: 1, strain: 0.02 };
runCommand("cbed-multislice", () => {
  const command = readCommand({ usage, numbers, texts: ["zone", "png", "npy", "potential"], flags: ["json", "ions"] });
  if (!command) return;
  const { numbers: p, texts: o, flags, list } = command;
  const file = command.files[0] ?? fail("bad-value", {}, `name a structure\n${usage}`);
  for (const [n, v] of Object.entries(p)) if (v < 0) fail("bad-value", { [n]: v }, `--${n} is a number, not negative`);
  const uvw = (list("zone", ",", 3) ?? [0, 0, 1]) as [number, number, number];
  const [b, probe] = [beam(p.kv), { aperture: p.mrad / 1000 }];
  const across = p.across || 2 * ms.probeRadius(b, probe) + (p.thickness * p.mrad) / 1000 + 4,
    toSource = o.zone || !/\.xyz$/i.test(file) ? { uvw } : undefined,
    size = { across, thickness: p.thickness, maxStrain: p.strain, toSource };
  const box = readBox(file, (path) => readFileSync(path, "utf8"), size);
  const snapshots = "count" in box.atoms ? box.atoms : undefined,
    atoms = "count" in box.atoms ? box.atoms.snapshot(0) : box.atoms,
    c = atoms.cell;
  const charges = flags.ions ? "" : ms.ionNames(atoms),
    neutral = charges ? [`charges (${charges}) are left out: --ions takes them`] : [];
  for (const note of [...box.notes, ...neutral]) console.error(`note: ${note}`);
  const grid = ms.gridOfSampling([c[0]!, c[1]!], [c[3]!, c[4]!], ms.samplingForAngle(p.max, b.wavelength));
  const rest = { ...atoms, displacement: undefined };
  const u = atoms.displacement ? ("model" as const) : p.u,
    thermal = p.phonons ? ms.frozenPhonons(atoms, { configurations: p.phonons, seed: p.seed, u }) : ms.still(rest);
  const potential = { sliceThickness: p.slice, ...(flags.ions ? { ions: "model" as const, factors: mottBethe } : {}) };
  const slices = ms.slices(atoms, potential).count,
    memory = ms.multisliceMemory({ grid, slices, elements: new Set(atoms.atomicNumbers).size }).total;
  console.error(`note: ${atoms}, ${grid.nx} × ${grid.ny} pixels, ${slices} slices, about ${Math.ceil(memory / 1048576)} MB`);
  if (o.potential) {
    const plan = ms.potentialPlan(atoms, { ...potential, grid });
    writeFileSync(o.potential, volumeFile(o.potential, ms.potentialVolume(plan)));
    plan.free();
  }
  const steps = ms.diffractionSteps(snapshots ?? thermal, { beam: b, grid, probe, wantedAngle: p.max / 1000, potential });
  const result = runSync(steps, ({ done, total, note }) => note === "snapshots" && console.error(`${note}: ${done} of ${total}`));
  const image = ms.patternImage(result, p.max / 1000 / b.wavelength);
  const totals = { ...ms.patternTotals(result, b, probe.aperture), box: [...c], pixels: [grid.nx, grid.ny] };
  if (o.png) writeFileSync(o.png, imagePng(image, { scale: { kind: "log", percentiles: [12, 99.97] } }));
  if (o.npy) writeFileSync(o.npy, writeNpy(image.data, [...image.shape]));
  const { shape, invAngstromPerPixel } = image;
  if (flags.json) return console.log(JSON.stringify({ ...totals, shape, invAngstromPerPixel, png: o.png, npy: o.npy }, null, 1));
  const rows: readonly (readonly [string, number | readonly number[]])[] = Object.entries(totals);
  for (const [name, v] of rows) console.log(`${name.padEnd(22)} ${[v].flat().map((x) => Number(x.toPrecision(5)))}`);
});
