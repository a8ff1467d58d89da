import { extendedVolume, middleColumns } from "./extended.js";
import { type ResireOptions, resire } from "./iterative.js";
import { centreIndex } from "./layout.js";
import type { Reconstruction } from "./reconstruction.js";
import type { TiltSeries } from "./tilt-series.js";
import { type TracedAtoms, type TraceOptions, traceAtoms } from "./trace.js";
import { valleyThreshold } from "./trace-threshold.js";

export interface FilmAtomsOptions extends Pick<ResireOptions, "withhold" | "seed" | "workers" | "signal" | "onProgress"> {
  /** Å per voxel. */
  readonly pixel: number;
  /** Iterations of the reconstruction that knows of no atoms (default 40). */
  readonly iterations?: number | undefined;
  /** Reconstructions that begin with the atoms of the one before (default 4; 0: none). */
  readonly rounds?: number | undefined;
  /** Iterations of each of them (default 6). */
  readonly roundIterations?: number | undefined;
  /** A weaker maximum nearer than this to a stronger one is no atom, Å (default 1.9). */
  readonly minDistance?: number | undefined;
}

export interface FilmAtoms {
  /** Of the projections alone. */
  readonly reconstruction: Reconstruction;
  /** The last that began with atoms, in which they were traced; the same as `reconstruction` without rounds. */
  readonly completed: Reconstruction;
  readonly traced: TracedAtoms;
}

/**
 * Atoms of an extended object from a tilt series with a missing wedge. Where no view looks, a reconstruction from nothing stays empty: atoms are drawn out
 * along the beam and into each other. So it is begun again, half from what it was and half from round atoms where atoms were traced, and a few
 * iterations let the views correct what they see; what they do not see keeps the atoms' own waves. Traced again, and so on.
 * The cut is the middle of the valley of the first volume. Matter that the views want outside the box gathers at its two faces across the beam: no atoms there.
 */
export async function filmAtoms(series: TiltSeries, options: FilmAtomsOptions): Promise<FilmAtoms> {
  const { pixel, iterations = 40, rounds = 4, roundIterations = 6, minDistance = 1.9, onProgress, ...rest } = options,
    [, ny, nx] = series.shape,
    volume = extendedVolume(series.poses, [ny, nx], nx),
    total = iterations + rounds * roundIterations;
  const run = (count: number, done: number, start?: Float32Array): Promise<Reconstruction> =>
    resire(series, {
      ...rest,
      iterations: count,
      step: 1,
      momentum: true,
      volume,
      start,
      onProgress: onProgress && ((p) => onProgress({ ...p, done: done + p.done, total })),
    });
  const trace = (r: Reconstruction, more: Pick<TraceOptions, "threshold" | "field">): TracedAtoms =>
    traceAtoms(middleColumns(r, [ny + AROUND, nx + AROUND]), { pixel, minDistance, margin: [FACE, 0, 0], ...more });
  const reconstruction = await run(iterations, 0),
    first = trace(reconstruction, { field: [ny, nx] });
  let completed = reconstruction;
  if (first.size > 0)
    for (let round = 0; round < rounds; round++) {
      const atoms = trace(completed, { threshold: TAKEN_ALONG * first.threshold });
      completed = await run(roundIterations, iterations + round * roundIterations, withAtoms(completed, atoms, [ny, nx], pixel));
    }
  // The valley of the first volume where it has one: in the last one it lies at half the height, since the rounds weaken false maxima.
  const cut = first.separated || rounds === 0 ? first : trace(completed, { field: [ny, nx] });
  const traced = trace(completed, { threshold: middleOfValley(cut), field: [ny, nx] });
  return { reconstruction, completed, traced: { ...traced, separated: cut.separated } };
}

/** Nothing after this finds a false atom out, so not the low side of the valley, which is the threshold of tracing and stays where there is no valley. */
function middleOfValley({ heights, refused, separated, threshold }: TracedAtoms): number {
  const { middle, found } = valleyThreshold([...heights, ...refused]);
  return separated && found ? middle : threshold;
}

/** Voxels beyond the field, both sides together, in which atoms are traced as well: they belong to the fits of those at its rim. */
const AROUND = 16;
/** Voxels at either face of the box across the beam. */
const FACE = 2;
/** Atoms that were missed at first lie below the cut; a false one that is put in is taken out again by the views. */
const TAKEN_ALONG = 0.7;
/** Share of the volume before in the start of a round; the rest are its atoms. */
const KEPT = 0.5;

/** The volume; in its middle [ny, nx] columns and six voxels about them its mean with that of Gaussian atoms. */
function withAtoms(
  { volume, shape: [nz, tall, wide] }: Reconstruction,
  { size, positions, heights, width }: TracedAtoms,
  [ny, nx]: readonly [number, number],
  pixel: number,
): Float32Array {
  const out = volume.slice(),
    box = [wide, tall, nz] as const,
    sigma = width / pixel,
    reach = 3.7 * sigma;
  const range = (whole: number, part: number): readonly [number, number] => {
    const from = centreIndex(whole) - centreIndex(part);
    return [Math.max(0, from - 6), Math.min(whole - 1, from + part + 5)];
  };
  const limits = [range(wide, nx), range(tall, ny), [0, nz - 1]] as const,
    [[x0, x1], [y0, y1]] = limits;
  for (let z = 0; z < nz; z++)
    for (let y = y0; y <= y1; y++) for (let x = x0, i = (z * tall + y) * wide + x0; x <= x1; x++, i++) out[i]! *= KEPT;
  for (let a = 0; a < size; a++) {
    const line = limits.map(([least, most], k) => {
      const c = positions[3 * a + k]! / pixel + centreIndex(box[k as 0]),
        from = Math.max(least, Math.ceil(c - reach)),
        to = Math.min(most, Math.floor(c + reach));
      return { from, g: Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => Math.exp(-0.5 * ((from + i - c) / sigma) ** 2)) };
    });
    const [x, y, z] = line as [(typeof line)[0], (typeof line)[0], (typeof line)[0]];
    z.g.forEach((gz, k) => {
      y.g.forEach((gy, j) => {
        const h = (1 - KEPT) * heights[a]! * gz * gy,
          row = ((z.from + k) * tall + y.from + j) * wide + x.from;
        for (let i = 0; i < x.g.length; i++) out[row + i]! += h * x.g[i]!;
      });
    });
  }
  return out;
}
