import { asuReflections } from "../geometry/asu.js";
import type { Structure } from "../geometry/structure.js";
import { formatSu } from "../io/number.js";
import type { HandResult } from "./dynamical-hand.js";
import type { DynamicalStart } from "./dynamical-scan.js";
import { bestOfCurve } from "./dynamical-thickness-grid.js";
import type { DynamicalResult, RefinedFrameData } from "./dynamical-types.js";
import { refineKinematic } from "./kinematic.js";
import type { KinematicOptions } from "./kinematic-types.js";
import { mergePairs, type Residuals } from "./residuals.js";

const percent = (v: number): string => `${(100 * v).toFixed(2)} %`;
const su = (v: number, u: number): string => (u > 0 && Number.isFinite(u) ? formatSu(v, u) : String(+v.toPrecision(6)));

/**
 * Kinematical least squares against the same reflections, frames merged as they are: what one would have without dynamical theory. Frames
 * hold parts of rocking curves, so its R is worse than that of properly integrated data. Undefined when there is too little for a fit.
 */
export function kinematicalResiduals(
  s: Structure,
  frames: readonly RefinedFrameData[],
  options: KinematicOptions = {},
): Residuals | undefined {
  const used = frames.filter((f) => f.problem === undefined);
  const hkl = Int32Array.from(used.flatMap((f) => [...f.hkl]));
  const measured = Float64Array.from(used.flatMap((f) => [...f.intensity])),
    sigma = Float64Array.from(used.flatMap((f) => [...f.sigma]));
  try {
    asuReflections(s.spaceGroup, hkl, true);
    const m = mergePairs(s.spaceGroup, hkl, { measured, sigma, calculated: measured });
    return refineKinematic(s, { hkl: m.hkl, intensity: m.measured, sigma: m.sigma }, options).residuals;
  } catch {
    return undefined;
  }
}

export interface ReportExtras {
  readonly start?: DynamicalStart | undefined;
  readonly hand?: HandResult | undefined;
  readonly kinematical?: Residuals | undefined;
  readonly notes?: readonly string[] | undefined;
}
const handOf = (h: HandResult) => ({
  hand: h.hand,
  z: h.z,
  nearerGiven: h.nearerA,
  total: h.total,
  rGiven: h.rA,
  rInverted: h.rB,
  wrGiven: h.wrA,
  wrInverted: h.wrB,
});

/** A result as plain JSON. */
export function dynamicalReport(r: DynamicalResult, extras: ReportExtras = {}) {
  const { start, hand, kinematical, notes = r.warnings } = extras;
  return {
    status: r.status,
    residuals: r.residuals,
    merged: r.merged,
    kinematical,
    refinedParameters: r.refinedParameters,
    cycles: r.cycles,
    maxShiftOverSu: r.maxShiftOverSu,
    models: r.models,
    parameters: r.parameters,
    cell: r.structure.cell,
    spaceGroup: r.structure.spaceGroup.hm,
    atoms: r.structure.atoms.map(({ label, element, xyz, occupancy, uIso, uAniso, su: u }) => ({
      label,
      element,
      xyz,
      occupancy,
      uIso,
      uAniso,
      su: u,
    })),
    frames: r.frames.map(({ id, set, status, reason, scale, scaleSu, turnDeg, turnSuDeg, residuals }) => ({
      id,
      set,
      status,
      reason,
      scale,
      scaleSu,
      turnDeg,
      turnSuDeg,
      residuals,
    })),
    correlations: r.correlations.slice(0, 20),
    constraints: r.constraints,
    restraints: r.restraints,
    outliers: r.outliers,
    history: r.history,
    scan: start?.scans.map((s) => ({
      model: s.model,
      tiltCorrection: s.tiltCorrection,
      thickness: s.thickness,
      wr: s.wr,
      frames: s.frames,
      tried: s.curves.map(bestOfCurve),
    })),
    startOrientations: start?.orientations,
    absoluteStructure: hand && handOf(hand),
    warnings: [...new Set(notes)],
  };
}

/** What the last scan made of every shape, best first. */
function shapesTried(start: DynamicalStart | undefined): string[] {
  const scan = start?.scans.at(-1);
  if (!scan) return [];
  const each = scan.curves.map(bestOfCurve).sort((p, q) => p.wr - q.wr);
  const text = each.map(
    (b) => `${b.model.kind} ${b.thickness.toFixed(0)} Å${b.tiltCorrection ? ` C ${b.tiltCorrection}` : ""} wR ${percent(b.wr)}`,
  );
  return [`thickness scan: ${text.join(", ")}`];
}

/** A result for people, line by line. */
export function describeDynamical(r: DynamicalResult, { start, hand, kinematical }: ReportExtras = {}): string[] {
  const { residuals: a, merged: m } = r;
  const fitted = r.frames.filter((f) => f.status === "refined");
  return [
    `${r.status} after ${r.cycles} cycles, largest shift/s.u. ${r.maxShiftOverSu.toPrecision(2)}; ${fitted.length} of ${r.frames.length} frames, ${a.nAll} reflections (${a.nObs} observed), ${r.refinedParameters} parameters${r.outliers ? `, ${r.outliers} outliers left out` : ""}`,
    `R(obs) ${percent(a.rObs)}  R(all) ${percent(a.rAll)}  wR(obs) ${percent(a.wrObs)}  wR(all) ${percent(a.wrAll)}  GoF ${a.gofAll.toFixed(3)}`,
    `merged: MR(obs) ${percent(m.rObs)}  MR(all) ${percent(m.rAll)}  MwR(all) ${percent(m.wrAll)}  ${m.nObs}/${m.nAll}`,
    ...(kinematical
      ? [`kinematical, the same frames merged: R(obs) ${percent(kinematical.rObs)}  wR(all) ${percent(kinematical.wrAll)}`]
      : []),
    ...(hand ? [`hand: ${hand.hand}, z ${hand.z.toFixed(1)}; R(all) ${percent(hand.rA)} as given, ${percent(hand.rB)} inverted`] : []),
    ...shapesTried(start),
    ...r.models.map(
      (x, i) => `${r.models.length > 1 ? `set ${i + 1}: ` : ""}${x.thicknessModel.kind}, gmax ${x.gMax.toFixed(2)}, sgmax ${x.sMax}`,
    ),
    ...r.parameters.filter((p) => /^(thickness|tilt|mosaicity)/.test(p.name)).map((p) => `${p.name} ${su(p.value, p.su)}`),
    ...r.structure.atoms.map(
      (x) =>
        `${x.label.padEnd(6)}${x.xyz.map((v, i) => su(v, x.su?.xyz[i as 0] ?? Number.NaN).padStart(13)).join("")}  U ${x.uIso.toFixed(4)}${x.uAniso ? " aniso" : ""}${x.occupancy < 1 ? `  occupancy ${x.occupancy.toFixed(3)}` : ""}`,
    ),
    ...r.correlations.slice(0, 5).map((c) => `correlation ${c.value.toFixed(2)}  ${c.first}, ${c.second}`),
    ...r.constraints.map((c) => `constraint: ${c}`),
  ];
}
