import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import { isPositiveAdp } from "../geometry/adp.js";
import type { Structure } from "../geometry/structure.js";
import { correlationMatrix } from "../numerics/covariance.js";
import { calculatedOf, dropOutliers, setState, startScale, wrOf } from "./kinematic-set.js";
import { type StageResult, solveStage } from "./kinematic-stage.js";
import type { KinematicData, KinematicOptions, KinematicResult } from "./kinematic-types.js";
import { structureModel } from "./model.js";
import { residuals } from "./residuals.js";
import { restraintSet } from "./restraints.js";

/**
 * Kinematical least squares on F: minimise Σ w (Fo − k y |F|)² + Σ ((value − target)/σ)² with w = 1/(σ²(F) + (uF)²) over the free parameters
 * of the structure, one scale per set and the extinction coefficient; analytic derivatives, Levenberg–Marquardt.
 * Standard uncertainties are those of the inverse normal matrix times GoF².
 * @throws bad-shape, bad-value when nothing is left to refine against, and what the model throws
 */
export function* refineKinematicSteps(
  given: Structure,
  data: KinematicData | readonly KinematicData[],
  options: KinematicOptions = {},
): Steps<KinematicResult> {
  const list = Array.isArray(data) ? (data as readonly KinematicData[]) : [data as KinematicData];
  const model = structureModel(given, options.model);
  const warnings = [...model.warnings];
  const sets = list.map((d, i) => setState(model, d, options, warnings, i));
  const extinct = options.extinction;
  const restrained = restraintSet(model.raw, options.restraints ?? []);
  const nq = model.names.length,
    ns = sets.length;
  const size = nq + ns + (extinct ? 1 : 0);
  const names = [
    ...model.names,
    ...sets.map((_, i) => (ns === 1 ? "scale" : `scale ${list[i]!.name ?? i + 1}`)),
    ...(extinct ? ["extinction"] : []),
  ];

  const q = new Float64Array(size);
  q.set(model.start);
  if (extinct) q[size - 1] = extinct.start ?? 0;
  sets.forEach((s, i) => {
    q[nq + i] = startScale(s, model.rawAt(q));
  });
  const weighted = sets.map((s) => s.root.reduce((m, w) => m + Number(w > 0), 0)).reduce((a, b) => a + b, 0);
  if (weighted <= nq + ns)
    fail("bad-value", { reflections: weighted, parameters: size }, "fewer reflections with a positive σ than parameters");

  const history: { stage: string; wrAll: number; cycles: number }[] = [
    { stage: "start", wrAll: wrOf(sets, model, q, nq, extinct !== undefined), cycles: 0 },
  ];
  const positional = new Set(model.names.map((n, i) => (/\.(x|y|z)$|^group /.test(n) ? i : -1)));
  let cycles = 0,
    result: StageResult | undefined,
    outliers = 0;
  const stages = [
    ...(options.positionsTo ?? []).map((d) => ({ name: `coordinates on F to ${d} Å`, d, all: false, square: false })),
    ...((options.intensityStage ?? true) ? [{ name: "all on F²", d: 0, all: true, square: true }] : []),
    { name: "all on F", d: 0, all: true, square: false },
  ];
  for (const stage of stages) {
    const fixed = stage.all
      ? []
      : model.names
          .map((_, i) => i)
          .filter((i) => !positional.has(i))
          .concat(extinct ? [size - 1] : []);
    const keep = sets.map((s) => (stage.square ? s.rootI : s.root).map((w, i) => (stage.d > 0 && s.g[i]! > 1 / stage.d ? 0 : w)));
    outliers = options.outlierSigma ? dropOutliers(sets, keep, model, q, nq, extinct !== undefined, options.outlierSigma) : 0;
    result = yield* solveStage(
      { model, sets, nq, size, extinct: extinct !== undefined, restrained },
      q,
      fixed,
      keep,
      stage.square,
      stage.all ? (options.maxCycles ?? 60) : 25,
    );
    q.set(result.x);
    cycles += result.iterations;
    history.push({
      stage: stage.name,
      wrAll: wrOf(sets, model, q, nq, extinct !== undefined),
      cycles: result.iterations,
    });
  }
  const last = result!;

  // Covariance: inverse of JᵀJ (weights as they are), scaled by the goodness of fit of the reflections.
  const raw = model.rawAt(q);
  const calculated = sets.map((s, i) => calculatedOf(s, raw, q[nq + i]!, extinct ? q[size - 1]! : 0));
  const all = residuals(
    {
      measured: concat(sets.map((s) => s.data.intensity)),
      sigma: concat(sets.map((s) => s.data.sigma)),
      calculated: concat(calculated.map((c) => c.f2)),
    },
    { ...options, parameters: size },
  );
  const scale2 = all.gofAll > 0 ? all.gofAll ** 2 : 1;
  const covariance = last.covariance.map((c) => c * scale2);
  const su = last.sigma.map((s) => s * Math.sqrt(scale2));
  const undetermined = names.filter((_, i) => !Number.isFinite(su[i]!));
  if (undetermined.length > 0) warnings.push(`the data do not determine ${undetermined.join(", ")}`);
  const rows = model.derivatives(q);
  const rawSu = new Float64Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    let v = 0;
    for (let a = rows.start[i]!; a < rows.start[i + 1]!; a++)
      for (let b = rows.start[i]!; b < rows.start[i + 1]!; b++)
        v += rows.value[a]! * rows.value[b]! * covariance[rows.column[a]! * size + rows.column[b]!]!;
    rawSu[i] = Math.sqrt(Math.max(0, v));
  }
  const structure = model.structureAt(q, rawSu);
  for (const a of structure.atoms) {
    if (a.uAniso ? !isPositiveAdp(structure.cell, a.uAniso) : a.uIso < 0)
      warnings.push(`the displacement parameters of ${a.label} are not positive definite after the refinement`);
  }
  if (all.rObs > 0.45)
    warnings.push(
      `R(obs) is ${(100 * all.rObs).toFixed(0)} %: the model does not describe these data; compare axes and setting (the model is in ${structure.spaceGroup.hm}, ${structure.cell}), origin and missing atoms`,
    );
  const shift = lastShift(last, size);
  let maxShiftOverSu = 0;
  for (let i = 0; i < size; i++)
    if (su[i]! > 0 && Number.isFinite(su[i]!)) maxShiftOverSu = Math.max(maxShiftOverSu, Math.abs(shift[i]! / su[i]!));
  const correlation = correlationMatrix(covariance);
  const pairs: { first: string; second: string; value: number }[] = [];
  for (let i = 0; i < size; i++)
    for (let j = 0; j < i; j++) {
      const value = correlation[i * size + j]!;
      if (Math.abs(value) >= 0.5 && Number.isFinite(value)) pairs.push({ first: names[j]!, second: names[i]!, value });
    }
  pairs.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return {
    status: maxShiftOverSu < 0.05 ? "converged" : last.status === "converged" ? "stalled" : last.status,
    structure,
    parameters: names.map((name, i) => ({ name, value: q[i]!, su: su[i]! })),
    covariance,
    correlations: pairs,
    residuals: all,
    calculated: calculated.map((c) => c.f2),
    structureFactors: sets.map((s) => s.kernel.values(raw)),
    factors: calculated.map((c) => c.factor),
    maxShiftOverSu,
    cycles,
    history,
    restraints: restrained.rows(raw).map((r) => r.residual),
    constraints: model.constraints,
    outliers,
    warnings,
  };
}
/** {@link refineKinematicSteps} run to its end. */
export function refineKinematic(
  given: Structure,
  data: KinematicData | readonly KinematicData[],
  options: KinematicOptions = {},
): KinematicResult {
  return runSync(refineKinematicSteps(given, data, options));
}

/** −(JᵀJ)⁻¹Jᵀr of the free parameters that are not on a bound. */
function lastShift(
  s: { readonly covariance: Float64Array; readonly gradient: Float64Array; readonly atBound: readonly number[] },
  size: number,
): Float64Array {
  const out = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    if (s.atBound.includes(i)) continue;
    for (let j = 0; j < size; j++) out[i]! -= s.covariance[i * size + j]! * s.gradient[j]!;
  }
  return out;
}
const concat = (parts: readonly Float64Array[]): Float64Array => Float64Array.from(parts.flatMap((p) => [...p]));
