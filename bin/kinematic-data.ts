// What the kinematical refinement reads: blocks of CIF files, and reflections of any of the formats.
import { basename } from "node:path";
import { fail } from "../src/core/index.js";
import { cellFromCif, petsCellProblem, type UnitCell, unitCell } from "../src/geometry/index.js";
import { type CifDocument, cifBlock, cifColumn, cifNumber, cifReflections, parseCif, parseCifPets } from "../src/io/index.js";
import { indicesOf, intensitiesOf, withExtinction } from "../src/refine/index.js";
import { readSolutionInput } from "../src/solution/index.js";
import { readInput } from "./input.js";

const isPets = (path: string): boolean => /\.cif_pets$/i.test(path);
/** The block with atoms, of several the one named, else one that says it is kinematical. */
export function structureBlock(doc: CifDocument, name?: string) {
  if (name)
    return cifBlock(doc, name) ?? fail("not-found", { block: name, blocks: doc.blocks.map((b) => b.name) }, "the CIF has no such block");
  const atoms = doc.blocks.filter((b) => cifColumn(b, "_atom_site_fract_x"));
  return atoms.find((b) => /kin/i.test(b.name)) ?? atoms[0] ?? fail("bad-file", {}, "no block of the structure's CIF holds atoms");
}
/**
 * Indices, intensities and sigmas of the data file, with its cell and wavelength where it has them. An extinction correction of the list is
 * taken out; frames are brought onto one scale. @throws not-found, bad-file
 */
export function kinematicMeasurements(path: string, notes: string[], own: UnitCell, block?: string) {
  const none = { frames: isPets(path), cell: undefined, wavelength: Number.NaN, listed: undefined };
  if (isPets(path)) {
    const { value: p, warnings } = parseCifPets(readInput(path));
    notes.push(...warnings, ...([petsCellProblem(p.cell, p.ub)].filter(Boolean) as string[]));
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
  const doc = /\.(cif|fcf|hkl_cif)$/i.test(path) ? parseCif(readInput(path)).value : undefined;
  const lists = doc?.blocks.filter((b) => cifColumn(b, "_refln_index_h")) ?? [];
  if (!doc || lists.length === 0) {
    // Plain lists, and lists that a CIF embeds.
    const { reflections: r, warnings } = readSolutionInput(readInput(path), basename(path), { cell: own, block });
    notes.push(...warnings);
    return { ...none, hkl: r.hkl, intensity: r.intensity, sigma: r.sigma };
  }
  const b =
    (block ? cifBlock(doc, block) : (lists.find((x) => /kin/i.test(x.name)) ?? lists[0])) ??
    fail("not-found", { path, block }, "the CIF has no reflection list");
  const r = cifReflections(b);
  const listed = withExtinction(b, r);
  const values = listed ?? intensitiesOf(r);
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
    hkl: indicesOf(r),
    intensity: frames ? values.measured.map((v, i) => v / k2[i]!) : values.measured,
    sigma: frames ? values.sigma.map((v, i) => v / k2[i]!) : values.sigma,
  };
}
