import { fail } from "../core/errors.js";
import { asuReflection } from "./asu.js";
import type { UnitCell } from "./cell.js";
import { epsilonFactor, equivalents, isAbsent, isCentringAbsent } from "./extinctions.js";
import { type Hkl, quadratic, reciprocalMetric } from "./metric.js";
import type { SpaceGroup } from "./space-groups.js";

/** Reflections of a crystal as columns, sorted from low to high resolution. */
export interface ReflectionSet {
  readonly size: number;
  /** Miller indices, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** 1/d, Å⁻¹, shape [size]. */
  readonly dStar: Float64Array;
  /** How many reflections are equivalent to this one, shape [size]; 1 for a full sphere. */
  readonly multiplicity: Int32Array;
  /** ε: operations that keep the reflection, shape [size]. */
  readonly epsilon: Int32Array;
}
export interface ReflectionSetOptions {
  /** Smallest interplanar spacing, Å. */
  readonly dMin: number;
  /** Largest spacing, Å. */
  readonly dMax?: number;
  /** Take h and −h as one (default true). */
  readonly friedel?: boolean;
  /** Which systematic absences to leave out: all (default), those of centring only (what dynamical scattering forbids), or none. */
  readonly absences?: "omit" | "centring" | "keep";
}

/** One representative of every set of equivalent reflections down to dMin, without 000. @throws out-of-range, too-large */
export function uniqueReflections(cell: UnitCell, group: SpaceGroup, options: ReflectionSetOptions): ReflectionSet {
  const friedel = options.friedel ?? true;
  return collect(cell, group, options, (h) => {
    const r = asuReflection(group, h, friedel).hkl;
    return r[0] === h[0] && r[1] === h[1] && r[2] === h[2] ? equivalents(group, h, friedel).length : 0;
  });
}

/** Every reflection of the sphere down to dMin, without 000. @throws out-of-range, too-large */
export function sphereReflections(cell: UnitCell, group: SpaceGroup, options: ReflectionSetOptions): ReflectionSet {
  return collect(cell, group, options, () => 1);
}

function collect(cell: UnitCell, group: SpaceGroup, options: ReflectionSetOptions, count: (h: Hkl) => number): ReflectionSet {
  const { dMin, dMax = Number.POSITIVE_INFINITY, absences = "omit" } = options;
  if (!(dMin > 0) || !(dMax > dMin)) fail("out-of-range", { dMin, dMax }, "dMin is a positive spacing in Å, below dMax");
  // A reflection exactly on a limit is inside, whatever the rounding.
  const gMax = (1 + 1e-10) / dMin,
    gMin = (1 - 1e-10) / dMax;
  const expected = (4 / 3) * Math.PI * cell.volume * gMax ** 3;
  if (expected > 2e7)
    fail("too-large", { dMin, reflections: Math.round(expected) }, "more than 20 million reflections in the sphere; raise dMin");
  const star = reciprocalMetric(cell);
  const [mh, mk, ml] = [cell.a, cell.b, cell.c].map((x) => Math.floor(x * gMax + 1e-9)) as [number, number, number];
  const found: [number, number, number, number, number][] = [];
  for (let h = -mh; h <= mh; h++)
    for (let k = -mk; k <= mk; k++)
      for (let l = -ml; l <= ml; l++) {
        if (!h && !k && !l) continue;
        const hkl: Hkl = [h, k, l];
        const g = Math.sqrt(quadratic(star, hkl));
        if (g > gMax || g < gMin) continue;
        if (absences === "centring" ? isCentringAbsent(group, hkl) : absences === "omit" && isAbsent(group, hkl)) continue;
        const n = count(hkl);
        if (n) found.push([h, k, l, g, n]);
      }
  // Equivalent spacings differ by rounding; compare them on a grid so that the order is the same on every machine.
  found.sort((p, q) => Math.round((p[3] - q[3]) * 1e9) || p[2] - q[2] || p[0] - q[0] || p[1] - q[1]);
  return {
    size: found.length,
    hkl: Int32Array.from(found.flatMap((f) => [f[0], f[1], f[2]])),
    dStar: Float64Array.from(found, (f) => f[3]),
    multiplicity: Int32Array.from(found, (f) => f[4]),
    epsilon: Int32Array.from(found, (f) => epsilonFactor(group, [f[0], f[1], f[2]])),
  };
}
