import { fail } from "../../core/errors.js";
import type { CifBlock, CifDocument } from "../cif.js";
import { cifIntegers, cifMeasured, cifNumber, cifNumbers, cifText } from "../cif-access.js";
import { parseCif } from "../cif-parse.js";
import { checkMetadata } from "../metadata-checks.js";
import { type Parsed, type TextInput, warningList } from "../text.js";
import { type ColumnSpec, type TableOf, writeTable } from "../text-table.js";
import { noPetsDetails, type PetsDetails, parsePetsDetails, petsDetailsText } from "./measurement-details.js";

type Six = readonly [number, number, number, number, number, number];
type Nine = readonly [number, number, number, number, number, number, number, number, number];

/** Frames ("zones") of a `.cif_pets` file, one row each. */
export interface PetsZones {
  readonly size: number;
  readonly id: Int32Array;
  /** Zone axis: the beam in direct-lattice coordinates, the largest component ±1. */
  readonly u: Float64Array;
  readonly v: Float64Array;
  readonly w: Float64Array;
  /** Semi-angle of the precession, or half the width of the (virtual) frame. */
  readonly precessionDeg: Float64Array;
  readonly alphaDeg: Float64Array;
  readonly betaDeg: Float64Array;
  /** Position of the tilt axis in the frame. */
  readonly omegaDeg: Float64Array;
  readonly scale: Float64Array;
}
/** Intensities, one row for each reflection on each frame (dynamical) or for each reflection (kinematical). */
export interface PetsReflections {
  readonly size: number;
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly l: Int32Array;
  /** Negative values are kept. */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** `id` of the zone. */
  readonly zone: Int32Array;
}
/** A `.cif_pets` file: PETS2's hand-over to refinement programs. */
export interface CifPets {
  /** Text of `_audit_creation_method`: program and version, in newer files. */
  readonly creationMethod: string | undefined;
  /** a b c in Å, α β γ in degrees; s.u. are NaN where the file gives none. */
  readonly cell: Six;
  readonly cellSu: Six;
  /** Å³. */
  readonly volume: number;
  /** Å. */
  readonly wavelength: number;
  /** Row-major; columns a*, b*, c* in Å⁻¹ (1/d). */
  readonly ub: Nine | undefined;
  /** `_diffrn_pets_omega`, NaN in older files. */
  readonly omegaDeg: number;
  readonly details: PetsDetails;
  readonly zones: PetsZones;
  readonly reflections: PetsReflections;
  /** The whole file, with the items not listed above (`cifentries` of the `.pts` file, items added by other programs). */
  readonly document: CifDocument | undefined;
}

const cellTags = [
  "_cell_length_a",
  "_cell_length_b",
  "_cell_length_c",
  "_cell_angle_alpha",
  "_cell_angle_beta",
  "_cell_angle_gamma",
] as const;
const ubTags = [1, 2, 3].flatMap((i) => [1, 2, 3].map((j) => `_diffrn_orient_matrix_UB_${i}${j}`));
const zoneColumns = [
  ["id", "integer", 4],
  ["u", "real", 9, 5],
  ["v", "real", 9, 5],
  ["w", "real", 9, 5],
  ["precessionDeg", "real", 13, 3],
  ["alphaDeg", "real", 10, 3],
  ["betaDeg", "real", 10, 3],
  ["omegaDeg", "real", 10, 3],
  ["scale", "real", 10, 3],
] as const satisfies readonly ColumnSpec[];
const zoneTags = ["id", "u", "v", "w", "precession_angle", "alpha", "beta", "omega", "scale"].map((t) => `_diffrn_zone_axis_${t}`);
const reflectionColumns = [
  ["h", "integer", 4],
  ["k", "integer", 4],
  ["l", "integer", 4],
  ["intensity", "real", 12, 2],
  ["sigma", "real", 12, 2],
  ["zone", "integer", 6],
] as const satisfies readonly ColumnSpec[];
const reflectionTags = [
  "_refln_index_h",
  "_refln_index_k",
  "_refln_index_l",
  "_refln_intensity_meas",
  "_refln_intensity_sigma",
  "_refln_zone_axis_id",
];

/**
 * Read a `.cif_pets` or `_dyn.cif_pets` file of PETS2, or of a program that writes the same (DIALS export).
 * @throws bad-file when it is no CIF or has no cell
 */
export function parseCifPets(input: TextInput): Parsed<CifPets> {
  const { value: document, warnings: cifWarnings } = parseCif(input);
  const warnings = warningList();
  for (const w of cifWarnings) warnings.add(w);
  const block = document.blocks.find((b) => b.name.toLowerCase() === "pets") ?? document.blocks[0]!;
  const measured = cellTags.map((t) => cifMeasured(block, t));
  if (measured.some((m) => Number.isNaN(m.value)))
    fail("bad-file", { block: block.name }, "a .cif_pets file gives the cell: _cell_length_a … _cell_angle_gamma");
  const ub = ubTags.map((t) => cifNumber(block, t));
  const text = cifText(block, "_diffrn_measurement_details");
  if (text === undefined)
    warnings.add("the file has no _diffrn_measurement_details: geometry, rocking-curve width and mosaicity are not known");
  const value: CifPets = {
    creationMethod: cifText(block, "_audit_creation_method"),
    cell: measured.map((m) => m.value) as unknown as Six,
    cellSu: measured.map((m) => m.su) as unknown as Six,
    volume: cifNumber(block, "_cell_volume"),
    wavelength: cifNumber(block, "_diffrn_radiation_wavelength"),
    ub: ub.some(Number.isNaN) ? undefined : (ub as unknown as Nine),
    omegaDeg: cifNumber(block, "_diffrn_pets_omega"),
    details: text === undefined ? noPetsDetails : parsePetsDetails(text),
    zones: table(block, zoneTags, zoneColumns),
    reflections: table(block, reflectionTags, reflectionColumns),
    document,
  };
  for (const w of checks(value)) warnings.add(w);
  return { value, warnings: warnings.list() };
}
function table<S extends readonly ColumnSpec[]>(block: CifBlock, tags: readonly string[], specs: S): TableOf<S> {
  const columns = specs.map(([, kind], j) => (kind === "integer" ? cifIntegers : cifNumbers)(block, tags[j]!));
  const size = Math.max(...columns.map((c) => c?.length ?? 0));
  // An index or a number of a frame has no value that stands for "not known".
  const lost = columns.findIndex((c, j) => !c && size > 0 && specs[j]![1] === "integer");
  if (lost >= 0)
    fail("bad-file", { block: block.name, missing: tags[lost] }, `the loop with ${tags.find((_, j) => columns[j])} has no ${tags[lost]}`);
  const filled = columns.map((c, j) => {
    if (c && c.length !== size)
      fail("bad-file", { tag: tags[j], rows: c.length, wanted: size }, `${tags[j]} does not stand in one loop with ${tags[0]}`);
    return c ?? (specs[j]![1] === "integer" ? new Int32Array(size) : new Float64Array(size).fill(Number.NaN));
  });
  return { size, ...Object.fromEntries(specs.map((s, j) => [s[0], filled[j]])) } as TableOf<S>;
}
function checks(p: CifPets): readonly string[] {
  const out = [
    ...checkMetadata({
      wavelength: p.wavelength,
      alphaDeg: p.zones.alphaDeg,
      cell: p.cell,
      precessionSemiAngleDeg: p.zones.precessionDeg[0],
    }),
  ];
  if (!p.ub) out.push("the file gives no orientation matrix");
  if (p.zones.size === 0) out.push("the file lists no zone axes (frames)");
  if (p.reflections.size === 0) out.push("the file lists no reflections");
  const known = new Set(p.zones.id);
  const orphans = p.reflections.zone.reduce((n, z) => n + (known.has(z) ? 0 : 1), 0);
  if (orphans > 0 && p.zones.size > 0) out.push(`${orphans} of ${p.reflections.size} reflections refer to a zone that is not listed`);
  if (p.details.dStarMax === 0 && p.details.rcWidth === 0)
    out.push("d*max, rocking-curve width and mosaicity are 0: written by an export that does not know them, not measured");
  return out;
}

export interface CifPetsWriteOptions {
  /** Default: CRLF, as PETS2 writes. */
  readonly lineEnd?: "\n" | "\r\n";
  /** Further lines of CIF, put behind the measurement details (the `cifentries` of PETS2). */
  readonly entries?: readonly string[];
}
/**
 * Write a `.cif_pets` file in PETS2's own layout; a file of PETS2 without extra items is written back byte for byte. `document` is not looked at:
 * to keep extra items, pass them as `entries`, or edit the document and use `writeCif`.
 */
export function writeCifPets(p: CifPets | Omit<CifPets, "document">, { lineEnd = "\r\n", entries = [] }: CifPetsWriteOptions = {}): string {
  const out: string[] = ["data_pets"];
  if (p.creationMethod !== undefined) out.push(`_audit_creation_method      '${p.creationMethod}'`);
  cellTags.forEach((tag, i) => {
    const text = p.cell[i]!.toFixed(5) + (p.cellSu[i]! > 0 ? `(${Math.round(p.cellSu[i]! * 1e5)})` : "");
    out.push(tag + text.padStart((i < 3 ? 29 : 28) - tag.length));
  });
  if (!Number.isNaN(p.volume)) out.push(`_cell_volume${p.volume.toFixed(5).padStart(19)}`);
  out.push(`_diffrn_radiation_wavelength ${p.wavelength.toFixed(5)}`);
  p.ub?.forEach((v, i) => {
    out.push(`${ubTags[i]} ${v.toFixed(5).padStart(8)}`);
  });
  if (!Number.isNaN(p.omegaDeg)) out.push(`_diffrn_pets_omega ${p.omegaDeg.toFixed(5).padStart(8)}`, "");
  out.push("_diffrn_measurement_details", ";", ...petsDetailsText(p.details).split("\n"), ";", "", ...entries);
  const loop = (tags: readonly string[], rows: string): void => {
    out.push("loop_", ...tags, rows === "" ? "" : rows.slice(0, -lineEnd.length));
  };
  loop(zoneTags, writeTable(p.zones, zoneColumns, lineEnd));
  loop(reflectionTags, writeTable(p.reflections, reflectionColumns, lineEnd));
  return out.join(lineEnd) + lineEnd;
}
