import { fail } from "../core/errors.js";
import { asuReflections } from "../geometry/asu.js";
import type { UnitCell } from "../geometry/cell.js";
import { type ReflectionList, reflectionList, takeReflections } from "../geometry/reflection-list.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import { intensityFlags } from "./frame-intensities.js";
import { type MergingStatistics, mergingStatistics } from "./merging-shells.js";
import type { RockingCurves } from "./rocking-curves.js";

/** σ'² = a²·(σ² + (b·⟨I⟩)²), ⟨I⟩ the mean of the equivalents. */
export interface ErrorModel {
  readonly a: number;
  readonly b: number;
}
export interface MergeObservationsOptions {
  /** Take h and −h as one. Default true. */
  readonly friedel?: boolean | undefined;
  /** Error model to use instead of the one the equivalents show. */
  readonly errorModel?: ErrorModel | undefined;
  /** Observations further than this many σ' from the mean of the others (two or more) are rejected. Default 6; Infinity rejects none. */
  readonly rejectSigma?: number | undefined;
  readonly dMin?: number | undefined;
  readonly shells?: number | undefined;
}
export interface MergedObservations {
  /** Weighted means by σ', one row per unique reflection. */
  readonly merged: ReflectionList;
  /** Observations of each, shape [merged.size]. */
  readonly count: Int32Array;
  /** The observations that were used, with σ'; `frame` is theirs. */
  readonly observations: ReflectionList;
  /** Rows of the input that were rejected, with their deviation in σ'. */
  readonly rejected: readonly { readonly row: number; readonly z: number }[];
  readonly errorModel: ErrorModel;
  /** Figures of the observations that were used, and of all of them before rejection. */
  readonly statistics: MergingStatistics;
  readonly before: MergingStatistics;
}

/** Integrated intensities as a list of observations; flagged ones (by default partial, saturated, masked, …) are left out, negative ones kept. */
export function curveObservations(
  cell: UnitCell,
  curves: RockingCurves,
  exclude: number = 0xffff & ~intensityFlags.iceRing,
): ReflectionList {
  const rows: number[] = [];
  for (let i = 0; i < curves.size; i++)
    if ((curves.flags[i]! & exclude) === 0 && Number.isFinite(curves.intensity[i]!) && curves.sigma[i]! > 0) rows.push(i);
  const hkl = new Int32Array(3 * rows.length);
  rows.forEach((r, i) => {
    hkl.set(curves.hkl.subarray(3 * r, 3 * r + 3), 3 * i);
  });
  return reflectionList(cell, {
    hkl,
    intensity: Float64Array.from(rows, (r) => curves.intensity[r]!),
    sigma: Float64Array.from(rows, (r) => curves.sigma[r]!),
    frame: Int32Array.from(rows, (r) => Math.round(curves.frame[r]!)),
  });
}

/**
 * Merge equivalent observations: error model by maximum likelihood of the deviations from the mean, outliers rejected by what the others of their
 * set say, then weighted means. Sets of two disagree without saying which is wrong: both are kept.
 * @throws bad-value when no observation has a finite intensity and a positive σ
 */
export function mergeObservations(
  cell: UnitCell,
  group: SpaceGroup,
  list: ReflectionList,
  options: MergeObservationsOptions = {},
): MergedObservations {
  const { friedel = true, rejectSigma = 6 } = options;
  const good: number[] = [];
  for (let i = 0; i < list.size; i++) if (Number.isFinite(list.intensity[i]!) && list.sigma[i]! > 0) good.push(i);
  if (good.length === 0) fail("bad-value", { observations: list.size }, "no observation has a finite intensity and a positive σ");
  const asu = asuReflections(group, list.hkl, friedel),
    sets = new Map<string, number[]>();
  for (const i of good) {
    const key = `${asu.hkl[3 * i]},${asu.hkl[3 * i + 1]},${asu.hkl[3 * i + 2]}`,
      set = sets.get(key);
    if (set) set.push(i);
    else sets.set(key, [i]);
  }
  const out = new Map<number, number>(); // rejected row → z
  let model: ErrorModel = options.errorModel ?? { a: 1, b: 0.05 };
  for (let round = 0; round < 5; round++) {
    if (!options.errorModel)
      model =
        fitErrorModel(
          [...sets.values()].map((s) => s.filter((i) => !out.has(i))),
          list,
        ) ?? model;
    if (!Number.isFinite(rejectSigma)) break;
    const before = [...out.keys()].join();
    out.clear();
    for (const set of sets.values()) rejectFrom(set, list, model, rejectSigma, out);
    if ([...out.keys()].join() === before) break;
  }
  const n = sets.size,
    hkl = new Int32Array(3 * n),
    intensity = new Float64Array(n),
    sigma = new Float64Array(n),
    count = new Int32Array(n),
    widened = Float64Array.from(list.sigma);
  let row = 0;
  for (const set of sets.values()) {
    const kept = set.filter((i) => !out.has(i)),
      mean = kept.reduce((s, i) => s + list.intensity[i]!, 0) / kept.length;
    let w = 0,
      wi = 0;
    for (const i of kept) {
      widened[i] = sigmaOf(list.sigma[i]!, mean, model);
      w += widened[i]! ** -2;
      wi += list.intensity[i]! * widened[i]! ** -2;
    }
    hkl.set(asu.hkl.subarray(3 * set[0]!, 3 * set[0]! + 3), 3 * row);
    intensity[row] = wi / w;
    sigma[row] = 1 / Math.sqrt(w);
    count[row++] = kept.length;
  }
  const figures = { dMin: options.dMin, shells: options.shells, friedel },
    observations = takeReflections(
      { ...list, sigma: widened },
      good.filter((i) => !out.has(i)),
    );
  return {
    merged: reflectionList(cell, { hkl, intensity, sigma }),
    count,
    observations,
    rejected: [...out].map(([r, z]) => ({ row: r, z })).sort((p, q) => p.row - q.row),
    errorModel: model,
    statistics: mergingStatistics(cell, group, observations, figures),
    before: mergingStatistics(cell, group, list, figures),
  };
}

const sigmaOf = (sigma: number, mean: number, { a, b }: ErrorModel): number => a * Math.hypot(sigma, b * Math.max(0, mean));

/** The worst observation of a set is tested against the others, again and again while three and more are left. */
function rejectFrom(set: readonly number[], list: ReflectionList, model: ErrorModel, limit: number, out: Map<number, number>): void {
  let kept = [...set];
  while (kept.length >= 3) {
    let worst = -1,
      most = limit;
    for (const i of kept) {
      const others = kept
          .filter((j) => j !== i)
          .map((j) => list.intensity[j]!)
          .sort((p, q) => p - q),
        // The median of the others: a second outlier does not hide the first.
        mean = (others[(others.length - 1) >> 1]! + others[others.length >> 1]!) / 2,
        s = sigmaOf(list.sigma[i]!, mean, model),
        z = Math.abs(list.intensity[i]! - mean) / (s * Math.sqrt(1 + 1.57 / others.length));
      if (z > most) {
        most = z;
        worst = i;
      }
    }
    if (worst < 0) return;
    out.set(worst, most);
    kept = kept.filter((i) => i !== worst);
  }
}

/**
 * a and b by maximum likelihood for deviations d = (I − Ī)·√(n/(n−1)) of normal distribution: for each b the best a² is mean(d²/(σ² + (bĪ)²)); b by
 * golden section on its logarithm. Undefined with fewer than 30 repeated observations.
 */
function fitErrorModel(sets: readonly (readonly number[])[], list: ReflectionList): ErrorModel | undefined {
  const d2: number[] = [],
    s2: number[] = [],
    m2: number[] = [];
  for (const set of sets) {
    const n = set.length;
    if (n < 2) continue;
    const mean = set.reduce((s, i) => s + list.intensity[i]!, 0) / n;
    for (const i of set) {
      d2.push(((list.intensity[i]! - mean) ** 2 * n) / (n - 1));
      s2.push(list.sigma[i]! ** 2);
      m2.push(Math.max(0, mean) ** 2);
    }
  }
  if (d2.length < 30) return undefined;
  const at = (lnB: number): { cost: number; a: number } => {
    const b2 = Math.exp(2 * lnB);
    let sum = 0,
      log = 0;
    for (let i = 0; i < d2.length; i++) {
      const v = s2[i]! + b2 * m2[i]!;
      sum += d2[i]! / v;
      log += Math.log(v);
    }
    const a2 = Math.max(sum / d2.length, 1e-12);
    return { cost: log + d2.length * Math.log(a2), a: Math.sqrt(a2) };
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let low = Math.log(1e-4),
    high = Math.log(2),
    p = high - ratio * (high - low),
    q = low + ratio * (high - low),
    fp = at(p).cost,
    fq = at(q).cost;
  while (high - low > 1e-3) {
    if (fp < fq) {
      high = q;
      q = p;
      fq = fp;
      p = high - ratio * (high - low);
      fp = at(p).cost;
    } else {
      low = p;
      p = q;
      fp = fq;
      q = low + ratio * (high - low);
      fq = at(q).cost;
    }
  }
  const lnB = (low + high) / 2;
  return { a: at(lnB).a, b: Math.exp(lnB) };
}
