import { fail } from "../core/errors.js";
import { kdTree } from "../numerics/cluster-kdtree.js";

/** Neighbours within a cutoff: those of atom i are index[start[i]] … index[start[i + 1] − 1], ascending, i itself left out. */
export interface NeighbourLists {
  readonly start: Int32Array;
  readonly index: Int32Array;
}

/** Pairs nearer than `cutoff` Å (not at it). @throws bad-value */
export function neighbourLists(positions: Float64Array, cutoff: number): NeighbourLists {
  if (!(cutoff > 0)) fail("bad-value", { cutoff }, "the cutoff is a distance in Å, such as the first valley of the radial distribution");
  const n = positions.length / 3,
    tree = kdTree(positions, 3),
    start = new Int32Array(n + 1),
    all: number[] = [];
  for (let i = 0; i < n; i++) {
    const mine: number[] = [];
    tree.within(positions.subarray(3 * i, 3 * i + 3), cutoff, (j, d2) => {
      if (j !== i && d2 < cutoff * cutoff) mine.push(j);
    });
    all.push(...mine.sort((a, b) => a - b));
    start[i + 1] = all.length;
  }
  return { start, index: Int32Array.from(all) };
}

/** Averaged bond-orientational order, and the same against a perfect fcc crystal. */
export interface BondOrder {
  readonly q4: Float64Array;
  readonly q6: Float64Array;
  /** √(Q4² + Q6²) over that of fcc: 1 in fcc, below 0.5 in a liquid; NaN without neighbours. */
  readonly order: Float64Array;
}

/** Q4 and Q6 of perfect crystals. */
export const crystalBondOrder = { fcc: [0.190941, 0.574524], bcc: [0.0363696, 0.510688], hcp: [0.09722, 0.484762] } as const;

/**
 * Q_l(i) = √(4π/(2l+1) Σ_m |mean of q_lm over i and its neighbours|²) with q_lm(i) the mean of Y_lm over the bonds of i.
 * @param cutoff - neighbours are nearer than this, Å: the first valley of the pair distribution
 * @see Lechner & Dellago (2008) J. Chem. Phys. 129, 114707
 */
export function bondOrder(positions: Float64Array, cutoff: number): BondOrder {
  const lists = neighbourLists(positions, cutoff),
    q4 = averaged(positions, lists, 4),
    q6 = averaged(positions, lists, 6);
  const norm = Math.hypot(...crystalBondOrder.fcc);
  return { q4, q6, order: q4.map((v, i) => Math.hypot(v, q6[i]!) / norm) };
}

function averaged(positions: Float64Array, { start, index }: NeighbourLists, l: number): Float64Array {
  const n = positions.length / 3,
    m = l + 1,
    q = new Float64Array(2 * m * n),
    y = new Float64Array(2 * m);
  for (let i = 0; i < n; i++) {
    const from = start[i]!,
      to = start[i + 1]!;
    for (let k = from; k < to; k++) {
      const j = index[k]!;
      harmonics(
        l,
        positions[3 * j]! - positions[3 * i]!,
        positions[3 * j + 1]! - positions[3 * i + 1]!,
        positions[3 * j + 2]! - positions[3 * i + 2]!,
        y,
      );
      for (let t = 0; t < 2 * m; t++) q[2 * m * i + t]! += y[t]! / (to - from);
    }
    if (from === to) q.fill(Number.NaN, 2 * m * i, 2 * m * (i + 1));
  }
  const out = new Float64Array(n),
    sum = new Float64Array(2 * m);
  for (let i = 0; i < n; i++) {
    sum.set(q.subarray(2 * m * i, 2 * m * (i + 1)));
    for (let k = start[i]!; k < start[i + 1]!; k++) for (let t = 0; t < 2 * m; t++) sum[t]! += q[2 * m * index[k]! + t]!;
    const count = start[i + 1]! - start[i]! + 1;
    let s = 0;
    // |Y_l,−m| = |Y_lm|, and so for their means: the terms with m > 0 count twice.
    for (let t = 0; t < m; t++) s += (t === 0 ? 1 : 2) * (sum[2 * t]! ** 2 + sum[2 * t + 1]! ** 2);
    out[i] = Math.sqrt(((4 * Math.PI) / (2 * l + 1)) * s) / count;
  }
  return out;
}

/** Y_lm of a direction for m = 0 … l, complex, normalised; Legendre functions by the recurrence in l (Abramowitz & Stegun 8.5.3). */
function harmonics(l: number, dx: number, dy: number, dz: number, out: Float64Array): void {
  const r = Math.hypot(dx, dy, dz),
    x = dz / r,
    s = Math.hypot(dx, dy) / r,
    phi = Math.atan2(dy, dx);
  let pmm = 1;
  for (let m = 0; m <= l; m++) {
    if (m > 0) pmm *= -(2 * m - 1) * s;
    let p = pmm,
      before = 0;
    for (let k = m + 1; k <= l; k++) {
      const next = (x * (2 * k - 1) * p - (k + m - 1) * before) / (k - m);
      before = p;
      p = next;
    }
    let ratio = 1;
    for (let k = l - m + 1; k <= l + m; k++) ratio /= k;
    const c = Math.sqrt(((2 * l + 1) / (4 * Math.PI)) * ratio) * p;
    out[2 * m] = c * Math.cos(m * phi);
    out[2 * m + 1] = c * Math.sin(m * phi);
  }
}
