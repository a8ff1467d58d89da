import type { Map3 } from "../core/frames.js";
import { isPositiveAdp } from "../geometry/adp.js";
import { degrees } from "../geometry/rotation.js";
import { correlationMatrix } from "../numerics/covariance.js";
import type { BlockNormal } from "./dynamical-normal.js";
import type { Column, Passes } from "./dynamical-pass.js";
import { type FrameState, modelOf, type SetState } from "./dynamical-state.js";
import type { DynamicalCycle, DynamicalOptions, DynamicalResult, DynamicalStage, RefinedFrame } from "./dynamical-types.js";
import { mergedResiduals, type Residuals, residuals } from "./residuals.js";

const used = (f: FrameState): boolean => f.reason === undefined && f.scale > 0;
/** All rows that count, on the scale of each frame. */
function listOf(sets: readonly SetState[]) {
  const rows = sets.flatMap((s) =>
    s.frames.filter(used).flatMap((f) =>
      Array.from(f.f.keys())
        .filter((i) => !f.outlier[i] && f.root[i]! > 0)
        .map((i) => ({ f, i })),
    ),
  );
  const take = (of: (f: FrameState, i: number) => number): Float64Array => Float64Array.from(rows, ({ f, i }) => of(f, i));
  return {
    hkl: Int32Array.from(rows.flatMap(({ f, i }) => [f.data.hkl[3 * i]!, f.data.hkl[3 * i + 1]!, f.data.hkl[3 * i + 2]!])),
    relative: {
      measured: take((f, i) => f.data.intensity[i]! / f.scale ** 2),
      sigma: take((f, i) => f.data.sigma[i]! / f.scale ** 2),
      calculated: take((f, i) => f.intensity[i]!),
    },
    list: {
      measured: take((f, i) => f.data.intensity[i]!),
      sigma: take((f, i) => f.data.sigma[i]!),
      calculated: take((f, i) => f.intensity[i]! * f.scale ** 2),
    },
  };
}

/** Figures of all rows that count, and GoF². */
export function overallResiduals(sets: readonly SetState[], parameters: number): { readonly residuals: Residuals; readonly gof2: number } {
  const r = residuals(listOf(sets).list, { parameters });
  return { residuals: r, gof2: r.gofAll > 0 ? r.gofAll ** 2 : 1 };
}

interface End {
  readonly normal: BlockNormal;
  readonly columns: readonly Column[];
  readonly stage: DynamicalStage;
  readonly covariance: { readonly common: Float64Array; readonly private: readonly Float64Array[] };
  readonly status: DynamicalResult["status"];
  readonly history: readonly DynamicalCycle[];
  readonly shiftOverSu: number;
  readonly warnings: string[];
  readonly restraints: readonly number[];
}
const suffix = (p: Passes, set: number): string => (p.sets.length === 1 ? "" : ` ${p.sets[set]!.data.name ?? set + 1}`);
const words = { thickness: "thickness", tiltCorrection: "tilt correction", mosaicity: "mosaicity" } as const;

/** Everything a caller wants to know at the end. */
export function dynamicalResult(p: Passes, q: Float64Array, end: End, options: DynamicalOptions): DynamicalResult {
  const { model, sets } = p;
  const { columns, covariance } = end,
    m = columns.length;
  const refined = m + end.normal.blocks.reduce((s, b) => s + b.size, 0);
  const { list, relative, hkl } = listOf(sets);
  const all = residuals(list, { ...options, parameters: refined });
  const gof2 = all.gofAll > 0 ? all.gofAll ** 2 : 1;
  const scaled = covariance.common.map((v) => v * gof2);
  const names = columns.map((c) => (c.kind === "structure" ? model.names[c.index]! : words[c.name] + suffix(p, c.set)));
  const su = names.map((_, i) => Math.sqrt(scaled[i * m + i]!));
  const undetermined = names.filter((_, i) => !Number.isFinite(su[i]!));
  if (undetermined.length > 0) end.warnings.push(`the data do not determine ${undetermined.join(", ")}`);
  const values = columns.map((c) => (c.kind === "structure" ? q[c.index]! : (sets[c.set]!.instrument[c.name] ?? Number.NaN)));
  const structure = model.structureAt(q, rawSu(p, q, columns, scaled));
  for (const a of structure.atoms)
    if (a.uAniso ? !isPositiveAdp(structure.cell, a.uAniso) : a.uIso < 0)
      end.warnings.push(`the displacement parameters of ${a.label} are not positive definite after the refinement`);
  let block = 0;
  const frames = sets.flatMap((s, set) =>
    s.frames.map((f): RefinedFrame => {
      const v = f.reason === undefined ? covariance.private[block++]! : undefined;
      const error = (i: number): number => (v && v.length > i ? Math.sqrt(v[i]! * gof2) : Number.NaN);
      const turn = turnBetween(f.data.ub, f.ub);
      const ok = used(f);
      const calculated = ok ? f.intensity.map((x) => x * f.scale ** 2) : new Float64Array(f.f.length).fill(Number.NaN);
      const keep = (i: number): boolean => !f.outlier[i] && f.root[i]! > 0;
      return {
        set,
        id: f.data.id,
        status: ok ? "refined" : "excluded",
        reason: ok ? undefined : (f.reason ?? "no reflection is excited in the model: orientation, gMax or sMax"),
        scale: f.scale,
        scaleSu: error(0),
        turnDeg: [degrees(turn[0]), degrees(turn[1])],
        turnSuDeg: [degrees(error(1)), degrees(error(2))],
        residuals: ok ? residuals({ measured: f.data.intensity, sigma: f.data.sigma, calculated }, { ...options, keep }) : undefined,
        frame: { ...f.data, ub: f.ub },
        calculated,
      };
    }),
  );
  const r = correlationMatrix(scaled);
  const pairs: { first: string; second: string; value: number }[] = [];
  for (let i = 0; i < m; i++)
    for (let j = 0; j < i; j++)
      if (Math.abs(r[i * m + j]!) >= 0.5) pairs.push({ first: names[j]!, second: names[i]!, value: r[i * m + j]! });
  pairs.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return {
    status: end.status,
    structure,
    models: sets.map((s) => modelOf(s.data, s.instrument)),
    parameters: names.map((name, i) => ({ name, value: values[i]!, su: su[i]! })),
    covariance: scaled,
    correlations: pairs,
    residuals: all,
    merged: mergedResiduals(structure.spaceGroup, hkl, mergeScale(sets, relative), options),
    frames,
    refinedParameters: refined,
    maxShiftOverSu: end.shiftOverSu,
    cycles: end.history.length,
    history: end.history,
    restraints: end.restraints,
    constraints: model.constraints,
    outliers: sets.reduce((n, s) => n + s.frames.reduce((k, f) => k + f.outlier.reduce((a, b) => a + b, 0), 0), 0),
    warnings: [...new Set(end.warnings)],
  };
}

/** Frames on one scale, that of the mean frame, before they are merged. */
function mergeScale(sets: readonly SetState[], list: { measured: Float64Array; sigma: Float64Array; calculated: Float64Array }) {
  const scales = sets.flatMap((s) => s.frames.filter(used).map((f) => f.scale ** 2));
  const mean = scales.reduce((a, b) => a + b, 0) / Math.max(1, scales.length);
  const by = (x: Float64Array): Float64Array => x.map((v) => v * mean);
  return { measured: by(list.measured), sigma: by(list.sigma), calculated: by(list.calculated) };
}

function rawSu(p: Passes, q: Float64Array, columns: readonly Column[], covariance: Float64Array): Float64Array {
  const map = p.model.derivatives(q),
    m = columns.length;
  const place = new Int32Array(p.model.names.length).fill(-1);
  columns.forEach((c, i) => {
    if (c.kind === "structure") place[c.index] = i;
  });
  return Float64Array.from({ length: p.model.raw.parameters.length }, (_, i) => {
    let v = 0;
    for (let a = map.start[i]!; a < map.start[i + 1]!; a++)
      for (let b = map.start[i]!; b < map.start[i + 1]!; b++) {
        const x = place[map.column[a]!]!,
          y = place[map.column[b]!]!;
        if (x >= 0 && y >= 0) v += map.value[a]! * map.value[b]! * covariance[x * m + y]!;
      }
    return v > 0 ? Math.sqrt(v) : 0;
  });
}

/** Turn about lab x and y (small angles) that takes one UB to another. */
function turnBetween(from: Map3<"lab", "hkl">, to: Map3<"lab", "hkl">): readonly [number, number] {
  // Σ over columns of a × b = (sum of |a|² − a aᵀ) ω for small ω.
  const n = [0, 0, 0];
  const s = new Float64Array(9);
  for (let c = 0; c < 3; c++) {
    const a = [from[c as 0]!, from[(3 + c) as 0]!, from[(6 + c) as 0]!],
      b = [to[c as 0]!, to[(3 + c) as 0]!, to[(6 + c) as 0]!];
    n[0]! += a[1]! * b[2]! - a[2]! * b[1]!;
    n[1]! += a[2]! * b[0]! - a[0]! * b[2]!;
    n[2]! += a[0]! * b[1]! - a[1]! * b[0]!;
    const aa = a[0]! ** 2 + a[1]! ** 2 + a[2]! ** 2;
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) s[3 * i + j]! += (i === j ? aa : 0) - a[i]! * a[j]!;
  }
  const det3 = (m: ArrayLike<number>): number =>
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) - m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) + m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!);
  const det = det3(s);
  if (!(Math.abs(det) > 0)) return [Number.NaN, Number.NaN];
  const solve = (k: number): number => det3(s.map((v, i) => (i % 3 === k ? n[Math.floor(i / 3)]! : v))) / det;
  return [solve(0), solve(1)];
}
