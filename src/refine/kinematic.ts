import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import { isPositiveAdp } from "../geometry/adp.js";
import { dStar } from "../geometry/metric.js";
import type { Structure } from "../geometry/structure.js";
import { correlationMatrix } from "../numerics/covariance.js";
import { leastSquaresSteps } from "../numerics/least-squares.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { amplitudes, type WeightOptions } from "./amplitudes.js";
import { extinctionDerivatives, extinctionGeometry, extinctionY } from "./extinction.js";
import { type ModelOptions, type StructureModel, structureModel } from "./model.js";
import { type Residuals, residuals } from "./residuals.js";
import { type Restraint, restraintSet } from "./restraints.js";
import { type StructureFactorKernel, structureFactorKernel } from "./structure-gradient.js";

/** One set of measured intensities (or F²) on one scale. */
export interface KinematicData {
  readonly name?: string | undefined;
  /** Shape [n, 3]. */
  readonly hkl: Int32Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
}
export interface KinematicOptions extends WeightOptions {
  /** What of the structure is refined; see {@link ModelOptions}. */
  readonly model?: ModelOptions | undefined;
  /** Form factors; by default peng1996, neutral whatever the charge. */
  readonly factors?: FormFactorSource | undefined;
  /** SHELXL's extinction with this wavelength, Å; without it none is refined. */
  readonly extinction?: { readonly wavelength: number; readonly start?: number | undefined } | undefined;
  readonly restraints?: readonly Restraint[] | undefined;
  /** Skip reflections with |Fo − Fc| > this · σ(F) in a stage, as decided at its start (default none). */
  readonly outlierSigma?: number | undefined;
  /** First the coordinates alone to these spacings (Å), then everything. Default: straight to everything. */
  readonly positionsTo?: readonly number[] | undefined;
  /**
   * Refine everything on F² before F (default true). |F| has a kink where F passes through zero, so weak reflections hold signs and phases
   * fast; F² lets them pass, and fewer starts end in a false minimum (decision 141). The result is always the minimum on F.
   */
  readonly intensityStage?: boolean | undefined;
  readonly maxCycles?: number | undefined;
}
export interface RefinedParameter {
  readonly name: string;
  readonly value: number;
  readonly su: number;
}
export interface KinematicResult {
  /** "converged" when the last full step would move no parameter by more than 0.05 of its s.u. */
  readonly status: "converged" | "max-iterations" | "stalled";
  /** With standard uncertainties; constrained values carry those of what they follow. */
  readonly structure: Structure;
  /** Free parameters: of the structure, then scales (on F) and extinction. */
  readonly parameters: readonly RefinedParameter[];
  /** Covariance of the free parameters, scaled by GoF² (all), shape [n, n]. */
  readonly covariance: Float64Array;
  /** Largest correlations (|r| ≥ 0.5), strongest first. */
  readonly correlations: readonly { readonly first: string; readonly second: string; readonly value: number }[];
  readonly residuals: Residuals;
  /** F² on the scale of the data of each set, extinction included, in the order of its reflections. */
  readonly calculated: readonly Float64Array[];
  /** Complex F (Å, no extinction, no scale) of each set, interleaved. */
  readonly structureFactors: readonly Float64Array[];
  /** k·y that turns |F| (Å) into the scale of the data, shape [n] for each set. */
  readonly factors: readonly Float64Array[];
  readonly maxShiftOverSu: number;
  readonly cycles: number;
  /** wR(all) at the start and after every stage. */
  readonly history: readonly { readonly stage: string; readonly wrAll: number; readonly cycles: number }[];
  /** (value − target)/σ of every restraint row. */
  readonly restraints: readonly number[];
  readonly constraints: readonly string[];
  readonly outliers: number;
  readonly warnings: readonly string[];
}

interface StageResult {
  readonly x: Float64Array;
  readonly status: KinematicResult["status"];
  readonly iterations: number;
  readonly covariance: Float64Array;
  readonly sigma: Float64Array;
  readonly gradient: Float64Array;
  readonly atBound: readonly number[];
}
interface SetState {
  readonly kernel: StructureFactorKernel;
  readonly f: Float64Array;
  readonly root: Float64Array;
  /** √w of F²: 1/√(σ²(I) + (2uI)²). */
  readonly rootI: Float64Array;
  readonly geometry: Float64Array;
  readonly g: Float64Array;
  readonly data: KinematicData;
}

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
    result = yield* solveStage(q, fixed, keep, stage.square, stage.all ? (options.maxCycles ?? 60) : 25);
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

  function* solveStage(
    from: Float64Array,
    fixed: readonly number[],
    roots: readonly Float64Array[],
    square: boolean,
    maxIterations: number,
  ): Steps<StageResult> {
    let reflections = 0;
    const place = roots.map((r) => Int32Array.from(r, (w) => (w > 0 ? reflections++ : -1)));
    const count = reflections + restrained.count;
    const free = Array.from({ length: size }, (_, i) => i).filter((i) => !fixed.includes(i));
    const nf = free.length;
    const slot = new Int32Array(size).fill(-1);
    free.forEach((i, k) => {
      slot[i] = k;
    });
    const full = from.slice();
    const spread = (p: Float64Array): Float64Array => {
      free.forEach((i, k) => {
        full[i] = p[k]!;
      });
      return full;
    };
    const residualsInto = (p: Float64Array, out: Float64Array): void => {
      const v = spread(p),
        x = model.rawAt(v),
        ext = extinct ? v[size - 1]! : 0;
      sets.forEach((s, k) => {
        const f = s.kernel.values(x);
        for (let i = 0; i < s.f.length; i++) {
          const row = place[k]![i]!;
          if (row < 0) continue;
          const f2 = f[2 * i]! ** 2 + f[2 * i + 1]! ** 2;
          const fc = v[nq + k]! * (extinct ? extinctionY(ext, f2, s.geometry[i]!) : 1) * Math.sqrt(f2);
          out[row] = roots[k]![i]! * (square ? fc * fc - s.data.intensity[i]! : fc - s.f[i]!);
        }
      });
      restrained.rows(x).forEach((r, i) => {
        out[reflections + i] = r.residual;
      });
    };
    const jacobianInto = (p: Float64Array, out: Float64Array): void => {
      out.fill(0);
      const v = spread(p),
        x = model.rawAt(v),
        d = model.derivatives(v),
        ext = extinct ? v[size - 1]! : 0;
      sets.forEach((s, k) => {
        const scale = v[nq + k]!;
        s.kernel.gradients(x, (i, re, im, dRe, dIm) => {
          const row = place[k]![i]!;
          if (row < 0) return;
          const base = row * nf,
            f2 = re * re + im * im,
            f = Math.sqrt(f2);
          const e = extinct ? extinctionDerivatives(ext, f2, s.geometry[i]!) : { byF: 1, byX: 0 };
          const y = extinct ? extinctionY(ext, f2, s.geometry[i]!) : 1;
          const w = roots[k]![i]! * (square ? 2 * scale * y * f : 1);
          if (slot[nq + k]! >= 0) out[base + slot[nq + k]!] = w * y * f;
          if (extinct && slot[size - 1]! >= 0) out[base + slot[size - 1]!] = w * scale * e.byX;
          if (f < 1e-12) return;
          const cr = (w * scale * e.byF * re) / f,
            ci = (w * scale * e.byF * im) / f;
          for (let j = 0; j < dRe.length; j++) {
            const t = cr * dRe[j]! + ci * dIm[j]!;
            for (let a = d.start[j]!; a < d.start[j + 1]!; a++) {
              const c = slot[d.column[a]!]!;
              if (c >= 0) out[base + c]! += t * d.value[a]!;
            }
          }
        });
      });
      restrained.rows(x).forEach((r, i) => {
        const base = (reflections + i) * nf;
        for (const [j, t] of r.terms)
          for (let a = d.start[j]!; a < d.start[j + 1]!; a++) {
            const c = slot[d.column[a]!]!;
            if (c >= 0) out[base + c]! += t * d.value[a]!;
          }
      });
    };
    const bound = (b: Float64Array, other: number): Float64Array => Float64Array.from(free, (i) => (i < nq ? b[i]! : other));
    const lower = bound(model.lower, Number.NEGATIVE_INFINITY);
    if (extinct && slot[size - 1]! >= 0) lower[slot[size - 1]!] = 0;
    const solved = yield* leastSquaresSteps({
      residuals: residualsInto,
      jacobian: jacobianInto,
      count,
      start: Float64Array.from(free, (i) => from[i]!),
      lower,
      upper: bound(model.upper, Number.POSITIVE_INFINITY),
      maxIterations,
      costTolerance: square ? 1e-5 : 1e-9,
      covarianceScale: "none",
    });
    const covariance = new Float64Array(size * size),
      sigma = new Float64Array(size);
    free.forEach((i, a) => {
      sigma[i] = solved.sigma[a]!;
      free.forEach((j, b) => {
        covariance[i * size + j] = solved.covariance[a * nf + b]!;
      });
    });
    // Jᵀr at the end, for the step that a further cycle would make.
    const jac = new Float64Array(count * nf),
      gradient = new Float64Array(size);
    jacobianInto(solved.x, jac);
    for (let r = 0; r < count; r++) for (let k = 0; k < nf; k++) gradient[free[k]!]! += jac[r * nf + k]! * solved.residuals[r]!;
    return {
      x: spread(solved.x).slice(),
      status: solved.status,
      iterations: solved.iterations,
      covariance,
      sigma,
      gradient,
      atBound: solved.atBound.map((k) => free[k]!),
    };
  }
}
/** {@link refineKinematicSteps} run to its end. */
export function refineKinematic(
  given: Structure,
  data: KinematicData | readonly KinematicData[],
  options: KinematicOptions = {},
): KinematicResult {
  return runSync(refineKinematicSteps(given, data, options));
}

function setState(model: StructureModel, data: KinematicData, options: KinematicOptions, warnings: string[], index: number): SetState {
  const n = data.intensity.length;
  if (data.hkl.length !== 3 * n) fail("bad-shape", { hkl: data.hkl.length, intensity: n }, "hkl holds three numbers per intensity");
  const a = amplitudes(data.intensity, data.sigma, options);
  if (a.excluded.length > 0) {
    const i = a.excluded[0]!;
    warnings.push(
      `${a.excluded.length} reflections of set ${index + 1} have no positive sigma and are left out, the first ${data.hkl.slice(3 * i, 3 * i + 3).join(" ")}`,
    );
  }
  const { cell } = model.raw.structure;
  const g = Float64Array.from({ length: n }, (_, i) => dStar(cell, [data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!]));
  const u = options.instability ?? 0.01;
  const lambda = options.extinction?.wavelength ?? 0;
  return {
    kernel: structureFactorKernel(model.raw, data.hkl, options.factors ?? ignoreCharge(peng1996)),
    f: a.f,
    root: a.weight.map(Math.sqrt),
    rootI: a.weight.map((w, i) => (w > 0 ? 1 / Math.hypot(data.sigma[i]!, 2 * u * data.intensity[i]!) : 0)),
    geometry: g.map((v) => (lambda > 0 ? extinctionGeometry(lambda, v) : 0)),
    g,
    data,
  };
}
/** The scale that makes Σw(Fo − kF)² least. */
function startScale(s: SetState, raw: Float64Array): number {
  const f = s.kernel.values(raw);
  let cross = 0,
    square = 0;
  for (let i = 0; i < s.f.length; i++) {
    const w = s.root[i]! ** 2,
      fc = Math.hypot(f[2 * i]!, f[2 * i + 1]!);
    cross += w * s.f[i]! * fc;
    square += w * fc * fc;
  }
  return square > 0 && cross > 0 ? cross / square : 1;
}
function calculatedOf(
  s: SetState,
  raw: Float64Array,
  scale: number,
  x: number,
): { readonly f2: Float64Array; readonly factor: Float64Array } {
  const f = s.kernel.values(raw);
  const f2 = new Float64Array(s.f.length),
    factor = new Float64Array(s.f.length);
  for (let i = 0; i < f2.length; i++) {
    const own = f[2 * i]! ** 2 + f[2 * i + 1]! ** 2;
    factor[i] = scale * extinctionY(x, own, s.geometry[i]!);
    f2[i] = factor[i]! ** 2 * own;
  }
  return { f2, factor };
}
function wrOf(sets: readonly SetState[], model: StructureModel, q: Float64Array, nq: number, extinct: boolean): number {
  const raw = model.rawAt(q);
  let miss = 0,
    sum = 0;
  sets.forEach((s, k) => {
    const c = calculatedOf(s, raw, q[nq + k]!, extinct ? q.at(-1)! : 0).f2;
    for (let i = 0; i < c.length; i++) {
      miss += (s.root[i]! * (s.f[i]! - Math.sqrt(c[i]!))) ** 2;
      sum += (s.root[i]! * s.f[i]!) ** 2;
    }
  });
  return Math.sqrt(miss / sum);
}
function dropOutliers(
  sets: readonly SetState[],
  keep: readonly Float64Array[],
  model: StructureModel,
  q: Float64Array,
  nq: number,
  extinct: boolean,
  limit: number,
): number {
  const raw = model.rawAt(q);
  let n = 0;
  sets.forEach((s, k) => {
    const c = calculatedOf(s, raw, q[nq + k]!, extinct ? q.at(-1)! : 0).f2;
    const a = amplitudes(s.data.intensity, s.data.sigma);
    for (let i = 0; i < c.length; i++)
      if (keep[k]![i]! > 0 && Math.abs(s.f[i]! - Math.sqrt(c[i]!)) > limit * a.sigma[i]!) {
        keep[k]![i] = 0;
        n++;
      }
  });
  return n;
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
