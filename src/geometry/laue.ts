import { fail } from "../core/errors.js";
import { asuReflection } from "./asu.js";
import { type BravaisCandidate, type BravaisOptions, type BravaisType, bravaisCandidates } from "./bravais.js";
import type { UnitCell } from "./cell.js";
import { transformHkl } from "./metric.js";
import { type SpaceGroup, spaceGroupFromHall } from "./space-groups.js";

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

/** A Laue group on one reading of the lattice, with its figures; the figures are NaN without intensities. */
export interface LaueCandidate {
  readonly laue: string;
  /** Order of the Laue group. */
  readonly order: number;
  readonly lattice: BravaisCandidate;
  readonly group: SpaceGroup;
  readonly figures: MergingFigures;
}

/** Measured intensities on the axes of the primitive input cell. */
export interface MeasuredIntensities {
  readonly hkl: Int32Array;
  readonly intensity: Float64Array;
}
export interface LaueOptions extends BravaisOptions {
  /** A group is accepted when its R_meas is at most this times the lowest R_meas of any, plus 0.02. */
  readonly maxRatio?: number;
}

/**
 * All Laue groups that the metric allows; with intensities, those whose R_meas stays near the lowest come first, highest order first, then
 * the refused ones. Without intensities the order is that of the lattices, each with its highest Laue group first.
 */
export function laueCandidates(cell: UnitCell, data?: MeasuredIntensities, options: LaueOptions = {}): readonly LaueCandidate[] {
  const none: MergingFigures = { rInt: Number.NaN, rMeas: Number.NaN, correlation: Number.NaN, merged: 0, unique: 0 };
  const list: LaueCandidate[] = [];
  for (const lattice of bravaisCandidates(cell, options)) {
    const hkl = data && transformAll(data.hkl, lattice);
    for (const { name, group } of [...laueGroupsOf(lattice.bravais)].reverse())
      list.push({
        laue: name,
        order: group.primitiveOrder,
        lattice,
        group,
        figures: data && hkl ? mergingFigures(group, hkl, data.intensity) : none,
      });
  }
  if (!data) return list;
  const lowest = Math.min(...list.map((c) => c.figures.rMeas).filter((r) => !Number.isNaN(r)));
  const accepted = (c: LaueCandidate): boolean => c.figures.rMeas <= (options.maxRatio ?? 1.5) * lowest + 0.02;
  return list.sort((p, q) => Number(accepted(q)) - Number(accepted(p)) || q.order - p.order || p.figures.rMeas - q.figures.rMeas);
}

function transformAll(hkl: Int32Array, lattice: BravaisCandidate): Int32Array {
  const out = new Int32Array(hkl.length);
  for (let i = 0; i < hkl.length; i += 3) out.set(transformHkl([hkl[i]!, hkl[i + 1]!, hkl[i + 2]!], lattice.basis).map(Math.round), i);
  return out;
}
