import { type BeamPool, beamPool } from "../bloch/beams.js";
import { type FrameModel, frameProblem } from "../bloch/frames.js";
import type { SweepProblem } from "../bloch/integrate.js";
import type { Mosaicity } from "../bloch/mosaicity.js";
import { type CrystalPotential, crystalPotential } from "../bloch/potential.js";
import type { PullProblem } from "../bloch/pull-plan.js";
import { type DirectionSet, directionTangents, exposureDirections } from "../bloch/rotation.js";
import { fail } from "../core/errors.js";
import type { Map3, Vec3 } from "../core/frames.js";
import { dStar } from "../geometry/metric.js";
import { radians } from "../geometry/rotation.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { amplitudes, scaleSums, type WeightOptions } from "./amplitudes.js";
import type { DynamicalData, InstrumentState, RefinedFrameData } from "./dynamical-types.js";
import type { StructureModel } from "./model.js";

export const turnAxes: readonly Vec3<"lab">[] = [
  [1, 0, 0],
  [0, 1, 0],
];
/** A frame during a refinement. */
export interface FrameState {
  readonly set: number;
  readonly data: RefinedFrameData;
  readonly f: Float64Array;
  readonly sigmaF: Float64Array;
  /** √w; 0 for rows without a weight. */
  readonly root: Float64Array;
  reason: string | undefined;
  /** 1 for outliers, which count nowhere. */
  readonly outlier: Uint8Array;
  ub: Map3<"lab", "hkl">;
  /** Mean |ψ|² of the last evaluation. */
  intensity: Float64Array;
  scale: number;
}
export interface SetState {
  readonly data: DynamicalData;
  readonly pool: BeamPool;
  readonly frames: FrameState[];
  instrument: InstrumentState;
}

/** Spread of the mosaic blocks as one number of the model's kind; null without any. */
export const mosaicityOf = (m: Mosaicity): number | null =>
  m.kind === "none" ? null : m.kind === "quantiles" ? m.varianceDeg2 : m.sigmaDeg;
const withMosaicity = (m: Mosaicity, value: number | null): Mosaicity =>
  value === null || m.kind === "none" ? m : m.kind === "quantiles" ? { ...m, varianceDeg2: value } : { ...m, sigmaDeg: value };

/** The model of a set with its refined instrument. */
export const modelOf = (data: DynamicalData, i: InstrumentState): FrameModel => ({
  ...data.model,
  thickness: i.thickness,
  tiltCorrection: i.tiltCorrection,
  mosaicity: withMosaicity(data.model.mosaicity, i.mosaicity),
});

/** Sets and frames ready to be refined; what cannot be used is named in the warnings. @throws bad-value, bad-shape */
export function setStates(model: StructureModel, list: readonly DynamicalData[], options: WeightOptions, warnings: string[]): SetState[] {
  const { cell, spaceGroup } = model.raw.structure;
  const sets = list.map((data, set): SetState => {
    const title = data.name ?? (list.length > 1 ? `set ${set + 1}` : "the data");
    let zero = 0,
      beyond = 0,
      first = "";
    const frames = data.frames.map((f): FrameState => {
      const n = f.intensity.length;
      if (f.hkl.length !== 3 * n || f.sigma.length !== n)
        fail(
          "bad-shape",
          { frame: f.id, hkl: f.hkl.length, intensity: n, sigma: f.sigma.length },
          "a frame has [n, 3] hkl, n intensities and n sigmas",
        );
      const a = amplitudes(f.intensity, f.sigma, options);
      zero += a.excluded.length;
      if (a.excluded.length > 0) first ||= `${[...f.hkl.subarray(3 * a.excluded[0]!, 3 * a.excluded[0]! + 3)].join(" ")} of frame ${f.id}`;
      // Beyond the beams of the model nothing is calculated: such a row would count as F = 0.
      const limit = data.model.gMax * (1 + 1e-9);
      for (let i = 0; i < n; i++) {
        if (!(a.weight[i]! > 0) || dStar(cell, [f.hkl[3 * i]!, f.hkl[3 * i + 1]!, f.hkl[3 * i + 2]!]) <= limit) continue;
        a.weight[i] = 0;
        beyond++;
      }
      const bad = !f.ub.every(Number.isFinite) || !Number.isFinite(f.alphaDeg);
      const reason =
        f.problem ??
        (bad
          ? "its orientation is not finite"
          : a.weight.every((w) => !(w > 0))
            ? "no reflection with a positive sigma within gMax"
            : undefined);
      return {
        set,
        data: f,
        f: a.f,
        sigmaF: a.sigma,
        root: a.weight.map(Math.sqrt),
        reason,
        outlier: new Uint8Array(n),
        ub: f.ub,
        intensity: new Float64Array(n),
        scale: Number.NaN,
      };
    });
    if (zero > 0) warnings.push(`${zero} reflections of ${title} have no positive sigma and are left out, the first ${first}`);
    if (beyond > 0) warnings.push(`${beyond} reflections of ${title} lie beyond gMax = ${data.model.gMax.toFixed(2)} Å⁻¹ and are left out`);
    const { model: m } = data;
    if (!(m.thickness > 0 && Number.isFinite(m.thickness)))
      fail("out-of-range", { thickness: m.thickness }, "the starting thickness is a positive number, in Å; scanThickness finds one");
    return {
      data,
      pool: beamPool(cell, spaceGroup, m.gMax),
      frames,
      instrument: { thickness: m.thickness, tiltCorrection: m.tiltCorrection ?? 0, mosaicity: mosaicityOf(m.mosaicity) },
    };
  });
  return sets;
}

/**
 * The potential at some values of the structure's parameters, about the structure's own origin; real, and a quarter of the work, where the
 * group has an inversion there (a list of atoms that happens to have one in a lower group keeps complex coefficients: one atom can break it).
 */
export function potentialOf(model: StructureModel, q: ArrayLike<number>, data: DynamicalData, factors: FormFactorSource): CrystalPotential {
  const s = model.structureAt(q),
    options = { reach: 2 * data.model.gMax, factors };
  const p = crystalPotential(s, data.beam, { ...options, useInversion: s.spaceGroup.originAtInversion });
  return p.origin.every((x) => x === 0) ? p : crystalPotential(s, data.beam, { ...options, useInversion: false });
}

/** The intensities of a frame as it stands; `rows`: of some of its reflections. */
export function sweepOf(
  s: SetState,
  f: FrameState,
  potential: CrystalPotential,
  options: { readonly sMax?: number | undefined; readonly rows?: readonly [number, number] | undefined } = {},
): SweepProblem {
  const model = { ...modelOf(s.data, s.instrument), ...(options.sMax === undefined ? {} : { sMax: options.sMax }) };
  const hkl = options.rows ? f.data.hkl.subarray(3 * options.rows[0], 3 * options.rows[1]) : f.data.hkl;
  return frameProblem({ potential, pool: s.pool }, { ...f.data, hkl, ub: f.ub }, model);
}

/** Directions of a frame with another spread of its mosaic blocks. */
export function spreadDirections(s: SetState, f: FrameState, problem: SweepProblem, value: number): DirectionSet {
  const model = modelOf(s.data, s.instrument),
    thickness = problem.depths.depth.reduce((m, t) => Math.max(m, t), 0);
  return exposureDirections(f.data.exposure, withMosaicity(model.mosaicity, value), model.sampling, { gMax: model.gMax, thickness });
}

/** Problem of one frame; tangents of the directions for the two turns and the mosaic spread, as asked for. */
export function pullOf(
  s: SetState,
  f: FrameState,
  potential: CrystalPotential,
  want: PullProblem["want"],
  options: {
    readonly turns?: boolean | undefined;
    readonly mosaicity?: boolean | undefined;
    readonly sMax?: number | undefined;
    readonly window?: number | undefined;
    readonly seed?: Float64Array | undefined;
    readonly rows?: readonly [number, number] | undefined;
  } = {},
): PullProblem {
  const problem = sweepOf(s, f, potential, options),
    set = problem.directions;
  const turns = options.turns ? directionTangents(set, turnAxes) : undefined;
  let spread: Float64Array | undefined;
  if (options.mosaicity && s.instrument.mosaicity !== null) {
    const v = s.instrument.mosaicity,
      h = Math.max(1e-7, 1e-3 * v);
    const up = spreadDirections(s, f, problem, v + h).kappa,
      down = spreadDirections(s, f, problem, Math.max(0, v - h)).kappa;
    spread = up.length === set.kappa.length ? up.map((x, i) => (x - down[i]!) / (h + Math.min(h, v))) : undefined;
  }
  const q = (turns ? 2 : 0) + (spread ? 1 : 0);
  const tangents = new Float64Array(3 * q * set.size);
  for (let d = 0; d < set.size; d++) {
    if (turns) tangents.set(turns.subarray(6 * d, 6 * d + 6), 3 * q * d);
    if (spread) tangents.set(spread.subarray(3 * d, 3 * d + 3), 3 * (q * d + (turns ? 2 : 0)));
  }
  return { ...problem, tangents, want, seed: options.seed, window: options.window };
}

/** d ln t/dt₀ and d ln t/dC of a frame. */
export function thicknessSlopes(i: InstrumentState, alphaDeg: number): readonly [number, number] {
  const c = Math.cos(radians(alphaDeg));
  const t = i.tiltCorrection / c + 1 - i.tiltCorrection;
  return [1 / i.thickness, (1 / c - 1) / t];
}

/** The amplitude scale that fits best; NaN when nothing is calculated or measured. */
export function bestScale(f: FrameState): number {
  const { oc, cc } = scaleSums(
    f.f,
    f.root.map((r, i) => (f.outlier[i] || !(r > 0) ? 0 : r ** 2)),
    f.intensity,
  );
  return oc > 0 && cc > 0 ? oc / cc : Number.NaN;
}
