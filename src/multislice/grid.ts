import { fail } from "../core/errors.js";

/**
 * Periodic grid of a wave in the plane normal to the beam. Pixel (iy, ix) sits at (ix/nx)·a + (iy/ny)·b, so a skew cell needs no other
 * treatment: reciprocal vectors of the FFT indices follow from the dual basis, and every function of |q| from the metric tensor.
 */
export interface WaveGrid {
  readonly nx: number;
  readonly ny: number;
  /** In-plane lattice vectors, Å. */
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
}

/** Complex waves are interleaved (re, im), row-major [ny, nx, 2]. */
export type Wave = Float32Array | Float64Array;

/**
 * A wave grid. Lengths that the FFT handles best are products of 2, 3 and 5: see {@link goodGridSize}.
 * @throws bad-value for sizes that are no whole numbers of at least 4, or vectors that do not span a right-handed area
 */
export function waveGrid(nx: number, ny: number, a: readonly [number, number], b: readonly [number, number]): WaveGrid {
  if (![nx, ny].every((n) => Number.isInteger(n) && n >= 4 && n <= 16384))
    fail("bad-value", { nx, ny }, "a wave grid has a whole number of pixels from 4 to 16384 along each axis");
  const area = a[0] * b[1] - a[1] * b[0];
  if (!(area > 0))
    fail(
      "bad-value",
      { a, b, area },
      "a and b are the in-plane cell vectors in Å, b anticlockwise of a; exchange them if the area is negative",
    );
  return { nx, ny, a: [a[0], a[1]], b: [b[0], b[1]] };
}

/** The smallest number >= n whose prime factors are 2, 3 and 5. */
export function goodGridSize(n: number): number {
  for (let m = Math.max(4, Math.ceil(n)); ; m++) {
    let r = m;
    for (const p of [2, 3, 5]) while (r % p === 0) r /= p;
    if (r === 1) return m;
  }
}

/** A grid whose pixels are no larger than `sampling` Å along either axis, with FFT-friendly sizes. */
export function gridOfSampling(a: readonly [number, number], b: readonly [number, number], sampling: number): WaveGrid {
  if (!(sampling > 0)) fail("bad-value", { sampling }, "sampling is the pixel size in Å, for example 0.05");
  return waveGrid(goodGridSize(Math.hypot(...a) / sampling), goodGridSize(Math.hypot(...b) / sampling), a, b);
}

/** Area of the cell, Å². */
export const gridArea = (g: WaveGrid): number => g.a[0] * g.b[1] - g.a[1] * g.b[0];

/** Dual basis: reciprocal vectors a*, b* in Å⁻¹ with a·a* = 1, a·b* = 0. */
export function reciprocalVectors(g: WaveGrid): { readonly aStar: readonly [number, number]; readonly bStar: readonly [number, number] } {
  const area = gridArea(g);
  return { aStar: [g.b[1] / area, -g.b[0] / area], bStar: [-g.a[1] / area, g.a[0] / area] };
}
/** Signed index of FFT bin i of n: 0, 1, …, −2, −1; bin n/2 of an even length is negative. */
export const signedIndex = (i: number, n: number): number => (i < n / 2 ? i : i - n);

/** q of every bin in FFT order: qx, qy (Å⁻¹) and |q|², each [ny, nx]. */
export function reciprocalGrid(g: WaveGrid): { readonly qx: Float64Array; readonly qy: Float64Array; readonly q2: Float64Array } {
  const { aStar, bStar } = reciprocalVectors(g),
    n = g.nx * g.ny;
  const qx = new Float64Array(n),
    qy = new Float64Array(n),
    q2 = new Float64Array(n);
  for (let iy = 0, p = 0; iy < g.ny; iy++) {
    const k = signedIndex(iy, g.ny);
    for (let ix = 0; ix < g.nx; ix++, p++) {
      const h = signedIndex(ix, g.nx);
      const x = h * aStar[0] + k * bStar[0],
        y = h * aStar[1] + k * bStar[1];
      qx[p] = x;
      qy[p] = y;
      q2[p] = x * x + y * y;
    }
  }
  return { qx, qy, q2 };
}

/**
 * The one antialiasing rule. Products of two waves of band limit c hold frequencies up to 2c; on a grid of Nyquist frequency N they
 * fold back onto 2N − 2c and above, which stays clear of the band when c <= 2N/3. Transmission functions and propagators are therefore
 * multiplied by a circle of radius 2/3 of the largest circle that the grid holds, with a cosine edge of width 2 % of that circle
 * (the numbers of abTEM, so that waves can be compared digit by digit).
 * @see Kirkland, Advanced Computing in Electron Microscopy (2020), 6.8
 */
export const antialias = { fraction: 0.6666666, taper: 0.01 } as const;

/** Radius in Å⁻¹ of the largest circle inside the first zone of the grid (half the reciprocal parallelogram's smaller height). */
export function nyquist(g: WaveGrid): number {
  // Distance between the lines h = ±nx/2 is nx/|a|, whatever the angle.
  return Math.min(g.nx / (2 * Math.hypot(...g.a)), g.ny / (2 * Math.hypot(...g.b)));
}
/** Radius of the antialias circle, Å⁻¹: nothing scatters beyond. */
export const antialiasCutoff = (g: WaveGrid): number => antialias.fraction * nyquist(g);

/** The antialias aperture in FFT order, [ny, nx], values 0 … 1. */
export function antialiasAperture(g: WaveGrid): Float64Array {
  const cutoff = antialiasCutoff(g),
    width = 2 * antialias.taper * nyquist(g);
  return reciprocalGrid(g).q2.map((q2) => {
    const q = Math.sqrt(q2);
    if (q > cutoff) return 0;
    return q > cutoff - width ? 0.5 * (1 + Math.cos((Math.PI * (q - cutoff + width)) / width)) : 1;
  });
}

/** The largest scattering angle that a grid carries, rad. */
export const maxAngle = (g: WaveGrid, wavelength: number): number => antialiasCutoff(g) * wavelength;
