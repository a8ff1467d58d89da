import { fail, isSdkError } from "../core/errors.js";
import type { CifBlock } from "../io/cif.js";
import { cifMeasured, cifMeasuredColumn, cifNumber, cifText, cifTexts, hasCifValue } from "../io/cif-access.js";
import type { Parsed } from "../io/text.js";
import { type Adp, equivalentU, uFromB, uFromBeta } from "./adp.js";
import { type UnitCell, unitCell } from "./cell.js";
import { elementOfLabel, parseAtomType } from "./elements.js";
import { type Fractional, metricTensor, quadratic } from "./metric.js";
import { siteSymmetry } from "./site-symmetry.js";
import { type SpaceGroup, spaceGroup, spaceGroupByNumber, spaceGroupFromHall, spaceGroupFromOps } from "./space-groups.js";
import { identifySpaceGroup } from "./space-groups-identify.js";
import { type Atom, cellProblem, type Structure, structure } from "./structure.js";
import { formatOp, parseOp } from "./symop.js";

const cellTags = ["_cell_length_a", "_cell_length_b", "_cell_length_c", "_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"];

/** The cell of a CIF block and its s.u. @throws bad-file when a parameter is missing */
export function cellFromCif(block: CifBlock): { readonly cell: UnitCell; readonly su: readonly number[] } {
  const values = cellTags.map((t) => cifMeasured(block, t));
  // Angles may be left out by old files of orthogonal cells.
  const numbers = values.map((v, i) => (Number.isNaN(v.value) && i > 2 ? 90 : v.value));
  if (numbers.some((x, i) => Number.isNaN(x) || (Number.isNaN(values[i]!.value) && hasCifValue(block, cellTags[i]!))))
    fail(
      "bad-file",
      { block: block.name, cell: values.map((v) => v.value) },
      "the block has no complete _cell_length_a … _cell_angle_gamma",
    );
  return { cell: unitCell(...(numbers as [number, number, number, number, number, number])), su: values.map((v) => v.su) };
}

/**
 * The space group of a CIF block. The listed operators decide; without them the Hermann–Mauguin symbol, the Hall symbol, then the number
 * (in its reference setting). Disagreements become warnings. Without anything, P 1.
 */
export function spaceGroupFromCif(block: CifBlock, cell?: UnitCell): Parsed<SpaceGroup> {
  const warnings: string[] = [];
  const texts = cifTexts(block, "_space_group_symop_operation_xyz") ?? cifTexts(block, "_symmetry_equiv_pos_as_xyz");
  const hm =
    cifText(block, "_space_group_name_H-M_alt") ??
    cifText(block, "_symmetry_space_group_name_H-M") ??
    cifText(block, "_space_group_name_H-M_ref");
  const hall = cifText(block, "_space_group_name_Hall") ?? cifText(block, "_symmetry_space_group_name_Hall");
  const number = [cifNumber(block, "_space_group_IT_number"), cifNumber(block, "_symmetry_Int_Tables_number")].find(
    (n) => n >= 1 && n <= 230,
  );
  const rhombohedral = cell && Math.abs(cell.gammaDeg - 120) > 5;
  const attempt = (f: () => SpaceGroup): SpaceGroup | undefined => {
    try {
      return f();
    } catch (e) {
      if (isSdkError(e)) return undefined;
      throw e;
    }
  };
  const named = hm === undefined ? undefined : attempt(() => spaceGroup(hm, rhombohedral ? { axes: "R" } : {}));
  if (texts && texts.length > 0) {
    const listed = texts.map(parseOp),
      ops = [...new Map(listed.map((op) => [formatOp(op), op])).values()];
    if (ops.length < listed.length) warnings.push(`${listed.length - ops.length} operators stand twice in the list`);
    let group = spaceGroupFromOps(ops);
    if (group.number === 0) {
      const found = identifySpaceGroup(ops);
      if (found) {
        // Not tabulated in this setting: the operators stay, the type's number and a marked symbol name it.
        group = {
          ...group,
          number: found.group.number,
          schoenflies: found.group.schoenflies,
          hm: hm ?? `${found.group.hm} (other setting)`,
        };
        warnings.push(`the operators are those of number ${found.group.number} in a setting that is not tabulated`);
      } else warnings.push("the operators form a group that is none of the 230 types in a recognisable cell");
    }
    if (named && group.number > 0 && named.number !== group.number)
      warnings.push(`the operators belong to number ${group.number}, the symbol "${hm}" to ${named.number}; the operators are used`);
    // One type in two settings: coordinates and axes may belong to the other. Origin choices go by the operators without a word.
    else if (named && group.number > 0 && settingOf(named) !== settingOf(group))
      warnings.push(`the operators are those of ${group.hm}, the symbol "${hm}" names another setting; the operators are used`);
    if (number && group.number > 0 && number !== group.number)
      warnings.push(`the operators belong to number ${group.number}, the file states ${number}`);
    return { value: group, warnings };
  }
  if (named) {
    if (number && named.number !== number)
      warnings.push(`the symbol "${hm}" is number ${named.number}, the file states ${number}; the symbol is used`);
    if (/:[12]/.test(named.hm) && !/:/.test(hm!)) warnings.push(`the file does not say which origin; "${named.hm}" was taken`);
    return { value: named, warnings };
  }
  const fromHall = hall === undefined ? undefined : attempt(() => spaceGroupFromHall(hall));
  if (fromHall) return { value: fromHall, warnings };
  if (number)
    return { value: spaceGroupByNumber(number), warnings: [`only the number ${number} is known; its reference setting was taken`] };
  if (hm !== undefined) fail("bad-file", { symbol: hm }, "the space-group symbol is not known and the block lists no operators");
  return { value: spaceGroup(1), warnings: ["the block names no symmetry; P 1 was taken"] };
}

const settingOf = (g: SpaceGroup): string => g.hm.replace(/:.*$/, "");

/**
 * The structure of a CIF block (core dictionary, old and new names): positions, occupancies, isotropic and anisotropic displacements
 * (U, B or β, loops U_11 …, B_11 …, beta_11 …), s.u., disorder groups. Dummy atoms and atoms without coordinates are left out, with a warning.
 * @throws bad-file without a cell or without atoms, or for a coordinate that is none
 */
export function structureFromCif(block: CifBlock): Parsed<Structure> {
  const { cell, su: cellSu } = cellFromCif(block);
  const group = spaceGroupFromCif(block, cell);
  const warnings = [...group.warnings];
  const without = cellTags.slice(3).filter((t) => !hasCifValue(block, t));
  if (without.length > 0) warnings.push(`the file does not say ${without.join(", ")}: 90° is taken`);
  const problem = cellProblem(cell, group.value);
  if (problem) warnings.push(problem);
  const labels = cifTexts(block, "_atom_site_label");
  const xyz = ["x", "y", "z"].map((c) => cifMeasuredColumn(block, `_atom_site_fract_${c}`));
  if (!labels || xyz.some((c) => !c))
    fail("bad-file", { block: block.name }, "the block has no _atom_site_label with _atom_site_fract_x, _y, _z");
  const types = cifTexts(block, "_atom_site_type_symbol"),
    flags = cifTexts(block, "_atom_site_calc_flag");
  const occupancy = cifMeasuredColumn(block, "_atom_site_occupancy");
  const uIso = cifMeasuredColumn(block, "_atom_site_U_iso_or_equiv"),
    bIso = cifMeasuredColumn(block, "_atom_site_B_iso_or_equiv");
  const assembly = cifTexts(block, "_atom_site_disorder_assembly"),
    disorder = cifTexts(block, "_atom_site_disorder_group");
  const aniso = anisoOf(block, cell, warnings);
  const adpTypes = cifTexts(block, "_atom_site_adp_type") ?? cifTexts(block, "_atom_site_thermal_displace_type");
  const charges = chargesOf(block);
  const atoms: Atom[] = [];
  labels.forEach((given, i) => {
    const position = xyz.map((c) => c!.value[i]!) as unknown as Fractional;
    if (flags?.[i] === "dum" || (given === "" && position.some(Number.isNaN))) return;
    const label = given || `${types?.[i] || "atom"}${i + 1}`;
    if (!given) warnings.push(`the atom of row ${i + 1} has no label; it is called ${label}`);
    // Cells away is a matter of taste; this far is a damaged number, and reducing it costs all its digits.
    if (position.some((x) => Math.abs(x) > 1000))
      fail("bad-file", { atom: label, xyz: position }, "fractional coordinates lie within a few cells of the origin");
    if (position.some(Number.isNaN)) {
      warnings.push(`atom ${label} has no coordinates and is left out`);
      return;
    }
    const named = parseAtomType(types?.[i] || ""),
      type = named ?? parseAtomType(elementOfLabel(label) ?? "");
    if (type && types?.[i] && !exactType(types[i]!, named?.element))
      warnings.push(`atom ${label}: "${types[i]}" is no atom type; ${type.element} is taken`);
    if (!type) {
      warnings.push(`atom ${label}: no element is recognised in "${types?.[i] ?? label}"; left out`);
      return;
    }
    const tensor = aniso.get(label);
    if (!tensor && adpTypes?.[i] === "Uani" && aniso.size > 0) warnings.push(`atom ${label} is said to be anisotropic but has no tensor`);
    const u = uIso && !Number.isNaN(uIso.value[i]!) ? uIso.value[i]! : bIso ? uFromB(bIso.value[i]!) : Number.NaN;
    const usu = uIso && !Number.isNaN(uIso.su[i]!) ? uIso.su[i]! : bIso ? uFromB(bIso.su[i]!) : Number.NaN;
    const occ = occupancy?.value[i] ?? 1;
    atoms.push({
      label,
      element: type.element,
      charge: type.charge || charges.get(types?.[i] ?? "") || 0,
      xyz: position,
      occupancy: Number.isNaN(occ) ? 1 : occ,
      uIso: Number.isNaN(u) ? (tensor ? equivalentU(cell, tensor.value) : 0) : u,
      uAniso: tensor?.value,
      su: {
        xyz: xyz.map((c) => c!.su[i]!) as unknown as Fractional,
        occupancy: occupancy?.su[i] ?? Number.NaN,
        uIso: usu,
        uAniso: tensor?.su,
      },
      disorder: disorder?.[i] ? { assembly: assembly?.[i] ?? "", group: disorder[i]! } : undefined,
    });
  });
  if (atoms.length === 0) fail("bad-file", { block: block.name, rows: labels.length }, "no atom of the block has coordinates");
  warnings.push(...oddAtoms(cell, atoms));
  const stray = [...aniso.keys()].filter((l) => l !== "" && !labels.includes(l));
  if (stray.length > 0) warnings.push(`displacement tensors of ${stray.join(", ")} belong to no atom of the list`);
  warnings.push(...multiplicityWarnings(block, labels, atoms, group.value, cell));
  return { value: structure(cell, group.value, atoms, cellSu), warnings };
}

/** Displacements that no atom has, and two whole atoms in one place. */
function oddAtoms(cell: UnitCell, atoms: readonly Atom[]): string[] {
  const out: string[] = [];
  const far = atoms.filter((a) => a.uIso > 1 || a.uIso < -0.1).map((a) => `${a.label} ${+a.uIso.toPrecision(3)}`);
  if (far.length > 0) out.push(`no atom has such a displacement, Å²: ${far.slice(0, 5).join(", ")}`);
  const metric = metricTensor(cell);
  const twice = atoms.flatMap((a, i) =>
    atoms
      .slice(0, i)
      .filter((b) => a.occupancy + b.occupancy > 1.001 && quadratic(metric, shortest(a.xyz, b.xyz)) < 0.01)
      .map((b) => `${b.label} and ${a.label}`),
  );
  if (twice.length > 0) out.push(`more than one atom in one place: ${twice.slice(0, 5).join(", ")}`);
  return out;
}
const shortest = (a: Fractional, b: Fractional): Fractional =>
  a.map((x, k) => x - b[k as 0] - Math.round(x - b[k as 0])) as unknown as Fractional;

/** An element's symbol, alone or with what programs add: charge, number, "val" (valence shell), an isotope as D. */
function exactType(type: string, element: string | undefined): boolean {
  const letters = /^[A-Za-z]+/.exec(type.trim())?.[0].toLowerCase() ?? "";
  return element !== undefined && [element, `${element}val`, "D", "T"].some((x) => x.toLowerCase() === letters);
}

/** Displacement tensors by label, in U. */
function anisoOf(block: CifBlock, cell: UnitCell, warnings: string[]): Map<string, { value: Adp; su: Adp }> {
  const out = new Map<string, { value: Adp; su: Adp }>();
  const labels = cifTexts(block, "_atom_site_aniso_label");
  if (!labels) return out;
  const names = ["11", "22", "33", "12", "13", "23"];
  for (const kind of ["U", "B", "beta"] as const) {
    const columns = names.map((n) => cifMeasuredColumn(block, `_atom_site_aniso_${kind}_${n}`));
    if (columns.some((c) => !c)) continue;
    const convert = (a: Adp): Adp => (kind === "U" ? a : kind === "B" ? (a.map(uFromB) as unknown as Adp) : uFromBeta(cell, a));
    labels.forEach((label, i) => {
      const value = columns.map((c) => c!.value[i]!) as unknown as Adp;
      const unknown = value.filter(Number.isNaN).length;
      if (unknown > 0 && unknown < 6) warnings.push(`the displacement tensor of ${label} lacks ${unknown} of its numbers and is left out`);
      if (unknown > 0 || out.has(label)) return;
      out.set(label, { value: convert(value), su: convert(columns.map((c) => c!.su[i]!) as unknown as Adp) });
    });
  }
  return out;
}

/** Oxidation numbers of the atom types, where the file gives them. */
function chargesOf(block: CifBlock): Map<string, number> {
  const symbols = cifTexts(block, "_atom_type_symbol") ?? [],
    numbers = cifMeasuredColumn(block, "_atom_type_oxidation_number");
  return new Map(symbols.map((s, i) => [s, numbers?.value[i] ?? 0] as const).filter(([, n]) => n !== 0 && !Number.isNaN(n)));
}

/** The file's multiplicities against ours: a coordinate written with too few digits shows here. */
function multiplicityWarnings(
  block: CifBlock,
  labels: readonly string[],
  atoms: readonly Atom[],
  group: SpaceGroup,
  cell: UnitCell,
): string[] {
  const given =
    cifMeasuredColumn(block, "_atom_site_site_symmetry_multiplicity") ?? cifMeasuredColumn(block, "_atom_site_symmetry_multiplicity");
  if (!given) return [];
  const out: string[] = [];
  for (const a of atoms) {
    const n = given.value[labels.indexOf(a.label)]!;
    const ours = siteSymmetry(group, cell, a.xyz).multiplicity;
    if (!Number.isNaN(n) && n !== ours) out.push(`atom ${a.label}: the file states multiplicity ${n}, its position has ${ours}`);
  }
  return out;
}
