import { fail } from "../core/errors.js";
import { asuReflections } from "../geometry/asu.js";
import type { UnitCell } from "../geometry/cell.js";
import { completeness, type ReflectionList, takeReflections } from "../geometry/reflection-list.js";
import type { SpaceGroup } from "../geometry/space-groups.js";

/** Merging figures of a resolution shell, or of all data. NaN where nothing was measured twice. */
export interface MergingShell {
  /** Limits in Å: dMax > d ≥ dMin; dMax is Infinity in the first shell. */
  readonly dMax: number;
  readonly dMin: number;
  readonly observations: number;
  readonly unique: number;
  readonly possible: number;
  readonly completeness: number;
  /** The same from infinity to this shell's dMin. */
  readonly cumulativeCompleteness: number;
  readonly multiplicity: number;
  readonly meanIntensity: number;
  /** ⟨I/σ⟩ of the merged reflections. */
  readonly iOverSigma: number;
  readonly rInt: number;
  readonly rMeas: number;
  readonly rPim: number;
  /** Correlation of half data sets by the σ–τ method, and CC* = √(2CC½/(1 + CC½)) (NaN for CC½ ≤ 0). */
  readonly ccHalf: number;
  readonly ccStar: number;
}
export interface MergingStatistics {
  readonly shells: readonly MergingShell[];
  readonly overall: MergingShell;
  /** Observations without a finite intensity or a positive σ, which no figure counts. */
  readonly excluded: number;
}
export interface MergingOptions {
  /** Limit of resolution, Å; by default that of the data. */
  readonly dMin?: number | undefined;
  /** Shells of equal volume in reciprocal space (10). */
  readonly shells?: number | undefined;
  /** Take h and −h as one (default true: Laue group). */
  readonly friedel?: boolean | undefined;
}

interface Sums {
  observations: number;
  unique: number;
  repeated: number;
  deviation: number;
  meas: number;
  pim: number;
  sum: number;
  iSigma: number;
  mean: number;
  /** Moments of Ī of the repeated ones, and of 2s²/n. */
  y: number;
  yy: number;
  e: number;
}
const empty = (): Sums => ({
  observations: 0,
  unique: 0,
  repeated: 0,
  deviation: 0,
  meas: 0,
  pim: 0,
  sum: 0,
  iSigma: 0,
  mean: 0,
  y: 0,
  yy: 0,
  e: 0,
});

/**
 * R_int = ΣΣ|I − Ī|/ΣΣI over reflections measured twice or more, R_meas with √(n/(n−1)) and R_pim with √(1/(n−1)) each; plain means.
 * CC½ = (σ_y² − ½σ_ε²)/(σ_y² + ½σ_ε²), σ_y² the variance of Ī over the unique reflections, σ_ε² the mean of 2s²/n: no random halves.
 * @throws bad-value when no observation has a positive σ
 * @see Assmann, Brehm & Diederichs, J. Appl. Cryst. 49 (2016) 1021; Diederichs & Karplus, Nat. Struct. Biol. 4 (1997) 269; Weiss (2001)
 */
export function mergingStatistics(
  cell: UnitCell,
  group: SpaceGroup,
  list: ReflectionList,
  options: MergingOptions = {},
): MergingStatistics {
  const { shells = 10, friedel = true } = options;
  const good: number[] = [];
  for (let i = 0; i < list.size; i++) if (Number.isFinite(list.intensity[i]!) && list.sigma[i]! > 0) good.push(i);
  if (good.length === 0) fail("bad-value", { observations: list.size }, "no observation has a finite intensity and a positive σ");
  let gMax = 0;
  for (const i of good) gMax = Math.max(gMax, list.dStar[i]!);
  const dMin = options.dMin ?? 1 / (gMax * (1 + 1e-9));
  const map = asuReflections(group, list.hkl, friedel);
  const sets = new Map<string, number[]>();
  for (const i of good) {
    if (list.dStar[i]! * dMin > 1 + 1e-9) continue;
    const key = `${map.hkl[3 * i]},${map.hkl[3 * i + 1]},${map.hkl[3 * i + 2]}`;
    const set = sets.get(key);
    if (set) set.push(i);
    else sets.set(key, [i]);
  }
  const bins = Array.from({ length: shells }, empty),
    total = empty();
  for (const set of sets.values()) {
    const n = set.length;
    const bin = bins[Math.min(shells - 1, Math.floor(shells * (list.dStar[set[0]!]! * dMin) ** 3))]!;
    let sum = 0,
      w = 0,
      wi = 0;
    for (const i of set) {
      const q = 1 / list.sigma[i]! ** 2;
      sum += list.intensity[i]!;
      w += q;
      wi += q * list.intensity[i]!;
    }
    const mean = sum / n;
    let deviation = 0,
      square = 0;
    for (const i of set) {
      deviation += Math.abs(list.intensity[i]! - mean);
      square += (list.intensity[i]! - mean) ** 2;
    }
    for (const s of [bin, total]) {
      s.observations += n;
      s.unique++;
      s.mean += mean;
      s.iSigma += wi / Math.sqrt(w);
      if (n < 2) continue;
      s.repeated++;
      s.deviation += deviation;
      s.meas += deviation * Math.sqrt(n / (n - 1));
      s.pim += deviation * Math.sqrt(1 / (n - 1));
      s.sum += sum;
      s.y += mean;
      s.yy += mean * mean;
      s.e += (2 * square) / (n - 1) / n;
    }
  }
  // Completeness is always that of the Laue group, whatever `friedel` says of merging; without systematic absences.
  const full = completeness(cell, group, takeReflections(list, good), dMin, shells);
  let possible = 0,
    measured = 0;
  const rows = bins.map((s, k) => {
    possible += full[k]!.possible;
    measured += full[k]!.measured;
    return shellOf(s, k === 0 ? Number.POSITIVE_INFINITY : full[k - 1]!.dMin, full[k]!.dMin, full[k]!, measured / possible);
  });
  return {
    shells: rows,
    overall: shellOf(total, Number.POSITIVE_INFINITY, dMin, { possible, measured }, measured / possible),
    excluded: list.size - good.length,
  };
}

function shellOf(
  s: Sums,
  dMax: number,
  dMin: number,
  full: { readonly possible: number; readonly measured: number },
  cumulative: number,
): MergingShell {
  const m = s.repeated;
  const variance = m > 1 ? (s.yy - (s.y * s.y) / m) / (m - 1) : Number.NaN,
    error = m > 0 ? s.e / m : Number.NaN;
  const ccHalf = (variance - error / 2) / (variance + error / 2);
  return {
    dMax,
    dMin,
    observations: s.observations,
    unique: s.unique,
    possible: full.possible,
    completeness: full.measured / full.possible,
    cumulativeCompleteness: cumulative,
    multiplicity: s.observations / s.unique,
    meanIntensity: s.mean / s.unique,
    iOverSigma: s.iSigma / s.unique,
    rInt: s.deviation / s.sum,
    rMeas: s.meas / s.sum,
    rPim: s.pim / s.sum,
    ccHalf,
    ccStar: ccHalf > 0 ? Math.sqrt((2 * ccHalf) / (1 + ccHalf)) : Number.NaN,
  };
}
