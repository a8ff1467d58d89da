import { fail } from "../core/errors.js";
import { kdTree } from "../numerics/cluster-kdtree.js";
import { quantile } from "../numerics/stats-select.js";
import { centreIndex } from "./layout.js";
import { gaussianPeaks } from "./trace-gaussian.js";
import { jointGaussians } from "./trace-joint.js";
import { checkVolume, type VolumeOf, volumeMaxima } from "./trace-maxima.js";
import { polynomialPeaks, type SubVoxelPeak } from "./trace-polynomial.js";
import { valleyThreshold } from "./trace-threshold.js";

export interface TraceOptions {
  /** Å per voxel. */
  readonly pixel: number;
  /** A weaker maximum nearer than this to a stronger one is no atom, Å (default 2). */
  readonly minDistance?: number | undefined;
  /** Least height of an atom; default: found from the histogram of heights. */
  readonly threshold?: number | undefined;
  /** "joint" (default): Gaussians of one width fitted to the volume all together; "polynomial": maximum of a quartic; "gaussian": each a Gaussian on a constant. */
  readonly method?: "joint" | "polynomial" | "gaussian" | undefined;
  /** Radius of the sphere of the fits, voxels; default 2.4 widths of the atoms, within 2.25 and 0.7 of the least distance. */
  readonly radius?: number | undefined;
  /** 1 where atoms may be, [nz, ny, nx]. */
  readonly support?: ArrayLike<number> | undefined;
  /** Voxels at the border of the volume without atoms, on all sides or [z, y, x] (default 0). Beyond the border the volume is continued by its outermost voxels. */
  readonly margin?: number | readonly [z: number, y: number, x: number] | undefined;
  /** Only atoms within the middle [ny, nx] of the volume are wanted; those beside it take part in joint fits. Default: the whole. */
  readonly field?: readonly [ny: number, nx: number] | undefined;
}

/** Maxima of a volume that are taken for atoms, strongest first. */
export interface TracedAtoms {
  readonly size: number;
  /** Å from the centre of the volume, [n, 3], x y z. */
  readonly positions: Float64Array;
  /** Heights of the maxima, [n]. */
  readonly heights: Float64Array;
  /** Sum over 5 × 5 × 5 voxels, [n]. */
  readonly integrated: Float64Array;
  /** Median width of the atoms in the volume, Å. */
  readonly width: number;
  readonly threshold: number;
  /** False where the heights have no valley between noise and atoms: look at the histogram. */
  readonly separated: boolean;
  /** Heights of the maxima that were refused for being low. */
  readonly refused: Float64Array;
}

/**
 * Atoms of a reconstructed volume: local maxima, refined between voxels by linear fits, thinned to a minimum distance, cut where
 * the histogram of their heights has its valley, and fitted together.
 * @throws bad-shape, bad-value
 * @see Yang et al. (2017) Nature 542, 75; Yang et al. (2021) Nature 592, 60 (quartic fits)
 */
export function traceAtoms(volume: VolumeOf, options: TraceOptions): TracedAtoms {
  checkVolume(volume);
  const { pixel, minDistance = 2, method = "joint", support, margin = 0 } = options;
  if (!(pixel > 0)) fail("bad-value", { pixel }, "pixel is the size of a voxel in Å, above 0");
  if (!(minDistance >= 0)) fail("bad-value", { minDistance }, "minDistance is a length in Å");
  const margins = typeof margin === "number" ? ([margin, margin, margin] as const) : margin;
  if (!margins.every((m) => Number.isInteger(m) && m >= 0))
    fail("bad-value", { margin }, "a margin is a whole number of voxels, on every side or along z, y and x");
  if (support && support.length !== volume.data.length)
    fail("bad-shape", { support: support.length, volume: volume.data.length }, "the support is as large as the volume");
  const padded = pad(volume, RIM),
    [nz, ny, nx] = padded.shape,
    [, sy, sx] = volume.shape,
    { data } = padded;
  const allowed = (i: number): boolean => {
    const at = [Math.floor(i / (nx * ny)) - RIM, (Math.floor(i / nx) % ny) - RIM, (i % nx) - RIM] as const;
    return at.every((v, k) => v >= margins[k]! && v < volume.shape[k]! - margins[k]!) && support?.[(at[0] * sy + at[1]) * sx + at[2]] !== 0;
  };
  const maxima = volumeMaxima(padded, 0, RIM).filter(allowed);
  // Widths of the strongest tenth tell how large a sphere an atom fills.
  const first = polynomialPeaks(padded, { radius: 2.5 });
  const sample = Array.from(maxima.subarray(0, Math.max(30, Math.min(500, Math.ceil(maxima.length / 10)))), (i) => first(i)).filter(
    (p) => p.ok,
  );
  const sigma = sample.length
    ? quantile(
        sample.map((p) => p.width),
        0.5,
      )
    : 1.3;
  const radius = options.radius ?? Math.max(2.25, Math.min(2.4 * sigma, (0.7 * minDistance) / pixel, 5));
  const polynomial = polynomialPeaks(padded, { radius });
  const low = options.threshold ?? 0;
  let peaks: SubVoxelPeak[] = [];
  for (const i of maxima) {
    if (data[i]! < 0.5 * low) continue;
    const p = polynomial(i);
    if (p.ok && p.height > 0) peaks.push(p);
  }
  // A quartic draws close neighbours together: in joint fits they are thinned by what those say.
  const joint = method === "joint";
  peaks = thin(peaks, ((joint ? 0.8 : 1) * minDistance) / pixel);
  const { field } = options,
    inField = (p: SubVoxelPeak): boolean => !field || (inMiddle(p.x - RIM, sx, field[1]) && inMiddle(p.y - RIM, sy, field[0]));
  const refused: number[] = [];
  let width = sigma;
  if (joint && peaks.length) {
    // False maxima down to a tenth of the highest take part: the valley shows between heights that no flank adds to.
    const least =
      options.threshold === undefined
        ? 0.1 *
          quantile(
            peaks.map((p) => p.height),
            0.98,
          )
        : 0.5 * options.threshold;
    for (const p of peaks) if (p.height < least && inField(p)) refused.push(p.height);
    peaks = jointGaussians(
      padded,
      peaks.filter((p) => p.height >= least),
      { width, border: RIM },
    ).filter((p) => p.ok);
    width = peaks[0]?.width ?? sigma;
    peaks = thin(peaks, minDistance / pixel);
  }
  const cut =
    options.threshold === undefined
      ? valleyThreshold([...refused, ...peaks.filter(inField).map((p) => p.height)])
      : { threshold: options.threshold, found: true };
  for (const p of peaks) if (p.height < cut.threshold && inField(p)) refused.push(p.height);
  let kept = peaks.filter((p) => p.height >= cut.threshold);
  if (!joint) width = widthOf(kept) ?? sigma;
  if (joint) kept = jointGaussians(padded, kept, { width, sweeps: 3, border: RIM }).filter((p) => p.ok);
  else if (method === "gaussian") {
    const refine = gaussianPeaks(padded, { radius, width });
    kept = thin(
      kept.map((p) => {
        const g = refine(p);
        return g.ok ? g : p;
      }),
      minDistance / pixel,
    );
  } else if (method !== "polynomial") fail("bad-value", { method }, 'method is "joint", "polynomial" or "gaussian"');
  kept = kept.filter(inField);
  const positions = new Float64Array(3 * kept.length),
    integrated = new Float64Array(kept.length);
  kept.forEach((p, a) => {
    positions.set([(p.x - Math.floor(nx / 2)) * pixel, (p.y - Math.floor(ny / 2)) * pixel, (p.z - Math.floor(nz / 2)) * pixel], 3 * a);
    const [x, y, z] = [Math.round(p.x), Math.round(p.y), Math.round(p.z)];
    for (let k = Math.max(0, z - 2); k <= Math.min(nz - 1, z + 2); k++)
      for (let j = Math.max(0, y - 2); j <= Math.min(ny - 1, y + 2); j++)
        for (let i = Math.max(0, x - 2); i <= Math.min(nx - 1, x + 2); i++) integrated[a]! += data[(k * ny + j) * nx + i]!;
  });
  return {
    size: kept.length,
    positions,
    heights: Float64Array.from(kept, (p) => p.height),
    integrated,
    width: (joint ? (kept[0]?.width ?? width) : width) * pixel,
    threshold: cut.threshold,
    separated: cut.found,
    refused: Float64Array.from(refused),
  };
}

const widthOf = (peaks: readonly SubVoxelPeak[]): number | undefined =>
  peaks.length
    ? quantile(
        peaks.map((p) => p.width),
        0.5,
      )
    : undefined;

/** Whether a coordinate lies in the middle `part` of `whole` voxels, or within a voxel outside it: places are known no better. */
const inMiddle = (at: number, whole: number, part: number): boolean => {
  const index = at - (centreIndex(whole) - centreIndex(part));
  return index >= -1 && index <= part;
};

/** Voxels that the volume is continued by: the largest sphere of a fit. */
const RIM = 6;

/** The volume with its outermost voxels repeated `by` times on every side. */
function pad({ data, shape: [nz, ny, nx] }: VolumeOf, by: number): VolumeOf {
  const shape = [nz + 2 * by, ny + 2 * by, nx + 2 * by] as const,
    out = new Float32Array(shape[0] * shape[1] * shape[2]);
  const clamp = (i: number, n: number): number => Math.max(0, Math.min(n - 1, i - by));
  for (let z = 0, to = 0; z < shape[0]; z++)
    for (let y = 0; y < shape[1]; y++, to += shape[2]) {
      const from = (clamp(z, nz) * ny + clamp(y, ny)) * nx;
      out.set(data.subarray(from, from + nx), to + by);
      out.fill(data[from]!, to, to + by);
      out.fill(data[from + nx - 1]!, to + by + nx, to + shape[2]);
    }
  return { data: out, shape };
}

/** Strongest first; those nearer than `distance` voxels to a stronger one are dropped. */
function thin(peaks: readonly SubVoxelPeak[], distance: number): SubVoxelPeak[] {
  const sorted = [...peaks].sort((a, b) => b.height - a.height || a.z - b.z || a.y - b.y || a.x - b.x);
  if (sorted.length === 0) return sorted;
  const tree = kdTree(Float64Array.from(sorted.flatMap((p) => [p.x, p.y, p.z])), 3),
    out = new Uint8Array(sorted.length);
  sorted.forEach((p, i) => {
    if (out[i]) return;
    tree.within([p.x, p.y, p.z], distance, (j) => {
      if (j > i) out[j] = 1;
    });
  });
  return sorted.filter((_, i) => !out[i]);
}
