import { fail } from "../core/errors.js";

/** A volume, x fastest. */
export interface VolumeOf {
  readonly data: Float32Array;
  readonly shape: readonly [nz: number, ny: number, nx: number];
}

/** @throws bad-shape, bad-value */
export function checkVolume({ data, shape: [nz, ny, nx] }: VolumeOf): void {
  if (data.length !== nz * ny * nx) fail("bad-shape", { length: data.length, shape: [nz, ny, nx] }, "a volume is [nz, ny, nx], x fastest");
  for (let i = 0; i < data.length; i++)
    if (!Number.isFinite(data[i]!))
      fail("bad-value", { index: i, value: data[i] }, "the volume must be finite: did the reconstruction diverge?");
}

/**
 * Indices of voxels that are above `threshold` and not below any of their 26 neighbours (ties go to the first), strongest first.
 * A border of `margin` voxels is left out.
 */
export function volumeMaxima({ data, shape: [nz, ny, nx] }: VolumeOf, threshold: number, margin = 1): Int32Array {
  const found: number[] = [],
    sy = nx,
    sz = nx * ny,
    m = Math.max(1, margin);
  const before: number[] = [],
    after: number[] = [];
  for (let dz = -1; dz <= 1; dz++)
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++) {
        const o = dz * sz + dy * sy + dx;
        if (o < 0) before.push(o);
        else if (o > 0) after.push(o);
      }
  for (let z = m; z < nz - m; z++)
    for (let y = m; y < ny - m; y++) {
      const row = z * sz + y * sy;
      next: for (let i = row + m; i < row + nx - m; i++) {
        const v = data[i]!;
        // The two neighbours along the row reject most voxels.
        if (!(v > threshold) || data[i - 1]! >= v || data[i + 1]! > v) continue;
        for (const o of before) if (data[i + o]! >= v) continue next;
        for (const o of after) if (data[i + o]! > v) continue next;
        found.push(i);
      }
    }
  return Int32Array.from(found.sort((a, b) => data[b]! - data[a]! || a - b));
}
