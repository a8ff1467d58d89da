// What the kinematical refinement says: a record for --json, and lines to read.
import type { differenceMapOf, KinematicResult } from "../src/refine/index.js";
import { formatSu } from "../src/render/index.js";

export interface KinematicRun {
  readonly structurePath: string;
  readonly dataPath: string;
  readonly result: KinematicResult;
  readonly map: ReturnType<typeof differenceMapOf>;
  readonly restraints: number;
  readonly seconds: number;
  /** To the structure before a perturbation, Å. */
  readonly rmsd: number | undefined;
  readonly notes: readonly string[];
}
const su = (v: number, u: number): string => (u > 0 && Number.isFinite(u) ? formatSu(v, u) : v.toFixed(5));

/** The run as plain data. */
export function kinematicRecord(run: KinematicRun) {
  const {
    result: r,
    map: { noise, peaks },
  } = run;
  const { structure: q, residuals: residual, status, cycles, maxShiftOverSu, history, parameters, correlations, constraints, outliers } = r;
  const atoms = q.atoms.map((a) => ({
    label: a.label,
    element: a.element,
    xyz: a.xyz,
    occupancy: a.occupancy,
    uIso: a.uIso,
    uAniso: a.uAniso,
    su: a.su,
  }));
  return {
    structure: run.structurePath,
    data: run.dataPath,
    status,
    residuals: residual,
    cycles,
    maxShiftOverSu,
    seconds: run.seconds,
    history,
    parameters,
    atoms,
    correlations: correlations.slice(0, 20),
    constraints,
    restraints: r.restraints,
    outliers,
    rmsdToInput: run.rmsd,
    differenceMap: {
      minVolt: noise.min,
      maxVolt: noise.max,
      rmsVolt: noise.rms,
      maxElectronPerAngstrom: noise.maxElectronPerAngstrom,
      minElectronPerAngstrom: noise.minElectronPerAngstrom,
      sigmaVolt: noise.gaussian.sigma,
      level3SigmaVolt: noise.level,
      peaks,
    },
    warnings: [...new Set(run.notes)],
  };
}

/** The run as lines of text. */
export function kinematicLines(run: KinematicRun): string[] {
  const {
      result: r,
      map: { noise, peaks },
    } = run,
    lines: string[] = [];
  const f = r.residuals;
  lines.push(
    `${r.structure.spaceGroup.hm}, ${r.structure.atoms.length} atoms, ${f.nAll} reflections (${f.nObs} observed), ${r.parameters.length} parameters, ${run.restraints} restraints`,
  );
  lines.push(`${r.status} after ${r.cycles} cycles, ${run.seconds.toFixed(1)} s; largest shift/s.u. ${r.maxShiftOverSu.toExponential(1)}`);
  for (const h of r.history) lines.push(`  ${h.stage.padEnd(22)} wR ${(100 * h.wrAll).toFixed(2)} %  ${h.cycles || ""}`);
  lines.push(
    `R(obs) ${(100 * f.rObs).toFixed(2)} %  R(all) ${(100 * f.rAll).toFixed(2)} %  wR(obs) ${(100 * f.wrObs).toFixed(2)} %  wR(all) ${(100 * f.wrAll).toFixed(2)} %  GoF ${f.gofAll.toFixed(3)}`,
  );
  for (const p of r.parameters.slice(r.parameters.findIndex((x) => x.name.startsWith("scale"))))
    lines.push(`${p.name.padEnd(11)} ${su(p.value, p.su)}`);
  for (const a of r.structure.atoms) {
    const xyz = a.xyz.map((v, i) => su(v, a.su!.xyz[i as 0]).padStart(12)).join("");
    lines.push(
      `${a.label.padEnd(6)}${xyz}  U ${a.uIso.toFixed(4)}${a.uAniso ? " aniso" : ""}${a.occupancy < 1 ? `  occupancy ${su(a.occupancy, a.su!.occupancy)}` : ""}`,
    );
  }
  lines.push(
    `difference map ${noise.min.toFixed(2)} … ${noise.max.toFixed(2)} V (${noise.minElectronPerAngstrom.toFixed(3)} … ${noise.maxElectronPerAngstrom.toFixed(3)} e/Å), 3 sigma ${noise.level.toFixed(2)} V`,
  );
  for (const p of peaks.slice(0, 3))
    lines.push(
      `  ${p.height.toFixed(2)} V (${p.overSigma.toFixed(1)} sigma) at ${p.xyz.map((v) => v.toFixed(3)).join(" ")}, ${p.distance.toFixed(2)} Å from ${p.nearest}`,
    );
  for (const c of r.correlations.slice(0, 5)) lines.push(`correlation ${c.value.toFixed(2)}  ${c.first}, ${c.second}`);
  for (const c of r.constraints) lines.push(`constraint: ${c}`);
  if (run.rmsd !== undefined) lines.push(`RMSD to the structure before the perturbation: ${run.rmsd.toFixed(4)} Å`);
  for (const n of new Set(run.notes)) lines.push(`note: ${n}`);
  return lines;
}
