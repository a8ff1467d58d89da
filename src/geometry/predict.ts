import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import { distortionVector, distortPoint } from "./distortion.js";
import { excitationHalfRange } from "./excitation.js";
import type { FrameGeometry, Instrument, RockingModel } from "./experiment.js";
import { petsRotation, tiltAxisDirection } from "./goniometer.js";
import type { OrientationMatrix } from "./orientation.js";
import { rockingWeight } from "./rocking.js";
import { radians } from "./rotation.js";

/** Points of a reciprocal lattice: row i of every column is one reflection. */
export interface LatticePoints {
  readonly size: number;
  /** Miller indices, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** Diffraction vectors, sample frame, Å⁻¹, shape [size, 3]. */
  readonly g: Float64Array;
  /** |g|², Å⁻², shape [size]. */
  readonly g2: Float64Array;
}

export interface LatticeOptions {
  /** Largest |g|, Å⁻¹. */
  readonly gMax: number;
  /** Keep a reflection or not, for example by lattice centring. Default: keep all. */
  readonly allowed?: ((h: number, k: number, l: number) => boolean) | undefined;
  /** Refuse lattices with more points than this. Default 20 million. */
  readonly maxPoints?: number | undefined;
}

/**
 * All reflections with 0 < |g| <= gMax, in the order of h, k, l. The range of l is solved for every h and k, so the work is that of
 * the points kept.
 * @throws too-large when the sphere holds more than `maxPoints`, out-of-range when gMax is not positive
 */
export function latticePoints(ub: OrientationMatrix, { gMax, allowed, maxPoints = 2e7 }: LatticeOptions): LatticePoints {
  if (!(gMax > 0)) fail("out-of-range", { gMax }, "gMax is the resolution limit 1/d in Å⁻¹, for example 1.4");
  const [a, b, c, d, e, f, p, q, r] = ub;
  const det = Math.abs(a * (e * r - f * q) - b * (d * r - f * p) + c * (d * q - e * p));
  const expected = ((4 / 3) * Math.PI * gMax ** 3) / det;
  if (!(expected < maxPoints))
    fail("too-large", { gMax, expected, maxPoints }, "the sphere of radius gMax holds too many lattice points; check gMax (Å⁻¹) and UB");
  // |h| <= gMax·|a|, and a = (b* × c*)/det
  const hMax = Math.floor((gMax * Math.hypot(e * r - f * q, c * q - b * r, b * f - c * e)) / det + 1e-9);
  const kMax = Math.floor((gMax * Math.hypot(f * p - d * r, a * r - c * p, c * d - a * f)) / det + 1e-9);
  const cc = c * c + f * f + r * r;
  const hkl: number[] = [],
    g: number[] = [],
    g2: number[] = [];
  for (let h = -hMax; h <= hMax; h++)
    for (let k = -kMax; k <= kMax; k++) {
      const x = a * h + b * k,
        y = d * h + e * k,
        z = p * h + q * k;
      const half = (x * c + y * f + z * r) / cc,
        root = half * half - (x * x + y * y + z * z - gMax * gMax) / cc;
      if (root < 0) continue;
      const l1 = Math.floor(-half + Math.sqrt(root) + 1e-9);
      for (let l = Math.ceil(-half - Math.sqrt(root) - 1e-9); l <= l1; l++) {
        if ((h === 0 && k === 0 && l === 0) || (allowed !== undefined && !allowed(h, k, l))) continue;
        const gx = x + c * l,
          gy = y + f * l,
          gz = z + r * l;
        hkl.push(h, k, l);
        g.push(gx, gy, gz);
        g2.push(gx * gx + gy * gy + gz * gz);
      }
    }
  return { size: g2.length, hkl: Int32Array.from(hkl), g: Float64Array.from(g), g2: Float64Array.from(g2) };
}

export interface PredictOptions {
  readonly rocking: RockingModel;
  /** Keep reflections whose excitation error comes within this many σ of the rocking curve. Default 3. */
  readonly cut?: number | undefined;
  /** Leave out spots outside the detector by more than this, pixels. Default 0. */
  readonly marginPx?: number | undefined;
}

/** Predicted spots of one frame: row i of every column is one spot. */
export interface PredictedSpots {
  readonly size: number;
  /** Row of the spot in the {@link LatticePoints}, shape [size]. */
  readonly point: Int32Array;
  /** Miller indices, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** Position (x, y) with distortions, pixels (index convention), shape [size, 2]. */
  readonly px: Float64Array;
  /** Excitation error at the middle of the exposure, Å⁻¹ (PETS2's definition), shape [size]. */
  readonly sg: Float64Array;
  /** Half range of the excitation error during the exposure, Å⁻¹, shape [size]. */
  readonly halfRange: Float64Array;
  /** Mean of the rocking curve over the exposure, Å; times 2·halfRange it is the partiality. Shape [size]. */
  readonly weight: Float64Array;
}

/**
 * Spots of a lattice on one frame: those whose excitation error passes within `cut`·σ of zero during the exposure and that fall on
 * the detector. Positions are those at the middle of the exposure.
 */
export function predictSpots(points: LatticePoints, instrument: Instrument, frame: FrameGeometry, options: PredictOptions): PredictedSpots {
  const { beam, detector: d, distortion, exposure } = instrument;
  const { rocking, cut = 3, marginPx = 0 } = options;
  const { g, g2 } = points;
  const r: Map3<"lab", "sample"> = petsRotation(frame.alphaDeg, frame.betaDeg, frame.omegaDeg);
  const axis = tiltAxisDirection(frame.omegaDeg);
  const over2k = 1 / (2 * beam.k),
    k2 = beam.k * beam.k,
    mosaic = radians(rocking.mosaicityDeg),
    eta = rocking.lorentzian ?? 0;
  const sweep =
    exposure.kind === "static" ? 0 : Math.sin(radians(exposure.kind === "continuous" ? exposure.halfWidthDeg : exposure.semiAngleDeg));
  const warp = distortionVector(distortion);
  const gnomonic = d.projection === "gnomonic";
  const [cx, cy] = frame.centrePx ?? d.centrePx;
  const scale = (1 + (frame.magnification ?? 0)) / d.invAngstromPerPixel;
  const point = new Int32Array(points.size);
  let n = 0;
  // first pass: a bound that needs no position; most reflections end here
  for (let i = 0; i < points.size; i++) {
    const s = r[6] * g[3 * i]! + r[7] * g[3 * i + 1]! + r[8] * g[3 * i + 2]! - g2[i]! * over2k;
    const length = Math.sqrt(g2[i]!);
    if (Math.abs(s) <= length * (sweep + cut * mosaic) + cut * rocking.rcWidth) point[n++] = i;
  }
  const px = new Float64Array(2 * n),
    sg = new Float64Array(n),
    halfRange = new Float64Array(n),
    weight = new Float64Array(n);
  let m = 0;
  for (let j = 0; j < n; j++) {
    const i = point[j]!,
      x = g[3 * i]!,
      y = g[3 * i + 1]!,
      z = g[3 * i + 2]!;
    const gx = r[0] * x + r[1] * y + r[2] * z,
      gy = r[3] * x + r[4] * y + r[5] * z,
      s = r[6] * x + r[7] * y + r[8] * z - g2[i]! * over2k;
    const half = excitationHalfRange(gx, gy, exposure, axis),
      sigma = rocking.rcWidth + Math.sqrt(g2[i]!) * mosaic;
    if (Math.abs(s) > half + cut * sigma) continue;
    const stretch = gnomonic ? beam.k / Math.sqrt(k2 - gx * gx - gy * gy) : 1;
    const [u, v] = distortPoint(warp, stretch * gx, stretch * gy);
    const X = cx + (u * d.fast[0] + v * d.fast[1]) * scale,
      Y = cy + (u * d.slow[0] + v * d.slow[1]) * scale;
    if (!(X >= -0.5 - marginPx && X < d.nx - 0.5 + marginPx && Y >= -0.5 - marginPx && Y < d.ny - 0.5 + marginPx)) continue;
    point[m] = i;
    px[2 * m] = X;
    px[2 * m + 1] = Y;
    sg[m] = s;
    halfRange[m] = half;
    weight[m] = rockingWeight(s, half, sigma, exposure.kind, eta);
    m++;
  }
  const hkl = new Int32Array(3 * m);
  for (let j = 0; j < m; j++) {
    const i = 3 * point[j]!;
    hkl[3 * j] = points.hkl[i]!;
    hkl[3 * j + 1] = points.hkl[i + 1]!;
    hkl[3 * j + 2] = points.hkl[i + 2]!;
  }
  return {
    size: m,
    point: point.slice(0, m),
    hkl,
    px: px.slice(0, 2 * m),
    sg: sg.slice(0, m),
    halfRange: halfRange.slice(0, m),
    weight: weight.slice(0, m),
  };
}
