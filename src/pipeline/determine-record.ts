import { formula } from "../geometry/structure.js";
import { voltPerElectronAngstrom } from "../refine/potential-map.js";
import type { Determination } from "./determine.js";

/** A part as a percentage; a dash where there is none. */
export const percent = (v: number, digits = 2): string => (Number.isFinite(v) ? `${(100 * v).toFixed(digits)} %` : "–");

/** What the z-score of the two hands says. */
export const handText = (z: number): string =>
  Math.abs(z) < 3
    ? `the data do not tell the hands apart (z = ${Math.abs(z).toFixed(1)})`
    : z > 0
      ? `the absolute structure is as solved, z = ${z.toFixed(1)}`
      : `the solution was the mirror image (z = ${(-z).toFixed(1)} for the other hand); it was inverted and refined again`;

/** A determination in lines for a terminal. */
export function determinationSummary(d: Determination): string[] {
  const lines: string[] = [];
  if (d.measured) {
    const { overall } = d.measured.merged.statistics;
    lines.push(
      `intensities ${overall.observations} of ${overall.unique} reflections to ${d.measured.integrated.dMin.toFixed(2)} Å, ${percent(overall.completeness, 0)} complete, Laue class ${d.measured.laue.laue}, R_int ${percent(overall.rInt, 1)}`,
    );
  }
  if (d.solution)
    lines.push(
      `solution    ${d.solution.status}: ${d.solution.structure.spaceGroup.hm}, ${formula(d.solution.structure)}, R1 ${percent(d.solution.r1, 1)}`,
    );
  if (d.kinematical)
    lines.push(`kinematical R ${percent(d.kinematical.residuals.rObs)} (obs), wR ${percent(d.kinematical.residuals.wrAll)} (all)`);
  if (d.dynamical) {
    const { residuals: r, merged, models } = d.dynamical,
      m = models[0]!;
    lines.push(
      `dynamical   R ${percent(r.rObs)} (obs), wR ${percent(r.wrAll)} (all), MR ${percent(merged.rObs)} (obs); ${m.thicknessModel.kind} of ${m.thickness.toFixed(0)} Å`,
    );
  }
  if (d.displacements)
    lines.push(`             displacements ${d.displacements.anisotropic ? "are tensors" : "stay isotropic"}: ${d.displacements.reason}`);
  if (d.hand && d.hand.hand !== "achiral") lines.push(`hand        ${handText(d.hand.z)}`);
  if (d.diagnosis) {
    const { statistics: s, outliers, rows } = d.diagnosis;
    lines.push(
      `difference  3σ ${(s.level / voltPerElectronAngstrom).toFixed(4)} e/Å, ${outliers.length} of ${rows.intensity.length} outside the band`,
    );
  }
  if (d.stopped) lines.push(`stopped     at ${d.stopped.step}: ${d.stopped.reason}`);
  return lines;
}

/** A determination as plain numbers for another program. */
export function determinationRecord(d: Determination): Record<string, unknown> {
  const { measured: m, solution, kinematical, dynamical, hand, profile, diagnosis: g, stopped } = d;
  return {
    stopped,
    intensities: m && {
      laue: m.laue.laue,
      resolution: m.integrated.dMin,
      ...m.merged.statistics.overall,
      rocking: { rcWidth: m.curves.rocking.rcWidth, mosaicityDeg: m.curves.rocking.mosaicityDeg },
      virtualFrames: { count: m.virtual.frames.length, ...m.virtualPlan },
    },
    solution: solution && {
      status: solution.status,
      spaceGroup: solution.structure.spaceGroup.hm,
      formula: formula(solution.structure),
      z: solution.z,
      r1: solution.r1,
    },
    kinematical: kinematical && { status: kinematical.status, residuals: kinematical.residuals, parameters: kinematical.parameters.length },
    dynamical: dynamical && {
      status: dynamical.status,
      residuals: dynamical.residuals,
      merged: dynamical.merged,
      parameters: dynamical.refinedParameters,
      thickness: dynamical.models[0]!.thickness,
      thicknessModel: dynamical.models[0]!.thicknessModel.kind,
    },
    displacements: d.displacements,
    thicknessDistribution: d.distribution && {
      thickness: [...d.distribution.thickness],
      weights: [...d.distribution.weights],
      mean: d.distribution.mean,
      wr: d.distribution.wr,
      wrOfModel: d.distribution.wrBefore,
    },
    thicknessProfile: profile && {
      thickness: [...profile.thickness],
      rObs: [...profile.rObs],
      wrAll: [...profile.wrAll],
      sigmaElectronPerAngstrom: [...profile.sigma].map((v) => v / voltPerElectronAngstrom),
      bestWr: profile.bestWr,
      bestSigma: profile.bestSigma,
    },
    hand: hand && { hand: hand.hand, z: hand.z },
    difference: g && {
      levelElectronPerAngstrom: g.statistics.level / voltPerElectronAngstrom,
      maxElectronPerAngstrom: g.statistics.maxElectronPerAngstrom,
      minElectronPerAngstrom: g.statistics.minElectronPerAngstrom,
      outliers: g.outliers.length,
      rows: g.rows.intensity.length,
      cubic: g.regression?.coefficients,
      rObservedLinearised: g.linearised?.rObs,
      peaks: g.peaks,
    },
    atoms: g?.structure.atoms.map((a) => ({
      label: a.label,
      element: a.element,
      xyz: a.xyz,
      occupancy: a.occupancy,
      uIso: a.uIso,
      uAniso: a.uAniso,
      su: a.su?.xyz,
    })),
  };
}
