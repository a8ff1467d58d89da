import { fail } from "../core/errors.js";
import { type Quaternion, rotationFromQuaternion } from "../geometry/rotation-forms.js";
import { kdTree } from "../numerics/cluster-kdtree.js";
import { symmetricEigen } from "../numerics/eigen-symmetric.js";
import { matrix } from "../numerics/matrix.js";

export interface MatchedAtoms {
  /** Atom of the second list for every one of the first, −1: none within the cutoff. */
  readonly match: Int32Array;
  readonly matched: number;
  /** Root of the mean square distance of matched atoms after the motion, less their mean, Å. */
  readonly rmsd: number;
  /** The first list after the motion, Å. */
  readonly moved: Float64Array;
  /** The motion x → R x + t: nine numbers, three numbers. */
  readonly rotation: Float64Array;
  readonly translation: Float64Array;
}

/**
 * Pair two models of the same object one to one, nearest pairs first, and move the first onto the second: a translation, with `rotate`
 * also a rotation (Horn 1987), iterated until the motion is below 1e-4 Å. With `centre` the centres of mass are put on each other first. With `shared`
 * every atom of the first list takes its nearest of the second, taken or not: how the published RMSDs were counted.
 */
export function matchAtoms(
  first: Float64Array,
  second: Float64Array,
  {
    cutoff = 1,
    rotate = false,
    centre = false,
    shared = false,
  }: { readonly cutoff?: number; readonly rotate?: boolean; readonly centre?: boolean; readonly shared?: boolean } = {},
): MatchedAtoms {
  const n = first.length / 3;
  if (n < 1 || second.length < 3) fail("bad-value", { first: n, second: second.length / 3 }, "both lists need atoms: [n, 3]");
  const tree = kdTree(second, 3);
  let moved = first.slice(),
    rotation = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    translation = new Float64Array(3);
  const move = (R: ArrayLike<number>, t: ArrayLike<number>): void => {
    const by = (v: ArrayLike<number>, o: number, c: number): number =>
      R[3 * c]! * v[o]! + R[3 * c + 1]! * v[o + 1]! + R[3 * c + 2]! * v[o + 2]!;
    moved = moved.map((_, i, all) => by(all, i - (i % 3), i % 3) + t[i % 3]!);
    translation = translation.map((_, c) => by(translation, 0, c) + t[c]!);
    rotation = rotation.map((_, i) => {
      const [r, c] = [Math.floor(i / 3), i % 3];
      return R[3 * r]! * rotation[c]! + R[3 * r + 1]! * rotation[3 + c]! + R[3 * r + 2]! * rotation[6 + c]!;
    });
  };
  const identity = rotation.slice();
  const mean = (v: Float64Array): number[] => [0, 1, 2].map((k) => v.reduce((s, x, i) => s + (i % 3 === k ? x : 0), 0) / (v.length / 3));
  if (centre) {
    const [a, b] = [mean(first), mean(second)];
    move(
      identity,
      b.map((v, k) => v - a[k]!),
    );
  }
  let match = new Int32Array(n),
    matched = 0,
    rmsd = 0;
  for (let round = 0; round < 60; round++) {
    const pairs: [number, number, number][] = [];
    for (let a = 0; a < n; a++) tree.within(moved.subarray(3 * a, 3 * a + 3), cutoff, (b, d2) => pairs.push([d2, a, b]));
    pairs.sort((x, y) => x[0] - y[0] || x[1] - y[1] || x[2] - y[2]);
    match = new Int32Array(n).fill(-1);
    const taken = new Set<number>(),
      P: number[] = [],
      Q: number[] = [];
    let square = 0,
      count = 0;
    for (const [d2, a, b] of pairs) {
      if (match[a]! >= 0 || (!shared && taken.has(b))) continue;
      match[a] = b;
      taken.add(b);
      count++;
      square += d2;
      P.push(...moved.subarray(3 * a, 3 * a + 3));
      Q.push(...second.subarray(3 * b, 3 * b + 3));
    }
    matched = count;
    if (matched < 3) fail("no-convergence", { matched, cutoff }, "fewer than three atoms match: centre the models or widen the cutoff");
    const [p, q] = [mean(Float64Array.from(P)), mean(Float64Array.from(Q))],
      shift = q.map((v, k) => v - p[k]!);
    rmsd = Math.sqrt(Math.max(0, square / matched - shift.reduce((s, v) => s + v * v, 0)));
    const R = rotate ? bestRotation(P, Q, p, q) : identity;
    const t = [0, 1, 2].map((c) => q[c]! - (R[3 * c]! * p[0]! + R[3 * c + 1]! * p[1]! + R[3 * c + 2]! * p[2]!));
    const old = moved;
    move(R, t);
    if (Math.max(...moved.map((v, i) => Math.abs(v - old[i]!))) < 1e-4) break;
  }
  return { match, matched, rmsd, moved, rotation, translation };
}

/** @see Horn (1987) J. Opt. Soc. Am. A 4, 629 */
function bestRotation(P: readonly number[], Q: readonly number[], p: readonly number[], q: readonly number[]): ArrayLike<number> {
  const S = new Float64Array(9);
  for (let i = 0; i < P.length; i += 3)
    for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) S[3 * r + c]! += (P[i + r]! - p[r]!) * (Q[i + c]! - q[c]!);
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = S as unknown as [number, number, number, number, number, number, number, number, number];
  // biome-ignore format: Horn's matrix
  const N = [xx + yy + zz, yz - zy, zx - xz, xy - yx, yz - zy, xx - yy - zz, xy + yx, zx + xz, zx - xz, xy + yx, yy - xx - zz, yz + zy, xy - yx, zx + xz, yz + zy, zz - xx - yy];
  const { vectors } = symmetricEigen(matrix(4, 4, N));
  return rotationFromQuaternion([0, 1, 2, 3].map((r) => vectors.data[4 * r + 3]!) as unknown as Quaternion);
}
