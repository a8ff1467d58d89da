import { fail } from "../core/errors.js";
import { dStar } from "../geometry/metric.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { amplitudes } from "./amplitudes.js";
import { extinctionGeometry, extinctionY } from "./extinction.js";
import type { KinematicData, KinematicOptions } from "./kinematic-types.js";
import type { StructureModel } from "./model.js";
import { type StructureFactorKernel, structureFactorKernel } from "./structure-gradient.js";

/** One set of data during a refinement. */
export interface SetState {
  readonly kernel: StructureFactorKernel;
  readonly f: Float64Array;
  readonly root: Float64Array;
  /** √w of F²: 1/√(σ²(I) + (2uI)²). */
  readonly rootI: Float64Array;
  readonly geometry: Float64Array;
  readonly g: Float64Array;
  readonly data: KinematicData;
}

export function setState(
  model: StructureModel,
  data: KinematicData,
  options: KinematicOptions,
  warnings: string[],
  index: number,
): SetState {
  const n = data.intensity.length;
  if (data.hkl.length !== 3 * n) fail("bad-shape", { hkl: data.hkl.length, intensity: n }, "hkl holds three numbers per intensity");
  const a = amplitudes(data.intensity, data.sigma, options);
  if (a.excluded.length > 0) {
    const i = a.excluded[0]!;
    warnings.push(
      `${a.excluded.length} reflections of set ${index + 1} have no positive sigma and are left out, the first ${data.hkl.slice(3 * i, 3 * i + 3).join(" ")}`,
    );
  }
  const { cell } = model.raw.structure;
  const g = Float64Array.from({ length: n }, (_, i) => dStar(cell, [data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!]));
  const u = options.instability ?? 0.01;
  const lambda = options.extinction?.wavelength ?? 0;
  return {
    kernel: structureFactorKernel(model.raw, data.hkl, options.factors ?? ignoreCharge(peng1996)),
    f: a.f,
    root: a.weight.map(Math.sqrt),
    rootI: a.weight.map((w, i) => (w > 0 ? 1 / Math.hypot(data.sigma[i]!, 2 * u * data.intensity[i]!) : 0)),
    geometry: g.map((v) => (lambda > 0 ? extinctionGeometry(lambda, v) : 0)),
    g,
    data,
  };
}
/** The scale that makes Σw(Fo − kF)² least. */
export function startScale(s: SetState, raw: Float64Array): number {
  const f = s.kernel.values(raw);
  let cross = 0,
    square = 0;
  for (let i = 0; i < s.f.length; i++) {
    const w = s.root[i]! ** 2,
      fc = Math.hypot(f[2 * i]!, f[2 * i + 1]!);
    cross += w * s.f[i]! * fc;
    square += w * fc * fc;
  }
  return square > 0 && cross > 0 ? cross / square : 1;
}
export function calculatedOf(
  s: SetState,
  raw: Float64Array,
  scale: number,
  x: number,
): { readonly f2: Float64Array; readonly factor: Float64Array } {
  const f = s.kernel.values(raw);
  const f2 = new Float64Array(s.f.length),
    factor = new Float64Array(s.f.length);
  for (let i = 0; i < f2.length; i++) {
    const own = f[2 * i]! ** 2 + f[2 * i + 1]! ** 2;
    factor[i] = scale * extinctionY(x, own, s.geometry[i]!);
    f2[i] = factor[i]! ** 2 * own;
  }
  return { f2, factor };
}
export function wrOf(sets: readonly SetState[], model: StructureModel, q: Float64Array, nq: number, extinct: boolean): number {
  const raw = model.rawAt(q);
  let miss = 0,
    sum = 0;
  sets.forEach((s, k) => {
    const c = calculatedOf(s, raw, q[nq + k]!, extinct ? q.at(-1)! : 0).f2;
    for (let i = 0; i < c.length; i++) {
      miss += (s.root[i]! * (s.f[i]! - Math.sqrt(c[i]!))) ** 2;
      sum += (s.root[i]! * s.f[i]!) ** 2;
    }
  });
  return Math.sqrt(miss / sum);
}
export function dropOutliers(
  sets: readonly SetState[],
  keep: readonly Float64Array[],
  model: StructureModel,
  q: Float64Array,
  nq: number,
  extinct: boolean,
  limit: number,
): number {
  const raw = model.rawAt(q);
  let n = 0;
  sets.forEach((s, k) => {
    const c = calculatedOf(s, raw, q[nq + k]!, extinct ? q.at(-1)! : 0).f2;
    const a = amplitudes(s.data.intensity, s.data.sigma);
    for (let i = 0; i < c.length; i++)
      if (keep[k]![i]! > 0 && Math.abs(s.f[i]! - Math.sqrt(c[i]!)) > limit * a.sigma[i]!) {
        keep[k]![i] = 0;
        n++;
      }
  });
  return n;
}
