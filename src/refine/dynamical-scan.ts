import { beamPool } from "../bloch/beams.js";
import { labVectors } from "../bloch/filters.js";
import { fitOrientation } from "../bloch/frame-fit.js";
import { type FrameCrystal, type FrameModel, frameProblem, tiltedThickness } from "../bloch/frames.js";
import { sweepIntensities } from "../bloch/integrate.js";
import { crystalPotential } from "../bloch/potential.js";
import type { ThicknessModel } from "../bloch/thickness.js";
import { fail } from "../core/errors.js";
import { compose } from "../core/frames.js";
import type { Progress } from "../core/job.js";
import { radians, rotationAbout } from "../geometry/rotation.js";
import type { Structure } from "../geometry/structure.js";
import { type Arena, arena as newArena } from "../kernels/memory.js";
import { type FormFactorSource, ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { amplitudes, scaleSums } from "./amplitudes.js";
import { exposureSteps } from "./dynamical-defaults.js";
import { depthGrid, depthMixture, frameDepths, mixedIntensities } from "./dynamical-depths.js";
import { prepareDynamical } from "./dynamical-start.js";
import { bestOfCurve, bothShapes, type ThicknessCurve, thicknessGrids } from "./dynamical-thickness-grid.js";
import type { DynamicalData, RefinedFrameData } from "./dynamical-types.js";

export interface ScanOptions {
  /** Distributions to try. Default plate and wedge. */
  readonly models?: readonly ThicknessModel[] | undefined;
  /** Range and step, Å. Default 50 to 2000 by 25. */
  readonly range?: readonly [from: number, to: number, step: number] | undefined;
  /** A thickness that is about known, Å, instead of the range: looked for within a quarter, as the largest or the mean one of a distribution. */
  readonly near?: number | undefined;
  /** Tilt corrections C to try with each distribution. Default that of the model. */
  readonly tilts?: readonly number[] | undefined;
  /** Frames that are looked at, spread over the series. Default 8. */
  readonly frames?: number | undefined;
  readonly factors?: FormFactorSource | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
  readonly arena?: Arena | undefined;
}
export interface ThicknessScan {
  readonly model: ThicknessModel;
  readonly tiltCorrection: number;
  /** Of the plate, or the largest of the distribution, Å. */
  readonly thickness: number;
  readonly wr: number;
  /** wR on F of every model and tilt correction over the thicknesses; scales of frames at their best. */
  readonly curves: readonly ThicknessCurve[];
  readonly frames: readonly string[];
}

/** A frame whose wR(F) is below this keeps its orientation until all are refined together. */
const GOOD = 0.2;
/** For orientations alone: 0.6 of the samples that the thickness found asks for, one mosaic block. */
function coarse({ model, frames }: DynamicalData): FrameModel {
  const { sweep, azimuths } = model.sampling,
    enough = Math.max(32, Math.ceil(0.6 * exposureSteps(frames, model.gMax, model.thickness)));
  return {
    ...model,
    mosaicity: { kind: "none" },
    sampling: {
      sweep: sweep?.kind === "midpoint" ? { kind: "midpoint", steps: Math.min(enough, sweep.steps) } : sweep,
      azimuths: azimuths === undefined ? undefined : Math.min(enough, azimuths),
    },
  };
}
const breathe = (): Promise<void> => new Promise((resume) => setTimeout(resume));
export const crystalOf = (s: Structure, data: DynamicalData, factors: FormFactorSource): FrameCrystal => ({
  potential: crystalPotential(s, data.beam, { reach: 2 * data.model.gMax, factors }),
  pool: beamPool(s.cell, s.spaceGroup, data.model.gMax),
});
const usable = (data: DynamicalData): RefinedFrameData[] =>
  data.frames.filter((f) => f.problem === undefined && f.sigma.some((s, i) => s > 0 && f.intensity[i]! > 3 * s));

/** At most `count` of the usable frames, spread over the series. @throws bad-value when no frame has an observed reflection */
export function spreadFrames(data: DynamicalData, count: number): RefinedFrameData[] {
  const all = usable(data);
  if (all.length === 0) fail("bad-value", { frames: data.frames.length }, "no frame has a reflection above 3 sigma");
  const n = Math.min(all.length, count);
  return Array.from({ length: n }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / n)]!);
}

/**
 * Thickness without a guess: one pass over a few frames gives the intensities at all depths, and any distribution of thicknesses is a sum of
 * them. With a tilt correction a curve ends where the most tilted frame would be thicker than the range.
 * @throws bad-value when no frame has an observed reflection
 */
export async function scanThickness(s: Structure, data: DynamicalData, options: ScanOptions = {}): Promise<ThicknessScan> {
  const { models = bothShapes, tilts = [data.model.tiltCorrection ?? 0], signal, arena = newArena() } = options;
  const frames = spreadFrames(data, options.frames ?? 8),
    count = frames.length;
  const longest = (c: number): number => Math.max(...frames.map((f) => tiltedThickness(1, f.alphaDeg, c)));
  const grids = thicknessGrids(models, tilts, longest, options);
  const crystal = crystalOf(s, data, options.factors ?? ignoreCharge(peng1996));
  const depth = depthGrid(grids.deepest, grids.step);
  const sums = grids.curves.map(({ thickness }) => new Float64Array(thickness.length));
  let sum = 0;
  for (const [done, f] of frames.entries()) {
    signal?.throwIfAborted();
    options.onProgress?.({ done, total: count, note: "thickness scan" });
    await breathe();
    const intensity = frameDepths(crystal, f, data.model, depth, arena);
    const n = f.intensity.length,
      a = amplitudes(f.intensity, f.sigma);
    sum += scaleSums(a.f, a.weight, new Float64Array(n)).oo;
    grids.curves.forEach(({ model, tiltCorrection, thickness }, k) => {
      thickness.forEach((t, j) => {
        const mixture = depthMixture(model, tiltedThickness(t, f.alphaDeg, tiltCorrection), depth);
        const { oc, cc, oo } = scaleSums(a.f, a.weight, mixedIntensities(mixture, intensity, n));
        sums[k]![j]! += oo - (cc > 0 ? (oc * oc) / cc : 0);
      });
    });
  }
  const curves = grids.curves.map((c, k) => ({ ...c, wr: sums[k]!.map((v) => Math.sqrt(Math.max(0, v) / sum)) }));
  const { thickness, wr, ...best } = curves.map(bestOfCurve).reduce((p, q) => (q.wr < p.wr ? q : p));
  return { ...best, thickness, wr, curves, frames: frames.map((f) => f.id) };
}
export interface StartOptions extends ScanOptions {
  /** A thickness that is about known: the scan stays near it; with one distribution in `models` and one tilt correction there is none. */
  readonly thickness?: number | undefined;
  /** Rings around the given orientations at which further starts are tried where a frame fits badly, degrees. Default 0.12; empty: none. */
  readonly ringsDeg?: readonly number[] | undefined;
  /** Refine orientations at all (default true). */
  readonly orientations?: boolean | undefined;
}
export interface DynamicalStart {
  /** With the cell of the data where that of the given one was off by more than 1 %. */
  readonly structure: Structure;
  readonly warnings: readonly string[];
  readonly data: DynamicalData;
  readonly scans: readonly ThicknessScan[];
  /** Of every usable frame: R(F, all) before and after its orientation was fitted, and the turn. */
  readonly orientations: readonly {
    readonly id: string;
    readonly before: number;
    readonly after: number;
    readonly turnDeg: readonly [number, number];
  }[];
}

/**
 * A start for data about whose thickness and exact orientations nothing is known: thickness scan, orientation of each frame by itself
 * (further starts around it where the fit is bad), and the scan again. The structure is not touched.
 */
export async function startDynamical(given: Structure, data: DynamicalData, options: StartOptions = {}): Promise<DynamicalStart> {
  const { ringsDeg = [0.12], orientations = true, signal, arena = newArena() } = options;
  const factors = options.factors ?? ignoreCharge(peng1996);
  const warnings: string[] = [];
  const s = prepareDynamical(given, [data], warnings);
  const scans: ThicknessScan[] = [];
  const scanned = async (d: DynamicalData): Promise<DynamicalData> => {
    const { thickness: near, models, tilts = [data.model.tiltCorrection ?? 0] } = options;
    if (near !== undefined && models?.length === 1 && tilts.length === 1)
      return { ...d, model: { ...d.model, thickness: near, thicknessModel: models[0]! } };
    const scan = await scanThickness(s, d, { ...options, near, arena });
    scans.push(scan);
    const { thickness, tiltCorrection, model: thicknessModel } = scan;
    return { ...d, model: { ...d.model, thickness, tiltCorrection, thicknessModel } };
  };
  let current = await scanned({ ...data, frames: data.frames.map((f) => within(f, data.model.gMax)) });
  const fits: DynamicalStart["orientations"][number][] = [];
  if (orientations) {
    const crystal = crystalOf(s, data, factors);
    const good = new Set(usable(data));
    const frames: RefinedFrameData[] = [];
    const model = coarse(current);
    for (const [i, f] of current.frames.entries()) {
      signal?.throwIfAborted();
      options.onProgress?.({ done: i, total: current.frames.length, note: "orientations" });
      await breathe();
      if (!good.has(f)) {
        frames.push(f);
        continue;
      }
      const from = ringStart(crystal, f, model, ringsDeg, arena);
      if (from.good) {
        fits.push({ id: f.id, before: from.r, after: from.r, turnDeg: [0, 0] });
        frames.push(f);
        continue;
      }
      const fit = fitOrientation(crystal, { ...f, ub: from.ub }, model, f, { arena, maxSteps: 5, toleranceDeg: 5e-3 });
      const turnDeg = [from.turnDeg[0] + fit.turnDeg[0], from.turnDeg[1] + fit.turnDeg[1]] as const;
      fits.push({ id: f.id, before: from.r, after: fit.rAfter, turnDeg });
      frames.push(fit.status === "nothing-to-fit" ? f : { ...f, ub: fit.ub });
    }
    current = await scanned({ ...current, frames });
  }
  return { structure: s, warnings, data: current, scans, orientations: fits };
}

/** Without the reflections beyond the beams of the model, of which nothing is calculated. */
function within(f: RefinedFrameData, gMax: number): RefinedFrameData {
  const g = labVectors(f.ub, f.hkl);
  const rows = [...f.intensity.keys()].filter((i) => !(Math.hypot(g[3 * i]!, g[3 * i + 1]!, g[3 * i + 2]!) > gMax * (1 + 1e-9)));
  if (rows.length === f.intensity.length) return f;
  return {
    ...f,
    hkl: Int32Array.from(rows.flatMap((i) => [...f.hkl.subarray(3 * i, 3 * i + 3)])),
    intensity: Float64Array.from(rows, (i) => f.intensity[i]!),
    sigma: Float64Array.from(rows, (i) => f.sigma[i]!),
  };
}

/** The best of the given orientation and of rings of six around it, by χ² with the scale at its best. A good start is kept. */
function ringStart(crystal: FrameCrystal, f: RefinedFrameData, model: FrameModel, ringsDeg: readonly number[], arena: Arena) {
  const a = amplitudes(f.intensity, f.sigma);
  const turns: (readonly [number, number])[] = [
    [0, 0],
    ...ringsDeg.flatMap((r, k) =>
      Array.from({ length: 6 }, (_, i) => [r * Math.cos(((i + k / 2) * Math.PI) / 3), r * Math.sin(((i + k / 2) * Math.PI) / 3)] as const),
    ),
  ];
  let best = { chi2: Number.POSITIVE_INFINITY, ub: f.ub, turnDeg: turns[0]! },
    given = Number.NaN;
  for (const [k, t] of turns.entries()) {
    const angle = Math.hypot(t[0], t[1]);
    const ub = angle > 0 ? compose(rotationAbout<"lab", "lab">([t[0] / angle, t[1] / angle, 0], radians(angle)), f.ub) : f.ub;
    const { intensity } = sweepIntensities(frameProblem(crystal, { ...f, ub }, model), arena);
    const { oc, cc, oo } = scaleSums(a.f, a.weight, intensity);
    const chi2 = oo - (cc > 0 ? (oc * oc) / cc : 0);
    if (k === 0) {
      let miss = 0,
        sum = 0;
      for (let i = 0; i < intensity.length; i++) {
        if (!(a.weight[i]! > 0)) continue;
        miss += Math.abs(a.f[i]! - (cc > 0 ? oc / cc : 0) * Math.sqrt(Math.max(0, intensity[i]!)));
        sum += a.f[i]!;
      }
      given = miss / sum;
      if (chi2 < GOOD ** 2 * oo) return { chi2, ub: f.ub, turnDeg: turns[0]!, r: given, good: true };
    }
    if (chi2 < best.chi2) best = { chi2, ub, turnDeg: t };
  }
  return { ...best, r: given, good: false };
}
