import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import { projectionFactor } from "./detector.js";
import { type Distortion, distortionVector, distortPoint, undistortPoint } from "./distortion.js";
import type { FrameGeometry, Instrument } from "./experiment.js";
import { petsRotation } from "./goniometer.js";

/**
 * Diffraction vectors of positions on one frame, taken to lie on the Ewald sphere.
 * In the steps of the code: pixel → position in Å⁻¹ from the direct beam → distortions undone → q⊥ in the lab (x, y) →
 * z = k − √(k² − q²) on the sphere of K = (0, 0, −k) → sample frame by Rᵀ, R = Rz(ω)·Rx(α)·Ry(β).
 * @param pixels - positions (x, y), index convention, shape [n, 2]
 * @returns g in the sample frame, Å⁻¹, shape [n, 3]; NaN where no point of the sphere projects there
 * @throws bad-shape when `pixels` is not [n, 2]
 */
export function pixelsToReciprocal(pixels: Float64Array, instrument: Instrument, frame: FrameGeometry): Float64Array {
  const n = pixels.length >> 1;
  return peaksToReciprocal(pixels, new Int32Array(n), instrument, [frame]);
}

/**
 * {@link pixelsToReciprocal} for peaks of many frames.
 * @param frameOf - index into `frames` of every peak, shape [n]
 * @throws bad-shape when the arrays do not match, out-of-range when a peak is on a frame that is not there
 */
export function peaksToReciprocal(
  pixels: Float64Array,
  frameOf: ArrayLike<number>,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
): Float64Array {
  const n = frameOf.length;
  if (pixels.length !== 2 * n) fail("bad-shape", { pixels: pixels.length, peaks: n }, "pixels holds x0 y0 x1 y1 …, one pair for each peak");
  const { detector: d, beam } = instrument,
    k = beam.k,
    [fx, fy] = d.fast,
    [sx, sy] = d.slow,
    warp = warpOf(instrument.distortion);
  const rotations: Map3<"lab", "sample">[] = frames.map((f) => petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg));
  const out = new Float64Array(3 * n);
  for (let i = 0; i < n; i++) {
    const frame = frames[frameOf[i]!];
    if (frame === undefined)
      fail("out-of-range", { peak: i, frame: frameOf[i], frames: frames.length }, "every peak names a frame of the list");
    const [cx, cy] = frame.centrePx ?? d.centrePx;
    const scale = d.invAngstromPerPixel / (1 + (frame.magnification ?? 0));
    const dx = (pixels[2 * i]! - cx) * scale,
      dy = (pixels[2 * i + 1]! - cy) * scale;
    let x = dx * fx + dy * sx,
      y = dx * fy + dy * sy;
    if (warp !== undefined) [x, y] = undistortPoint(warp, x, y);
    if (d.projection === "gnomonic") {
      const shrink = 1 / Math.sqrt(1 + (x * x + y * y) / (k * k));
      x *= shrink;
      y *= shrink;
    }
    const q2 = x * x + y * y,
      z = q2 / (k + Math.sqrt(k * k - q2)); // k − √(k²−q²) without cancellation
    const r = rotations[frameOf[i]!]!;
    out[3 * i] = r[0] * x + r[3] * y + r[6] * z;
    out[3 * i + 1] = r[1] * x + r[4] * y + r[7] * z;
    out[3 * i + 2] = r[2] * x + r[5] * y + r[8] * z;
  }
  return out;
}

/**
 * Positions on a frame of diffraction vectors: the inverse of {@link pixelsToReciprocal} for vectors on the Ewald sphere. A vector off
 * the sphere is projected along the beam (the transverse part of the momentum is kept), which is where its spot appears.
 * @param g - sample frame, Å⁻¹, shape [n, 3]
 * @returns positions (x, y), shape [n, 2]
 */
export function reciprocalToPixels(g: Float64Array, instrument: Instrument, frame: FrameGeometry): Float64Array {
  if (g.length % 3 !== 0) fail("bad-shape", { length: g.length }, "pass [n, 3] row-major: x0 y0 z0 x1 y1 z1 …");
  const n = g.length / 3,
    out = new Float64Array(2 * n),
    r = petsRotation(frame.alphaDeg, frame.betaDeg, frame.omegaDeg);
  for (let i = 0; i < n; i++) {
    const a = g[3 * i]!,
      b = g[3 * i + 1]!,
      c = g[3 * i + 2]!;
    const [px, py] = labToPixel(r[0] * a + r[1] * b + r[2] * c, r[3] * a + r[4] * b + r[5] * c, instrument, frame);
    out[2 * i] = px;
    out[2 * i + 1] = py;
  }
  return out;
}

/** Pixel of a transverse diffraction vector (x, y), lab frame, Å⁻¹. */
export function labToPixel(gx: number, gy: number, instrument: Instrument, frame: FrameGeometry): readonly [number, number] {
  const d = instrument.detector,
    f = projectionFactor(d.projection, instrument.beam.k, gx * gx + gy * gy),
    warp = warpOf(instrument.distortion);
  const [x, y] = warp === undefined ? [f * gx, f * gy] : distortPoint(warp, f * gx, f * gy);
  const [cx, cy] = frame.centrePx ?? d.centrePx;
  const scale = (1 + (frame.magnification ?? 0)) / d.invAngstromPerPixel;
  return [cx + (x * d.fast[0] + y * d.fast[1]) * scale, cy + (x * d.slow[0] + y * d.slow[1]) * scale];
}

/** The distortion as a vector, or undefined when there is none: most series have none, and the loops then skip Newton's method. */
function warpOf(d: Distortion): Float64Array | undefined {
  const v = distortionVector(d);
  return v.some((x) => x !== 0) ? v : undefined;
}
