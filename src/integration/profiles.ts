import { fail } from "../core/errors.js";

/**
 * Mean profiles of spots by sector and shell of the detector. A profile is a sum of cubic B-splines on the pixel grid about the centre of the
 * spot, P(u, v) = Σ c_kl β(u − k) β(v − l): the share of the counts that the pixel at (u, v) px from the centre receives, whatever the sub-pixel
 * position. Σc = 1, so that the pixels of a spot add up to 1 exactly.
 */
export interface SpotProfiles {
  /** Largest |k|, px; a profile ends at radius + 2. */
  readonly radius: number;
  readonly sectors: number;
  /** Outer radii of the shells about the direct beam, px; the last one takes what is beyond. */
  readonly shells: Float64Array;
  /** [shells·sectors, 2·radius + 7, 2·radius + 7], with three zeros around; profile shell·sectors + sector. */
  readonly coefficients: Float64Array;
  /** Strong spots behind each profile, shape [shells·sectors]. */
  readonly spots: Int32Array;
}

/** Edge length of the padded coefficient array. */
export const paddedSize = (radius: number): number => 2 * radius + 7;

/** Number of the profile at an offset from the direct beam, px. */
export function profileCell(p: Pick<SpotProfiles, "sectors" | "shells">, dx: number, dy: number): number {
  const r = Math.hypot(dx, dy);
  let shell = 0;
  while (shell < p.shells.length - 1 && r > p.shells[shell]!) shell++;
  const turn = Math.atan2(dy, dx) / (2 * Math.PI) + 1;
  return shell * p.sectors + (Math.floor(turn * p.sectors) % p.sectors);
}

/**
 * Gaussian profiles of one width to begin with; a cubic B-spline has a variance of 1/3 px² of its own.
 * @throws out-of-range for a radius or σ that is not positive
 */
export function gaussianProfiles(radius: number, sigma: number, sectors = 1, shells: Float64Array = Float64Array.of(1)): SpotProfiles {
  if (!(Number.isInteger(radius) && radius >= 2 && radius <= 64 && sigma > 0))
    fail("out-of-range", { radius, sigma }, "a profile has a radius of 2 to 64 whole pixels and a positive width");
  const size = paddedSize(radius),
    one = gaussianCoefficients(radius, sigma),
    cells = sectors * shells.length,
    coefficients = new Float64Array(cells * size * size);
  for (let c = 0; c < cells; c++) padInto(coefficients, c * size * size, one, radius);
  return { radius, sectors, shells, coefficients, spots: new Int32Array(cells) };
}

/** Coefficients [2r + 1, 2r + 1] of a Gaussian, sum 1. */
export function gaussianCoefficients(radius: number, sigma: number): Float64Array {
  const n = 2 * radius + 1,
    v = Math.max(0.12, sigma * sigma - 1 / 3),
    out = new Float64Array(n * n);
  let sum = 0;
  for (let y = -radius, i = 0; y <= radius; y++)
    for (let x = -radius; x <= radius; x++, i++) {
      out[i] = Math.exp((-0.5 * (x * x + y * y)) / v);
      sum += out[i]!;
    }
  return out.map((c) => c / sum);
}

/** Coefficients [2r + 1, 2r + 1] into a padded array. */
export function padInto(to: Float64Array, at: number, c: Float64Array, radius: number): void {
  const n = 2 * radius + 1,
    size = paddedSize(radius);
  for (let y = 0; y < n; y++) to.set(c.subarray(y * n, (y + 1) * n), at + (y + 3) * size + 3);
}

/** A profile on whole pixels about its centre, [2r + 3, 2r + 3], to draw. */
export function profileImage(p: SpotProfiles, cell: number): { readonly data: Float32Array; readonly shape: readonly [number, number] } {
  const size = paddedSize(p.radius),
    m = 2 * p.radius + 3,
    data = new Float32Array(m * m),
    w = [1 / 6, 2 / 3, 1 / 6];
  for (let y = 0; y < m; y++)
    for (let x = 0; x < m; x++) {
      let v = 0;
      for (let b = 0; b < 3; b++)
        for (let a = 0; a < 3; a++) v += w[a]! * w[b]! * p.coefficients[cell * size * size + (y + 1 + b) * size + x + 1 + a]!;
      data[y * m + x] = v;
    }
  return { data, shape: [m, m] };
}
