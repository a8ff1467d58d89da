import type { PullResult } from "../bloch/pull-plan.js";
import { denseKernels } from "../kernels/dense.js";
import type { Arena } from "../kernels/memory.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import type { SparseRows, StructureModel } from "./model.js";
import { structureFactorKernel } from "./structure-gradient.js";

/** Coefficients at once: bounds the memory of ∂W/∂p. */
const CHUNK = 2048;

/** The structure at some values of its parameters, for the chain ∂I/∂p = Re Σ conj(u_k) ∂W_k/∂p. */
export interface ChainPoint {
  readonly model: StructureModel;
  readonly raw: Float64Array;
  readonly map: SparseRows;
  readonly factors: FormFactorSource;
  /** W = this · F, Å⁻³. */
  readonly scale: number;
}

/**
 * Rows dI/dp, shape [seeds, free + 1], from the gradients of each row in the space of the coefficients. W_−k = conj(W_k), so mates are folded
 * first. The last column is Re Σ conj(u_k) W_k: what a common factor of all W does, hence the thickness with the directions' own part.
 * @param free - columns wanted, of the model's free parameters
 */
export function chainRows(result: PullResult, at: ChainPoint, free: readonly number[], arena: Arena): Float64Array {
  const { u, hkl } = result;
  const size = hkl.length / 3,
    seeds = u.length / (2 * size),
    columns = free.length + 1;
  const used = reached(u, size, seeds);
  const dense = denseKernels(arena);
  const most = Math.min(CHUNK, used.length);
  const out = new Float64Array(seeds * columns);
  if (most === 0) return out;
  const pU = arena.alloc(16 * seeds * most),
    pD = arena.alloc(16 * most * columns),
    pJ = arena.alloc(8 * seeds * columns);
  try {
    arena.f64(pJ, seeds * columns).fill(0);
    for (let first = 0; first < used.length; first += CHUNK) {
      const part = used.slice(first, first + CHUNK),
        width = 2 * part.length;
      const folded = arena.f64(pU, seeds * width);
      for (let r = 0; r < seeds; r++) {
        const from = 2 * r * size;
        for (let i = 0; i < part.length; i++) {
          const k = from + 2 * part[i]!,
            m = from + 2 * (size - 1 - part[i]!);
          folded[r * width + 2 * i] = u[k]! + u[m]!;
          folded[r * width + 2 * i + 1] = u[k + 1]! - u[m + 1]!;
        }
      }
      fillDerivatives(arena.f64(pD, width * columns).fill(0), indices(hkl, part), at, free);
      dense.dgemm(seeds, columns, width, 1, pU, width, 1, pD, columns, 1, pJ, columns);
    }
    out.set(arena.f64(pJ, seeds * columns));
  } finally {
    for (const p of [pU, pD, pJ]) arena.free(p);
  }
  return out;
}

/**
 * Gradient with respect to the free parameters, and Re Σ conj(u_k) W_k, of one sum of gradients over the whole box, shape [free + 1].
 * @param hkl - indices of the box, in its order
 */
export function chainGradient(u: Float64Array, hkl: Int32Array, at: ChainPoint): { readonly free: Float64Array; readonly whole: number } {
  const size = hkl.length / 3;
  const used = reached(u, size, 1);
  const byRaw = new Float64Array(at.raw.length);
  let whole = 0;
  structureFactorKernel(at.model.raw, indices(hkl, used), at.factors).gradients(at.raw, (i, re, im, dRe, dIm) => {
    const k = 2 * used[i]!,
      m = 2 * (size - 1 - used[i]!);
    const ur = at.scale * (u[k]! + u[m]!),
      ui = at.scale * (u[k + 1]! - u[m + 1]!);
    whole += ur * re + ui * im;
    for (let j = 0; j < dRe.length; j++) byRaw[j]! += ur * dRe[j]! + ui * dIm[j]!;
  });
  const free = new Float64Array(at.model.names.length);
  for (let j = 0; j < byRaw.length; j++)
    for (let e = at.map.start[j]!; e < at.map.start[j + 1]!; e++) free[at.map.column[e]!]! += byRaw[j]! * at.map.value[e]!;
  return { free, whole };
}

/** Re Σ conj(u_k) W_k alone. */
export function chainWhole(u: Float64Array, table: Float64Array, real: boolean): number {
  let s = 0;
  if (real) for (let k = 0; k < table.length; k++) s += u[2 * k]! * table[k]!;
  else for (let k = 0; k < table.length; k++) s += u[k]! * table[k]!;
  return s;
}

/** Upper half of the coefficients (mates stand mirrored about 0 0 0) that any seed reaches. */
function reached(u: Float64Array, size: number, seeds: number): number[] {
  const used: number[] = [];
  for (let k = (size >> 1) + 1; k < size; k++) {
    const m = size - 1 - k;
    for (let r = 0; r < seeds; r++) {
      const at = 2 * r * size;
      if (u[at + 2 * k] !== 0 || u[at + 2 * m] !== 0 || u[at + 2 * k + 1] !== 0 || u[at + 2 * m + 1] !== 0) {
        used.push(k);
        break;
      }
    }
  }
  return used;
}
const indices = (hkl: Int32Array, list: readonly number[]): Int32Array => {
  const out = new Int32Array(3 * list.length);
  list.forEach((k, i) => {
    out.set(hkl.subarray(3 * k, 3 * k + 3), 3 * i);
  });
  return out;
};

function fillDerivatives(d: Float64Array, hkl: Int32Array, at: ChainPoint, free: readonly number[]): void {
  const columns = free.length + 1,
    { map, scale } = at;
  const column = new Int32Array(at.model.names.length).fill(-1);
  free.forEach((p, c) => {
    column[p] = c;
  });
  structureFactorKernel(at.model.raw, hkl, at.factors).gradients(at.raw, (row, re, im, dRe, dIm) => {
    const a = 2 * row * columns,
      b = a + columns;
    for (let j = 0; j < dRe.length; j++)
      for (let e = map.start[j]!; e < map.start[j + 1]!; e++) {
        const c = column[map.column[e]!]!;
        if (c < 0) continue;
        const v = map.value[e]! * scale;
        d[a + c]! += v * dRe[j]!;
        d[b + c]! += v * dIm[j]!;
      }
    d[a + columns - 1] = scale * re;
    d[b + columns - 1] = scale * im;
  });
}
