import { fail } from "../core/errors.js";
import { cholesky, choleskySolve } from "../numerics/cholesky.js";
import { matrix } from "../numerics/matrix.js";

/**
 * Normal equations with blocks that are private to a frame (its scale, its two turns) and common columns. Frames are added one after the
 * other, so memory does not grow with their number times the number of reflections; private blocks are eliminated (Schur).
 */
export interface BlockNormal {
  readonly common: number;
  /** JᵀWJ of the common columns, [common, common]. */
  readonly a: Float64Array;
  /** Jᵀ W r of the common columns. */
  readonly b: Float64Array;
  readonly blocks: FrameBlock[];
}
export interface FrameBlock {
  readonly size: number;
  /** [size, size] */
  readonly d: Float64Array;
  /** Coupling to the common columns, [size, common]. */
  readonly c: Float64Array;
  /** Jᵀ W r, [size]. */
  readonly e: Float64Array;
}

export const blockNormal = (common: number): BlockNormal => ({
  common,
  a: new Float64Array(common * common),
  b: new Float64Array(common),
  blocks: [],
});

/**
 * Add a frame.
 * @param jc - weighted rows of the common columns (√w dFc/dp), [rows, common]
 * @param jp - those of the private columns, [rows, size]
 * @param r - √w (Fo − Fc), [rows]
 */
export function addFrame(n: BlockNormal, jc: Float64Array, jp: Float64Array, size: number, r: Float64Array): FrameBlock {
  const { common: m, a, b } = n,
    rows = r.length;
  const block: FrameBlock = { size, d: new Float64Array(size * size), c: new Float64Array(size * m), e: new Float64Array(size) };
  for (let i = 0; i < rows; i++) {
    const at = i * m,
      pt = i * size;
    for (let p = 0; p < m; p++) {
      const x = jc[at + p]!;
      if (x === 0) continue;
      b[p]! += x * r[i]!;
      for (let s = 0; s <= p; s++) a[p * m + s]! += x * jc[at + s]!;
    }
    for (let p = 0; p < size; p++) {
      const x = jp[pt + p]!;
      block.e[p]! += x * r[i]!;
      for (let s = 0; s < size; s++) block.d[p * size + s]! += x * jp[pt + s]!;
      for (let s = 0; s < m; s++) block.c[p * m + s]! += x * jc[at + s]!;
    }
  }
  n.blocks.push(block);
  return block;
}

export interface BlockSolution {
  readonly common: Float64Array;
  readonly private: readonly Float64Array[];
}

/** Eliminate private blocks: S = A − Σ Cᵀ D⁻¹ C and its right side, with diagonals raised by (1 + damping). */
function reduce(n: BlockNormal, damping: number): { s: Float64Array; t: Float64Array; inverse: Float64Array[] } {
  const m = n.common;
  const s = new Float64Array(m * m),
    t = n.b.slice();
  for (let i = 0; i < m; i++) for (let j = 0; j <= i; j++) s[i * m + j] = n.a[i * m + j]! * (i === j ? 1 + damping : 1);
  const inverse = n.blocks.map((block) => {
    const inv = invert(block.d, block.size, damping);
    const k = block.size;
    const x = new Float64Array(k * m);
    for (let p = 0; p < k; p++)
      for (let q = 0; q < k; q++) {
        const f = inv[p * k + q]!;
        if (f !== 0) for (let c = 0; c < m; c++) x[p * m + c]! += f * block.c[q * m + c]!;
      }
    for (let p = 0; p < k; p++)
      for (let i = 0; i < m; i++) {
        const f = block.c[p * m + i]!;
        if (f === 0) continue;
        for (let j = 0; j <= i; j++) s[i * m + j]! -= f * x[p * m + j]!;
      }
    for (let p = 0; p < k; p++) for (let i = 0; i < m; i++) t[i]! -= x[p * m + i]! * block.e[p]!;
    return inv;
  });
  return { s, t, inverse };
}

/** Inverse of a small positive matrix; columns without information stay out (zeros). */
function invert(d: Float64Array, k: number, damping: number): Float64Array {
  const alive = Array.from({ length: k }, (_, i) => i).filter((i) => d[i * k + i]! > 0);
  const n = alive.length,
    out = new Float64Array(k * k);
  if (n === 0) return out;
  const a = matrix(n, n),
    one = matrix(n, n);
  alive.forEach((i, r) => {
    one.data[r * n + r] = 1;
    alive.forEach((j, c) => {
      a.data[r * n + c] = d[i * k + j]! * (r === c ? 1 + damping + 1e-12 : 1);
    });
  });
  const x = choleskySolve(cholesky(a), one).data;
  alive.forEach((i, r) => {
    alive.forEach((j, c) => {
      out[i * k + j] = x[r * n + c]!;
    });
  });
  return out;
}

/** Unit-diagonal Cholesky of the reduced matrix, with the columns that the data do not determine left out. */
function factor(s: Float64Array, m: number, full: Float64Array): { l: ReturnType<typeof cholesky>; alive: number[]; scale: Float64Array } {
  const scale = new Float64Array(m);
  const alive: number[] = [];
  for (let i = 0; i < m; i++) {
    const v = s[i * m + i]!;
    // What the private columns explain to the last digits is not determined.
    if (!(v > 1e-12 * full[i * m + i]!) || !(v > 0)) continue;
    alive.push(i);
    scale[i] = 1 / Math.sqrt(v);
  }
  const n = alive.length;
  const a = matrix(n, n);
  alive.forEach((i, r) => {
    alive.forEach((j, c) => {
      a.data[r * n + c] = s[Math.max(i, j) * m + Math.min(i, j)]! * scale[i]! * scale[j]! + (r === c ? 1e-12 : 0);
    });
  });
  return { l: cholesky(a), alive, scale };
}

/** Step of all columns at this damping. @throws bad-value when the equations are singular at this damping */
export function solveBlocks(n: BlockNormal, damping: number): BlockSolution {
  const m = n.common;
  const { s, t, inverse } = reduce(n, damping);
  const common = new Float64Array(m);
  if (m > 0) {
    const { l, alive, scale } = factor(s, m, n.a);
    const b = matrix(
      alive.length,
      1,
      Float64Array.from(alive, (i) => t[i]! * scale[i]!),
    );
    const x = choleskySolve(l, b).data;
    alive.forEach((i, r) => {
      common[i] = x[r]! * scale[i]!;
    });
  }
  if (!common.every(Number.isFinite)) fail("bad-value", { damping }, "the normal equations have no finite solution");
  return { common, private: n.blocks.map((block, f) => ownStep(block, common, inverse[f]!)) };
}

/** Private columns of a frame at given steps of the common ones, with a damping of their own. */
export const privateStep = (block: FrameBlock, common: Float64Array, damping: number): Float64Array =>
  ownStep(block, common, invert(block.d, block.size, damping));

function ownStep(block: FrameBlock, common: Float64Array, inverse: Float64Array): Float64Array {
  const k = block.size,
    m = common.length,
    rest = block.e.slice();
  for (let p = 0; p < k; p++) for (let i = 0; i < m; i++) rest[p]! -= block.c[p * m + i]! * common[i]!;
  const x = new Float64Array(k);
  for (let p = 0; p < k; p++) for (let q = 0; q < k; q++) x[p]! += inverse[p * k + q]! * rest[q]!;
  return x;
}

/** Inverse of the whole normal matrix: the common block, and the diagonals of the private ones. NaN where the data determine nothing. */
export function blockCovariance(n: BlockNormal): { readonly common: Float64Array; readonly private: readonly Float64Array[] } {
  const m = n.common;
  const { s, inverse } = reduce(n, 0);
  const common = new Float64Array(m * m).fill(0);
  if (m > 0) {
    const { l, alive, scale } = factor(s, m, n.a);
    const k = alive.length,
      one = matrix(k, k);
    for (let i = 0; i < k; i++) one.data[i * k + i] = 1;
    const x = choleskySolve(l, one).data;
    alive.forEach((i, r) => {
      alive.forEach((j, c) => {
        common[i * m + j] = x[r * k + c]! * scale[i]! * scale[j]!;
      });
    });
    for (let i = 0; i < m; i++) if (!alive.includes(i)) common[i * m + i] = Number.NaN;
  }
  const own = n.blocks.map((block, f) => {
    const k = block.size,
      out = new Float64Array(k);
    for (let p = 0; p < k; p++) {
      const row = new Float64Array(m);
      for (let q = 0; q < k; q++) for (let i = 0; i < m; i++) row[i]! += inverse[f]![p * k + q]! * block.c[q * m + i]!;
      let v = inverse[f]![p * k + p]!;
      for (let i = 0; i < m; i++)
        if (row[i] !== 0) for (let j = 0; j < m; j++) if (!Number.isNaN(common[i * m + j]!)) v += row[i]! * row[j]! * common[i * m + j]!;
      out[p] = v > 0 ? v : Number.NaN;
    }
    return out;
  });
  return { common, private: own };
}
