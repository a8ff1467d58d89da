import { apply } from "../core/frames.js";
import type { Rng } from "../core/rng.js";
import type { FrameGeometry, Instrument, RockingModel } from "../geometry/experiment.js";
import { petsRotation, tiltAxisDirection } from "../geometry/goniometer.js";
import { labToPixel } from "../geometry/pixels.js";
import { type LatticePoints, type PredictedSpots, predictSpots } from "../geometry/predict.js";
import { bell, bellIntegral, rockingWidth } from "../geometry/rocking.js";
import { radians } from "../geometry/rotation.js";
import type { CameraModel } from "./simulate-camera.js";

/** Spots of one frame as they were drawn: row i of every column is one spot. */
export interface TrueSpots {
  readonly size: number;
  /** Number of the crystal that the spot belongs to, shape [size]. */
  readonly lattice: Int32Array;
  /** Miller indices, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** Centre of the spot (x, y), pixels, shape [size, 2]. */
  readonly px: Float64Array;
  /** Excitation error at the middle of the exposure, Å⁻¹, shape [size]. */
  readonly sg: Float64Array;
  /** Expected electrons of the whole spot, shape [size]. */
  readonly electrons: Float64Array;
  /** Diffraction vector, lab frame at the middle of the exposure, Å⁻¹, shape [size, 3]. */
  readonly g: Float64Array;
}

/** One crystal of the series with the intensity of each of its points. */
export interface SpotLattice {
  readonly points: LatticePoints;
  readonly intensity: Float64Array;
  /** Share of the illuminated volume. */
  readonly fraction: number;
  /** Mean |ψ|² of the spots of every frame, in the order of {@link reachedSpots}; then `intensity` and the rocking curve are not used. */
  readonly waves?: readonly Float64Array[] | undefined;
  /** Largest |Sg| outside the exposure of spots that are drawn, Å⁻¹ (with `waves`). */
  readonly reach?: number | undefined;
}

/** Spots whose excitation error comes within `reach` (Å⁻¹) of zero during the exposure. */
export function reachedSpots(points: LatticePoints, instrument: Instrument, frame: FrameGeometry, reach: number): PredictedSpots {
  return predictSpots(points, instrument, frame, { rocking: { rcWidth: reach, mosaicityDeg: 0 }, cut: 1, marginPx: 8 });
}

/**
 * Spots of one frame. The position is the mean over the exposure: in continuous rotation a reflection flashes when it crosses the
 * sphere, not at the middle of the frame.
 * @param index - number of the frame, for intensities from waves
 */
export function trueSpots(
  lattices: readonly SpotLattice[],
  instrument: Instrument,
  frame: FrameGeometry,
  rocking: RockingModel,
  electronsPerWeight: number,
  scatter: number,
  rng: Rng,
  index = 0,
): TrueSpots {
  const lists = lattices.map(({ points, reach }) =>
    reach === undefined
      ? predictSpots(points, instrument, frame, { rocking, cut: 5, marginPx: 8 })
      : reachedSpots(points, instrument, frame, reach),
  );
  const size = lists.reduce((n, l) => n + l.size, 0);
  const spots = {
    size,
    lattice: new Int32Array(size),
    hkl: new Int32Array(3 * size),
    px: new Float64Array(2 * size),
    sg: new Float64Array(size),
    electrons: new Float64Array(size),
    g: new Float64Array(3 * size),
  };
  const r = petsRotation(frame.alphaDeg, frame.betaDeg, frame.omegaDeg),
    axis = tiltAxisDirection(frame.omegaDeg);
  const phi = instrument.exposure.kind === "continuous" ? radians(instrument.exposure.halfWidthDeg) : 0;
  const eta = rocking.lorentzian ?? 0;
  let at = 0;
  lists.forEach((list, lattice) => {
    const { points, intensity, fraction, waves } = lattices[lattice]!;
    const own = waves?.[index];
    const noise = rng.fork(lattice);
    for (let j = 0; j < list.size; j++, at++) {
      const i = list.point[j]!;
      const g = apply(r, [points.g[3 * i]!, points.g[3 * i + 1]!, points.g[3 * i + 2]!]);
      const slope = axis[0] * g[1] - axis[1] * g[0]; // dSg/dα
      const late = meanCrossing(list.sg[j]!, slope, phi, rockingWidth(rocking, Math.sqrt(points.g2[i]!)), eta);
      const [x, y] = labToPixel(g[0] + axis[1] * g[2] * late, g[1] - axis[0] * g[2] * late, instrument, frame);
      const change = scatter > 0 && !own ? Math.exp(scatter * noise.fork(i).normal() - (scatter * scatter) / 2) : 1;
      spots.lattice[at] = lattice;
      spots.hkl.set(list.hkl.subarray(3 * j, 3 * j + 3), 3 * at);
      spots.px[2 * at] = x;
      spots.px[2 * at + 1] = y;
      spots.sg[at] = list.sg[j]!;
      spots.electrons[at] = electronsPerWeight * fraction * (frame.scale ?? 1) * (own ? own[j]! : intensity[i]! * list.weight[j]! * change);
      spots.g.set(g, 3 * at);
    }
  });
  return spots;
}

/** Mean rotation from the middle of the exposure at which a reflection is seen, radians: the mean of the bell over Sg ± slope·φ. */
function meanCrossing(sg: number, slope: number, phi: number, sigma: number, eta: number): number {
  const half = Math.abs(slope) * phi;
  if (half < 1e-3 * sigma) return 0;
  const low = sg - half,
    high = sg + half;
  const area = bellIntegral(high, sigma, eta) - bellIntegral(low, sigma, eta);
  if (!(area > 1e-9)) return -Math.sign(sg * slope) * phi;
  const gauss = (1 - eta) * sigma * sigma * (bell(low, sigma) - bell(high, sigma));
  const w = Math.sqrt(2 * Math.LN2) * sigma;
  const lorentz = eta === 0 ? 0 : ((eta * w) / (2 * Math.PI)) * Math.log((high * high + w * w) / (low * low + w * w));
  return ((gauss + lorentz) / area - sg) / slope;
}

/**
 * Add the spots to an image of expected electrons, [ny, nx]. A spot is a Gaussian of the camera's width, wider across the radius by
 * the mosaic spread, with a share of its electrons in a wide tail t/2π·(r² + t²)^(−3/2).
 */
export function drawSpotsInto(
  image: Float32Array,
  ny: number,
  nx: number,
  spots: TrueSpots,
  camera: CameraModel,
  instrument: Instrument,
  mosaicity: number,
): void {
  const perPx = instrument.detector.invAngstromPerPixel,
    s0 = camera.spotSigmaPx;
  const [fx, fy] = instrument.detector.fast,
    [sx, sy] = instrument.detector.slow;
  for (let i = 0; i < spots.size; i++) {
    const electrons = spots.electrons[i]!;
    if (electrons < 0.02) continue;
    const gx = spots.g[3 * i]!,
      gy = spots.g[3 * i + 1]!,
      q = Math.hypot(gx, gy);
    const ux = (gx * fx + gy * fy) / q,
      uy = (gx * sx + gy * sy) / q;
    const st = Math.hypot(s0, (q * mosaicity) / perPx);
    const core = (electrons * (1 - camera.tailFraction)) / (2 * Math.PI * s0 * st);
    const tail = (electrons * camera.tailFraction * camera.tailPx) / (2 * Math.PI),
      t2 = camera.tailPx * camera.tailPx;
    const reach = Math.max(4.5 * st, Math.cbrt(tail / 0.02)); // beyond, the tail is below 0.02 electrons a pixel
    const x = spots.px[2 * i]!,
      y = spots.px[2 * i + 1]!;
    const x0 = Math.max(0, Math.ceil(x - reach)),
      x1 = Math.min(nx - 1, Math.floor(x + reach)),
      y1 = Math.min(ny - 1, Math.floor(y + reach));
    for (let py = Math.max(0, Math.ceil(y - reach)); py <= y1; py++)
      for (let px = x0; px <= x1; px++) {
        const dx = px - x,
          dy = py - y,
          r2 = dx * dx + dy * dy;
        const radial = (dx * ux + dy * uy) / s0,
          across = (dy * ux - dx * uy) / st,
          e = 0.5 * (radial * radial + across * across);
        let v = e < 14 ? core * Math.exp(-e) : 0;
        if (tail > 0) v += tail / ((r2 + t2) * Math.sqrt(r2 + t2));
        image[py * nx + px]! += v;
      }
  }
}
