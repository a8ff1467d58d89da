import { type CifDocument, type CifEntry, type CifItem, cifItem, cifLoop } from "./cif.js";
import { formatSu, type Measured } from "./number.js";

/**
 * What the electron-diffraction dictionary of COMCIFS (CIF_ED 1.0.0, 2025; now in the core dictionary) has items for. Leave out what is not known.
 * A measured number may carry its s.u.
 */
export interface EdCifRecord {
  /** Å. */
  readonly wavelength?: number;
  readonly voltageKv?: number;
  /** Sample rotates while the detector records, or stands still. */
  readonly rotationMode?: "rotation" | "stepwise";
  readonly precession?: boolean;
  readonly precessionSemiAngleDeg?: number | Measured;
  readonly sampleTracking?: boolean;
  readonly sampleTrackingMethod?: string;
  readonly illumination?: "parallel" | "convergent";
  /** Full angle 2α of the illuminating cone. */
  readonly convergenceAngleDeg?: number;
  readonly areaSelection?: "SAED" | "probe";
  readonly sourceSize?: string;
  readonly mosaicityDeg?: number | Measured;
  readonly mosaicBlockSize?: number | Measured;
  readonly mosaicMethod?: string;
  readonly theory?: "kinematical" | "dynamical";
  readonly theoryDetails?: string;
  /** The dictionary wants nanometres, refinement programs work in Å: the unit is in the name. */
  readonly thicknessNm?: number | Measured;
  readonly shapeExpression?: string;
  readonly shapeDetails?: string;
  /** z-score of Klar et al. (2023) for the absolute structure. */
  readonly absoluteStructureZ?: number;
  /** Extremes and rms of the difference map of the electrostatic potential, e Å⁻¹. */
  readonly potentialMax?: number | Measured;
  readonly potentialMin?: number | Measured;
  readonly potentialRms?: number | Measured;
  readonly computingSampleTracking?: string;
}

const tags: readonly (readonly [keyof EdCifRecord, string])[] = [
  ["wavelength", "_diffrn_radiation_wavelength"],
  ["voltageKv", "_diffrn_source_voltage"],
  ["areaSelection", "_diffrn_source.ed_diffracting_area_selection"],
  ["convergenceAngleDeg", "_diffrn_source.convergence_angle"],
  ["sourceSize", "_diffrn_source.size"],
  ["illumination", "_diffrn_radiation.illumination_mode"],
  ["rotationMode", "_diffrn_measurement.rotation_mode"],
  ["precession", "_diffrn_measurement.method_precession"],
  ["precessionSemiAngleDeg", "_diffrn.precession_semi_angle"],
  ["sampleTracking", "_diffrn_measurement.sample_tracking"],
  ["sampleTrackingMethod", "_diffrn_measurement.sample_tracking_method"],
  ["computingSampleTracking", "_computing.sample_tracking"],
  ["mosaicityDeg", "_exptl_crystal.mosaicity"],
  ["mosaicBlockSize", "_exptl_crystal.mosaic_block_size"],
  ["mosaicMethod", "_exptl_crystal.mosaic_method"],
  ["theory", "_refine.diffraction_theory"],
  ["theoryDetails", "_refine.diffraction_theory_details"],
  ["thicknessNm", "_refine_ls.sample_thickness"],
  ["shapeExpression", "_refine_ls.sample_shape_expression"],
  ["shapeDetails", "_refine_ls.sample_shape_details"],
  ["absoluteStructureZ", "_refine_ls.abs_structure_z-score"],
  ["potentialMax", "_refine_diff.potential_max"],
  ["potentialMin", "_refine_diff.potential_min"],
  ["potentialRms", "_refine_diff.potential_RMS"],
];

/** Items of an electron-diffraction experiment in CIF, in the dictionary's names and words. `_diffrn_radiation_probe` is always `electron`. */
export function edCifItems(record: EdCifRecord): readonly CifItem[] {
  const items = tags.flatMap(([key, tag]) => {
    const v = record[key];
    return v === undefined ? [] : [cifItem(tag, wordOf(v))];
  });
  return [cifItem("_diffrn_radiation_probe", "electron"), ...items];
}
function wordOf(v: number | Measured | string | boolean): string | number {
  if (typeof v === "boolean") return v ? "yes" : "no";
  return typeof v === "object" ? formatSu(v.value, v.su) : v;
}

/** A crystal and its reflections, for `edCifDocument`. */
export interface EdCifContents {
  readonly name: string;
  /** a b c in Å, α β γ in degrees; s.u. NaN or 0 where there is none. */
  readonly cell: readonly number[];
  readonly cellSu?: readonly number[] | undefined;
  readonly volume?: number | Measured | undefined;
  /** Hermann–Mauguin symbol and operators `x,y,z`. */
  readonly spaceGroup?: string | undefined;
  readonly symmetry?: readonly string[] | undefined;
  readonly experiment: EdCifRecord;
  readonly reflections?:
    | {
        readonly size: number;
        readonly h: ArrayLike<number>;
        readonly k: ArrayLike<number>;
        readonly l: ArrayLike<number>;
        readonly intensity: ArrayLike<number>;
        readonly sigma: ArrayLike<number>;
      }
    | undefined;
  /** Further entries, put before the reflections. */
  readonly entries?: readonly CifEntry[] | undefined;
}
const cellTags = ["_cell_length_a", "_cell_length_b", "_cell_length_c", "_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"];

/** A CIF of one block with cell, symmetry, the experiment's items and the reflections. Write it with `writeCif`. */
export function edCifDocument(c: EdCifContents): CifDocument {
  const entries: CifEntry[] = cellTags.map((tag, i) => cifItem(tag, formatSu(c.cell[i]!, c.cellSu?.[i] ?? Number.NaN)));
  if (c.volume !== undefined) entries.push(cifItem("_cell_volume", wordOf(c.volume)));
  if (c.spaceGroup !== undefined) entries.push(cifItem("_space_group_name_H-M_alt", c.spaceGroup));
  if (c.symmetry) entries.push(cifLoop({ _space_group_symop_operation_xyz: c.symmetry }));
  entries.push(...edCifItems(c.experiment), ...(c.entries ?? []));
  const r = c.reflections;
  if (r) {
    const fixed = (column: ArrayLike<number>): string[] =>
      Array.from({ length: r.size }, (_, i) => (Number.isFinite(column[i]!) ? column[i]!.toFixed(2) : "?"));
    const text = (column: ArrayLike<number>): string[] => Array.from({ length: r.size }, (_, i) => String(column[i]));
    entries.push(
      cifLoop({
        _refln_index_h: text(r.h),
        _refln_index_k: text(r.k),
        _refln_index_l: text(r.l),
        _refln_intensity_meas: fixed(r.intensity),
        _refln_intensity_sigma: fixed(r.sigma),
      }),
    );
  }
  return { version: "1.1", comments: [], blocks: [{ name: c.name.replace(/[^\w.-]+/g, "_") || "crystal", entries }] };
}
