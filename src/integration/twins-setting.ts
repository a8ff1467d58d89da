import { bilinear, type Mat3, quadratic } from "../geometry/metric.js";

export interface SettingOptions {
  /** Largest relative difference of an axis, and of a cosine. */
  readonly maxLength?: number;
  readonly maxCosine?: number;
}

/** A change of axes of one lattice that makes its cell equal to another one. */
export interface Setting {
  /** (a b c)wanted = (a b c)given · basis; entries −1, 0, 1, determinant 1. */
  readonly basis: Mat3;
  /** Largest relative difference of the lengths, or difference of the cosines, that is left. */
  readonly error: number;
}

type V = readonly [number, number, number];
const short: readonly V[] = Array.from(
  { length: 27 },
  (_, i) => [(i % 3) - 1, (Math.floor(i / 3) % 3) - 1, Math.floor(i / 9) - 1] as const,
);

/**
 * All changes of axes, within a lattice, that bring its cell to a wanted one: permutations, other monoclinic or triclinic choices of axes, and, where the
 * lattice is symmetric, the rotations of its holohedry. Best first; of equally good ones the nearest to no change.
 * @param given, wanted - metric tensors of the two cells, Å²
 */
export function settingsLike(given: Mat3, wanted: Mat3, { maxLength = 0.02, maxCosine = 0.03 }: SettingOptions = {}): readonly Setting[] {
  const length = [0, 4, 8].map((i) => Math.sqrt(wanted[i as 0]));
  const cosine = (i: number, j: number): number => wanted[(3 * i + j) as 0] / (length[i]! * length[j]!);
  const columns = [0, 1, 2].map((axis) =>
    short
      .map((v) => ({ v, size: Math.sqrt(quadratic(given, v)) }))
      .filter(({ size }) => size > 0 && Math.abs(size / length[axis]! - 1) <= maxLength),
  );
  const found: (Setting & { readonly change: number })[] = [];
  const off = (i: number, j: number, p: { v: V; size: number }, q: { v: V; size: number }): number =>
    Math.abs(bilinear(given, p.v, q.v) / (p.size * q.size) - cosine(i, j));
  for (const a of columns[0]!)
    for (const b of columns[1]!) {
      const ab = off(0, 1, a, b);
      if (ab > maxCosine) continue;
      for (const c of columns[2]!) {
        const [p, q, r] = [a.v, b.v, c.v];
        const det = p[0] * (q[1] * r[2] - q[2] * r[1]) - q[0] * (p[1] * r[2] - p[2] * r[1]) + r[0] * (p[1] * q[2] - p[2] * q[1]); // prettier-ignore
        const angles = Math.max(ab, off(0, 2, a, c), off(1, 2, b, c));
        if (det !== 1 || angles > maxCosine) continue;
        const basis: Mat3 = [p[0], q[0], r[0], p[1], q[1], r[1], p[2], q[2], r[2]];
        const lengths = [a, b, c].map((x, i) => Math.abs(x.size / length[i]! - 1));
        found.push({ basis, error: Math.max(angles, ...lengths), change: 3 - p[0] - q[1] - r[2] });
      }
    }
  found.sort((x, y) => (Math.abs(x.error - y.error) > 1e-6 ? x.error - y.error : x.change - y.change));
  return found.map(({ basis, error }) => ({ basis, error }));
}
