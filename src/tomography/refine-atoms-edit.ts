import { atomKernels } from "../kernels/atoms.js";
import { arena } from "../kernels/memory.js";
import { kdTree } from "../numerics/cluster-kdtree.js";
import { gaussianFilter } from "../numerics/filters.js";
import { quantile } from "../numerics/stats-select.js";
import { type AtomModel, checkProjections, type PosedProjections } from "./atom-model.js";
import { classifyIntensities, countClasses } from "./classify.js";
import { noiseMaximum } from "./noise-maximum.js";
import type { RefinedAtoms } from "./refine-atoms.js";
import { pixelVariance } from "./refine-atoms-noise.js";
import { volumeMaxima } from "./trace-maxima.js";
import { polynomialPeaks } from "./trace-polynomial.js";

/** Places where the projections ask for an atom that the model lacks. */
export interface ResidualPeaks {
  /** Å, [n, 3]. */
  readonly positions: Float64Array;
  /** Integrated intensity that would explain the residual, [n]. */
  readonly intensities: Float64Array;
  /** Intensity over its standard deviation, [n]. */
  readonly significance: Float64Array;
}

export interface ResidualPeakOptions {
  /** Least significance, standard deviations (default: what noise exceeds in a tenth of such searches, {@link noiseMaximum}). */
  readonly significance?: number | undefined;
  /** Least intensity (default 0). */
  readonly intensity?: number | undefined;
  /** Nearer than this to an atom of the model is none, Å (default 1.6). */
  readonly minDistance?: number | undefined;
  /** The search goes this far beyond the box of the atoms, Å (default 3). */
  readonly beyond?: number | undefined;
}

/**
 * Matched filter of the residual projections: for every point r the least-squares intensity of a Gaussian added there,
 * I = Σ w ρ G / Σ w G² over all views, and its significance I √(Σ w G²). A residual volume whose noise is known.
 */
export function residualPeaks(series: PosedProjections, refined: RefinedAtoms, options: ResidualPeakOptions = {}): ResidualPeaks {
  const { intensity = 0, minDistance = 1.6, beyond = 3 } = options;
  const pixel = checkProjections(series),
    [views, ny, nx] = series.shape,
    size = ny * nx,
    { model, noise, calculated } = refined;
  const lo = [0, 1, 2].map((k) => Number.POSITIVE_INFINITY + k),
    hi = [0, 1, 2].map((k) => Number.NEGATIVE_INFINITY + k);
  for (let a = 0; a < model.size; a++)
    for (let k = 0; k < 3; k++) {
      lo[k] = Math.min(lo[k]!, model.positions[3 * a + k]!);
      hi[k] = Math.max(hi[k]!, model.positions[3 * a + k]!);
    }
  // The same grid of whole voxels from the centre as a reconstruction has.
  const from = lo.map((v) => Math.floor((v - beyond) / pixel)),
    shape = [2, 1, 0].map((k) => Math.ceil((hi[k]! + beyond) / pixel) - from[k]! + 1) as unknown as readonly [number, number, number];
  const count = shape[0] * shape[1] * shape[2],
    memory = arena(),
    kernels = atomKernels(memory);
  const top = memory.alloc(4 * count),
    bottom = memory.alloc(4 * count),
    pad = 1,
    stride = nx + 2,
    image = memory.alloc(4 * stride * (ny + 2));
  memory.f32(top, count).fill(0);
  memory.f32(bottom, count).fill(0);
  const sigma = quantile(Array.from(model.widths), 0.5) / pixel,
    square = 1 / (4 * Math.PI * sigma * sigma),
    significance = options.significance ?? noiseMaximum(count, refined.poses, sigma);
  for (let i = 0; i < views; i++) {
    const R = refined.poses.subarray(9 * i, 9 * i + 9),
      w = new Float32Array(size),
      wr = new Float32Array(size);
    for (let j = 0; j < size; j++) {
      const c = calculated[i * size + j]!;
      if (series.mask?.[i * size + j]) continue;
      w[j] = 1 / pixelVariance(noise, c);
      wr[j] = w[j]! * (series.projections[i * size + j]! - c);
    }
    const filtered = (v: Float32Array, s: number): Float32Array =>
      gaussianFilter({ data: v, shape: [ny, nx] }, s, { edge: "zero" }).data as Float32Array;
    const line = (c: number, n: number, shift: number): [number, number, number, number] => [
      R[c]!,
      R[3 + c]!,
      R[6 + c]!,
      R[c]! * from[0]! + R[3 + c]! * from[1]! + R[6 + c]! * from[2]! + Math.floor(n / 2) + shift,
    ];
    const u = line(0, nx, refined.shifts[2 * i]!),
      v = line(1, ny, refined.shifts[2 * i + 1]!);
    for (const [target, values, f] of [
      [top, filtered(wr, sigma), 1],
      [bottom, filtered(w, sigma / Math.SQRT2), square],
    ] as const) {
      const img = memory.f32(image, stride * (ny + 2));
      img.fill(0);
      for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) img[(y + 1) * stride + x + 1] = f * values[y * nx + x]!;
      kernels.smear(target, 0, shape[0], shape[1], shape[2], ...u, ...v, image, ny, nx, pad);
    }
  }
  const q = memory.f32(top, count),
    h = memory.f32(bottom, count),
    score = new Float32Array(count);
  for (let i = 0; i < count; i++) score[i] = h[i]! > 0 ? q[i]! / Math.sqrt(h[i]!) : 0;
  const volume = { data: score, shape },
    refine = polynomialPeaks(volume, { radius: Math.max(2.25, Math.min(4, 2 * sigma)) });
  const tree = model.size ? kdTree(model.positions, 3) : undefined,
    found: { p: number[]; i: number; s: number }[] = [];
  for (const i of volumeMaxima(volume, significance)) {
    const I = q[i]! / h[i]!;
    if (I < intensity) continue;
    const peak = refine(i),
      at = [peak.x, peak.y, peak.z].map((v, k) => (v + from[k]!) * pixel);
    if (tree && tree.nearest(at, 1).distance[0]! < minDistance) continue;
    if (found.some((f) => Math.hypot(...f.p.map((v, k) => v - at[k]!)) < minDistance)) continue;
    found.push({ p: at, i: I, s: score[i]! });
  }
  return {
    positions: Float64Array.from(found.flatMap((f) => f.p)),
    intensities: Float64Array.from(found, (f) => f.i),
    significance: Float64Array.from(found, (f) => f.s),
  };
}

/**
 * Atoms that refinement has unmasked: weaker than `fraction` (default 0.45) of the lightest species, or the weaker of two nearer than
 * `minDistance` Å (default 1.6). Species are the populations of the intensities themselves.
 */
export function falseAtoms(
  model: AtomModel,
  {
    fraction = 0.45,
    minDistance = 1.6,
    classes,
  }: { readonly fraction?: number; readonly minDistance?: number; readonly classes?: number | undefined } = {},
): { readonly remove: Uint8Array; readonly least: number } {
  const remove = new Uint8Array(model.size),
    I = model.intensities;
  // Twice: the first cut takes those near zero out of the lightest population.
  let least = 0;
  for (let round = 0; round < 2; round++) {
    const kept = Array.from(I).filter((_, a) => !remove[a]);
    if (kept.length < 2) break;
    const k = Math.min(kept.length, classes ?? countClasses(kept)),
      { species } = classifyIntensities(kept, k),
      lightest = kept.filter((_, a) => species[a] === 0);
    least = fraction * quantile(lightest, 0.5);
    for (let a = 0; a < model.size; a++) if (I[a]! < least) remove[a] = 1;
  }
  if (model.size) {
    const tree = kdTree(model.positions, 3);
    const order = Array.from({ length: model.size }, (_, a) => a).sort((a, b) => I[b]! - I[a]! || a - b);
    const rank = new Int32Array(model.size);
    order.forEach((a, i) => {
      rank[a] = i;
    });
    for (const a of order) {
      if (remove[a]) continue;
      tree.within(model.positions.subarray(3 * a, 3 * a + 3), minDistance, (b) => {
        if (b !== a && rank[b]! > rank[a]!) remove[b] = 1;
      });
    }
  }
  return { remove, least };
}
