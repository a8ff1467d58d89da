import { fail } from "../core/errors.js";
import type { Rng } from "../core/rng.js";
import { type AtomClasses, classifyIntensities } from "./classify.js";
import { checkVolume, type VolumeOf } from "./trace-maxima.js";

export interface ProfileOptions {
  /** Å per voxel. */
  readonly pixel: number;
  readonly classes: number;
  /** Half the side of the cube about an atom, voxels (default 2: 5 × 5 × 5). */
  readonly half?: number | undefined;
  /** Random labels to begin with; default the split by integrated intensity. */
  readonly start?: Rng | undefined;
  readonly iterations?: number | undefined;
}

/**
 * Species by the iterative average profile: every atom is a vector of voxels about its centre (interpolated), every class the mean of
 * its atoms; atoms go to the nearest class until none moves. Classes are numbered by their mean intensity, so the result does not
 * depend on the labels of the start. Probabilities come from the two-point projection on the line between the means.
 * @see Yang et al. (2017) Nature 542, 75 (unbiased reclassification)
 */
export function classifyProfiles(
  volume: VolumeOf,
  positions: Float64Array,
  options: ProfileOptions,
): AtomClasses & { readonly rounds: number } {
  checkVolume(volume);
  const { pixel, classes: k, half = 2, iterations = 200 } = options,
    n = positions.length / 3,
    side = 2 * half + 1,
    size = side ** 3;
  if (n < k || !(k >= 1)) fail("bad-value", { atoms: n, classes: k }, "at least as many atoms as species");
  const vectors = new Float32Array(n * size),
    sums = new Float64Array(n);
  for (let a = 0; a < n; a++) {
    cube(
      volume,
      [0, 1, 2].map((c) => positions[3 * a + c]! / pixel) as [number, number, number],
      half,
      vectors.subarray(a * size, (a + 1) * size),
    );
    for (let i = 0; i < size; i++) sums[a]! += vectors[a * size + i]!;
  }
  let species = options.start ? Uint8Array.from({ length: n }, () => options.start!.integer(k)) : classifyIntensities(sums, k).species;
  const means = new Float64Array(k * size),
    distance = (a: number, c: number): number => {
      let s = 0;
      for (let i = 0, o = a * size, m = c * size; i < size; i++, o++, m++) s += (vectors[o]! - means[m]!) ** 2;
      return s;
    };
  let rounds = 0;
  for (; rounds < iterations; rounds++) {
    means.fill(0);
    const count = new Float64Array(k);
    for (let a = 0; a < n; a++) {
      const c = species[a]!;
      count[c]!++;
      for (let i = 0; i < size; i++) means[c * size + i]! += vectors[a * size + i]!;
    }
    for (let c = 0; c < k; c++) for (let i = 0; i < size; i++) means[c * size + i]! /= Math.max(1, count[c]!);
    const next = species.map((old, a) => {
      let best: number = old;
      for (let c = 0; c < k; c++) if (count[c]! > 0 && distance(a, c) < distance(a, best)) best = c;
      return best;
    });
    if (next.every((s, a) => s === species[a])) break;
    species = next;
  }
  const total = (c: number): number => means.subarray(c * size, (c + 1) * size).reduce((s, v) => s + v, 0);
  const order = Array.from({ length: k }, (_, c) => c).sort((a, b) => total(a) - total(b)),
    rank = order.map((_, c) => order.indexOf(c));
  // The spread within classes along the line of means turns distances into probabilities.
  const squared = Array.from({ length: n }, (_, a) => order.map((c) => distance(a, c)));
  const spread = alongMeans(vectors, means, species, k, size);
  const probability = new Float64Array(n * k);
  for (let a = 0; a < n; a++) {
    const least = Math.min(...squared[a]!);
    let sum = 0;
    for (let c = 0; c < k; c++) sum += probability[a * k + c] = Math.exp(-(squared[a]![c]! - least) / (2 * spread));
    for (let c = 0; c < k; c++) probability[a * k + c]! /= sum;
  }
  const labels = species.map((s) => rank[s]!);
  const stats = order.map((_, c) => {
    const v = sums.filter((_, a) => labels[a] === c),
      m = v.reduce((s, x) => s + x, 0) / Math.max(1, v.length);
    return [m, Math.sqrt(v.reduce((s, x) => s + (x - m) ** 2, 0) / Math.max(1, v.length))] as const;
  });
  return {
    species: labels,
    probability,
    means: Float64Array.from(stats, (s) => s[0]),
    sigmas: Float64Array.from(stats, (s) => s[1]),
    rounds,
  };
}

/** Variance of atoms about their class mean along the direction to the nearest other mean: what can carry an atom over. */
function alongMeans(vectors: Float32Array, means: Float64Array, species: Uint8Array, k: number, size: number): number {
  let sum = 0,
    count = 0;
  for (let a = 0; a < species.length; a++) {
    const c = species[a]!;
    for (let o = 0; o < k; o++) {
      if (o === c) continue;
      let dot = 0,
        norm = 0;
      for (let i = 0; i < size; i++) {
        const d = means[o * size + i]! - means[c * size + i]!;
        dot += d * (vectors[a * size + i]! - means[c * size + i]!);
        norm += d * d;
      }
      if (norm > 0) {
        sum += dot ** 2 / norm;
        count++;
      }
    }
  }
  return Math.max(sum / Math.max(1, count), 1e-30);
}

/** Voxels about a position (voxels from the centre of the volume), trilinear; 0 outside. */
function cube({ data, shape: [nz, ny, nx] }: VolumeOf, p: readonly [number, number, number], half: number, out: Float32Array): void {
  const x0 = p[0] + Math.floor(nx / 2),
    y0 = p[1] + Math.floor(ny / 2),
    z0 = p[2] + Math.floor(nz / 2);
  const fx = x0 - Math.floor(x0),
    fy = y0 - Math.floor(y0),
    fz = z0 - Math.floor(z0);
  const at = (x: number, y: number, z: number): number =>
    x < 0 || y < 0 || z < 0 || x >= nx || y >= ny || z >= nz ? 0 : data[(z * ny + y) * nx + x]!;
  let o = 0;
  for (let k = -half; k <= half; k++)
    for (let j = -half; j <= half; j++)
      for (let i = -half; i <= half; i++) {
        const [x, y, z] = [Math.floor(x0) + i, Math.floor(y0) + j, Math.floor(z0) + k];
        const line = (yy: number, zz: number): number => (1 - fx) * at(x, yy, zz) + fx * at(x + 1, yy, zz);
        out[o++] = (1 - fz) * ((1 - fy) * line(y, z) + fy * line(y + 1, z)) + fz * ((1 - fy) * line(y, z + 1) + fy * line(y + 1, z + 1));
      }
}
