import { fail } from "../core/errors.js";
import { type CifBlock, isCifMissing } from "./cif.js";
import { cifColumn, cifIntegers, cifNumbers, cifText, cifTexts } from "./cif-access.js";

/** The reflection list of a CIF, one row each. Columns the file does not have are NaN, codes "". */
export interface CifReflections {
  readonly size: number;
  /** What measured and calculated values are: intensities or F². */
  readonly quantity: "intensity" | "fSquared" | "f";
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly l: Int32Array;
  readonly measured: Float64Array;
  readonly sigma: Float64Array;
  readonly calculated: Float64Array;
  /** `_refln_scale_group_code`: the frame, `n` or `n%block` in JANA's CIFs of dynamical refinements. */
  readonly group: readonly string[];
  /** `_refln_observed_status`: 1 where it is `o`; 0 elsewhere. */
  readonly observed: Uint8Array;
  /** Scale of every group: `_reflns_scale_group_code` and `_reflns_scale_meas_intensity`. */
  readonly scales: readonly (readonly [group: string, scale: number])[];
}
const quantities = [
  ["intensity", "_refln_intensity_meas", "_refln_intensity_sigma", "_refln_intensity_calc"],
  ["fSquared", "_refln_F_squared_meas", "_refln_F_squared_sigma", "_refln_F_squared_calc"],
  ["f", "_refln_F_meas", "_refln_F_sigma", "_refln_F_calc"],
  ["intensity", "_diffrn_refln_intensity_net", "_diffrn_refln_intensity_sigma", ""],
  ["intensity", "_diffrn_refln_intensity_net", "_diffrn_refln_intensity_u", ""],
] as const;

/** The reflection list of a block; without one (`_refln_…`), that of its unmerged measurements (`_diffrn_refln_…`). @throws not-found when it has none; bad-file when an index is no integer */
export function cifReflections(block: CifBlock): CifReflections {
  const of = cifColumn(block, "_refln_index_h") ? "_refln" : "_diffrn_refln";
  const [h, k, l] = ["h", "k", "l"].map((x) => cifIntegers(block, `${of}_index_${x}`));
  if (!h || !k || !l) return fail("not-found", { block: block.name }, "this block of the CIF holds no reflection list (_refln_index_h …)");
  const size = h.length;
  const own = quantities.filter((q) => q[1].startsWith(`${of}_`));
  const has = (tag: string): boolean => tag !== "" && cifColumn(block, tag) !== undefined;
  const kind = own.find((q) => has(q[1]) && has(q[2])) ?? own.find((q) => has(q[1]) || has(q[3])) ?? own[0]!;
  const column = (tag: string): Float64Array => {
    const c = cifNumbers(block, tag);
    if (c && c.length !== size)
      fail("bad-file", { tag, rows: c.length, wanted: size }, `${tag} does not stand in one loop with _refln_index_h`);
    return c ?? new Float64Array(size).fill(Number.NaN);
  };
  const group = cifTexts(block, "_refln_scale_group_code");
  const status = cifColumn(block, "_refln_observed_status") ?? cifColumn(block, "_refln_include_status");
  const codes = cifTexts(block, "_reflns_scale_group_code"),
    scales = cifNumbers(block, "_reflns_scale_meas_intensity") ?? cifNumbers(block, "_reflns_scale_meas_F_squared");
  return {
    size,
    quantity: kind[0],
    h,
    k,
    l,
    measured: column(kind[1]),
    sigma: column(kind[2]),
    calculated: column(kind[3]),
    group: group ?? new Array<string>(size).fill(""),
    observed: Uint8Array.from({ length: size }, (_, i) => (status && !isCifMissing(status[i]) && status[i] === "o" ? 1 : 0)),
    scales: codes && scales ? codes.map((c, i) => [c, scales[i]!] as const) : [],
  };
}
/** Text of an item with its line ends folded to blanks, for one-line display. */
export function cifOneLine(block: CifBlock, tag: string): string | undefined {
  return cifText(block, tag)?.replace(/\s+/g, " ").trim();
}
