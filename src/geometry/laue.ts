import { fail } from "../core/errors.js";
import { inverse, type Map3 } from "../core/frames.js";
import { asuReflection } from "./asu.js";
import { type BravaisCandidate, type BravaisOptions, type BravaisType, bravaisCandidates } from "./bravais.js";
import type { UnitCell } from "./cell.js";
import { dStar, type Hkl, identity3, type Mat3, multiply3, transformHkl } from "./metric.js";
import { type SpaceGroup, spaceGroupFromHall } from "./space-groups.js";
import { applyOpToHkl } from "./symop.js";

/** The Laue groups a lattice type allows, lowest order first, as symmorphic groups on the conventional axes. */
export function laueGroupsOf(bravais: BravaisType): readonly { readonly name: string; readonly group: SpaceGroup }[] {
  const table: Record<string, readonly (readonly [string, string])[]> = {
    a: [["-1", "-P 1"]],
    m: [["2/m", "-P 2y"]],
    o: [["mmm", "-P 2 2"]],
    t: [
      ["4/m", "-P 4"],
      ["4/mmm", "-P 4 2"],
    ],
    hP: [
      ["-3", "-P 3"],
      ["-31m", "-P 3 2"],
      ["-3m1", '-P 3 2"'],
      ["6/m", "-P 6"],
      ["6/mmm", "-P 6 2"],
    ],
    hR: [
      ["-3", "-P 3"],
      ["-3m", '-P 3 2"'],
    ],
    c: [
      ["m-3", "-P 2 2 3"],
      ["m-3m", "-P 4 2 3"],
    ],
  };
  return (table[bravais] ?? table[bravais[0]!])!.map(([name, hall]) => ({ name, group: spaceGroupFromHall(hall) }));
}

/** How well intensities obey a Laue group. */
export interface MergingFigures {
  /** Σ|I − ⟨I⟩| / ΣI over sets of two or more. */
  readonly rInt: number;
  /** The same with √(n/(n−1)) per set: does not reward low multiplicity. */
  readonly rMeas: number;
  /** Correlation of each intensity with the mean of its partners. */
  readonly correlation: number;
  /** Reflections in sets of two or more, and sets in all. */
  readonly merged: number;
  readonly unique: number;
}

/**
 * Merging figures of intensities under a group's rotations and Friedel's law.
 * @param hkl - shape [n, 3], on the axes of the group
 * @param intensity - shape [n]; NaN is left out
 */
export function mergingFigures(group: SpaceGroup, hkl: Int32Array, intensity: Float64Array): MergingFigures {
  if (hkl.length !== 3 * intensity.length)
    fail("bad-shape", { hkl: hkl.length, intensity: intensity.length }, "hkl holds three numbers per intensity");
  const sets = new Map<string, number[]>();
  for (let i = 0; i < intensity.length; i++) {
    if (Number.isNaN(intensity[i]!)) continue;
    const key = asuReflection(group, [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!]).hkl.join();
    const list = sets.get(key);
    if (list) list.push(intensity[i]!);
    else sets.set(key, [intensity[i]!]);
  }
  let dev = 0,
    devMeas = 0,
    sum = 0,
    merged = 0;
  let sx = 0,
    sy = 0,
    sxx = 0,
    syy = 0,
    sxy = 0;
  for (const list of sets.values()) {
    const n = list.length;
    if (n < 2) continue;
    const total = list.reduce((s, x) => s + x, 0);
    const d = list.reduce((s, x) => s + Math.abs(x - total / n), 0);
    dev += d;
    devMeas += d * Math.sqrt(n / (n - 1));
    sum += total;
    merged += n;
    for (const x of list) {
      const y = (total - x) / (n - 1);
      sx += x;
      sy += y;
      sxx += x * x;
      syy += y * y;
      sxy += x * y;
    }
  }
  const correlation = (merged * sxy - sx * sy) / Math.sqrt((merged * sxx - sx * sx) * (merged * syy - sy * sy));
  return { rInt: dev / sum, rMeas: devMeas / sum, correlation, merged, unique: sets.size };
}

/** A Laue group on one reading of the lattice, with its figures; all figures are NaN without intensities. */
export interface LaueCandidate {
  readonly laue: string;
  /** Order of the Laue group. */
  readonly order: number;
  readonly lattice: BravaisCandidate;
  readonly group: SpaceGroup;
  readonly figures: MergingFigures;
  /** Lowest correlation of normalised amplitudes over the group's operations: one false operation makes it low. 1 for −1. */
  readonly weakest: number;
  /** Whether `weakest` reaches `minRatio` of the best operation's correlation. */
  readonly accepted: boolean;
}

/** Measured intensities on the axes of the primitive input cell. */
export interface MeasuredIntensities {
  /** Shape [n, 3]. */
  readonly hkl: Int32Array;
  /** Shape [n]; NaN is left out, negative values count as 0. */
  readonly intensity: Float64Array;
}
export interface LaueOptions extends BravaisOptions {
  /**
   * A group is accepted when its weakest operation correlates at least this fraction as well as the best group's weakest
   * (default 0.35: dynamical data of quartz and urea have true operations at 0.43 to 1 of the best, false ones at 0.1 and below).
   */
  readonly minRatio?: number;
}

/**
 * All Laue groups that the metric allows. With intensities, each operation is scored by itself: the correlation between normalised
 * amplitudes √(I/⟨I⟩shell) of h and hW, Friedel mates averaged first. A wrong group of high order merges many true equivalents and looks
 * well in R_int; its false operations do not. Multiple scattering lowers all correlations, so they are compared with the best one.
 * Accepted groups come first, the highest order leading. Without intensities the order is that of the lattices.
 */
export function laueCandidates(cell: UnitCell, data?: MeasuredIntensities, options: LaueOptions = {}): readonly LaueCandidate[] {
  const none: MergingFigures = { rInt: Number.NaN, rMeas: Number.NaN, correlation: Number.NaN, merged: 0, unique: 0 };
  const score = data && operationScores(cell, data);
  const list = bravaisCandidates(cell, options).flatMap((lattice) => {
    const hkl = data && transformAll(data.hkl, lattice);
    return [...laueGroupsOf(lattice.bravais)].reverse().map(({ name, group }) => ({
      laue: name,
      order: group.primitiveOrder,
      lattice,
      group,
      figures: data && hkl ? mergingFigures(group, hkl, data.intensity) : none,
      weakest: score
        ? Math.min(1, ...group.ops.slice(0, group.primitiveOrder).map((op) => score(onInputAxes(op.rotation, lattice.basis))))
        : Number.NaN,
    }));
  });
  // The best operation is the highest correlation of any group's weakest one, identity and inversion aside.
  const best = Math.max(...list.filter((c) => c.order > 2 && !Number.isNaN(c.weakest)).map((c) => c.weakest), 0);
  const out = list.map((c) => ({ ...c, accepted: c.order === 2 || c.weakest >= (options.minRatio ?? 0.35) * best }));
  if (!data) return out.map((c) => ({ ...c, accepted: true }));
  return out.sort((p, q) => Number(q.accepted) - Number(p.accepted) || q.order - p.order || q.weakest - p.weakest);
}

/** W on the axes before the change of basis P: P W P⁻¹. */
function onInputAxes(w: Mat3, p: Mat3): Mat3 {
  return multiply3(multiply3(p, w), inverse(p as Map3) as Mat3).map((x) => Math.round(x) + 0) as unknown as Mat3;
}

/**
 * Correlation of normalised amplitudes of h and hW as a function of the operation W, on the axes of the indices; remembered by operation. With fewer
 * than 10 pairs it is `unknown`: 1, no evidence against it, or 0, none for it.
 */
export function operationScores(cell: UnitCell, { hkl, intensity }: MeasuredIntensities, unknown = 1): (w: Mat3) => number {
  const sums = new Map<string, { hkl: Hkl; sum: number; n: number }>();
  const half = (h: Hkl): Hkl =>
    h[2] < 0 || (h[2] === 0 && (h[0] < 0 || (h[0] === 0 && h[1] < 0))) ? [-h[0] + 0, -h[1] + 0, -h[2] + 0] : h;
  for (let i = 0; i < intensity.length; i++) {
    if (Number.isNaN(intensity[i]!)) continue;
    const h = half([hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!]);
    const at = sums.get(h.join());
    if (at) {
      at.sum += Math.max(0, intensity[i]!);
      at.n++;
    } else sums.set(h.join(), { hkl: h, sum: Math.max(0, intensity[i]!), n: 1 });
  }
  // Shells of equal numbers, at least 25 reflections each.
  const sorted = [...sums.entries()]
    .map(([key, v]) => ({ key, hkl: v.hkl, value: v.sum / v.n, d: dStar(cell, v.hkl) }))
    .sort((p, q) => p.d - q.d);
  const shells = Math.max(1, Math.min(15, Math.floor(sorted.length / 25)));
  const amplitude = new Map<string, { hkl: Hkl; e: number }>();
  for (let k = 0; k < shells; k++) {
    const part = sorted.slice(Math.floor((k * sorted.length) / shells), Math.floor(((k + 1) * sorted.length) / shells));
    const mean = part.reduce((s, r) => s + r.value, 0) / part.length || 1;
    for (const r of part) amplitude.set(r.key, { hkl: r.hkl, e: Math.sqrt(r.value / mean) });
  }
  const memo = new Map<string, number>();
  return (w) => {
    const known = memo.get(w.join());
    if (known !== undefined) return known;
    let n = 0,
      sx = 0,
      sxx = 0,
      sxy = 0;
    for (const [key, { hkl: h, e }] of amplitude) {
      const partner = half(applyOpToHkl({ rotation: w, shift: [0, 0, 0] }, h)).join();
      const other = partner === key ? undefined : amplitude.get(partner);
      if (!other) continue;
      // Both orders of a pair, so that the correlation is symmetric.
      n += 2;
      sx += e + other.e;
      sxx += e * e + other.e * other.e;
      sxy += 2 * e * other.e;
    }
    const isTrivial = w.every((x, i) => x === w[0] * identity3[i]!);
    const value = isTrivial ? 1 : n < 20 ? unknown : (n * sxy - sx * sx) / (n * sxx - sx * sx);
    memo.set(w.join(), value);
    return value;
  };
}

function transformAll(hkl: Int32Array, lattice: BravaisCandidate): Int32Array {
  const out = new Int32Array(hkl.length);
  for (let i = 0; i < hkl.length; i += 3) out.set(transformHkl([hkl[i]!, hkl[i + 1]!, hkl[i + 2]!], lattice.basis).map(Math.round), i);
  return out;
}
