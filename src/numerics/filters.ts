import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { defaultImageKernels, type Edge, type ImageKernels } from "../kernels/images.js";

export interface FilterOptions {
  /** What lies beyond the edge; "mirror". */
  readonly edge?: Edge | undefined;
  readonly kernels?: ImageKernels | undefined;
}

/** @throws bad-shape when data does not hold ny·nx values */
export function checkImage({ data, shape: [ny, nx] }: Image<Float32Array | Uint16Array>): void {
  if (!(Number.isInteger(ny) && Number.isInteger(nx) && ny > 0 && nx > 0 && data.length === ny * nx))
    fail("bad-shape", { length: data.length, shape: [ny, nx] }, "an image holds ny·nx values, at least one, row-major");
}
function checkHalf(half: number | readonly [number, number]): readonly [number, number] {
  const h = typeof half === "number" ? ([half, half] as const) : half;
  if (!h.every((v) => Number.isInteger(v) && v >= 0))
    fail("bad-value", { half: h }, "a window is given by its half size: half 2 is 5 × 5 pixels");
  return h;
}

/** Normalised Gaussian taps or those of its first or second derivative, radius ceil(truncate·sigma), shape [2r+1]; correlation order. */
export function gaussianTaps(sigma: number, { order = 0, truncate = 4 }: { order?: 0 | 1 | 2; truncate?: number } = {}): Float64Array {
  if (!(sigma > 0 && Number.isFinite(sigma))) fail("bad-value", { sigma }, "sigma is a positive number of pixels");
  const r = Math.max(1, Math.ceil(truncate * sigma));
  const g = Float64Array.from({ length: 2 * r + 1 }, (_, i) => Math.exp(-((i - r) ** 2) / (2 * sigma * sigma)));
  const sum = g.reduce((a, b) => a + b, 0);
  if (order === 0) return g.map((v) => v / sum);
  if (order === 1) {
    // Moment conditions on the sampled derivative: a ramp of slope 1 gives exactly 1.
    const d = g.map((v, i) => (i - r) * v),
      slope = d.reduce((a, v, i) => a + v * (i - r), 0);
    return d.map((v) => v / slope);
  }
  const d = g.map((v, i) => ((i - r) ** 2 / (sigma * sigma) - 1) * v),
    offset = d.reduce((a, b) => a + b, 0) / sum;
  const e = d.map((v, i) => v - offset * g[i]!),
    bend = e.reduce((a, v, i) => a + v * (i - r) ** 2, 0) / 2;
  return e.map((v) => v / bend);
}

/** Separable correlation with odd-length taps down the columns and along the rows. */
export function separableFilter(
  image: Image,
  columnTaps: ArrayLike<number>,
  rowTaps: ArrayLike<number>,
  options: FilterOptions = {},
): Image {
  checkImage(image);
  const { edge = "mirror", kernels = defaultImageKernels() } = options;
  if (columnTaps.length % 2 === 0 || rowTaps.length % 2 === 0)
    fail("bad-shape", { columnTaps: columnTaps.length, rowTaps: rowTaps.length }, "taps have an odd length, the centre in the middle");
  const [ny, nx] = image.shape;
  return {
    data: kernels.separable(image.data, ny, nx, Float32Array.from(columnTaps), Float32Array.from(rowTaps), edge),
    shape: image.shape,
  };
}

/**
 * Gaussian smoothing or a derivative of it: `order` [along y, along x]. f32 arithmetic, taps cut at `truncate` sigma.
 * @param sigma - standard deviation in pixels, one or [y, x]
 */
export function gaussianFilter(
  image: Image,
  sigma: number | readonly [number, number],
  options: FilterOptions & { readonly order?: readonly [0 | 1 | 2, 0 | 1 | 2]; readonly truncate?: number } = {},
): Image {
  const [sy, sx] = typeof sigma === "number" ? [sigma, sigma] : sigma,
    [oy, ox] = options.order ?? [0, 0],
    truncate = options.truncate ?? 4;
  return separableFilter(image, gaussianTaps(sy, { order: oy, truncate }), gaussianTaps(sx, { order: ox, truncate }), options);
}

/** Difference of Gaussians: smoothed with `inner` less smoothed with `outer`; positive on blobs of about `inner` size. */
export function differenceOfGaussians(image: Image, inner: number, outer: number, options: FilterOptions = {}): Image {
  const a = gaussianFilter(image, inner, options).data,
    b = gaussianFilter(image, outer, options).data;
  return { data: a.map((v, i) => v - b[i]!), shape: image.shape };
}

/** Second differences ∂²/∂y² + ∂²/∂x² (five points). */
export function laplacian(image: Image, options: FilterOptions = {}): Image {
  return correlateImage(image, { data: Float32Array.of(0, 1, 0, 1, -4, 1, 0, 1, 0), shape: [3, 3] }, options);
}

/** Sobel derivatives along y and x (smoothed by 1 2 1 across, not divided by 8) and their length. */
export function sobel(image: Image, options: FilterOptions = {}): { readonly dy: Image; readonly dx: Image; readonly magnitude: Image } {
  const dy = separableFilter(image, [-1, 0, 1], [1, 2, 1], options),
    dx = separableFilter(image, [1, 2, 1], [-1, 0, 1], options);
  return { dy, dx, magnitude: { data: dy.data.map((v, i) => Math.sqrt(v * v + dx.data[i]! ** 2)), shape: image.shape } };
}

/** Correlation with a small kernel of odd shape, not flipped: out[y, x] = Σ w[j, i]·image[y + j − ry, x + i − rx]. */
export function correlateImage(image: Image, weights: Image, options: FilterOptions = {}): Image {
  checkImage(image);
  checkImage(weights);
  const { edge = "mirror", kernels = defaultImageKernels() } = options,
    [ky, kx] = weights.shape,
    [ny, nx] = image.shape;
  if (ky % 2 === 0 || kx % 2 === 0) fail("bad-shape", { shape: weights.shape }, "a kernel has odd sides, its centre in the middle");
  return { data: kernels.correlate(image.data, ny, nx, weights.data, (ky - 1) / 2, (kx - 1) / 2, edge), shape: image.shape };
}

/** Convolution with a small kernel: the kernel flipped in both axes, then {@link correlateImage}. */
export function convolveImage(image: Image, weights: Image, options: FilterOptions = {}): Image {
  return correlateImage(image, { data: weights.data.slice().reverse(), shape: weights.shape }, options);
}

/** Median of windows of half size `half` (1: 3 × 3). Cost grows with the window's area squared; for counts use {@link medianFilterU16}. */
export function medianFilter(image: Image, half: number | readonly [number, number] = 1, options: FilterOptions = {}): Image {
  checkImage(image);
  const [ry, rx] = checkHalf(half),
    { edge = "mirror", kernels = defaultImageKernels() } = options;
  if ((2 * ry + 1) * (2 * rx + 1) > 1000)
    fail("too-large", { half }, "windows above 1000 pixels are slow here: use medianFilterU16 on counts, or a median of a binned image");
  return { data: kernels.median(image.data, ...image.shape, ry, rx, edge), shape: image.shape };
}

/** Lower median of 16-bit counts in windows clipped at the edges, by a running histogram: any window size. */
export function medianFilterU16(
  image: Image<Uint16Array>,
  half: number | readonly [number, number] = 1,
  { kernels = defaultImageKernels() }: FilterOptions = {},
): Image<Uint16Array> {
  checkImage(image);
  const [ry, rx] = checkHalf(half);
  return { data: kernels.medianU16(image.data, ...image.shape, ry, rx), shape: image.shape };
}

/** Greatest pixel of windows of half size `half`, clipped at the edges. */
export function maximumFilter(
  image: Image,
  half: number | readonly [number, number],
  { kernels = defaultImageKernels() }: FilterOptions = {},
): Image {
  checkImage(image);
  return { data: kernels.extreme(image.data, ...image.shape, ...checkHalf(half), true), shape: image.shape };
}

/** Least pixel of windows of half size `half`, clipped at the edges. */
export function minimumFilter(
  image: Image,
  half: number | readonly [number, number],
  { kernels = defaultImageKernels() }: FilterOptions = {},
): Image {
  checkImage(image);
  return { data: kernels.extreme(image.data, ...image.shape, ...checkHalf(half), false), shape: image.shape };
}

/** Median over the frames of a stack [n, ny, nx], pixel by pixel; NaN entries are left out. */
export function medianOfFrames(frames: readonly Image[]): Image {
  const first = frames[0] ?? fail("bad-shape", { frames: 0 }, "give at least one frame");
  for (const f of frames)
    if (f.shape[0] !== first.shape[0] || f.shape[1] !== first.shape[1])
      fail("bad-shape", { shape: f.shape, first: first.shape }, "all frames have one shape");
  const out = new Float32Array(first.data.length),
    column = new Float32Array(frames.length);
  for (let i = 0; i < out.length; i++) {
    let n = 0;
    for (const f of frames) {
      const v = f.data[i]!;
      if (!Number.isNaN(v)) column[n++] = v;
    }
    const c = column.subarray(0, n).sort();
    out[i] = n === 0 ? Number.NaN : n % 2 ? c[n >> 1]! : (c[n / 2 - 1]! + c[n / 2]!) / 2;
  }
  return { data: out, shape: first.shape };
}
