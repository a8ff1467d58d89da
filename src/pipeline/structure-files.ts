import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import { version } from "../core/version.js";
import { cellParameters, type UnitCell } from "../geometry/cell.js";
import type { Exposure } from "../geometry/experiment.js";
import { structureToShelx } from "../geometry/from-shelx.js";
import { petsRotation } from "../geometry/goniometer.js";
import { type Structure, structure } from "../geometry/structure.js";
import { structureToCif } from "../geometry/to-cif.js";
import { structureToJana } from "../geometry/to-jana.js";
import { zoneAxis } from "../geometry/zone.js";
import { type CifEntry, cifItem, cifLoop } from "../io/cif.js";
import { type EdCifRecord, edCifItems } from "../io/cif-ed.js";
import { writeCif } from "../io/cif-write.js";
import { writeM40 } from "../io/jana/m40.js";
import { writeM50 } from "../io/jana/m50.js";
import { type M90, writeM90 } from "../io/jana/m90.js";
import { type CifPets, writeCifPets } from "../io/pets/cif-pets.js";
import { noPetsDetails, type PetsVirtualFrames } from "../io/pets/measurement-details.js";
import { writeHklf } from "../io/shelx/hklf.js";
import { writeShelx } from "../io/shelx/ins.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { fitGaussians } from "../scattering/gaussian-fit.js";
import { peng1996 } from "../scattering/peng.js";

/** Intensities, rows of one list. */
export interface IntensityRows {
  /** Shape [n, 3]. */
  readonly hkl: Int32Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** On the scale of the measured ones; NaN where there is none. */
  readonly calculated?: Float64Array | undefined;
}
/** Intensities of one (virtual) frame. */
export interface FrameRows extends IntensityRows {
  /** From 1. */
  readonly id: number;
  readonly alphaDeg: number;
  readonly betaDeg: number;
  /** Position of the tilt axis. */
  readonly omegaDeg: number;
  /** Half width of the (virtual) frame, or the precession semi-angle. */
  readonly halfAngleDeg: number;
  readonly scale: number;
}
/** A measured crystal, as refinement programs want it. */
export interface MeasuredCrystal {
  readonly cell: UnitCell;
  readonly cellSu?: readonly number[] | undefined;
  /** Å. */
  readonly wavelength: number;
  /** Columns a*, b*, c*, sample frame, Å⁻¹. */
  readonly ub: Map3<"sample", "hkl">;
  readonly exposure: Exposure["kind"];
  /** Resolution limit, Å⁻¹; width of the rocking curve, Å⁻¹; mosaicity, degrees; diameter of spots, pixels. NaN: not known. */
  readonly gMax: number;
  readonly rcWidth: number;
  readonly mosaicityDeg: number;
  readonly diameterPx: number;
  readonly omegaDeg: number;
  /** Merged or not, one row a reflection, for kinematical refinement. */
  readonly kinematical?: IntensityRows | undefined;
  readonly frames?: readonly FrameRows[] | undefined;
  readonly virtualFrames?: Pick<PetsVirtualFrames, "merged" | "step"> | undefined;
}

/** Intensities as PETS2 and SHELX hand them over: `<name>.hkl`, `<name>.cif_pets`, `<name>_dyn.cif_pets`, as far as there are data. */
export function intensityFiles(c: MeasuredCrystal, name: string): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  if (c.kinematical) {
    out.set(`${name}.hkl`, hklf(c.kinematical));
    out.set(`${name}.cif_pets`, writeCifPets(pets(c, [], [{ ...c.kinematical, id: 1 }], undefined), { entries: note(c) }));
  }
  if (c.frames && c.frames.length > 0)
    out.set(`${name}_dyn.cif_pets`, writeCifPets(pets(c, c.frames, c.frames, c.virtualFrames), { entries: note(c) }));
  return out;
}
const note = (c: MeasuredCrystal): string[] => [
  `# written by ewald ${version}; intensities in counts${c.exposure === "precession" ? ", precession" : ""}`,
  "",
];

/** SHELX fields have eight characters: a list that does not fit is divided by a power of ten. */
function hklf(r: IntensityRows): string {
  const rows = Array.from({ length: r.intensity.length }, (_, i) => i).filter((i) => Number.isFinite(r.intensity[i]!) && r.sigma[i]! > 0);
  const most = rows.reduce((m, i) => Math.max(m, Math.abs(r.intensity[i]!), r.sigma[i]!), 0);
  const divisor = most > 0 ? 10 ** Math.ceil(Math.log10(most / 99999)) : 1;
  const column = (c: Float64Array): Float64Array => Float64Array.from(rows, (i) => c[i]! / Math.max(divisor, 1e-6));
  const index = (k: number): Int32Array => Int32Array.from(rows, (i) => r.hkl[3 * i + k]!);
  return writeHklf({ size: rows.length, h: index(0), k: index(1), l: index(2), intensity: column(r.intensity), sigma: column(r.sigma) });
}

function pets(
  c: MeasuredCrystal,
  zones: readonly FrameRows[],
  lists: readonly (IntensityRows & { readonly id: number })[],
  virtual: MeasuredCrystal["virtualFrames"],
): Omit<CifPets, "document"> {
  const nan = Number.NaN,
    rows = lists.flatMap((f) =>
      Array.from({ length: f.intensity.length }, (_, i) => ({ f, i })).filter(
        ({ i }) => Number.isFinite(f.intensity[i]!) && f.sigma[i]! > 0,
      ),
    );
  const axes = zones.map((z) => zoneAxis(petsRotation(z.alphaDeg, z.betaDeg, 0), c.ub));
  const column = (of: (z: FrameRows, i: number) => number): Float64Array => Float64Array.from(zones, of);
  const words = { continuous: "continuous rotation", precession: "precession", static: "static" };
  return {
    creationMethod: undefined,
    cell: cellParameters(c.cell) as unknown as CifPets["cell"],
    cellSu: Array.from({ length: 6 }, (_, i) => c.cellSu?.[i] ?? nan) as unknown as CifPets["cellSu"],
    volume: c.cell.volume,
    wavelength: c.wavelength,
    ub: [...c.ub] as unknown as NonNullable<CifPets["ub"]>,
    omegaDeg: 0,
    details: {
      ...noPetsDetails,
      geometry: words[c.exposure],
      dStarMax: c.gMax,
      rcWidth: c.rcWidth,
      mosaicityDeg: c.mosaicityDeg,
      axisPositionDeg: c.omegaDeg,
      reflectionSizePx: c.diameterPx,
      integrationMode: virtual ? undefined : "fit profile",
      virtualFrames: virtual && { merged: virtual.merged, step: virtual.step, sumAll: 1, integration: undefined },
    },
    zones: {
      size: zones.length,
      id: Int32Array.from(zones, (z) => z.id),
      u: column((_, i) => axes[i]![0]),
      v: column((_, i) => axes[i]![1]),
      w: column((_, i) => axes[i]![2]),
      precessionDeg: column((z) => z.halfAngleDeg),
      alphaDeg: column((z) => z.alphaDeg),
      betaDeg: column((z) => z.betaDeg),
      omegaDeg: column((z) => z.omegaDeg),
      scale: column((z) => z.scale),
    },
    reflections: {
      size: rows.length,
      h: Int32Array.from(rows, ({ f, i }) => f.hkl[3 * i]!),
      k: Int32Array.from(rows, ({ f, i }) => f.hkl[3 * i + 1]!),
      l: Int32Array.from(rows, ({ f, i }) => f.hkl[3 * i + 2]!),
      intensity: Float64Array.from(rows, ({ f, i }) => f.intensity[i]!),
      sigma: Float64Array.from(rows, ({ f, i }) => f.sigma[i]!),
      zone: Int32Array.from(rows, ({ f }) => f.id),
    },
  };
}

/** What a refinement says about itself in a CIF. */
export interface RefinementRecord extends EdCifRecord {
  /** R factors as fractions. */
  readonly rObserved?: number | undefined;
  readonly rAll?: number | undefined;
  readonly wrAll?: number | undefined;
  readonly gof?: number | undefined;
  readonly reflections?: number | undefined;
  readonly observed?: number | undefined;
  readonly parameters?: number | undefined;
  readonly maxShiftOverSu?: number | undefined;
}

/**
 * A structure for other programs: `<name>.cif` (standard items of electron diffraction, results, the reflections refined against), `<name>.ins` with
 * electron form factors, JANA's `<name>.m40`, `.m50` and `.m90`.
 * @param factors - of the INS file, as four Gaussians and a constant
 */
export function structureFiles(
  s: Structure,
  c: MeasuredCrystal,
  record: RefinementRecord,
  name: string,
  factors: FormFactorSource = peng1996,
): ReadonlyMap<string, string> {
  const labelled = uniqueLabels(s);
  const out = new Map<string, string>([[`${name}.cif`, refinedCif(labelled, c, record, name)]]);
  const { m40, m50 } = structureToJana(labelled, { title: name });
  out.set(`${name}.m40`, writeM40(m40));
  out.set(`${name}.m50`, writeM50(m50));
  const shelx = structureToShelx(labelled, { title: name, wavelength: c.wavelength });
  out.set(
    `${name}.ins`,
    writeShelx({
      ...shelx,
      scatterers: shelx.scatterers.map(({ label }) => {
        const { a, b, c: constant } = fitGaussians(factors(label));
        const n = (v: number): number => Number(v.toFixed(5));
        return { label, coefficients: { a: a.map(n), b: b.map(n), c: n(constant), rest: [0, 0, 0, 1, 1] } };
      }),
      instructions: [
        ["L.S.", 10],
        ["EXTI", 0.1],
        ["WGHT", 0.1],
        ["FMAP", 2],
        ["PLAN", 10],
      ],
    }),
  );
  if (c.kinematical) out.set(`${name}.m90`, writeM90(m90Of(c.kinematical, c.wavelength)));
  return out;
}

function m90Of(r: IntensityRows, wavelength: number): M90 {
  const rows = Array.from({ length: r.intensity.length }, (_, i) => i).filter((i) => Number.isFinite(r.intensity[i]!) && r.sigma[i]! > 0);
  const most = rows.reduce((m, i) => Math.max(m, Math.abs(r.intensity[i]!)), 0);
  const scale = most > 0 ? 10 ** Math.floor(Math.log10(999999 / most)) : 1;
  const size = rows.length,
    ints = (of: (i: number) => number): Int32Array => Int32Array.from(rows, of);
  return {
    header: [
      "eformat91 0",
      "datblock Block1",
      `nref ${size} obslim 3 sctom90 ${scale} norefitems 1 diffscales 1 dataave 0 scalelim 10 hklf5 0`,
      "radtype 3 dattype 1",
      `lambda ${wavelength.toFixed(5)} lpfactor 3`,
    ],
    dataLine: "Data Block1",
    size,
    h: ints((i) => r.hkl[3 * i]!),
    k: ints((i) => r.hkl[3 * i + 1]!),
    l: ints((i) => r.hkl[3 * i + 2]!),
    intensity: Float64Array.from(rows, (i) => r.intensity[i]! * scale),
    sigma: Float64Array.from(rows, (i) => r.sigma[i]! * scale),
    zone: ints(() => 1),
    flag1: ints(() => 0),
    flag2: ints(() => 1),
    cosines: new Float64Array(8 * size),
    tbar: new Float64Array(size),
    serial: Int32Array.from(rows, (_, i) => 1000 * (i + 1) + 1),
  };
}

function refinedCif(s: Structure, c: MeasuredCrystal, r: RefinementRecord, name: string): string {
  const number = (v: number | undefined, digits: number): string | undefined =>
    v === undefined || !Number.isFinite(v) ? undefined : v.toFixed(digits);
  const items: [string, string | undefined][] = [
    ["_refine_ls_R_factor_gt", number(r.rObserved, 4)],
    ["_refine_ls_R_factor_all", number(r.rAll, 4)],
    ["_refine_ls_wR_factor_ref", number(r.wrAll, 4)],
    ["_refine_ls_goodness_of_fit_ref", number(r.gof, 3)],
    ["_refine_ls_number_reflns", number(r.reflections, 0)],
    ["_reflns_number_gt", number(r.observed, 0)],
    ["_reflns_threshold_expression", r.observed === undefined ? undefined : "I>3\\s(I)"],
    ["_refine_ls_number_parameters", number(r.parameters, 0)],
    ["_refine_ls_shift/su_max", number(r.maxShiftOverSu, 4)],
    ["_refine_ls_structure_factor_coef", r.rObserved === undefined ? undefined : "F"],
    ["_computing_structure_refinement", r.rObserved === undefined ? undefined : `ewald ${version}`],
  ];
  const block = structureToCif(s, name.replace(/[^\w.-]+/g, "_") || "structure");
  const entries: CifEntry[] = [
    cifItem("_audit_creation_method", `ewald ${version}`),
    ...block.entries,
    ...edCifItems({ wavelength: c.wavelength, ...r }),
    ...items.flatMap(([tag, v]) => (v === undefined ? [] : [cifItem(tag, v)])),
  ];
  const lists: (IntensityRows & { readonly id: number })[] =
    c.frames && c.frames.length > 0 ? [...c.frames] : c.kinematical ? [{ ...c.kinematical, id: 0 }] : [];
  const rows = lists.flatMap((f) =>
    Array.from({ length: f.intensity.length }, (_, i) => ({ f, i })).filter(({ i }) => Number.isFinite(f.intensity[i]!) && f.sigma[i]! > 0),
  );
  if (rows.length > 0) {
    const text = (of: (x: (typeof rows)[number]) => number, digits: number): string[] =>
      rows.map((x) => (Number.isFinite(of(x)) ? of(x).toFixed(digits) : "?"));
    const calculated = rows.some(({ f, i }) => Number.isFinite(f.calculated?.[i] ?? Number.NaN));
    entries.push(
      cifLoop({
        _refln_index_h: text(({ f, i }) => f.hkl[3 * i]!, 0),
        _refln_index_k: text(({ f, i }) => f.hkl[3 * i + 1]!, 0),
        _refln_index_l: text(({ f, i }) => f.hkl[3 * i + 2]!, 0),
        _refln_intensity_meas: text(({ f, i }) => f.intensity[i]!, 3),
        _refln_intensity_sigma: text(({ f, i }) => f.sigma[i]!, 3),
        ...(calculated ? { _refln_intensity_calc: text(({ f, i }) => f.calculated?.[i] ?? Number.NaN, 3) } : {}),
        _refln_observed_status: rows.map(({ f, i }) => (f.intensity[i]! > 3 * f.sigma[i]! ? "o" : "<")),
        ...(c.frames && c.frames.length > 0 ? { _refln_scale_group_code: rows.map(({ f }) => String(f.id)) } : {}),
      }),
    );
  }
  return writeCif({ version: "1.1", comments: [], blocks: [{ name: block.name, entries }] });
}

/** Labels that every program takes: element and number, at most four characters, none twice. */
export function uniqueLabels(s: Structure): Structure {
  const used = new Set<string>(),
    counts = new Map<string, number>();
  const atoms = s.atoms.map((a) => {
    let label = a.label;
    if (!/^[A-Za-z]{1,2}\d{0,3}[A-Z]?$/.test(label) || label.length > 4 || used.has(label.toUpperCase())) {
      let n = counts.get(a.element) ?? 0;
      do label = `${a.element}${++n}`;
      while (used.has(label.toUpperCase()) || s.atoms.some((b) => b !== a && b.label.toUpperCase() === label.toUpperCase()));
      counts.set(a.element, n);
      if (label.length > 4)
        fail("too-large", { atoms: s.atoms.length, element: a.element }, "SHELX labels hold at most 999 atoms of an element");
    }
    used.add(label.toUpperCase());
    return { ...a, label };
  });
  return structure(s.cell, s.spaceGroup, atoms, s.cellSu);
}
