import { centreIndex } from "./layout.js";
import type { Poses } from "./poses.js";
import type { Reconstruction } from "./reconstruction.js";
import type { VolumeOf } from "./trace-maxima.js";

/**
 * Box of an object that continues outside the field: all that the rays of the views cross within `depth` voxels along z. A narrower box
 * leaves the views no matter to be explained by at their sides, and what is missing there disturbs the middle.
 * @param detector - [ny, nx] of the views
 * @returns [nz, ny, nx], odd where the views are odd, never smaller than the views
 */
export function extendedVolume(
  poses: Poses,
  [ny, nx]: readonly [number, number],
  depth: number,
): readonly [nz: number, ny: number, nx: number] {
  // Centres of the pixels and voxels from the middle one.
  const ends = (n: number): readonly [number, number] => [-centreIndex(n), n - 1 - centreIndex(n)];
  const more = [0, 0];
  for (let p = 0; p < poses.length; p += 9) {
    const r = poses.subarray(p, p + 9);
    // Beyond 84° nobody tilts; the box stays finite.
    const along = (r[8]! < 0 ? -1 : 1) * Math.max(0.1, Math.abs(r[8]!));
    for (const u of ends(nx))
      for (const v of ends(ny))
        for (const z of ends(depth)) {
          const w = (z - r[6]! * u - r[7]! * v) / along;
          [nx, ny].forEach((n, k) => {
            const at = r[3 * k]! * u + r[3 * k + 1]! * v + r[3 * k + 2]! * w;
            more[k] = Math.max(more[k]!, ends(n)[0] - at, at - ends(n)[1]);
          });
        }
  }
  const size = (n: number, k: number): number => n + 2 * Math.ceil(more[k]! - 1e-6);
  return [depth, size(ny, 1), size(nx, 0)];
}

/** The middle [ny, nx] columns of a volume, no more than there are. */
export function middleColumns({ volume, shape: [nz, tall, wide] }: Reconstruction, most: readonly [number, number]): VolumeOf {
  const ny = Math.min(tall, most[0]),
    nx = Math.min(wide, most[1]);
  const x0 = centreIndex(wide) - centreIndex(nx),
    y0 = centreIndex(tall) - centreIndex(ny),
    data = new Float32Array(nz * ny * nx);
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) {
      const from = (z * tall + y + y0) * wide + x0;
      data.set(volume.subarray(from, from + nx), (z * ny + y) * nx);
    }
  return { data, shape: [nz, ny, nx] };
}
