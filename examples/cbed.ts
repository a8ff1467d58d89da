// Convergent-beam pattern of a structure down a zone axis, as a picture.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cbedDisks, cbedImage, diskMeans } from "../src/bloch/cbed.js";
import { frameCrystal } from "../src/bloch/frames.js";
import type { Map3, Vec3 } from "../src/core/frames.js";
import { fail } from "../src/core/index.js";
import { beam } from "../src/geometry/beam.js";
import { ubMatrix } from "../src/geometry/orientation.js";
import { orientationOnZone } from "../src/geometry/zone.js";
import { readStructure } from "../src/pipeline/dynamical-structure.js";
import { imagePng } from "../src/render/image.js";

const usage = `usage: cbed <structure.cif> --zone 1,1,0 [--kv 200] [--thickness 1000] [--mrad 4] [--png out.png] [--json]
  --mrad 4      semi-angle of the cone          --pixels 31   across a disk        --range 1.5   half width of the picture, Å⁻¹
  --gmax 2 --smax 0.04   beams of the matrix, Å⁻¹`;
const defaults = { kv: 200, thickness: 1000, mrad: 4, pixels: 31, range: 1.5, gmax: 2, smax: 0.04 };

function main(): void {
  const text = { type: "string" } as const;
  const options = Object.fromEntries(["zone", "png", ...Object.keys(defaults)].map((n) => [n, text]));
  const flags = { json: { type: "boolean" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ options: { ...options, ...flags }, allowPositionals: true });
  const o = values as Readonly<Record<string, string | boolean | undefined>>;
  if (o.help) return console.log(usage);
  const file = positionals[0] ?? fail("bad-value", {}, `name a CIF\n${usage}`);
  if (!existsSync(file)) fail("not-found", { file }, "there is no such file");
  const given = Object.entries(defaults).map(([n, d]) => [n, o[n] === undefined ? d : Number(o[n])] as const);
  for (const [n, v] of given) if (!Number.isFinite(v)) fail("bad-value", { [n]: o[n] }, `--${n} is a number`);
  const p = Object.fromEntries(given) as typeof defaults;
  if (!(p.range > 0)) fail("bad-value", { range: p.range }, "--range is the half width of the picture, Å⁻¹");
  const zone = `${o.zone ?? "0,0,1"}`.split(",").map(Number);
  if (zone.length !== 3 || !zone.every(Number.isFinite)) fail("bad-value", { zone: o.zone }, "--zone is three numbers, for example 1,1,0");
  const { value: structure, warnings } = readStructure(file, (path) => readFileSync(path, "utf8"));
  for (const w of warnings) console.error(`note: ${w}`);
  const axis = zone as unknown as readonly [number, number, number];
  // to the right: a reflection of the zone, where one with small indices stands on the axis
  const candidates = ["1,0,0", "0,1,0", "0,0,1", "1,-1,0", "0,1,-1", "1,0,-1"].map((h) => h.split(",").map(Number));
  const right = candidates.find((h) => h.reduce((s, x, i) => s + x * axis[i]!, 0) === 0) ?? candidates[0]!;
  const orientation = orientationOnZone(structure.cell, axis, right as unknown as Vec3<"hkl">);
  const ub = ubMatrix(orientation, structure.cell) as unknown as Map3<"lab", "hkl">;
  const crystal = frameCrystal(structure, beam(p.kv), p.gmax);
  const cone = { convergence: p.mrad / 1000, thickness: p.thickness, pixels: p.pixels, sMax: p.smax };
  const disks = cbedDisks(crystal, ub, crystal.pool.hkl, cone);
  const image = cbedImage(disks, ub, p.range);
  const png = typeof o.png === "string" ? o.png : undefined;
  if (png) writeFileSync(png, imagePng(image, { scale: { kind: "sqrt" } }));
  const strongest = diskMeans(disks).slice(0, 12);
  const { shape, invAngstromPerPixel: step } = image;
  if (o.json) return console.log(JSON.stringify({ shape, invAngstromPerPixel: step, png, disks: strongest }, null, 1));
  for (const { hkl, mean } of strongest) console.log(`${hkl.join(" ").padStart(10)}  mean intensity ${mean.toFixed(5)}`);
  if (png) console.log(`picture: ${png}, ${shape.join(" × ")} pixels of ${step.toFixed(5)} Å⁻¹`);
}
try {
  main();
} catch (e) {
  console.error(e instanceof Error ? `cbed: ${e.message}` : e);
  process.exitCode = 1;
}
