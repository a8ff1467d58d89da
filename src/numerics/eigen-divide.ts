import type { DenseKernels } from "../kernels/dense.js";
import { implicitQl } from "./eigen-ql.js";
import { secularRoot } from "./eigen-secular.js";

const EPS = 2.220446049250313e-16;
/** Blocks up to this size are solved by QL. */
const LEAF = 24;

/** Memory of {@link divideAndConquer} besides q, bytes. */
export function divideScratch(n: number): number {
  return 16 * n * n;
}

/**
 * All eigenvalues and eigenvectors of a real symmetric tridiagonal matrix by divide and conquer: halves are torn apart by a rank-one
 * change, solved, and joined through the secular equation; eigenvectors come from the z that fits the computed roots exactly
 * (Gu & Eisenstat), so they are orthogonal to working precision without extended arithmetic. Most work is real matrix products.
 * @param d - diagonal, overwritten by the eigenvalues in the order of the rows of q (not sorted)
 * @param e - off-diagonal, n − 1 values; destroyed
 * @param q - address of [n, n] f64; its rows become the eigenvectors
 * @param scratch - address of divideScratch(n) bytes
 * @returns rows of q in ascending order of eigenvalue
 * @see Cuppen (1981) Numer. Math. 36, 177; Gu & Eisenstat (1995) SIAM J. Matrix Anal. Appl. 16, 172
 */
export function divideAndConquer(
  kernels: DenseKernels,
  n: number,
  d: Float64Array,
  e: Float64Array,
  q: number,
  scratch: number,
): Int32Array {
  const Q = kernels.arena.f64(q, n * n);
  Q.fill(0);
  const cuts: [at: number, size: number, left: number][] = [];
  const leaves: [at: number, size: number][] = [];
  const split = (at: number, size: number): void => {
    if (size <= LEAF) {
      leaves.push([at, size]);
      return;
    }
    const left = size >> 1,
      cut = at + left - 1;
    const beta = Math.abs(e[cut]!);
    d[cut]! -= beta;
    d[cut + 1]! -= beta;
    split(at, left);
    split(at + left, size - left);
    cuts.push([at, size, left]); // after both halves
  };
  split(0, n);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (const [at, size] of leaves) {
    for (let i = at; i < at + size; i++) Q[i * n + i] = 1;
    const beyond = e[at + size - 1]!; // belongs to a cut
    implicitQl(size, d, e, at, Q, at * n + at, n, size);
    if (at + size < n) e[at + size - 1] = beyond;
    order.subarray(at, at + size).sort((a, b) => d[a]! - d[b]!);
  }
  for (const [at, size, left] of cuts) join(kernels, n, d, e[at + left - 1]!, Q, q, scratch, order, at, size, left);
  return order;
}

/** Join the halves [at, at + left) and [at + left, at + size) that were torn apart at the off-diagonal `beta`. */
function join(
  { arena, dgemm }: DenseKernels,
  n: number,
  d: Float64Array,
  beta: number,
  Q: Float64Array,
  q: number,
  scratch: number,
  order: Int32Array,
  at: number,
  size: number,
  left: number,
): void {
  const S = arena.f64(scratch, n * n),
    rows = scratch + 8 * n * n,
    R = arena.f64(rows, n * n);
  const right = size - left,
    sign = beta < 0 ? -1 : 1;
  // z = (last row of Q₁, ± first row of Q₂)/√2, so that |z| = 1 and ρ = 2|β|
  const rho = 2 * Math.abs(beta);
  const z = new Float64Array(size);
  for (let i = 0; i < size; i++) z[i] = (i < left ? Q[(at + i) * n + at + left - 1]! : sign * Q[(at + i) * n + at + left]!) * Math.SQRT1_2;
  // merge the two sorted lists
  const sorted = new Int32Array(size);
  for (let i = 0, a = at, b = at + left; i < size; i++)
    sorted[i] = b >= at + size || (a < at + left && d[order[a]!]! <= d[order[b]!]!) ? order[a++]! : order[b++]!;
  let big = 0;
  for (let i = 0; i < size; i++) big = Math.max(big, Math.abs(d[at + i]!), Math.abs(z[i]!));
  const tolerance = 8 * EPS * big;
  // Deflation: parts of z that vanish, and pairs of (nearly) equal d whose z is rotated into one of them.
  const live: number[] = [],
    dead: number[] = [];
  const mixed = new Uint8Array(size);
  let previous = -1;
  for (const row of sorted) {
    const i = row - at;
    if (rho * Math.abs(z[i]!) <= tolerance) {
      dead.push(row);
      continue;
    }
    if (previous >= 0) {
      const p = previous - at,
        r = Math.hypot(z[p]!, z[i]!),
        c = z[i]! / r,
        s = -z[p]! / r,
        t = d[row]! - d[previous]!;
      if (Math.abs(t * c * s) <= tolerance) {
        z[i] = r;
        z[p] = 0;
        if (mixed[i] || mixed[p] || i < left !== p < left) mixed[i] = 1;
        let x = previous * n + at,
          y = row * n + at;
        for (let k = 0; k < size; k++, x++, y++) {
          const u = Q[x]!,
            v = Q[y]!;
          Q[x] = c * u + s * v;
          Q[y] = c * v - s * u;
        }
        const dp = d[previous]!,
          di = d[row]!;
        d[previous] = dp * c * c + di * s * s;
        d[row] = dp * s * s + di * c * c;
        dead.push(previous);
      } else live.push(previous);
    }
    previous = row;
  }
  if (previous >= 0) live.push(previous);

  const count = live.length;
  // Rows of the first half, mixed rows, rows of the second half: each half's columns then come from adjacent rows.
  const group = (row: number): number => (mixed[row - at] ? 1 : row - at < left ? 0 : 2);
  const place = new Int32Array(count);
  const sizes = [0, 0, 0];
  for (const row of live) sizes[group(row)]!++;
  const next = [0, sizes[0]!, sizes[0]! + sizes[1]!];
  live.forEach((row, i) => {
    place[i] = next[group(row)]!++;
  });
  live.forEach((row, i) => {
    R.set(Q.subarray(row * n + at, row * n + at + size), place[i]! * size);
  });
  dead.forEach((row, i) => {
    R.set(Q.subarray(row * n + at, row * n + at + size), (count + i) * size);
  });
  const deadValues = dead.map((row) => d[row]!);

  const poles = Float64Array.from(live, (row) => d[row]!),
    z2 = Float64Array.from(live, (row) => z[row - at]! * z[row - at]!);
  for (let k = 0; k < count; k++) d[at + k] = secularRoot(k, count, poles, z2, rho, S, k * count);
  // ẑ that has the computed roots as its exact ones
  const fit = new Float64Array(count).fill(1);
  for (let k = 0; k < count; k++) {
    const pk = poles[k]!;
    for (let i = 0; i < count; i++) fit[i]! *= i === k ? S[k * count + i]! : S[k * count + i]! / (poles[i]! - pk);
  }
  for (let i = 0; i < count; i++) fit[i] = Math.sqrt(Math.abs(fit[i]!)) * (z[live[i]! - at]! < 0 ? -1 : 1);
  const vector = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const v = fit[i]! / S[k * count + i]!;
      vector[place[i]!] = v;
      sum += v * v;
    }
    const scale = 1 / Math.sqrt(sum);
    for (let i = 0; i < count; i++) S[k * count + i] = vector[i]! * scale;
  }
  for (let i = 0; i < size; i++) Q.fill(0, (at + i) * n + at, (at + i) * n + at + size);
  const k12 = sizes[0]! + sizes[1]!,
    k23 = sizes[1]! + sizes[2]!,
    skip = sizes[0]!;
  const out = q + 8 * (at * n + at);
  dgemm(count, left, k12, 1, scratch, count, 1, rows, size, 1, out, n);
  dgemm(count, right, k23, 1, scratch + 8 * skip, count, 1, rows + 8 * (skip * size + left), size, 1, out + 8 * left, n);
  dead.forEach((_, i) => {
    Q.set(R.subarray((count + i) * size, (count + i + 1) * size), (at + count + i) * n + at);
    d[at + count + i] = deadValues[i]!;
  });
  const mine = order.subarray(at, at + size);
  for (let i = 0; i < size; i++) mine[i] = at + i;
  mine.sort((a, b) => d[a]! - d[b]!);
}
