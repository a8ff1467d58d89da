import { fail } from "../core/errors.js";
import { printable } from "../core/inspect.js";

/** Two numbers in the plane of the detector. */
export type Vec2 = readonly [x: number, y: number];

/**
 * How a flat frame shows reciprocal space. `linear`: the distance from the centre is |q⊥| (PETS2, and what an ideal diffraction
 * lens does). `gnomonic`: a flat detector at a distance, so the distance is k·tan 2θ (DIALS, XDS).
 */
export type Projection = "linear" | "gnomonic";

/**
 * The detector as diffraction sees it. Pixel coordinates are those of array indices: the centre of the first pixel is (0, 0), x is
 * the fast axis, so pixel (x, y) is `data[y * nx + x]`. Lab x and y lie in the detector plane, lab z points to the electron source.
 */
export interface Detector {
  readonly nx: number;
  readonly ny: number;
  /** Å⁻¹ per pixel at the centre (PETS2 `aperpixel`). */
  readonly invAngstromPerPixel: number;
  /** Position of the direct beam, pixels. */
  readonly centrePx: Vec2;
  /** Lab directions (x, y) of the image's fast and slow axes; [1, 0] and [0, −1] unless the image is flipped or turned. */
  readonly fast: Vec2;
  readonly slow: Vec2;
  readonly projection: Projection;
}

export interface DetectorOptions {
  readonly nx: number;
  readonly ny: number;
  readonly invAngstromPerPixel: number;
  /** Default: the middle of the image. */
  readonly centrePx?: Vec2 | undefined;
  /** Mirror the image in x or in y before everything else. Default no. */
  readonly flipX?: boolean | undefined;
  readonly flipY?: boolean | undefined;
  /** Default `linear`. */
  readonly projection?: Projection | undefined;
}

/**
 * @throws out-of-range when the pixel size in reciprocal space is impossible: above 0.1 Å⁻¹ it is in the wrong unit (nm⁻¹, mrad or
 * mm), below 1e-5 it is in metres or inverted
 */
export function detector(options: DetectorOptions): Detector {
  const { nx, ny, invAngstromPerPixel: scale, flipX = false, flipY = false, projection = "linear" } = options;
  if (!(Number.isInteger(nx) && Number.isInteger(ny) && nx > 0 && ny > 0))
    fail("bad-shape", { nx, ny }, "nx and ny are the numbers of pixels along the fast and the slow axis");
  if (!(scale >= 1e-5 && scale <= 0.1))
    fail(
      "out-of-range",
      { invAngstromPerPixel: scale },
      scale > 0.1
        ? "invAngstromPerPixel is in Å⁻¹ per pixel, usually 0.001 to 0.02; a larger number is in nm⁻¹ (divide by 10), mrad (divide by 1000 λ) or mm (use invAngstromPerPixel(…))"
        : "invAngstromPerPixel is in Å⁻¹ per pixel, usually 0.001 to 0.02; use invAngstromPerPixel(distance, pixel size, wavelength) for lengths",
    );
  const centrePx = options.centrePx ?? [(nx - 1) / 2, (ny - 1) / 2];
  return printable(
    { nx, ny, invAngstromPerPixel: scale, centrePx, fast: [flipX ? -1 : 1, 0], slow: [0, flipY ? 1 : -1], projection } as const,
    (d) => `Detector(${d.nx}×${d.ny}, ${d.invAngstromPerPixel} Å⁻¹/px, centre ${d.centrePx[0]} ${d.centrePx[1]}, ${d.projection})`,
  );
}

/** Å⁻¹ per pixel of a camera length: p/(λ·L). The inverse is {@link cameraDistanceMm}. */
export function invAngstromPerPixel(distanceMm: number, pixelMm: number, wavelength: number): number {
  if (!(distanceMm > 0 && pixelMm > 0 && wavelength > 0))
    fail("out-of-range", { distanceMm, pixelMm, wavelength }, "distance and pixel size are in mm, the wavelength in Å, all positive");
  return pixelMm / (distanceMm * wavelength);
}

/** Effective camera length, mm, of a scale in Å⁻¹ per pixel: p/(λ·s). */
export function cameraDistanceMm(scale: number, pixelMm: number, wavelength: number): number {
  return pixelMm / (scale * wavelength);
}

/** Where the first pixel's centre lies in the programs' pixel coordinates: index arrays (ours) 0, DIALS ½ (its corner is 0), PETS2 and XDS 1. */
export const pixelOrigin = { ewald: 0, dials: 0.5, pets: 1, xds: 1 } as const;

/** Pixel coordinates [n, 2] (x, y) of one program in those of another. */
export function convertPixels(pixels: Float64Array, from: keyof typeof pixelOrigin, to: keyof typeof pixelOrigin): Float64Array {
  const shift = pixelOrigin[to] - pixelOrigin[from];
  return pixels.map((v) => v + shift);
}

/**
 * Scale factor from the transverse part q of a diffraction vector to the position on the detector in Å⁻¹, and its derivative.
 * Gnomonic: k/√(k²−q²), since the transverse momentum is conserved and the detector is flat.
 */
export function projectionFactor(projection: Projection, k: number, q2: number): number {
  return projection === "linear" ? 1 : k / Math.sqrt(k * k - q2);
}
