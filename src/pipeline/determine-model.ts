import { fail } from "../core/errors.js";
import { compose, inverse, type Map3 } from "../core/frames.js";
import { petsRotation } from "../geometry/goniometer.js";
import { type Fractional, type Mat3, transformUB } from "../geometry/metric.js";
import { type ReflectionList, reflectionList } from "../geometry/reflection-list.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import type { Structure } from "../geometry/structure.js";
import { structure } from "../geometry/structure.js";
import { type MergedObservations, mergeObservations } from "../integration/merge.js";
import type { VirtualIntensities } from "../integration/virtual-frames.js";
import type { MeasuredSeries } from "./determine-measure.js";
import type { MeasuredFrame } from "./dynamical.js";

/** Indices on other axes: h' = h·M. @throws bad-value when an index is not whole there */
export function transformIndices(hkl: Int32Array, m: Mat3): Int32Array {
  const out = new Int32Array(hkl.length);
  for (let i = 0; i < hkl.length; i += 3)
    for (let j = 0; j < 3; j++) {
      const v = hkl[i]! * m[j as 0] + hkl[i + 1]! * m[(3 + j) as 0] + hkl[i + 2]! * m[(6 + j) as 0];
      const whole = Math.round(v);
      if (Math.abs(v - whole) > 1e-3)
        fail(
          "bad-value",
          { hkl: Array.from(hkl.subarray(i, i + 3)), axes: m },
          "the reflection has no whole indices on the axes of the structure",
        );
      out[i + j] = whole;
    }
  return out;
}

/** The measured series on the axes of a structure. */
export interface CrystalData {
  readonly ub: Map3<"sample", "hkl">;
  readonly observations: ReflectionList;
  /** Under the Laue group of the space group. */
  readonly merged: MergedObservations;
  readonly frames: readonly MeasuredFrame[];
  /** Indices on the axes of the integration. */
  readonly toInput: (h: Fractional) => Fractional;
}

/** Observations, merged intensities and virtual frames on the axes and with the symmetry of a structure. */
export function dataOnAxes(m: MeasuredSeries, s: { readonly structure: Structure; readonly axes: Mat3 }, rsgMax: number): CrystalData {
  const { cell, spaceGroup } = s.structure,
    from = m.merged.observations;
  const observations = reflectionList(cell, {
    hkl: transformIndices(from.hkl, s.axes),
    intensity: from.intensity,
    sigma: from.sigma,
    frame: from.frame,
  });
  const ub = transformUB(m.ub, s.axes);
  const back = inverse(s.axes as Map3<"hkl", "hkl">);
  const toInput = (h: Fractional): Fractional =>
    [0, 1, 2].map((j) => Math.round(h[0] * back[j as 0] + h[1] * back[(3 + j) as 0] + h[2] * back[(6 + j) as 0])) as unknown as Fractional;
  return {
    ub,
    toInput,
    observations,
    merged: mergeObservations(cell, spaceGroup, observations, { errorModel: { a: 1, b: 0 } }),
    frames: measuredFrames(m.virtual, ub, s.axes, rsgMax),
  };
}

/** Virtual frames as the dynamical theory takes them: tilt axis along x, reflections inside RSg. */
function measuredFrames(v: VirtualIntensities, ub: Map3<"sample", "hkl">, axes: Mat3, rsgMax: number): MeasuredFrame[] {
  const rows = v.frames.map((): number[] => []);
  for (let i = 0; i < v.size; i++)
    if (v.rsg[i]! <= rsgMax && Number.isFinite(v.intensity[i]!) && v.sigma[i]! > 0) rows[v.frame[i]!]!.push(i);
  return v.frames.map((f, k): MeasuredFrame => {
    const mine = rows[k]!;
    const hkl = transformIndices(Int32Array.from(mine.flatMap((i) => [...v.hkl.subarray(3 * i, 3 * i + 3)])), axes);
    return {
      id: String(k + 1),
      ub: compose(petsRotation(f.geometry.alphaDeg, f.geometry.betaDeg, 0), ub),
      alphaDeg: f.geometry.alphaDeg,
      exposure: f.exposure,
      hkl,
      intensity: Float64Array.from(mine, (i) => v.intensity[i]!),
      sigma: Float64Array.from(mine, (i) => v.sigma[i]!),
      problem: mine.length < 5 ? "fewer than five reflections pass the sphere inside it" : undefined,
    };
  });
}

/** A solved model made ready for least squares: displacements inside sensible limits, by default one number an atom. */
export function readyModel(s: Structure, group: SpaceGroup = s.spaceGroup): Structure {
  return structure(
    s.cell,
    group,
    s.atoms.map((a) => ({ ...a, uIso: Math.min(0.06, Math.max(0.004, a.uIso)), uAniso: undefined, su: undefined })),
    s.cellSu,
  );
}
