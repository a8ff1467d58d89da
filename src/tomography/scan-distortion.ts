import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { warpImage } from "../numerics/interpolate-warp.js";
import { type LatticePhase, latticePeaks, latticePhase, monomials } from "./lattice-phase.js";
import type { TiltSeries } from "./tilt-series.js";

/**
 * Where a scan puts what belongs at r: the image is I(r) = L(r − u(r)), u a polynomial of the place in pixels, of both directions, over coordinates that run from −1 to 1
 * across the image.
 */
export interface ScanDistortion {
  readonly shape: readonly [ny: number, nx: number];
  readonly order: number;
  /** Coefficients of u along x and y, pixels, in the order of {@link monomials}. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Lattice waves that it was measured with, cycles per pixel. */
  readonly waves: readonly (readonly [number, number])[];
  /** What the polynomial leaves of the local displacement, rms in pixels along x and y together. */
  readonly rms: number;
}
export interface DistortionOptions {
  /** Largest total degree of the polynomial. Default 3. */
  readonly order?: number | undefined;
  /**
   * Two waves of the undistorted lattice (reciprocal vectors, cycles per pixel): magnification, shear and rotation are corrected towards them.
   * Without, the two strongest of the image are taken, and what is linear about the centre of the image stays as it is.
   */
  readonly lattice?: readonly [readonly [number, number], readonly [number, number]] | undefined;
}

/**
 * Non-linear distortion of a scan from the image of a crystal: phases of two lattice waves (geometric phase analysis), φ_g(r) = −2π g·u(r), fitted by
 * polynomials through their differences from pixel to pixel, so that nothing is unwrapped; then the phases that are left in the straightened image.
 * @throws bad-value without a lattice, for waves that are collinear; bad-shape
 * @see Hÿtch, Snoeck & Kilaas (1998) Ultramicroscopy 74, 131
 */
export function scanDistortion(image: Image<Float32Array | Float64Array>, options: DistortionOptions = {}): ScanDistortion {
  const { order = 3, lattice } = options,
    [ny, nx] = image.shape;
  if (image.data.length !== ny * nx || ny < 32 || nx < 32)
    fail("bad-shape", { shape: image.shape, length: image.data.length }, "an image of a lattice has 32 × 32 pixels at least");
  if (!(Number.isInteger(order) && order >= 2 && order <= 6)) fail("bad-value", { order }, "the order is a whole number from 2 to 6");
  if (!image.data.every(Number.isFinite)) fail("bad-value", { image: "NaN" }, "repair the pixels that are not finite first");
  let waves = lattice ?? latticePeaks(image);
  const across = ([[ax, ay], [bx, by]]: typeof waves): number => ax * by - ay * bx;
  const [first, second] = waves.map((w) => Math.hypot(...w)) as [number, number];
  if (!(Math.abs(across(waves)) > 0.1 * first * second))
    fail("bad-value", { waves }, "two lattice waves must point in different directions: a single set of lines tells one direction only");
  const count = monomials(order).length,
    x = new Float64Array(count),
    y = new Float64Array(count);
  let phases: readonly LatticePhase[] = [];
  for (let pass = 0; pass < 4; pass++) {
    const current = { shape: image.shape, order, x, y, waves, rms: 0 },
      straight = pass === 0 ? image : undistortImage(image, current);
    const how = pass === 0 ? "differences" : "values";
    phases = waves.map((w) => latticePhase(straight, w, order, how));
    // −2π g·u = φ for both waves.
    const [[ax, ay], [bx, by]] = waves,
      det = across(waves);
    for (let i = lattice ? 0 : 2; i < count; i++) {
      const p = phases[0]!.coefficients[i]! / (-2 * Math.PI),
        q = phases[1]!.coefficients[i]! / (-2 * Math.PI);
      x[i]! += (by * p - ay * q) / det;
      y[i]! += (ax * q - bx * p) / det;
    }
    // What is linear says which waves the lattice has, where nobody gave them.
    if (!lattice)
      waves = waves.map(([u, v], k) => {
        const c = phases[k]!.coefficients;
        return [u + c[0]! / (Math.PI * (nx - 1)), v + c[1]! / (Math.PI * (ny - 1))];
      }) as unknown as typeof waves;
  }
  const [[ax, ay], [bx, by]] = waves,
    det = across(waves);
  const [p, q] = phases.map((f) => f.rms / (2 * Math.PI)) as [number, number];
  const rms = Math.sqrt((by * p) ** 2 + (ay * q) ** 2 + (ax * q) ** 2 + (bx * p) ** 2) / Math.abs(det);
  return { shape: image.shape, order, x, y, waves, rms };
}

/** u at a place, pixels. */
export function distortionAt(d: ScanDistortion, x: number, y: number): readonly [number, number] {
  const u = new Float64Array(2);
  displacement(d)(x, y, u);
  return [u[0]!, u[1]!];
}

/** A function that writes u at a place. */
function displacement(d: ScanDistortion): (x: number, y: number, into: Float64Array) => void {
  const [ny, nx] = d.shape,
    powers = monomials(d.order),
    xs = new Float64Array(d.order + 1).fill(1),
    ys = new Float64Array(d.order + 1).fill(1);
  return (x, y, into) => {
    for (let a = 1; a <= d.order; a++) {
      xs[a] = xs[a - 1]! * ((2 * x) / (nx - 1) - 1);
      ys[a] = ys[a - 1]! * ((2 * y) / (ny - 1) - 1);
    }
    let [ux, uy] = [0, 0];
    for (let i = 0; i < powers.length; i++) {
      const m = xs[powers[i]![0]]! * ys[powers[i]![1]]!;
      ux += d.x[i]! * m;
      uy += d.y[i]! * m;
    }
    into[0] = ux;
    into[1] = uy;
  };
}

/** The image without the distortion; `outside` (default 0) where the scan recorded nothing. */
export function undistortImage(image: Image<Float32Array | Float64Array>, d: ScanDistortion, outside = 0): Image {
  if (image.shape[0] !== d.shape[0] || image.shape[1] !== d.shape[1])
    fail("bad-shape", { image: image.shape, distortion: d.shape }, "the distortion belongs to scans of another size");
  // What belongs at s was recorded at r = s + u(r).
  const at = displacement(d),
    u = new Float64Array(2);
  const source = (x: number, y: number): readonly [number, number] => {
    u.fill(0);
    for (let i = 0; i < 4; i++) at(x + u[0]!, y + u[1]!, u);
    return [x + u[0]!, y + u[1]!];
  };
  return warpImage({ data: Float32Array.from(image.data), shape: image.shape }, source, { sampling: "cubic", outside });
}

/** Every view without the distortion of the scan; pixels that nothing was recorded for are masked. */
export function undistortSeries(series: TiltSeries, d: ScanDistortion): TiltSeries {
  const [views, ny, nx] = series.shape,
    size = ny * nx,
    projections = new Float32Array(series.projections.length),
    mask = new Uint8Array(projections.length);
  for (let p = 0; p < views; p++) {
    const part = series.projections.slice(p * size, (p + 1) * size);
    // A pixel takes from its neighbours: a masked one among them makes it unknown.
    if (series.mask) for (let i = 0; i < size; i++) if (series.mask[p * size + i]) part[i] = Number.NaN;
    undistortImage({ data: part, shape: [ny, nx] }, d, Number.NaN).data.forEach((v, i) => {
      projections[p * size + i] = Number.isFinite(v) ? v : 0;
      mask[p * size + i] = Number.isFinite(v) ? 0 : 1;
    });
  }
  return { ...series, projections, ...(mask.includes(1) ? { mask } : {}) };
}
