import { fail } from "../core/errors.js";
import { determinant, inverse, type Map3 } from "../core/frames.js";

/** Orientation matrix: columns a*, b*, c* in Å⁻¹ on the axes of the sample frame. */
export type Orientation = Map3<"sample", "hkl">;

/** Miller indices of a set of vectors on one lattice, and how well they fit. */
export interface Indexed {
  readonly size: number;
  /** Nearest whole indices, shape [n, 3]. */
  readonly hkl: Int32Array;
  /** Largest |difference from whole numbers| of the three indices, shape [n]. */
  readonly deviation: Float64Array;
  /** Distance from the lattice point, Å⁻¹, shape [n]. */
  readonly distance: Float64Array;
  /** 1 where the deviation is at most the tolerance and the indices are not 0 0 0. */
  readonly indexed: Uint8Array;
  /** How many are indexed, as a number and a fraction, and the root mean square distance of those, Å⁻¹. */
  readonly count: number;
  readonly fraction: number;
  readonly rms: number;
}

/** @throws bad-value for a singular matrix, bad-shape when `r` is not [n, 3] */
export function indexVectors(r: Float64Array, ub: Orientation, { tolerance = 0.2 } = {}): Indexed {
  if (r.length % 3 !== 0) fail("bad-shape", { length: r.length }, "pass [n, 3] row-major: x0 y0 z0 x1 y1 z1 …");
  if (!(Math.abs(determinant(ub)) > 0)) fail("bad-value", { ub: [...ub] }, "the three columns of the orientation matrix lie in one plane");
  const m = inverse(ub),
    n = r.length / 3;
  const hkl = new Int32Array(3 * n),
    deviation = new Float64Array(n),
    distance = new Float64Array(n),
    indexed = new Uint8Array(n);
  let count = 0,
    sq = 0;
  for (let i = 0; i < n; i++) {
    const x = r[3 * i]!,
      y = r[3 * i + 1]!,
      z = r[3 * i + 2]!;
    const h = m[0] * x + m[1] * y + m[2] * z,
      k = m[3] * x + m[4] * y + m[5] * z,
      l = m[6] * x + m[7] * y + m[8] * z;
    const H = Math.round(h),
      K = Math.round(k),
      L = Math.round(l);
    hkl[3 * i] = H;
    hkl[3 * i + 1] = K;
    hkl[3 * i + 2] = L;
    const dev = Math.max(Math.abs(h - H), Math.abs(k - K), Math.abs(l - L));
    deviation[i] = dev;
    const dx = x - ub[0] * H - ub[1] * K - ub[2] * L,
      dy = y - ub[3] * H - ub[4] * K - ub[5] * L,
      dz = z - ub[6] * H - ub[7] * K - ub[8] * L;
    const d2 = dx * dx + dy * dy + dz * dz;
    distance[i] = Math.sqrt(d2);
    if (dev <= tolerance && (H || K || L)) {
      indexed[i] = 1;
      count++;
      sq += d2;
    }
  }
  return {
    size: n,
    hkl,
    deviation,
    distance,
    indexed,
    count,
    fraction: n ? count / n : 0,
    rms: count ? Math.sqrt(sq / count) : Number.NaN,
  };
}

/**
 * Linear least squares of UB on indexed vectors: minimise Σ w |r − UB h|². Exact solution of the 3×3 normal equations.
 * Undefined when the indices do not span three dimensions.
 */
export function fitOrientation(
  r: Float64Array,
  hkl: Int32Array,
  use: ArrayLike<number>,
  weights?: ArrayLike<number>,
): Orientation | undefined {
  const hh = new Float64Array(9),
    rh = new Float64Array(9);
  for (let i = 0; i < use.length; i++) {
    if (!use[i]) continue;
    const w = weights ? weights[i]! : 1;
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) {
        hh[3 * a + b]! += w * hkl[3 * i + a]! * hkl[3 * i + b]!;
        rh[3 * a + b]! += w * r[3 * i + a]! * hkl[3 * i + b]!;
      }
  }
  const m = Array.from(hh) as unknown as Map3;
  const scale = (hh[0]! + hh[4]! + hh[8]!) / 3;
  if (!(determinant(m) > 1e-9 * scale ** 3)) return undefined;
  const inv = inverse(m);
  const row = (a: number, b: number): number => rh[3 * a]! * inv[b]! + rh[3 * a + 1]! * inv[3 + b]! + rh[3 * a + 2]! * inv[6 + b]!;
  return [row(0, 0), row(0, 1), row(0, 2), row(1, 0), row(1, 1), row(1, 2), row(2, 0), row(2, 1), row(2, 2)];
}

/**
 * Improve UB by indexing and fitting in turn, from the shortest vectors outwards so that a small error of the start cannot misindex
 * the far ones.
 */
export function polishOrientation(r: Float64Array, start: Orientation, { tolerance = 0.2, rounds = 8 } = {}): Orientation {
  const n = r.length / 3;
  const length = Float64Array.from({ length: n }, (_, i) => Math.hypot(r[3 * i]!, r[3 * i + 1]!, r[3 * i + 2]!));
  const sorted = Float64Array.from(length).sort();
  let ub = start;
  for (let round = 0; round < rounds; round++) {
    const limit = sorted[Math.min(n - 1, Math.floor((n * (round + 2)) / rounds))] ?? 0;
    const found = indexVectors(r, ub, { tolerance });
    const next = fitOrientation(
      r,
      found.hkl,
      found.indexed.map((v, i) => (v && length[i]! <= limit ? 1 : 0)),
    ); // prettier-ignore
    if (!next || !(Math.abs(determinant(next)) > 0)) return ub;
    ub = next;
  }
  return ub;
}
