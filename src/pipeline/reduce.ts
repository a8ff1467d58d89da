import { fail } from "../core/errors.js";
import type { RunOptions } from "../core/job.js";
import type { BravaisType } from "../geometry/bravais.js";
import { cellParameters, type UnitCell } from "../geometry/cell.js";
import { cellFromUB } from "../geometry/metric.js";
import { type SpaceGroup, spaceGroup } from "../geometry/space-groups.js";
import { type AbsenceScore, absenceScores } from "../integration/absences.js";
import { intensityFlags } from "../integration/frame-intensities.js";
import { type FrameScales, frameScales } from "../integration/frame-scales.js";
import {
  type IntegratedSeries,
  type IntegrateOptions,
  type IntegrationExperiment,
  integrateSeries,
} from "../integration/integrate-series.js";
import { type LaueChoice, laueByIntensity } from "../integration/laue-choice.js";
import { curveObservations, type MergedObservations, type MergeObservationsOptions, mergeObservations } from "../integration/merge.js";
import type { MergingShell } from "../integration/merging-shells.js";
import { fitRockingCurves, type RockingCurveOptions, type RockingCurves } from "../integration/rocking-curves.js";
import { meanRockingCurves } from "../integration/rocking-figures.js";
import { type VirtualFrameOptions, type VirtualIntensities, virtualFrames } from "../integration/virtual-frames.js";
import type { FrameSource } from "../io/frames.js";
import { writeCml } from "../io/pets/rocking.js";
import { type FrameRows, intensityFiles, type MeasuredCrystal } from "./structure-files.js";

export interface ReduceOptions extends IntegrateOptions, RunOptions {
  /** Bravais type of the cell, for the choice of the Laue group. Default aP: only Friedel's law. */
  readonly bravais?: BravaisType | undefined;
  /** A group of the Laue class, when it is known. */
  readonly laue?: SpaceGroup | undefined;
  readonly curves?: Omit<RockingCurveOptions, "scales"> | undefined;
  /** Refine a scale for every frame (default), or keep those of the geometry. */
  readonly scale?: boolean | undefined;
  readonly merge?: MergeObservationsOptions | undefined;
  /** Virtual frames for dynamical refinement: frames merged and step. Default: one to two degrees, overlapping by a third; single frames of precession. */
  readonly virtual?: VirtualFrameOptions | undefined;
}

/** Frames reduced to intensities. */
export interface ReducedSeries {
  readonly integrated: IntegratedSeries;
  readonly curves: RockingCurves;
  readonly scales: FrameScales | undefined;
  readonly cell: UnitCell;
  /** Laue groups by intensities, the choice first; empty when the group was given or the data are too few. */
  readonly laue: readonly LaueChoice[];
  /** Under which it was merged. */
  readonly group: SpaceGroup;
  readonly merged: MergedObservations;
  readonly absences: readonly AbsenceScore[];
  readonly virtual: VirtualIntensities | undefined;
  readonly virtualOptions: { readonly merge: number; readonly step: number } | undefined;
  readonly warnings: readonly string[];
}

/**
 * Intensities of a series for kinematical and dynamical refinement: integration frame by frame, rocking curves, Laue group, scales of the frames,
 * merging with error model and outlier rejection, extinct reflections, virtual frames.
 * @throws what the parts throw; bad-value when nothing can be merged
 */
export async function reduceSeries(
  source: FrameSource,
  experiment: IntegrationExperiment,
  options: ReduceOptions = {},
): Promise<ReducedSeries> {
  const integrated = await integrateSeries(source, experiment, options);
  return reduceIntegrated(integrated, options);
}

/** The part after the frames have been read: to merge again with other options. */
export function reduceIntegrated(integrated: IntegratedSeries, options: ReduceOptions = {}): ReducedSeries {
  const { experiment } = integrated,
    cell = cellFromUB(experiment.ub),
    warnings = [...integrated.warnings];
  let curves = fitRockingCurves(integrated, options.curves);
  const first = curveObservations(cell, curves);
  if (first.size === 0)
    fail(
      "bad-value",
      { passages: curves.size, frames: experiment.geometry.length },
      "no reflection was recorded completely on usable pixels: is the series too short, or everything masked?",
    );
  let laue: readonly LaueChoice[] = [];
  if (!options.laue) {
    if (first.size >= 30) laue = laueByIntensity(cell, options.bravais ?? "aP", first);
    else warnings.push(`only ${first.size} observations: Laue group -1 is taken`);
  }
  const group = options.laue ?? laue[0]?.group ?? spaceGroup("P -1");
  let scales: FrameScales | undefined;
  if (options.scale ?? true) {
    try {
      scales = frameScales(integrated, curves, group);
      curves = fitRockingCurves(integrated, { ...options.curves, scales: scales.scale });
    } catch (e) {
      warnings.push(`frames keep their scales: ${(e as Error).message}`);
    }
  }
  const merged = mergeObservations(cell, group, curveObservations(cell, curves), options.merge);
  const absences = merged.merged.size >= 30 ? absenceScores(group, experiment.centring ?? "P", merged.merged) : [];
  const virtualOptions = options.virtual ?? suggestedVirtual(experiment);
  const virtual =
    virtualOptions && virtualOptions.merge <= experiment.geometry.length
      ? virtualFrames(integrated, { scales: curves.scales, ...virtualOptions })
      : undefined;
  const { completeness, rInt } = merged.statistics.overall;
  if (completeness < 0.5) warnings.push(`only ${(100 * completeness).toFixed(0)} % of the unique reflections were measured`);
  if (rInt > 0.4) warnings.push(`R_int is ${(100 * rInt).toFixed(0)} %: is the Laue group ${group.laueGroup} right, are the orientations?`);
  return {
    integrated,
    curves,
    scales,
    cell,
    laue,
    group,
    merged,
    absences,
    virtual,
    virtualOptions:
      virtual && virtualOptions ? { merge: virtualOptions.merge, step: virtualOptions.step ?? virtualOptions.merge } : undefined,
    warnings,
  };
}

/** Virtual frames of 1.5° with a third of overlap (PETS2's usual settings lie between 1.2 and 1.5°); a precession frame is one by itself. */
function suggestedVirtual({ instrument, geometry }: IntegrationExperiment): VirtualFrameOptions | undefined {
  if (instrument.exposure.kind === "precession") return { merge: 1 };
  const n = geometry.length;
  if (n < 3) return undefined;
  const step = Math.abs(geometry[n - 1]!.alphaDeg - geometry[0]!.alphaDeg) / (n - 1);
  if (!(step > 0)) return undefined;
  const merge = Math.max(2, Math.min(n, Math.round(1.5 / step)));
  return { merge, step: Math.max(1, Math.round((2 * merge) / 3)) };
}

/** What `intensityFiles` writes of a reduced series: merged intensities and the virtual frames. */
export function reducedCrystal(r: ReducedSeries, cellSu?: readonly number[]): MeasuredCrystal {
  const { experiment } = r.integrated,
    { geometry } = experiment,
    merged = r.merged.merged,
    rows: number[][] = (r.virtual?.frames ?? []).map(() => []),
    kind = experiment.instrument.exposure.kind;
  for (let i = 0; i < (r.virtual?.size ?? 0); i++) rows[r.virtual!.frame[i]!]!.push(i);
  return {
    cell: r.cell,
    cellSu,
    wavelength: experiment.instrument.beam.wavelength,
    ub: experiment.ub,
    exposure: kind,
    gMax: 1 / r.integrated.dMin,
    rcWidth: r.curves.rocking.rcWidth,
    mosaicityDeg: r.curves.rocking.mosaicityDeg,
    diameterPx: experiment.settings.diameter,
    omegaDeg:
      geometry.reduce((s, g) => s + ((g.omegaDeg - geometry[0]!.omegaDeg + 540) % 360) - 180, 0) / geometry.length + geometry[0]!.omegaDeg,
    kinematical: { hkl: merged.hkl, intensity: merged.intensity, sigma: merged.sigma },
    frames: r.virtual?.frames.map((f, v): FrameRows => {
      const list = rows[v]!,
        hkl = new Int32Array(3 * list.length);
      list.forEach((q, i) => {
        hkl.set(r.virtual!.hkl.subarray(3 * q, 3 * q + 3), 3 * i);
      });
      const { exposure: e } = f;
      return {
        id: v + 1,
        alphaDeg: f.geometry.alphaDeg,
        betaDeg: f.geometry.betaDeg,
        omegaDeg: f.geometry.omegaDeg,
        halfAngleDeg: e.kind === "precession" ? e.semiAngleDeg : e.kind === "continuous" ? e.halfWidthDeg : 0,
        scale: 1,
        hkl,
        intensity: Float64Array.from(list, (q) => r.virtual!.intensity[q]!),
        sigma: Float64Array.from(list, (q) => r.virtual!.sigma[q]!),
      };
    }),
    virtualFrames: kind === "precession" || !r.virtualOptions ? undefined : { merged: r.virtualOptions.merge, step: r.virtualOptions.step },
  };
}

/** Files of a reduced series, name → text: those of `intensityFiles`, and the mean rocking curves as `.cml` when any is strong enough. */
export function reducedFiles(r: ReducedSeries, name: string, cellSu?: readonly number[]): ReadonlyMap<string, string> {
  const files = new Map(intensityFiles(reducedCrystal(r, cellSu), name)),
    { intensity, sigma, coverage } = r.curves;
  if (intensity.some((v, k) => v > 8 * sigma[k]! && coverage[k]! > 0.7))
    files.set(`${name}.cml`, writeCml(meanRockingCurves(r.integrated, r.curves)));
  return files;
}

/** Figures of a reduced series as plain numbers: overall, by shell, error model, Laue groups, extinct reflections. */
export function reducedRecord(r: ReducedSeries) {
  const { statistics, before, errorModel, rejected } = r.merged,
    t = r.integrated.intensities,
    finite = (v: number): number | null => (Number.isFinite(v) ? v : null),
    shell = (s: MergingShell) => Object.fromEntries(Object.entries(s).map(([k, v]) => [k, finite(v as number)]));
  const flagged = Object.fromEntries(
    Object.entries(intensityFlags).map(([name, bit]) => [name, t.flags.reduce((n, f) => n + (f & bit ? 1 : 0), 0)]),
  );
  return {
    cell: cellParameters(r.cell),
    centring: r.integrated.experiment.centring ?? "P",
    frames: r.integrated.experiment.geometry.length,
    intensities: t.size,
    flagged,
    passages: r.curves.size,
    dMin: r.integrated.dMin,
    rocking: { rcWidth: r.curves.rocking.rcWidth, mosaicityDeg: r.curves.rocking.mosaicityDeg },
    laue: {
      group: r.group.laueGroup,
      hall: r.group.hall,
      candidates: r.laue.map((l) => ({
        laue: l.laue,
        hall: l.group.hall,
        rMeas: finite(l.figures.rMeas),
        weakest: l.weakest,
        accepted: l.accepted,
      })),
    },
    overall: shell(statistics.overall),
    beforeRejection: shell(before.overall),
    shells: statistics.shells.map(shell),
    errorModel,
    rejected: rejected.length,
    extinctions: r.absences.slice(0, 5).map((a) => ({
      groups: a.groups.map((g) => g.hm),
      conditions: a.conditions,
      count: a.count,
      meanRatio: finite(a.meanRatio),
      logLikelihood: a.logLikelihood,
    })),
    virtualFrames: r.virtual && {
      frames: r.virtual.frames.length,
      reflections: r.virtual.size,
      disturbed: r.virtual.disturbed,
      ...r.virtualOptions,
    },
    warnings: r.warnings,
  };
}

/** The same as a table for a person. */
export function reducedSummary(r: ReducedSeries): string[] {
  const line = (d: string, s: MergingShell): string =>
    [
      d,
      s.observations,
      s.unique,
      (100 * s.completeness).toFixed(1),
      s.multiplicity.toFixed(2),
      s.iOverSigma.toFixed(1),
      ...[s.rInt, s.rMeas, s.rPim, s.ccHalf].map((v) => (Number.isFinite(v) ? v.toFixed(3) : "–")),
    ]
      .map((v) => String(v).padStart(9))
      .join("");
  const { statistics, errorModel, rejected } = r.merged;
  return [
    `cell ${cellParameters(r.cell)
      .map((v) => v.toFixed(3))
      .join(
        " ",
      )}, ${r.integrated.experiment.geometry.length} frames, ${r.integrated.intensities.size} intensities, ${r.curves.size} rocking curves`,
    ["d_min", "obs", "unique", "% compl", "mult", "I/sigma", "R_int", "R_meas", "R_pim", "CC1/2"].map((v) => v.padStart(9)).join(""),
    ...statistics.shells.map((s) => line(s.dMin.toFixed(2), s)),
    line("all", statistics.overall),
    `Laue group ${r.group.laueGroup} (${r.group.hall}); error model a = ${errorModel.a.toFixed(2)}, b = ${errorModel.b.toFixed(3)}; ${rejected.length} outliers rejected`,
    ...r.absences.slice(0, 1).map(
      (a) =>
        `extinct: ${a.conditions.length ? a.conditions.join(", ") : "no screw axes or glide planes seen"}; ${a.groups
          .slice(0, 4)
          .map((g) => g.hm)
          .join(", ")}`,
    ),
    ...(r.virtual ? [`${r.virtual.frames.length} virtual frames with ${r.virtual.size} reflections`] : []),
  ];
}
