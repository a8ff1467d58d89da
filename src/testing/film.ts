import { rng } from "../core/rng.js";
import { kdTree } from "../numerics/cluster-kdtree.js";
import { atomModel } from "../tomography/atom-model.js";
import { projectAtoms, simulateCounts, tiltPoses } from "../tomography/simulate-project.js";
import { type TiltSeries, tiltSeries } from "../tomography/tilt-series.js";

/** An amorphous film: places at random within ±half, Å, 2.4 Å apart at least, thinned from a crowd of 0.83 to a cubic ångström. */
function film(seed: string, half: readonly number[]): Float64Array {
  const random = rng(seed),
    crowd = Math.round(0.83 * half.reduce((v, h) => v * 2 * h, 1)),
    places = Float64Array.from({ length: 3 * crowd }, (_, i) => (2 * random.uniform() - 1) * half[i % 3]!),
    tree = kdTree(places, 3),
    out = new Uint8Array(crowd),
    kept: number[] = [];
  for (let a = 0; a < crowd; a++) {
    if (out[a]) continue;
    const p = places.subarray(3 * a, 3 * a + 3);
    kept.push(...p);
    tree.within(p, 2.4, (b) => {
      out[b] = 1;
    });
  }
  return Float64Array.from(kept);
}

export interface FilmSeries {
  readonly series: TiltSeries;
  readonly pixel: number;
  /** Places of all atoms, and of those in the field, Å, [n, 3]. */
  readonly all: Float64Array;
  readonly inField: Float64Array;
}

/** Counts of a film that continues outside the field, tilted to ±60° about y; atoms 0.62 Å wide, the brightest pixel `peak` counts. */
export function filmSeries(of: {
  readonly seed: string;
  readonly pixel: number;
  readonly shape: readonly [ny: number, nx: number];
  readonly half: readonly [x: number, y: number, z: number];
  readonly views: number;
  readonly peak: number;
}): FilmSeries {
  const { seed, pixel, views, peak, half } = of,
    [ny, nx] = of.shape,
    all = film(seed, half),
    poses = tiltPoses(Array.from({ length: views }, (_, i) => ((-60 + (120 / (views - 1)) * i) * Math.PI) / 180)),
    inField: number[] = [];
  const { data } = simulateCounts(projectAtoms(atomModel(all, 1, 0.62), { shape: of.shape, pixel, poses }), {
    rng: rng(`${seed} counts`),
    peak,
    background: 2,
    readout: 1,
    offset: 0,
  });
  for (let a = 0; a < all.length; a += 3)
    if (Math.abs(all[a]!) < 0.5 * nx * pixel && Math.abs(all[a + 1]!) < 0.5 * ny * pixel) inField.push(...all.subarray(a, a + 3));
  return { series: tiltSeries(data, [views, ny, nx], poses, { pixelAngstrom: pixel }), pixel, all, inField: Float64Array.from(inField) };
}
