import { tiltedThickness } from "../bloch/frames.js";
import type { ThicknessModel } from "../bloch/thickness.js";
import { fail } from "../core/errors.js";
import type { Progress } from "../core/job.js";
import type { Structure } from "../geometry/structure.js";
import { arena as newArena } from "../kernels/memory.js";
import { amplitudes, scaleSums } from "../refine/amplitudes.js";
import { depthGrid, depthMixture, frameDepths, mixedIntensities } from "../refine/dynamical-depths.js";
import { crystalOf, spreadFrames } from "../refine/dynamical-scan.js";
import type { DynamicalData } from "../refine/dynamical-types.js";
import { mapStatistics } from "../refine/map-statistics.js";
import { potentialMap, voltPerElectronAngstrom } from "../refine/potential-map.js";
import { residuals } from "../refine/residuals.js";
import type { Plot } from "../render/index.js";
import { type FormFactorSource, ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { type ComparedRows, differenceOfRows } from "./determine-diagnose.js";

export interface ThicknessProfileOptions {
  /** Thicknesses, Å, of a distribution the largest. Default 13, from 0.4 to 1.6 times that of the model. */
  readonly thickness?: readonly number[] | undefined;
  /** Default that of the data's model. */
  readonly thicknessModel?: ThicknessModel | undefined;
  /** Frames that are looked at, spread over the series. Default 40. */
  readonly frames?: number | undefined;
  readonly factors?: FormFactorSource | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
}

/** R factors and difference map of one structure against the thickness that is assumed: arrays by thickness. */
export interface ThicknessProfile {
  readonly model: ThicknessModel;
  /** Å. */
  readonly thickness: Float64Array;
  readonly rObs: Float64Array;
  readonly wrAll: Float64Array;
  /** σ of the Gaussian in the histogram of the difference map, and highest and lowest residual, volts. */
  readonly sigma: Float64Array;
  readonly max: Float64Array;
  readonly min: Float64Array;
  /** Where wR and where the σ of the map are least: minimum of the parabola through the three lowest points, Å. */
  readonly bestWr: number;
  readonly bestSigma: number;
  readonly frames: readonly string[];
}

/**
 * How a refinement depends on the thickness: one pass over the frames gives the intensities at all depths; at each thickness the frames are scaled anew,
 * and R factors and the difference map are those of that thickness. The structure is not refined again: what moves with the thickness is in the map.
 * @throws bad-value when no frame has an observed reflection, out-of-range for thicknesses that are not positive
 */
export async function thicknessProfile(
  s: Structure,
  data: DynamicalData,
  options: ThicknessProfileOptions = {},
): Promise<ThicknessProfile> {
  const { thicknessModel = data.model.thicknessModel, signal, onProgress } = options,
    t0 = data.model.thickness;
  const thickness = Float64Array.from(options.thickness ?? Array.from({ length: 13 }, (_, i) => t0 * (0.4 + 0.1 * i))).sort();
  if (thickness.length === 0 || thickness.some((t) => !(t > 0 && Number.isFinite(t))))
    fail("out-of-range", { thickness: [...thickness] }, "thicknesses are positive, in Å");
  const frames = spreadFrames(data, options.frames ?? 40),
    crystal = crystalOf(s, data, options.factors ?? ignoreCharge(peng1996)),
    arena = newArena();
  const tilted = (t: number, alphaDeg: number): number => tiltedThickness(t, alphaDeg, data.model.tiltCorrection ?? 0);
  const calculated: Float64Array[][] = [];
  for (const [done, f] of frames.entries()) {
    signal?.throwIfAborted();
    onProgress?.({ done, total: frames.length, note: "thickness profile" });
    await new Promise<void>((resume) => setTimeout(resume));
    const depth = depthGrid(tilted(thickness[thickness.length - 1]!, f.alphaDeg), 25),
      depths = frameDepths(crystal, f, data.model, depth, arena);
    calculated.push(
      [...thickness].map((t) =>
        scaled(f, mixedIntensities(depthMixture(thicknessModel, tilted(t, f.alphaDeg), depth), depths, f.intensity.length)),
      ),
    );
  }
  const join = (part: (k: number) => Float64Array): Float64Array => Float64Array.from(frames.flatMap((_, k) => [...part(k)]));
  const measured = join((k) => frames[k]!.intensity),
    sigmas = join((k) => frames[k]!.sigma),
    hkl = Int32Array.from(frames.flatMap((f) => [...f.hkl])),
    frame = Int32Array.from(frames.flatMap((f, k) => Array<number>(f.intensity.length).fill(k)));
  const out = { rObs: [] as number[], wrAll: [] as number[], sigma: [] as number[], max: [] as number[], min: [] as number[] };
  for (let j = 0; j < thickness.length; j++) {
    signal?.throwIfAborted();
    const rows: ComparedRows = { hkl, intensity: measured, sigma: sigmas, calculated: join((k) => calculated[k]![j]!), frame };
    const r = residuals({ measured, sigma: sigmas, calculated: rows.calculated }),
      d = differenceOfRows(s, rows),
      map = mapStatistics(potentialMap(s.cell, s.spaceGroup, d.hkl, d.coefficients));
    out.rObs.push(r.rObs);
    out.wrAll.push(r.wrAll);
    out.sigma.push(map.gaussian.sigma);
    out.max.push(map.max);
    out.min.push(map.min);
  }
  return {
    model: thicknessModel,
    thickness,
    rObs: Float64Array.from(out.rObs),
    wrAll: Float64Array.from(out.wrAll),
    sigma: Float64Array.from(out.sigma),
    max: Float64Array.from(out.max),
    min: Float64Array.from(out.min),
    bestWr: vertex(thickness, out.wrAll),
    bestSigma: vertex(thickness, out.sigma),
    frames: frames.map((f) => f.id),
  };
}

/** Calculated intensities on the scale of the measured ones, by weighted least squares on amplitudes. */
function scaled(f: { readonly intensity: Float64Array; readonly sigma: Float64Array }, calculated: Float64Array): Float64Array {
  const a = amplitudes(f.intensity, f.sigma),
    { oc, cc } = scaleSums(a.f, a.weight, calculated);
  const k2 = cc > 0 ? (oc / cc) ** 2 : 0;
  return calculated.map((v) => v * k2);
}

/** Minimum of the parabola through the lowest point and its neighbours; at an end of the range that end. */
function vertex(x: Float64Array, y: readonly number[]): number {
  const i = y.indexOf(Math.min(...y));
  if (i <= 0 || i >= y.length - 1) return x[Math.max(0, i)]!;
  const [a, b, c] = [x[i - 1]!, x[i]!, x[i + 1]!],
    left = (y[i]! - y[i - 1]!) / (b - a),
    right = (y[i + 1]! - y[i]!) / (c - b),
    curvature = (right - left) / (c - a);
  return curvature > 0 ? (a + b) / 2 - left / (2 * curvature) : b;
}

/** R and wR, and the noise of the difference map in e/Å, against the thickness. */
export function thicknessProfilePlots(p: ThicknessProfile): Plot[] {
  const label = p.model.kind === "plate" ? "thickness (Å)" : `thickness, ${p.model.kind}, the largest (Å)`,
    x = p.thickness,
    line = (y: Float64Array, text: string, color: string): Plot["marks"] => [
      { kind: "line", x, y, label: text, color },
      { kind: "points", x, y, size: 3, color },
    ],
    percent = (v: Float64Array): Float64Array => v.map((r) => 100 * r),
    electrons = (v: Float64Array): Float64Array => v.map((u) => u / voltPerElectronAngstrom);
  return [
    {
      title: "R against thickness",
      x: { label },
      y: { label: "%" },
      marks: [
        ...line(percent(p.rObs), "R(obs)", "#0072b2"),
        ...line(percent(p.wrAll), "wR(all)", "#d55e00"),
        { kind: "rule", x: p.bestWr, dash: "4 3", color: "#777777" },
      ],
    },
    {
      title: "difference map against thickness",
      x: { label },
      y: { label: "e Å⁻¹" },
      marks: [
        ...line(electrons(p.sigma.map((v) => 3 * v)), "3σ of the Gaussian", "#0072b2"),
        ...line(electrons(p.max), "highest", "#009e73"),
        ...line(electrons(p.min.map((v) => -v)), "deepest (−)", "#e69f00"),
        { kind: "rule", x: p.bestSigma, dash: "4 3", color: "#777777" },
      ],
    },
  ];
}
