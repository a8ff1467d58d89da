import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { imageSampler, type Sampling } from "./interpolate.js";

export interface WarpOptions {
  readonly sampling?: Sampling;
  /** Value where the source has no pixel, NaN. */
  readonly outside?: number;
  /** Shape of the result, by default that of the source. */
  readonly shape?: readonly [ny: number, nx: number];
}

/** Image whose pixel (x, y) is the source at `source(x, y)`: a warp by any inverse map. */
export function warpImage(
  image: Image,
  source: (x: number, y: number) => readonly [x: number, y: number],
  options: WarpOptions = {},
): Image {
  const [ny, nx] = options.shape ?? image.shape,
    at = imageSampler(image, options),
    data = new Float32Array(ny * nx);
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) {
      const [sx, sy] = source(x, y);
      data[i] = at(sx, sy);
    }
  return { data, shape: [ny, nx] };
}

/** [a, b, c, d, e, f]: x′ = a x + b y + c, y′ = d x + e y + f, in pixels. */
export type Affine = readonly [number, number, number, number, number, number];

/** Inverse of an affine map. @throws bad-value for a singular one */
export function invertAffine([a, b, c, d, e, f]: Affine): Affine {
  const det = a * e - b * d;
  if (!(Math.abs(det) > 1e-300)) fail("bad-value", { a, b, d, e }, "the map flattens the image to a line; it has no inverse");
  return [e / det, -b / det, (b * f - c * e) / det, -d / det, a / det, (c * d - a * f) / det];
}

/** Rotation by an angle (radians, x towards y) about a point, magnified. */
export function rotationAbout(x: number, y: number, angle: number, magnification = 1): Affine {
  const c = magnification * Math.cos(angle),
    s = magnification * Math.sin(angle);
  return [c, -s, x - c * x + s * y, s, c, y - s * x - c * y];
}

/** Move the image's content by an affine map: what was at (x, y) is at the mapped place. */
export function affineImage(image: Image, map: Affine, options: WarpOptions = {}): Image {
  const [a, b, c, d, e, f] = invertAffine(map);
  return warpImage(image, (x, y) => [a * x + b * y + c, d * x + e * y + f], options);
}

/**
 * Resize to [ny, nx]. The pixel grids' outer edges coincide. When shrinking, the kernel is widened to the new pixel (no aliasing); Lanczos
 * with three lobes, separable.
 */
export function resizeImage(image: Image, [ny, nx]: readonly [ny: number, nx: number]): Image {
  const [sy, sx] = image.shape;
  if (!(Number.isInteger(ny) && Number.isInteger(nx) && ny > 0 && nx > 0))
    fail("bad-shape", { shape: [ny, nx] }, "the new shape is two positive whole numbers");
  const rows = lanczosRows(sx, nx),
    columns = lanczosRows(sy, ny);
  const wide = new Float32Array(sy * nx);
  for (let y = 0; y < sy; y++)
    for (let x = 0; x < nx; x++) {
      const { first, weights } = rows[x]!;
      let s = 0;
      for (let k = 0; k < weights.length; k++) s += weights[k]! * image.data[y * sx + first + k]!;
      wide[y * nx + x] = s;
    }
  const data = new Float32Array(ny * nx);
  for (let y = 0; y < ny; y++) {
    const { first, weights } = columns[y]!;
    for (let x = 0; x < nx; x++) {
      let s = 0;
      for (let k = 0; k < weights.length; k++) s += weights[k]! * wide[(first + k) * nx + x]!;
      data[y * nx + x] = s;
    }
  }
  return { data, shape: [ny, nx] };
}

function lanczosRows(from: number, to: number): { readonly first: number; readonly weights: Float64Array }[] {
  const ratio = from / to,
    width = Math.max(1, ratio);
  return Array.from({ length: to }, (_, k) => {
    const centre = (k + 0.5) * ratio - 0.5,
      first = Math.max(0, Math.ceil(centre - 3 * width)),
      last = Math.min(from - 1, Math.floor(centre + 3 * width));
    const weights = Float64Array.from({ length: last - first + 1 }, (_, i) => {
      const t = (Math.PI * (first + i - centre)) / width;
      return Math.abs(t) < 1e-9 ? 1 : Math.abs(t) >= 3 * Math.PI ? 0 : (3 * Math.sin(t) * Math.sin(t / 3)) / (t * t);
    });
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((v) => v / sum) };
  });
}

/** Image in polar coordinates about a centre. Row j is the angle angles[j], column i the radius radii[i]. */
export interface PolarImage extends Image {
  /** Radii of the columns, pixels. */
  readonly radii: Float64Array;
  /** Angles of the rows, radians from +x towards +y. */
  readonly angles: Float64Array;
}

/** Polar transform; angles are spread evenly over the full turn, radii from 0 to `maxRadius`. NaN where the image ends. */
export function polarImage(
  image: Image,
  centre: readonly [x: number, y: number],
  {
    maxRadius,
    radialSteps,
    angularSteps = 360,
    sampling = "linear",
  }: { readonly maxRadius: number; readonly radialSteps?: number; readonly angularSteps?: number; readonly sampling?: Sampling },
): PolarImage {
  const steps = radialSteps ?? Math.ceil(maxRadius) + 1;
  if (!(maxRadius > 0 && steps >= 2 && angularSteps >= 1))
    fail(
      "bad-value",
      { maxRadius, radialSteps: steps, angularSteps },
      "a polar image has a positive radius, two radii and one angle at least",
    );
  const radii = Float64Array.from({ length: steps }, (_, i) => (i * maxRadius) / (steps - 1)),
    angles = Float64Array.from({ length: angularSteps }, (_, j) => (2 * Math.PI * j) / angularSteps),
    at = imageSampler(image, { sampling }),
    data = new Float32Array(steps * angularSteps);
  angles.forEach((a, j) => {
    const c = Math.cos(a),
      s = Math.sin(a);
    for (let i = 0; i < steps; i++) data[j * steps + i] = at(centre[0] + radii[i]! * c, centre[1] + radii[i]! * s);
  });
  return { data, shape: [angularSteps, steps], radii, angles };
}

/**
 * Mean of an image over rings about a centre, every pixel counted once: ring k holds radii in [k·step, (k + 1)·step). NaN where empty.
 */
export function radialMean(
  { data, shape: [ny, nx] }: Image,
  [cx, cy]: readonly [x: number, y: number],
  { step = 1, mask }: { readonly step?: number; readonly mask?: Uint8Array } = {},
): { readonly radius: Float64Array; readonly mean: Float64Array; readonly sigma: Float64Array; readonly count: Int32Array } {
  const far = Math.hypot(Math.max(cx, nx - 1 - cx), Math.max(cy, ny - 1 - cy)),
    n = Math.floor(far / step) + 1;
  const count = new Int32Array(n),
    mean = new Float64Array(n),
    m2 = new Float64Array(n);
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) {
      const v = data[i]!;
      if (mask?.[i] || Number.isNaN(v)) continue;
      const k = Math.floor(Math.hypot(x - cx, y - cy) / step);
      count[k]!++;
      const d = v - mean[k]!;
      mean[k]! += d / count[k]!;
      m2[k]! += d * (v - mean[k]!);
    }
  return {
    radius: Float64Array.from({ length: n }, (_, k) => (k + 0.5) * step),
    mean: mean.map((v, k) => (count[k]! > 0 ? v : Number.NaN)),
    sigma: m2.map((v, k) => (count[k]! > 1 ? Math.sqrt(v / (count[k]! - 1)) : Number.NaN)),
    count,
  };
}
