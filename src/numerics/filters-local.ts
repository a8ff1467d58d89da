import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { defaultImageKernels, type Edge, type ImageKernels } from "../kernels/images.js";
import { checkImage } from "./filters.js";

/** Options of masked reductions; a mask is u8 [ny, nx], not 0 = bad, left out. */
export interface MaskedOptions {
  readonly mask?: Uint8Array | undefined;
  readonly kernels?: ImageKernels | undefined;
}

function checkMask(image: Image, mask: Uint8Array | undefined): void {
  checkImage(image);
  if (mask && mask.length !== image.data.length)
    fail("bad-shape", { mask: mask.length, image: image.data.length }, "a mask has one byte per pixel");
}

/** Mean over windows of half size `half`, by running sums: the cost does not depend on the window. "clip" shortens windows at the edges. */
export function meanFilter(
  image: Image,
  half: number | readonly [number, number],
  { mask, edge = "clip", kernels = defaultImageKernels() }: MaskedOptions & { readonly edge?: "clip" | "mirror" | "nearest" } = {},
): Image {
  return { data: local(image, mask, half, edge, kernels, false).mean, shape: image.shape };
}

/** Mean, variance (divisor count) and number of good pixels over windows of half size `half`; NaN where no pixel is good. */
export function localStatistics(
  image: Image,
  half: number | readonly [number, number],
  { mask, edge = "clip", kernels = defaultImageKernels() }: MaskedOptions & { readonly edge?: "clip" | "mirror" | "nearest" } = {},
): { readonly mean: Image; readonly variance: Image; readonly count: Image } {
  const r = local(image, mask, half, edge, kernels, true),
    shape = image.shape;
  return { mean: { data: r.mean, shape }, variance: { data: r.variance!, shape }, count: { data: r.count!, shape } };
}

function local(
  image: Image,
  mask: Uint8Array | undefined,
  half: number | readonly [number, number],
  edge: "clip" | "mirror" | "nearest",
  kernels: ImageKernels,
  all: boolean,
) {
  checkMask(image, mask);
  const [ry, rx] = typeof half === "number" ? [half, half] : half;
  if (!(Number.isInteger(ry) && Number.isInteger(rx) && ry >= 0 && rx >= 0))
    fail("bad-value", { half }, "a window is given by its half size: half 2 is 5 × 5 pixels");
  const rule: Edge = edge === "clip" ? "zero" : edge;
  return kernels.localMoments(image.data, mask, ...image.shape, ry, rx, rule, { variance: all, count: all });
}

/** Count, mean, standard deviation (divisor count − 1) and range of the good finite pixels. */
export function imageStatistics(image: Image, { mask, kernels = defaultImageKernels() }: MaskedOptions = {}) {
  checkMask(image, mask);
  const [count, sum, squares, min, max] = kernels.totals(image.data, mask) as unknown as [number, number, number, number, number];
  const mean = sum / count;
  return { count, sum, mean, sigma: Math.sqrt(Math.max(0, squares - sum * mean) / (count - 1)), min, max };
}

/**
 * Sum blocks of factor × factor pixels. Saturation is tested before binning: a block with one saturated pixel is bad, whatever its sum.
 * Masked pixels are left out and the sum scaled to the full block; rows and columns that do not fill a block are dropped.
 */
export function binImage(
  image: Image,
  factor: number,
  {
    mask,
    saturation = Number.POSITIVE_INFINITY,
    kernels = defaultImageKernels(),
  }: MaskedOptions & { readonly saturation?: number | undefined } = {},
): { readonly image: Image; readonly mask: Uint8Array } {
  checkMask(image, mask);
  const [ny, nx] = image.shape;
  if (!(Number.isInteger(factor) && factor >= 1 && factor <= Math.min(ny, nx)))
    fail("bad-value", { factor, shape: image.shape }, "factor is a whole number of pixels, at most the shorter side");
  const { data, bad } = kernels.bin(image.data, mask, ny, nx, factor, saturation);
  return { image: { data, shape: [Math.floor(ny / factor), Math.floor(nx / factor)] }, mask: bad };
}

/** Sum, mean and variance of many frames, one frame in memory at a time. */
export interface FrameSum {
  readonly shape: readonly [number, number];
  readonly count: number;
  add(frame: Image): void;
  /** f32 mean. */
  mean(): Image;
  /** Sum in f64. */
  sum(): Image<Float64Array>;
  /** f32 variance, divisor count − 1. */
  variance(): Image;
}

/** An accumulator of frames of one shape. */
export function frameSum(
  shape: readonly [number, number],
  { kernels = defaultImageKernels() }: { readonly kernels?: ImageKernels } = {},
): FrameSum {
  const total = new Float64Array(shape[0] * shape[1]),
    squares = new Float64Array(total.length);
  let count = 0;
  return {
    shape,
    get count() {
      return count;
    },
    add(frame) {
      if (frame.shape[0] !== shape[0] || frame.shape[1] !== shape[1])
        fail("bad-shape", { shape: frame.shape, expected: shape }, "all frames have one shape");
      kernels.accumulate(total, squares, frame.data, 1);
      count++;
    },
    mean: () => ({ data: Float32Array.from(total, (v) => v / count), shape }),
    sum: () => ({ data: total.slice(), shape }),
    variance: () => ({ data: Float32Array.from(squares, (q, i) => Math.max(0, q - (total[i]! * total[i]!) / count) / (count - 1)), shape }),
  };
}
