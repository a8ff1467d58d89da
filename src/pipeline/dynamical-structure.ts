import { fail } from "../core/errors.js";
import { structureFromCif } from "../geometry/from-cif.js";
import { structureFromJana } from "../geometry/from-jana.js";
import { type Structure, structure } from "../geometry/structure.js";
import { hasCifValue } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { parseM40 } from "../io/jana/m40.js";
import { parseM50 } from "../io/jana/m50.js";
import type { Parsed, TextInput } from "../io/text.js";

/**
 * A structure from a file by its name: a CIF (its first block with atoms) or a JANA m40, whose m50 stands beside it.
 * @param read - gives the text or the bytes of a file
 * @throws bad-file when there is no structure in it
 */
export function readStructure(path: string, read: (path: string) => TextInput): Parsed<Structure> {
  if (/\.m40$/i.test(path)) {
    const m40 = parseM40(read(path)),
      m50 = parseM50(read(path.replace(/\.m40$/i, (end) => (end === ".M40" ? ".M50" : ".m50"))));
    const s = structureFromJana(m40.value, m50.value);
    return displaced(s.value, [...m40.warnings, ...m50.warnings, ...s.warnings]);
  }
  const cif = parseCif(read(path));
  const block = cif.value.blocks.find((b) => hasCifValue(b, "_atom_site_fract_x"));
  if (!block) return fail("bad-file", { path, blocks: cif.value.blocks.length }, "no block of this CIF holds atoms (_atom_site_fract_x)");
  const s = structureFromCif(block);
  return displaced(s.value, [...cif.warnings, ...s.warnings]);
}

/** Atoms at rest start with a common displacement: nothing in a file means that it is not known. */
function displaced(s: Structure, warnings: readonly string[], u = 0.006): Parsed<Structure> {
  const still = s.atoms.filter((a) => !a.uAniso && a.uIso === 0);
  if (still.length === 0) return { value: s, warnings };
  const atoms = s.atoms.map((a) => (still.includes(a) ? { ...a, uIso: u } : a));
  const which = `${still.slice(0, 5).map((a) => a.label).join(", ")}${still.length > 5 ? " …" : ""}`; // biome-ignore format: one idea
  return {
    value: structure(s.cell, s.spaceGroup, atoms, s.cellSu),
    warnings: [...warnings, `${still.length} atoms without displacements (${which}) start at U = ${u} Å²`],
  };
}
