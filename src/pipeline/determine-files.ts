import type { Determination } from "./determine.js";
import { dynamicalJanaFiles } from "./dynamical-jana.js";
import type { ProcessingRecord } from "./process.js";
import { type FrameRows, intensityFiles, type MeasuredCrystal, type RefinementRecord, structureFiles } from "./structure-files.js";

/**
 * The files of a determination, name → text: intensities (`.hkl`, `.cif_pets`, `_dyn.cif_pets`) on the axes of the structure, or of the cell when
 * there is none; the structure (`_refined.cif`, `.ins`, `.m40`, `.m50`, `.m90`, after a dynamical refinement `.m42`).
 */
export function determinationFiles(d: Determination, record: ProcessingRecord, name: string): ReadonlyMap<string, string> {
  if (!d.measured) return new Map();
  const crystal = measuredCrystal(d, record);
  const out = new Map(intensityFiles(crystal, name));
  const { diagnosis } = d;
  if (!diagnosis) return out;
  const calculated = diagnosis.theory === "dynamical" ? framesWithModel(d, crystal) : undefined;
  const list: MeasuredCrystal = calculated
    ? { ...crystal, frames: calculated }
    : { ...crystal, frames: undefined, kinematical: { ...d.data!.merged.merged, calculated: d.kinematical!.calculated[0]! } };
  for (const [file, text] of structureFiles(diagnosis.structure, list, recordOf(d, record), `${name}_refined`)) out.set(file, text);
  // With a dynamical refinement JANA's project is that of its zones.
  if (diagnosis.theory === "dynamical")
    for (const [file, text] of dynamicalJanaFiles(d.dynamical!, `${name}_refined`, { ub: crystal.ub, wavelength: crystal.wavelength }))
      out.set(file, text);
  return out;
}

function measuredCrystal(d: Determination, record: ProcessingRecord): MeasuredCrystal {
  const { measured, data, diagnosis } = d,
    m = measured!;
  const { rocking } = m.curves,
    ub = data?.ub ?? m.ub;
  const frames = data?.frames.map(
    (f, i): FrameRows => ({
      id: i + 1,
      ...angles(m.virtual.frames[i]!),
      hkl: f.hkl,
      intensity: f.intensity,
      sigma: f.sigma,
    }),
  );
  return {
    cell: diagnosis?.structure.cell ?? m.cell,
    cellSu: data ? undefined : record.cellSigma.slice(0, 6),
    wavelength: record.series.wavelength,
    ub,
    exposure: record.series.exposure.kind,
    gMax: 1 / m.integrated.dMin,
    rcWidth: rocking.rcWidth,
    mosaicityDeg: rocking.mosaicityDeg,
    diameterPx: record.settings.diameter,
    omegaDeg: record.omegaDeg,
    kinematical: data?.merged.merged ?? m.merged.merged,
    frames: frames ?? listedFrames(d),
    ...(m.virtualPlan.merge > 1 ? { virtualFrames: { merged: m.virtualPlan.merge, step: m.virtualPlan.step } } : {}),
  };
}
type Virtual = NonNullable<Determination["measured"]>["virtual"]["frames"][number];
const angles = (f: Virtual) => ({
  alphaDeg: f.geometry.alphaDeg,
  betaDeg: f.geometry.betaDeg,
  omegaDeg: f.geometry.omegaDeg,
  halfAngleDeg: f.exposure.kind === "continuous" ? f.exposure.halfWidthDeg : f.exposure.kind === "precession" ? f.exposure.semiAngleDeg : 0,
  scale: 1,
});

/** Virtual frames on the axes of the cell, when no structure gave others. */
function listedFrames(d: Determination): FrameRows[] {
  const v = d.measured!.virtual;
  const rows = v.frames.map((): number[] => []);
  for (let i = 0; i < v.size; i++) rows[v.frame[i]!]!.push(i);
  return v.frames.map((f, k) => ({
    id: k + 1,
    ...angles(f),
    hkl: Int32Array.from(rows[k]!.flatMap((i) => [...v.hkl.subarray(3 * i, 3 * i + 3)])),
    intensity: Float64Array.from(rows[k]!, (i) => v.intensity[i]!),
    sigma: Float64Array.from(rows[k]!, (i) => v.sigma[i]!),
  }));
}

function framesWithModel(d: Determination, c: MeasuredCrystal): FrameRows[] {
  return d.dynamical!.frames.flatMap((f, i) =>
    f.status === "refined"
      ? [{ ...c.frames![i]!, hkl: f.frame.hkl, intensity: f.frame.intensity, sigma: f.frame.sigma, calculated: f.calculated }]
      : [],
  );
}

function recordOf(d: Determination, record: ProcessingRecord): RefinementRecord {
  const g = d.diagnosis!,
    { exposure } = record.series;
  const model = d.dynamical?.models[0];
  return {
    voltageKv: Number(record.instrument.beam.voltageKv.toFixed(3)),
    rotationMode: exposure.kind === "continuous" ? "rotation" : "stepwise",
    precession: exposure.kind === "precession",
    ...(exposure.kind === "precession" ? { precessionSemiAngleDeg: exposure.semiAngleDeg } : {}),
    theory: g.theory,
    ...(model
      ? { thicknessNm: Number((model.thickness / 10).toFixed(2)), shapeDetails: `${model.thicknessModel.kind}, largest thickness` }
      : {}),
    ...(d.hand && d.hand.hand !== "achiral" ? { absoluteStructureZ: Number(d.hand.z.toFixed(2)) } : {}),
    potentialMax: Number(g.statistics.maxElectronPerAngstrom.toFixed(4)),
    potentialMin: Number(g.statistics.minElectronPerAngstrom.toFixed(4)),
    potentialRms: Number(g.statistics.rmsElectronPerAngstrom.toFixed(4)),
    rObserved: g.residuals.rObs,
    rAll: g.residuals.rAll,
    wrAll: g.residuals.wrAll,
    gof: g.residuals.gofAll,
    reflections: g.residuals.nAll,
    observed: g.residuals.nObs,
    parameters: d.dynamical?.refinedParameters ?? d.kinematical?.parameters.length,
    maxShiftOverSu: d.dynamical?.maxShiftOverSu ?? d.kinematical?.maxShiftOverSu,
  };
}
