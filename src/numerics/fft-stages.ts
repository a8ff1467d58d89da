import { type FftExports, type FftTables, fftWasm } from "../kernels/fft.js";
import type { Arena } from "../kernels/memory.js";

/** One export of the FFT family with its arguments. */
export interface Call {
  readonly name: keyof FftExports;
  readonly args: readonly number[];
}
/** Transform along one axis of an array seen as [outer, n, inner]. */
export interface Stage {
  readonly name: "rows_f32" | "rows_f64" | "cols_f32" | "cols_f64";
  readonly outer: number;
  readonly inner: number;
  /** Independent pieces of work per outer index: 1 for rows, batches of neighbouring columns otherwise. */
  readonly units: number;
  readonly stride: number;
  readonly tables: FftTables;
}

/** Stages in the order they run: the fastest axis first. Axes of length 1 need none, unless nothing else would apply the scale. */
export function stagesOf(
  shape: readonly number[],
  axes: readonly number[],
  real: "f32" | "f64",
  tables: (n: number) => FftTables,
): Stage[] {
  const size = (list: readonly number[]): number => list.reduce((p, n) => p * n, 1);
  const csize = real === "f32" ? 8 : 16;
  const needed = axes.filter((a) => shape[a]! > 1);
  return [...(needed.length ? needed : axes.slice(0, 1))].reverse().map((axis) => {
    const n = shape[axis]!,
      inner = size(shape.slice(axis + 1)),
      t = tables(n);
    return {
      name: `${inner === 1 ? "rows" : "cols"}_${real}`,
      outer: size(shape.slice(0, axis)),
      inner,
      units: inner === 1 ? 1 : Math.ceil((inner * csize) / t.batchBytes),
      stride: n * csize,
      tables: t,
    };
  });
}

export function stageCall(s: Stage, lo: number, hi: number, at: number, scratch: number, inverse: number, scale: number): Call {
  const { d } = s.tables;
  const args =
    s.inner === 1 ? [d, at, s.stride, at, s.stride, lo, hi, scratch, inverse, scale] : [d, at, s.inner, lo, hi, scratch, inverse, scale];
  return { name: s.name, args };
}
/** The same, run at once in this thread. */
export function callWith(arena: Arena) {
  const e = arena.family<FftExports>(fftWasm);
  return (s: Stage, lo: number, hi: number, at: number, scratch: number, inverse: number, scale: number): void => {
    const { d } = s.tables;
    if (s.inner === 1) e[s.name as "rows_f32"](d, at, s.stride, at, s.stride, lo, hi, scratch, inverse, scale);
    else e[s.name as "cols_f32"](d, at, s.inner, lo, hi, scratch, inverse, scale);
  };
}

/**
 * Visit units lo … hi of every stage so that each slab passes through all its stages before the next slab begins:
 * for [nz, ny, nx] the rows and columns of one z, then of the next, and at the end the z axis.
 */
export function walk(
  stages: readonly Stage[],
  visit: (s: Stage, lo: number, hi: number, last: boolean) => void,
  from = 0,
  to = stages.at(-1)?.outer ?? 0,
): void {
  const step = (k: number, lo: number, hi: number): void => {
    const s = stages[k]!,
      last = k === stages.length - 1;
    if (k === 0) return visit(s, lo * s.units, hi * s.units, last);
    const ratio = stages[k - 1]!.outer / s.outer;
    for (let o = lo; o < hi; o++) {
      step(k - 1, o * ratio, (o + 1) * ratio);
      visit(s, o * s.units, (o + 1) * s.units, last);
    }
  };
  if (stages.length && from < to) step(stages.length - 1, from, to);
}
