import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import type { Rng } from "../core/rng.js";

export interface NmfOptions {
  readonly rng: Rng;
  readonly rank: number;
  /** Hierarchical alternating least squares (fast), or the multiplicative rule (never leaves zero). */
  readonly method?: "hals" | "multiplicative";
  readonly maxIterations?: number;
  /** Stop when the squared error falls by less than this fraction of ‖V‖² over an iteration, 1e-7. */
  readonly tolerance?: number;
}
export interface NmfResult {
  readonly status: "converged" | "max-iterations";
  /** Weights, shape [rows, rank]; columns have the scale, rows of h have unit length. */
  readonly w: Float64Array;
  /** Components, shape [rank, columns], unit Euclidean length, strongest first. */
  readonly h: Float64Array;
  /** ‖V − WH‖ / ‖V‖. */
  readonly relativeError: number;
  readonly iterations: number;
}

/**
 * Non-negative factorisation V ≈ W·H in the least-squares sense; the squared error never rises. As a generator: a step an iteration.
 * @param v - shape [rows, columns], no negative entry
 * @see Lee & Seung (2001) NIPS 13, 556; Cichocki & Phan (2009) IEICE Trans. E92-A, 708, doi:10.1587/transfun.E92.A.708
 */
export function* nmfSteps(v: Float64Array, rows: number, columns: number, options: NmfOptions): Steps<NmfResult> {
  const { rng, rank, method = "hals", maxIterations = 500, tolerance = 1e-7 } = options;
  if (v.length !== rows * columns) fail("bad-shape", { length: v.length, rows, columns }, "v holds rows·columns values");
  if (!(Number.isInteger(rank) && rank >= 1)) fail("bad-value", { rank }, "rank is a positive whole number");
  let total = 0,
    sum = 0;
  for (let i = 0; i < v.length; i++) {
    if (!(v[i]! >= 0))
      fail("bad-value", { index: i, value: v[i] }, "every entry is a number not below zero; subtract no background, or clip it");
    total += v[i]! * v[i]!;
    sum += v[i]!;
  }
  const level = Math.sqrt(sum / v.length / rank) || 1;
  const g = rng.fork("nmf");
  const w = Float64Array.from({ length: rows * rank }, () => level * (0.5 + g.uniform())),
    h = Float64Array.from({ length: rank * columns }, () => level * (0.5 + g.uniform()));
  const vh = new Float64Array(rows * rank),
    hh = new Float64Array(rank * rank),
    wv = new Float64Array(rank * columns),
    ww = new Float64Array(rank * rank);
  const update = method === "hals" ? halsInto : multiplicativeInto;
  let error = Number.POSITIVE_INFINITY,
    status: NmfResult["status"] = "max-iterations",
    iterations = 0;
  while (iterations < maxIterations) {
    iterations++;
    // W: V Hᵀ [rows, rank] and H Hᵀ
    vh.fill(0);
    for (let i = 0; i < rows; i++)
      for (let r = 0; r < rank; r++) {
        let s = 0;
        for (let j = 0, a = i * columns, b = r * columns; j < columns; j++) s += v[a + j]! * h[b + j]!;
        vh[i * rank + r] = s;
      }
    gramRows(h, rank, columns, hh);
    update(w, rows, 1, rank, vh, hh);
    // H: Wᵀ V [rank, columns] and Wᵀ W
    wv.fill(0);
    ww.fill(0);
    for (let i = 0; i < rows; i++)
      for (let r = 0; r < rank; r++) {
        const x = w[i * rank + r]!;
        for (let q = 0; q < rank; q++) ww[r * rank + q]! += x * w[i * rank + q]!;
        if (x === 0) continue;
        for (let j = 0, a = i * columns, b = r * columns; j < columns; j++) wv[b + j]! += x * v[a + j]!;
      }
    update(h, columns, columns, rank, wv, ww);
    // ‖V − WH‖² = ‖V‖² − 2 ⟨WᵀV, H⟩ + ⟨WᵀW, HHᵀ⟩
    gramRows(h, rank, columns, hh);
    let cross = 0,
      square = 0;
    for (let i = 0; i < wv.length; i++) cross += wv[i]! * h[i]!;
    for (let i = 0; i < ww.length; i++) square += ww[i]! * hh[i]!;
    const now = Math.max(0, total - 2 * cross + square);
    const fell = error - now;
    error = now;
    if (fell <= tolerance * total) {
      status = "converged";
      break;
    }
    yield { done: iterations, total: maxIterations, note: `relative error ${Math.sqrt(now / (total || 1)).toExponential(2)}` };
  }
  return { status, ...ordered(w, h, rows, columns, rank), relativeError: Math.sqrt(error / (total || 1)), iterations };
}

/** {@link nmfSteps}, run to the end. */
export function nmf(v: Float64Array, rows: number, columns: number, options: NmfOptions): NmfResult {
  return runSync(nmfSteps(v, rows, columns, options));
}

function gramRows(h: Float64Array, rank: number, columns: number, out: Float64Array): void {
  for (let r = 0; r < rank; r++)
    for (let q = r; q < rank; q++) {
      let s = 0;
      for (let j = 0, a = r * columns, b = q * columns; j < columns; j++) s += h[a + j]! * h[b + j]!;
      out[r * rank + q] = s;
      out[q * rank + r] = s;
    }
}

/**
 * Both updates work on x, whose entry (item, r) lies at item·rank + r when stride is 1 (W) and at r·stride + item otherwise (H);
 * target has the same layout and gram is [rank, rank].
 */
type Update = (x: Float64Array, items: number, stride: number, rank: number, target: Float64Array, gram: Float64Array) => void;

const halsInto: Update = (x, items, stride, rank, target, gram) => {
  const wide = stride === 1,
    si = wide ? rank : 1,
    sr = wide ? 1 : stride;
  for (let r = 0; r < rank; r++) {
    const d = gram[r * rank + r]!;
    if (!(d > 0)) continue;
    for (let i = 0; i < items; i++) {
      let s = target[i * si + r * sr]!;
      for (let q = 0; q < rank; q++) if (q !== r) s -= gram[r * rank + q]! * x[i * si + q * sr]!;
      x[i * si + r * sr] = s > 0 ? s / d : 0;
    }
  }
};

const multiplicativeInto: Update = (x, items, stride, rank, target, gram) => {
  const wide = stride === 1,
    si = wide ? rank : 1,
    sr = wide ? 1 : stride,
    old = new Float64Array(rank);
  for (let i = 0; i < items; i++) {
    for (let r = 0; r < rank; r++) old[r] = x[i * si + r * sr]!;
    for (let r = 0; r < rank; r++) {
      let s = 0;
      for (let q = 0; q < rank; q++) s += gram[r * rank + q]! * old[q]!;
      x[i * si + r * sr] = s > 0 ? (old[r]! * target[i * si + r * sr]!) / s : 0;
    }
  }
};

/** Components scaled to unit length, strongest first. */
function ordered(w: Float64Array, h: Float64Array, rows: number, columns: number, rank: number): { w: Float64Array; h: Float64Array } {
  const length = Array.from({ length: rank }, (_, r) =>
    Math.sqrt(h.subarray(r * columns, (r + 1) * columns).reduce((s, x) => s + x * x, 0)),
  );
  const weight = length.map((l, r) => {
    let s = 0;
    for (let i = 0; i < rows; i++) s += (w[i * rank + r]! * l) ** 2;
    return s;
  });
  const order = weight.map((_, r) => r).sort((a, b) => weight[b]! - weight[a]!);
  const w2 = new Float64Array(w.length),
    h2 = new Float64Array(h.length);
  order.forEach((r, k) => {
    const l = length[r]! || 1;
    for (let i = 0; i < rows; i++) w2[i * rank + k] = w[i * rank + r]! * l;
    for (let j = 0; j < columns; j++) h2[k * columns + j] = h[r * columns + j]! / l;
  });
  return { w: w2, h: h2 };
}
