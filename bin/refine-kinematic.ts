// The command behind examples/refine-kinematic.ts:  refine-kinematic <structure.cif> <data.hkl | data.cif | data.cif_pets> [options]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fail, rng, runSync } from "../src/core/index.js";
import { cellFromCif, structureFromCif, structureToCif, type UnitCell, unitCell } from "../src/geometry/index.js";
import { type CifDocument, cifBlock, cifColumn, cifNumber, cifReflections, parseCif, parseCifPets, writeCif } from "../src/io/index.js";
import * as refine from "../src/refine/index.js";
import { formatSu } from "../src/render/index.js";
import { readSolutionInput } from "../src/solution/index.js";

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

const read = (path: string): Buffer => (existsSync(path) ? readFileSync(path) : fail("not-found", { path }, "there is no such file"));
const isPets = (path: string): boolean => /\.cif_pets$/i.test(path);
/** The block with atoms, of several the one named, else one that says it is kinematical. */
function structureBlock(doc: CifDocument, name?: string) {
  if (name)
    return cifBlock(doc, name) ?? fail("not-found", { block: name, blocks: doc.blocks.map((b) => b.name) }, "the CIF has no such block");
  const atoms = doc.blocks.filter((b) => cifColumn(b, "_atom_site_fract_x"));
  return atoms.find((b) => /kin/i.test(b.name)) ?? atoms[0] ?? fail("bad-file", {}, "no block of the structure's CIF holds atoms");
}
/** Indices, intensities and sigmas of the data file, with its cell and wavelength where it has them. */
function measurements(path: string, notes: string[], own: UnitCell, block?: string) {
  const none = { frames: isPets(path), cell: undefined, wavelength: Number.NaN, listed: undefined };
  if (isPets(path)) {
    const { value: p, warnings } = parseCifPets(read(path));
    notes.push(...warnings);
    const r = p.reflections;
    const cell = unitCell(...p.cell);
    return {
      ...none,
      cell,
      wavelength: p.wavelength,
      hkl: Int32Array.from({ length: 3 * r.size }, (_, i) => [r.h, r.k, r.l][i % 3]![Math.floor(i / 3)]!),
      intensity: r.intensity,
      sigma: r.sigma,
    };
  }
  const doc = /\.(cif|fcf|hkl_cif)$/i.test(path) ? parseCif(read(path)).value : undefined;
  const lists = doc?.blocks.filter((b) => cifColumn(b, "_refln_index_h")) ?? [];
  if (!doc || lists.length === 0) {
    // Plain lists, and lists that a CIF embeds.
    const { reflections: r, warnings } = readSolutionInput(read(path), basename(path), { cell: own, block });
    notes.push(...warnings);
    return { ...none, hkl: r.hkl, intensity: r.intensity, sigma: r.sigma };
  }
  const b =
    (block ? cifBlock(doc, block) : (lists.find((x) => /kin/i.test(x.name)) ?? lists[0])) ??
    fail("not-found", { path, block }, "the CIF has no reflection list");
  const r = cifReflections(b);
  const listed = refine.withExtinction(b, r);
  const values = listed ?? refine.intensitiesOf(r);
  if (listed) notes.push("the list is corrected for extinction; the correction was taken out before the refinement");
  // Frames of a dynamical refinement: onto one scale (JANA's scales are those of F), to be merged.
  const scales = new Map(r.scales);
  const k2 = r.group.map((g) => (scales.get(g) ?? 1) ** 2);
  const frames = new Set(r.group).size > 1;
  const cellOf = cifNumber(b, "_cell_length_a") > 0 ? cellFromCif(b).cell : undefined;
  return {
    ...none,
    cell: cellOf,
    wavelength: cifNumber(b, "_diffrn_radiation_wavelength"),
    listed,
    frames,
    hkl: refine.indicesOf(r),
    intensity: frames ? values.measured.map((v, i) => v / k2[i]!) : values.measured,
    sigma: frames ? values.sigma.map((v, i) => v / k2[i]!) : values.sigma,
  };
}
const su = (v: number, u: number): string => (u > 0 && Number.isFinite(u) ? formatSu(v, u) : v.toFixed(5));

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
  const block = structureBlock(parseCif(read(cif)).value, o.block);
  const parsed = structureFromCif(block);
  notes.push(...parsed.warnings);
  const m = measurements(dataPath, notes, parsed.value.cell, o["data-block"]);
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
  const { map: difference, noise, peaks } = refine.differenceMapOf(r, data);
  if (o.map) {
    const at = r.structure.atoms.filter((a) => a.element !== "H").map((a) => a.xyz);
    if (at.length < 3) fail("bad-value", { atoms: at.length }, "--map draws the plane of the first three atoms; there are fewer");
    const section = refine.mapSection(difference, { points: [at[0]!, at[1]!, at[2]!] });
    writeFileSync(o.map, refine.sectionSvg(section, { structure: r.structure, title: "difference potential" }));
  }
  if (o.out) writeFileSync(o.out, writeCif({ version: "1.1", comments: [], blocks: [structureToCif(r.structure, "refined")] }));
  if (o.json) {
    const {
      structure: q,
      residuals: residual,
      status,
      cycles,
      maxShiftOverSu,
      history,
      parameters,
      correlations,
      constraints,
      outliers,
    } = r;
    const atoms = q.atoms.map((a) => ({
      label: a.label,
      element: a.element,
      xyz: a.xyz,
      occupancy: a.occupancy,
      uIso: a.uIso,
      uAniso: a.uAniso,
      su: a.su,
    }));
    return console.log(
      JSON.stringify({
        structure: cif,
        data: dataPath,
        status,
        residuals: residual,
        cycles,
        maxShiftOverSu,
        seconds,
        history,
        parameters,
        atoms,
        correlations: correlations.slice(0, 20),
        constraints,
        restraints: r.restraints,
        outliers,
        rmsdToInput: match?.rmsd,
        differenceMap: {
          minVolt: noise.min,
          maxVolt: noise.max,
          rmsVolt: noise.rms,
          maxElectronPerAngstrom: noise.maxElectronPerAngstrom,
          minElectronPerAngstrom: noise.minElectronPerAngstrom,
          sigmaVolt: noise.gaussian.sigma,
          level3SigmaVolt: noise.level,
          peaks,
        },
        warnings: [...new Set(notes)],
      }),
    );
  }
  const f = r.residuals;
  console.log(
    `${s.spaceGroup.hm}, ${s.atoms.length} atoms, ${f.nAll} reflections (${f.nObs} observed), ${r.parameters.length} parameters, ${restraints.length} restraints`,
  );
  console.log(`${r.status} after ${r.cycles} cycles, ${seconds.toFixed(1)} s; largest shift/s.u. ${r.maxShiftOverSu.toExponential(1)}`);
  for (const h of r.history) console.log(`  ${h.stage.padEnd(22)} wR ${(100 * h.wrAll).toFixed(2)} %  ${h.cycles || ""}`);
  console.log(
    `R(obs) ${(100 * f.rObs).toFixed(2)} %  R(all) ${(100 * f.rAll).toFixed(2)} %  wR(obs) ${(100 * f.wrObs).toFixed(2)} %  wR(all) ${(100 * f.wrAll).toFixed(2)} %  GoF ${f.gofAll.toFixed(3)}`,
  );
  for (const p of r.parameters.slice(r.parameters.findIndex((x) => x.name.startsWith("scale"))))
    console.log(`${p.name.padEnd(11)} ${su(p.value, p.su)}`);
  for (const a of r.structure.atoms) {
    const xyz = a.xyz.map((v, i) => su(v, a.su!.xyz[i as 0]).padStart(12)).join("");
    console.log(
      `${a.label.padEnd(6)}${xyz}  U ${a.uIso.toFixed(4)}${a.uAniso ? " aniso" : ""}${a.occupancy < 1 ? `  occupancy ${su(a.occupancy, a.su!.occupancy)}` : ""}`,
    );
  }
  console.log(
    `difference map ${noise.min.toFixed(2)} … ${noise.max.toFixed(2)} V (${noise.minElectronPerAngstrom.toFixed(3)} … ${noise.maxElectronPerAngstrom.toFixed(3)} e/Å), 3 sigma ${noise.level.toFixed(2)} V`,
  );
  for (const p of peaks.slice(0, 3))
    console.log(
      `  ${p.height.toFixed(2)} V (${p.overSigma.toFixed(1)} sigma) at ${p.xyz.map((v) => v.toFixed(3)).join(" ")}, ${p.distance.toFixed(2)} Å from ${p.nearest}`,
    );
  for (const c of r.correlations.slice(0, 5)) console.log(`correlation ${c.value.toFixed(2)}  ${c.first}, ${c.second}`);
  for (const c of r.constraints) console.log(`constraint: ${c}`);
  if (match) console.log(`RMSD to the structure before the perturbation: ${match.rmsd.toFixed(4)} Å`);
  for (const n of new Set(notes)) console.log(`note: ${n}`);
}
