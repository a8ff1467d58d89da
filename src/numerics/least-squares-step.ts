import { backSubstitute, qrAddRowsInto } from "./qr-rows.js";

/** Column lengths of the triangle, never shrinking from one iteration to the next; 1 for a column of zeros. */
export function scaleOf(scale: Float64Array, triangle: Float64Array, n: number): void {
  for (let j = 0; j < n; j++) {
    let s = 0;
    for (let i = 0; i <= j; i++) s += triangle[i * n + j]! * triangle[i * n + j]!;
    s = Math.sqrt(s);
    scale[j] = Math.max(scale[j]!, s);
    if (scale[j] === 0) scale[j] = 1;
  }
}

export interface DampedProblem {
  /** R and Qᵀr of the Jacobian at q: the model is ½|R s + z|². */
  readonly triangle: Float64Array;
  readonly rhs: Float64Array;
  readonly scale: Float64Array;
  readonly lambda: number;
  readonly q: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}
export interface DampedStep {
  /** The new point, inside the bounds. */
  readonly q: Float64Array;
  /** Fall of the cost that the linear model promises. */
  readonly predicted: number;
  /** Length of the step in the scale of the columns. */
  readonly length: number;
  /** Largest |gradient| of a variable that may move, in units of its scale (a residual norm times a cosine). */
  readonly cosine: number;
}

/**
 * Minimise ½|R s + z|² + ½λ|D s|² subject to the bounds on q + s: variables on a bound whose gradient points outwards are held;
 * those that the step takes over a bound are put on it and the rest is solved again, at most n times.
 */
export function dampedStep({ triangle, rhs, scale, lambda, q, lower, upper }: DampedProblem): DampedStep {
  const n = q.length;
  const u = new Float64Array(n); // the step in the scale of the columns
  const held = new Uint8Array(n);
  const next = new Float64Array(n);
  let cosine = 0;
  for (let j = 0; j < n; j++) {
    let g = 0;
    for (let i = 0; i <= j; i++) g += triangle[i * n + j]! * rhs[i]!;
    g /= scale[j]!;
    if ((q[j]! <= lower[j]! && g > 0) || (q[j]! >= upper[j]! && g < 0) || lower[j] === upper[j]) {
      held[j] = 1;
      next[j] = q[j]!;
    } else cosine = Math.max(cosine, Math.abs(g));
  }
  for (let round = 0; round <= n; round++) {
    const open: number[] = [];
    for (let j = 0; j < n; j++) if (!held[j]) open.push(j);
    if (open.length === 0) break;
    const f = open.length;
    const rows = new Float64Array(n * f),
      b = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let v = -rhs[i]!;
      for (let j = i; j < n; j++) if (held[j]) v -= (triangle[i * n + j]! / scale[j]!) * u[j]!;
      b[i] = v;
      for (let k = 0; k < f; k++) rows[i * f + k] = open[k]! >= i ? triangle[i * n + open[k]!]! / scale[open[k]!]! : 0;
    }
    const r = new Float64Array(f * f),
      z = new Float64Array(f);
    const root = Math.sqrt(lambda);
    for (let k = 0; k < f; k++) r[k * f + k] = root; // the damping rows are the triangle we start from
    qrAddRowsInto(r, z, rows, b, n, f);
    const s = backSubstitute(r, z, f);
    let crossed = false;
    for (let k = 0; k < f; k++) {
      const j = open[k]!,
        x = q[j]! + s[k]! / scale[j]!;
      u[j] = s[k]!;
      if (x < lower[j]! || x > upper[j]!) {
        next[j] = x < lower[j]! ? lower[j]! : upper[j]!; // exactly, whatever u rounds to
        u[j] = (next[j]! - q[j]!) * scale[j]!;
        held[j] = 1;
        crossed = true;
      }
    }
    if (!crossed) break;
  }
  for (let j = 0; j < n; j++) if (!held[j]) next[j] = q[j]! + u[j]! / scale[j]!;
  let predicted = 0,
    length = 0;
  for (let i = 0; i < n; i++) {
    let v = 0;
    for (let j = i; j < n; j++) v += (triangle[i * n + j]! / scale[j]!) * u[j]!;
    predicted -= v * rhs[i]! + 0.5 * v * v; // ½|z|² − ½|z + v|² without cancellation
    length += u[i]! * u[i]!;
  }
  return { q: next, predicted, length: Math.sqrt(length), cosine };
}
