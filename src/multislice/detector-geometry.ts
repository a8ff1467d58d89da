import { fail } from "../core/errors.js";
import { fft2, ifft2 } from "../numerics/fft.js";
import type { Axis } from "./detectors.js";
import { antialiasCutoff, reciprocalGrid, reciprocalVectors, signedIndex, type WaveGrid } from "./grid.js";

/**
 * Point spread of a detector, the same everywhere: a Gaussian of standard deviation `sigmaMrad`, or a modulation transfer function of the spatial
 * frequency in cycles per detector pixel (0.5 is Nyquist), for pixels of `pixelMrad`. Intensity is kept when mtf(0) = 1.
 */
export type DetectorBlur =
  | { readonly kind: "gaussian"; readonly sigmaMrad: number }
  | { readonly kind: "mtf"; readonly pixelMrad: number; readonly mtf: (cyclesPerPixel: number) => number };

/** Scattering angles of a grid. */
export interface DetectorFrame {
  readonly grid: WaveGrid;
  readonly wavelength: number;
  /** Largest angle that the grid carries, rad. */
  readonly limit: number;
  /** Angles of all pixels about a centre, mrad and radians, FFT order. */
  from(offsetMrad: readonly [number, number]): {
    readonly alpha: Float64Array;
    readonly phi: Float64Array;
    readonly x: Float64Array;
    readonly y: Float64Array;
  };
  /** Axes of a centred pattern [my, mx]. */
  axes(my: number, mx: number): readonly Axis[];
}

export function detectorFrame(grid: WaveGrid, wavelength: number): DetectorFrame {
  const { qx, qy } = reciprocalGrid(grid),
    { aStar, bStar } = reciprocalVectors(grid);
  return {
    grid,
    wavelength,
    limit: antialiasCutoff(grid) * wavelength,
    from: ([ox, oy]) => {
      const x = qx.map((q) => 1e3 * wavelength * q - ox),
        y = qy.map((q) => 1e3 * wavelength * q - oy);
      return { x, y, alpha: x.map((v, i) => Math.hypot(v, y[i]!)), phi: x.map((v, i) => Math.atan2(y[i]!, v)) };
    },
    axes: (my, mx) => {
      // Of a skew cell the axes run along a* and b*.
      const axis = (name: string, star: readonly [number, number], m: number): Axis => {
        const step = 1e3 * wavelength * Math.hypot(...star);
        return { name, unit: "mrad", origin: -(m >> 1) * step, step };
      };
      return [axis("ky", bStar, my), axis("kx", aStar, mx)];
    },
  };
}

/**
 * A function on the reciprocal grid convolved with the point spread, as a product in the space of positions: the Gaussian of σ (mrad) becomes
 * exp(−2π²(σ/λ)²r²), an MTF is taken at |r|·pixel/λ cycles per pixel. The spread is even, so weights blur as patterns do.
 * It does not matter whether the direct beam stands first or in the middle.
 */
export function blurOnGrid(values: Float64Array, frame: DetectorFrame, blur: DetectorBlur): Float64Array {
  const { grid, wavelength } = frame,
    { nx, ny, a, b } = grid;
  const transfer = transferOf(blur, wavelength);
  const z = new Float64Array(2 * nx * ny);
  for (let i = 0; i < values.length; i++) z[2 * i] = values[i]!;
  const f = fft2(z, [ny, nx]);
  for (let iy = 0, p = 0; iy < ny; iy++)
    for (let ix = 0; ix < nx; ix++, p += 2) {
      // The conjugate of the reciprocal grid is the cell itself, at the nearest image.
      const u = signedIndex(ix, nx) / nx,
        v = signedIndex(iy, ny) / ny;
      const t = transfer(nearest(u, v, a, b));
      f[p]! *= t;
      f[p + 1]! *= t;
    }
  const back = ifft2(f, [ny, nx]);
  return Float64Array.from({ length: nx * ny }, (_, i) => back[2 * i]!);
}
/** Shortest of the images of (u, v) in a skew cell. */
function nearest(u: number, v: number, a: readonly [number, number], b: readonly [number, number]): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = -1; i <= 1; i++)
    for (let j = -1; j <= 1; j++) best = Math.min(best, Math.hypot((u + i) * a[0] + (v + j) * b[0], (u + i) * a[1] + (v + j) * b[1]));
  return best;
}
function transferOf(blur: DetectorBlur, wavelength: number): (r: number) => number {
  if (blur.kind === "gaussian") {
    const { sigmaMrad } = blur;
    if (!(sigmaMrad >= 0 && Number.isFinite(sigmaMrad)))
      fail("bad-value", { sigmaMrad }, "sigmaMrad is the standard deviation of the point spread in mrad");
    const s = sigmaMrad / 1e3 / wavelength;
    return (r) => Math.exp(-2 * (Math.PI * s * r) ** 2);
  }
  if (blur.kind !== "mtf") return fail("bad-value", { kind: (blur as { kind?: unknown }).kind }, "a blur is gaussian or mtf");
  const { pixelMrad, mtf } = blur;
  if (!(pixelMrad > 0)) fail("bad-value", { pixelMrad }, "pixelMrad is the angle that one detector pixel covers");
  return (r) => {
    const t = mtf((r * pixelMrad) / 1e3 / wavelength);
    return Number.isFinite(t)
      ? t
      : fail("bad-value", { cyclesPerPixel: (r * pixelMrad) / 1e3 / wavelength, mtf: t }, "the MTF must be finite at every frequency");
  };
}
