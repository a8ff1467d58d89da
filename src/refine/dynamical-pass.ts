import { type SweepRun, sweepAll } from "../bloch/integrate.js";
import { pullAll } from "../bloch/pull.js";
import type { PullProblem } from "../bloch/pull-plan.js";
import type { Progress } from "../core/job.js";
import type { Arena } from "../kernels/memory.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { type ChainPoint, chainGradient, chainRows, chainWhole } from "./dynamical-chain.js";
import { addFrame, type BlockNormal, blockNormal } from "./dynamical-normal.js";
import { bestScale, type FrameState, potentialOf, pullOf, type SetState, sweepOf, thicknessSlopes } from "./dynamical-state.js";
import type { DynamicalStage, RowModel } from "./dynamical-types.js";
import type { StructureModel } from "./model.js";

/** Rows in one kernel problem: bounds the memory of their gradients. */
const ROWS = 128;
const instruments = ["thickness", "tiltCorrection", "mosaicity"] as const;
export type InstrumentName = (typeof instruments)[number];
/** A common column: a free parameter of the structure, or one of a set's instrument. */
export type Column =
  | { readonly kind: "structure"; readonly index: number }
  | { readonly kind: "instrument"; readonly set: number; readonly name: InstrumentName };

/** What the passes over all frames share. */
export interface Passes {
  readonly model: StructureModel;
  readonly sets: readonly SetState[];
  readonly factors: FormFactorSource;
  readonly run: SweepRun;
  readonly scratch: Arena;
  readonly rows: RowModel;
  readonly tell: (p: Progress) => void;
}

/** Columns that a stage refines. */
export function columnsOf(p: Passes, stage: DynamicalStage): Column[] {
  const { structure = false } = stage;
  const q =
    structure === false
      ? []
      : p.model.names.flatMap((n, index) => (structure === true || structure.test(n) ? [{ kind: "structure", index } as const] : []));
  const own = p.sets.flatMap((s, set) =>
    instruments.flatMap((name) =>
      (stage[name] ?? false) && (name !== "mosaicity" || s.instrument.mosaicity !== null) && s.frames.some((f) => f.reason === undefined)
        ? [{ kind: "instrument", set, name } as const]
        : [],
    ),
  );
  return [...q, ...own];
}

/** Frames that count. */
export const usable = (s: SetState): FrameState[] => s.frames.filter((f) => f.reason === undefined);

/** Intensities and best scales of all frames, or of some of them; their Σ w (Fo − kFc)². */
export async function evaluate(p: Passes, q: ArrayLike<number>, note: string, some?: ReadonlySet<FrameState>): Promise<number> {
  let chi2 = 0;
  const wanted = (s: SetState): FrameState[] => usable(s).filter((f) => some?.has(f) ?? true);
  const total = p.sets.reduce((n, s) => n + wanted(s).length, 0);
  let before = 0;
  for (const s of p.sets) {
    const frames = wanted(s);
    if (frames.length === 0) continue;
    const potential = potentialOf(p.model, q, s.data, p.factors);
    const done = before;
    const results = await sweepAll(
      frames.map((f) => sweepOf(s, f, potential)),
      { ...p.run, onProgress: (n) => p.tell({ done: done + n, total, note }) },
    );
    frames.forEach((f, i) => {
      f.intensity = results[i]!.intensity;
      f.scale = bestScale(f);
    });
    before += frames.length;
    for (const f of frames) chi2 += chiOf(f);
  }
  return chi2;
}
/** Σ w (Fo − kFc)² of one frame; without a scale, Σ w Fo². */
export function chiOf(f: FrameState): number {
  let chi = 0;
  const k = Number.isFinite(f.scale) ? f.scale : 0;
  for (let i = 0; i < f.f.length; i++)
    if (!f.outlier[i]) chi += (f.root[i]! * (f.f[i]! - k * Math.sqrt(Math.max(0, f.intensity[i]!)))) ** 2;
  return chi;
}

/**
 * Normal equations from the rows of a smaller matrix, frame by frame: private columns are the scale and, where wanted, two turns. The right
 * side is that of the rows; `exactGradient` replaces it.
 */
export async function normalEquations(
  p: Passes,
  q: ArrayLike<number>,
  stage: DynamicalStage,
  columns: readonly Column[],
): Promise<BlockNormal> {
  const normal = blockNormal(columns.length);
  const free = columns.flatMap((c) => (c.kind === "structure" ? [c.index] : []));
  const at = pointOf(p, q);
  const turns = stage.orientations ?? false;
  const total = p.sets.reduce((n, s) => n + usable(s).length, 0);
  let before = 0;
  for (const [set, s] of p.sets.entries()) {
    const frames = usable(s);
    if (frames.length === 0) continue;
    const potential = potentialOf(p.model, q, s.data, p.factors);
    const point: ChainPoint = { ...at, scale: potential.scale };
    const own = columns.map((c) => (c.kind === "instrument" && c.set === set ? c.name : undefined));
    const spread = own.includes("mosaicity");
    const sMax = p.rows.sMax ?? rowLimit(s);
    const parts = frames.flatMap((f) => {
      const n = f.data.intensity.length,
        pieces = Math.max(1, Math.ceil(n / ROWS));
      return Array.from({ length: pieces }, (_, j) => ({
        f,
        from: Math.floor((j * n) / pieces),
        to: Math.floor(((j + 1) * n) / pieces),
        last: j === pieces - 1,
      }));
    });
    const m = columns.length,
      width = turns ? 3 : 1;
    let jc = new Float64Array(0),
      jp = new Float64Array(0);
    const problems: PullProblem[] = parts.map(({ f, from, to }) =>
      pullOf(s, f, potential, "rows", { turns, mosaicity: spread, sMax, window: p.rows.window ?? 0.5 * sMax, rows: [from, to] }),
    );
    const done = before;
    await pullAll(
      problems,
      (r, i) => {
        const { f, from, to, last } = parts[i]!;
        const n = f.f.length;
        if (from === 0) {
          jc = new Float64Array(n * m);
          jp = new Float64Array(n * width);
        }
        const rows = chainRows(r, point, free, p.scratch);
        const stride = free.length + 1,
          nd = problems[i]!.tangents.length / (3 * problems[i]!.directions.size) + 1;
        const [byT, byC] = thicknessSlopes(s.instrument, f.data.alphaDeg);
        for (let j = from; j < to; j++) {
          const w = f.root[j]!,
            I = f.intensity[j]!;
          if (!(w > 0) || f.outlier[j] || !(I > 0) || !(f.scale > 0)) continue;
          jp[j * width] = w * Math.sqrt(I);
          const row = r.rowOf[j - from]!;
          if (row < 0) continue;
          // dF = dI/2F with both from the small matrix; a weak row that it hardly sees takes the whole model's F.
          const c = (w * f.scale) / (2 * Math.sqrt(Math.max(r.intensity[j - from]!, 0.1 * I)));
          let a = 0;
          const logT = rows[row * stride + stride - 1]! + r.parameters[row * nd + nd - 1]!;
          for (let k = 0; k < m; k++) {
            const name = own[k];
            if (columns[k]!.kind === "structure") jc[j * m + k] = c * rows[row * stride + a++]!;
            else if (name === "thickness") jc[j * m + k] = c * logT * byT;
            else if (name === "tiltCorrection") jc[j * m + k] = c * logT * byC;
            else if (name === "mosaicity" && nd - 1 > (turns ? 2 : 0)) jc[j * m + k] = c * r.parameters[row * nd + (turns ? 2 : 0)]!;
          }
          if (turns) for (let t = 0; t < 2; t++) jp[j * width + 1 + t] = c * r.parameters[row * nd + t]!;
        }
        if (!last) return;
        const residual = Float64Array.from({ length: n }, (_, j) =>
          f.outlier[j] || !(f.scale > 0) ? 0 : f.root[j]! * (f.f[j]! - f.scale * Math.sqrt(Math.max(0, f.intensity[j]!))),
        );
        addFrame(normal, jc, jp, width, residual);
      },
      { ...p.run, onProgress: (k) => p.tell({ done: done + Math.floor((k * frames.length) / parts.length), total, note: "derivatives" }) },
    );
    before += frames.length;
  }
  return normal;
}

/** |Sg| limit of the small matrix: a few widths of a rocking curve, 1/t, between 0.3 and 0.6 of the model's limit. */
function rowLimit(s: SetState): number {
  const { sMax } = s.data.model;
  return Math.max(0.3 * sMax, Math.min(0.6 * sMax, 7 / s.instrument.thickness));
}

/** Put the exact gradient of the whole model on the right side: one adjoint pass. Frames in the order of {@link normalEquations}. */
export async function exactGradient(
  p: Passes,
  q: ArrayLike<number>,
  stage: DynamicalStage,
  columns: readonly Column[],
  normal: BlockNormal,
): Promise<void> {
  normal.b.fill(0);
  const at = pointOf(p, q);
  const turns = stage.orientations ?? false;
  const structural = columns.some((c) => c.kind === "structure");
  const total = p.sets.reduce((n, s) => n + usable(s).length, 0);
  let before = 0;
  for (const [set, s] of p.sets.entries()) {
    const frames = usable(s);
    if (frames.length === 0) continue;
    const potential = potentialOf(p.model, q, s.data, p.factors);
    const own = columns.map((c) => (c.kind === "instrument" && c.set === set ? c.name : undefined));
    const spread = own.includes("mosaicity");
    const problems = frames.map((f) => pullOf(s, f, potential, "gradient", { turns, mosaicity: spread, seed: seedOf(f) }));
    let sum = new Float64Array(0),
      hkl = new Int32Array(0);
    const first = before;
    await pullAll(
      problems,
      (r, i) => {
        const f = frames[i]!;
        if (sum.length === 0) {
          sum = new Float64Array(r.u.length);
          hkl = r.hkl as Int32Array<ArrayBuffer>;
        }
        for (let k = 0; k < sum.length; k++) sum[k]! += r.u[k]!;
        const [byT, byC] = thicknessSlopes(s.instrument, f.data.alphaDeg);
        const logT = chainWhole(r.u, potential.table, potential.real) + r.parameters[r.parameters.length - 1]!;
        own.forEach((name, c) => {
          if (name === "thickness") normal.b[c]! -= 0.5 * logT * byT;
          else if (name === "tiltCorrection") normal.b[c]! -= 0.5 * logT * byC;
          else if (name === "mosaicity" && r.parameters.length > (turns ? 3 : 1)) normal.b[c]! -= 0.5 * r.parameters[turns ? 2 : 0]!;
        });
        if (turns) for (let t = 0; t < 2; t++) normal.blocks[first + i]!.e[1 + t] = -0.5 * r.parameters[t]!;
      },
      { ...p.run, onProgress: (n) => p.tell({ done: first + n, total, note: "gradient" }) },
    );
    before += frames.length;
    if (!structural) continue;
    const g = chainGradient(sum, hkl, { ...at, scale: potential.scale }).free;
    columns.forEach((c, k) => {
      if (c.kind === "structure") normal.b[k]! -= 0.5 * g[c.index]!;
    });
  }
}

/** dχ²/dI of every reflection, the scale at its best value. */
function seedOf(f: FrameState): Float64Array {
  return Float64Array.from(f.intensity, (I, i) => {
    const fc = Math.sqrt(Math.max(0, I));
    return f.outlier[i] || !(fc > 1e-12) || !(f.scale > 0) ? 0 : (-(f.root[i]! ** 2) * f.scale * (f.f[i]! - f.scale * fc)) / fc;
  });
}
const pointOf = (p: Passes, q: ArrayLike<number>): Omit<ChainPoint, "scale"> => ({
  model: p.model,
  raw: p.model.rawAt(q),
  map: p.model.derivatives(q),
  factors: p.factors,
});
