import { sweepPool } from "../bloch/integrate-pool.js";
import { fail } from "../core/errors.js";
import type { Structure } from "../geometry/structure.js";
import { arena } from "../kernels/memory.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { checkpointOf, restore } from "./dynamical-checkpoint.js";
import { instrumentEquations, instrumentsAlone } from "./dynamical-instrument.js";
import { type BlockNormal, type BlockSolution, blockCovariance, solveBlocks } from "./dynamical-normal.js";
import { type Column, chiOf, columnsOf, evaluate, exactGradient, normalEquations, type Passes } from "./dynamical-pass.js";
import { dynamicalResult, overallResiduals } from "./dynamical-result.js";
import { prepareDynamical } from "./dynamical-start.js";
import { bestScale, type SetState, setStates } from "./dynamical-state.js";
import { keep, lengthening, scaledStep, settleTurns, takeStep, turnsBefore } from "./dynamical-step.js";
import type { DynamicalCycle, DynamicalData, DynamicalOptions, DynamicalResult, DynamicalStage } from "./dynamical-types.js";
import { structureModel } from "./model.js";
import { restraintSet } from "./restraints.js";

const REFUSALS = 3;

/**
 * The usual way: thickness (with tilt correction and mosaicity where they are refined) and scales, then orientations, then everything.
 * @param refine - orientations default true, tilt correction false; mosaicity where the model has one
 */
export function dynamicalStages(
  refine: {
    readonly orientations?: boolean | undefined;
    readonly tiltCorrection?: boolean | undefined;
    readonly mosaicity?: boolean | undefined;
  } = {},
): DynamicalStage[] {
  const { orientations = true, tiltCorrection = false, mosaicity = true } = refine;
  const instrument = { thickness: true, tiltCorrection, mosaicity };
  return [
    { name: "scales and thickness", ...instrument, gradient: "rows", maxCycles: 4 },
    ...(orientations ? [{ name: "orientations", ...instrument, orientations, gradient: "rows" as const, maxCycles: 3 }] : []),
    { name: "all", ...instrument, orientations, structure: true, maxCycles: 20 },
  ];
}

/**
 * Dynamical least squares on F: minimise Σ w (Fo − k_f √⟨|ψ|²⟩)² + Σ ((value − target)/σ)², w = 1/(σ²(F) + (uF)²), over the structure, the
 * thickness, tilt correction and mosaicity of every set, and two turns of every frame; the scales k_f of the frames are at their best values
 * throughout (variable projection). Gauss–Newton with Levenberg's damping; the normal equations are summed frame by frame.
 * Standard uncertainties are those of the inverse normal matrix times GoF². The same bits for any number of workers.
 * @throws the signal's reason within a second of an abort; bad-cell, bad-value, bad-shape, out-of-range for input that makes no sense
 * @see Palatinus, Petříček & Corrêa (2015) Acta Cryst. A71, 235; Golub & Pereyra (1973) SIAM J. Numer. Anal. 10, 413
 */
export async function refineDynamical(
  given: Structure,
  data: DynamicalData | readonly DynamicalData[],
  options: DynamicalOptions = {},
): Promise<DynamicalResult> {
  const warnings: string[] = [];
  const list = Array.isArray(data) ? (data as readonly DynamicalData[]) : [data as DynamicalData];
  const structure = prepareDynamical(given, list, warnings);
  const model = structureModel(structure, options.model);
  warnings.push(...model.warnings);
  const sets = setStates(model, list, options, warnings);
  const own = options.on || options.workers === 1 ? undefined : await sweepPool({ workers: options.workers });
  const passes: Passes = {
    model,
    sets,
    factors: options.factors ?? ignoreCharge(peng1996),
    run: { on: options.on ?? own, signal: options.signal },
    scratch: arena(),
    rows: options.rows ?? {},
    tell: (p) => options.onProgress?.(p),
  };
  try {
    return await run(passes, options, warnings);
  } finally {
    await own?.pool.close();
  }
}

async function run(p: Passes, options: DynamicalOptions, warnings: string[]): Promise<DynamicalResult> {
  const { model, sets } = p;
  const stages = options.stages ?? dynamicalStages();
  if (stages.length === 0) fail("bad-value", { stages: 0 }, "name one stage at least");
  const tolerance = options.tolerance ?? 0.1;
  const restrained = restraintSet(model.raw, options.restraints ?? []);
  let q: Float64Array = Float64Array.from(model.start);
  let from = { stage: 0, cycle: 0, ended: false, damping: 1e-3 };
  const history: DynamicalCycle[] = [];
  if (options.resume) {
    const r = restore(options.resume, model, sets);
    q = r.q;
    from = r.from;
    history.push(...r.history);
  }
  /** χ² with restraints at q, instruments and orientations as they are. */
  const chiAt = async (at: Float64Array, note: string): Promise<number> =>
    (await evaluate(p, at, note)) + restrained.rows(model.rawAt(at)).reduce((sum, r) => sum + r.residual ** 2, 0);
  let chi2 = await chiAt(q, "intensities");
  nameExcluded(sets as SetState[], warnings);
  let damping = from.damping,
    shiftOverSu = history.at(-1)?.maxShiftOverSu ?? Number.POSITIVE_INFINITY,
    status: DynamicalResult["status"] = options.resume?.status ?? "max-iterations",
    last: { normal: BlockNormal; columns: readonly Column[]; stage: DynamicalStage } | undefined,
    done: DynamicalStage | undefined;
  const restraintRows = (at: Float64Array): number => restrained.rows(model.rawAt(at)).reduce((sum, r) => sum + r.residual ** 2, 0);
  /** Equations at q; `exact` puts the gradient of the whole model on their right side. */
  const equations = async (stage: DynamicalStage, exact: boolean) => {
    const columns = columnsOf(p, stage);
    const whole = instrumentsAlone(stage);
    const normal = whole ? await instrumentEquations(p, q, columns, exact) : await normalEquations(p, q, stage, columns);
    if (exact && !whole) await exactGradient(p, q, stage, columns, normal);
    addRestraints(normal, columns, p, q, restrained);
    return { normal, columns, stage };
  };
  for (let s = from.stage; s < stages.length; s++) {
    const stage = stages[s]!,
      most = stage.maxCycles ?? 20;
    const resumed = options.resume !== undefined && s === from.stage;
    // More parameters than reflections: the stage would mean nothing. What the ones before found is kept.
    const usedFrames = sets.flatMap((x) => x.frames.filter((f) => f.reason === undefined));
    const reflections = usedFrames.reduce((n, f) => n + f.root.reduce((k, w, i) => k + Number(w > 0 && !f.outlier[i]), 0), 0);
    const parameters = columnsOf(p, stage).length + usedFrames.length * (stage.orientations ? 3 : 1);
    if (reflections <= parameters) {
      warnings.push(
        `stage "${stage.name}" is left out: ${reflections} reflections for ${parameters} parameters; add frames, or refine less`,
      );
      continue;
    }
    done = stage;
    if (resumed && from.ended) continue;
    if (!resumed) {
      damping = 1e-3;
      status = "max-iterations";
      if (options.outlierSigma && stage.structure) {
        markOutliers(sets, options.outlierSigma);
        chi2 = restraintRows(q);
        for (const f of sets.flatMap((x) => x.frames)) {
          f.scale = bestScale(f);
          if (f.reason === undefined) chi2 += chiOf(f);
        }
      }
    }
    let near = resumed && (options.resume?.near ?? false);
    for (let cycle = resumed ? from.cycle : 0; cycle < most; cycle++) {
      const exact = stage.gradient === "exact" || (stage.gradient !== "rows" && near);
      last = await equations(stage, exact);
      const { normal, columns } = last;
      const { gof2 } = overallResiduals(sets, columns.length + privateCount(normal));
      shiftOverSu = largestShift(normal, solveBlocks(normal, 0), gof2);
      let gain = 0;
      for (let attempt = 0; attempt < REFUSALS && gain === 0; attempt++) {
        const step = solveBlocks(normal, damping);
        const putBack = keep(sets),
          before = turnsBefore(p);
        let next = takeStep(p, q, columns, stage, step);
        const note = `${stage.name}, cycle ${cycle + 1}`;
        let chi = await chiAt(next, note);
        if (stage.orientations) chi += await settleTurns(p, next, before, normal, step, note);
        const longer = chi < chi2 ? lengthening(normal, step, chi2, chi) : 1;
        if (longer > 1) {
          const short = keep(sets);
          putBack();
          const further = takeStep(p, q, columns, stage, scaledStep(step, longer));
          const reached = await chiAt(further, note);
          if (reached < chi) {
            next = further;
            chi = reached;
          } else short();
        }
        if (chi < chi2) {
          gain = (chi2 - chi) / chi2;
          q = next;
          chi2 = chi;
          damping = Math.max(1e-7, damping / 6);
          last = undefined;
        } else {
          putBack();
          damping *= 10;
          // A step this small that does not help is below what the cut of the beams lets one see.
          if (shiftOverSu < tolerance) break;
        }
      }
      const r = overallResiduals(sets, 0).residuals;
      history.push({ stage: stage.name, cycle: cycle + 1, rObs: r.rObs, wrAll: r.wrAll, chi2, damping, maxShiftOverSu: shiftOverSu });
      status = shiftOverSu < tolerance || (gain > 0 && gain < 1e-5) ? "converged" : gain === 0 ? "stalled" : "max-iterations";
      // Nothing ends before the gradient of the whole model has been seen.
      const more = stage.gradient === undefined && !exact;
      if (more) {
        near = status !== "max-iterations" || shiftOverSu < 1;
        status = "max-iterations";
      }
      const ended = status !== "max-iterations" || cycle + 1 >= most;
      options.onCheckpoint?.(checkpointOf(p, { stage: s, cycle: cycle + 1, ended, status, near, damping, q, history }));
      p.tell({
        done: cycle + 1,
        total: most,
        note: `${stage.name}, cycle ${cycle + 1}: R(obs) ${(100 * r.rObs).toFixed(2)} %, wR ${(100 * r.wrAll).toFixed(2)} %`,
      });
      if (ended) break;
    }
  }
  if (!done)
    return fail("bad-value", { stages: stages.map((s) => s.name) }, `no stage has more reflections than parameters: ${warnings.at(-1)}`);
  // Standard uncertainties belong to the final parameters.
  last ??= await equations(done, false);
  const end = { ...last, covariance: blockCovariance(last.normal), status, history, shiftOverSu, warnings };
  return dynamicalResult(p, q, { ...end, restraints: restrained.rows(model.rawAt(q)).map((r) => r.residual) }, options);
}

const privateCount = (n: BlockNormal): number => n.blocks.reduce((s, b) => s + b.size, 0);

/** Largest |shift|/s.u. of the common columns, for an undamped step. */
function largestShift(normal: BlockNormal, step: BlockSolution, gof2: number): number {
  const c = blockCovariance(normal).common,
    m = normal.common;
  let most = 0;
  for (let i = 0; i < m; i++) {
    const v = c[i * m + i]! * gof2;
    if (v > 0) most = Math.max(most, Math.abs(step.common[i]!) / Math.sqrt(v));
  }
  return most;
}

function addRestraints(
  normal: BlockNormal,
  columns: readonly Column[],
  p: Passes,
  q: Float64Array,
  set: ReturnType<typeof restraintSet>,
): void {
  if (set.count === 0) return;
  const map = p.model.derivatives(q),
    m = normal.common;
  const place = new Int32Array(p.model.names.length).fill(-1);
  columns.forEach((c, i) => {
    if (c.kind === "structure") place[c.index] = i;
  });
  for (const { residual, terms } of set.rows(p.model.rawAt(q))) {
    const row = new Float64Array(m);
    for (const [j, t] of terms)
      for (let e = map.start[j]!; e < map.start[j + 1]!; e++) {
        const c = place[map.column[e]!]!;
        if (c >= 0) row[c]! += t * map.value[e]!;
      }
    for (let i = 0; i < m; i++) {
      if (row[i] === 0) continue;
      normal.b[i]! -= row[i]! * residual;
      for (let j = 0; j <= i; j++) normal.a[i * m + j]! += row[i]! * row[j]!;
    }
  }
}

/** A frame without a scale is left out, and named. */
function nameExcluded(sets: SetState[], warnings: string[]): void {
  for (const s of sets) {
    s.frames.forEach((f, i) => {
      if (f.reason === undefined && !(f.scale > 0))
        s.frames[i] = { ...f, reason: "no reflection is excited in the model: orientation, gMax or sMax" };
    });
    for (const f of s.frames) if (f.reason !== undefined) warnings.push(`frame ${f.data.id} is left out: ${f.reason}`);
  }
  if (sets.every((s) => s.frames.every((f) => f.reason !== undefined)))
    fail(
      "bad-value",
      { frames: sets.reduce((n, s) => n + s.frames.length, 0) },
      "no frame can be compared with the model: see the orientation, gMax and the filter",
    );
}

function markOutliers(sets: readonly SetState[], limit: number): void {
  for (const f of sets.flatMap((s) => s.frames)) {
    if (f.reason !== undefined || !(f.scale > 0)) continue;
    for (let i = 0; i < f.f.length; i++)
      f.outlier[i] = f.root[i]! > 0 && Math.abs(f.f[i]! - f.scale * Math.sqrt(Math.max(0, f.intensity[i]!))) > limit * f.sigmaF[i]! ? 1 : 0;
  }
}
