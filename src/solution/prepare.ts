import { fail } from "../core/errors.js";
import { inverse, type Map3 } from "../core/frames.js";
import type { UnitCell } from "../geometry/cell.js";
import { type LaueCandidate, laueCandidates } from "../geometry/laue.js";
import { type Mat3, multiply3, quadratic, reciprocalMetric, transformCell } from "../geometry/metric.js";
import type { ReflectionList } from "../geometry/reflection-list.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { primitiveAxes } from "../geometry/space-groups-identify.js";
import { sphereReflections } from "../geometry/unique.js";
import { detectCentring } from "./centring.js";

/** Merged intensities in P1 on primitive axes, one of each Friedel pair. What charge flipping works on. */
export interface PhasingData {
  readonly size: number;
  /** On the primitive axes, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** 1/d, Å⁻¹, shape [size]. */
  readonly dStar: Float64Array;
  /** Mean over all equivalents, negative ones included, shape [size]. */
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Reflections equivalent by the Laue group share this number, shape [size]. */
  readonly orbit: Int32Array;
  readonly orbits: number;
  /** The cell as given, its lattice letter, and the primitive cell of the columns above. */
  readonly inputCell: UnitCell;
  readonly centring: string;
  readonly cell: UnitCell;
  /** (a b c)input = (a b c)primitive · inputBasis. */
  readonly inputBasis: Mat3;
  readonly laue: LaueCandidate;
  /** Rotations of the Laue group on primitive axes, identity first. */
  readonly rotations: readonly Mat3[];
  readonly dMin: number;
  /** Measured part of the sphere to dMin after the symmetry is applied, at most 1. */
  readonly completeness: number;
  readonly warnings: readonly string[];
}
export interface PrepareOptions {
  /** Laue class that the data obey, e.g. "mmm", instead of the one found; its lattice must fit the cell. */
  readonly laue?: string | undefined;
  /** How sure an operation of the Laue group must be, relative to the best one: see `laueCandidates`. Default 0.35. */
  readonly laueRatio?: number | undefined;
  /** Lattice letter of the given cell instead of the one found from absences. */
  readonly centring?: string | undefined;
}

/** Rotation on the axes before the change of basis Q: Q W Q⁻¹. */
export function onPrimitiveAxes(w: Mat3, q: Mat3): Mat3 {
  return multiply3(multiply3(q, w), inverse(q as Map3) as Mat3).map((x) => Math.round(x) + 0) as unknown as Mat3;
}

/** Indices of rows on primitive axes as indices on the axes (a b c)primitive · basis. */
export function groupIndices({ hkl, size }: PhasingData, b: Mat3): Int32Array {
  const out = new Int32Array(3 * size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j < 3; j++)
      out[3 * i + j] = Math.round(hkl[3 * i]! * b[j as 0]! + hkl[3 * i + 1]! * b[(3 + j) as 3]! + hkl[3 * i + 2]! * b[(6 + j) as 6]!);
  return out;
}

/**
 * Checks a reflection list, finds lattice centring and Laue group, merges, and expands to P1 on primitive axes.
 * @throws not-found without reflections; bad-value for intensities that are all negative, or not numbers; bad-cell when 1/d of the list contradicts the cell by more than 1 %
 */
export function preparePhasing(list: ReflectionList, inputCell: UnitCell, options: PrepareOptions = {}): PhasingData {
  const warnings: string[] = [];
  checkList(list, inputCell, warnings);
  const centring = options.centring ?? detectCentring(list);
  const toPrimitive = primitiveAxes(centring);
  const inputBasis = inverse(toPrimitive as Map3) as Mat3;
  const cell = centring === "P" ? inputCell : transformCell(inputCell, toPrimitive);
  const [m0, m1, m2, m3, m4, m5, m6, m7, m8] = toPrimitive;
  const rows: number[] = [],
    from: number[] = [];
  let forbidden = 0;
  for (let i = 0; i < list.size; i++) {
    const [h, k, l] = [list.hkl[3 * i]!, list.hkl[3 * i + 1]!, list.hkl[3 * i + 2]!];
    const p = [h * m0 + k * m3 + l * m6, h * m1 + k * m4 + l * m7, h * m2 + k * m5 + l * m8];
    if (p.some((x) => Math.abs(x - Math.round(x)) > 0.1)) forbidden++;
    else if (measurable(list, i) && (h || k || l)) {
      rows.push(...p.map((x) => Math.round(x) + 0));
      from.push(i);
    }
  }
  if (forbidden > 0) warnings.push(`${forbidden} reflections forbidden by the ${centring} lattice are left out`);
  const hkl = Int32Array.from(rows),
    intensity = Float64Array.from(from, (i) => list.intensity[i]!);
  const candidates = laueCandidates(
    cell,
    { hkl, intensity },
    {
      maxAngleDeg: 1.5,
      maxLength: 0.015,
      minRatio: options.laueRatio ?? 0.35,
    },
  );
  const laue = options.laue ? candidates.find((c) => c.laue === options.laue) : candidates.find((c) => c.accepted);
  if (!laue)
    return fail("bad-value", { laue: options.laue, possible: candidates.map((c) => c.laue) }, "the cell does not admit this Laue class");
  const rotations = laue.group.ops.slice(0, laue.group.primitiveOrder).map((op) => onPrimitiveAxes(op.rotation, laue.lattice.basis));
  const merged = mergeAndExpand(hkl, from, list, rotations);
  const g = reciprocalMetric(cell);
  const dStar = Float64Array.from({ length: merged.size }, (_, i) =>
    Math.sqrt(quadratic(g, [merged.hkl[3 * i]!, merged.hkl[3 * i + 1]!, merged.hkl[3 * i + 2]!])),
  );
  const gMax = dStar.reduce((a, b) => Math.max(a, b), 0);
  const completeness = merged.size / halfSphere(cell, gMax);
  if (completeness < 0.6)
    warnings.push(`only ${Math.round(100 * completeness)} % of the sphere to ${(1 / gMax).toFixed(2)} Å is measured; the rest floats`);
  if (1 / gMax > 1.2) warnings.push(`data end at ${(1 / gMax).toFixed(2)} Å; charge flipping wants 1.2 Å or better`);
  // biome-ignore format: one idea
  return { ...merged, dStar, inputCell, centring, cell, inputBasis, laue, rotations, dMin: 1 / gMax, completeness, warnings };
}

/**
 * Reflections to gMax, one of each Friedel pair. Counted: a small cell has up to a few per cent more or fewer points than 4/3 π gMax³ V, and
 * so a full list would be 101 % complete. Beyond 10⁵ the two agree to 0.1 %.
 */
function halfSphere(cell: UnitCell, gMax: number): number {
  const points = (4 / 3) * Math.PI * gMax ** 3 * cell.volume;
  return (points > 1e5 ? points : sphereReflections(cell, spaceGroup("P 1"), { dMin: 1 / gMax, absences: "keep" }).size) / 2;
}

/** Sums of squares of what is larger do not fit a number. */
const ABSURD = 1e30;
const measurable = ({ intensity, sigma }: ReflectionList, i: number): boolean => Math.abs(intensity[i]!) <= ABSURD && !(sigma[i]! > ABSURD);

function checkList(list: ReflectionList, cell: UnitCell, warnings: string[]): void {
  if (list.size === 0) fail("not-found", { reflections: 0 }, "the list holds no reflections");
  if (list.hkl.length !== 3 * list.size || list.intensity.length !== list.size)
    fail("bad-shape", { hkl: list.hkl.length, intensity: list.intensity.length }, "hkl holds three numbers per intensity");
  const g = reciprocalMetric(cell);
  let finite = 0,
    absurd = 0,
    positive = 0,
    veryNegative = 0;
  for (let i = 0; i < list.size; i++) {
    const own = Math.sqrt(quadratic(g, [list.hkl[3 * i]!, list.hkl[3 * i + 1]!, list.hkl[3 * i + 2]!]));
    const listed = list.dStar[i]!;
    if (Number.isFinite(listed) && Math.abs(own - listed) > 0.01 * listed + 1e-9)
      fail(
        "bad-cell",
        { hkl: [...list.hkl.slice(3 * i, 3 * i + 3)], listed, fromCell: own },
        "1/d of the list and of the cell differ by more than 1 %: the list belongs to another cell or other axes",
      );
    const x = list.intensity[i]!;
    if (!measurable(list, i)) {
      absurd += Number(Math.abs(x) > ABSURD || list.sigma[i]! > ABSURD);
      continue;
    }
    finite++;
    if (x > 0) positive++;
    if (x < -3 * list.sigma[i]!) veryNegative++;
  }
  if (absurd > 0) warnings.push(`${absurd} reflections have intensities or sigmas beyond ${ABSURD.toExponential(0)} and are left out`);
  if (finite === 0) fail("bad-value", { reflections: list.size }, "no intensity of the list is a number");
  if (finite < 20) fail("bad-value", { reflections: finite }, "fewer than 20 reflections do not hold a structure");
  if (positive < 10 || positive < 0.1 * finite)
    fail("bad-value", { reflections: finite, positive }, "nearly all intensities are negative or zero: check column and background");
  if (positive < finite) warnings.push(`${finite - positive} of ${finite} intensities are not positive; they count as weak`);
  if (veryNegative > 0.02 * finite) warnings.push(`${veryNegative} intensities are below −3σ: σ is too small or the background is wrong`);
}

const OFFSET = 1 << 9;
/** One number for an index triple within ±511. */
export const indexKey = (h: number, k: number, l: number): number => ((h + OFFSET) * 1024 + (k + OFFSET)) * 1024 + (l + OFFSET);
/** True for the one of h and −h that is kept: l > 0, or l = 0 and h > 0, or both 0 and k > 0. */
export const inHalf = (h: number, k: number, l: number): boolean => l > 0 || (l === 0 && (h > 0 || (h === 0 && k > 0)));

/** Plain means over the Laue group (σ of strong reflections measures little in diffraction by thick crystals), then all equivalents. */
function mergeAndExpand(hkl: Int32Array, from: readonly number[], list: ReflectionList, rotations: readonly Mat3[]) {
  const n = from.length;
  const images = (i: number): number[][] => {
    const [h, k, l] = [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!];
    if (Math.max(Math.abs(h), Math.abs(k), Math.abs(l)) >= OFFSET / 2)
      fail("too-large", { hkl: [h, k, l] }, "indices beyond 255 are beyond a structure solution");
    return rotations.map((w) => {
      const q = [h * w[0] + k * w[3] + l * w[6], h * w[1] + k * w[4] + l * w[7], h * w[2] + k * w[5] + l * w[8]];
      return inHalf(q[0]!, q[1]!, q[2]!) ? q : q.map((x) => -x + 0);
    });
  };
  const sets = new Map<number, { rows: number[]; images: number[][] }>();
  for (let i = 0; i < n; i++) {
    const all = images(i);
    const key = Math.max(...all.map((q) => indexKey(q[0]!, q[1]!, q[2]!)));
    const set = sets.get(key);
    if (set) set.rows.push(i);
    else sets.set(key, { rows: [i], images: [...new Map(all.map((q) => [q.join(), q])).values()] });
  }
  const out: number[] = [],
    intensity: number[] = [],
    sigma: number[] = [],
    orbit: number[] = [];
  let number = 0;
  for (const { rows, images: all } of sets.values()) {
    const mean = rows.reduce((s, i) => s + list.intensity[from[i]!]!, 0) / rows.length;
    const su = Math.sqrt(rows.reduce((s, i) => s + list.sigma[from[i]!]! ** 2, 0)) / rows.length;
    for (const q of all) {
      out.push(...q);
      intensity.push(mean);
      sigma.push(su);
      orbit.push(number);
    }
    number++;
  }
  return {
    size: orbit.length,
    hkl: Int32Array.from(out),
    intensity: Float64Array.from(intensity),
    sigma: Float64Array.from(sigma),
    orbit: Int32Array.from(orbit),
    orbits: number,
  };
}
