import { cellFromCif, spaceGroupFromCif } from "../geometry/from-cif.js";
import { dStar } from "../geometry/metric.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import type { CifBlock, CifDocument } from "../io/cif.js";
import { cifColumn, cifNumber, cifText } from "../io/cif-access.js";
import { type CifReflections, cifReflections } from "../io/cif-reflections.js";
import { extinctionGeometry, extinctionY } from "./extinction.js";
import { mergedResiduals, type ObservedCalculated, type Residuals, residuals } from "./residuals.js";

/** Residuals of one reflection list of a CIF, with what the file itself states. */
export interface CifResiduals {
  readonly block: string;
  readonly spaceGroup: string;
  readonly quantity: CifReflections["quantity"];
  /** Frames (scale groups) of the list; 0 for a merged list. */
  readonly frames: number;
  /** `_refine_ls_number_parameters`; NaN when not stated. */
  readonly parameters: number;
  readonly list: Residuals;
  /**
   * The list as it was measured, where the file's is corrected for extinction: JANA divides Fo by k·y instead of multiplying Fc, so R (not wR)
   * of the corrected list differs from what it states. With the file's own observed flags.
   */
  readonly uncorrected?: Residuals | undefined;
  /** MR: after merging by the point group. */
  readonly merged: Residuals;
  /** R of every frame, in the order of first appearance. */
  readonly byFrame: readonly { readonly frame: string; readonly residuals: Residuals }[];
  /** What the block states, NaN where it does not. */
  readonly stated: {
    readonly nObs: number;
    readonly nAll: number;
    readonly rObs: number;
    readonly rAll: number;
    readonly wrObs: number;
    readonly wrAll: number;
    readonly gof: number;
  };
  readonly warnings: readonly string[];
}

/** Intensities of a CIF's list: as they stand, or F squared with σ(I) = 2Fσ(F). */
export function intensitiesOf(r: CifReflections): ObservedCalculated {
  if (r.quantity !== "f") return r;
  return {
    measured: r.measured.map((f) => f * Math.abs(f)),
    sigma: r.sigma.map((s, i) => 2 * Math.abs(r.measured[i]!) * s),
    calculated: r.calculated.map((f) => f * f),
  };
}
export const indicesOf = (r: CifReflections): Int32Array => {
  const hkl = new Int32Array(3 * r.size);
  for (let i = 0; i < r.size; i++) hkl.set([r.h[i]!, r.k[i]!, r.l[i]!], 3 * i);
  return hkl;
};

/**
 * Undo the extinction correction of JANA's kinematical lists: measured, σ and calculated F² times y². Undefined where the block states no
 * extinction of SHELXL's form, or no wavelength.
 */
export function withExtinction(block: CifBlock, r: CifReflections): ObservedCalculated | undefined {
  const x = cifNumber(block, "_refine_ls_extinction_coef"),
    wavelength = cifNumber(block, "_diffrn_radiation_wavelength");
  const method = cifText(block, "_refine_ls_extinction_method") ?? "";
  if (!(x > 0 && wavelength > 0) || r.quantity !== "fSquared" || !/shelx/i.test(method)) return undefined;
  const { cell } = cellFromCif(block);
  const y2 = Float64Array.from(
    { length: r.size },
    (_, i) => extinctionY(x, r.calculated[i]!, extinctionGeometry(wavelength, dStar(cell, [r.h[i]!, r.k[i]!, r.l[i]!]))) ** 2,
  );
  const times = (v: Float64Array): Float64Array => v.map((a, i) => a * y2[i]!);
  return { measured: times(r.measured), sigma: times(r.sigma), calculated: times(r.calculated) };
}

/** Residuals of a block's reflection list. @throws not-found when the block has no list */
export function residualsOfBlock(block: CifBlock, instability = 0.01): CifResiduals {
  const r = cifReflections(block);
  const warnings: string[] = [];
  let group: SpaceGroup | undefined;
  try {
    const parsed = spaceGroupFromCif(block, cellFromCif(block).cell);
    group = parsed.value;
    warnings.push(...parsed.warnings);
  } catch (e) {
    warnings.push(`no MR figures: ${(e as Error).message}`);
  }
  const pairs = intensitiesOf(r);
  const parameters = cifNumber(block, "_refine_ls_number_parameters");
  const options = { parameters, instability };
  const list = residuals(pairs, options);
  if (list.excluded > 0)
    warnings.push(`${list.excluded} reflections lack a positive sigma, or a measured or calculated value, and are left out`);
  if (list.nAll > 0 && !Number.isFinite(list.rAll)) warnings.push("no measured value is above zero: R is not defined");
  const twice = repeatedRows(r);
  if (twice > 0) warnings.push(`${twice} rows repeat the indices, frame and values of another; they are counted as they stand`);
  const empty = residuals({ measured: new Float64Array(0), sigma: new Float64Array(0), calculated: new Float64Array(0) });
  const frames = [...new Set(r.group.filter((g) => g !== ""))];
  const rowsOf = new Map<string, Set<number>>(frames.map((f) => [f, new Set()]));
  r.group.forEach((g, i) => {
    rowsOf.get(g)?.add(i);
  });
  const extinct = withExtinction(block, r);
  const stated = (tag: string): number => cifNumber(block, `_${tag}`);
  return {
    block: block.name,
    spaceGroup: group?.hm ?? "?",
    quantity: r.quantity,
    frames: frames.length,
    parameters,
    list,
    uncorrected: extinct && residuals(extinct, { ...options, observed: r.observed }),
    merged: group ? mergedResiduals(group, indicesOf(r), pairs, { instability }) : empty,
    byFrame: frames.map((frame) => ({ frame, residuals: residualsOfRows(pairs, rowsOf.get(frame)!, instability) })),
    stated: {
      nObs: stated("reflns_number_gt"),
      nAll: stated("reflns_number_total"),
      rObs: stated("refine_ls_R_factor_gt"),
      rAll: stated("refine_ls_R_factor_all"),
      wrObs: stated("refine_ls_wR_factor_gt"),
      wrAll: stated("refine_ls_wR_factor_ref"),
      gof: stated("refine_ls_goodness_of_fit_ref"),
    },
    warnings,
  };
}
/** Rows that say what another one says already. */
function repeatedRows(r: CifReflections): number {
  const seen = new Set<string>();
  for (let i = 0; i < r.size; i++) seen.add([r.h[i], r.k[i], r.l[i], r.group[i], r.measured[i], r.sigma[i], r.calculated[i]].join());
  return r.size - seen.size;
}
function residualsOfRows(list: ObservedCalculated, rows: ReadonlySet<number>, instability: number): Residuals {
  const at = [...rows];
  const take = (x: Float64Array): Float64Array => Float64Array.from(at, (i) => x[i]!);
  return residuals({ measured: take(list.measured), sigma: take(list.sigma), calculated: take(list.calculated) }, { instability });
}

const hasIndices = (b: CifBlock): boolean => ["h", "k", "l"].every((x) => cifColumn(b, `_refln_index_${x}`));

/** {@link residualsOfBlock} of every block that holds measured and calculated values. */
export function residualsOfCif(document: CifDocument, instability = 0.01): readonly CifResiduals[] {
  return document.blocks
    .filter(hasIndices)
    .map((b) => residualsOfBlock(b, instability))
    .filter((r) => r.list.nAll > 0);
}

/** Blocks with a reflection list that {@link residualsOfCif} has no use for, and what is missing in each. */
export function unusedReflectionLists(document: CifDocument): readonly { readonly block: string; readonly reason: string }[] {
  return document.blocks.flatMap((b) => {
    if (!b.entries.some((e) => e.kind === "loop" && e.tags.some((t) => /^_refln[_.]/i.test(t)))) return [];
    const reason = hasIndices(b) ? missingValues(b) : "its reflection list lacks one of _refln_index_h, _k and _l";
    return reason ? [{ block: b.name, reason }] : [];
  });
}
function missingValues(block: CifBlock): string | undefined {
  const r = cifReflections(block);
  if (r.size === 0) return "its reflection list has no rows";
  if (!r.measured.some(Number.isFinite)) return "its reflection list has no measured values";
  if (!r.calculated.some(Number.isFinite)) return "its reflection list has no calculated values";
  return r.sigma.some((s) => s > 0) ? undefined : "no sigma of its reflection list is above zero";
}
