import { fail } from "../core/errors.js";

/** A cluster of difference vectors: a candidate lattice vector of reciprocal space. One of each pair ±v is listed. */
export interface DifferenceCluster {
  /** Mean vector, Å⁻¹, sample frame. */
  readonly v: readonly [number, number, number];
  readonly length: number;
  /** Number of differences in it. */
  readonly count: number;
  /** Root mean square distance of its members from the mean, Å⁻¹. */
  readonly spread: number;
}

export interface DifferenceOptions {
  /** Clusters are balls of this radius, Å⁻¹. Default 0.013 of the largest |r|. */
  readonly radius?: number;
  /** Differences longer than this are not formed, Å⁻¹. Default 0.6 of the largest |r|. */
  readonly maxLength?: number;
  /** First `maxVectors` vectors only; the cost grows with the square. */
  readonly maxVectors?: number;
  readonly minCount?: number;
}

/**
 * Cluster all difference vectors of a set of 3-D maxima. Every lattice vector occurs as a difference as often as the data hold both its
 * ends, so clusters of high count are lattice vectors, whatever the origin, and the vectors of several lattices stand side by side.
 * @param r - diffraction vectors, Å⁻¹, shape [n, 3], the most trustworthy first
 * @returns clusters by falling count
 */
export function differenceVectors(r: Float64Array, options: DifferenceOptions = {}): readonly DifferenceCluster[] {
  if (r.length % 3 !== 0) fail("bad-shape", { length: r.length }, "pass [n, 3] row-major: x0 y0 z0 x1 y1 z1 …");
  const { maxVectors = 700, minCount = 3 } = options;
  const n = Math.min(maxVectors, r.length / 3);
  let far = 0;
  for (let i = 0; i < n; i++) far = Math.max(far, Math.hypot(r[3 * i]!, r[3 * i + 1]!, r[3 * i + 2]!));
  const { radius = 0.013 * far, maxLength = 0.6 * far } = options;
  const cells = Math.ceil(maxLength / radius) + 2,
    width = 2 * cells + 1;
  const key = (x: number, y: number, z: number): number =>
    (Math.floor(x / radius) + cells) * width * width + (Math.floor(y / radius) + cells) * width + Math.floor(z / radius) + cells;
  // Half space z > 0 (then y, x) plus both signs near its border: ±v are stored once each and folded at the end.
  const points: number[] = [];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const x = r[3 * i]! - r[3 * j]!,
        y = r[3 * i + 1]! - r[3 * j + 1]!,
        z = r[3 * i + 2]! - r[3 * j + 2]!;
      if (z < -2 * radius) continue;
      const d2 = x * x + y * y + z * z;
      if (d2 > maxLength * maxLength || d2 < 4 * radius * radius) continue;
      points.push(x, y, z);
    }
  const buckets = new Map<number, number[]>();
  for (let p = 0; p < points.length; p += 3) {
    const k = key(points[p]!, points[p + 1]!, points[p + 2]!);
    const b = buckets.get(k);
    if (b) b.push(p);
    else buckets.set(k, [p]);
  }
  const near = (x: number, y: number, z: number, each: (p: number, d2: number) => void): void => {
    for (let dx = -1; dx <= 1; dx++)
      for (let dy = -1; dy <= 1; dy++)
        for (let dz = -1; dz <= 1; dz++) {
          const b = buckets.get(key(x + dx * radius, y + dy * radius, z + dz * radius));
          if (!b) continue;
          for (const p of b) {
            const d2 = (points[p]! - x) ** 2 + (points[p + 1]! - y) ** 2 + (points[p + 2]! - z) ** 2;
            if (d2 <= radius * radius) each(p, d2);
          }
        }
  };
  const dense = [...buckets.values()].filter((b) => b.length >= minCount / 2).sort((a, b) => b.length - a.length || a[0]! - b[0]!);
  const found: DifferenceCluster[] = [];
  const taken = new Map<number, DifferenceCluster[]>();
  const isTaken = (x: number, y: number, z: number): boolean => {
    for (const [sx, sy, sz] of [
      [x, y, z],
      [-x, -y, -z],
    ] as const)
      for (let dx = -1; dx <= 1; dx++)
        for (let dy = -1; dy <= 1; dy++)
          for (let dz = -1; dz <= 1; dz++)
            for (const c of taken.get(key(sx + dx * radius, sy + dy * radius, sz + dz * radius)) ?? [])
              if ((c.v[0] - sx) ** 2 + (c.v[1] - sy) ** 2 + (c.v[2] - sz) ** 2 < radius * radius) return true;
    return false;
  };
  for (const b of dense) {
    let x = 0,
      y = 0,
      z = 0;
    for (const p of b) {
      x += points[p]! / b.length;
      y += points[p + 1]! / b.length;
      z += points[p + 2]! / b.length;
    }
    let count = 0,
      spread = 0;
    for (let round = 0; round < 4; round++) {
      let sx = 0,
        sy = 0,
        sz = 0,
        s2 = 0,
        m = 0;
      near(x, y, z, (p, d2) => {
        m++;
        s2 += d2;
        sx += points[p]!;
        sy += points[p + 1]!;
        sz += points[p + 2]!;
      });
      if (m === 0) break;
      [x, y, z, count, spread] = [sx / m, sy / m, sz / m, m, Math.sqrt(s2 / m)];
    }
    if (count < minCount || z < -radius || isTaken(x, y, z)) continue;
    const flip = z < 0 || (z === 0 && (y < 0 || (y === 0 && x < 0))) ? -1 : 1;
    const c: DifferenceCluster = { v: [flip * x, flip * y, flip * z], length: Math.hypot(x, y, z), count, spread };
    found.push(c);
    const k = key(c.v[0], c.v[1], c.v[2]);
    taken.set(k, [...(taken.get(k) ?? []), c]);
  }
  return found.sort((a, b) => b.count - a.count || a.length - b.length);
}
