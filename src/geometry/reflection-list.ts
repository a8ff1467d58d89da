import { fail } from "../core/errors.js";
import { printable } from "../core/inspect.js";
import { asuReflections } from "./asu.js";
import type { UnitCell } from "./cell.js";
import { reciprocalMetric } from "./metric.js";
import type { SpaceGroup } from "./space-groups.js";
import { uniqueReflections } from "./unique.js";

/** Struct of typed arrays: row i of every column is one reflection. NaN means not measured. */
export interface ReflectionList {
  readonly size: number;
  /** Miller indices, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** 1/d, Å⁻¹, shape [size]. */
  readonly dStar: Float64Array;
  /** Intensities and their standard deviations, shape [size]. */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Frame (or zone) of each observation, shape [size]; −1 when it belongs to none. */
  readonly frame: Int32Array;
}

/** A list from its columns; 1/d follows from the cell. @throws bad-shape when the columns disagree */
export function reflectionList(
  cell: UnitCell,
  columns: { readonly hkl: Int32Array; readonly intensity: Float64Array; readonly sigma?: Float64Array; readonly frame?: Int32Array },
): ReflectionList {
  const size = columns.intensity.length;
  const sigma = columns.sigma ?? new Float64Array(size).fill(Number.NaN),
    frame = columns.frame ?? new Int32Array(size).fill(-1);
  if (columns.hkl.length !== 3 * size || sigma.length !== size || frame.length !== size)
    fail(
      "bad-shape",
      { hkl: columns.hkl.length, intensity: size, sigma: sigma.length, frame: frame.length },
      "one row per reflection: hkl holds three numbers, the others one",
    );
  const [aa, ab, ac, , bb, bc, , , cc] = reciprocalMetric(cell);
  const dStar = Float64Array.from({ length: size }, (_, i) => {
    const h = columns.hkl[3 * i]!,
      k = columns.hkl[3 * i + 1]!,
      l = columns.hkl[3 * i + 2]!;
    return Math.sqrt(Math.max(0, aa * h * h + bb * k * k + cc * l * l + 2 * (ab * h * k + ac * h * l + bc * k * l)));
  });
  return named({ size, hkl: columns.hkl, dStar, intensity: columns.intensity, sigma, frame });
}
const named = (list: ReflectionList): ReflectionList =>
  printable({ ...list }, (r) => {
    let dMax = 0;
    for (const g of r.dStar) dMax = Math.max(dMax, g);
    return `ReflectionList(${r.size} reflections to ${(1 / dMax).toFixed(2)} Å)`;
  });

/** The rows that a test keeps, in their order. */
export function selectReflections(list: ReflectionList, keep: (row: number) => boolean): ReflectionList {
  return takeReflections(list, [...Array(list.size).keys()].filter(keep));
}
/** Rows by index: to sort, sort the indices. */
export function takeReflections(list: ReflectionList, rows: ArrayLike<number>): ReflectionList {
  const n = rows.length;
  const pick = <T extends Int32Array | Float64Array>(out: T, from: T): T => {
    for (let i = 0; i < n; i++) out[i] = from[rows[i]!]!;
    return out;
  };
  const hkl = new Int32Array(3 * n);
  for (let i = 0; i < n; i++) for (let c = 0; c < 3; c++) hkl[3 * i + c] = list.hkl[3 * rows[i]! + c]!;
  return named({
    size: n,
    hkl,
    dStar: pick(new Float64Array(n), list.dStar),
    intensity: pick(new Float64Array(n), list.intensity),
    sigma: pick(new Float64Array(n), list.sigma),
    frame: pick(new Int32Array(n), list.frame),
  });
}

export interface MergedReflections {
  readonly list: ReflectionList;
  /** Observations in each merged reflection, shape [list.size]. */
  readonly count: Int32Array;
  /** Σ|I − ⟨I⟩|/ΣI, and with √(n/(n−1)) and √(1/(n−1)) per reflection: R_int, R_meas, R_pim. NaN without repeats. */
  readonly rInt: number;
  readonly rMeas: number;
  readonly rPim: number;
}
export interface MergeOptions {
  /** Take h and −h as one (default true). */
  readonly friedel?: boolean;
  /** Weighted by 1/σ² (default when all σ are positive), or the plain mean of JANA's MR figures with σ = √Σσ²/n. */
  readonly weights?: "sigma" | "none";
}

/** Mean of equivalent observations, one row per representative in the order of first appearance; NaN intensities are left out. */
export function mergeReflections(cell: UnitCell, group: SpaceGroup, list: ReflectionList, options: MergeOptions = {}): MergedReflections {
  const map = asuReflections(group, list.hkl, options.friedel ?? true);
  const weighted = (options.weights ?? "sigma") === "sigma" && list.sigma.every((s, i) => s > 0 || Number.isNaN(list.intensity[i]!));
  const sets = new Map<string, number[]>();
  for (let i = 0; i < list.size; i++) {
    if (Number.isNaN(list.intensity[i]!)) continue;
    const key = `${map.hkl[3 * i]},${map.hkl[3 * i + 1]},${map.hkl[3 * i + 2]}`;
    const set = sets.get(key);
    if (set) set.push(i);
    else sets.set(key, [i]);
  }
  const n = sets.size,
    hkl = new Int32Array(3 * n),
    intensity = new Float64Array(n),
    sigma = new Float64Array(n),
    count = new Int32Array(n);
  let row = 0,
    int = 0,
    meas = 0,
    pim = 0,
    sum = 0;
  for (const set of sets.values()) {
    let w = 0,
      wi = 0,
      variance = 0;
    for (const i of set) {
      const s = list.sigma[i]!,
        q = weighted ? 1 / (s * s) : 1;
      w += q;
      wi += q * list.intensity[i]!;
      variance += q * q * s * s;
    }
    const mean = wi / w;
    hkl.set(map.hkl.subarray(3 * set[0]!, 3 * set[0]! + 3), 3 * row);
    intensity[row] = mean;
    sigma[row] = Math.sqrt(variance) / w;
    count[row++] = set.length;
    if (set.length < 2) continue;
    const spread = set.reduce((d, i) => d + Math.abs(list.intensity[i]! - mean), 0);
    int += spread;
    meas += spread * Math.sqrt(set.length / (set.length - 1));
    pim += spread * Math.sqrt(1 / (set.length - 1));
    for (const i of set) sum += list.intensity[i]!;
  }
  return { list: reflectionList(cell, { hkl, intensity, sigma }), count, rInt: int / sum, rMeas: meas / sum, rPim: pim / sum };
}

/** Measured part of the unique reflections, by shells of equal reciprocal volume from infinity to dMin. */
export function completeness(
  cell: UnitCell,
  group: SpaceGroup,
  list: ReflectionList,
  dMin: number,
  shells = 10,
): readonly { readonly dMin: number; readonly possible: number; readonly measured: number }[] {
  const all = uniqueReflections(cell, group, { dMin });
  const shellOf = (g: number): number => Math.min(shells - 1, Math.floor(shells * (g * dMin) ** 3));
  const possible = new Int32Array(shells),
    measured = new Int32Array(shells);
  const map = asuReflections(group, list.hkl);
  const seen = new Set<string>();
  for (let i = 0; i < list.size; i++)
    if (!Number.isNaN(list.intensity[i]!)) seen.add(`${map.hkl[3 * i]},${map.hkl[3 * i + 1]},${map.hkl[3 * i + 2]}`);
  for (let i = 0; i < all.size; i++) {
    const s = shellOf(all.dStar[i]!);
    possible[s]!++;
    if (seen.has(`${all.hkl[3 * i]},${all.hkl[3 * i + 1]},${all.hkl[3 * i + 2]}`)) measured[s]!++;
  }
  return Array.from({ length: shells }, (_, s) => ({
    dMin: dMin / Math.cbrt((s + 1) / shells),
    possible: possible[s]!,
    measured: measured[s]!,
  }));
}
