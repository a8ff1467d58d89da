import { fail } from "../core/errors.js";
import { reciprocalGrid, reciprocalVectors, type WaveGrid } from "./grid.js";

/**
 * Aperture in the plane of the lens; angles in radians. `soft` (the default of a probe) weighs bins on the edge by how much of them is open; `hard`
 * is 0 or 1. A bullseye has `rings` open rings of equal width, the first a disk, and opaque gaps, `open` of a period open, crossed by straight
 * spokes. `segmented` opens the listed sectors of an annulus, counted anticlockwise (in box axes) from `rotation`. `mask` is any [ny, nx] in FFT order.
 */
export type Aperture =
  | { readonly kind: "soft"; readonly semiangle: number }
  | { readonly kind: "hard"; readonly semiangle: number }
  | { readonly kind: "annular"; readonly inner: number; readonly outer: number }
  | {
      readonly kind: "bullseye";
      readonly semiangle: number;
      readonly rings: number;
      readonly open?: number | undefined;
      readonly spokes?: number | undefined;
      /** Width of a spoke in widths of a ring. */
      readonly spokeWidth?: number | undefined;
    }
  | {
      readonly kind: "segmented";
      readonly inner: number;
      readonly outer: number;
      readonly segments: number;
      readonly open: readonly number[];
      readonly rotation?: number | undefined;
    }
  | { readonly kind: "mask"; readonly values: ArrayLike<number>; readonly semiangle: number };

/** The largest angle that an aperture lets through, rad. */
export const outerAngle = (a: Aperture): number => (a.kind === "annular" || a.kind === "segmented" ? a.outer : a.semiangle);

/** @throws bad-value, out-of-range for angles that look like milliradians */
export function checkAperture(a: Aperture): void {
  const outer = outerAngle(a),
    inner = a.kind === "annular" || a.kind === "segmented" ? a.inner : 0;
  if (!(outer > 0 && inner >= 0 && inner < outer))
    fail("bad-value", { inner, outer }, "an aperture opens between two angles in radians, inner < outer");
  if (outer > 0.5)
    fail("out-of-range", { semiangle: outer }, `angles are in radians; ${outer} looks like milliradians, try ${outer / 1000}`);
  if (a.kind === "bullseye" && !(Number.isInteger(a.rings) && a.rings >= 1 && (a.open ?? 0.5) > 0 && (a.open ?? 0.5) <= 1))
    fail(
      "bad-value",
      { rings: a.rings, open: a.open },
      "a bullseye has a whole number of rings, and an open part of each period above 0 up to 1",
    );
  if (
    a.kind === "segmented" &&
    !(Number.isInteger(a.segments) && a.segments >= 1 && a.open.every((s) => Number.isInteger(s) && s >= 0 && s < a.segments))
  )
    fail("bad-value", { segments: a.segments, open: a.open }, "open lists sectors from 0 to segments − 1");
}

/** Transmission of an aperture in FFT order, [ny, nx], 0 … 1 (amplitude). */
export function apertureOn(g: WaveGrid, wavelength: number, a: Aperture): Float64Array {
  checkAperture(a);
  const { qx, qy, q2 } = reciprocalGrid(g),
    { aStar, bStar } = reciprocalVectors(g);
  if (a.kind === "mask") {
    if (a.values.length !== q2.length)
      fail("bad-shape", { length: a.values.length, ny: g.ny, nx: g.nx }, "a mask has one value for each bin, [ny, nx] in FFT order");
    return Float64Array.from(a.values);
  }
  /** Width of a bin along the direction (x, y) of length q, rad. */
  const width = (x: number, y: number, q: number): number =>
    q === 0 ? wavelength * Math.hypot(...aStar) : (wavelength * Math.hypot(x * aStar[0] + y * aStar[1], x * bStar[0] + y * bStar[1])) / q;
  const step = (distance: number, w: number): number => Math.min(1, Math.max(0, distance / w + 0.5));
  return q2.map((square, i) => {
    const q = Math.sqrt(square),
      alpha = wavelength * q,
      x = qx[i]!,
      y = qy[i]!;
    const w = width(x, y, q);
    if (a.kind === "hard") return alpha <= a.semiangle ? 1 : 0;
    if (a.kind === "soft") return step(a.semiangle - alpha, w);
    if (a.kind === "bullseye") return bullseye(a, alpha, x, y, wavelength, w, step);
    const ring = step(a.outer - alpha, w) * (a.inner > 0 ? step(alpha - a.inner, w) : 1);
    if (a.kind === "annular" || ring === 0) return ring;
    const turn = (Math.atan2(y, x) - (a.rotation ?? 0)) / (2 * Math.PI);
    return a.open.includes(Math.floor((turn - Math.floor(turn)) * a.segments) % a.segments) ? ring : 0;
  });
}

function bullseye(
  a: Extract<Aperture, { readonly kind: "bullseye" }>,
  alpha: number,
  x: number,
  y: number,
  wavelength: number,
  w: number,
  step: (distance: number, w: number) => number,
): number {
  const { semiangle, rings, open = 0.5, spokes = 0, spokeWidth = 1 } = a;
  const period = semiangle / (rings - 1 + open),
    ringWidth = open * period;
  let value = 0;
  for (let k = 0; k < rings; k++) value += step(k * period + ringWidth - alpha, w) * (k > 0 ? step(alpha - k * period, w) : 1);
  if (alpha > ringWidth)
    for (let k = 0; k < spokes; k++) {
      const phi = (2 * Math.PI * k) / spokes,
        along = wavelength * (x * Math.cos(phi) + y * Math.sin(phi)),
        off = wavelength * Math.abs(y * Math.cos(phi) - x * Math.sin(phi));
      if (along > 0) value *= step(off - (spokeWidth * ringWidth) / 2, w);
    }
  return Math.min(1, value);
}
