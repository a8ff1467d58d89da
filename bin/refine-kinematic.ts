// The command behind examples/refine-kinematic.ts:  refine-kinematic <structure.cif> <data.hkl | data.cif | data.cif_pets> [options]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fail, rng, runSync } from "../src/core/index.js";
import { structureFromCif, structureToCif } from "../src/geometry/index.js";
import { cifNumber, parseCif, writeCif } from "../src/io/index.js";
import * as refine from "../src/refine/index.js";
import { readInput } from "./input.js";
import { kinematicMeasurements, structureBlock } from "./kinematic-data.js";
import { kinematicLines, kinematicRecord } from "./kinematic-print.js";

const usage = `refine-kinematic <structure.cif> <data.hkl | data.cif | data.cif_pets> [--block name] [--data-block name]
  [--extinction yes|no (yes where the CIF has it)] [--wavelength Å] [--iso] [--occupancy Na1,K1] [--ride (H coordinates)] [--free-h] [--u 0.01]
  [--outliers 15 (sigma)] [--perturb Å --seed 1] [--merge yes|no] [--out refined.cif] [--map difference.svg] [--json]
Restraints and riding U(H) come from the structure's CIF. A .hkl holds h k l F² σ: SHELX HKLF 4, or numbers parted by blanks or commas.`;
const names = [
  "block",
  "data-block",
  "extinction",
  "wavelength",
  "occupancy",
  "u",
  "outliers",
  "perturb",
  "seed",
  "merge",
  "out",
  "map",
] as const;
type Name = (typeof names)[number];
const flags = {
  ...(Object.fromEntries(names.map((n) => [n, { type: "string" }])) as Record<Name, { type: "string" }>),
  iso: { type: "boolean" }, ride: { type: "boolean" }, "free-h": { type: "boolean" }, json: { type: "boolean" }, help: { type: "boolean" },
} as const; // biome-ignore format: one line an idea

/** The command; results on stdout, progress on stderr. @throws SdkError, and TypeError for unknown options */
export function refineKinematicCommand(args: readonly string[]): void {
  const { values: o, positionals } = parseArgs({ args: [...args], options: flags, allowPositionals: true });
  if (o.help) return console.log(usage);
  const [cif, dataPath] = positionals;
  if (!cif || !dataPath) fail("bad-value", {}, `name a structure and its data\n${usage}`);
  const number = (name: Name, otherwise: number): number =>
    o[name] === undefined
      ? otherwise
      : Number.isFinite(Number(o[name]))
        ? Number(o[name])
        : fail("bad-value", { [name]: o[name] }, `--${name} takes a number`);
  const notes: string[] = [];
  const block = structureBlock(parseCif(readInput(cif)).value, o.block);
  const parsed = structureFromCif(block);
  notes.push(...parsed.warnings);
  const m = kinematicMeasurements(dataPath, notes, parsed.value.cell, o["data-block"]);
  const perturb = number("perturb", 0);
  const start = {
    dataCell: m.cell,
    isotropic: o.iso,
    freeHydrogens: o["free-h"],
    perturb: { distance: perturb, rng: rng(number("seed", 1)) },
  };
  const s = refine.startingStructure(parsed.value, start, notes);
  if (perturb > 0)
    notes.push(
      `every atom was moved by ${perturb} Å in a random direction that its site allows (seed ${number("seed", 1)}) before the refinement`,
    );
  const merge = o.merge === "yes" || (m.frames && o.merge !== "no");
  const data = refine.kinematicData(s, { hkl: m.hkl, intensity: m.intensity, sigma: m.sigma }, merge, notes);
  const wavelength = number("wavelength", m.wavelength > 0 ? m.wavelength : cifNumber(block, "_diffrn_radiation_wavelength"));
  const extinction = o.extinction === "yes" || (o.extinction !== "no" && (m.listed !== undefined || refine.hasExtinction(block)));
  if (extinction && !(wavelength > 0)) fail("bad-value", { wavelength }, "extinction needs --wavelength in Å");
  const restraints = refine.restraintsFromCif(block, s);
  const riding = o["free-h"] ? [] : refine.ridingHydrogens(s, Boolean(o.ride));
  const began = performance.now();
  const r = runSync(
    refine.refineKinematicSteps(s, data, {
      instability: number("u", 0.01), outlierSigma: o.outliers === undefined ? undefined : number("outliers", 15), restraints,
      extinction: extinction ? { wavelength } : undefined, model: { riding, occupancies: o.occupancy?.split(",") },
    }), // biome-ignore format: one idea
    (p) => process.stderr.write(`\rcycle ${String(p.done).padStart(3)}  ${p.note.padEnd(30)}`),
  );
  process.stderr.write("\n");
  const seconds = (performance.now() - began) / 1000;
  notes.push(...r.warnings);
  const match = perturb > 0 ? refine.compareStructures(r.structure, parsed.value) : undefined;
  const map = refine.differenceMapOf(r, data);
  if (o.map) {
    const at = r.structure.atoms.filter((a) => a.element !== "H").map((a) => a.xyz);
    if (at.length < 3) fail("bad-value", { atoms: at.length }, "--map draws the plane of the first three atoms; there are fewer");
    const section = refine.mapSection(map.map, { points: [at[0]!, at[1]!, at[2]!] });
    writeFileSync(o.map, refine.sectionSvg(section, { structure: r.structure, title: "difference potential" }));
  }
  if (o.out) writeFileSync(o.out, writeCif({ version: "1.1", comments: [], blocks: [structureToCif(r.structure, "refined")] }));
  const run = {
    structurePath: cif,
    dataPath,
    result: r,
    map,
    restraints: restraints.length,
    seconds,
    rmsd: match?.rmsd,
    notes,
  };
  if (o.json) return console.log(JSON.stringify(kinematicRecord(run)));
  for (const line of kinematicLines(run)) console.log(line);
}
